/* fhir/outcome.c: an OperationOutcome with every problem at once. Issues come nearly in the order
 * of the text, so lines are counted on from the last one. */
#include "fhir/outcome.h"

#include <string.h>

static const char *const severity_words[] = {"fatal", "error", "warning", "information"};
static const char *const type_words[] = {"structure",    "required",     "value",     "invariant",
                                         "code-invalid", "not-found",    "duplicate", "too-long",
                                         "processing",   "informational"};

#define EXTENSION_URL "http://hl7.org/fhir/StructureDefinition/operationoutcome-"

void fhir_issues_init(struct fhir_issues *issues, struct arena *arena) {
  *issues = (struct fhir_issues){.arena = arena};
}

void fhir_issue_add(struct fhir_issues *issues, const struct fhir_issue *issue) {
  issues->errors += issue->severity <= FHIR_ERROR;
  issues->warnings += issue->severity == FHIR_WARNING;
  struct fhir_issue *copy =
      issues->count < FHIR_ISSUES_MAX ? ARENA_NEW(issues->arena, struct fhir_issue) : NULL;
  if (!copy) {
    issues->dropped++;
    return;
  }
  *copy = *issue;
  copy->next = NULL;
  if (issues->last)
    issues->last->next = copy;
  else
    issues->first = copy;
  issues->last = copy;
  issues->count++;
}

void fhir_issue_err(struct fhir_issues *issues, const struct err *err) {
  enum fhir_issue_type type = err->code == ERR_LIMIT       ? FHIR_ISSUE_TOO_LONG
                              : err->code == ERR_MALFORMED ? FHIR_ISSUE_STRUCTURE
                                                           : FHIR_ISSUE_PROCESSING;
  fhir_issue_add(issues,
                 &(struct fhir_issue){.severity = FHIR_FATAL,
                                      .type = type,
                                      .offset = err->offset,
                                      .text = arena_copy(issues->arena, bytes_str(err->detail))});
}

/* Where in the text we are; goes back to the start when an issue lies before it. */
struct position {
  struct bytes text;
  uint64_t at, line, line_start;
};

static void position_move(struct position *p, uint64_t offset, uint64_t line_first) {
  if (offset > p->text.len) offset = p->text.len;
  if (offset < p->at) *p = (struct position){.text = p->text, .line = line_first};
  while (p->at < offset) {
    const uint8_t *from = p->text.at + p->at;
    const uint8_t *end = memchr(from, '\n', offset - p->at);
    if (!end) break;
    p->at = p->line_start = (uint64_t)(end + 1 - p->text.at);
    p->line++;
  }
  p->at = offset;
}

static void write_integer_extension(struct json_out *out, const char *url, uint64_t value) {
  json_out_open(out, '{');
  json_out_member_str(out, "url", url);
  json_out_member_int(out, "valueInteger", (int64_t)value);
  json_out_close(out, '}');
}

static void write_place(struct json_out *out, const struct position *p,
                        const struct fhir_outcome_source *source) {
  json_out_name(out, "extension");
  json_out_open(out, '[');
  if (source->filename) {
    json_out_open(out, '{');
    json_out_member_str(out, "url", EXTENSION_URL "file");
    json_out_member_str(out, "valueString", source->filename);
    json_out_close(out, '}');
  }
  write_integer_extension(out, EXTENSION_URL "issue-line", p->line);
  write_integer_extension(out, EXTENSION_URL "issue-col", p->at - p->line_start + 1);
  json_out_close(out, ']');
}

static void write_issue(struct json_out *out, const struct fhir_issue *issue, struct position *p,
                        const struct fhir_outcome_source *source) {
  json_out_open(out, '{');
  if (source && source->text.len && issue->offset != ERR_OFFSET_NONE) {
    position_move(p, issue->offset, source->line_first);
    write_place(out, p, source);
  }
  json_out_member_str(out, "severity", severity_words[issue->severity]);
  json_out_member_str(out, "code", type_words[issue->type]);
  json_out_name(out, "details");
  json_out_open(out, '{');
  json_out_member(out, "text", issue->text);
  json_out_close(out, '}');
  if (issue->expression.len) {
    json_out_name(out, "expression");
    json_out_open(out, '[');
    json_out_string(out, issue->expression);
    json_out_close(out, ']');
  }
  json_out_close(out, '}');
}

void fhir_outcome_write(struct json_out *out, const struct fhir_issues *issues,
                        const struct fhir_outcome_source *source) {
  struct position p = {.text = source ? source->text : BYTES_NONE,
                       .line = source ? source->line_first : 1};
  struct fhir_issue more = {.severity = issues->errors ? FHIR_ERROR : FHIR_WARNING,
                            .type = FHIR_ISSUE_TOO_LONG,
                            .offset = ERR_OFFSET_NONE,
                            .text = BYTES("there are more problems than are listed here")};
  struct fhir_issue none = {.severity = FHIR_INFORMATION,
                            .type = FHIR_ISSUE_INFORMATIONAL,
                            .offset = ERR_OFFSET_NONE,
                            .text = BYTES("no problem was found")};
  json_out_open(out, '{');
  json_out_member_str(out, "resourceType", "OperationOutcome");
  json_out_name(out, "issue");
  json_out_open(out, '[');
  for (const struct fhir_issue *issue = issues->first; issue; issue = issue->next)
    write_issue(out, issue, &p, source);
  if (issues->dropped) write_issue(out, &more, &p, source);
  if (issues->count == 0 && issues->dropped == 0) write_issue(out, &none, &p, source);
  json_out_close(out, ']');
  json_out_close(out, '}');
}

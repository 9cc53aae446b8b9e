/* app/cli/fhir.c: FHIR without a server: validate.
 *
 * One resource gives one OperationOutcome. Of several (files, NDJSON) each that has problems gives
 * one, a line each, that says where it stands. */
#include "app/cli/input.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"
#include "fhir/validate.h"

#include <errno.h>
#include <string.h>

enum { OUTCOME_BYTES_MAX = 16 << 20 };
#define TREE_BYTES_MAX ((size_t)4 << 30)

struct validation {
  struct cli *cli;
  struct fhir_validator *validator;
  struct fhir_validate_options options;
  struct arena arena;
  struct buf outcome;
  bool many; /* tell only of those that have problems */
  uint64_t resources, refused, told;
};

static void print_outcome(struct validation *v, const struct fhir_issues *issues,
                          const struct fhir_outcome_source *source) {
  struct json_out out;
  buf_reset(&v->outcome);
  json_out_init(&out, &v->outcome);
  fhir_outcome_write(&out, issues, source);
  struct bytes text = buf_bytes(&v->outcome);
  (void)fwrite(text.at, 1, text.len, v->cli->out);
  fputc('\n', v->cli->out);
  v->told++;
}

static void validate_text(struct validation *v, const char *filename, struct bytes text,
                          uint64_t line) {
  struct fhir_outcome_source source = {
      .text = text, .filename = v->many ? filename : NULL, .line_first = line};
  const struct json *resource = NULL;
  struct fhir_issues issues;
  struct err err;
  arena_reset(&v->arena);
  fhir_issues_init(&issues, &v->arena);
  if (json_parse(&v->arena, text, &resource, &err))
    fhir_validate(v->validator, resource, &v->options, &issues);
  else
    fhir_issue_err(&issues, &err);
  v->resources++;
  v->refused += issues.errors > 0;
  if (!v->many || issues.count || issues.dropped) print_outcome(v, &issues, &source);
}

static void validate_lines(struct validation *v, const char *filename, struct bytes text) {
  v->many = true;
  for (uint64_t line = 1; text.len; line++) {
    struct bytes each = bytes_trim(bytes_cut(text, '\n', &text));
    if (each.len && each.at[each.len - 1] == '\r') each.len--;
    if (each.len) validate_text(v, filename, each, line);
  }
}

/* One value a line, however the file is called: the first line is a value and another follows. */
static bool is_lines(struct validation *v, struct bytes text) {
  const struct json *value;
  struct bytes rest;
  struct bytes first = bytes_cut(text, '\n', &rest);
  while (rest.len && (rest.at[0] <= ' ')) rest = bytes_from(rest, 1);
  arena_reset(&v->arena);
  return rest.len && json_parse(&v->arena, first, &value, NULL) && value->kind == JSON_OBJECT;
}

static bool validate_whole(struct validation *v, const char *name, struct err *err) {
  cleanup_buf struct buf text;
  buf_init(&text, JSON_BYTES_MAX);
  if (strcmp(name, "-") == 0)
    TRY(input_read(v->cli, "-", &text, err));
  else
    TRY(input_file(name, &text, err));
  if (is_lines(v, buf_bytes(&text)))
    validate_lines(v, name, buf_bytes(&text));
  else
    validate_text(v, name, buf_bytes(&text), 1);
  return true;
}

/* NDJSON of any size, a line at a time. */
static bool validate_stream(struct validation *v, const char *name, struct err *err) {
  cleanup_free char *line = NULL;
  size_t room = 0;
  FILE *file = fopen(name, "re");
  if (!file) {
    err_set_errno(err, errno, ERR_PLACE, name);
    return false;
  }
  v->many = true;
  ssize_t len;
  for (uint64_t number = 1; (len = getline(&line, &room, file)) > 0; number++) {
    while (len > 0 && (uint8_t)line[len - 1] <= ' ') len--;
    if (len > 0) validate_text(v, name, bytes_of(line, (size_t)len), number);
  }
  bool bad = ferror(file);
  fclose(file);
  if (bad) FAIL(ERR_IO, "cannot read %s", name);
  return true;
}

static bool validate_inputs(struct validation *v, struct err *err) {
  struct cli *cli = v->cli;
  if (cli->arg_count == 0) return validate_whole(v, "-", err);
  v->many = cli->arg_count > 1;
  for (int i = 0; i < cli->arg_count; i++) {
    bool stream = bytes_ends(bytes_str(cli->args[i]), BYTES(".ndjson"));
    if (stream)
      TRY(validate_stream(v, cli->args[i], err));
    else
      TRY(validate_whole(v, cli->args[i], err));
  }
  return true;
}

int verb_fhir_validate(struct cli *cli) {
  struct validation v = {.cli = cli};
  const char *type = cli_flag(cli, "resource-type");
  struct fhir_issues none = {0};
  struct err err;
  v.options.errors_only = cli_flag(cli, "errors") != NULL;
  v.options.type = type ? fhir_resource_find(bytes_str(type)) : NULL;
  if (type && !v.options.type) return cli_usage(cli, "%s is no resource type of FHIR R4", type);
  v.validator = fhir_validator_new();
  arena_init(&v.arena, TREE_BYTES_MAX);
  buf_init(&v.outcome, OUTCOME_BYTES_MAX);
  bool good = validate_inputs(&v, &err);
  if (good && v.told == 0) print_outcome(&v, &none, NULL);
  if (good && v.many)
    fprintf(cli->errors, "%llu resources, %llu with errors\n", (unsigned long long)v.resources,
            (unsigned long long)v.refused);
  buf_fini(&v.outcome);
  arena_fini(&v.arena);
  fhir_validator_free(&v.validator);
  if (!good) return cli_fail(cli, &err);
  return v.refused ? CLI_FAILED : CLI_OK;
}

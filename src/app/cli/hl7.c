/* app/cli/hl7.c: HL7 v2 messages from files: looked at, checked and turned into FHIR, no server
 * needed. A file may hold one message or a batch. */
#include "app/cli/input.h"
#include "app/cli/verbs.h"

#include "hl7/batch.h"
#include "hl7/map.h"
#include "hl7/structure.h"

#include <stdlib.h>
#include <string.h>

#define BUNDLE_BYTES_MAX (512u << 20)
#define MESSAGE_ARENA_BYTES_MAX (512u << 20)

struct reading { /* one message of the input */
  struct cli *cli;
  struct bytes input, text;
  uint64_t number; /* from 1 */
  struct arena *arena;
  struct hl7_message message;
  const struct hl7_structure *structure;
  const struct hl7_place *places;
};

typedef bool each_message(struct reading *reading, struct err *err);

/* A message's offsets become the input's. */
static bool placed(struct reading *r, bool good, struct err *err) {
  if (good) return true;
  uint64_t from = (uint64_t)(r->text.at - r->input.at);
  char detail[ERR_DETAIL_BYTES];
  snprintf(detail, sizeof detail, "%s", err->detail);
  if (err->offset != ERR_OFFSET_NONE) {
    err_set(err, err->code, err->place, from + err->offset, "message %llu, byte %llu: %.180s",
            (unsigned long long)r->number, (unsigned long long)(from + err->offset), detail);
  } else {
    err_set(err, err->code, err->place, from, "message %llu: %.200s", (unsigned long long)r->number,
            detail);
  }
  return false;
}

static bool parse(struct reading *r, struct err *err) {
  TRY(hl7_parse(r->arena, r->text, cli_flag(r->cli, "charset"), &r->message, err));
  r->structure = hl7_structure_of(&r->message);
  return hl7_structure_match(r->arena, r->structure, &r->message, &r->places, err);
}

static bool each_in(struct cli *cli, struct bytes input, each_message *each, struct err *err) {
  struct hl7_batch batch;
  struct arena arena;
  struct reading reading = {.cli = cli, .input = input, .arena = &arena};
  bool good = true;
  arena_init(&arena, MESSAGE_ARENA_BYTES_MAX);
  hl7_batch_init(&batch, input);
  while (good && hl7_batch_next(&batch, &reading.text)) {
    reading.number++;
    arena_reset(&arena);
    good = placed(&reading, parse(&reading, err) && each(&reading, err), err);
  }
  arena_fini(&arena);
  if (!good) return false;
  if (!reading.number) FAIL(ERR_MALFORMED, "there is no HL7 v2 message: none begins with MSH");
  if (!hl7_batch_is_whole(&batch)) {
    fprintf(cli->errors, "%s\n", hl7_leniency_sentence(HL7_BATCH_COUNT));
  }
  return true;
}

static int run(struct cli *cli, const char *path, each_message *each) {
  struct buf text;
  struct err err;
  buf_init(&text, INPUT_BYTES_MAX);
  bool is_file = path && strcmp(path, "-") != 0;
  bool good = is_file ? input_file(path, &text, &err) : input_read(cli, "-", &text, &err);
  good = good && each_in(cli, buf_bytes(&text), each, &err);
  buf_fini(&text);
  return good ? CLI_OK : cli_fail(cli, &err);
}

static const char *argument(const struct cli *cli, int nth) {
  return cli->arg_count > nth ? cli->args[nth] : NULL;
}

static void print(struct cli *cli, const struct buf *buf) {
  fwrite(buf->at, 1, buf->len, cli->out);
  fputc('\n', cli->out);
}

/* ---- convert ---- */

static void left_json(struct json_out *out, const struct hl7_message *message,
                      const struct hl7_mapped *mapped) {
  json_out_name(out, "left");
  json_out_open(out, '[');
  for (const struct hl7_left *left = mapped->left; left; left = left->next) {
    struct buf place;
    buf_init(&place, 64);
    hl7_left_write(&place, message, left);
    json_out_string(out, buf_bytes(&place));
    buf_fini(&place);
  }
  json_out_close(out, ']');
}

static void leniencies_json(struct json_out *out, const struct hl7_message *message) {
  json_out_name(out, "leniencies");
  json_out_open(out, '[');
  for (uint32_t i = 0; i < message->note_count && i < HL7_NOTES_MAX; i++) {
    json_out_open(out, '{');
    json_out_member_str(out, "leniency", hl7_leniency_word(message->notes[i].leniency));
    json_out_member_int(out, "segment", message->notes[i].segment);
    json_out_close(out, '}');
  }
  json_out_close(out, ']');
}

static void report_print(struct reading *r, const struct hl7_mapped *mapped) {
  FILE *out = r->cli->errors;
  for (const struct hl7_left *left = mapped->left; left; left = left->next) {
    struct buf place;
    buf_init(&place, 64);
    hl7_left_write(&place, &r->message, left);
    fprintf(out, "message %llu: left over: %.*s\n", (unsigned long long)r->number,
            BYTES_FMT(buf_bytes(&place)));
    buf_fini(&place);
  }
  if (mapped->left_count > HL7_LEFT_MAX) {
    fprintf(out, "message %llu: left over: %u more\n", (unsigned long long)r->number,
            mapped->left_count - HL7_LEFT_MAX);
  }
  for (uint32_t i = 0; i < r->message.note_count && i < HL7_NOTES_MAX; i++) {
    const struct hl7_note *note = &r->message.notes[i];
    fprintf(out, "message %llu, segment %u: %s\n", (unsigned long long)r->number, note->segment,
            hl7_leniency_sentence(note->leniency));
  }
}

static bool convert_one(struct reading *r, struct err *err) {
  struct hl7_mapped mapped;
  struct buf buf;
  bool report = cli_flag(r->cli, "report") != NULL;
  TRY(hl7_map(r->arena, &r->message, NULL, &mapped, err));
  buf_init(&buf, BUNDLE_BYTES_MAX);
  if (report && r->cli->json) {
    struct json_out out;
    json_out_init(&out, &buf);
    json_out_open(&out, '{');
    json_out_name(&out, "bundle");
    hl7_mapped_write(&buf, &mapped);
    out.comma = true;
    left_json(&out, &r->message, &mapped);
    leniencies_json(&out, &r->message);
    json_out_close(&out, '}');
  } else {
    hl7_mapped_write(&buf, &mapped);
  }
  bool good = buf_ok(&buf);
  if (good) print(r->cli, &buf);
  if (good && report && !r->cli->json) report_print(r, &mapped);
  buf_fini(&buf);
  if (!good) FAIL(ERR_LIMIT, "a bundle larger than %u bytes", BUNDLE_BYTES_MAX);
  return true;
}

int verb_hl7_convert(struct cli *cli) {
  return run(cli, argument(cli, 0), convert_one);
}

/* ---- get ---- */

struct getting {
  struct reading *reading;
  uint64_t found;
};

static bool get_visit(void *arg, uint32_t segment_nth, uint32_t field_nth, struct bytes raw) {
  struct getting *getting = arg;
  struct cli *cli = getting->reading->cli;
  struct bytes text = raw;
  if (!cli_flag(cli, "raw")) {
    text = hl7_text(getting->reading->arena, &getting->reading->message, raw);
  }
  getting->found += raw.len != 0;
  if (!cli->json) {
    cli_print_safe(cli->out, text);
    fputc('\n', cli->out);
    return true;
  }
  struct buf buf;
  struct json_out out;
  buf_init(&buf, BUNDLE_BYTES_MAX);
  json_out_init(&out, &buf);
  json_out_open(&out, '{');
  json_out_member_int(&out, "message", (int64_t)getting->reading->number);
  json_out_member_int(&out, "segment", segment_nth);
  json_out_member_int(&out, "repetition", field_nth);
  json_out_member(&out, "value", text);
  json_out_close(&out, '}');
  print(cli, &buf);
  buf_fini(&buf);
  return true;
}

static bool get_one(struct reading *r, struct err *err) {
  struct hl7_group_path path;
  struct getting getting = {r, 0};
  TRY(hl7_group_path_parse(bytes_str(r->cli->args[0]), &path, err));
  hl7_group_each(&r->message, r->places, &path, get_visit, &getting);
  return true;
}

int verb_hl7_get(struct cli *cli) {
  struct hl7_group_path path;
  struct err err;
  if (!hl7_group_path_parse(bytes_str(cli->args[0]), &path, &err)) {
    return cli_usage(cli, "%s: byte %llu: %s", cli->args[0], (unsigned long long)err.offset,
                     err.detail);
  }
  return run(cli, argument(cli, 1), get_one);
}

/* ---- tree ---- */

static void field_print(struct reading *r, const struct hl7_segment *segment, uint32_t field,
                        int indent) {
  struct bytes whole = hl7_field(&r->message, segment, field);
  bool header = field <= 2 && strcmp(segment->name, "MSH") == 0;
  uint32_t count = header ? 1 : hl7_repetition_count(&r->message, whole);
  for (uint32_t nth = 1; nth <= count; nth++) {
    struct bytes one = header ? whole : hl7_repetition(&r->message, whole, nth);
    fprintf(r->cli->out, "%*s%s-%u", indent, "", segment->name, field);
    if (nth > 1) fprintf(r->cli->out, "[%u]", nth);
    fputs(": ", r->cli->out);
    cli_print_safe(r->cli->out, one);
    fputc('\n', r->cli->out);
  }
}

static void groups_print(struct reading *r, const struct hl7_place *last,
                         const struct hl7_place *place) {
  uint32_t same = 0;
  while (last && same < last->depth && same < place->depth &&
         strcmp(last->groups[same].name, place->groups[same].name) == 0 &&
         last->groups[same].nth == place->groups[same].nth) {
    same++;
  }
  for (uint32_t i = same; i < place->depth; i++) {
    fprintf(r->cli->out, "%*s%s[%u]\n", (int)(2 * i), "", place->groups[i].name,
            place->groups[i].nth);
  }
}

static bool tree_one(struct reading *r, struct err *err) {
  static const char *const fits[] = {"", "  (out of order)", "  (not in this structure)"};
  const char *name =
      r->structure ? hl7_structure_name(r->structure) : "a structure that is not known";
  fprintf(r->cli->out, "message %llu: %s\n", (unsigned long long)r->number, name);
  for (uint32_t i = 0; i < r->message.count; i++) {
    const struct hl7_segment *segment = &r->message.segments[i];
    const struct hl7_place *place = &r->places[i];
    int indent = (int)(2 * place->depth);
    groups_print(r, i ? &r->places[i - 1] : NULL, place);
    fprintf(r->cli->out, "%*s%s%s\n", indent, "", segment->name,
            r->structure ? fits[place->fit] : "");
    uint32_t fields = hl7_field_count(&r->message, segment);
    for (uint32_t field = 1; field <= fields; field++) field_print(r, segment, field, indent + 2);
  }
  return true;
}

int verb_hl7_tree(struct cli *cli) {
  return run(cli, argument(cli, 0), tree_one);
}

/* ---- validate ---- */

static void finding(struct reading *r, const char *word, uint32_t segment, const char *text) {
  const char *name = segment ? r->message.segments[segment - 1].name : "";
  if (!r->cli->json) {
    fprintf(r->cli->out, "message %llu", (unsigned long long)r->number);
    if (segment) fprintf(r->cli->out, ", segment %u (%s)", segment, name);
    fprintf(r->cli->out, ": %s\n", text);
    return;
  }
  struct buf buf;
  struct json_out out;
  buf_init(&buf, 4096);
  json_out_init(&out, &buf);
  json_out_open(&out, '{');
  json_out_member_int(&out, "message", (int64_t)r->number);
  json_out_member_int(&out, "segment", segment);
  json_out_member_str(&out, "finding", word);
  json_out_member_str(&out, "text", text);
  json_out_close(&out, '}');
  print(r->cli, &buf);
  buf_fini(&buf);
}

static uint64_t header_check(struct reading *r) {
  static const struct {
    uint32_t field;
    const char *text;
  } needed[] = {{9, "MSH-9, the message's type, is empty"},
                {10, "MSH-10, the control id, is empty"},
                {11, "MSH-11, the processing id, is empty"},
                {12, "MSH-12, the version, is empty"}};
  uint64_t found = 0;
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
    if (hl7_field(&r->message, &r->message.segments[0], needed[i].field).len) continue;
    finding(r, "field-missing", 1, needed[i].text);
    found++;
  }
  return found;
}

static uint64_t structure_check(struct reading *r) {
  uint64_t found = 0;
  uint32_t at = 0;
  const char *name, *group;
  char text[128];
  if (!r->structure) {
    finding(r, "structure-unknown", 0, "the message's structure (MSH-9) is not known");
    return 1;
  }
  for (uint32_t i = 0; i < r->message.count; i++) {
    enum hl7_fit fit = r->places[i].fit;
    bool local = r->message.segments[i].name[0] == 'Z';
    if (fit == HL7_FITS || local) continue;
    finding(r, fit == HL7_UNKNOWN ? "segment-unknown" : "segment-order", i + 1,
            fit == HL7_UNKNOWN ? "this structure has no such segment"
                               : "the segment is out of order");
    found++;
  }
  while ((name = hl7_structure_missing(r->structure, &r->message, r->places, &at, &group)) !=
         NULL) {
    snprintf(text, sizeof text, "%s is missing in %s", name,
             group ? group : hl7_structure_name(r->structure));
    finding(r, "segment-missing", 0, text);
    found++;
  }
  return found;
}

static uint64_t findings; /* of the command that runs */

static bool validate_one(struct reading *r, struct err *err) {
  findings += header_check(r) + structure_check(r);
  for (uint32_t i = 0; i < r->message.note_count && i < HL7_NOTES_MAX; i++) {
    const struct hl7_note *note = &r->message.notes[i];
    finding(r, hl7_leniency_word(note->leniency), note->segment,
            hl7_leniency_sentence(note->leniency));
  }
  return true;
}

int verb_hl7_validate(struct cli *cli) {
  findings = 0;
  int code = run(cli, argument(cli, 0), validate_one);
  return code == CLI_OK && findings ? CLI_FAILED : code;
}

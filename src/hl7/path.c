/* hl7/path.c: the grammar in the header, and the walk it names. */
#include "hl7/path.h"

#include "base/must.h"

#include <string.h>

struct reading {
  struct bytes all, rest;
};

static size_t offset(const struct reading *in) {
  return in->all.len - in->rest.len;
}

static bool take(struct reading *in, uint8_t c) {
  if (!in->rest.len || in->rest.at[0] != c) return false;
  in->rest = bytes_from(in->rest, 1);
  return true;
}

static bool number(struct reading *in, uint32_t *ret_number, struct err *err) {
  size_t len = 0;
  uint64_t value = 0;
  while (len < in->rest.len && in->rest.at[len] >= '0' && in->rest.at[len] <= '9') len++;
  if (!bytes_u64(bytes_sub(in->rest, 0, len), &value) || !value || value > HL7_PATH_NUMBER_MAX) {
    FAIL_AT(ERR_MALFORMED, offset(in), "a path wants a number from 1 to %d here",
            HL7_PATH_NUMBER_MAX);
  }
  in->rest = bytes_from(in->rest, len);
  *ret_number = (uint32_t)value;
  return true;
}

static bool bracket(struct reading *in, uint32_t *ret_nth, struct err *err) {
  *ret_nth = 1;
  if (!take(in, '[')) return true;
  if (take(in, '*'))
    *ret_nth = HL7_EVERY;
  else
    TRY(number(in, ret_nth, err));
  if (!take(in, ']')) FAIL_AT(ERR_MALFORMED, offset(in), "a path wants \"]\" here");
  return true;
}

static bool segment_name(struct reading *in, char ret_name[4], struct err *err) {
  for (int i = 0; i < 3; i++) {
    uint8_t c = in->rest.len > (size_t)i ? in->rest.at[i] : 0;
    if (!((c >= 'A' && c <= 'Z') || (i && c >= '0' && c <= '9'))) {
      FAIL_AT(ERR_MALFORMED, (uint64_t)i,
              "a path begins with a segment's three capitals, as in PID-3[2].4.1");
    }
    ret_name[i] = (char)c;
  }
  ret_name[3] = 0;
  in->rest = bytes_from(in->rest, 3);
  return true;
}

bool hl7_path_parse(struct bytes text, struct hl7_path *ret_path, struct err *err) {
  struct hl7_path path = {.field_nth = 1};
  struct reading in = {text, text};
  TRY(segment_name(&in, path.segment, err));
  TRY(bracket(&in, &path.segment_nth, err));
  if (take(&in, '-') || take(&in, '.')) {
    TRY(number(&in, &path.field, err));
    TRY(bracket(&in, &path.field_nth, err));
    if (take(&in, '.')) {
      TRY(number(&in, &path.component, err));
      if (take(&in, '.')) TRY(number(&in, &path.subcomponent, err));
    }
  }
  if (in.rest.len) FAIL_AT(ERR_MALFORMED, offset(&in), "a path ends here; what follows is unknown");
  *ret_path = path;
  return true;
}

static struct bytes below(const struct hl7_message *message, const struct hl7_path *path,
                          struct bytes repetition) {
  if (!path->component) return repetition;
  struct bytes component = hl7_component(message, repetition, path->component);
  return path->subcomponent ? hl7_subcomponent(message, component, path->subcomponent) : component;
}

/* MSH-1 and MSH-2 hold the separators themselves: there is nothing below to split. */
static bool is_whole(const struct hl7_segment *segment, const struct hl7_path *path) {
  return !path->field || (path->field <= 2 && memcmp(segment->name, "MSH", 3) == 0);
}

bool hl7_each_in(const struct hl7_message *message, const struct hl7_segment *segment, uint32_t nth,
                 const struct hl7_path *path, hl7_visit *visit, void *arg) {
  struct bytes field = path->field ? hl7_field(message, segment, path->field) : segment->raw;
  if (is_whole(segment, path)) return visit(arg, nth, 1, field);
  if (path->field_nth != HL7_EVERY) {
    struct bytes repetition = hl7_repetition(message, field, path->field_nth);
    return visit(arg, nth, path->field_nth, below(message, path, repetition));
  }
  uint32_t count = hl7_repetition_count(message, field);
  for (uint32_t i = 1; i <= count; i++) {
    struct bytes repetition = hl7_repetition(message, field, i);
    if (!visit(arg, nth, i, below(message, path, repetition))) return false;
  }
  return true;
}

void hl7_each(const struct hl7_message *message, const struct hl7_path *path, hl7_visit *visit,
              void *arg) {
  const struct hl7_segment *segment = NULL;
  for (uint32_t nth = 1; (segment = hl7_segment_next(message, path->segment, segment)); nth++) {
    if (path->segment_nth != HL7_EVERY && nth != path->segment_nth) continue;
    if (!hl7_each_in(message, segment, nth, path, visit, arg)) return;
  }
}

static bool keep_first(void *arg, uint32_t segment_nth, uint32_t field_nth, struct bytes raw) {
  *(struct bytes *)arg = raw;
  return false;
}

struct bytes hl7_get(const struct hl7_message *message, const struct hl7_path *path) {
  struct bytes found = BYTES_NONE;
  hl7_each(message, path, keep_first, &found);
  return found;
}

struct bytes hl7_get_str(const struct hl7_message *message, const char *text) {
  struct hl7_path path;
  must(hl7_path_parse(bytes_str(text), &path, NULL));
  return hl7_get(message, &path);
}

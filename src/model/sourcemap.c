/* model/sourcemap.c: mappings are segments of base64 VLQ numbers, `,` between them, `;` after each
 * generated line. A segment's numbers are differences: generated column (which begins anew with
 * each line), source, line, column, name; the last four may be missing. A number's digits have five
 * bits each, the least first; the sixth says that more follow. Its lowest bit is its sign. */
#include "model/sourcemap.h"

#include "wire/json.h"

enum { DIGIT_MORE = 32, DIGIT_BITS = 31, VLQ_SHIFT_MAX = 30, SEGMENT_NUMBERS_MAX = 5 };

bool sourcemap_parse(struct arena *arena, struct bytes text, struct sourcemap *ret_map,
                     struct err *err) {
  const struct json *tree;
  int64_t version;
  TRY(json_parse(arena, text, &tree, err));
  const struct json *sources = json_get(tree, "sources");
  const struct json *mappings = json_get(tree, "mappings");
  if (!json_int(json_get(tree, "version"), &version) || version != 3)
    FAIL(ERR_MALFORMED, "a source map has version 3");
  if (!sources || sources->kind != JSON_ARRAY || !mappings || mappings->kind != JSON_STRING)
    FAIL(ERR_MALFORMED, "a source map has sources and mappings");
  *ret_map = (struct sourcemap){sources, mappings->text};
  return true;
}

static int digit_of(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Adds the next number to `sum`, which may not become negative or leave its 31 bits. */
static bool add_number(struct bytes *rest, int64_t *sum) {
  uint64_t number = 0;
  int digit = DIGIT_MORE;
  for (int shift = 0; digit & DIGIT_MORE; shift += 5) {
    if (rest->len == 0 || shift > VLQ_SHIFT_MAX) return false;
    digit = digit_of(rest->at[0]);
    if (digit < 0) return false;
    number |= (uint64_t)(digit & DIGIT_BITS) << shift;
    *rest = bytes_from(*rest, 1);
  }
  int64_t size = (int64_t)(number >> 1);
  *sum += number & 1 ? -size : size;
  return *sum >= 0 && *sum <= INT32_MAX;
}

/* Where the numbers read so far have led. */
struct reading {
  int64_t column, source, line, source_column, name;
};

static bool read_segment(struct bytes segment, struct reading *at, bool *ret_has_source) {
  int64_t *const sums[SEGMENT_NUMBERS_MAX] = {&at->column, &at->source, &at->line,
                                              &at->source_column, &at->name};
  int count = 0;
  for (; segment.len; count++)
    if (count == SEGMENT_NUMBERS_MAX || !add_number(&segment, sums[count])) return false;
  *ret_has_source = count >= 4;
  return count == 1 || count >= 4;
}

/* The last segment of the line that does not begin after the column. */
static bool find_in_line(struct bytes line, struct reading *at, int64_t column,
                         struct reading *ret_found) {
  bool found = false;
  at->column = 0;
  while (line.len) {
    bool has_source;
    struct bytes segment = bytes_cut(line, ',', &line);
    if (segment.len == 0) continue;
    if (!read_segment(segment, at, &has_source)) return false;
    if (at->column > column) continue;
    found = has_source;
    *ret_found = *at;
  }
  return found;
}

bool sourcemap_find(const struct sourcemap *map, uint32_t line, uint32_t column,
                    struct sourcemap_place *ret_place) {
  struct reading at = {0}, found;
  struct bytes rest = map->mappings;
  if (line == 0 || column == 0) return false;
  for (uint32_t i = 1; i < line; i++) {
    struct reading unused;
    if (rest.len == 0) return false;
    (void)find_in_line(bytes_cut(rest, ';', &rest), &at, -1, &unused);
  }
  if (!find_in_line(bytes_cut(rest, ';', &rest), &at, (int64_t)column - 1, &found)) return false;
  struct bytes source = json_text(json_item(map->sources, (size_t)found.source));
  if (source.len == 0) return false;
  *ret_place =
      (struct sourcemap_place){source, (uint32_t)found.line + 1, (uint32_t)found.source_column + 1};
  return true;
}

/* Takes ":NUMBER" off the end. */
static bool take_number(struct bytes *text, uint32_t *ret_number) {
  uint64_t number;
  size_t colon = text->len;
  while (colon && text->at[colon - 1] != ':') colon--;
  if (colon == 0 || !bytes_u64(bytes_from(*text, colon), &number) || number > INT32_MAX)
    return false;
  *ret_number = (uint32_t)number;
  text->len = colon - 1;
  return true;
}

struct bytes sourcemap_frame(const struct sourcemap *map, struct arena *arena, struct bytes frame) {
  struct sourcemap_place place;
  uint32_t line, column;
  struct bytes text = frame;
  bool closed = bytes_ends(text, BYTES(")"));
  if (closed) text.len--;
  if (!take_number(&text, &column) || !take_number(&text, &line)) return BYTES_NONE;
  size_t name = text.len;
  while (name && text.at[name - 1] != (closed ? '(' : ' ')) name--;
  if (name == 0 || !sourcemap_find(map, line, column, &place)) return BYTES_NONE;
  return arena_printf(arena, "%.*s%.*s:%u:%u%s", BYTES_FMT(bytes_sub(text, 0, name)),
                      BYTES_FMT(place.source), place.line, place.column, closed ? ")" : "");
}

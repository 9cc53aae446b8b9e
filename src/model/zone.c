/* model/zone.c: TZif is a header, a block of 32-bit data that nobody needs, a second header, a
 * block of 64-bit data, and a footer with a rule for all later years. */
#include "model/zone.h"

#include "base/must.h"
#include "model/zone_rule.h"
#include "wire/cursor.h"

#include <stdlib.h>

enum {
  TYPES_MAX = 256,
  OFFSET_S_MAX = 26 * 3600, /* RFC 8536 3.2: offsets beyond this are not interoperable */
  INSTANT_STEPS_MAX = 64
};

struct zone {
  uint32_t count;
  int32_t first_s; /* offset before the first change */
  bool has_rule;
  struct zone_rule rule;
  struct zone_change *changes;
};

/* The six counts of a TZif header, in the file's order. */
struct counts {
  uint8_t version;
  uint32_t ut, standard, leap, changes, types, chars;
};

static bool read_header(struct cursor *in, struct counts *ret_counts, struct err *err) {
  struct counts counts;
  bool magic = bytes_eq_str(cursor_take(in, 4), "TZif");
  counts.version = cursor_u8(in);
  cursor_take(in, 15);
  counts.ut = cursor_u32_be(in);
  counts.standard = cursor_u32_be(in);
  counts.leap = cursor_u32_be(in);
  counts.changes = cursor_u32_be(in);
  counts.types = cursor_u32_be(in);
  counts.chars = cursor_u32_be(in);
  if (!magic || !cursor_ok(in)) FAIL_AT(ERR_MALFORMED, in->at, "this is not a TZif file");
  if (counts.version < '2')
    FAIL_AT(ERR_UNSUPPORTED, in->at, "the time zone file has no 64-bit data (version 1)");
  *ret_counts = counts;
  return true;
}

static void skip_block_32(struct cursor *in, const struct counts *n) {
  uint64_t bytes = (uint64_t)n->changes * 5 + (uint64_t)n->types * 6 + n->chars +
                   (uint64_t)n->leap * 8 + n->standard + n->ut;
  cursor_take(in, bytes);
}

static bool check_counts(const struct counts *n, size_t offset, struct err *err) {
  if (n->leap) FAIL_AT(ERR_UNSUPPORTED, offset, "time zones with leap seconds are not supported");
  if (n->changes > ZONE_CHANGES_MAX)
    FAIL_AT(ERR_LIMIT, offset, "%u changes; ZONE_CHANGES_MAX is %u", n->changes, ZONE_CHANGES_MAX);
  if (n->types == 0 || n->types > TYPES_MAX)
    FAIL_AT(ERR_MALFORMED, offset, "a time zone file has 1 to %d local time types", TYPES_MAX);
  return true;
}

/* Local time types: offset, is-summer, index of the name. */
static bool read_types(struct cursor *in, const struct counts *n, int32_t offsets[TYPES_MAX],
                       struct err *err) {
  for (uint32_t i = 0; i < n->types; i++) {
    offsets[i] = (int32_t)cursor_u32_be(in);
    cursor_take(in, 2);
    if (offsets[i] < -OFFSET_S_MAX || offsets[i] > OFFSET_S_MAX)
      FAIL_AT(ERR_MALFORMED, in->at, "an offset of %d s is out of range", offsets[i]);
  }
  return true;
}

static bool read_changes(struct cursor *in, const struct counts *n, struct zone *zone,
                         struct err *err) {
  size_t at = in->at;
  for (uint32_t i = 0; i < n->changes; i++) {
    zone->changes[i].utc_s = (int64_t)cursor_u64_be(in);
    if (i && zone->changes[i].utc_s <= zone->changes[i - 1].utc_s)
      FAIL_AT(ERR_MALFORMED, in->at, "the changes are not in order of time");
  }
  struct bytes types = cursor_take(in, n->changes);
  int32_t offsets[TYPES_MAX];
  TRY(read_types(in, n, offsets, err));
  for (uint32_t i = 0; i < types.len; i++) {
    if (types.at[i] >= n->types)
      FAIL_AT(ERR_MALFORMED, at + n->changes * 8 + i, "a change names a type that is not there");
    zone->changes[i].offset_s = offsets[types.at[i]];
  }
  zone->count = n->changes;
  zone->first_s = offsets[0];
  cursor_take(in, (size_t)n->chars + n->standard + n->ut);
  if (!cursor_ok(in)) FAIL_AT(ERR_MALFORMED, in->at, "the time zone file ends too soon");
  return true;
}

static bool read_footer(struct cursor *in, struct zone *zone, struct err *err) {
  bool begins = cursor_accept(in, '\n');
  size_t at = in->at;
  struct bytes rule = cursor_until(in, '\n');
  if (!begins || !cursor_ok(in)) FAIL_AT(ERR_MALFORMED, at, "the time zone file has no footer");
  if (rule.len == 0) return true;
  zone->has_rule = true;
  return zone_rule_parse(rule, &zone->rule, err);
}

static struct zone *zone_new(uint32_t changes) {
  struct zone *zone = must_alloc(sizeof *zone);
  *zone = (struct zone){.changes = must_alloc((changes + 1) * sizeof *zone->changes)};
  return zone;
}

void zone_free(struct zone **zone) {
  if (!*zone) return;
  free((*zone)->changes);
  free(*zone);
  *zone = NULL;
}

bool zone_parse(struct bytes tzif, struct zone **ret_zone, struct err *err) {
  if (tzif.len > ZONE_FILE_BYTES_MAX)
    FAIL(ERR_LIMIT, "ZONE_FILE_BYTES_MAX is %u", ZONE_FILE_BYTES_MAX);
  struct cursor in = cursor_of(tzif);
  struct counts counts;
  TRY(read_header(&in, &counts, err));
  skip_block_32(&in, &counts);
  TRY(read_header(&in, &counts, err));
  TRY(check_counts(&counts, in.at, err));
  struct zone *zone = zone_new(counts.changes);
  if (!read_changes(&in, &counts, zone, err) || !read_footer(&in, zone, err)) {
    zone_free(&zone);
    return false;
  }
  *ret_zone = zone;
  return true;
}

const struct zone *zone_utc(void) {
  static const struct zone utc = {0};
  return &utc;
}

struct zone *zone_new_utc(void) {
  return zone_new(0);
}

/* The last of `count` changes at or before utc_s, or -1. */
static int change_at(const struct zone_change *changes, int count, int64_t utc_s) {
  int low = 0, high = count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (changes[middle].utc_s <= utc_s)
      low = middle + 1;
    else
      high = middle;
  }
  return low - 1;
}

/* The rule holds from the last listed change on. */
static bool in_rule(const struct zone *zone, int64_t utc_s) {
  return zone->has_rule && (zone->count == 0 || utc_s >= zone->changes[zone->count - 1].utc_s);
}

int32_t zone_offset(const struct zone *zone, int64_t utc_s) {
  if (!in_rule(zone, utc_s)) {
    int at = change_at(zone->changes, (int)zone->count, utc_s);
    return at < 0 ? zone->first_s : zone->changes[at].offset_s;
  }
  struct zone_change changes[ZONE_RULE_CHANGES];
  int count = zone_rule_changes(&zone->rule, utc_s, changes);
  int at = change_at(changes, count, utc_s);
  return at < 0 ? zone->rule.standard_s : changes[at].offset_s;
}

int64_t zone_next_change(const struct zone *zone, int64_t utc_s) {
  if (!in_rule(zone, utc_s)) {
    int next = change_at(zone->changes, (int)zone->count, utc_s) + 1;
    return next < (int)zone->count ? zone->changes[next].utc_s : INT64_MAX;
  }
  struct zone_change changes[ZONE_RULE_CHANGES];
  int count = zone_rule_changes(&zone->rule, utc_s, changes);
  int next = change_at(changes, count, utc_s) + 1;
  return next < count ? changes[next].utc_s : INT64_MAX;
}

enum zone_fit zone_instant(const struct zone *zone, int64_t wall_s, int64_t *ret_utc_s) {
  /* Walk the stretches of one offset each around wall_s; the clock shows it in those that hold it.
   */
  int64_t from = wall_s - OFFSET_S_MAX - 1;
  int64_t last = wall_s + OFFSET_S_MAX + 1;
  int fits = 0;
  int64_t found = wall_s, jump = wall_s;
  for (int step = 0; step < INSTANT_STEPS_MAX && from <= last; step++) {
    int32_t offset = zone_offset(zone, from);
    int64_t end = zone_next_change(zone, from);
    int64_t utc_s = wall_s - offset;
    if (utc_s >= from && utc_s < end && fits++ == 0) found = utc_s;
    /* Before the jump the clock has not reached wall_s; after it, it is past it. */
    if (utc_s >= end && wall_s - zone_offset(zone, end) < end) jump = end;
    from = end;
  }
  *ret_utc_s = fits ? found : jump;
  return fits == 0 ? ZONE_GAP : fits == 1 ? ZONE_ONCE : ZONE_FOLD;
}

/* store/unique.c: marks in an overlay while the transaction is open, then in ledger and index. */
#include "store/unique.h"

#include "base/must.h"
#include "store/pack.h"

#include <string.h>

enum {
  DAY_MS = 86400000,
  MARK_HEAD_BYTES = UNIQUE_DIGEST_BYTES + 8 + 8 + 1, /* in the ledger */
  SEEN_HEAD_BYTES = 8 + 8,                           /* in the index */
  KEY_BYTES = 1 + 4 + UNIQUE_DIGEST_BYTES,
  MARKS_TRIM_ROWS = 64,   /* so many old ledger rows go with one transaction */
  CATCH_UP_MARKS = 20000, /* so many marks make one index batch */
  FILTER_SLICE_MARKS = 2000,
};

static uint32_t day_of(int64_t now_ms) {
  return now_ms < 0 ? 0 : (uint32_t)(now_ms / DAY_MS);
}

static struct bytes mark_key(uint32_t day, struct bytes digest, uint8_t at[KEY_BYTES]) {
  at[0] = 'u';
  pack_u32(at + 1, day);
  memcpy(at + 5, digest.at, UNIQUE_DIGEST_BYTES);
  return bytes_of(at, KEY_BYTES);
}

void unique_init(struct unique *unique, struct index *index, size_t filter_bytes, uint64_t seed) {
  *unique = (struct unique){.index = index, .batch = index_batch_new(), .day_first = UINT32_MAX};
  buf_init(&unique->ledger, SIZE_MAX); /* bounded by what a fold holds */
  buf_init(&unique->scratch, STORE_KEY_BYTES_MAX);
  map_init(&unique->overlay, seed);
  buf_init(&unique->filter_next, KEY_BYTES);
  buf_char(&unique->filter_next, 'u');
  filter_init(&unique->filter, filter_bytes);
}

void unique_fini(struct unique *unique) {
  index_batch_free(&unique->batch);
  buf_fini(&unique->ledger);
  buf_fini(&unique->scratch);
  buf_fini(&unique->filter_next);
  filter_fini(&unique->filter);
  map_fini(&unique->overlay);
}

void unique_forget(struct unique *unique) {
  index_batch_clear(unique->batch);
  buf_reset(&unique->ledger);
  if (!unique->overlay.count) return;
  uint64_t seed = unique->overlay.seed;
  map_fini(&unique->overlay);
  map_init(&unique->overlay, seed);
}

/* ---- The days that have marks ---- */

struct day_edge {
  uint32_t day;
  bool found;
};

static bool take_day(void *arg, struct bytes key, struct bytes value) {
  struct day_edge *edge = arg;
  if (key.len != KEY_BYTES) return true;
  edge->day = unpack_u32(key.at + 1);
  edge->found = true;
  return false;
}

static bool load_days(struct unique *unique, struct err *err) {
  struct day_edge first = {0}, last = {0};
  TRY(index_scan(unique->index, BYTES("u"), BYTES_NONE, false, take_day, &first, err));
  TRY(index_scan(unique->index, BYTES("u"), BYTES_NONE, true, take_day, &last, err));
  unique->day_first = first.found ? first.day : UINT32_MAX;
  unique->day_last = last.found ? last.day : 0;
  return true;
}

/* ---- The filter ---- */

struct filling {
  struct unique *unique;
  uint32_t marks;
};

static bool fill_one(void *arg, struct bytes key, struct bytes value) {
  struct filling *filling = arg;
  struct buf *next = &filling->unique->filter_next;
  buf_reset(next);
  buf_put(next, key); /* read again by the next slice: harmless */
  if (key.len == KEY_BYTES) filter_add(&filling->unique->filter, bytes_from(key, 5));
  return ++filling->marks < FILTER_SLICE_MARKS;
}

/* The next marks of the index into the filter. Without it every event is looked up, as it was. */
static void fill_filter(struct unique *unique) {
  struct filling filling = {.unique = unique};
  struct err err;
  if (!unique->filter_next.len) return;
  struct bytes from = bytes_sub(buf_bytes(&unique->filter_next), 0, KEY_BYTES);
  uint8_t at[KEY_BYTES];
  memcpy(at, from.at, from.len);
  if (index_scan(unique->index, BYTES("u"), bytes_of(at, from.len), false, fill_one, &filling,
                 &err) &&
      filling.marks < FILTER_SLICE_MARKS)
    buf_reset(&unique->filter_next);
}

/* The marks of days gone by leave it, too. */
static void refill_filter(struct unique *unique, const uint8_t from[5]) {
  filter_clear(&unique->filter);
  buf_reset(&unique->filter_next);
  buf_put(&unique->filter_next, bytes_of(from, 5));
}

static bool surely_new(const struct unique *unique, struct bytes digest) {
  return !unique->filter_next.len && !filter_may_hold(&unique->filter, digest);
}

/* Days that fell out of the window leave the index with the next batch. */
static void saw_day(struct unique *unique, uint32_t day) {
  if (day < unique->day_first) unique->day_first = day;
  if (day <= unique->day_last) return;
  unique->day_last = day;
  uint32_t keep = day > STORE_UNIQUE_DAYS + 1 ? day - STORE_UNIQUE_DAYS - 1 : 0;
  if (unique->day_first >= keep) return;
  uint8_t from[5] = {'u'}, to[5] = {'u'};
  pack_u32(to + 1, keep);
  index_batch_remove_range(unique->batch, bytes_of(from, 5), bytes_of(to, 5));
  unique->day_first = keep;
  refill_filter(unique, to);
}

static void put_mark(struct unique *unique, struct bytes digest, int64_t now_ms, uint64_t position,
                     struct bytes note) {
  uint8_t key[KEY_BYTES], value[SEEN_HEAD_BYTES + 255];
  saw_day(unique, day_of(now_ms));
  filter_add(&unique->filter, digest);
  pack_u64(value, position);
  pack_u64(value + 8, (uint64_t)now_ms);
  if (note.len) memcpy(value + SEEN_HEAD_BYTES, note.at, note.len);
  index_batch_put(unique->batch, mark_key(day_of(now_ms), digest, key),
                  bytes_of(value, SEEN_HEAD_BYTES + note.len));
}

/* ---- Catching up ---- */

struct catch_up {
  struct unique *unique;
  struct err *err;
  uint32_t marks;
  bool failed;
};

static bool replay_row(void *arg, uint64_t position, struct bytes marks) {
  struct catch_up *catch_up = arg;
  while (marks.len >= MARK_HEAD_BYTES) {
    struct bytes note = bytes_sub(marks, MARK_HEAD_BYTES, marks.at[MARK_HEAD_BYTES - 1]);
    put_mark(catch_up->unique, bytes_sub(marks, 0, UNIQUE_DIGEST_BYTES),
             (int64_t)unpack_u64(marks.at + 16), unpack_u64(marks.at + 24), note);
    marks = bytes_from(marks, MARK_HEAD_BYTES + note.len);
    catch_up->marks++;
  }
  if (catch_up->marks < CATCH_UP_MARKS) return true;
  catch_up->marks = 0;
  catch_up->failed =
      !index_apply(catch_up->unique->index, catch_up->unique->batch, position, catch_up->err);
  return !catch_up->failed;
}

bool unique_catch_up(struct unique *unique, struct engine *engine, struct err *err) {
  struct catch_up catch_up = {.unique = unique, .err = err};
  unique->behind = true;
  index_batch_clear(unique->batch);
  TRY(load_days(unique, err));
  uint64_t reached = index_position(unique->index);
  if (reached > engine->counters.position)
    FAIL(ERR_CORRUPT, "the index is ahead of the ledger; delete the folder index");
  TRY(engine->ops->marks(engine, reached, replay_row, &catch_up, err));
  if (catch_up.failed) return false;
  TRY(index_apply(unique->index, unique->batch, engine->counters.position, err));
  unique->behind = false;
  fill_filter(unique);
  return true;
}

/* ---- One transaction ---- */

static bool in_window(int64_t now_ms, int64_t mark_ms) {
  int64_t window = (int64_t)STORE_UNIQUE_DAYS * DAY_MS;
  return mark_ms > now_ms - window && mark_ms < now_ms + window;
}

static bool find_in_overlay(const struct unique *unique, struct bytes digest,
                            struct unique_seen *ret_seen) {
  uintptr_t place = (uintptr_t)map_get(&unique->overlay, digest);
  if (!place) return false;
  struct bytes mark = bytes_from(buf_bytes(&unique->ledger), place - 1);
  ret_seen->position = unpack_u64(mark.at + 24);
  ret_seen->note = bytes_sub(mark, MARK_HEAD_BYTES, mark.at[MARK_HEAD_BYTES - 1]);
  return true;
}

/* A clock that was set back must not let an event in twice: the day after counts too. */
bool unique_find(struct unique *unique, struct bytes digest, int64_t now_ms, bool *ret_found,
                 struct unique_seen *ret_seen, struct err *err) {
  uint8_t key[KEY_BYTES];
  *ret_found = find_in_overlay(unique, digest, ret_seen);
  if (*ret_found || surely_new(unique, digest)) return true;
  uint32_t today = day_of(now_ms), first = today, last = today + 1;
  first = today > STORE_UNIQUE_DAYS ? today - STORE_UNIQUE_DAYS : 0;
  if (first < unique->day_first) first = unique->day_first;
  if (last > unique->day_last) last = unique->day_last;
  for (uint32_t day = last; day >= first && !*ret_found; day--) {
    TRY(index_get(unique->index, mark_key(day, digest, key), &unique->scratch, ret_found, err));
    if (*ret_found && unique->scratch.len < SEEN_HEAD_BYTES)
      FAIL(ERR_CORRUPT, "a mark in the index is too short; delete the folder index");
    if (*ret_found) *ret_found = in_window(now_ms, (int64_t)unpack_u64(unique->scratch.at + 8));
    if (day == 0) break;
  }
  if (!*ret_found) return true;
  ret_seen->position = unpack_u64(unique->scratch.at);
  ret_seen->note = bytes_from(buf_bytes(&unique->scratch), SEEN_HEAD_BYTES);
  return true;
}

void unique_mark(struct unique *unique, struct bytes digest, int64_t now_ms, uint64_t position,
                 struct bytes note) {
  uintptr_t place = unique->ledger.len + 1;
  buf_put(&unique->ledger, digest);
  pack_put_u64(&unique->ledger, (uint64_t)now_ms);
  pack_put_u64(&unique->ledger, position);
  buf_char(&unique->ledger, (uint8_t)note.len);
  buf_put(&unique->ledger, note);
  must(buf_ok(&unique->ledger));
  map_put(&unique->overlay, digest, (void *)place);
  put_mark(unique, digest, now_ms, position, note);
}

bool unique_write(struct unique *unique, struct engine *engine, uint64_t position,
                  struct err *err) {
  if (!unique->ledger.len) return true;
  TRY(engine->ops->mark(engine, position, unique->day_last, buf_bytes(&unique->ledger), err));
  if (unique->day_last <= STORE_UNIQUE_DAYS + 1) return true;
  return engine->ops->marks_trim(engine, unique->day_last - STORE_UNIQUE_DAYS - 1, MARKS_TRIM_ROWS,
                                 err);
}

void unique_apply(struct unique *unique, uint64_t position) {
  struct err err;
  if (!index_apply(unique->index, unique->batch, position, &err)) unique->behind = true;
  if (!unique->behind) fill_filter(unique);
  unique_forget(unique);
}

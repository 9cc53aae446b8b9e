/* flow/usage.c: metered totals by function and day, derived from the run log.
 *
 * Totals live in memory and are written every USAGE_FLUSH_MS together with the position they have
 * reached; at start the runs behind that position are added again. So a crash loses none.       */
#include "flow/usage.h"

#include "base/must.h"
#include "flow/world.h"
#include "wire/codec.h"
#include "wire/fields.h"

#include <stdlib.h>
#include <string.h>

enum {
  USAGE_FLUSH_MS = 1000,
  USAGE_ROW_BYTES_MAX = 512,
  USAGE_NAME_BYTES_MAX = 256,
  DAY_TEXT_BYTES = USAGE_DAY_BYTES,
  USAGE_KEY_BYTES_MAX = DAY_TEXT_BYTES + 2 + 2 * USAGE_NAME_BYTES_MAX,
  DAY_MS = 86400000,
};

struct usage {
  struct usage_totals totals;
  bool dirty;
};

void usage_pack(struct buf *buf, const struct usage_totals *totals) {
#define USAGE_FIELD(name) fields_put_i64(buf, totals->name);
  USAGE_FIELDS(USAGE_FIELD)
#undef USAGE_FIELD
}

bool usage_unpack(struct bytes input, struct usage_totals *ret_totals, struct err *err) {
  struct cursor in = cursor_of(input);
  struct usage_totals totals;
#define USAGE_FIELD(name) totals.name = fields_get_i64(&in);
  USAGE_FIELDS(USAGE_FIELD)
#undef USAGE_FIELD
  TRY(fields_end(&in, "usage row", err));
  *ret_totals = totals;
  return true;
}

bool usage_next(struct flow *flow, size_t *at, struct bytes *ret_key,
                const struct usage_totals **ret_totals) {
  void *value;
  if (!map_next(&flow->usage, at, ret_key, &value)) return false;
  *ret_totals = &((const struct usage *)value)->totals;
  return true;
}

static uint64_t position_of(struct bytes eight) {
  struct cursor in = cursor_of(eight);
  return cursor_u64_be(&in);
}

static struct usage *usage_of(struct flow *flow, struct bytes key) {
  struct usage *usage = map_get(&flow->usage, key);
  if (usage) return usage;
  usage = must_alloc(sizeof *usage);
  map_put(&flow->usage, key, usage);
  return usage;
}

/* The day in words only when it is another one than last time. */
static struct bytes key_of(struct flow *flow, const struct run_record *run,
                           char key[USAGE_KEY_BYTES_MAX]) {
  int64_t day = run->settled_ms / DAY_MS;
  char time[RFC3339_BYTES];
  if (day != flow->usage_day || flow->usage_day_text[0] == 0) {
    rfc3339_format(run->settled_ms, time);
    memcpy(flow->usage_day_text, time, DAY_TEXT_BYTES);
    flow->usage_day = day;
  }
  size_t at = DAY_TEXT_BYTES + 1;
  struct bytes app = bytes_sub(run->app, 0, USAGE_NAME_BYTES_MAX);
  struct bytes function = bytes_sub(run->function, 0, USAGE_NAME_BYTES_MAX);
  memcpy(key, flow->usage_day_text, DAY_TEXT_BYTES);
  key[DAY_TEXT_BYTES] = 0;
  if (app.len) memcpy(key + at, app.at, app.len);
  at += app.len;
  key[at++] = '/';
  if (function.len) memcpy(key + at, function.at, function.len);
  return bytes_of(key, at + function.len);
}

static void add(struct flow *flow, const struct run_record *run) {
  char key[USAGE_KEY_BYTES_MAX];
  struct usage *usage = usage_of(flow, key_of(flow, run, key));
  struct usage_totals *t = &usage->totals;
  t->runs++;
  if (!bytes_eq_str(run->outcome, "succeeded")) t->failures++;
  t->cold += (int64_t)run->cold;
  /* Billed like Lambda: whole milliseconds, begun ones count. */
  t->billed_ms += (run->run_us + 999) / 1000;
  t->run_us += run->run_us;
  t->effect_us += run->effect_us;
  t->cpu_us += run->cpu_us;
  t->wait_us += run->wait_us;
  t->restore_us += run->restore_us;
  t->memory_mib_us += (int64_t)(run->memory_bytes >> 10) * run->run_us / 1024;
  t->in_bytes += (int64_t)run->in_bytes;
  t->out_bytes += (int64_t)run->out_bytes;
  t->effects += (int64_t)run->effects;
  usage->dirty = true;
}

static void flush_durable(void *arg, const struct store_result *result) {
}

static void flush(struct flow *flow) {
  struct store_commit *commit = NULL;
  size_t at = 0;
  struct bytes key;
  void *value;
  uint8_t position[8];
  while (map_next(&flow->usage, &at, &key, &value)) {
    struct usage *usage = value;
    struct buf row;
    if (!usage->dirty) continue;
    if (!commit) commit = commit_new();
    buf_init(&row, USAGE_ROW_BYTES_MAX);
    usage_pack(&row, &usage->totals);
    commit_put(commit, TABLE_usage, key, buf_bytes(&row));
    buf_fini(&row);
    usage->dirty = false;
  }
  if (!commit) return;
  for (int i = 0; i < 8; i++) position[i] = (uint8_t)(flow->seen_position >> (56 - 8 * i));
  commit_put(commit, TABLE_meta, BYTES("usage_position"), bytes_of(position, sizeof position));
  store_submit(flow->options.store, &commit, flush_durable, NULL);
}

static void flush_due(struct loop_timer *timer) {
  struct flow *flow = (struct flow *)(void *)((char *)timer - offsetof(struct flow, usage_timer));
  flush(flow);
  loop_timer_after(flow->options.loop, timer, USAGE_FLUSH_MS);
}

void usage_add_page(struct flow *flow, struct bytes page) {
  for (struct cursor in = cursor_of(page); fields_more(&in);) {
    struct run_record run;
    struct err err;
    if (run_decode(fields_get_bytes(&in), &run, &err)) usage_add(flow, &run);
  }
}

void usage_add(struct flow *flow, const struct run_record *run) {
  add(flow, run);
  if (!flow->usage_timer.node.at && !flow->closing) {
    flow->usage_timer.fire = flush_due;
    loop_timer_after(flow->options.loop, &flow->usage_timer, USAGE_FLUSH_MS);
  }
}

static bool load_total(void *arg, const struct store_row *row) {
  struct flow *flow = arg;
  struct err err;
  return usage_unpack(row->value, &usage_of(flow, row->key)->totals, &err);
}

static bool load_page(void *arg, const struct store_row *row) {
  usage_add_page(arg, row->value);
  return true;
}

bool usage_load(struct flow *flow, struct err *err) {
  struct store_reader *reader = store_reader(flow->options.store);
  struct store_range all = {.table = TABLE_usage};
  struct buf position;
  uint64_t version;
  map_init(&flow->usage, random_u64(flow->options.random));
  TRY(store_scan(reader, &all, load_total, flow, err));
  buf_init(&position, 64);
  bool ok = store_get(reader, TABLE_meta, BYTES("usage_position"), &position, &version, err);
  uint64_t from = ok && version ? position_of(buf_bytes(&position)) : 0;
  buf_fini(&position);
  return ok && store_tail(reader, TABLE_run, from, false, load_page, flow, err);
}

void usage_close(struct flow *flow) {
  size_t at = 0;
  struct bytes key;
  void *value;
  loop_timer_drop(flow->options.loop, &flow->usage_timer);
  while (map_next(&flow->usage, &at, &key, &value)) free(value);
  map_fini(&flow->usage);
}

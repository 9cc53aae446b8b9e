/* effect/sweep.c: every hour one look at the rows that only time ends. */
#include "effect/sweep.h"

#include "base/list.h"
#include "base/must.h"
#include "effect/live_record.h"
#include "effect/notice.h"

#include <stddef.h>
#include <stdlib.h>

enum { BODY_AGE_MS = 24 * 3600 * 1000 };

struct sweep {
  struct sweep_options options;
  struct loop_timer timer;
  bool closed, busy;
  /* of the look under way */
  int64_t now_ms;
  struct store_commit *commit;
  uint32_t rows;
};

static void remove_row(struct sweep *sweep, enum store_table table, const struct store_row *row) {
  commit_check(sweep->commit, table, row->key, row->version, ERR_CONFLICT);
  commit_remove(sweep->commit, table, row->key);
  sweep->rows++;
}

static bool see_notice(void *arg, const struct store_row *row) {
  struct sweep *sweep = arg;
  int64_t until_ms = 0;
  if (!notice_decode(row->value, &until_ms) || until_ms <= sweep->now_ms)
    remove_row(sweep, TABLE_notice, row);
  return sweep->rows < SWEEP_ROWS_MAX;
}

static bool see_record(void *arg, const struct store_row *row) {
  struct sweep *sweep = arg;
  if (row->key.len == LIVE_RECORD_KEY_BYTES &&
      live_record_made_ms(row->value) <= sweep->now_ms - LIVE_RECORD_MS_MAX)
    remove_row(sweep, TABLE_recording, row);
  return sweep->rows < SWEEP_ROWS_MAX;
}

static void look(void *arg, struct store_reader *reader) {
  struct sweep *sweep = arg;
  struct err err;
  uint32_t removed;
  struct object_store objects = {sweep->options.store, sweep->options.disk, sweep->options.clock,
                                 sweep->options.random};
  const struct store_range notices = {.table = TABLE_notice};
  const struct store_range records = {.table = TABLE_recording,
                                      .prefix = BYTES(LIVE_RECORD_PREFIX)};
  /* Best effort: whatever fails now is looked at again in an hour. */
  (void)!store_scan(reader, &notices, see_notice, sweep, &err);
  (void)!store_scan(reader, &records, see_record, sweep, &err);
  if (objects.disk)
    (void)!object_sweep(&objects, reader, sweep->now_ms - BODY_AGE_MS, &removed, &err);
}

static void finish(struct sweep *sweep) {
  sweep->busy = false;
  if (sweep->closed)
    free(sweep);
  else
    loop_timer_after(sweep->options.loop, &sweep->timer, SWEEP_MS);
}

static void removed(void *arg, const struct store_result *result) {
  (void)result;
  finish(arg);
}

static void looked(void *arg) {
  struct sweep *sweep = arg;
  if (sweep->rows == 0 || sweep->closed) {
    commit_free(&sweep->commit);
    finish(sweep);
  } else {
    store_submit(sweep->options.store, &sweep->commit, removed, sweep);
  }
}

static void on_timer(struct loop_timer *timer) {
  struct sweep *sweep = LIST_OF(timer, struct sweep, timer);
  sweep->busy = true;
  sweep->rows = 0;
  sweep->now_ms = clock_wall_ms(sweep->options.clock);
  sweep->commit = commit_new();
  store_ask(sweep->options.store, look, looked, sweep);
}

bool sweep_open(const struct sweep_options *options, struct sweep **ret_sweep, struct err *err) {
  struct object_store objects = {options->store, options->disk, options->clock, options->random};
  uint32_t orphans;
  if (objects.disk)
    TRY(object_sweep(&objects, store_reader(options->store), INT64_MAX, &orphans, err));
  struct sweep *sweep = must_alloc(sizeof *sweep);
  sweep->options = *options;
  sweep->timer.fire = on_timer;
  loop_timer_after(options->loop, &sweep->timer, SWEEP_MS);
  *ret_sweep = sweep;
  return true;
}

void sweep_close(struct sweep **sweep) {
  struct sweep *closing = *sweep;
  *sweep = NULL;
  if (!closing) return;
  loop_timer_drop(closing->options.loop, &closing->timer);
  closing->closed = true;
  if (!closing->busy) free(closing);
}

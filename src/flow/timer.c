/* flow/timer.c: durable timers: rows in the store, due times in memory.
 *
 * A timer fires as one commit: its row must still be the one we know (a cancel or a move wins), the
 * row goes, the event and its deliveries come. A crash before that fires it again, once.        */
#include "base/must.h"
#include "flow/world.h"
#include "wire/fields.h"

#include <stdlib.h>

enum { TIMER_ROW_BYTES_MAX = 4 << 20, TIMER_RETRY_MS = 1000 };

struct flow_timer {
  struct loop_timer due;
  struct flow *flow;
  uint64_t row_version;
  char *key;
  size_t key_bytes;
  bool firing;
};

static struct bytes key_of(const struct flow_timer *timer) {
  return bytes_of(timer->key, timer->key_bytes);
}

static void timer_free(struct flow_timer *timer) {
  loop_timer_drop(timer->flow->options.loop, &timer->due);
  map_drop(&timer->flow->timers, key_of(timer));
  timer->flow->timer_count--;
  free(timer->key);
  free(timer);
}

/* ---- Firing: read the row, then commit ---- */

struct firing {
  struct flow_timer *timer;
  struct flow *flow;
  struct buf row;
  uint64_t version;
  struct owing owing;
  bool ok;
  struct err err;
};

static void fire_read(void *arg, struct store_reader *reader) {
  struct firing *firing = arg;
  firing->ok = store_get(reader, TABLE_timer, key_of(firing->timer), &firing->row, &firing->version,
                         &firing->err);
}

static void fire_end(struct firing *firing, bool retry) {
  struct flow_timer *timer = firing->timer;
  timer->firing = false;
  if (retry) loop_timer_after(firing->flow->options.loop, &timer->due, TIMER_RETRY_MS);
  buf_fini(&firing->row);
  free(firing);
}

static void fire_durable(void *arg, const struct store_result *result) {
  struct firing *firing = arg;
  struct flow_timer *timer = firing->timer;
  bool moved = result->err.code == ERR_CONFLICT; /* its settle will set it anew or drop it */
  if (result->err.code == ERR_OK) {
    owing_settled(&firing->owing, result->position);
    timer_free(timer);
    buf_fini(&firing->row);
    free(firing);
    return;
  }
  owing_dropped(&firing->owing);
  fire_end(firing, !moved);
}

static bool fire_commit(struct firing *firing, struct err *err) {
  struct cursor in = cursor_of(buf_bytes(&firing->row));
  fields_get_i64(&in);
  struct event event;
  TRY(event_decode(fields_get_bytes(&in), &event, err));
  event.received_ms = flow_now_ms(firing->flow);
  struct store_commit *commit = commit_new();
  owing_init(&firing->owing, firing->flow);
  commit_check(commit, TABLE_timer, key_of(firing->timer), firing->version, ERR_CONFLICT);
  commit_remove(commit, TABLE_timer, key_of(firing->timer));
  if (!owing_add(&firing->owing, commit, &event, NULL, NULL, err)) {
    owing_dropped(&firing->owing);
    commit_free(&commit);
    return false;
  }
  store_submit(firing->flow->options.store, &commit, fire_durable, firing);
  return true;
}

static void fire_found(void *arg) {
  struct firing *firing = arg;
  struct err err = firing->err;
  if (firing->ok && firing->version != firing->timer->row_version) {
    fire_end(firing, false); /* moved or cancelled by a settle whose answer is under way */
    return;
  }
  if (firing->ok && fire_commit(firing, &err)) return;
  fire_end(firing, true);
}

static void timer_due(struct loop_timer *due) {
  struct flow_timer *timer = (struct flow_timer *)(void *)due;
  struct firing *firing = must_alloc(sizeof *firing);
  timer->firing = true;
  firing->timer = timer;
  firing->flow = timer->flow;
  buf_init(&firing->row, TIMER_ROW_BYTES_MAX);
  store_ask(timer->flow->options.store, fire_read, fire_found, firing);
}

/* ---- Setting ---- */

static void timer_set(struct flow *flow, struct bytes key, int64_t at_ms, uint64_t version) {
  struct flow_timer *timer = map_get(&flow->timers, key);
  int64_t wait_ms = at_ms - flow_now_ms(flow);
  if (!timer) {
    timer = must_alloc(sizeof *timer);
    timer->flow = flow;
    timer->due.fire = timer_due;
    timer->key = bytes_dup(key);
    timer->key_bytes = key.len;
    map_put(&flow->timers, key, timer);
    flow->timer_count++;
  }
  timer->row_version = version;
  loop_timer_after(flow->options.loop, &timer->due, wait_ms > 0 ? wait_ms : 0);
}

static bool load_row(void *arg, const struct store_row *row) {
  struct cursor in = cursor_of(row->value);
  timer_set(arg, row->key, fields_get_i64(&in), row->version);
  return true;
}

static void load_query(struct flow *flow, bool *ret_ok, struct err *err) {
  struct store_range all = {.table = TABLE_timer};
  *ret_ok = store_scan(store_reader(flow->options.store), &all, load_row, flow, err);
}

bool timers_load(struct flow *flow, struct err *err) {
  bool ok;
  map_init(&flow->timers, random_u64(flow->options.random));
  load_query(flow, &ok, err);
  return ok;
}

bool timer_fits(const struct flow *flow, const struct stage_event *staged, struct err *err) {
  if (flow->timer_count < flow->options.limits.timers_max) return true;
  if (map_get(&flow->timers, staged->timer)) return true;
  FAIL(ERR_LIMIT, "timers_max: %u timers wait already", flow->timer_count);
}

void timers_staged(struct flow *flow, const struct stage *stage, struct store_commit *commit) {
  for (const struct stage_event *staged = stage->events; staged; staged = staged->next) {
    struct buf row;
    struct buf event;
    if (staged->cancel) commit_remove(commit, TABLE_timer, staged->timer);
    if (staged->cancel || !staged->at_ms) continue;
    buf_init(&row, TIMER_ROW_BYTES_MAX);
    buf_init(&event, TIMER_ROW_BYTES_MAX);
    event_encode(&event, &staged->event);
    fields_put_i64(&row, staged->at_ms);
    fields_put_bytes(&row, buf_bytes(&event));
    must(buf_ok(&row));
    commit_put(commit, TABLE_timer, staged->timer, buf_bytes(&row));
    buf_fini(&event);
    buf_fini(&row);
  }
}

void timers_settled(struct flow *flow, const struct stage *stage, uint64_t position) {
  if (position == 0 || !stage->arena) return;
  for (const struct stage_event *staged = stage->events; staged; staged = staged->next) {
    if (staged->cancel) {
      struct flow_timer *timer = map_get(&flow->timers, staged->timer);
      if (timer && !timer->firing)
        timer_free(timer);
      else if (timer)
        timer->row_version = 0;
    } else if (staged->at_ms) {
      timer_set(flow, staged->timer, staged->at_ms, position);
    }
  }
}

void timers_close(struct flow *flow) {
  size_t at = 0;
  struct bytes key;
  void *value;
  while (map_next(&flow->timers, &at, &key, &value)) {
    struct flow_timer *timer = value;
    loop_timer_drop(flow->options.loop, &timer->due);
    free(timer->key);
    free(timer);
  }
  map_fini(&flow->timers);
}

/* source/queue/drain.c: a function was deployed for a queue in which messages wait: they become
 * deliveries. A message that somebody has received stays invisible to the function, too, until it
 * is shown again; so as long as rows are left we come back. */
#include "base/must.h"
#include "flow/catalog.h"
#include "source/queue/parts.h"

#include <stdlib.h>

enum { QUEUE_DRAIN_ROUNDS = 2, QUEUE_DRAIN_MS = 1000 };

/* One walk over the queues that functions have triggers for. */
struct drain {
  struct queues *queues;
  struct bytes *names;
  size_t count, at;
  struct queue_scan scan;
  size_t pending;
  bool failed; /* a row of this scan could not be moved */
  bool more;   /* something was left */
};

static bool consumed(const struct function *function) {
  return !function->removed && function->live;
}

static void add_name(struct drain *drain, struct bytes name) {
  for (size_t i = 0; i < drain->count; i++)
    if (bytes_eq(drain->names[i], name)) return;
  drain->names = must_realloc(drain->names, (drain->count + 1) * sizeof *drain->names);
  drain->names[drain->count++] = bytes_of(bytes_dup(name), name.len);
}

static void gather_names(struct drain *drain) {
  struct catalog *catalog = flow_catalog(drain->queues->flow);
  struct function *function;
  for (size_t at = 0; catalog_next(catalog, &at, &function);) {
    if (!consumed(function)) continue;
    const struct manifest_trigger *trigger = function->live->spec->triggers;
    for (; trigger; trigger = trigger->next)
      if (trigger->kind == TRIGGER_QUEUE) add_name(drain, trigger->queue);
  }
}

static void drain_end(struct drain *drain) {
  struct queues *queues = drain->queues;
  queues->draining = false;
  if (drain->more) queues->drain_rounds = QUEUE_DRAIN_ROUNDS;
  if (drain->count == 0) queues->drain_rounds = 0;
  if (queues->drain_rounds) loop_timer_after(queues->loop, &queues->drain_timer, QUEUE_DRAIN_MS);
  for (size_t i = 0; i < drain->count; i++) free((void *)(uintptr_t)drain->names[i].at);
  free(drain->names);
  free(drain);
}

static void drain_next(struct drain *drain);

static void one_done(struct drain *drain) {
  if (--drain->pending) return;
  bool full = drain->scan.count == drain->scan.max;
  if (drain->scan.next_ms != INT64_MAX || drain->failed) drain->more = true;
  queue_scan_end(&drain->scan);
  if (!full || drain->failed) drain->at++; /* else the same again: there may be more rows */
  drain_next(drain);
}

static void moved(void *arg, bool ok) {
  struct drain *drain = arg;
  if (!ok) drain->failed = true;
  one_done(drain);
}

static void scanned(void *arg) {
  struct drain *drain = arg;
  drain->failed = !drain->scan.ok;
  drain->pending = 1;
  for (size_t i = 0; drain->scan.ok && i < drain->scan.count; i++) {
    struct queue_row *row = &drain->scan.rows[i];
    drain->pending++;
    queue_move(drain->queues, row, bytes_str(drain->scan.queue), row->queued.visible_ms, moved,
               drain);
  }
  one_done(drain);
}

static void drain_query(void *arg, struct store_reader *reader) {
  queue_scan_query(&((struct drain *)arg)->scan, reader);
}

static void drain_next(struct drain *drain) {
  if (drain->at == drain->count) {
    drain_end(drain);
    return;
  }
  queue_scan_begin(&drain->scan, drain->names[drain->at], queues_now_ms(drain->queues),
                   QUEUE_BATCH_MAX);
  drain->scan.delayed_too = true;
  store_ask(drain->queues->store, drain_query, scanned, drain);
}

static void drain_due(struct loop_timer *timer) {
  struct queues *queues =
      (struct queues *)(void *)((char *)timer - offsetof(struct queues, drain_timer));
  if (queues->draining) return;
  struct drain *drain = must_alloc(sizeof *drain);
  drain->queues = queues;
  queues->draining = true;
  queues->drain_rounds--;
  gather_names(drain);
  drain_next(drain);
}

/* Twice: a message may have been on its way to its row when the trigger came. */
void queue_drain(struct queues *queues) {
  queues->drain_rounds = QUEUE_DRAIN_ROUNDS;
  queues->drain_timer.fire = drain_due;
  if (!queues->draining) loop_timer_after(queues->loop, &queues->drain_timer, 0);
}

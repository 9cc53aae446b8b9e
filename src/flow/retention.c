/* flow/retention.c: look on a reader thread how far the old rows reach, then trim that range. */
#include "flow/retention.h"

#include "base/must.h"
#include "model/event.h"
#include "model/run.h"
#include "wire/fields.h"

#include <stdlib.h>
#include <string.h>

enum { RETENTION_AGAIN_MS = 1000 };

struct retention {
  struct loop *loop;
  struct store *store;
  const struct clock_port *clock;
  int64_t keep_ms;
  struct loop_timer timer;
  struct looking *looking; /* under way, or NULL */
};

struct looking {
  struct retention *retention; /* NULL once that was closed */
  int64_t before_ms;
  uint64_t event_position, run_position; /* remove rows up to these; 0: none */
  struct id recordings[RETENTION_ROWS_MAX];
  size_t recording_count, waiting;
  uint32_t rows;
  bool full; /* more than one commit's worth: come again soon */
  int64_t (*time_of)(struct bytes value);
  uint64_t *position;
};

/* The milliseconds of a UUID version 7. */
static int64_t id_ms(struct bytes id) {
  int64_t ms = 0;
  for (size_t i = 0; i < 6 && i < id.len; i++) ms = ms << 8 | id.at[i];
  return ms;
}

static int64_t event_ms(struct bytes value) {
  struct event event;
  struct err err;
  return event_decode(value, &event, &err) ? event.received_ms : 0;
}

/* A page of runs is as old as its newest. */
static int64_t page_ms(struct bytes value) {
  int64_t newest = 0;
  for (struct cursor in = cursor_of(value); fields_more(&in);) {
    struct run_record run;
    struct err err;
    if (run_decode(fields_get_bytes(&in), &run, &err) && run.settled_ms > newest)
      newest = run.settled_ms;
  }
  return newest;
}

static bool log_row(void *arg, const struct store_row *row) {
  struct looking *looking = arg;
  if (looking->time_of(row->value) >= looking->before_ms) return false;
  *looking->position = row->version;
  looking->full |= ++looking->rows == RETENTION_ROWS_MAX;
  return looking->rows < RETENTION_ROWS_MAX;
}

static void look_at_log(struct looking *looking, struct store_reader *reader, enum store_table log,
                        int64_t (*time_of)(struct bytes value), uint64_t *position) {
  struct err err;
  looking->rows = 0;
  looking->time_of = time_of;
  looking->position = position;
  if (!store_tail(reader, log, 0, false, log_row, looking, &err)) *position = 0;
}

static bool first_delivery(void *arg, const struct store_row *row) {
  struct looking *looking = arg;
  int64_t ms = id_ms(row->key);
  if (ms < looking->before_ms) looking->before_ms = ms;
  return false;
}

static bool recording_row(void *arg, const struct store_row *row) {
  struct looking *looking = arg;
  if (row->key.len != ID_BYTES || id_ms(row->key) >= looking->before_ms) return false;
  memcpy(looking->recordings[looking->recording_count++].at, row->key.at, ID_BYTES);
  looking->full |= looking->recording_count == RETENTION_ROWS_MAX;
  return looking->recording_count < RETENTION_ROWS_MAX;
}

static void look(void *arg, struct store_reader *reader) {
  struct looking *looking = arg;
  struct store_range recordings = {.table = TABLE_recording};
  struct store_range deliveries = {.table = TABLE_delivery};
  struct err err;
  look_at_log(looking, reader, TABLE_run, page_ms, &looking->run_position);
  if (!store_scan(reader, &recordings, recording_row, looking, &err)) looking->recording_count = 0;
  /* What is still owed holds its event, and with it all later ones: they go in order. */
  if (!store_scan(reader, &deliveries, first_delivery, looking, &err)) return;
  look_at_log(looking, reader, TABLE_event, event_ms, &looking->event_position);
}

static void looking_end(struct looking *looking) {
  struct retention *retention = looking->retention;
  if (--looking->waiting) return;
  if (retention) {
    retention->looking = NULL;
    loop_timer_after(retention->loop, &retention->timer,
                     looking->full ? RETENTION_AGAIN_MS : RETENTION_EVERY_MS);
  }
  free(looking);
}

static void removed(void *arg, const struct store_result *result) {
  looking_end(arg);
}

static void looked(void *arg) {
  struct looking *looking = arg;
  struct retention *retention = looking->retention;
  looking->waiting = 1;
  if (retention && looking->recording_count) {
    struct store_commit *commit = commit_new();
    for (size_t i = 0; i < looking->recording_count; i++)
      commit_remove(commit, TABLE_recording, id_bytes(&looking->recordings[i]));
    looking->waiting++;
    store_submit(retention->store, &commit, removed, looking);
  }
  if (retention && looking->run_position) {
    looking->waiting++;
    store_trim(retention->store, TABLE_run, looking->run_position + 1, RETENTION_ROWS_MAX, removed,
               looking);
  }
  if (retention && looking->event_position) {
    looking->waiting++;
    store_trim(retention->store, TABLE_event, looking->event_position + 1, RETENTION_ROWS_MAX,
               removed, looking);
  }
  looking_end(looking);
}

static void due(struct loop_timer *timer) {
  struct retention *retention =
      (struct retention *)(void *)((char *)timer - offsetof(struct retention, timer));
  struct looking *looking = must_alloc(sizeof *looking);
  looking->retention = retention;
  looking->before_ms = clock_wall_ms(retention->clock) - retention->keep_ms;
  retention->looking = looking;
  store_ask(retention->store, look, looked, looking);
}

struct retention *retention_open(struct loop *loop, struct store *store,
                                 const struct clock_port *clock, int64_t keep_ms) {
  struct retention *retention = must_alloc(sizeof *retention);
  *retention = (struct retention){loop, store, clock, keep_ms, .timer = {.fire = due}};
  loop_timer_after(loop, &retention->timer, RETENTION_EVERY_MS);
  return retention;
}

void retention_close(struct retention **retention) {
  struct retention *r = *retention;
  *retention = NULL;
  if (!r) return;
  loop_timer_drop(r->loop, &r->timer);
  if (r->looking) r->looking->retention = NULL;
  free(r);
}

/* source/queue/rows.c: rows of waiting messages: read some, move one. */
#include "base/must.h"
#include "source/queue/parts.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUE_ROW_BYTES_MAX = 32 << 20, QUEUE_MOVED_BYTES_MAX = 16 << 20 };

void queue_scan_begin(struct queue_scan *scan, struct bytes queue, int64_t now_ms, size_t max) {
  bytes_text(queue, scan->queue, sizeof scan->queue);
  scan->now_ms = now_ms;
  scan->max = max < QUEUE_BATCH_MAX ? max : QUEUE_BATCH_MAX;
  scan->next_ms = INT64_MAX;
}

static bool visit_row(void *arg, const struct store_row *row) {
  struct queue_scan *scan = arg;
  struct queued queued;
  if (!queued_decode(row->value, &queued, &scan->err)) return false;
  bool visible = queued.visible_ms <= scan->now_ms || (scan->delayed_too && queued.receives == 0);
  if (!visible) {
    if (queued.visible_ms < scan->next_ms) scan->next_ms = queued.visible_ms;
    return true;
  }
  struct queue_row *found = &scan->rows[scan->count++];
  must(row->key.len <= sizeof found->key);
  memcpy(found->key, row->key.at, row->key.len);
  found->key_bytes = row->key.len;
  found->version = row->version;
  buf_init(&found->value, QUEUE_ROW_BYTES_MAX);
  buf_put(&found->value, row->value);
  return scan->count < scan->max;
}

void queue_scan_query(void *arg, struct store_reader *reader) {
  struct queue_scan *scan = arg;
  struct store_range range = {.table = TABLE_queue,
                              .prefix = bytes_of(scan->queue, strlen(scan->queue) + 1)};
  scan->ok = store_scan(reader, &range, visit_row, scan, &scan->err);
  for (size_t i = 0; scan->ok && i < scan->count; i++)
    scan->ok = queued_decode(buf_bytes(&scan->rows[i].value), &scan->rows[i].queued, &scan->err);
}

void queue_scan_end(struct queue_scan *scan) {
  for (size_t i = 0; i < scan->count; i++) buf_fini(&scan->rows[i].value);
  scan->count = 0;
}

/* ---- Moving ---- */

struct moving {
  struct flow_reply reply; /* first member */
  uint8_t key[QUEUE_KEY_BYTES_MAX];
  size_t key_bytes;
  uint64_t version;
  void (*done)(void *arg, bool ok);
  void *arg;
};

/* The row goes in the commit in which the event comes. */
static void take_row(void *arg, struct store_commit *commit) {
  struct moving *moving = arg;
  struct bytes key = bytes_of(moving->key, moving->key_bytes);
  commit_check(commit, TABLE_queue, key, moving->version, ERR_CONFLICT);
  commit_remove(commit, TABLE_queue, key);
}

static void on_moved(struct flow_reply *reply, const struct flow_answer *answer) {
  struct moving *moving = (struct moving *)(void *)reply;
  moving->done(moving->arg, answer->err.code == ERR_OK);
  free(moving);
}

void queue_move(struct queues *queues, const struct queue_row *row, struct bytes to,
                int64_t not_before_ms, void (*done)(void *arg, bool ok), void *arg) {
  struct event event;
  struct buf envelope;
  struct err err;
  if (!event_decode(row->queued.event, &event, &err)) {
    done(arg, false);
    return;
  }
  struct moving *moving = must_alloc(sizeof *moving);
  moving->reply.answer = on_moved;
  memcpy(moving->key, row->key, row->key_bytes);
  moving->key_bytes = row->key_bytes;
  moving->version = row->version;
  moving->done = done;
  moving->arg = arg;
  struct bytes data = event.data;
  event.ce_source = to;
  buf_init(&envelope, QUEUE_MOVED_BYTES_MAX);
  event_write_envelope(&envelope, &event, data);
  must(buf_ok(&envelope));
  event.envelope = buf_bytes(&envelope);
  event.data =
      data.len ? bytes_sub(event.envelope, envelope.len - 1 - data.len, data.len) : BYTES_NONE;
  struct flow_incoming incoming = {.event = event, .not_before_ms = not_before_ms};
  struct flow_admission admission = {
      .incoming = &incoming, .count = 1, .with = take_row, .with_arg = moving};
  flow_admit(queues->flow, &admission, &moving->reply);
  buf_fini(&envelope);
}

/* source/queue/parts.h: what the queue's own files share.
 * Owns:    see each struct.
 * Errors:  see queue.h.
 * Threads: the loop's thread; struct queue_scan is a reader's while it is asked.            */
#ifndef MEDULLA_SOURCE_QUEUE_PARTS_H
#define MEDULLA_SOURCE_QUEUE_PARTS_H

#include "base/list.h"
#include "base/map.h"
#include "source/queue/queue.h"

struct queues {
  struct api *api;
  struct flow *flow;
  struct loop *loop;
  struct store *store;
  const struct clock_port *clock;
  struct map lines; /* queue's name → struct queue_line */
  uint32_t waiting;
  struct loop_timer drain_timer;
  int drain_rounds; /* looks at the waiting rows that are still to come */
  bool draining;
};

int64_t queues_now_ms(const struct queues *queues);

/* ---- Messages, in either protocol ---- */

struct queue_entry { /* one to send */
  struct bytes tag;  /* the caller's own name for it, or empty */
  struct bytes body;
  int64_t delay_ms;
  const struct json *attributes;
  struct id id;
};
/* Answered by `done` with the entries as they were sent; in the exchange's arena. */
struct queue_send {
  struct api_call *call;
  struct queues *queues;
  struct bytes queue;
  struct queue_entry entries[QUEUE_BATCH_MAX];
  size_t count;
  void (*done)(struct queue_send *send, const struct flow_answer *answer);
};
void queue_send(struct queue_send *send);

/* Rows read for one purpose; reader threads fill it. */
struct queue_row {
  uint8_t key[QUEUE_KEY_BYTES_MAX];
  size_t key_bytes;
  uint64_t version;
  struct buf value;
  struct queued queued; /* points into value */
};
struct queue_scan {
  char queue[QUEUE_NAME_BYTES_MAX + 1];
  int64_t now_ms;
  bool delayed_too; /* also rows that nobody has received yet but are to be seen later */
  size_t max;
  struct queue_row rows[QUEUE_BATCH_MAX];
  size_t count;
  int64_t next_ms; /* when the first of the others can be seen; INT64_MAX */
  bool ok;
  struct err err;
};
void queue_scan_begin(struct queue_scan *scan, struct bytes queue, int64_t now_ms, size_t max);
store_query queue_scan_query;
void queue_scan_end(struct queue_scan *scan);

/* A row becomes an event to queue `to`: a delivery, or a row there. done(arg, ok) once. */
void queue_move(struct queues *queues, const struct queue_row *row, struct bytes to,
                int64_t not_before_ms, void (*done)(void *arg, bool ok), void *arg);

/* ---- Receiving ---- */

struct queue_received {
  struct bytes id, receipt, body;
  const struct json *record; /* Lambda's record, or whatever the event's data was */
  uint32_t receives;
};
struct queue_receive {
  struct list link; /* in line->waiting */
  struct api_call *call;
  struct queues *queues;
  struct queue_line *line;
  size_t max;
  int64_t visibility_ms, until_ms;
  struct queue_scan *scan; /* while it is served */
  size_t pending;
  struct queue_received got[QUEUE_BATCH_MAX];
  size_t got_count;
  bool gone;
  void (*done)(struct queue_receive *receive);
};
/* `receive` is in the exchange's arena, filled in down to until_ms, and done. */
void queue_receive(struct queue_receive *receive, struct bytes queue);
/* Somebody may find something now. */
void queue_kick(struct queues *queues, struct bytes queue);
void queue_lines_close(struct queues *queues);

/* Delete (visibility_ms < 0) or show again after so long. Answered by done. */
struct queue_change {
  struct api_call *call;
  struct queues *queues;
  struct bytes queue, receipt;
  int64_t visibility_ms;
  uint8_t key[QUEUE_KEY_BYTES_MAX];
  size_t key_bytes;
  uint32_t receives;
  struct buf row;
  uint64_t version;
  bool ok;
  struct err err;
  void (*done)(struct queue_change *change, const struct err *err);
};
void queue_change(struct queue_change *change);

/* drain.c: look for rows that a function has a trigger for. */
void queue_drain(struct queues *queues);
/* sqs.c */
void sqs_add(struct api *api, struct queues *queues);

#endif

/* model/event.h: something that happened: a CloudEvents 1.0 envelope and how we came by it.
 * Owns:    nothing; slices point to what the maker or event_decode's input holds.
 * Units:   UTC milliseconds.
 * Errors:  event_decode: CORRUPT.
 * Threads: pure; any thread.
 * Limits:  EVENT_DEPTH_MAX steps of causation.
 * Source:  CloudEvents 1.0.2.                                                                 */
#ifndef MEDULLA_MODEL_EVENT_H
#define MEDULLA_MODEL_EVENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

#define EVENT_DEPTH_MAX \
  16 /* an event caused by a run caused by an event ...: then it is a loop \
      */

/* Types of the events our own sources make. */
#define EVENT_TYPE_QUEUE "medulla.queue.message"
#define EVENT_TYPE_OBJECT "medulla.object.changed"
#define EVENT_TYPE_SCHEDULE "medulla.schedule.tick"
#define EVENT_TYPE_TELEMETRY "medulla.telemetry"
#define EVENT_TYPE_HTTP "medulla.http.request"
#define EVENT_TYPE_INVOKE "medulla.invoke"

/* What the handler gets. Filters, order_by and contracts see the envelope in both cases. */
enum event_shape {
  EVENT_ENVELOPE, /* clinical events: the CloudEvent */
  EVENT_DATA,     /* http, object, queue, schedule, invoke: the data, in the shape AWS gives it */
};

struct event {
  struct id id; /* ours; a CloudEvent's own id is only unique with its source */
  int64_t received_ms;
  enum event_shape shape;
  struct bytes ce_id, ce_source, ce_type, ce_subject;
  struct bytes envelope;  /* structured JSON */
  struct bytes data;      /* raw JSON of its data member, inside envelope; empty: none */
  struct bytes principal; /* who sent it */
  struct bytes traceparent;
  struct id cause; /* the run that emitted it, or none */
  uint32_t depth;  /* of causation; 0: from outside */
};

/* Writes the envelope for these attributes. data_json empty: no data member. */
void event_write_envelope(struct buf *buf, const struct event *event, struct bytes data_json);
void event_encode(struct buf *buf, const struct event *event);
bool event_decode(struct bytes input, struct event *ret_event, struct err *err) MUST_CHECK;
/* A copy that owns one block of memory; free() it. */
struct event *event_copy(const struct event *event);
struct bytes event_for_handler(const struct event *event);

#endif

/* model/queued.h: a queue's message: the record a function gets, and the row when none takes it.
 * Owns:    nothing; slices point to what the maker or queued_decode's input holds.
 * Units:   UTC milliseconds, bytes.
 * Errors:  queued_decode: CORRUPT. queue_name_check: INVALID.
 * Threads: pure; any thread.
 * Limits:  QUEUE_NAME_BYTES_MAX, QUEUE_BODY_BYTES_MAX, QUEUE_DELAY_MS_MAX.
 * Source:  AWS Lambda, the event of an SQS trigger.
 *
 * A message that a function has a trigger for is a delivery. Without one it waits as a row of
 * TABLE_queue, "queue NUL message id", until somebody receives and deletes it. */
#ifndef MEDULLA_MODEL_QUEUED_H
#define MEDULLA_MODEL_QUEUED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "wire/json.h"

#define QUEUE_NAME_BYTES_MAX 80
#define QUEUE_BODY_BYTES_MAX (1u << 20)
#define QUEUE_DELAY_MS_MAX (12ll * 3600 * 1000)
#define QUEUE_KEY_BYTES_MAX (QUEUE_NAME_BYTES_MAX + 1 + ID_BYTES)
#define QUEUE_ARN_PREFIX "arn:aws:sqs:local:000000000000:"

/* Letters, digits, '-', '_', '.'. */
bool queue_name_check(struct bytes name, struct err *err) MUST_CHECK;

struct queue_message {
  struct bytes queue, body, sender;
  struct id id;
  int64_t sent_ms;
  const struct json *attributes; /* Optional: {name: text or {StringValue, DataType}} */
};
/* One of the Records of Lambda's SQS event; its messageId is the event's id as text. */
void queue_record_write(struct buf *out, const struct queue_message *message);

/* The row. */
struct queued {
  int64_t visible_ms; /* nobody receives it before */
  uint32_t receives;  /* so far; part of the receipt */
  struct bytes event; /* event_encode() */
};
struct bytes queued_key(struct bytes queue, struct id id, uint8_t ret_key[QUEUE_KEY_BYTES_MAX]);
void queued_encode(struct buf *buf, const struct queued *queued);
bool queued_decode(struct bytes input, struct queued *ret_queued, struct err *err) MUST_CHECK;

#endif

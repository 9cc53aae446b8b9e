/* source/queue/queue.h: messages in for a function, or out again for whoever receives them.
 * Owns:    the receives that wait; messages are rows or deliveries.
 * Units:   UTC milliseconds.
 * Errors:  answered: INVALID, NOT_FOUND (a receipt that is no longer valid), LIMIT, the store's.
 * Threads: the loop's thread.
 * Limits:  QUEUE_* here and in model/queued.h.
 * Source:  Amazon SQS API Reference, JSON protocol.
 *
 *   send --> a function has a trigger: a delivery (the flow batches, retries, dead letters)
 *       \--> none has: a row --> receive (invisible for a while) --> delete
 *                       |            \--> visible again; past QUEUE_RECEIVES_MAX to NAME-dead
 *                       \--> a function is deployed for it: the row becomes a delivery          */
#ifndef MEDULLA_SOURCE_QUEUE_QUEUE_H
#define MEDULLA_SOURCE_QUEUE_QUEUE_H

#include "model/queued.h"
#include "source/api/api.h"

#define QUEUE_BATCH_MAX 100     /* messages in one send, and of one receive */
#define QUEUE_WAITING_MAX 10000 /* receives that wait, in all */
#define QUEUE_VISIBILITY_MS 30000
#define QUEUE_VISIBILITY_MS_MAX (12ll * 3600 * 1000)
#define QUEUE_WAIT_MS_MAX 20000
#define QUEUE_POLL_MS 500 /* a message that came another way is noticed within this */
#define QUEUE_RECEIVES_MAX 5
#define QUEUE_DEAD_SUFFIX "-dead"

struct queues;

void queues_open(struct api *api, struct queues **ret_queues);
/* A function may want what waits. */
void queues_catalog_changed(struct queues *queues);
void queues_close(struct queues **queues);

#endif

/* flow/retention.h: what is old enough goes, a little at a time.
 * Owns:    its timer; the store owns the rows.
 * Units:   milliseconds.
 * Errors:  none: a store that fails is asked again next time.
 * Threads: the loop's thread; looking happens on a reader thread.
 * Limits:  RETENTION_ROWS_MAX rows in one commit, so that nothing waits long behind it.
 *
 * Events, runs and recordings older than keep_ms are removed, the oldest first. An event that is
 * still owed, or belongs to a dead letter, stays, and so does all that came after it. The audit log
 * is not touched: it is kept for years, and shortening it would break its proofs.             */
#ifndef MEDULLA_FLOW_RETENTION_H
#define MEDULLA_FLOW_RETENTION_H

#include "os/clock.h"
#include "os/loop.h"
#include "store/store.h"

#define RETENTION_ROWS_MAX 1000
#define RETENTION_EVERY_MS 60000

struct retention;
struct retention *retention_open(struct loop *loop, struct store *store,
                                 const struct clock_port *clock, int64_t keep_ms);
void retention_close(struct retention **retention);

#endif

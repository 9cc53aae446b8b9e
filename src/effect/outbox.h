/* effect/outbox.h: messages that were committed with a run, sent afterwards, at least once.
 * Owns:    rows of TABLE_outbox; what it has in memory.
 * Units:   UTC milliseconds, bytes.
 * Errors:  outbox_open: the store's. Later ones are retried, or end in a dead row with its reason.
 * Threads: the loop's.
 * Limits:  OUTBOX_BUSY_MAX sends at once, OUTBOX_CONTACT_BUSY_MAX of them to one contact;
 *          OUTBOX_ROWS_MAX and OUTBOX_BYTES_MAX in memory, more wait in the store;
 *          OUTBOX_AGE_MS_MAX, then a message is dead.
 *
 *   owed -> sending -> sent (the row goes, with an audit record, in one commit)
 *     ^        |
 *     +--later-+-> dead (kept with its reason, until somebody redrives or discards it)
 *
 * Mails and texts of a contact go one at a time, in the order of the commits; so do the webhooks
 * of one order key (or of one unordered run), while those of others pass them. A contact that
 * cannot be reached is tried by one message at a time, ever later. A crash between the send and
 * its commit repeats the send with the same idempotency key. What cannot become better (a refused
 * address, 4xx) is dead at once and does not hold up what is behind it.                       */
#ifndef MEDULLA_EFFECT_OUTBOX_H
#define MEDULLA_EFFECT_OUTBOX_H

#include "effect/egress.h"
#include "effect/outbox_row.h"
#include "os/loop.h"
#include "os/random.h"
#include "store/store.h"

#define OUTBOX_BUSY_MAX 32
#define OUTBOX_CONTACT_BUSY_MAX 16
#define OUTBOX_ROWS_MAX 2000
#define OUTBOX_BYTES_MAX (32u << 20)
#define OUTBOX_AGE_MS_MAX (24 * 3600 * 1000ll)

struct outbox;

struct outbox_options {
  struct loop *loop;                /* Required */
  struct store *store;              /* Required */
  const struct clock_port *clock;   /* Required */
  const struct random_port *random; /* Required */
  struct egress_port *egress;       /* Required: what carries the messages; outlives the sends */
};

/* Loads what is owed; the sends begin with the loop. */
bool outbox_open(const struct outbox_options *options, struct outbox **ret_outbox,
                 struct err *err) MUST_CHECK;
/* The port the flow gets: requests go on to options->egress, new rows come here. */
struct egress_port *outbox_port(struct outbox *outbox);
/* Nothing more is sent, and requests through the port are answered with CLOSED at once; what is
 * owed stays owed. Before egress and store are closed, whose last answers may still come. */
void outbox_stop(struct outbox *outbox);
/* After the flow, which has the port. */
void outbox_close(struct outbox **outbox);

/* For metrics. */
struct outbox_load {
  uint32_t owed, sending; /* in memory; `more`: others wait in the store */
  bool more;
  uint64_t dead; /* in the store */
  uint64_t sent, retried;
};
struct outbox_load outbox_load(const struct outbox *outbox);

/* ---- For an administrator ---- */
/* Rows with keys greater than `after`; dead ones alone when asked. Stops when visit says false. */
typedef bool outbox_visit(void *arg, struct bytes key, const struct outbox_row *row);
bool outbox_list(struct store_reader *reader, struct bytes after, bool dead_only,
                 outbox_visit *visit, void *arg, struct err *err) MUST_CHECK;
/* done gets NOT_FOUND when no dead row has this key; OK when it is owed again, or gone. */
typedef void outbox_acted(void *arg, const struct err *err);
void outbox_redrive(struct outbox *outbox, struct bytes key, struct bytes principal,
                    outbox_acted *done, void *arg);
void outbox_discard(struct outbox *outbox, struct bytes key, struct bytes principal,
                    outbox_acted *done, void *arg);

#endif

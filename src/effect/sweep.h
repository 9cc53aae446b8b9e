/* effect/sweep.h: takes away what effects leave behind: notices, kept answers, orphan bodies.
 * Owns:    its timer.
 * Units:   milliseconds.
 * Errors:  sweep_open: the store's and the disk's. Later ones wait for the next time.
 * Threads: the loop's.
 * Limits:  SWEEP_ROWS_MAX rows at a time; every SWEEP_MS.                                       */
#ifndef MEDULLA_EFFECT_SWEEP_H
#define MEDULLA_EFFECT_SWEEP_H

#include "effect/object_store.h"
#include "os/loop.h"

#define SWEEP_MS (3600 * 1000)
#define SWEEP_ROWS_MAX 1000

struct sweep;

struct sweep_options {
  struct loop *loop;                /* Required */
  struct store *store;              /* Required */
  const struct clock_port *clock;   /* Required */
  const struct random_port *random; /* Required */
  struct disk *disk;                /* Optional: objects */
};

/* Before requests are served: bodies without a row go at once; later only those older than a day,
 * because a younger one may still be waiting for its commit. */
bool sweep_open(const struct sweep_options *options, struct sweep **ret_sweep,
                struct err *err) MUST_CHECK;
void sweep_close(struct sweep **sweep);

#endif

/* store/gather.h: when a small fold waits for more commits before it becomes a transaction.
 * Owns:    nothing: what the last waits brought.
 * Units:   commits; GATHER_NS in nanoseconds.
 * Errors:  none.
 * Threads: the store thread.
 * Limits:  GATHER_NS is the longest wait, GATHER_ENOUGH commits end it.
 *
 * A transaction costs about as much as three runs, whatever it holds, and with fast syncs a new one
 * would begin with what little came during the last. So a fold of several commits waits a moment.
 * A wait that brought nothing (few callers, or slow ones) is not tried again for GATHER_REST folds;
 * a lone commit never waits. Nobody is told of a commit before it is durable, waited or not. */
#ifndef MEDULLA_STORE_GATHER_H
#define MEDULLA_STORE_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#define GATHER_NS 1000000
#define GATHER_ENOUGH 16
#define GATHER_REST 64

struct gather {
  uint32_t rest; /* so many folds go without waiting */
};

/* Whether a fold of `waiting` commits should wait for more; counts a rest down. */
bool gather_wanted(struct gather *gather, uint32_t waiting);
/* After a wait: how many there were, how many there are. */
void gather_note(struct gather *gather, uint32_t before, uint32_t after);

#endif

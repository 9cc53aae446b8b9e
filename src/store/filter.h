/* store/filter.h: which digests were surely never marked: a Bloom filter with one line of the
 * processor's cache a digest, so that a new event asks the index nothing.
 * Owns:    its bits.
 * Errors:  none: "may hold" can be wrong, "does not hold" never is.
 * Threads: one at a time.
 * Limits:  FILTER_BYTES, for good up to some 15 million digests (1 in 1,000 is asked for in vain);
 *          beyond, ever more are asked for, as without it.                                   */
#ifndef MEDULLA_STORE_FILTER_H
#define MEDULLA_STORE_FILTER_H

#include "base/bytes.h"

#define FILTER_BYTES (32u << 20)
#define FILTER_BYTES_SMALL (64u << 10) /* of a simulated store, which is opened often */

struct filter {
  size_t bytes;
  uint64_t *words; /* reserved; a page is there when it is first written */
};

/* bytes: a power of two. */
void filter_init(struct filter *filter, size_t bytes);
void filter_fini(struct filter *filter);
void filter_clear(struct filter *filter);
/* A digest's bytes are as good as random. */
void filter_add(struct filter *filter, struct bytes digest);
bool filter_may_hold(const struct filter *filter, struct bytes digest);

#endif

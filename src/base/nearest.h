/* base/nearest.h: the known word someone probably meant.
 * Owns:    nothing.
 * Threads: pure; any thread.
 * Limits:  words beyond NEAREST_BYTES_MAX are near to nothing. */
#ifndef MEDULLA_BASE_NEAREST_H
#define MEDULLA_BASE_NEAREST_H

#include "base/bytes.h"

#define NEAREST_BYTES_MAX 48

/* Letters to add, drop, change or swap with their neighbour to get from a to b; case is ignored.
 * SIZE_MAX when either is too long. */
size_t nearest_distance(struct bytes a, struct bytes b);
/* The closest of `count` words, or NULL when none is close enough to be meant. */
const char *nearest_word(struct bytes word, const char *const *words, size_t count);

#endif

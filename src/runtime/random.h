/* runtime/random.h: a run's own random bytes: ChaCha20 keyed by the run's seed.
 * Owns:    nothing.
 * Errors:  none.
 * Threads: one at a time.
 * Limits:  2^32 blocks of 64 bytes per run.
 * Source:  RFC 8439 §2.3, §2.4 (nonce zero, counter from 0).                   */
#ifndef MEDULLA_RUNTIME_RANDOM_H
#define MEDULLA_RUNTIME_RANDOM_H

#include "base/bytes.h"

struct guest_random {
  uint32_t key[8];
  uint32_t counter;
  uint8_t block[64];
  size_t used; /* of block */
};

void guest_random_init(struct guest_random *random, const uint8_t seed[32]);
void guest_random_fill(struct guest_random *random, void *at, size_t len);
double guest_random_unit(struct guest_random *random); /* in [0, 1), 53 bits */

#endif

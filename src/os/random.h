/* os/random.h: random bytes: a port, real (getrandom, buffered) or seeded.
 * Owns:    nothing.
 * Errors:  a kernel without randomness is a broken promise (must).
 * Threads: the real port: any; a seeded one: its owner's.                  */
#ifndef MEDULLA_OS_RANDOM_H
#define MEDULLA_OS_RANDOM_H

#include "base/id.h"
#include "os/clock.h"

struct random_port {
  void (*fill)(void *self, void *at, size_t len);
  void *self;
};

const struct random_port *random_real(void);
void random_fill(const struct random_port *random, void *at, size_t len);
uint64_t random_u64(const struct random_port *random);
struct id random_id(const struct random_port *random, const struct clock_port *clock);

/* xoshiro256**, for simulation and jitter, never for secrets. */
struct random_seeded {
  uint64_t s[4];
  struct random_port port;
};
void random_seeded_init(struct random_seeded *seeded, uint64_t seed);

#endif

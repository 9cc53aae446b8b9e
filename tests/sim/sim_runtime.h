/* tests/sim/sim_runtime.h: a runtime whose functions are C, whose workers are slow, die and hang as
 * the seed says, and whose time is the simulator's.
 * Owns:    its runs under way; sim_runtime_fini forgets them as a crash would.
 * Units:   milliseconds of simulated time.
 * Errors:  none.
 * Threads: the simulator's.                                                                    */
#ifndef MEDULLA_TESTS_SIM_RUNTIME_H
#define MEDULLA_TESTS_SIM_RUNTIME_H

#include "base/list.h"
#include "os/loop.h"
#include "os/random.h"
#include "runtime/runtime.h"

struct sim_faults { /* per mille */
  unsigned throws, dies, hangs, slow;
};

struct sim_runtime {
  struct runtime port;
  struct loop *loop;
  struct random_seeded *random;
  struct sim_faults faults;
  struct list runs;
  uint64_t started, ended;
};

void sim_runtime_init(struct sim_runtime *sim, struct loop *loop, struct random_seeded *random);
void sim_runtime_fini(struct sim_runtime *sim);

#endif

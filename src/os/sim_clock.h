/* os/sim_clock.h: a clock that only moves when told, for tests and the simulator.
 * Owns:    nothing; the clock is the caller's and must not move in memory after init.
 * Units:   wall: UTC milliseconds; mono: nanoseconds, from 0.
 * Errors:  advancing backwards is a broken promise (must); a jump may go either way.
 * Threads: its simulator's.                                                           */
#ifndef MEDULLA_OS_SIM_CLOCK_H
#define MEDULLA_OS_SIM_CLOCK_H

#include "os/clock.h"

struct sim_clock {
  int64_t mono_ns;
  int64_t wall_start_ms; /* wall clock where mono is 0 */
  struct clock_port port;
};

void sim_clock_init(struct sim_clock *sim, int64_t wall_ms);
/* Time passes: both clocks move. */
void sim_clock_advance_ns(struct sim_clock *sim, int64_t ns);
void sim_clock_advance_ms(struct sim_clock *sim, int64_t ms);
/* Somebody sets the wall clock; mono does not notice. */
void sim_clock_jump_ms(struct sim_clock *sim, int64_t ms);

#endif

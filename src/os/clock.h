/* os/clock.h: what time it is: a port, real or simulated.
 * Owns:    nothing.
 * Units:   wall: UTC milliseconds; mono: nanoseconds since an arbitrary start.
 * Errors:  none.
 * Threads: the real clock: any; a simulated one: its simulator's.            */
#ifndef MEDULLA_OS_CLOCK_H
#define MEDULLA_OS_CLOCK_H

#include <stdint.h>

struct clock_port {
  int64_t (*wall_ms)(void *self);
  int64_t (*mono_ns)(void *self);
  void *self;
};

const struct clock_port *clock_real(void);
int64_t clock_wall_ms(const struct clock_port *clock);
int64_t clock_mono_ns(const struct clock_port *clock);

#endif

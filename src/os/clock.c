/* os/clock.c: the kernel's clocks, and one that only moves when told. */
#include "os/clock.h"

#include "base/must.h"
#include "os/sim_clock.h"

#include <time.h>

enum { NS_PER_MS = 1000000 };

static int64_t read_ns(clockid_t id) {
  struct timespec now;
  must(clock_gettime(id, &now) == 0);
  return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static int64_t real_wall_ms(void *self) {
  return read_ns(CLOCK_REALTIME) / NS_PER_MS;
}

static int64_t real_mono_ns(void *self) {
  return read_ns(CLOCK_MONOTONIC);
}

const struct clock_port *clock_real(void) {
  static const struct clock_port port = {real_wall_ms, real_mono_ns, NULL};
  return &port;
}

int64_t clock_wall_ms(const struct clock_port *clock) {
  return clock->wall_ms(clock->self);
}

int64_t clock_mono_ns(const struct clock_port *clock) {
  return clock->mono_ns(clock->self);
}

static int64_t sim_wall_ms(void *self) {
  const struct sim_clock *sim = self;
  return sim->wall_start_ms + sim->mono_ns / NS_PER_MS;
}

static int64_t sim_mono_ns(void *self) {
  return ((const struct sim_clock *)self)->mono_ns;
}

void sim_clock_init(struct sim_clock *sim, int64_t wall_ms) {
  *sim = (struct sim_clock){.wall_start_ms = wall_ms, .port = {sim_wall_ms, sim_mono_ns, sim}};
}

void sim_clock_advance_ns(struct sim_clock *sim, int64_t ns) {
  must(ns >= 0);
  sim->mono_ns += ns;
}

void sim_clock_advance_ms(struct sim_clock *sim, int64_t ms) {
  sim_clock_advance_ns(sim, ms * NS_PER_MS);
}

void sim_clock_jump_ms(struct sim_clock *sim, int64_t ms) {
  sim->wall_start_ms += ms;
}

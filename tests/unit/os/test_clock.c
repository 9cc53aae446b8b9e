/* The kernel's clocks and the one that is told. */
#include "tests/unit/test.h"

#include "os/sim_clock.h"

static void real_clock_moves_on(void **state) {
  const struct clock_port *clock = clock_real();
  int64_t before_ns = clock_mono_ns(clock);
  assert_true(clock_wall_ms(clock) > INT64_C(1600000000000));
  assert_true(clock_mono_ns(clock) >= before_ns);
}

static void simulated_time_moves_when_told(void **state) {
  struct sim_clock sim;
  sim_clock_init(&sim, 1000);
  assert_int_equal(clock_wall_ms(&sim.port), 1000);
  assert_int_equal(clock_mono_ns(&sim.port), 0);
  sim_clock_advance_ms(&sim, 5);
  sim_clock_advance_ns(&sim, 999999);
  assert_int_equal(clock_wall_ms(&sim.port), 1005);
  assert_int_equal(clock_mono_ns(&sim.port), 5999999);
}

static void a_jump_leaves_mono_alone(void **state) {
  struct sim_clock sim;
  sim_clock_init(&sim, 1000);
  sim_clock_advance_ms(&sim, 10);
  sim_clock_jump_ms(&sim, -500);
  assert_int_equal(clock_wall_ms(&sim.port), 510);
  assert_int_equal(clock_mono_ns(&sim.port), 10000000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(real_clock_moves_on),
      cmocka_unit_test(simulated_time_moves_when_told),
      cmocka_unit_test(a_jump_leaves_mono_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

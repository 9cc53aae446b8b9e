/* Randomness: fresh in every process and thread, repeatable when seeded. */
#include "tests/unit/test.h"

#include "os/random.h"
#include "os/sim_clock.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void draws_differ(void **state) {
  uint64_t seen[200];
  for (int i = 0; i < 200; i++) {
    seen[i] = random_u64(random_real());
    for (int k = 0; k < i; k++) assert_true(seen[i] != seen[k]);
  }
}

static void long_draws_fill_every_byte(void **state) {
  static uint8_t at[5000];
  size_t zeros = 0;
  random_fill(random_real(), at, sizeof at);
  for (size_t i = 0; i < sizeof at; i++) zeros += at[i] == 0;
  assert_true(zeros < 100);
  random_fill(random_real(), NULL, 0);
}

static void a_fork_does_not_repeat_its_parent(void **state) {
  int ends[2];
  uint64_t of_child = 0;
  (void)random_u64(random_real()); /* the buffer is filled before the fork */
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    uint64_t value = random_u64(random_real());
    _exit(write(ends[1], &value, sizeof value) == sizeof value ? 0 : 1);
  }
  uint64_t of_parent = random_u64(random_real());
  assert_int_equal(read(ends[0], &of_child, sizeof of_child), sizeof of_child);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_true(of_parent != of_child);
  close(ends[0]);
  close(ends[1]);
}

static void *draw_one(void *arg) {
  *(uint64_t *)arg = random_u64(random_real());
  return NULL;
}

static void threads_differ(void **state) {
  pthread_t threads[4];
  uint64_t values[4];
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, draw_one, &values[i]), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  assert_true(values[0] != values[1] && values[1] != values[2] && values[2] != values[3]);
}

static void a_seed_repeats_itself(void **state) {
  struct random_seeded a, b, c;
  random_seeded_init(&a, 7);
  random_seeded_init(&b, 7);
  random_seeded_init(&c, 8);
  for (int i = 0; i < 10; i++) {
    uint64_t value = random_u64(&a.port);
    assert_true(value == random_u64(&b.port));
    assert_true(value != random_u64(&c.port));
  }
}

/* The reference implementation's first output for the state 1, 2, 3, 4. */
static void xoshiro_matches_its_reference(void **state) {
  struct random_seeded seeded;
  random_seeded_init(&seeded, 0);
  for (uint64_t i = 0; i < 4; i++) seeded.s[i] = i + 1;
  assert_true(random_u64(&seeded.port) == 11520);
  assert_true(random_u64(&seeded.port) == 0);
  assert_true(random_u64(&seeded.port) == 1509978240);
}

static void ids_carry_the_clock(void **state) {
  struct sim_clock sim;
  struct random_seeded seeded;
  sim_clock_init(&sim, 0x0102030405);
  random_seeded_init(&seeded, 1);
  struct id id = random_id(&seeded.port, &sim.port);
  assert_int_equal(id.at[1], 1);
  assert_int_equal(id.at[5], 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(draws_differ),
      cmocka_unit_test(long_draws_fill_every_byte),
      cmocka_unit_test(a_fork_does_not_repeat_its_parent),
      cmocka_unit_test(threads_differ),
      cmocka_unit_test(a_seed_repeats_itself),
      cmocka_unit_test(xoshiro_matches_its_reference),
      cmocka_unit_test(ids_carry_the_clock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

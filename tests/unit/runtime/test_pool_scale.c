/* tests/unit/runtime/test_pool_scale.c: how many workers there are, who is served, what is left. */
#include "tests/unit/runtime/pool_fixture.h"

enum { MANY = 200 };

static struct test_run runs[MANY];

static void start_many(struct world *world, struct runtime_code *code, const char *event, int from,
                       int count, uint64_t fair_key) {
  for (int i = from; i < from + count; i++) {
    run_init(&runs[i], code, event);
    runs[i].handle.fair_key = fair_key;
    run_start(world, &runs[i]);
  }
}

static void wait_many(struct world *world, int count) {
  for (int i = 0; i < count; i++) {
    run_wait(world, &runs[i], 10000);
    assert_int_equal(runs[i].end, RUN_SUCCEEDED);
  }
}

static void test_zero_many_zero(void **state) {
  struct world *world = world_new(MANY, 1000, false);
  struct runtime_code *code = code_new("");
  code->idle_ms = 500;
  start_many(world, code, "sleep 400", 0, MANY, 0);
  int64_t from_ns = now_ns();
  wait_many(world, MANY);
  print_message("%d runs of 400 ms took %lld ms\n", MANY,
                (long long)(now_ns() - from_ns) / 1000000);
  struct pool_load load = runtime_pool_load(world->runtime);
  assert_in_range(load.workers, MANY / 2, MANY);
  wait_workers(world, 0, 3000);
  load = runtime_pool_load(world->runtime);
  assert_int_equal(load.busy + load.idle + load.waiting, 0);
  code_free(world, code);
  world_free(&world);
}

static void test_provisioned_stay_and_come_back(void **state) {
  struct world *world = world_new(8, 1000, false);
  struct runtime_code *code = code_new("");
  struct err err;
  struct test_run run;
  code->provisioned = 2;
  code->idle_ms = 20;
  assert_true(prepare_once(world, code, &err));
  wait_workers(world, 2, 2000);
  step_ms(world, 200);
  assert_int_equal(runtime_pool_load(world->runtime).workers, 2);
  run_once(world, code, "echo warm", &run);
  assert_false(run.meter.cold);
  run_once(world, code, "exit 1", &run);
  wait_workers(world, 2, 3000);
  runtime_retire(world->runtime, code);
  wait_workers(world, 0, 2000);
  free(code);
  world_free(&world);
}

static void test_concurrency_limit(void **state) {
  struct world *world = world_new(50, 0, false);
  struct runtime_code *code = code_new("");
  code->concurrency_max = 3;
  start_many(world, code, "sleep 30", 0, 15, 0);
  for (int i = 0; i < 15; i++) {
    while (!runs[i].done) {
      loop_step(world->loop, 1);
      assert_true(runtime_pool_load(world->runtime).busy <= 3);
    }
  }
  assert_true(runtime_pool_load(world->runtime).workers <= 3);
  code_free(world, code);
  world_free(&world);
}

/* Two workers in all: an idle one of another version gives way. */
static void test_eviction(void **state) {
  struct world *world = world_new(2, 1000, false);
  struct runtime_code *codes[5];
  for (int i = 0; i < 5; i++) {
    struct test_run run;
    codes[i] = code_new("");
    run_once(world, codes[i], "echo x", &run);
    assert_int_equal(run.end, RUN_SUCCEEDED);
    assert_true(runtime_pool_load(world->runtime).workers <= 2);
  }
  for (int i = 0; i < 5; i++) code_free(world, codes[i]);
  world_free(&world);
}

/* One fair key floods; the other's single run does not wait for all of it. */
static void test_fair_between_keys(void **state) {
  struct world *world = world_new(1, 1000, false);
  struct runtime_code *code = code_new("");
  code->concurrency_max = 1;
  start_many(world, code, "sleep 2", 0, 50, 1);
  start_many(world, code, "sleep 2", 50, 3, 2);
  wait_many(world, 53);
  assert_true(runs[52].order < runs[10].order);
  code_free(world, code);
  world_free(&world);
}

/* One version floods all workers; another still gets its share. */
static void test_fair_between_versions(void **state) {
  struct world *world = world_new(4, 500, false);
  struct runtime_code *flood = code_new(""), *small = code_new("");
  start_many(world, flood, "sleep 10", 0, 100, 1);
  step_ms(world, 50);
  start_many(world, small, "sleep 10", 100, 5, 2);
  wait_many(world, 105);
  assert_true(runs[104].order < runs[80].order);
  code_free(world, flood);
  code_free(world, small);
  world_free(&world);
}

static void test_retire_with_runs_in_flight(void **state) {
  struct world *world = world_new(4, 1000, false);
  struct runtime_code *old = code_new(""), *new = code_new("");
  struct test_run run;
  old->concurrency_max = 2;
  start_many(world, old, "sleep 50", 0, 6, 0);
  while (!runs[0].started) loop_step(world->loop, 1);
  runtime_retire(world->runtime, old);
  run_once(world, new, "echo new", &run);
  assert_int_equal(run.end, RUN_SUCCEEDED);
  wait_many(world, 6); /* also those that waited */
  wait_workers(world, 1, 2000);
  memset(old, 0xdd, sizeof *old); /* nobody looks at it any more */
  step_ms(world, 50);
  free(old);
  code_free(world, new);
  world_free(&world);
}

static void test_a_thousand_workers_leave_nothing(void **state) {
  struct world *world = world_new(50, 0, false);
  struct runtime_code *code = code_new("");
  struct test_run run;
  run_once(world, code, "echo a", &run);
  runtime_retire(world->runtime, code);
  wait_workers(world, 0, 2000);
  step_ms(world, 10);
  int fds = count_fds();
  for (int round = 0; round < 20; round++) {
    start_many(world, code, round % 2 ? "sleep 5" : "exit 1", 0, 50, 0);
    for (int i = 0; i < 50; i++) run_wait(world, &runs[i], 10000);
    runtime_retire(world->runtime, code);
    wait_workers(world, 0, 3000);
  }
  step_ms(world, 10);
  assert_true(runtime_pool_load(world->runtime).forks >= 500);
  assert_int_equal(count_fds(), fds);
  code_free(world, code);
  world_free(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_zero_many_zero),
      cmocka_unit_test(test_provisioned_stay_and_come_back),
      cmocka_unit_test(test_concurrency_limit),
      cmocka_unit_test(test_eviction),
      cmocka_unit_test(test_fair_between_keys),
      cmocka_unit_test(test_fair_between_versions),
      cmocka_unit_test(test_retire_with_runs_in_flight),
      cmocka_unit_test(test_a_thousand_workers_leave_nothing),
  };
  return cmocka_run_group_tests_name("pool_scale", tests, NULL, NULL);
}

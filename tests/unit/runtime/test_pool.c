/* tests/unit/runtime/test_pool.c: runs on real workers with fake guests: how they start and end. */
#include "tests/unit/runtime/pool_fixture.h"

#include "runtime/sandbox.h"
#include "runtime/sanitizer.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state) {
  *state = world_new(8, 1000, false);
  return 0;
}

static int teardown(void **state) {
  struct world *world = *state;
  world_free(&world);
  return 0;
}

static void assert_end(const struct test_run *run, enum run_end end, const char *reason) {
  if (run->end != end || strcmp(run->reason, reason) != 0)
    fail_msg("end %d (%s): %s; expected %d (%s)", run->end, run->reason, run->body, end, reason);
}

static void test_first_run_is_cold_second_is_not(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  struct test_run run;
  run_once(world, code, "echo hello", &run);
  assert_end(&run, RUN_SUCCEEDED, "");
  assert_string_equal(run.body, "hello");
  assert_int_equal(run.started, 1);
  assert_true(run.meter.cold);
  assert_true(run.meter.start_us > 0);
  assert_int_equal(run.meter.in_bytes, 10);
  assert_int_equal(run.meter.out_bytes, 5);
  assert_int_equal(run.meter.restore_us, 1);
  assert_int_equal(run.meter.dirty_pages, 3);
  run_once(world, code, "echo again", &run);
  assert_string_equal(run.body, "again");
  assert_false(run.meter.cold);
  assert_int_equal(run.meter.start_us, 0);
  assert_int_equal(runtime_pool_load(world->runtime).workers, 1);
  code_free(world, code);
}

static void test_ends(void **state) {
  static const struct {
    const char *event;
    enum run_end end;
    const char *reason, *words;
  } cases[] = {
      {"throw", RUN_FAILED, "threw", "{\"errorMessage\":\"no\"}"},
      {"trap", RUN_FAILED, "stack", "Runtime.StackOverflow"},
      {"crash", RUN_FAILED, "killed", "killed by signal"},
      {"exit 7", RUN_FAILED, "killed", "exited with status 7"},
      {"attack open_file", RUN_FAILED, "killed", "forbidden system call"},
      {"big 6291456", RUN_SUCCEEDED, "", "bbbb"},
      {"big 6291457", RUN_FAILED, "output", "6291456 bytes"},
      {"eat 1000", RUN_SUCCEEDED, "", RUNTIME_SANITIZER ? "ate" : "refused after 1"},
  };
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct test_run run;
    run_once(world, code, cases[i].event, &run);
    assert_end(&run, cases[i].end, cases[i].reason);
    if (!strstr(run.body, cases[i].words)) fail_msg("%s: %s", cases[i].event, run.body);
  }
  code_free(world, code);
}

static void test_deadline(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  for (int i = 0; i < 5; i++) {
    struct test_run run;
    run_once(world, code, "echo warm", &run);
    run_init(&run, code, i % 2 ? "loop" : "sleep 10000");
    run.handle.time_ms_max = 50;
    int64_t from_ns = now_ns();
    run_start(world, &run);
    run_wait(world, &run, 2000);
    assert_end(&run, RUN_TIMED_OUT, "time");
    assert_non_null(strstr(run.body, "timed out after 0.05 seconds"));
    wait_workers(world, 0, 1000); /* the process is gone, too */
    int64_t late_ns = now_ns() - from_ns - 50 * MS;
    if (late_ns > 10 * MS) fail_msg("gone %lld us after its deadline", (long long)late_ns / 1000);
  }
  code_free(world, code);
}

static void test_effects(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  struct test_run run;
  run_once(world, code, "effect 1", &run);
  assert_string_equal(run.body, "1 answers, 2 bytes");
  assert_int_equal(run.effects, 1);
  run_once(world, code, "effect 1000", &run);
  assert_string_equal(run.body, "1000 answers, 2000 bytes");
  run_once(world, code, "effect 40 100000", &run); /* both rings fill up */
  assert_string_equal(run.body, "40 answers, 4000000 bytes");
  run_once(world, code, "effect 2 6000000", &run);
  assert_string_equal(run.body, "2 answers, 12000000 bytes");
  assert_true(run.meter.effect_us > 0);
  assert_true(run.meter.out_bytes > 12000000);
  code_free(world, code);
}

static void test_large_event(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  size_t bytes = 5 << 20;
  char *event = malloc(bytes + 1);
  memset(event, 'e', bytes);
  memcpy(event, "echo ", 5);
  event[bytes] = 0;
  struct test_run run;
  run_once(world, code, event, &run);
  assert_end(&run, RUN_SUCCEEDED, "");
  assert_int_equal(run.body_bytes, bytes - 5);
  free(event);
  code_free(world, code);
}

static void test_log_limit(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  struct test_run run;
  run_once(world, code, "flood 100", &run);
  assert_int_equal(run.logs, 100);
  run_once(world, code, "flood 100000", &run);
  assert_end(&run, RUN_SUCCEEDED, "");
  assert_in_range(run.logs, 10000, 30000);
  code_free(world, code);
}

static void test_refusals(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  struct test_run run, other;
  code->isolation_floor = SANDBOX_ISOLATED + 1;
  run_once(world, code, "echo a", &run);
  assert_end(&run, RUN_REFUSED, "isolation");
  code->isolation_floor = 0;
  char *large = calloc(1, RUNTIME_INPUT_BYTES_MAX + 1);
  memset(large, 'x', RUNTIME_INPUT_BYTES_MAX);
  run_once(world, code, large, &run);
  assert_end(&run, RUN_REFUSED, "limit");
  code->concurrency_max = 1;
  run_init(&other, code, "sleep 300");
  run_start(world, &other);
  run_init(&run, code, "echo late");
  run.handle.wait_ms_max = 50;
  run_start(world, &run);
  run_wait(world, &run, 1000);
  assert_end(&run, RUN_REFUSED, "wait");
  assert_false(other.done);
  run_wait(world, &other, 1000);
  assert_end(&other, RUN_SUCCEEDED, "");
  free(large);
  code_free(world, code);
}

static void test_cancel(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  struct test_run busy, waiting, after;
  code->concurrency_max = 1;
  run_init(&busy, code, "loop");
  run_start(world, &busy);
  run_init(&waiting, code, "echo never");
  run_start(world, &waiting);
  run_init(&after, code, "echo after");
  run_start(world, &after);
  while (!busy.started) loop_step(world->loop, 5);
  runtime_cancel(world->runtime, &waiting.handle);
  runtime_cancel(world->runtime, &busy.handle);
  run_wait(world, &after, 2000);
  assert_string_equal(after.body, "after");
  assert_false(busy.done || waiting.done);
  code_free(world, code);
}

static void test_start_failures(void **state) {
  struct world *world = *state;
  static const char *const sources[] = {"fail", "fail open", "crash open"};
  for (size_t i = 0; i < 3; i++) {
    struct runtime_code *code = code_new(sources[i]);
    struct test_run run, second;
    run_init(&second, code, "echo");
    run_start(world, &second);
    run_once(world, code, "echo a", &run);
    assert_end(&run, RUN_FAILED, "start");
    run_wait(world, &second, 1000);
    assert_end(&second, RUN_FAILED, "start");
    step_ms(world, 20);
    code_free(world, code);
  }
}

static void test_prepare(void **state) {
  struct world *world = *state;
  struct err err;
  struct runtime_code *good = code_new(""), *bad = code_new("fail"), *endless = code_new("hang");
  assert_true(prepare_once(world, good, &err));
  assert_true(prepare_once(world, good, &err)); /* there already */
  assert_fails(prepare_once(world, bad, &err), err, ERR_GUEST);
  assert_string_equal(err.detail, "TypeError: nothing here");
  int64_t from_ns = now_ns();
  assert_fails(prepare_once(world, endless, &err), err, ERR_TIMEOUT);
  assert_true(now_ns() - from_ns < 2500 * MS);
  good->isolation_floor = SANDBOX_ISOLATED + 1;
  memset(good->key, 'x', 64);
  runtime_retire(world->runtime, good);
  assert_fails(prepare_once(world, good, &err), err, ERR_DENIED);
  step_ms(world, 20);
  code_free(world, good), code_free(world, bad), code_free(world, endless);
}

static void test_damaged_and_lost_snapshot(void **state) {
  struct world *world = *state;
  struct err err;
  struct runtime_code *code = code_new("");
  struct test_run run;
  char path[96];
  snprintf(path, sizeof path, "snapshot/%s", code->key);
  assert_ok(disk_mkdir(world->disk, "snapshot", &err), err);
  assert_ok(disk_save(world->disk, path, BYTES("rubbish"), &err), err);
  run_once(world, code, "echo healed", &run);
  assert_string_equal(run.body, "healed");
  runtime_retire(world->runtime, code);
  wait_workers(world, 0, 1000);
  assert_ok(disk_remove(world->disk, path, &err), err);
  run_once(world, code, "echo made anew", &run);
  assert_string_equal(run.body, "made anew");
  code_free(world, code);
}

/* The launcher is this process's only child. */
static void test_launcher_dies(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  struct test_run run, busy;
  run_once(world, code, "echo a", &run);
  run_init(&busy, code, "sleep 4000");
  run_start(world, &busy);
  while (!busy.started) loop_step(world->loop, 5);
  char command[64], line[64] = "";
  snprintf(command, sizeof command, "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
  FILE *children = fopen(command, "re");
  assert_non_null(children);
  assert_non_null(fgets(line, sizeof line, children));
  fclose(children);
  kill((pid_t)strtol(line, NULL, 10), SIGKILL);
  run_wait(world, &busy, 2000);
  assert_end(&busy, RUN_FAILED, "killed");
  assert_non_null(strstr(busy.body, "launcher"));
  run_once(world, code, "echo back", &run);
  assert_string_equal(run.body, "back");
  code_free(world, code);
}

static void test_no_secret_in_the_environment(void **state) {
  struct world *world = *state;
  struct runtime_code *code = code_new("");
  struct test_run run;
  setenv("MEDULLA_TEST_SECRET", "hunter2", 1);
  run_once(world, code, "env", &run);
  assert_int_equal(run.body_bytes, 0);
  code_free(world, code);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_first_run_is_cold_second_is_not, setup, teardown),
      cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
      cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
      cmocka_unit_test_setup_teardown(test_effects, setup, teardown),
      cmocka_unit_test_setup_teardown(test_large_event, setup, teardown),
      cmocka_unit_test_setup_teardown(test_log_limit, setup, teardown),
      cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
      cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
      cmocka_unit_test_setup_teardown(test_start_failures, setup, teardown),
      cmocka_unit_test_setup_teardown(test_prepare, setup, teardown),
      cmocka_unit_test_setup_teardown(test_damaged_and_lost_snapshot, setup, teardown),
      cmocka_unit_test_setup_teardown(test_launcher_dies, setup, teardown),
      cmocka_unit_test_setup_teardown(test_no_secret_in_the_environment, setup, teardown),
  };
  return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

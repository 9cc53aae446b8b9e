/* tests/unit/runtime/test_sandbox.c: every attack is tried inside a worker, at each level, with the
 * system call filter and without it: the layers below must hold by themselves. */
#define _GNU_SOURCE /* setresuid */
#include "tests/unit/runtime/pool_fixture.h"

#include "runtime/sandbox.h"
#include "tests/unit/runtime/attacks.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* With the filter: through the launcher, as in production. */

static void attack_all(bool namespaces_off) {
  struct world *world = world_new(4, 1000, namespaces_off);
  struct runtime_code *code = code_new("");
  unsigned escaped = 0;
  for (size_t i = 0; attack_names[i]; i++) {
    char event[64];
    struct test_run run;
    snprintf(event, sizeof event, "attack %s", attack_names[i]);
    run_once(world, code, event, &run);
    if (run.end == RUN_FAILED && strstr(run.body, "forbidden system call")) continue;
    print_error("%s: end %d, %s\n", attack_names[i], run.end, run.body);
    escaped++;
  }
  assert_int_equal(escaped, 0);
  code_free(world, code);
  world_free(&world);
  assert_int_not_equal(access("/tmp/medulla-escape", F_OK), 0);
}

static void test_filter_at_the_highest_level(void **state) {
  attack_all(false);
}

static void test_filter_without_namespaces(void **state) {
  attack_all(true);
}

/* Without the filter. */

enum { RESULT_FD = 3, ORDINARY_UID = 12345 };

static void in_worker(const struct sandbox_ground *ground, const char *name) {
  const struct sandbox_limits limits = {.memory_bytes_max = 64 << 20,
                                        .wake_fd = RESULT_FD,
                                        .snapshot_fd = -1,
                                        .life_fd = -1,
                                        .keep_fds = RESULT_FD + 1,
                                        .no_filter = true};
  struct err err;
  const char *result = sandbox_confine(ground, &limits, &err) ? attack(name) : "confinement failed";
  _exit(write(RESULT_FD, result, strlen(result)) > 0 ? 0 : 1);
}

/* What the attack says; "level" when the host does not reach the level for this uid. */
static void try_layers(enum sandbox_level level, uid_t uid, const char *name, char ret_result[64]) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t launcher = fork();
  if (launcher == 0) {
    struct sandbox_ground ground;
    if (dup2(ends[1], RESULT_FD) < 0 || (uid && setresuid(uid, uid, uid))) _exit(1);
    prctl(PR_SET_DUMPABLE, 1); /* as after an exec, which a changed uid takes away */
    sandbox_ground_open(level, &ground);
    if (ground.level != level) _exit(write(RESULT_FD, "level", 5) == 5 ? 0 : 1);
    int worker = sandbox_fork(&ground);
    if (worker == 0) in_worker(&ground, name);
    _exit(waitpid(worker, NULL, 0) == worker ? 0 : 1);
  }
  close(ends[1]);
  size_t len = 0;
  for (ssize_t got; (got = read(ends[0], ret_result + len, 63 - len)) > 0;) len += (size_t)got;
  ret_result[len] = 0;
  close(ends[0]);
  waitpid(launcher, NULL, 0);
}

static void hold(enum sandbox_level level, uid_t uid, const char *const *names) {
  unsigned escaped = 0;
  for (; *names; names++) {
    char result[64];
    try_layers(level, uid, *names, result);
    if (strcmp(result, "level") == 0) {
      print_message("uid %d does not reach level %s here\n", (int)uid, sandbox_level_name(level));
      skip();
    }
    if (result[0] == 'E' && strcmp(result, "ENOSYS") != 0) continue;
    print_error("%s, uid %d, %s: %s\n", sandbox_level_name(level), (int)uid, *names, result);
    escaped++;
  }
  assert_int_equal(escaped, 0);
}

static const char *const stopped_by_landlock[] = {
    "open_file",          "write_outside", "open_up",       "read_proc",
    "read_parent_memory", "list_root",     "make_folder",   "connect_out",
    "do_execve",          "do_mount",      "do_chroot",     "kill_parent",
    "become_root",        "packet_socket", "push_terminal", NULL};

/* kill_parent is not here: in its pid namespace a worker has none, and pid 1 is itself. */
static const char *const stopped_by_namespaces[] = {
    "open_file",     "write_outside", "open_up",     "read_proc",     "read_parent_memory",
    "list_root",     "make_folder",   "connect_out", "do_execve",     "do_mount",
    "do_chroot",     "kill_all",      "become_root", "packet_socket", "read_other_memory",
    "push_terminal", "do_fork",       NULL};

static void test_landlock_alone_as_root(void **state) {
  if (geteuid() != 0) skip();
  hold(SANDBOX_LANDLOCKED, 0, stopped_by_landlock);
}

static void test_landlock_alone_as_a_user(void **state) {
  hold(SANDBOX_LANDLOCKED, geteuid() == 0 ? ORDINARY_UID : 0, stopped_by_landlock);
}

static void test_namespaces_alone_as_root(void **state) {
  if (geteuid() != 0) skip();
  hold(SANDBOX_ISOLATED, 0, stopped_by_namespaces);
}

static void test_namespaces_alone_as_a_user(void **state) {
  hold(SANDBOX_ISOLATED, geteuid() == 0 ? ORDINARY_UID : 0, stopped_by_namespaces);
}

static void test_filtered_level(void **state) {
  static const char *const names[] = {"do_mount",      "do_chroot", "become_root",
                                      "packet_socket", "do_fork",   NULL};
  if (geteuid() != 0) skip();
  hold(SANDBOX_FILTERED, 0, names);
}

static void test_probe_and_names(void **state) {
  struct sandbox_facts facts;
  enum sandbox_level level;
  sandbox_probe(&facts);
  assert_in_range(facts.level, SANDBOX_FILTERED, SANDBOX_ISOLATED);
  assert_true(facts.seccomp);
  assert_true(facts.kernel[0]);
  assert_int_equal(facts.why_not[0] == 0, facts.level == SANDBOX_ISOLATED);
  assert_true(sandbox_level_parse("landlocked", &level) && level == SANDBOX_LANDLOCKED);
  assert_false(sandbox_level_parse("", &level));
  assert_false(sandbox_level_parse("Isolated", &level));
  assert_string_equal(sandbox_level_name(SANDBOX_ISOLATED), "isolated");
  /* Probing changed nothing here. */
  assert_int_equal(access("/proc/self/exe", F_OK), 0);
}

static void test_floor_above_the_level(void **state) {
  struct world *world = world_new(2, 1000, true);
  struct runtime_code *code = code_new("");
  struct test_run run;
  code->isolation_floor = SANDBOX_ISOLATED;
  run_once(world, code, "echo a", &run);
  assert_int_equal(run.end, RUN_REFUSED);
  assert_non_null(strstr(run.body, "level is landlocked, the function demands isolated"));
  code->isolation_floor = SANDBOX_LANDLOCKED;
  run_once(world, code, "echo a", &run);
  assert_int_equal(run.end, RUN_SUCCEEDED);
  code_free(world, code);
  world_free(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_filter_at_the_highest_level),
      cmocka_unit_test(test_filter_without_namespaces),
      cmocka_unit_test(test_landlock_alone_as_root),
      cmocka_unit_test(test_landlock_alone_as_a_user),
      cmocka_unit_test(test_namespaces_alone_as_root),
      cmocka_unit_test(test_namespaces_alone_as_a_user),
      cmocka_unit_test(test_filtered_level),
      cmocka_unit_test(test_probe_and_names),
      cmocka_unit_test(test_floor_above_the_level),
  };
  return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}

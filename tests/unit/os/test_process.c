/* Children get what is listed and nothing else; their end arrives through the loop. */
#define _GNU_SOURCE
#include "tests/unit/test.h"

#include "os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct loop *loop;
static struct err err;
static struct process_end last_end;
static int ends_seen;

static int open_loop(void **state) {
  ends_seen = 0;
  return loop_new(clock_real(), &loop, NULL) ? 0 : -1;
}

static int shut_loop(void **state) {
  loop_free(&loop);
  return 0;
}

static void keep_end(struct process *process, struct process_end end) {
  last_end = end;
  ends_seen++;
}

static void await_end(void) {
  for (int i = 0; i < 100 && ends_seen == 0; i++) loop_step(loop, 100);
  assert_int_equal(ends_seen, 1);
}

/* Runs a shell script; gives what it wrote to descriptor 1. */
static void shell(const char *script, struct process_options options, char *ret_text,
                  size_t text_bytes) {
  const char *argv[] = {"sh", "-c", script, NULL};
  struct process_fd fds[8];
  struct process process = {.ended = keep_end};
  int ends[2];
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  for (size_t i = 0; i < options.fd_count; i++) fds[i] = options.fds[i];
  fds[options.fd_count] = (struct process_fd){ends[1], 1};
  options.fds = fds;
  options.fd_count++;
  options.path = "/bin/sh";
  options.argv = argv;
  assert_ok(process_start(loop, &options, &process, &err), err);
  close(ends[1]);
  await_end();
  ssize_t got = read(ends[0], ret_text, text_bytes - 1);
  ret_text[got > 0 ? got : 0] = 0;
  close(ends[0]);
}

static void an_exit_code_comes_back(void **state) {
  char text[64];
  shell("echo hello; exit 7", (struct process_options){0}, text, sizeof text);
  assert_string_equal(text, "hello\n");
  assert_int_equal(last_end.exit_code, 7);
  assert_int_equal(last_end.signal, 0);
}

static void only_listed_descriptors_are_inherited(void **state) {
  char text[256];
  int loose = dup(0); /* without close-on-exec */
  int swap = dup(0);
  /* Crossed over: each would overwrite the other if placed one by one. */
  struct process_fd fds[] = {{loose, swap}, {swap, loose}};
  shell("ls /proc/self/fd | tr '\\n' ' '", (struct process_options){0}, text, sizeof text);
  assert_string_equal(text, "0 1 2 3 "); /* 3 is ls's own */
  ends_seen = 0;
  char expected[64];
  snprintf(expected, sizeof expected, "0 1 2 3 %d %d ", loose, swap);
  shell("exec 2>/dev/null; ls /proc/self/fd | sort -n | tr '\\n' ' '",
        (struct process_options){.fds = fds, .fd_count = 2}, text, sizeof text);
  assert_string_equal(text, expected);
  close(loose);
  close(swap);
}

static void the_environment_is_what_was_given(void **state) {
  char text[256];
  const char *const envp[] = {"WARD=4B", NULL};
  setenv("SECRET_OF_OURS", "x", 1);
  shell("env | grep -E 'WARD|SECRET'", (struct process_options){.envp = envp}, text, sizeof text);
  assert_string_equal(text, "WARD=4B\n");
}

static void signals_are_back_to_default(void **state) {
  char text[256];
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, &before);
  signal(SIGPIPE, SIG_IGN);
  shell("grep -E 'SigBlk|SigIgn' /proc/self/status | tr -d '\\n\\t'", (struct process_options){0},
        text, sizeof text);
  sigprocmask(SIG_SETMASK, &before, NULL);
  signal(SIGPIPE, SIG_DFL);
  /* Signals 32 and 33 are the C library's own; nobody but whoever started us can set them. */
  unsigned long long blocked = 0;
  unsigned long long ignored = 0;
  const char *second = strstr(text, "SigIgn:");
  assert_non_null(second);
  blocked = strtoull(text + strlen("SigBlk:"), NULL, 16);
  ignored = strtoull(second + strlen("SigIgn:"), NULL, 16) & ~(3ull << 31);
  assert_true(blocked == 0 && ignored == 0);
}

static void a_missing_program_is_an_error_here(void **state) {
  const char *argv[] = {"none", NULL};
  struct process process = {.ended = keep_end};
  struct process_options options = {.path = "/nonexistent/program", .argv = argv};
  assert_fails(process_start(loop, &options, &process, &err), err, ERR_NOT_FOUND);
  options.path = "/etc/passwd";
  assert_fails(process_start(loop, &options, &process, &err), err, ERR_DENIED);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing left to reap */
}

static void without_descriptors_nothing_starts(void **state) {
  const char *argv[] = {"true", NULL};
  struct process process = {.ended = keep_end};
  struct process_options options = {.path = "/bin/true", .argv = argv};
  struct rlimit before;
  int probe = dup(0);
  close(probe);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  for (rlim_t spare = 0; spare < 3; spare++) {
    struct rlimit few = {(rlim_t)probe + spare, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    bool started = process_start(loop, &options, &process, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_fails(started, err, ERR_BUSY);
  }
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_kill_is_told_as_a_signal(void **state) {
  const char *argv[] = {"sleep", "100", NULL};
  struct process process = {.ended = keep_end};
  struct process_options options = {.path = "/bin/sleep", .argv = argv};
  assert_ok(process_start(loop, &options, &process, &err), err);
  process_kill(&process, SIGKILL);
  await_end();
  assert_int_equal(last_end.signal, SIGKILL);
  assert_int_equal(last_end.exit_code, -1);
  process_kill(&process, SIGKILL);
  process_forget(&process);
}

static void a_forgotten_process_is_gone_at_once(void **state) {
  const char *argv[] = {"sleep", "100", NULL};
  struct process process = {.ended = keep_end};
  struct process_options options = {.path = "/bin/sleep", .argv = argv};
  assert_ok(process_start(loop, &options, &process, &err), err);
  process_forget(&process);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  loop_step(loop, 0);
  assert_int_equal(ends_seen, 0);
}

/* A child starts a grandchild and dies: the grandchild dies with it. */
static void a_child_dies_with_its_parent(void **state) {
  int ends[2];
  char c;
  assert_int_equal(pipe(ends), 0);
  pid_t middle = fork();
  if (middle == 0) {
    const char *argv[] = {"sleep", "100", NULL};
    struct process_fd fd = {ends[1], 1};
    struct process process = {.ended = keep_end};
    struct process_options options = {"/bin/sleep", argv, NULL, &fd, 1, false};
    struct loop *own;
    if (!loop_new(clock_real(), &own, NULL)) _exit(1);
    _exit(process_start(own, &options, &process, NULL) ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(middle, &status, 0), middle);
  assert_int_equal(status, 0);
  close(ends[1]);
  assert_int_equal(read(ends[0], &c, 1), 0); /* the last holder of the pipe has ended */
  close(ends[0]);
}

static int got_signal;

static void keep_signal(struct signals *signals, int signal) {
  got_signal = signal;
}

static void signals_come_through_the_loop(void **state) {
  struct signals signals = {.got = keep_signal};
  assert_ok(signals_open(loop, &signals, &err), err);
  static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
  for (int i = 0; i < 3; i++) {
    raise(numbers[i]);
    assert_true(loop_step(loop, 1000));
    assert_int_equal(got_signal, numbers[i]);
  }
  signals_close(&signals);
}

static void descriptors_can_be_raised_to_the_hard_limit(void **state) {
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit low = {64, before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  assert_int_equal(process_files_raise(100), 100);
  assert_int_equal(process_files_raise(50), 100);
  assert_int_equal(process_files_raise(UINT64_MAX), before.rlim_max);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void a_title_fits_where_the_arguments_were(void **state) {
  static char room[] = "prog\0--token=secret\0-x";
  char *argv[] = {room, room + 5, room + 20, NULL};
  process_title_init(3, argv);
  process_title("worker ward/news2 with a long name");
  assert_int_equal(strlen(room), sizeof room - 1);
  assert_int_equal(strncmp(room, "worker ward/news2", 17), 0);
  process_title("w");
  for (size_t i = 1; i < sizeof room; i++) assert_int_equal(room[i], 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_loop, shut_loop)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(an_exit_code_comes_back),
      CASE(only_listed_descriptors_are_inherited),
      CASE(the_environment_is_what_was_given),
      CASE(signals_are_back_to_default),
      CASE(a_missing_program_is_an_error_here),
      CASE(without_descriptors_nothing_starts),
      CASE(a_kill_is_told_as_a_signal),
      CASE(a_forgotten_process_is_gone_at_once),
      CASE(a_child_dies_with_its_parent),
      CASE(signals_come_through_the_loop),
      CASE(descriptors_can_be_raised_to_the_hard_limit),
      CASE(a_title_fits_where_the_arguments_were),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

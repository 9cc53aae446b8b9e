/* A wake-up counts once, across processes, and fails cleanly without descriptors. */
#include "tests/unit/test.h"

#include "os/wake.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void signals_fold_into_one(void **state) {
  struct err err;
  int fd;
  assert_ok(wake_open(&fd, &err), err);
  assert_false(wake_drain(fd));
  wake_signal(fd);
  wake_signal(fd);
  assert_true(wake_drain(fd));
  assert_false(wake_drain(fd));
  close(fd);
}

static void another_process_wakes_us(void **state) {
  struct err err;
  int fd;
  assert_ok(wake_open(&fd, &err), err);
  pid_t child = fork();
  if (child == 0) {
    wake_signal(fd);
    _exit(0);
  }
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_true(wake_drain(fd));
  close(fd);
}

static void without_descriptors_it_says_busy(void **state) {
  struct err err;
  struct rlimit before;
  int fd = -7;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = {0, before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  bool opened = wake_open(&fd, &err);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_fails(opened, err, ERR_BUSY);
  assert_int_equal(fd, -7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signals_fold_into_one),
      cmocka_unit_test(another_process_wakes_us),
      cmocka_unit_test(without_descriptors_it_says_busy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

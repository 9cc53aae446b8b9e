/* What the process can no longer do, tried in a child. */
#include "tests/unit/test.h"

#include "egress/confine.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0, or the number of what went wrong. */
static int attempts(void) {
  struct err err;
  struct rlimit core;
  char *const argv[] = {"/bin/true", NULL};
  if (!confine(&err)) return 1;
  if (open("/etc/passwd", O_RDONLY) < 0) return 2; /* resolver and CA bundle live there */
  if (open("/tmp/medulla-egress-test", O_CREAT | O_RDWR, 0600) >= 0) return 3;
  if (open("/proc/self/mem", O_RDWR) >= 0) return 4;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return 5;
  if (listen(fd, 1) == 0) return 6;
  if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0) return 7;
  if (geteuid() == 0) return 8;
  execv(argv[0], argv);
  return 0; /* still here */
}

static void test_confined(void **state) {
  int status;
  (void)state;
  pid_t pid = fork();
  if (pid == 0) _exit(attempts());
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_confined)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

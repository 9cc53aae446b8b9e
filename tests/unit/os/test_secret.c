/* Memory for keys is zeroed, in no child, and gone when it is given back. */
#include "tests/unit/test.h"

#include "os/secret.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void it_is_zeroed_and_freed(void **state) {
  unsigned char *at = secret_alloc(5000);
  for (int i = 0; i < 5000; i++) assert_int_equal(at[i], 0);
  at[4999] = 1;
  secret_free((void **)&at, 5000);
  assert_null(at);
  secret_free((void **)&at, 5000);
}

static void a_child_does_not_have_it(void **state) {
  unsigned char *at = secret_alloc(16);
  int status;
  at[0] = 42;
  pid_t child = fork();
  if (child == 0) _exit(at[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_int_equal(at[0], 42);
  secret_free((void **)&at, 16);
}

static void a_process_leaves_no_core(void **state) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit;
    secret_process();
    getrlimit(RLIMIT_CORE, &limit);
    _exit(limit.rlim_cur != 0 || prctl(PR_GET_DUMPABLE) != 0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_zeroed_and_freed),
      cmocka_unit_test(a_child_does_not_have_it),
      cmocka_unit_test(a_process_leaves_no_core),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Shared memory is of the agreed size, and stays so. */
#define _GNU_SOURCE
#include "tests/unit/test.h"

#include "os/shm.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;

static void processes_share_it(void **state) {
  void *at, *again;
  int fd;
  assert_ok(shm_create("ring", 8192, &fd, &err), err);
  assert_ok(shm_map(fd, 8192, true, &at, &err), err);
  assert_ok(shm_map(fd, 8192, false, &again, &err), err);
  pid_t child = fork();
  if (child == 0) {
    memcpy((char *)at + 8000, "beat", 5);
    _exit(0);
  }
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_string_equal((char *)again + 8000, "beat");
  shm_unmap(&at, 8192);
  assert_null(at);
  shm_unmap(&again, 8192);
  close(fd);
}

static void nobody_can_resize_it(void **state) {
  int fd;
  assert_ok(shm_create("ring", 4096, &fd, &err), err);
  assert_int_equal(ftruncate(fd, 0), -1);
  assert_int_equal(ftruncate(fd, 8192), -1);
  close(fd);
}

static void unsealed_or_another_size_is_refused(void **state) {
  void *at = NULL;
  int fd, unsealed = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  assert_int_equal(ftruncate(unsealed, 4096), 0);
  assert_fails(shm_map(unsealed, 4096, false, &at, &err), err, ERR_MALFORMED);
  assert_fails(shm_map(0, 4096, false, &at, &err), err, ERR_MALFORMED);
  assert_ok(shm_create("ring", 4096, &fd, &err), err);
  assert_fails(shm_map(fd, 8192, false, &at, &err), err, ERR_MALFORMED);
  assert_null(at);
  close(unsealed);
  close(fd);
}

static void later_writable_mappings_can_be_forbidden(void **state) {
  void *ours, *theirs = NULL;
  int fd;
  assert_ok(shm_create("ring", 4096, &fd, &err), err);
  assert_ok(shm_map(fd, 4096, true, &ours, &err), err);
  assert_ok(shm_seal_future_writes(fd, &err), err);
  assert_fails(shm_map(fd, 4096, true, &theirs, &err), err, ERR_DENIED);
  assert_ok(shm_map(fd, 4096, false, &theirs, &err), err);
  *(char *)ours = 'x';
  assert_int_equal(*(char *)theirs, 'x');
  shm_unmap(&ours, 4096);
  shm_unmap(&theirs, 4096);
  close(fd);
}

static void without_descriptors_it_says_busy(void **state) {
  struct rlimit before;
  int fd;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = {0, before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  bool made = shm_create("ring", 4096, &fd, &err);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_fails(made, err, ERR_BUSY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(processes_share_it),
      cmocka_unit_test(nobody_can_resize_it),
      cmocka_unit_test(unsealed_or_another_size_is_refused),
      cmocka_unit_test(later_writable_mappings_can_be_forbidden),
      cmocka_unit_test(without_descriptors_it_says_busy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* os/futex.c: FUTEX_WAIT_BITSET, because it takes an absolute monotonic time. */
#define _GNU_SOURCE
#include "os/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

bool futex_wait(_Atomic uint32_t *at, uint32_t value, int64_t until_mono_ns) {
  struct timespec until = {until_mono_ns / NS_PER_S, until_mono_ns % NS_PER_S};
  long result = syscall(SYS_futex, at, FUTEX_WAIT_BITSET, value,
                        until_mono_ns == INT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

void futex_wake_one(_Atomic uint32_t *at) {
  syscall(SYS_futex, at, FUTEX_WAKE, 1, NULL, NULL, 0);
}

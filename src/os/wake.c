/* os/wake.c: an eventfd. A full counter already means "awake", so EAGAIN is success. */
#include "os/wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool wake_open(int *ret_fd, struct err *err) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) {
    err_set_errno(err, errno, ERR_PLACE, "eventfd");
    return false;
  }
  *ret_fd = fd;
  return true;
}

void wake_signal(int fd) {
  uint64_t one = 1;
  while (write(fd, &one, sizeof one) < 0 && errno == EINTR) continue;
}

bool wake_drain(int fd) {
  uint64_t count;
  ssize_t got;
  do {
    got = read(fd, &count, sizeof count);
  } while (got < 0 && errno == EINTR);
  return got == (ssize_t)sizeof count;
}

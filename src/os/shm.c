/* os/shm.c: memfd. */
#define _GNU_SOURCE
#include "os/shm.h"

#include "base/cleanup.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { SIZE_SEALS = F_SEAL_SHRINK | F_SEAL_GROW };

static bool fail_errno(struct err *err, const char *place, const char *what) {
  err_set_errno(err, errno, place, what);
  return false;
}

bool shm_create(const char *name, size_t bytes, int *ret_fd, struct err *err) {
  must(bytes > 0 && bytes <= SHM_BYTES_MAX);
  cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return fail_errno(err, ERR_PLACE, "memfd_create");
  if (ftruncate(fd, (off_t)bytes) != 0) return fail_errno(err, ERR_PLACE, "ftruncate");
  if (fcntl(fd, F_ADD_SEALS, SIZE_SEALS) != 0) return fail_errno(err, ERR_PLACE, "F_ADD_SEALS");
  *ret_fd = steal_fd(&fd);
  return true;
}

bool shm_create_growing(const char *name, int *ret_fd, struct err *err) {
  int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) return fail_errno(err, ERR_PLACE, "memfd_create");
  *ret_fd = fd;
  return true;
}

bool shm_map(int fd, size_t bytes, bool writable, void **ret_at, struct err *err) {
  struct stat facts;
  int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & SIZE_SEALS) != SIZE_SEALS)
    FAIL(ERR_MALFORMED, "the shared memory is not sealed");
  if (fstat(fd, &facts) != 0) return fail_errno(err, ERR_PLACE, "fstat");
  if (facts.st_size < 0 || (size_t)facts.st_size != bytes)
    FAIL(ERR_MALFORMED, "the shared memory is %lld bytes, expected %zu", (long long)facts.st_size,
         bytes);
  void *at = mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return fail_errno(err, ERR_PLACE, "mmap");
  *ret_at = at;
  return true;
}

bool shm_seal_future_writes(int fd, struct err *err) {
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0) return true;
  return fail_errno(err, ERR_PLACE, "F_ADD_SEALS");
}

void shm_unmap(void **at, size_t bytes) {
  if (*at) must(munmap(*at, bytes) == 0);
  *at = NULL;
}

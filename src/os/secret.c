/* os/secret.c: pages of their own, so that locking and wiping touch nothing else. */
#define _GNU_SOURCE
#include "os/secret.h"

#include "base/bytes.h"
#include "base/must.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static atomic_bool unlocked;

static size_t whole_pages(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return (bytes + page - 1) / page * page;
}

void *secret_alloc(size_t bytes) {
  size_t room = whole_pages(bytes);
  void *at = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(at != MAP_FAILED);
  if (mlock(at, room) != 0) atomic_store(&unlocked, true);
  /* Older kernels refuse some advice; the process's own settings stand behind it. */
  (void)madvise(at, room, MADV_DONTDUMP);
  (void)madvise(at, room, MADV_WIPEONFORK);
  return at;
}

void secret_free(void **at, size_t bytes) {
  if (!*at) return;
  size_t room = whole_pages(bytes);
  bytes_wipe(*at, room);
  must(munmap(*at, room) == 0);
  *at = NULL;
}

bool secret_is_locked(void) {
  return !atomic_load(&unlocked);
}

void secret_process(void) {
  (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  (void)prctl(PR_SET_DUMPABLE, 0);
}

/* os/random.c: getrandom through a buffer per thread, and xoshiro256** for simulation.
 *
 * A buffer must not survive fork, or parent and child would draw the same "random" ids. One page
 * that the kernel wipes on fork (MADV_WIPEONFORK) tells: where its mark is gone, the buffer is of
 * the parent. This holds for raw clone, too, where pthread_atfork handlers are not called. */
#define _GNU_SOURCE
#include "os/random.h"

#include "base/must.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { RANDOM_BUFFER_BYTES = 4096 };

static _Thread_local struct {
  uint8_t at[RANDOM_BUFFER_BYTES];
  size_t left; /* unused bytes, at the end of `at` */
} buffer;

static pthread_once_t mark_once = PTHREAD_ONCE_INIT;
static volatile uint8_t *mark; /* NULL: no such page here, so nothing is buffered */

static void make_mark(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return;
  if (madvise(at, page, MADV_WIPEONFORK) != 0) {
    munmap(at, page);
    return;
  }
  mark = at;
  *mark = 1;
}

static void draw(void *at, size_t len) {
  uint8_t *to = at;
  while (len > 0) {
    ssize_t got = getrandom(to, len, 0);
    if (got < 0 && errno == EINTR) continue;
    must(got > 0);
    to += got;
    len -= (size_t)got;
  }
}

static void real_fill(void *self, void *at, size_t len) {
  must(pthread_once(&mark_once, make_mark) == 0);
  if (!mark || len > RANDOM_BUFFER_BYTES / 32) {
    draw(at, len);
    return;
  }
  if (*mark == 0) {
    buffer.left = 0;
    *mark = 1;
  }
  if (buffer.left < len) {
    draw(buffer.at, sizeof buffer.at);
    buffer.left = sizeof buffer.at;
  }
  uint8_t *from = buffer.at + sizeof buffer.at - buffer.left;
  memcpy(at, from, len);
  bytes_wipe(from, len);
  buffer.left -= len;
}

const struct random_port *random_real(void) {
  static const struct random_port port = {real_fill, NULL};
  return &port;
}

void random_fill(const struct random_port *random, void *at, size_t len) {
  if (len > 0) random->fill(random->self, at, len);
}

uint64_t random_u64(const struct random_port *random) {
  uint64_t value;
  random_fill(random, &value, sizeof value);
  return value;
}

struct id random_id(const struct random_port *random, const struct clock_port *clock) {
  uint8_t bits[10];
  random_fill(random, bits, sizeof bits);
  return id_make(clock_wall_ms(clock), bits);
}

static uint64_t rotate(uint64_t x, int by) {
  return x << by | x >> (64 - by);
}

/* Blackman and Vigna, xoshiro256**. */
static uint64_t seeded_next(struct random_seeded *seeded) {
  uint64_t *s = seeded->s;
  uint64_t result = rotate(s[1] * 5, 7) * 9;
  uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = rotate(s[3], 45);
  return result;
}

static void seeded_fill(void *self, void *at, size_t len) {
  uint8_t *to = at;
  while (len > 0) {
    uint64_t word = seeded_next(self);
    size_t part = len < sizeof word ? len : sizeof word;
    memcpy(to, &word, part);
    to += part;
    len -= part;
  }
}

/* splitmix64 spreads the seed, so that no state is all zero. */
void random_seeded_init(struct random_seeded *seeded, uint64_t seed) {
  for (int i = 0; i < 4; i++) {
    uint64_t z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    seeded->s[i] = z ^ z >> 31;
  }
  seeded->port = (struct random_port){seeded_fill, seeded};
}

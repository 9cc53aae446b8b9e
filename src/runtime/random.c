/* runtime/random.c: ChaCha20 as a stream of random bytes.
 *
 * Our own few lines rather than OpenSSL's: a confined worker must not initialise a library, and a
 * replay must give the same bytes whatever version is installed. */
#include "runtime/random.h"

#include <string.h>

static uint32_t rotate(uint32_t v, unsigned by) {
  return v << by | v >> (32 - by);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
  *a += *b, *d = rotate(*d ^ *a, 16);
  *c += *d, *b = rotate(*b ^ *c, 12);
  *a += *b, *d = rotate(*d ^ *a, 8);
  *c += *d, *b = rotate(*b ^ *c, 7);
}

static uint32_t load(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void next_block(struct guest_random *random) {
  uint32_t s[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  uint32_t w[16];
  memcpy(s + 4, random->key, sizeof random->key);
  s[12] = random->counter++;
  memcpy(w, s, sizeof w);
  for (int i = 0; i < 10; i++) {
    for (int c = 0; c < 4; c++) quarter(&w[c], &w[4 + c], &w[8 + c], &w[12 + c]);
    for (int c = 0; c < 4; c++)
      quarter(&w[c], &w[4 + (c + 1) % 4], &w[8 + (c + 2) % 4], &w[12 + (c + 3) % 4]);
  }
  for (size_t i = 0; i < 64; i++)
    random->block[i] = (uint8_t)((w[i / 4] + s[i / 4]) >> 8 * (i % 4));
  random->used = 0;
}

void guest_random_init(struct guest_random *random, const uint8_t seed[32]) {
  for (size_t i = 0; i < 8; i++) random->key[i] = load(seed + 4 * i);
  random->counter = 0;
  random->used = sizeof random->block;
}

void guest_random_fill(struct guest_random *random, void *at, size_t len) {
  uint8_t *to = at;
  while (len > 0) {
    if (random->used == sizeof random->block) next_block(random);
    size_t part = sizeof random->block - random->used;
    if (part > len) part = len;
    memcpy(to, random->block + random->used, part);
    random->used += part;
    to += part;
    len -= part;
  }
}

double guest_random_unit(struct guest_random *random) {
  uint8_t bytes[8];
  uint64_t bits = 0;
  guest_random_fill(random, bytes, sizeof bytes);
  for (size_t i = 0; i < 8; i++) bits |= (uint64_t)bytes[i] << 8 * i;
  return (double)(bits >> 11) * 0x1p-53;
}

/* store/filter.c: the digest's first half names the block, 9 bits of the second a bit each. */
#include "store/filter.h"

#include "base/must.h"
#include "store/pack.h"

#include <stdlib.h>

enum { BLOCK_WORDS = 8, BLOCK_BIT_BITS = 9, PROBES = 6, DIGEST_BYTES = 16 };

void filter_init(struct filter *filter, size_t bytes) {
  filter->bytes = bytes;
  filter->words = must_alloc(bytes);
}

void filter_fini(struct filter *filter) {
  free(filter->words);
  filter->words = NULL;
}

/* New memory rather than zeros, which would make every page resident. */
void filter_clear(struct filter *filter) {
  filter_fini(filter);
  filter_init(filter, filter->bytes);
}

static uint64_t *block_of(const struct filter *filter, struct bytes digest, uint64_t *ret_bits) {
  must(digest.len >= DIGEST_BYTES);
  *ret_bits = unpack_u64(digest.at + 8);
  size_t blocks = filter->bytes / (BLOCK_WORDS * sizeof(uint64_t));
  return filter->words + (unpack_u64(digest.at) & (blocks - 1)) * BLOCK_WORDS;
}

void filter_add(struct filter *filter, struct bytes digest) {
  uint64_t bits, *block = block_of(filter, digest, &bits);
  for (unsigned i = 0; i < PROBES; i++, bits >>= BLOCK_BIT_BITS)
    block[bits >> 6 & (BLOCK_WORDS - 1)] |= UINT64_C(1) << (bits & 63);
}

bool filter_may_hold(const struct filter *filter, struct bytes digest) {
  uint64_t bits;
  const uint64_t *block = block_of(filter, digest, &bits);
  for (unsigned i = 0; i < PROBES; i++, bits >>= BLOCK_BIT_BITS)
    if (!(block[bits >> 6 & (BLOCK_WORDS - 1)] >> (bits & 63) & 1)) return false;
  return true;
}

/* store/page.c: the identity with a check: four streams of multiply and rotate over 64-bit words,
 * about as fast as memory. It finds damage, not malice; the seal that comes here will do both. */
#include "store/page.h"

#include "base/must.h"
#include "store/pack.h"

#include <string.h>

enum { FORMAT_CHECKED = 1, PAYLOAD_BYTES = PAGE_BYTES - PAGE_RESERVE_BYTES, LANES = 4 };
_Static_assert(PAYLOAD_BYTES % 8 == 0, "the check reads whole words");

static uint64_t stir(uint64_t sum, uint64_t word) {
  sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
  return sum << 29 | sum >> 35;
}

static uint32_t check_of(const struct page_key *key, uint32_t number, uint64_t epoch,
                         const uint8_t *page) {
  uint64_t sum[LANES], word;
  memcpy(sum, key->store_id, 16);
  sum[2] = number;
  sum[3] = epoch;
  for (size_t i = 0; i < PAYLOAD_BYTES / 8; i++) {
    memcpy(&word, page + i * 8, 8);
    sum[i % LANES] = stir(sum[i % LANES], word);
  }
  uint64_t all = 0;
  for (unsigned i = 0; i < LANES; i++) all = stir(all, sum[i]);
  return (uint32_t)(all >> 32 ^ all);
}

static bool all_zero(const uint8_t *at, size_t len) {
  uint8_t sum = 0;
  for (size_t i = 0; i < len; i++) sum |= at[i];
  return sum == 0;
}

void page_encode(const struct page_key *key, uint32_t number, const uint8_t *plain,
                 uint8_t *ret_coded) {
  uint8_t *reserve = ret_coded + PAYLOAD_BYTES;
  must(all_zero(plain + PAYLOAD_BYTES, PAGE_RESERVE_BYTES));
  memcpy(ret_coded, plain, PAGE_BYTES);
  pack_u32(reserve, check_of(key, number, key->epoch, plain));
  reserve[4] = FORMAT_CHECKED;
  pack_u64(reserve + 8, key->epoch);
}

bool page_decode(const struct page_key *key, uint32_t number, uint8_t *page) {
  uint8_t *reserve = page + PAYLOAD_BYTES;
  uint64_t epoch = unpack_u64(reserve + 8);
  bool good = reserve[4] == FORMAT_CHECKED && all_zero(reserve + 5, 3) &&
              all_zero(reserve + 16, PAGE_RESERVE_BYTES - 16) &&
              unpack_u32(reserve) == check_of(key, number, epoch, page);
  if (good) memset(reserve, 0, PAGE_RESERVE_BYTES);
  return good;
}

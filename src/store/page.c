/* store/page.c: sealed pages; and plain ones behind a check: four streams of multiply and rotate
 * over 64-bit words, about as fast as memory. */
#include "store/page.h"

#include "base/must.h"
#include "store/pack.h"

#include <string.h>

enum {
  FORMAT_CHECKED = 1,
  PAYLOAD_BYTES = PAGE_BYTES - PAGE_RESERVE_BYTES,
  LANES = 4,
  NONCE_AT = PAYLOAD_BYTES,
  TAG_AT = NONCE_AT + AEAD_NONCE_BYTES,
  EPOCH_AT = TAG_AT + AEAD_TAG_BYTES,
  HEAD_BLOCK_AT = 8,
  AD_BYTES = 16 + 4 + 4 + 8 + PAGE_FRAME_BOUND_BYTES,
};
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

static void plain_encode(const struct page_key *key, uint32_t number, const uint8_t *plain,
                         uint8_t *ret_coded) {
  uint8_t *reserve = ret_coded + PAYLOAD_BYTES;
  memcpy(ret_coded, plain, PAGE_BYTES);
  pack_u32(reserve, check_of(key, number, key->epoch, plain));
  reserve[4] = FORMAT_CHECKED;
  pack_u64(reserve + 8, key->epoch);
}

static bool plain_decode(const struct page_key *key, uint32_t number, uint8_t *page) {
  uint8_t *reserve = page + PAYLOAD_BYTES;
  uint64_t epoch = unpack_u64(reserve + 8);
  bool good = reserve[4] == FORMAT_CHECKED && all_zero(reserve + 5, 3) &&
              all_zero(reserve + 16, PAGE_RESERVE_BYTES - 16) &&
              unpack_u32(reserve) == check_of(key, number, epoch, page);
  if (good) memset(reserve, 0, PAGE_RESERVE_BYTES);
  return good;
}

/* ---- Sealed ---- */

static struct bytes bind_to(const struct page_key *key, const struct page_place *place,
                            uint32_t epoch, uint8_t ad[AD_BYTES]) {
  memcpy(ad, key->store_id, 16);
  pack_u32(ad + 16, place->number);
  pack_u32(ad + 20, epoch);
  if (!place->frame_head) return bytes_of(ad, 24);
  pack_u64(ad + 24, place->offset);
  memcpy(ad + 32, place->frame_head, PAGE_FRAME_BOUND_BYTES);
  return bytes_of(ad, AD_BYTES);
}

uint32_t page_epoch(const uint8_t *coded) {
  return unpack_u32(coded + EPOCH_AT);
}

void page_encode(const struct page_key *key, const struct page_place *place, const uint8_t *plain,
                 uint8_t *ret_coded) {
  uint8_t ad[AD_BYTES];
  must(all_zero(plain + PAYLOAD_BYTES, PAGE_RESERVE_BYTES));
  if (!key->keys) {
    plain_encode(key, place->number, plain, ret_coded);
    return;
  }
  uint32_t epoch = keyring_epoch(key->keys);
  aead_seal(keyring_key(key->keys, epoch, KEY_PAGE), bind_to(key, place, epoch, ad),
            bytes_of(plain, PAYLOAD_BYTES), ret_coded, ret_coded + NONCE_AT, ret_coded + TAG_AT);
  pack_u32(ret_coded + EPOCH_AT, epoch);
  memset(ret_coded + EPOCH_AT + 4, 0, 4);
}

bool page_decode(const struct page_key *key, const struct page_place *place, uint8_t *page) {
  uint8_t ad[AD_BYTES];
  if (!key->keys) return plain_decode(key, place->number, page);
  uint32_t epoch = page_epoch(page);
  const struct aead_key *seal = keyring_key(key->keys, epoch, KEY_PAGE);
  if (!seal || !all_zero(page + EPOCH_AT + 4, 4) ||
      !aead_open(seal, bind_to(key, place, epoch, ad), bytes_of(page, PAYLOAD_BYTES),
                 page + NONCE_AT, page + TAG_AT, page))
    return false;
  memset(page + PAYLOAD_BYTES, 0, PAGE_RESERVE_BYTES);
  return true;
}

void page_head_encode(const struct page_key *key, uint8_t head[PAGE_FRAME_HEAD_BYTES]) {
  if (key->keys) aead_block(&key->frame, false, head + HEAD_BLOCK_AT);
}

void page_head_decode(const struct page_key *key, uint8_t head[PAGE_FRAME_HEAD_BYTES]) {
  if (key->keys) aead_block(&key->frame, true, head + HEAD_BLOCK_AT);
}

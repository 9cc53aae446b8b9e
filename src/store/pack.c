/* store/pack.c: big-endian numbers and the end of a prefix. */
#include "store/pack.h"

void pack_u32(uint8_t at[4], uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

void pack_u64(uint8_t at[8], uint64_t value) {
  for (int i = 0; i < 8; i++) at[i] = (uint8_t)(value >> (56 - 8 * i));
}

void pack_put_u32(struct buf *buf, uint32_t value) {
  uint8_t at[4];
  pack_u32(at, value);
  buf_put(buf, bytes_of(at, 4));
}

void pack_put_u64(struct buf *buf, uint64_t value) {
  uint8_t at[8];
  pack_u64(at, value);
  buf_put(buf, bytes_of(at, 8));
}

uint32_t unpack_u32(const uint8_t at[4]) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) value = value << 8 | at[i];
  return value;
}

uint64_t unpack_u64(const uint8_t at[8]) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | at[i];
  return value;
}

bool pack_prefix_end(struct bytes prefix, struct buf *ret_end) {
  while (prefix.len && prefix.at[prefix.len - 1] == 0xff) prefix.len--;
  if (!prefix.len) return false;
  buf_reset(ret_end);
  buf_put(ret_end, prefix);
  if (!buf_ok(ret_end)) return false;
  ret_end->at[ret_end->len - 1]++;
  return true;
}

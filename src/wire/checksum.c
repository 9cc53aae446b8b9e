/* wire/checksum.c: reflected CRCs of 32 and 64 bits by one table walk, and SHA-256. */
#include "wire/checksum.h"

#include "wire/codec.h"

static const struct kind {
  struct bytes header;
  uint64_t polynomial; /* reflected; 0: not a CRC */
  uint64_t mask;       /* start value and final inversion */
  size_t bytes;
} kinds[] = {
    [CHECKSUM_CRC32] = {BYTES_INIT("x-amz-checksum-crc32"), 0xedb88320u, UINT32_MAX, 4},
    [CHECKSUM_CRC32C] = {BYTES_INIT("x-amz-checksum-crc32c"), 0x82f63b78u, UINT32_MAX, 4},
    [CHECKSUM_CRC64NVME] = {BYTES_INIT("x-amz-checksum-crc64nvme"), 0x9a6c9329ac4bc9b5u, UINT64_MAX,
                            8},
    [CHECKSUM_SHA256] = {BYTES_INIT("x-amz-checksum-sha256"), 0, 0, SHA256_BYTES},
};

enum checksum_kind checksum_of_header(struct bytes name) {
  for (size_t i = CHECKSUM_CRC32; i < sizeof kinds / sizeof *kinds; i++)
    if (bytes_eq_nocase(name, kinds[i].header)) return (enum checksum_kind)i;
  return CHECKSUM_NONE;
}

struct bytes checksum_header(enum checksum_kind kind) {
  return kinds[kind].header;
}

static void table_fill(uint64_t table[256], uint64_t polynomial) {
  for (uint64_t i = 0; i < 256; i++) {
    uint64_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
    table[i] = crc;
  }
}

void checksum_init(struct checksum *checksum, enum checksum_kind kind) {
  *checksum = (struct checksum){.kind = kind, .crc = kinds[kind].mask};
  if (kind == CHECKSUM_SHA256)
    digest_init(&checksum->digest, DIGEST_SHA256);
  else if (kind != CHECKSUM_NONE)
    table_fill(checksum->table, kinds[kind].polynomial);
}

void checksum_add(struct checksum *checksum, struct bytes data) {
  if (checksum->kind == CHECKSUM_NONE) return;
  if (checksum->kind == CHECKSUM_SHA256) {
    digest_add(&checksum->digest, data);
    return;
  }
  uint64_t crc = checksum->crc;
  for (size_t i = 0; i < data.len; i++) crc = checksum->table[(crc ^ data.at[i]) & 255] ^ crc >> 8;
  checksum->crc = crc;
}

void checksum_text(struct checksum *checksum, char ret_text[CHECKSUM_TEXT_BYTES]) {
  const struct kind *kind = &kinds[checksum->kind];
  uint8_t value[SHA256_BYTES];
  struct buf text;
  if (checksum->kind == CHECKSUM_SHA256) digest_final(&checksum->digest, value);
  for (size_t i = 0; kind->polynomial && i < kind->bytes; i++)
    value[i] = (uint8_t)((checksum->crc ^ kind->mask) >> 8 * (kind->bytes - 1 - i));
  buf_init(&text, CHECKSUM_TEXT_BYTES);
  base64_encode(&text, bytes_of(value, kind->bytes), 0);
  bytes_text(buf_bytes(&text), ret_text, CHECKSUM_TEXT_BYTES);
  buf_fini(&text);
}

void checksum_fini(struct checksum *checksum) {
  if (checksum->kind == CHECKSUM_SHA256) digest_fini(&checksum->digest);
}

/* tests/fuzz/fuzz_snapshot.c: snapshot_read on arbitrary bytes, sealed with a fitting checksum so
 * that what lies behind the checksum is reached. */
#include "base/digest.h"
#include "runtime/snapshot.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct snapshot snapshot;
  struct err err;
  if (size < 120 || size > (1u << 20)) return 0;
  uint8_t *copy = malloc(size + SHA256_BYTES);
  if (!copy) return 0;
  memcpy(copy, data, size);
  uint64_t total = size + SHA256_BYTES;
  memcpy(copy, "MEDSNAP\n", 8);
  memcpy(copy + 16, guest_engine_hash(GUEST_JS), SNAPSHOT_HASH_DIGITS);
  for (size_t i = 0; i < 8; i++) copy[80 + i] = (uint8_t)(total >> (8 * i));
  sha256(bytes_of(copy, size), copy + size);
  (void)!snapshot_read(bytes_of(copy, total), GUEST_JS, guest_engine_hash(GUEST_JS), &snapshot,
                       &err);
  free(copy);
  return 0;
}

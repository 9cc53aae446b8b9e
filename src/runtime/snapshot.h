/* runtime/snapshot.h: a guest's state after its top level ran, as portable data.
 * Owns:    a loaded snapshot borrows its image, which must outlive what it is applied to.
 * Units:   bytes; blocks of MODULE_BLOCK_BYTES.
 * Errors:  CORRUPT (checksum, lengths, numbers out of range), NEWER (another format),
 *          UNSUPPORTED (another engine: prepare again), LIMIT (memory), IO.
 * Threads: pure but for the descriptor; any thread.
 * Limits:  SNAPSHOT_BYTES_MAX.
 *
 * All numbers little-endian. Never a pointer: tables are numbers of functions in the module's
 * element segments, fields are numbered in the order of the module's shape.
 *
 *   0    8  "MEDSNAP\n"
 *   8    4  format, SNAPSHOT_FORMAT
 *   12   4  kind: 0 JavaScript, 1 WebAssembly
 *   16  64  engine hash, hex digits
 *   80   8  bytes of the whole file, checksum included
 *   88   8  bytes of linear memory, a multiple of 64 KiB
 *   96   4  1: blocks not listed are those of the base snapshot built into the program; 0: zero
 *   100  4  blocks listed
 *   104  4  fields
 *   108  4  tables
 *   112 64  16 words of the language layer (guest addresses)
 *   176     fields: 8 bytes each
 *           tables: 4 bytes entries, then 4 bytes for each: 0 null, else number from 1
 *           blocks, ascending: 4 bytes each: number | 1 << 31 when it is zero
 *           zeros up to a multiple of MODULE_BLOCK_BYTES
 *           content of the listed blocks that are not zero, in order
 *   -32 32  SHA-256 of all before it                                                       */
#ifndef MEDULLA_RUNTIME_SNAPSHOT_H
#define MEDULLA_RUNTIME_SNAPSHOT_H

#include "base/buf.h"
#include "runtime/guest.h"
#include "runtime/instance.h"

#define SNAPSHOT_FORMAT 1
#define SNAPSHOT_WORDS 16
#define SNAPSHOT_BYTES_MAX (4ull << 30)
#define SNAPSHOT_HASH_DIGITS 64

struct snapshot {
  struct bytes image;
  uint32_t kind, based, block_count, field_count, table_count;
  uint64_t memory_bytes;
  uint32_t words[SNAPSHOT_WORDS];
  size_t fields_at, blocks_at, content_at;
};

/* The instance as it is now; `base` (or NULL) names what need not be written again. */
bool snapshot_write(const struct instance *instance, enum guest_kind kind, const char *hash,
                    const uint32_t words[SNAPSHOT_WORDS], const struct snapshot *base, int fd,
                    struct err *err) MUST_CHECK;
/* Checks the image whole, without an instance. */
bool snapshot_read(struct bytes image, enum guest_kind kind, const char *hash,
                   struct snapshot *ret_snapshot, struct err *err) MUST_CHECK;
/* Makes the instance equal to the snapshot, and pristine by it. */
bool snapshot_apply(const struct snapshot *snapshot, const struct snapshot *base,
                    struct instance *instance, struct err *err) MUST_CHECK;

#endif

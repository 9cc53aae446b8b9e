/* store/pack.h: numbers as big-endian bytes, so that byte order is number order.
 * Owns:    nothing.
 * Errors:  none.
 * Threads: pure; any thread.                                                     */
#ifndef MEDULLA_STORE_PACK_H
#define MEDULLA_STORE_PACK_H

#include "base/buf.h"

void pack_u32(uint8_t at[4], uint32_t value);
void pack_u64(uint8_t at[8], uint64_t value);
void pack_put_u32(struct buf *buf, uint32_t value);
void pack_put_u64(struct buf *buf, uint64_t value);
uint32_t unpack_u32(const uint8_t at[4]);
uint64_t unpack_u64(const uint8_t at[8]);
/* The smallest key after every key with this prefix; false when there is none (all 0xff). */
bool pack_prefix_end(struct bytes prefix, struct buf *ret_end);

#endif

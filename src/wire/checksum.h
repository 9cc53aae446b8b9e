/* wire/checksum.h: the checksums S3 clients send along, as one running value.
 * Owns:    struct checksum holds a digest until checksum_text or checksum_fini.
 * Units:   bytes.
 * Errors:  none.
 * Threads: one at a time.
 * Source:  Amazon S3 User Guide, checking object integrity; RFC 3720 App. B.4 (CRC-32C).  */
#ifndef MEDULLA_WIRE_CHECKSUM_H
#define MEDULLA_WIRE_CHECKSUM_H

#include "base/bytes.h"
#include "base/digest.h"

#define CHECKSUM_TEXT_BYTES 45 /* with NUL: base64 of 32 bytes */

enum checksum_kind {
  CHECKSUM_NONE,
  CHECKSUM_CRC32,
  CHECKSUM_CRC32C,
  CHECKSUM_CRC64NVME,
  CHECKSUM_SHA256
};

struct checksum {
  enum checksum_kind kind;
  uint64_t crc;
  uint64_t table[256];
  struct digest digest;
};

/* "x-amz-checksum-crc32" and so on; CHECKSUM_NONE for a name unknown here. */
enum checksum_kind checksum_of_header(struct bytes name);
struct bytes checksum_header(enum checksum_kind kind);
void checksum_init(struct checksum *checksum, enum checksum_kind kind);
void checksum_add(struct checksum *checksum, struct bytes data);
/* Base64, as in the header; ends the checksum. Empty with CHECKSUM_NONE. */
void checksum_text(struct checksum *checksum, char ret_text[CHECKSUM_TEXT_BYTES]);
void checksum_fini(struct checksum *checksum); /* harmless after checksum_text */

#endif

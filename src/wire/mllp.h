/* wire/mllp.h: the minimal lower layer protocol: frames around HL7 v2 messages.
 * Owns:    nothing; a frame is a slice of the caller's input.
 * Units:   bytes.
 * Errors:  mllp_next: LIMIT (a frame over frame_bytes_max), with what to do about it.
 * Threads: one reader at a time.
 * Limits:  frame_bytes_max, named by whoever reads; bytes outside frames are skipped and counted.
 * Source:  HL7 v2 transport specification, MLLP release 1: <VT> message <FS><CR>.
 *
 * The input is one stretch of memory that grows at its end: call mllp_next again with more when it
 * gave no frame, and drop what it consumed. Real senders leave the <CR> out; the next <VT> or
 * anything else behind <FS> then serves as well.                                                 */
#ifndef MEDULLA_WIRE_MLLP_H
#define MEDULLA_WIRE_MLLP_H

#include "base/buf.h"
#include "base/err.h"

#define MLLP_START 0x0b
#define MLLP_END 0x1c
#define MLLP_RETURN 0x0d

struct mllp {
  size_t scanned;         /* bytes of the present input that hold no end */
  uint64_t skipped_bytes; /* outside frames, in all */
  size_t frame_bytes_max;
};

void mllp_init(struct mllp *mllp, size_t frame_bytes_max);
/* The caller drops what was consumed before the next call. *ret_has_frame: a whole message. */
bool mllp_next(struct mllp *mllp, struct bytes input, size_t *ret_consumed, struct bytes *ret_frame,
               bool *ret_has_frame, struct err *err) MUST_CHECK;
void mllp_write(struct buf *buf, struct bytes message);

#endif

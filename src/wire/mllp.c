/* wire/mllp.c: look for the start, then for the end; a frame may be split at any byte. */
#include "wire/mllp.h"

#include <string.h>

void mllp_init(struct mllp *mllp, size_t frame_bytes_max) {
  *mllp = (struct mllp){.frame_bytes_max = frame_bytes_max};
}

/* Bytes before the start: the <CR> of the frame before, or noise. */
static size_t skip(struct mllp *mllp, struct bytes input) {
  size_t start = bytes_find(input, MLLP_START);
  for (size_t i = 0; i < start; i++) {
    if (input.at[i] != MLLP_RETURN && input.at[i] != '\n') mllp->skipped_bytes++;
  }
  return start;
}

/* A start within a frame: the sender gave the first half up and began anew. */
static struct bytes last_start(struct mllp *mllp, struct bytes frame) {
  for (size_t at; (at = bytes_find(frame, MLLP_START)) < frame.len;) {
    mllp->skipped_bytes += at;
    frame = bytes_from(frame, at + 1);
  }
  return frame;
}

bool mllp_next(struct mllp *mllp, struct bytes input, size_t *ret_consumed, struct bytes *ret_frame,
               bool *ret_has_frame, struct err *err) {
  size_t before = mllp->scanned ? 0 : skip(mllp, input);
  struct bytes framed = bytes_from(input, before);
  *ret_consumed = before;
  *ret_has_frame = false;
  if (!framed.len) return true;
  size_t from = mllp->scanned ? mllp->scanned : 1;
  size_t end = from + bytes_find(bytes_from(framed, from), MLLP_END);
  size_t len = end - 1;
  if (len > mllp->frame_bytes_max) {
    FAIL(ERR_LIMIT, "a frame of over %zu bytes; raise the feed's message limit or send less",
         mllp->frame_bytes_max);
  }
  mllp->scanned = framed.len;
  if (end >= framed.len) return true;
  mllp->scanned = 0;
  *ret_frame = last_start(mllp, bytes_sub(framed, 1, len));
  *ret_has_frame = true;
  *ret_consumed = before + end + 1;
  return true;
}

void mllp_write(struct buf *buf, struct bytes message) {
  buf_char(buf, MLLP_START);
  buf_put(buf, message);
  buf_char(buf, MLLP_END);
  buf_char(buf, MLLP_RETURN);
}

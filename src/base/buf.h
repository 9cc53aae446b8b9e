/* base/buf.h: a growing buffer for building output.
 * Owns:    its bytes; wiped and freed by buf_fini.
 * Units:   bytes.
 * Errors:  sticky: past bytes_max nothing more is added and buf_ok() is false; check once.
 * Threads: one at a time.
 * Limits:  bytes_max, named by whoever makes the buffer.                                  */
#ifndef MEDULLA_BASE_BUF_H
#define MEDULLA_BASE_BUF_H

#include "base/bytes.h"

#include <stdarg.h>

struct buf {
  uint8_t *at;
  size_t len;
  size_t room;
  size_t bytes_max;
  bool overflow;
};

void buf_init(struct buf *buf, size_t bytes_max);
void buf_fini(struct buf *buf);
/* Empty it; the room stays. */
void buf_reset(struct buf *buf);
/* Room for `bytes` more; where they start, or NULL past the limit. buf_grew() says how many came.
 */
uint8_t *buf_room(struct buf *buf, size_t bytes);
void buf_grew(struct buf *buf, size_t bytes);
void buf_put(struct buf *buf, struct bytes a);
void buf_str(struct buf *buf, const char *text);
void buf_char(struct buf *buf, uint8_t c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
void buf_u64_decimal(struct buf *buf, uint64_t value);
/* Drop the first `bytes`. */
void buf_consume(struct buf *buf, size_t bytes);
bool buf_ok(const struct buf *buf);
struct bytes buf_bytes(const struct buf *buf);

#endif

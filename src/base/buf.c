/* base/buf.c: doubling growth, sticky overflow. */
#include "base/buf.h"

#include "base/must.h"
#include "base/starve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 256 };

void buf_init(struct buf *buf, size_t bytes_max) {
  *buf = (struct buf){.bytes_max = bytes_max};
}

void buf_fini(struct buf *buf) {
  bytes_wipe(buf->at, buf->len);
  free(buf->at);
  *buf = (struct buf){0};
}

void buf_reset(struct buf *buf) {
  buf->len = 0;
  buf->overflow = false;
}

uint8_t *buf_room(struct buf *buf, size_t bytes) {
  if (buf->overflow || bytes > buf->bytes_max || buf->len > buf->bytes_max - bytes) {
    buf->overflow = true;
    return NULL;
  }
  if (!buf->at || buf->room - buf->len < bytes) {
    size_t room = buf->room ? buf->room * 2 : BUF_FIRST_BYTES;
    while (room - buf->len < bytes) room *= 2;
    uint8_t *at = starve(STARVE_ROOM) ? NULL : realloc(buf->at, room);
    if (!at) {
      buf->overflow = true;
      return NULL;
    }
    buf->at = at;
    buf->room = room;
  }
  return buf->at + buf->len;
}

void buf_grew(struct buf *buf, size_t bytes) {
  must(bytes <= buf->room - buf->len);
  buf->len += bytes;
}

void buf_put(struct buf *buf, struct bytes a) {
  if (a.len == 0) return; /* an empty buffer has no address to add to */
  uint8_t *at = buf_room(buf, a.len);
  if (!at) return;
  memcpy(at, a.at, a.len);
  buf->len += a.len;
}

void buf_str(struct buf *buf, const char *text) {
  buf_put(buf, bytes_str(text));
}

void buf_char(struct buf *buf, uint8_t c) {
  buf_put(buf, bytes_of(&c, 1));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  must(len >= 0);
  char *at = (char *)buf_room(buf, (size_t)len + 1);
  if (at) {
    vsnprintf(at, (size_t)len + 1, format, again);
    buf->len += (size_t)len;
  }
  va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...) {
  va_list args;
  va_start(args, format);
  buf_vprintf(buf, format, args);
  va_end(args);
}

void buf_u64_decimal(struct buf *buf, uint64_t value) {
  uint8_t digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (uint8_t)('0' + value % 10);
    value /= 10;
  } while (value);
  buf_put(buf, bytes_of(digits + at, sizeof digits - at));
}

void buf_consume(struct buf *buf, size_t bytes) {
  must(bytes <= buf->len);
  buf->len -= bytes;
  if (buf->len) memmove(buf->at, buf->at + bytes, buf->len);
}

bool buf_ok(const struct buf *buf) {
  return !buf->overflow;
}

struct bytes buf_bytes(const struct buf *buf) {
  return bytes_of(buf->at, buf->len);
}

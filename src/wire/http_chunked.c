/* wire/http_chunked.c: the chunked transfer coding, RFC 9112 §7.1, one byte after the other but for
 * the data, which passes through as slices.
 *
 *   SIZE ─hex─► SIZE ─';'─► EXTENSION ─CR─► SIZE_LF ─LF─► DATA ─all─► DATA_CR ► DATA_LF ─► SIZE
 *     └──────────CR─────────────────────────► │ size 0
 *                                             └─► TRAILER ─CR─► TRAILER_LF ─empty line─► END
 *
 * Blanks around sizes, bare CR or LF, signs, and sizes past 15 digits are refused: readers differ
 * on them. */
#include "wire/codec.h"
#include "wire/http.h"

enum state { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LF, END };

enum { SIZE_DIGITS_MAX = 15 }; /* below 2^60: sums of sizes stay far from overflow */

static bool is_control(uint8_t c) {
  return (c < 0x20 && c != '\t') || c == 0x7f;
}

static bool size_byte(struct http_chunked *chunked, uint8_t c, struct err *err) {
  int digit = hex_digit(c);
  if (digit >= 0) {
    if (chunked->size_digits == SIZE_DIGITS_MAX) FAIL(ERR_LIMIT, "a chunk size is too long");
    chunked->size_digits++;
    chunked->left = chunked->left << 4 | (uint64_t)digit;
    return true;
  }
  if (chunked->size_digits == 0 || (c != ';' && c != '\r'))
    FAIL(ERR_MALFORMED, "a chunk size is malformed");
  chunked->line_bytes = 0;
  chunked->state = c == ';' ? EXTENSION : SIZE_LF;
  return true;
}

static bool extension_byte(struct http_chunked *chunked, uint8_t c, struct err *err) {
  if (c == '\r') {
    chunked->state = SIZE_LF;
    return true;
  }
  if (is_control(c)) FAIL(ERR_MALFORMED, "a control byte in a chunk extension");
  if (++chunked->line_bytes > HTTP_CHUNK_EXTENSION_BYTES_MAX)
    FAIL(ERR_LIMIT, "a chunk extension is longer than HTTP_CHUNK_EXTENSION_BYTES_MAX");
  if (++chunked->overhead_bytes > HTTP_CHUNK_OVERHEAD_BYTES_MAX)
    FAIL(ERR_LIMIT, "the chunk extensions are longer than HTTP_CHUNK_OVERHEAD_BYTES_MAX");
  return true;
}

static void line_start(struct http_chunked *chunked, enum state state) {
  chunked->state = (uint8_t)state;
  chunked->left = 0;
  chunked->size_digits = 0;
  chunked->line_bytes = 0;
  chunked->trailer_named = false;
}

/* name ':' value CR, as in a head; line_bytes counts the line's bytes. */
static bool trailer_byte(struct http_chunked *chunked, uint8_t c, struct err *err) {
  if (++chunked->trailer_bytes > HTTP_TRAILER_BYTES_MAX)
    FAIL(ERR_LIMIT, "the trailers are longer than HTTP_TRAILER_BYTES_MAX");
  if (c == '\r') {
    if (chunked->line_bytes && !chunked->trailer_named)
      FAIL(ERR_MALFORMED, "a trailer line has no colon");
    chunked->state = TRAILER_LF;
    return true;
  }
  if (chunked->trailer_named) {
    if (is_control(c)) FAIL(ERR_MALFORMED, "a control byte in a trailer");
  } else if (c == ':' && chunked->line_bytes) {
    chunked->trailer_named = true;
  } else if (!http_token_valid(bytes_of(&c, 1))) {
    FAIL(ERR_MALFORMED, "a byte in a trailer name is not allowed");
  }
  chunked->line_bytes++;
  return true;
}

/* The byte that must come here, and the state behind it. */
static bool expect(struct http_chunked *chunked, uint8_t c, uint8_t wanted, enum state next,
                   struct err *err) {
  if (c != wanted) FAIL(ERR_MALFORMED, "a line end in a chunked body is not CRLF");
  chunked->state = (uint8_t)next;
  return true;
}

static bool step_byte(struct http_chunked *chunked, uint8_t c, struct err *err) {
  switch ((enum state)chunked->state) {
  case SIZE: return size_byte(chunked, c, err);
  case EXTENSION: return extension_byte(chunked, c, err);
  case SIZE_LF:
    TRY(expect(chunked, c, '\n', DATA, err));
    if (chunked->left == 0) line_start(chunked, TRAILER);
    return true;
  case DATA_CR: return expect(chunked, c, '\r', DATA_LF, err);
  case DATA_LF:
    TRY(expect(chunked, c, '\n', SIZE, err));
    line_start(chunked, SIZE);
    return true;
  case TRAILER: return trailer_byte(chunked, c, err);
  case TRAILER_LF:
    TRY(expect(chunked, c, '\n', TRAILER, err));
    if (chunked->line_bytes == 0)
      chunked->state = END;
    else
      line_start(chunked, TRAILER);
    return true;
  case DATA:
  case END: break;
  }
  FAIL(ERR_MALFORMED, "a byte behind the end of a chunked body");
}

enum http_step http_chunked_next(struct http_chunked *chunked, struct bytes input,
                                 size_t *ret_consumed, struct bytes *ret_data, struct err *err) {
  size_t at = 0;
  *ret_data = BYTES_NONE;
  while (chunked->state != DATA && chunked->state != END && at < input.len)
    if (!step_byte(chunked, input.at[at++], err)) return HTTP_BAD;
  if (chunked->state == DATA && at < input.len) {
    size_t rest = input.len - at;
    size_t len = chunked->left < rest ? (size_t)chunked->left : rest;
    *ret_data = bytes_sub(input, at, len);
    chunked->left -= len;
    at += len;
    if (chunked->left == 0) chunked->state = DATA_CR;
  }
  *ret_consumed = at;
  return chunked->state == END ? HTTP_DONE : HTTP_MORE;
}

/* wire/codec.h: base64, hexadecimal, percent encoding, HTTP dates and timestamps.
 * Owns:    nothing; output is appended to the caller's buffer (check buf_ok at the end).
 * Units:   UTC milliseconds since 1970; bytes.
 * Errors:  MALFORMED with the byte offset. What was appended before a failure stays.
 * Threads: pure; any thread.
 * Limits:  the buffer's bytes_max; years 0000 to 9999.
 * Source:  RFC 4648 §4, §5, §8; RFC 3986 §2; RFC 9110 §5.6.7; RFC 3339 §5.6.            */
#ifndef MEDULLA_WIRE_CODEC_H
#define MEDULLA_WIRE_CODEC_H

#include "base/buf.h"
#include "base/err.h"

/* Without flags: the standard alphabet, padded. */
enum base64_flag {
  BASE64_URL = 1,   /* '-' and '_' instead of '+' and '/' */
  BASE64_NO_PAD = 2 /* encode without padding; decode with or without it */
};
void base64_encode(struct buf *out, struct bytes input, unsigned flags);
/* Strict: no blanks, no bits left over, nothing after the padding. */
bool base64_decode(struct buf *out, struct bytes text, unsigned flags, struct err *err) MUST_CHECK;

void hex_encode(struct buf *out, struct bytes input); /* lower case */
bool hex_decode(struct buf *out, struct bytes text, struct err *err) MUST_CHECK;
/* The value of one digit, or -1. */
int hex_digit(uint8_t c);

/* RFC 3986's unreserved characters and those in `keep` stay; all else becomes %XX. */
void percent_encode(struct buf *out, struct bytes input, const char *keep);
/* plus_is_blank: as in application/x-www-form-urlencoded. */
bool percent_decode(struct buf *out, struct bytes text, bool plus_is_blank,
                    struct err *err) MUST_CHECK;

#define HTTP_DATE_BYTES 30 /* with NUL: "Sun, 06 Nov 1994 08:49:37 GMT" */
/* IMF-fixdate. Times outside the years 0000 to 9999 are clamped, here and below. */
void http_date_format(int64_t utc_ms, char ret_text[HTTP_DATE_BYTES]);
bool http_date_parse(struct bytes text, int64_t *ret_utc_ms, struct err *err) MUST_CHECK;

#define RFC3339_BYTES 25 /* with NUL: "1994-11-06T08:49:37.000Z" */
void rfc3339_format(int64_t utc_ms, char ret_text[RFC3339_BYTES]);
/* date-time with any offset; digits past the millisecond are cut; a leap second counts as :59. */
bool rfc3339_parse(struct bytes text, int64_t *ret_utc_ms, struct err *err) MUST_CHECK;
/* The parts alone: full-date and full-time. */
bool rfc3339_is_date(struct bytes text);
bool rfc3339_is_time(struct bytes text);

#endif

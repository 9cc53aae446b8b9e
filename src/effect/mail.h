/* effect/mail.h: one text message as RFC 5322 wants it.
 * Owns:    nothing; the result is appended to the caller's buffer.
 * Units:   UTC milliseconds.
 * Errors:  INVALID: an address or subject that could not stand in a header (injection).
 * Threads: pure; any thread.
 * Limits:  MAIL_SUBJECT_BYTES_MAX, MAIL_ADDRESS_BYTES_MAX; lines of at most 998 bytes.
 * Source:  RFC 5322 §3; RFC 2047 §2 (encoded words); RFC 2045 §6.7 (quoted-printable); RFC 3834
 *          §5 (Auto-Submitted).                                                               */
#ifndef MEDULLA_EFFECT_MAIL_H
#define MEDULLA_EFFECT_MAIL_H

#include "base/buf.h"
#include "base/err.h"

#define MAIL_SUBJECT_BYTES_MAX 900
#define MAIL_ADDRESS_BYTES_MAX 254

struct mail {
  struct bytes from, to;      /* "a@b.c" or "Name <a@b.c>"; to: several with commas */
  struct bytes subject, text; /* UTF-8 */
  struct bytes id;            /* left of the '@' of Message-ID */
  int64_t date_ms;
};

/* The address alone, out of "Name <address>". */
bool mail_address(struct bytes text, struct bytes *ret_address, struct err *err) MUST_CHECK;
/* The addresses of a list, with commas, for the envelope. */
bool mail_addresses(struct bytes list, struct buf *ret_addresses, struct err *err) MUST_CHECK;
bool mail_write(struct buf *buf, const struct mail *mail, struct err *err) MUST_CHECK;

#endif

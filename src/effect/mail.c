/* effect/mail.c: headers are checked, never repaired; the body is quoted-printable, so that every
 * server can carry it. */
#include "effect/mail.h"

#include "base/cleanup.h"
#include "wire/codec.h"
#include "wire/utf8.h"

enum { WORD_BYTES_MAX = 42 /* 56 in base64: an encoded word of 68 */, LINE_MAX = 76 };

/* An atom of an address: printable ASCII but what separates or quotes. */
static bool address_char(uint8_t c) {
  static const char refused[] = "()<>[]:;,\\\"@";
  if (c <= ' ' || c >= 0x7f) return false;
  for (const char *r = refused; *r; r++)
    if (c == (uint8_t)*r) return false;
  return true;
}

static bool name_char(uint8_t c) {
  return c == ' ' || address_char(c);
}

static bool all(struct bytes text, bool (*fits)(uint8_t c)) {
  for (size_t i = 0; i < text.len; i++)
    if (!fits(text.at[i])) return false;
  return text.len > 0;
}

bool mail_address(struct bytes text, struct bytes *ret_address, struct err *err) {
  struct bytes address = bytes_trim(text), domain;
  if (bytes_ends(address, BYTES(">"))) {
    struct bytes name = bytes_trim(bytes_cut(address, '<', &address));
    address.len = address.len ? address.len - 1 : 0;
    if (name.len && !all(name, name_char))
      FAIL(ERR_INVALID, "a name before <address> has plain letters, digits and blanks");
  }
  struct bytes local = bytes_cut(address, '@', &domain);
  if (address.len > MAIL_ADDRESS_BYTES_MAX || !all(local, address_char) ||
      !all(domain, address_char))
    FAIL(ERR_INVALID, "not a mail address: it is name@host, in plain letters");
  *ret_address = address;
  return true;
}

bool mail_addresses(struct bytes list, struct buf *ret_addresses, struct err *err) {
  for (struct bytes rest = list; rest.len;) {
    struct bytes address;
    TRY(mail_address(bytes_cut(rest, ',', &rest), &address, err));
    if (ret_addresses->len) buf_char(ret_addresses, ',');
    buf_put(ret_addresses, address);
  }
  if (ret_addresses->len == 0) FAIL(ERR_INVALID, "a mail needs a recipient");
  return true;
}

/* Encoded words, cut between characters and folded. */
static void put_words(struct buf *buf, struct bytes text) {
  for (bool first = true; text.len; first = false) {
    size_t len = 0;
    uint32_t code;
    for (size_t step; len < text.len; len += step) {
      step = utf8_decode(bytes_from(text, len), &code);
      if (step == 0 || len + step > WORD_BYTES_MAX) break;
    }
    buf_str(buf, first ? "=?utf-8?B?" : "\r\n =?utf-8?B?");
    base64_encode(buf, bytes_sub(text, 0, len), 0);
    buf_str(buf, "?=");
    text = bytes_from(text, len);
  }
}

static bool put_subject(struct buf *buf, struct bytes subject, struct err *err) {
  bool plain = subject.len <= LINE_MAX - 10;
  if (subject.len > MAIL_SUBJECT_BYTES_MAX) FAIL(ERR_LIMIT, "a subject has at most 900 bytes");
  if (!utf8_valid(subject)) FAIL(ERR_INVALID, "the subject is not UTF-8");
  for (size_t i = 0; i < subject.len; i++) {
    if (subject.at[i] < ' ' || subject.at[i] == 0x7f)
      FAIL(ERR_INVALID, "a subject is one line without control characters");
    if (subject.at[i] >= 0x80) plain = false;
  }
  /* What looks like an encoded word must not be read as one. */
  if (bytes_find_bytes(subject, BYTES("=?")) < subject.len) plain = false;
  buf_str(buf, "Subject: ");
  if (plain)
    buf_put(buf, subject);
  else
    put_words(buf, subject);
  buf_str(buf, "\r\n");
  return true;
}

static void put_quoted(struct buf *buf, size_t *column, struct bytes rest) {
  uint8_t c = rest.at[0];
  bool plain = c == ' ' || (c > ' ' && c < 0x7f && c != '=');
  size_t width = plain ? 1 : 3;
  if (*column + width > LINE_MAX - 1) {
    buf_str(buf, "=\r\n");
    *column = 0;
  }
  /* A dot alone and "From " at the start of a line mean something to servers. */
  if (*column == 0 && (c == '.' || bytes_starts(rest, BYTES("From ")))) plain = false, width = 3;
  if (plain)
    buf_char(buf, c);
  else
    buf_printf(buf, "=%02X", c);
  *column += width;
}

static void put_text(struct buf *buf, struct bytes text) {
  size_t column = 0;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    bool ends = c == '\n' || (c == '\r' && i + 1 < text.len && text.at[i + 1] == '\n');
    if (ends) {
      if (c == '\r') i++;
      buf_str(buf, "\r\n");
      column = 0;
      continue;
    }
    bool before_end = i + 1 == text.len || text.at[i + 1] == '\n' || text.at[i + 1] == '\r';
    if (c == ' ' && before_end) { /* blanks at the end of a line get lost on the way */
      buf_str(buf, "=20");
      column += 3;
    } else {
      put_quoted(buf, &column, bytes_from(text, i));
    }
  }
  buf_str(buf, "\r\n");
}

bool mail_write(struct buf *buf, const struct mail *mail, struct err *err) {
  char date[HTTP_DATE_BYTES];
  struct bytes from;
  cleanup_buf struct buf to;
  buf_init(&to, MAIL_ADDRESS_BYTES_MAX * 64);
  TRY(mail_address(mail->from, &from, err));
  TRY(mail_addresses(mail->to, &to, err));
  struct bytes domain = bytes_from(from, bytes_find(from, '@') + 1);
  http_date_format(mail->date_ms, date);
  buf_printf(buf, "From: %.*s\r\n", BYTES_FMT(bytes_trim(mail->from)));
  buf_str(buf, "To: ");
  for (struct bytes rest = mail->to; rest.len;) { /* folded: a list may be long */
    struct bytes one = bytes_trim(bytes_cut(rest, ',', &rest));
    buf_put(buf, one);
    buf_str(buf, rest.len ? ",\r\n " : "\r\n");
  }
  TRY(put_subject(buf, mail->subject, err));
  /* "Mon, 23 Nov 2026 20:21:51 GMT" but for the zone. */
  buf_printf(buf, "Date: %.*s +0000\r\n", (int)sizeof date - 5, date);
  buf_printf(buf, "Message-ID: <%.*s@%.*s>\r\n", BYTES_FMT(mail->id), BYTES_FMT(domain));
  buf_str(buf, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
               "Content-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
  put_text(buf, mail->text);
  if (!buf_ok(buf)) FAIL(ERR_LIMIT, "the mail is too large");
  return true;
}

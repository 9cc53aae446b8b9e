/* hl7/text.c: what stands between two escape characters, and what it means (§2.7).
 *
 *   \F\ \S\ \T\ \R\ \E\ \P\   the separators themselves
 *   \X0D0A\                   bytes in hexadecimal
 *   \.br\ \.sp 2\ \.in+4\     formatting (FT, TX): line feeds and blanks
 *   \H\ \N\                   highlighting: dropped
 *   \Cxxyy\ \Mxxyyzz\         switches of the character set: dropped, the message is UTF-8
 *   \Z…\                      agreed between two sites: kept as it stands */
#include "base/buf.h"
#include "hl7/charset.h"
#include "wire/codec.h"
#include "wire/utf8.h"

#include <string.h>

enum { SPACES_MAX = 100 };

/* A formatting command behind the dot; false when unknown. */
static bool format(struct buf *out, struct bytes command) {
  uint64_t count = 1;
  struct bytes word = bytes_sub(command, 0, 2);
  struct bytes number = bytes_trim(bytes_from(command, 2));
  if (number.len && number.at[0] == '+') number = bytes_from(number, 1);
  if (number.len && !bytes_u64(number, &count)) count = 1;
  if (count > SPACES_MAX) count = SPACES_MAX;
  if (bytes_eq_nocase(word, BYTES("br"))) {
    buf_char(out, '\n');
  } else if (bytes_eq_nocase(word, BYTES("sp")) || bytes_eq_nocase(word, BYTES("ce"))) {
    while (count--) buf_char(out, '\n');
  } else if (bytes_eq_nocase(word, BYTES("sk"))) {
    while (count--) buf_char(out, ' ');
  } else {
    return bytes_eq_nocase(word, BYTES("in")) || bytes_eq_nocase(word, BYTES("ti")) ||
           bytes_eq_nocase(word, BYTES("fi")) || bytes_eq_nocase(word, BYTES("nf"));
  }
  return true;
}

static bool hexadecimal(struct buf *out, struct bytes digits) {
  struct buf raw;
  buf_init(&raw, digits.len + 1);
  bool ok = hex_decode(&raw, digits, NULL) && buf_ok(&raw);
  /* A text stays UTF-8: bytes of another set are read as windows-1252's lower half, Latin-1. */
  if (ok && utf8_valid(buf_bytes(&raw))) {
    buf_put(out, buf_bytes(&raw));
  } else if (ok) {
    for (size_t i = 0; i < raw.len; i++) {
      uint8_t c = raw.at[i];
      if (c >= 0x80) buf_char(out, (uint8_t)(0xc0 | c >> 6));
      buf_char(out, c >= 0x80 ? (uint8_t)(0x80 | (c & 0x3f)) : c);
    }
  }
  buf_fini(&raw);
  return ok;
}

static bool one_letter(struct buf *out, const struct hl7_separators *s, uint8_t letter) {
  switch (letter) {
  case 'F': buf_char(out, s->field); return true;
  case 'S': buf_char(out, s->component); return true;
  case 'T': buf_char(out, s->subcomponent); return true;
  case 'R': buf_char(out, s->repetition); return true;
  case 'E': buf_char(out, s->escape); return true;
  case 'P': buf_char(out, s->truncation ? s->truncation : '#'); return true;
  case 'H':
  case 'N': return true;
  default: return false;
  }
}

static bool escape(struct buf *out, const struct hl7_separators *s, struct bytes inner) {
  if (inner.len == 1) return one_letter(out, s, inner.at[0]);
  if (inner.len && inner.at[0] == 'X') return hexadecimal(out, bytes_from(inner, 1));
  if (inner.len && inner.at[0] == '.') return format(out, bytes_from(inner, 1));
  return inner.len && (inner.at[0] == 'C' || inner.at[0] == 'M') &&
         (inner.len == 5 || inner.len == 7);
}

static void decode(struct buf *out, struct hl7_message *message, struct bytes raw) {
  const uint8_t mark = message->separators.escape;
  while (raw.len) {
    size_t at = bytes_find(raw, mark);
    buf_put(out, bytes_sub(raw, 0, at));
    raw = bytes_from(raw, at);
    if (!raw.len) return;
    size_t len = bytes_find(bytes_from(raw, 1), mark);
    if (len + 1 >= raw.len) {
      hl7_note(message, HL7_ESCAPE_OPEN, 0);
      buf_put(out, raw);
      return;
    }
    if (!escape(out, &message->separators, bytes_sub(raw, 1, len))) {
      hl7_note(message, HL7_ESCAPE_LOCAL, 0);
      buf_put(out, bytes_sub(raw, 0, len + 2));
    }
    raw = bytes_from(raw, len + 2);
  }
}

struct bytes hl7_text(struct arena *arena, struct hl7_message *message, struct bytes raw) {
  struct buf out;
  if (bytes_find(raw, message->separators.escape) == raw.len) return raw;
  buf_init(&out, raw.len * SPACES_MAX + 16);
  decode(&out, message, raw);
  struct bytes text = arena_copy(arena, buf_bytes(&out));
  buf_fini(&out);
  return text;
}

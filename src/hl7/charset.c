/* hl7/charset.c: which character set a message is really in, and its conversion (iconv).
 *
 * Senders often leave MSH-18 out, or name ASCII and send something else. The bytes decide first:
 * what is valid UTF-8 is UTF-8 unless another set is named; what does not decode in the named set
 * is read in the feed's own (windows-1252 unless told otherwise). */
#include "hl7/charset.h"

#include "base/buf.h"
#include "wire/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define FALLBACK "WINDOWS-1252"
#define UTF8 "UTF-8"

/* Table 0211. An empty name: ASCII, where any byte over 127 is a lie. */
static const struct {
  const char *word, *name;
} sets[] = {
    {"ASCII", ""},
    {"ISO IR6", ""},
    {"8859/1", "ISO-8859-1"},
    {"8859/2", "ISO-8859-2"},
    {"8859/3", "ISO-8859-3"},
    {"8859/4", "ISO-8859-4"},
    {"8859/5", "ISO-8859-5"},
    {"8859/6", "ISO-8859-6"},
    {"8859/7", "ISO-8859-7"},
    {"8859/8", "ISO-8859-8"},
    {"8859/9", "ISO-8859-9"},
    {"8859/15", "ISO-8859-15"},
    {"ISO IR14", "SHIFT_JIS"},
    {"ISO IR87", "ISO-2022-JP"},
    {"ISO IR159", "ISO-2022-JP-1"},
    {"GB 18030-2000", "GB18030"},
    {"KS X 1001", "EUC-KR"},
    {"CNS 11643-1992", "EUC-TW"},
    {"BIG-5", "BIG5"},
    {"UNICODE", UTF8}, /* withdrawn; who writes it sends UTF-8 */
    {"UNICODE UTF-8", UTF8},
    {"UTF-8", UTF8}, /* in no table, in many messages */
    {"UTF8", UTF8},
    {"WINDOWS-1252", "WINDOWS-1252"},
    {"CP1252", "WINDOWS-1252"},
    {"WINDOWS-1251", "WINDOWS-1251"},
    {"WINDOWS-1250", "WINDOWS-1250"},
};

const char *hl7_charset_name(struct bytes word) {
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    if (bytes_eq_nocase(word, bytes_str(sets[i].word))) return sets[i].name;
  }
  return NULL;
}

/* MSH-18 before the message is split: the header line has no foreign separators in any set. */
static struct bytes declared(const struct hl7_message *message, struct bytes text) {
  struct bytes line = bytes_sub(text, 0, bytes_find(text, '\r'));
  line = bytes_sub(line, 0, bytes_find(line, '\n'));
  struct hl7_message header = {.separators = message->separators};
  struct hl7_segment msh = {"MSH", line};
  return bytes_trim(hl7_repetition(&header, hl7_field(&header, &msh, 18), 1));
}

static bool plain(struct bytes text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.at[i] >= 0x80 || text.at[i] == 0x1b) return false; /* ESC: ISO 2022 switches sets */
  }
  return true;
}

struct converting {
  iconv_t with;
  struct buf out;
  bool lossy;
};

static const char replacement[] = "\xef\xbf\xbd";

/* One more stretch; a byte that is in no set becomes the replacement character. */
static void convert_step(struct converting *c, char **in, size_t *in_left) {
  uint8_t room[4096];
  char *out = (char *)room;
  size_t out_left = sizeof room;
  size_t done = iconv(c->with, in, in_left, &out, &out_left);
  int why = errno;
  buf_put(&c->out, bytes_of(room, sizeof room - out_left));
  if (done != (size_t)-1 || why == E2BIG) return;
  c->lossy = true; /* EILSEQ, or EINVAL for half a letter at the end */
  buf_str(&c->out, replacement);
  (*in)++;
  (*in_left)--;
}

/* strict: false without output when a byte is not in the set. */
static bool convert(struct arena *arena, struct bytes text, const char *name, bool strict,
                    struct bytes *ret_text, bool *ret_lossy) {
  struct converting c = {.with = iconv_open(UTF8, name)};
  char *in = (char *)(uintptr_t)text.at;
  size_t left = text.len;
  if (c.with == (iconv_t)-1) return false;
  buf_init(&c.out, (size_t)HL7_BYTES_MAX * 4);
  while (left && buf_ok(&c.out) && !(strict && c.lossy)) convert_step(&c, &in, &left);
  bool ok = buf_ok(&c.out) && !(strict && c.lossy);
  if (ok) *ret_text = arena_copy(arena, buf_bytes(&c.out));
  *ret_lossy = c.lossy;
  buf_fini(&c.out);
  iconv_close(c.with);
  return ok;
}

/* The set that MSH-18 names is believed only when every byte is in it. */
static bool believed(struct arena *arena, struct bytes text, const char *name,
                     struct bytes *ret_text) {
  bool lossy;
  if (!name || !*name) return false;
  if (strcmp(name, UTF8) == 0) {
    *ret_text = text;
    return utf8_valid(text);
  }
  return convert(arena, text, name, true, ret_text, &lossy);
}

bool hl7_charset_apply(struct arena *arena, struct hl7_message *message, struct bytes text,
                       const char *fallback, struct bytes *ret_text, struct err *err) {
  struct bytes word = declared(message, text);
  const char *name = hl7_charset_name(word);
  bool lossy = false;
  *ret_text = text;
  if (bytes_eq_nocase(word, BYTES("UNICODE UTF-16")) ||
      bytes_eq_nocase(word, BYTES("UNICODE UTF-32"))) {
    FAIL(ERR_UNSUPPORTED, "MSH-18: UTF-16 and UTF-32 cannot be carried byte by byte; send UTF-8");
  }
  if (word.len && !name) hl7_note(message, HL7_CHARSET_UNKNOWN, 1);
  if (plain(text)) return true;
  bool read = believed(arena, text, name, ret_text);
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the message does not fit its arena");
  if (read) return true;
  if (!word.len) hl7_note(message, HL7_CHARSET_MISSING, 1);
  if (name) hl7_note(message, HL7_CHARSET_WRONG, 1);
  if (utf8_valid(text)) {
    *ret_text = text;
    return true;
  }
  if (!convert(arena, text, fallback ? fallback : FALLBACK, false, ret_text, &lossy)) {
    FAIL(ERR_LIMIT, "the message cannot be converted from %s", fallback ? fallback : FALLBACK);
  }
  if (lossy) hl7_note(message, HL7_CHARSET_WRONG, 1);
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the message does not fit its arena");
  return true;
}

/* wire/regex_translate.c: ECMA-262 to PCRE2, one construct at a time. Where both write the same
 * but mean different things (\s, \v, the dot), the meaning is spelled out; what ECMA-262 does not
 * have (\A, \Q, inline options, possessive quantifiers) is refused. */
#include "wire/codec.h"
#include "wire/regex.h"
#include "wire/utf8.h"

#include <string.h>

struct translator {
  struct buf *out;
  struct bytes in;
  size_t at;
  bool in_class;
};

#define BAD(what) FAIL_AT(ERR_MALFORMED, t->at, "pattern: " what)

/* ECMA-262 §22.2.2.9: WhiteSpace and LineTerminator, and all the rest. */
#define BLANKS \
  "\\x09-\\x0D\\x20\\xA0\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}" \
  "\\x{205F}\\x{3000}\\x{FEFF}"
#define NOT_BLANKS \
  "\\x00-\\x08\\x0E-\\x1F\\x21-\\x9F\\xA1-\\x{167F}\\x{1681}-\\x{1FFF}" \
  "\\x{200B}-\\x{2027}\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}" \
  "\\x{3001}-\\x{FEFE}\\x{FF00}-\\x{10FFFF}"

/* Names of general categories (UAX #44) for which PCRE2 knows only the short form. */
static const char *const categories[][2] = {
    {"Letter", "L"},
    {"Lowercase_Letter", "Ll"},
    {"Uppercase_Letter", "Lu"},
    {"Titlecase_Letter", "Lt"},
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
};

static int peek(const struct translator *t, size_t ahead) {
  return t->at + ahead < t->in.len ? t->in.at[t->at + ahead] : -1;
}

static bool is_digit(int c) {
  return c >= '0' && c <= '9';
}

static void put_code(struct translator *t, uint32_t code) {
  buf_printf(t->out, "\\x{%x}", code);
}

/* `digits` hexadecimal digits at t->at. */
static bool take_hex(struct translator *t, size_t digits, uint32_t *ret_code, struct err *err) {
  uint32_t code = 0;
  for (size_t i = 0; i < digits; i++) {
    int digit = peek(t, i) < 0 ? -1 : hex_digit((uint8_t)peek(t, i));
    if (digit < 0) BAD("an escape needs hexadecimal digits");
    code = code << 4 | (uint32_t)digit;
  }
  t->at += digits;
  *ret_code = code;
  return true;
}

static bool take_braced(struct translator *t, uint32_t *ret_code, struct err *err) {
  size_t digits = bytes_find(bytes_from(t->in, ++t->at), '}');
  if (digits == 0 || digits > 6) BAD("\\u{...} needs one to six digits");
  TRY(take_hex(t, digits, ret_code, err));
  if (peek(t, 0) != '}') BAD("\\u{...} does not end");
  t->at++;
  return true;
}

static bool take_u(struct translator *t, struct err *err) {
  uint32_t code;
  if (peek(t, 0) == '{') {
    TRY(take_braced(t, &code, err));
  } else {
    TRY(take_hex(t, 4, &code, err));
    uint32_t low = 0;
    if (code >= 0xD800 && code <= 0xDBFF && peek(t, 0) == '\\' && peek(t, 1) == 'u') {
      t->at += 2;
      TRY(take_hex(t, 4, &low, err));
      if (low < 0xDC00 || low > 0xDFFF) BAD("a surrogate without its other half");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
  }
  if (code > UTF8_CODE_MAX || (code >= 0xD800 && code <= 0xDFFF)) BAD("not a code point");
  put_code(t, code);
  return true;
}

static bool is_property_text(struct bytes text) {
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
    if (!word) return false;
  }
  return text.len > 0;
}

/* \p{L}, \p{Letter}, \p{gc=Letter}, \p{Script=Greek}, \p{scx=Greek}, \p{Alphabetic}. */
static bool take_property(struct translator *t, uint8_t letter, struct err *err) {
  if (peek(t, 0) != '{') BAD("\\p needs {...}");
  struct bytes value;
  struct bytes rest = bytes_from(t->in, t->at + 1);
  size_t close = bytes_find(rest, '}');
  if (close == rest.len) BAD("\\p{...} does not end");
  struct bytes key = bytes_cut(bytes_sub(rest, 0, close), '=', &value);
  if (!is_property_text(key) || (value.len && !is_property_text(value)))
    BAD("a property that does not exist");
  bool category = bytes_eq_str(key, "gc") || bytes_eq_str(key, "General_Category");
  bool extended = bytes_eq_str(key, "scx") || bytes_eq_str(key, "Script_Extensions");
  bool script = extended || bytes_eq_str(key, "sc") || bytes_eq_str(key, "Script");
  if (value.len && !category && !script) BAD("a property that does not exist");
  struct bytes name = value.len ? value : key;
  for (size_t i = 0; !script && i < sizeof categories / sizeof *categories; i++)
    if (bytes_eq_str(name, categories[i][0])) name = bytes_str(categories[i][1]);
  const char *prefix = extended ? "scx:" : script ? "sc:" : "";
  buf_printf(t->out, "\\%c{%s%.*s}", letter, prefix, BYTES_FMT(name));
  t->at += close + 2;
  return true;
}

static bool take_named_backreference(struct translator *t, struct err *err) {
  struct bytes rest = bytes_from(t->in, t->at);
  size_t close = bytes_find(rest, '>');
  if (rest.len < 3 || rest.at[0] != '<' || close == rest.len) BAD("\\k needs <name>");
  if (!is_property_text(bytes_sub(rest, 1, close - 1))) BAD("\\k needs <name>");
  buf_printf(t->out, "\\k%.*s", BYTES_FMT(bytes_sub(rest, 0, close + 1)));
  t->at += close + 1;
  return true;
}

static bool take_number(struct translator *t, struct err *err) {
  uint32_t number = 0;
  size_t digits = 0;
  while (is_digit(peek(t, digits)) && digits < 4)
    number = number * 10 + (uint32_t)(peek(t, digits++) - '0');
  if (peek(t, 0) == '0' && digits > 1) BAD("\\0 may not be followed by a digit");
  if (number == 0)
    put_code(t, 0);
  else if (t->in_class)
    BAD("a reference to a group inside [...]");
  else
    buf_printf(t->out, "\\g{%u}", number);
  t->at += digits;
  return true;
}

static bool take_control(struct translator *t, struct err *err) {
  int letter = peek(t, 0) | 0x20;
  if (peek(t, 0) < 0 || letter < 'a' || letter > 'z') BAD("\\c needs a letter");
  put_code(t, (uint32_t)letter & 31);
  t->at++;
  return true;
}

static bool take_hex_escape(struct translator *t, struct err *err) {
  uint32_t code;
  TRY(take_hex(t, 2, &code, err));
  put_code(t, code);
  return true;
}

/* t->at is behind the backslash and c. */
static bool take_letter_escape(struct translator *t, uint8_t c, struct err *err) {
  switch (c) {
  case 'd':
  case 'D':
  case 'w':
  case 'W':
  case 'f':
  case 'n':
  case 'r':
  case 't': buf_printf(t->out, "\\%c", c); return true;
  case 'b': buf_str(t->out, t->in_class ? "\\x08" : "\\b"); return true;
  case 'B':
    if (t->in_class) BAD("\\B inside [...]");
    buf_str(t->out, "\\B");
    return true;
  case 'v': buf_str(t->out, "\\x0B"); return true;
  case 's': buf_str(t->out, t->in_class ? BLANKS : "[" BLANKS "]"); return true;
  case 'S': buf_str(t->out, t->in_class ? NOT_BLANKS : "[" NOT_BLANKS "]"); return true;
  case 'x': return take_hex_escape(t, err);
  case 'u': return take_u(t, err);
  case 'c': return take_control(t, err);
  case 'p':
  case 'P': return take_property(t, c, err);
  case 'k':
    if (t->in_class) BAD("a reference to a group inside [...]");
    return take_named_backreference(t, err);
  default: BAD("an escape that ECMA-262 does not have");
  }
}

static bool take_escape(struct translator *t, struct err *err) {
  int c = peek(t, 1);
  if (c < 0) BAD("a backslash at the end");
  t->at++;
  if (is_digit(c)) return take_number(t, err);
  if (c >= 0x80) BAD("an escape that ECMA-262 does not have");
  t->at++;
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return take_letter_escape(t, (uint8_t)c, err);
  put_code(t, (uint32_t)c);
  return true;
}

/* "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<name>" and "(" alone. */
static bool take_open(struct translator *t, struct err *err) {
  static const char *const forms[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!"};
  struct bytes rest = bytes_from(t->in, t->at);
  size_t len = 1;
  if (peek(t, 1) == '*') BAD("nothing stands before '*'");
  if (peek(t, 1) == '?') {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
      if (bytes_starts(rest, bytes_str(forms[i]))) len = strlen(forms[i]);
    size_t close = bytes_find(rest, '>');
    bool named = len == 1 && peek(t, 2) == '<' && close < rest.len && close > 3 &&
                 is_property_text(bytes_sub(rest, 3, close - 3));
    if (named) len = close + 1;
    if (len == 1) BAD("a group that ECMA-262 does not have");
  }
  buf_put(t->out, bytes_sub(rest, 0, len));
  t->at += len;
  return true;
}

/* Length of "{n}", "{n,}" or "{n,m}" at t->at; else 0. */
static size_t braces(const struct translator *t) {
  size_t len = 1;
  if (peek(t, 0) != '{' || !is_digit(peek(t, 1))) return 0;
  while (is_digit(peek(t, len))) len++;
  if (peek(t, len) == ',') len++;
  while (is_digit(peek(t, len))) len++;
  return peek(t, len) == '}' ? len + 1 : 0;
}

static bool take_quantifier(struct translator *t, size_t len, struct err *err) {
  buf_put(t->out, bytes_sub(t->in, t->at, len));
  t->at += len;
  if (peek(t, 0) == '?') {
    buf_char(t->out, '?');
    t->at++;
  }
  int next = peek(t, 0);
  if (next == '*' || next == '+' || next == '?' || braces(t)) BAD("a quantifier after another");
  return true;
}

static bool take_in_class(struct translator *t, uint8_t c) {
  if (c == '[')
    buf_str(t->out, "\\[");
  else
    buf_char(t->out, c);
  if (c == ']') t->in_class = false;
  t->at++;
  return true;
}

static bool take_class(struct translator *t) {
  bool negated = peek(t, 1) == '^';
  buf_str(t->out, negated ? "[^" : "[");
  t->in_class = true;
  t->at += 1 + negated;
  return true;
}

static bool take_one(struct translator *t, struct err *err) {
  uint8_t c = t->in.at[t->at];
  if (c == '\\') return take_escape(t, err);
  if (t->in_class) return take_in_class(t, c);
  if (c == '[') return take_class(t);
  if (c == '(') return take_open(t, err);
  if (c == '*' || c == '+' || c == '?') return take_quantifier(t, 1, err);
  if (braces(t)) return take_quantifier(t, braces(t), err);
  if (c == '.')
    buf_str(t->out, "[^\\n\\r\\x{2028}\\x{2029}]");
  else if (c == '{' || c == '}' || c == ']')
    buf_printf(t->out, "\\%c", c);
  else
    buf_char(t->out, c);
  t->at++;
  return true;
}

bool regex_translate(struct buf *out, struct bytes pattern, struct err *err) {
  struct translator translator = {.out = out, .in = pattern};
  struct translator *t = &translator;
  if (pattern.len > REGEX_PATTERN_BYTES_MAX)
    FAIL(ERR_LIMIT, "pattern: more than %d bytes", REGEX_PATTERN_BYTES_MAX);
  while (t->at < pattern.len) TRY(take_one(t, err));
  if (t->in_class) BAD("[...] does not end");
  if (!buf_ok(out)) FAIL(ERR_LIMIT, "pattern: too long when translated");
  return true;
}

/* fhir/path_lex.c: the tokens of FHIRPath. */
#include "fhir/path_lex.h"

#include "wire/codec.h"
#include "wire/utf8.h"

enum { UNICODE_DIGITS = 4 };

void path_lex_init(struct path_lexer *lexer, struct arena *arena, struct bytes text) {
  *lexer = (struct path_lexer){.arena = arena, .text = text};
}

static uint8_t look(const struct path_lexer *lexer, size_t ahead) {
  size_t at = lexer->at + ahead;
  return at < lexer->text.len ? lexer->text.at[at] : 0;
}

static bool is_digit(uint8_t c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Blanks and comments. */
static bool skip(struct path_lexer *lexer, struct err *err) {
  for (;;) {
    uint8_t c = look(lexer, 0);
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      lexer->at++;
    } else if (c == '/' && look(lexer, 1) == '/') {
      while (lexer->at < lexer->text.len && look(lexer, 0) != '\n') lexer->at++;
    } else if (c == '/' && look(lexer, 1) == '*') {
      struct bytes rest = bytes_from(lexer->text, lexer->at + 2);
      size_t end = bytes_find_bytes(rest, BYTES("*/"));
      if (end == rest.len) FAIL_AT(ERR_MALFORMED, lexer->at, "the comment has no end");
      lexer->at += end + 4;
    } else {
      return true;
    }
  }
}

/* \uXXXX; two of them for what lies beyond. */
static bool read_unicode(struct path_lexer *lexer, uint32_t *ret_code) {
  uint32_t code = 0;
  for (size_t i = 0; i < UNICODE_DIGITS; i++) {
    int digit = hex_digit(look(lexer, i));
    if (digit < 0) return false;
    code = code << 4 | (uint32_t)digit;
  }
  lexer->at += UNICODE_DIGITS;
  *ret_code = code;
  return true;
}

static bool read_code_point(struct path_lexer *lexer, uint32_t *ret_code) {
  uint32_t code;
  uint32_t low;
  if (!read_unicode(lexer, &code)) return false;
  if (code >= 0xD800 && code < 0xDC00) {
    if (look(lexer, 0) != '\\' || look(lexer, 1) != 'u') return false;
    lexer->at += 2;
    if (!read_unicode(lexer, &low) || low < 0xDC00 || low >= 0xE000) return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  *ret_code = code;
  return true;
}

static bool read_escape(struct path_lexer *lexer, uint8_t *out, size_t *count, struct err *err) {
  static const char known[] = "'\"`\\/rntf";
  static const char meant[] = "'\"`\\/\r\n\t\f";
  size_t start = lexer->at;
  uint8_t c = look(lexer, 1);
  lexer->at += 2;
  if (c == 'u') {
    uint32_t code;
    size_t bytes = read_code_point(lexer, &code) ? utf8_encode(code, out + *count) : 0;
    if (bytes == 0) FAIL_AT(ERR_MALFORMED, start, "\\u needs four hexadecimal digits");
    *count += bytes;
    return true;
  }
  for (size_t i = 0; i < sizeof known - 1; i++) {
    if (c != (uint8_t)known[i]) continue;
    out[(*count)++] = (uint8_t)meant[i];
    return true;
  }
  FAIL_AT(ERR_MALFORMED, start, "an unknown escape; a backslash itself is written \\\\");
}

/* A text between two quotes; an escape never grows. */
static bool read_quoted(struct path_lexer *lexer, uint8_t quote, struct err *err) {
  size_t start = lexer->at++;
  uint8_t *out = arena_alloc(lexer->arena, lexer->text.len - start);
  size_t count = 0;
  if (!out) FAIL_AT(ERR_LIMIT, start, "the expression needs more memory than allowed");
  while (look(lexer, 0) != quote) {
    if (lexer->at >= lexer->text.len) FAIL_AT(ERR_MALFORMED, start, "the text has no end");
    if (look(lexer, 0) == '\\')
      TRY(read_escape(lexer, out, &count, err));
    else
      out[count++] = lexer->text.at[lexer->at++];
  }
  lexer->at++;
  lexer->token.text = bytes_of(out, count);
  return true;
}

static void digits(struct path_lexer *lexer) {
  while (is_digit(look(lexer, 0))) lexer->at++;
}

static void read_number(struct path_lexer *lexer) {
  digits(lexer);
  if (look(lexer, 0) == '.' && is_digit(look(lexer, 1))) {
    lexer->at++;
    digits(lexer);
  }
}

static void read_time(struct path_lexer *lexer) {
  digits(lexer);
  while (look(lexer, 0) == ':' && is_digit(look(lexer, 1))) {
    lexer->at++;
    digits(lexer);
  }
  if (look(lexer, 0) == '.' && is_digit(look(lexer, 1))) {
    lexer->at++;
    digits(lexer);
  }
}

static void read_zone(struct path_lexer *lexer) {
  uint8_t c = look(lexer, 0);
  if (c == 'Z') lexer->at++;
  if ((c != '+' && c != '-') || !is_digit(look(lexer, 1)) || !is_digit(look(lexer, 2)) ||
      look(lexer, 3) != ':')
    return;
  lexer->at += 4;
  digits(lexer);
}

/* "@2015-02", "@2015T", "@2015-02-04T14:30+01:00", "@T14:30". Whether the parts are in range is
 * for the parser to say. */
static void read_moment(struct path_lexer *lexer) {
  size_t start = ++lexer->at;
  enum path_token_kind kind = PATH_TOKEN_DATE;
  if (look(lexer, 0) == 'T') {
    kind = PATH_TOKEN_TIME;
    start = ++lexer->at;
    read_time(lexer);
  } else {
    digits(lexer);
    while (look(lexer, 0) == '-' && is_digit(look(lexer, 1))) {
      lexer->at++;
      digits(lexer);
    }
    if (look(lexer, 0) == 'T') {
      kind = PATH_TOKEN_DATETIME;
      lexer->at++;
      read_time(lexer);
      read_zone(lexer);
    }
  }
  lexer->token.kind = kind;
  lexer->token.text = bytes_sub(lexer->text, start, lexer->at - start);
}

static bool read_sign(struct path_lexer *lexer, struct err *err) {
  static const char *const twos[] = {"<=", ">=", "!=", "!~"};
  static const char ones[] = "+-*/&|<>=~()[]{}.,%";
  struct bytes rest = bytes_from(lexer->text, lexer->at);
  size_t length = 0;
  for (size_t i = 0; i < sizeof twos / sizeof *twos; i++)
    if (bytes_starts(rest, bytes_str(twos[i]))) length = 2;
  for (size_t i = 0; i < sizeof ones - 1 && length == 0; i++)
    if (rest.at[0] == (uint8_t)ones[i]) length = 1;
  if (length == 0) FAIL_AT(ERR_MALFORMED, lexer->at, "a character that belongs nowhere");
  lexer->token.kind = PATH_TOKEN_SIGN;
  lexer->token.text = bytes_sub(rest, 0, length);
  lexer->at += length;
  return true;
}

static void read_name(struct path_lexer *lexer, enum path_token_kind kind) {
  size_t start = lexer->at++;
  while (is_letter(look(lexer, 0)) || is_digit(look(lexer, 0))) lexer->at++;
  lexer->token.kind = kind;
  lexer->token.text = bytes_sub(lexer->text, start, lexer->at - start);
}

bool path_lex_next(struct path_lexer *lexer, struct err *err) {
  TRY(skip(lexer, err));
  uint8_t c = look(lexer, 0);
  size_t start = lexer->at;
  lexer->token = (struct path_token){.kind = PATH_TOKEN_END, .at = start};
  if (start >= lexer->text.len) return true;
  if (c == '\'' || c == '"') {
    lexer->token.kind = PATH_TOKEN_STRING;
    return read_quoted(lexer, c, err);
  }
  if (c == '`') {
    lexer->token.kind = PATH_TOKEN_DELIMITED;
    return read_quoted(lexer, c, err);
  }
  if (is_digit(c)) {
    read_number(lexer);
    lexer->token.kind = PATH_TOKEN_NUMBER;
    lexer->token.text = bytes_sub(lexer->text, start, lexer->at - start);
  } else if (c == '@') {
    read_moment(lexer);
  } else if (is_letter(c)) {
    read_name(lexer, PATH_TOKEN_NAME);
  } else if (c == '$') {
    read_name(lexer, PATH_TOKEN_DOLLAR);
  } else {
    return read_sign(lexer, err);
  }
  return true;
}

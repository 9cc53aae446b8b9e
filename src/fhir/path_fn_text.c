/* fhir/path_fn_text.c: functions on texts (FHIRPath §5.6). Positions count code points. */
#include "fhir/path_fn.h"
#include "wire/utf8.h"

#include <string.h>

/* The input and one argument, both texts; false in ret_there when either is empty. */
static bool text_and_arg(struct fhir_path_machine *m, const struct path_node *call,
                         const struct path_scope *scope, size_t base, struct bytes *ret_text,
                         struct bytes *ret_arg, bool *ret_there, struct err *err) {
  struct fhir_path_value input;
  struct fhir_path_value arg;
  bool has_input;
  bool has_arg;
  TRY(path_input(m, base, FHIR_PATH_STRING, &input, &has_input, err));
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &arg, &has_arg, err));
  m->node = call;
  *ret_there = has_input && has_arg;
  if (has_input) *ret_text = input.text;
  if (has_arg) *ret_arg = arg.text;
  return true;
}

/* Where the code point number `index` begins; the text's end when there are fewer. */
static size_t place_of(struct bytes text, size_t index) {
  size_t at = 0;
  for (; at < text.len; at++) {
    bool begins = (text.at[at] & 0xC0) != 0x80;
    if (begins && index-- == 0) break;
  }
  return at;
}

PATH_FN(indexOf) {
  struct bytes text;
  struct bytes needle;
  bool there;
  TRY(text_and_arg(m, call, scope, base, &text, &needle, &there, err));
  if (!there) return true;
  size_t at = needle.len ? bytes_find_bytes(text, needle) : 0;
  bool found = needle.len == 0 || at < text.len;
  int64_t index = found ? (int64_t)utf8_count(bytes_sub(text, 0, at)) : -1;
  return path_return_int(m, base, index, err);
}

PATH_FN(lastIndexOf) {
  struct bytes text;
  struct bytes needle;
  bool there;
  TRY(text_and_arg(m, call, scope, base, &text, &needle, &there, err));
  if (!there) return true;
  if (needle.len > text.len) return path_return_int(m, base, -1, err);
  size_t at = text.len - needle.len + 1;
  TRY(path_spend(m, text.len / 8, err));
  while (at-- > 0)
    if (bytes_starts(bytes_from(text, at), needle))
      return path_return_int(m, base, (int64_t)utf8_count(bytes_sub(text, 0, at)), err);
  return path_return_int(m, base, -1, err);
}

PATH_FN(substring) {
  struct fhir_path_value input;
  struct fhir_path_value start;
  struct fhir_path_value length = {0};
  bool there;
  bool has_start;
  bool has_length = false;
  TRY(path_input(m, base, FHIR_PATH_STRING, &input, &there, err));
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_INTEGER, &start, &has_start, err));
  if (call->arg_count > 1)
    TRY(path_arg(m, call, 1, scope, FHIR_PATH_INTEGER, &length, &has_length, err));
  if (!there || !has_start || start.integer < 0) return true;
  struct bytes text = input.text;
  size_t from = place_of(text, (size_t)start.integer);
  if (from >= text.len) return true;
  struct bytes rest = bytes_from(text, from);
  if (has_length)
    rest = bytes_sub(rest, 0, length.integer > 0 ? place_of(rest, (size_t)length.integer) : 0);
  return path_return_text(m, base, rest, err);
}

PATH_FN(startsWith) {
  struct bytes text;
  struct bytes start;
  bool there;
  TRY(text_and_arg(m, call, scope, base, &text, &start, &there, err));
  return !there || path_return_bool(m, base, bytes_starts(text, start), err);
}

PATH_FN(endsWith) {
  struct bytes text;
  struct bytes end;
  bool there;
  TRY(text_and_arg(m, call, scope, base, &text, &end, &there, err));
  return !there || path_return_bool(m, base, bytes_ends(text, end), err);
}

PATH_FN(contains) {
  struct bytes text;
  struct bytes part;
  bool there;
  TRY(text_and_arg(m, call, scope, base, &text, &part, &there, err));
  if (!there) return true;
  bool found = part.len == 0 || bytes_find_bytes(text, part) < text.len;
  return path_return_bool(m, base, found, err);
}

PATH_FN(length) {
  struct fhir_path_value input;
  bool there;
  TRY(path_input(m, base, FHIR_PATH_STRING, &input, &there, err));
  return !there || path_return_int(m, base, (int64_t)utf8_count(input.text), err);
}

/* ASCII and the letters of Latin-1, Greek and Cyrillic that differ by a fixed distance. */
static uint32_t change_case(uint32_t c, bool up) {
  bool ascii = up ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
  bool latin = up ? c >= 0xE0 && c <= 0xFE && c != 0xF7 : c >= 0xC0 && c <= 0xDE && c != 0xD7;
  bool greek = up ? c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2 : c >= 0x391 && c <= 0x3A9 && c != 0x3A2;
  bool cyrillic = up ? c >= 0x430 && c <= 0x44F : c >= 0x410 && c <= 0x42F;
  if (ascii || latin || greek || cyrillic) return up ? c - 32 : c + 32;
  if (up ? c >= 0x450 && c <= 0x45F : c >= 0x400 && c <= 0x40F) return up ? c - 80 : c + 80;
  if (c >= 0x100 && c < 0x138) return up ? c & ~1u : c | 1u;
  return c;
}

static bool cased(struct fhir_path_machine *m, size_t base, bool up, struct err *err) {
  struct fhir_path_value input;
  bool there;
  TRY(path_input(m, base, FHIR_PATH_STRING, &input, &there, err));
  if (!there) return true;
  /* All these pairs have texts of the same length. */
  uint8_t *at = arena_alloc(&m->arena, input.text.len + UTF8_BYTES_MAX);
  size_t done = 0;
  while (at && done < input.text.len) {
    uint32_t code;
    size_t bytes = utf8_decode(bytes_from(input.text, done), &code);
    if (bytes == 0) break;
    utf8_encode(change_case(code, up), at + done);
    done += bytes;
  }
  return path_return_text(m, base, bytes_of(at, done), err);
}

PATH_FN(upper) {
  return cased(m, base, true, err);
}

PATH_FN(lower) {
  return cased(m, base, false, err);
}

PATH_FN(toChars) {
  struct fhir_path_value input;
  bool there;
  TRY(path_input(m, base, FHIR_PATH_STRING, &input, &there, err));
  for (size_t at = 0; there && at < input.text.len;) {
    uint32_t code;
    size_t bytes = utf8_decode(bytes_from(input.text, at), &code);
    struct fhir_path_value one = fhir_path_string(bytes_sub(input.text, at, bytes ? bytes : 1));
    TRY(path_push(m, &one, err));
    at += one.text.len;
  }
  return true;
}

static bool is_blank(uint8_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

PATH_FN(trim) {
  struct fhir_path_value input;
  bool there;
  TRY(path_input(m, base, FHIR_PATH_STRING, &input, &there, err));
  if (!there) return true;
  struct bytes text = input.text;
  while (text.len && is_blank(text.at[0])) text = bytes_from(text, 1);
  while (text.len && is_blank(text.at[text.len - 1])) text.len--;
  return path_return_text(m, base, text, err);
}

PATH_FN(split) {
  struct bytes text;
  struct bytes separator;
  bool there;
  TRY(text_and_arg(m, call, scope, base, &text, &separator, &there, err));
  if (!there) return true;
  if (separator.len == 0) {
    TRY(path_return_text(m, base, text, err));
    return path_fn_toChars(m, call, scope, base, err);
  }
  for (;;) {
    size_t end = bytes_find_bytes(text, separator);
    struct fhir_path_value part = fhir_path_string(bytes_sub(text, 0, end));
    TRY(path_push(m, &part, err));
    if (end >= text.len) return true;
    text = bytes_from(text, end + separator.len);
  }
}

/* Copies the parts one behind the other. */
static bool joined(struct fhir_path_machine *m, size_t base, struct bytes separator,
                   struct err *err) {
  size_t bytes = 0;
  for (size_t i = base; i < m->top; i++) {
    struct fhir_path_value *value = &m->stack[i];
    if (!fhir_path_system(&m->arena, value, value) || value->kind != FHIR_PATH_STRING)
      PATH_FAIL(ERR_INVALID, "join() works on texts");
    bytes += value->text.len + (i > base ? separator.len : 0);
  }
  uint8_t *at = arena_alloc(&m->arena, bytes);
  size_t done = 0;
  for (size_t i = base; at && i < m->top; i++) {
    struct bytes text = m->stack[i].text;
    if (i > base && separator.len) memcpy(at + done, separator.at, separator.len);
    if (i > base) done += separator.len;
    if (text.len) memcpy(at + done, text.at, text.len);
    done += text.len;
  }
  return path_return_text(m, base, bytes_of(at, done), err);
}

PATH_FN(join) {
  struct fhir_path_value separator = fhir_path_string(BYTES_NONE);
  bool there;
  if (call->arg_count) TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &separator, &there, err));
  m->node = call;
  return m->top == base || joined(m, base, separator.text, err);
}

/* An empty pattern stands between all characters. */
static bool replaced(struct fhir_path_machine *m, size_t base, struct bytes text,
                     struct bytes pattern, struct bytes with, struct err *err) {
  struct buf buf;
  buf_init(&buf, m->arena.bytes_max);
  for (;;) {
    uint32_t code;
    size_t end = pattern.len ? bytes_find_bytes(text, pattern) : 0;
    buf_put(&buf, bytes_sub(text, 0, end));
    if (pattern.len == 0) {
      buf_put(&buf, with);
      end = utf8_decode(text, &code);
      buf_put(&buf, bytes_sub(text, 0, end));
      if (text.len == 0) break;
    } else if (end >= text.len) {
      break;
    } else {
      buf_put(&buf, with);
    }
    text = bytes_from(text, end + pattern.len);
    if (!buf_ok(&buf)) break;
  }
  struct bytes result = arena_copy(&m->arena, buf_bytes(&buf));
  bool ok = buf_ok(&buf);
  buf_fini(&buf);
  if (!ok)
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  return path_return_text(m, base, result, err);
}

PATH_FN(replace) {
  struct bytes text;
  struct bytes pattern;
  struct fhir_path_value with;
  bool there;
  bool has_with;
  TRY(text_and_arg(m, call, scope, base, &text, &pattern, &there, err));
  TRY(path_arg(m, call, 1, scope, FHIR_PATH_STRING, &with, &has_with, err));
  m->node = call;
  return !there || !has_with || replaced(m, base, text, pattern, with.text, err);
}

/* ---- patterns ---- */

static bool regex_of(struct fhir_path_machine *m, const struct path_node *call,
                     const struct path_scope *scope, struct bytes pattern, size_t flags_at,
                     bool whole, const struct path_regex **ret_regex, struct err *err) {
  struct fhir_path_value flags = fhir_path_string(BYTES_NONE);
  bool there;
  if (call->arg_count > flags_at)
    TRY(path_arg(m, call, flags_at, scope, FHIR_PATH_STRING, &flags, &there, err));
  m->node = call;
  *ret_regex = call->call.regex;
  if (*ret_regex && flags.text.len == 0) return true;
  if (path_regex_compile(&m->arena, pattern, flags.text, whole, ret_regex, err)) return true;
  if (err) err->offset = call->at;
  return false;
}

static bool matches(struct fhir_path_machine *m, const struct path_node *call,
                    const struct path_scope *scope, size_t base, bool whole, struct err *err) {
  struct bytes text;
  struct bytes pattern;
  const struct path_regex *regex;
  bool there;
  bool found;
  TRY(text_and_arg(m, call, scope, base, &text, &pattern, &there, err));
  if (!there) return true;
  TRY(regex_of(m, call, scope, pattern, 1, whole, &regex, err));
  TRY(path_spend(m, text.len / 4, err));
  if (!path_regex_match(regex, text, &found, err)) {
    if (err) err->offset = call->at;
    return false;
  }
  return path_return_bool(m, base, found, err);
}

PATH_FN(matches) {
  return matches(m, call, scope, base, false, err);
}

PATH_FN(matchesFull) {
  return matches(m, call, scope, base, true, err);
}

PATH_FN(replaceMatches) {
  struct bytes text;
  struct bytes pattern;
  struct bytes result;
  struct fhir_path_value with;
  const struct path_regex *regex;
  bool there;
  bool has_with;
  TRY(text_and_arg(m, call, scope, base, &text, &pattern, &there, err));
  TRY(path_arg(m, call, 1, scope, FHIR_PATH_STRING, &with, &has_with, err));
  if (!there || !has_with) return true;
  m->node = call;
  if (pattern.len == 0) return path_return_text(m, base, text, err);
  TRY(regex_of(m, call, scope, pattern, 2, false, &regex, err));
  TRY(path_spend(m, text.len, err));
  if (!path_regex_replace(&m->arena, regex, text, with.text, &result, err)) {
    if (err) err->offset = call->at;
    return false;
  }
  return path_return_text(m, base, result, err);
}

/* wire/schema_format.c: the forms of validation §7.3, each a small recogniser over bytes. */
#include "wire/schema_inner.h"

#include "wire/codec.h"

#include <string.h>

enum { HOST_BYTES_MAX = 253, LABEL_BYTES_MAX = 63, REGEX_TRIAL_BYTES = 1 << 20 };

static bool is_digit(uint8_t c) {
  return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c) {
  return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_date_time(struct bytes text) {
  int64_t at;
  return rfc3339_parse(text, &at, NULL);
}

static size_t digits(struct bytes text) {
  size_t len = 0;
  while (len < text.len && is_digit(text.at[len])) len++;
  return len;
}

/* Takes "12X" for the next unit in `units`; units come in order and none twice. */
static bool take_units(struct bytes *text, const char *units, size_t *ret_count) {
  size_t count = 0;
  size_t from = 0;
  for (size_t len; (len = digits(*text)) > 0; count++) {
    const char *unit = len < text->len ? strchr(units + from, text->at[len]) : NULL;
    if (!unit || !*unit) return false;
    /* RFC 3339 appendix A: no unit is left out between the first and the last. */
    if (count > 0 && (size_t)(unit - units) != from) return false;
    from = (size_t)(unit - units) + 1;
    *text = bytes_from(*text, len + 1);
  }
  *ret_count = count;
  return true;
}

static bool is_duration(struct bytes text) {
  size_t days = 0;
  size_t times = 0;
  if (!bytes_starts(text, BYTES("P"))) return false;
  text = bytes_from(text, 1);
  if (text.len && text.at[text.len - 1] == 'W') return take_units(&text, "W", &days) && !text.len;
  if (!take_units(&text, "YMD", &days)) return false;
  if (!bytes_starts(text, BYTES("T"))) return days > 0 && text.len == 0;
  text = bytes_from(text, 1);
  return take_units(&text, "HMS", &times) && times > 0 && text.len == 0;
}

static bool is_label(struct bytes label) {
  if (label.len == 0 || label.len > LABEL_BYTES_MAX) return false;
  for (size_t i = 0; i < label.len; i++) {
    bool edge = i == 0 || i == label.len - 1;
    if (!is_alnum(label.at[i]) && (label.at[i] != '-' || edge)) return false;
  }
  /* RFC 5891 §4.2.3.1: "--" in third place is kept for encoded labels. */
  bool reserved = label.len >= 4 && label.at[2] == '-' && label.at[3] == '-';
  return !reserved || (label.len > 4 && (label.at[0] | 0x20) == 'x' && (label.at[1] | 0x20) == 'n');
}

/* RFC 1123 §2.1 */
static bool is_hostname(struct bytes text) {
  if (text.len == 0 || text.len > HOST_BYTES_MAX) return false;
  for (struct bytes rest = text;;) {
    size_t dot = bytes_find(rest, '.');
    if (!is_label(bytes_sub(rest, 0, dot))) return false;
    if (dot == rest.len) return true;
    rest = bytes_from(rest, dot + 1);
  }
}

/* RFC 2673 §3.2: four decimals without leading zeros. */
static bool is_ipv4(struct bytes text) {
  for (int part = 0; part < 4; part++) {
    uint64_t value = 256;
    size_t len = digits(text);
    if (len == 0 || len > 3 || (len > 1 && text.at[0] == '0')) return false;
    if (!bytes_u64(bytes_sub(text, 0, len), &value) || value > 255) return false;
    text = bytes_from(text, len);
    if (part == 3) break;
    if (text.len == 0 || text.at[0] != '.') return false;
    text = bytes_from(text, 1);
  }
  return text.len == 0;
}

static size_t hex_run(struct bytes text) {
  size_t len = 0;
  while (len < text.len && hex_digit(text.at[len]) >= 0) len++;
  return len;
}

/* RFC 4291 §2.2: eight groups, one "::" for at least one of them, the last two as IPv4. */
static bool is_ipv6(struct bytes text) {
  int groups = 0;
  bool gap = bytes_starts(text, BYTES("::"));
  if (gap) text = bytes_from(text, 2);
  while (text.len && groups < 8) {
    size_t len = hex_run(text);
    if (len < text.len && text.at[len] == '.')
      return is_ipv4(text) && (gap ? groups < 6 : groups == 6);
    if (len == 0 || len > 4) return false;
    groups++;
    text = bytes_from(text, len);
    if (text.len == 0) break;
    if (text.at[0] != ':' || text.len == 1) return false;
    text = bytes_from(text, 1);
    if (text.at[0] != ':') continue;
    if (gap) return false;
    gap = true;
    text = bytes_from(text, 1);
  }
  return text.len == 0 && (gap ? groups < 8 : groups == 8);
}

static bool is_atom_char(uint8_t c) {
  return is_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* RFC 5321 §4.1.2, Local-part: a dot-string or a quoted string. */
static bool is_local_part(struct bytes text) {
  bool quoted = text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"';
  size_t from = quoted;
  size_t end = text.len - quoted;
  for (size_t i = from; i < end; i++) {
    uint8_t c = text.at[i];
    if (quoted) {
      if (c < 0x20 || c > 0x7E || c == '"' || (c == '\\' && ++i == end)) return false;
    } else if (c == '.' ? i == 0 || i == end - 1 || text.at[i + 1] == '.' : !is_atom_char(c)) {
      return false;
    }
  }
  return text.len > 0 && text.len <= 64;
}

static bool is_email(struct bytes text) {
  size_t at = text.len;
  while (at > 0 && text.at[at - 1] != '@') at--;
  if (at == 0 || !is_local_part(bytes_sub(text, 0, at - 1))) return false;
  struct bytes domain = bytes_from(text, at);
  if (!bytes_starts(domain, BYTES("[")) || !bytes_ends(domain, BYTES("]")))
    return is_hostname(domain);
  struct bytes address = bytes_sub(domain, 1, domain.len - 2);
  if (bytes_eq_nocase(bytes_sub(address, 0, 5), BYTES("IPv6:")))
    return is_ipv6(bytes_from(address, 5));
  return is_ipv4(address);
}

static bool is_uri(struct bytes text) {
  return schema_uri_valid(text, true);
}

static bool is_uri_reference(struct bytes text) {
  return schema_uri_valid(text, false);
}

/* RFC 9562 §4 */
static bool is_uuid(struct bytes text) {
  if (text.len != 36) return false;
  for (size_t i = 0; i < text.len; i++) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text.at[i] != '-' : hex_digit(text.at[i]) < 0) return false;
  }
  return true;
}

static bool is_pointer(struct bytes text) {
  if (text.len && text.at[0] != '/') return false;
  for (size_t i = 0; i < text.len; i++)
    if (text.at[i] == '~' &&
        (i + 1 == text.len || (text.at[i + 1] != '0' && text.at[i + 1] != '1')))
      return false;
  return true;
}

static bool is_relative_pointer(struct bytes text) {
  size_t len = digits(text);
  if (len == 0 || (len > 1 && text.at[0] == '0')) return false;
  struct bytes rest = bytes_from(text, len);
  return bytes_eq_str(rest, "#") || is_pointer(rest);
}

static bool is_regex(struct bytes text) {
  const struct regex *regex;
  struct arena arena;
  arena_init(&arena, REGEX_TRIAL_BYTES);
  bool ok = regex_compile(&arena, text, &regex, NULL);
  arena_fini(&arena);
  return ok;
}

static const struct {
  const char *name;
  schema_format_test *test;
} formats[] = {
    {"date-time", is_date_time},
    {"date", rfc3339_is_date},
    {"time", rfc3339_is_time},
    {"duration", is_duration},
    {"email", is_email},
    {"hostname", is_hostname},
    {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},
    {"uri", is_uri},
    {"uri-reference", is_uri_reference},
    {"uuid", is_uuid},
    {"json-pointer", is_pointer},
    {"relative-json-pointer", is_relative_pointer},
    {"regex", is_regex},
};

schema_format_test *schema_format_find(struct bytes name) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (bytes_eq_str(name, formats[i].name)) return formats[i].test;
  return NULL;
}

bool schema_format_ok(struct bytes format, struct bytes text) {
  schema_format_test *test = schema_format_find(format);
  return !test || test(text);
}

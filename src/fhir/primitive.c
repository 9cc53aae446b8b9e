/* fhir/primitive.c: the forms of primitive types, by hand: a regular expression for each value of a
 * resource would be most of the time validation takes. */
#include "fhir/primitive.h"

#include "base/civil.h"
#include "base/must.h"
#include "wire/json_number.h"

#include <string.h>

static bool is_digit(uint8_t c) {
  return (uint8_t)(c - '0') < 10;
}

static bool is_alnum(uint8_t c) {
  return is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 26;
}

static bool is_space(uint8_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A text that is read from the left; false sticks to the caller. */
struct scan {
  const uint8_t *at, *end;
};

static bool take(struct scan *s, uint8_t c) {
  if (s->at == s->end || *s->at != c) return false;
  s->at++;
  return true;
}

/* Exactly `digits` digits, low <= value <= high. */
static bool take_number(struct scan *s, int digits, int low, int high, int *ret_value) {
  int value = 0;
  if (s->end - s->at < digits) return false;
  for (int i = 0; i < digits; i++) {
    if (!is_digit(s->at[i])) return false;
    value = value * 10 + (s->at[i] - '0');
  }
  if (value < low || value > high) return false;
  s->at += digits;
  *ret_value = value;
  return true;
}

/* YYYY, YYYY-MM or YYYY-MM-DD; year 0 does not exist. */
static bool take_date(struct scan *s, bool *ret_day) {
  int year, month, day;
  *ret_day = false;
  if (!take_number(s, 4, 1, 9999, &year)) return false;
  if (!take(s, '-')) return true;
  if (!take_number(s, 2, 1, 12, &month)) return false;
  if (!take(s, '-')) return true;
  *ret_day = true;
  return take_number(s, 2, 1, 31, &day) && day <= civil_month_days(year, month);
}

static bool take_time(struct scan *s) {
  int part;
  if (!take_number(s, 2, 0, 23, &part) || !take(s, ':') || !take_number(s, 2, 0, 59, &part) ||
      !take(s, ':') || !take_number(s, 2, 0, 60, &part))
    return false;
  if (!take(s, '.')) return true;
  const uint8_t *from = s->at;
  while (s->at < s->end && is_digit(*s->at)) s->at++;
  return s->at > from;
}

static bool take_zone(struct scan *s) {
  int hours, minutes;
  if (take(s, 'Z')) return true;
  if (!take(s, '+') && !take(s, '-')) return false;
  return take_number(s, 2, 0, 14, &hours) && take(s, ':') &&
         take_number(s, 2, 0, hours == 14 ? 0 : 59, &minutes);
}

bool fhir_is_date(struct bytes text) {
  struct scan s = {text.at, text.at + text.len};
  bool day;
  return take_date(&s, &day) && s.at == s.end;
}

bool fhir_is_date_time(struct bytes text) {
  struct scan s = {text.at, text.at + text.len};
  bool day;
  if (!take_date(&s, &day)) return false;
  if (s.at == s.end) return true;
  return day && take(&s, 'T') && take_time(&s) && take_zone(&s) && s.at == s.end;
}

bool fhir_is_instant(struct bytes text) {
  struct scan s = {text.at, text.at + text.len};
  bool day;
  return take_date(&s, &day) && day && take(&s, 'T') && take_time(&s) && take_zone(&s) &&
         s.at == s.end;
}

bool fhir_is_time(struct bytes text) {
  struct scan s = {text.at, text.at + text.len};
  return take_time(&s) && s.at == s.end;
}

bool fhir_is_id(struct bytes text) {
  if (text.len == 0 || text.len > 64) return false;
  for (size_t i = 0; i < text.len; i++)
    if (!is_alnum(text.at[i]) && text.at[i] != '-' && text.at[i] != '.') return false;
  return true;
}

/* No blank at the ends, none but single ones inside. */
static bool is_code(struct bytes text) {
  bool blank = true;
  for (size_t i = 0; i < text.len; i++) {
    bool space = is_space(text.at[i]);
    if (space && blank) return false;
    blank = space;
  }
  return !blank;
}

static bool is_uri(struct bytes text) {
  for (size_t i = 0; i < text.len; i++)
    if (is_space(text.at[i])) return false;
  return text.len > 0;
}

static bool is_oid(struct bytes text) {
  if (!bytes_starts(text, BYTES("urn:oid:"))) return false;
  text = bytes_from(text, 8);
  if (text.len < 3 || text.at[0] < '0' || text.at[0] > '2' || text.at[1] != '.') return false;
  text = bytes_from(text, 1);
  while (text.len) {
    if (text.at[0] != '.') return false;
    size_t digits = 1;
    while (digits < text.len && is_digit(text.at[digits])) digits++;
    if (digits == 1 || (digits > 2 && text.at[1] == '0')) return false;
    text = bytes_from(text, digits);
  }
  return true;
}

static bool is_uuid(struct bytes text) {
  if (text.len != 45 || !bytes_starts(text, BYTES("urn:uuid:"))) return false;
  for (size_t i = 9; i < 45; i++) {
    bool dash = i == 17 || i == 22 || i == 27 || i == 32;
    uint8_t c = text.at[i];
    if (dash ? c != '-' : !is_digit(c) && !(c >= 'a' && c <= 'f')) return false;
  }
  return true;
}

/* Four at a time, blanks anywhere, '=' at the end alone (RFC 4648 §4). */
static bool is_base64(struct bytes text) {
  size_t digits = 0, pads = 0;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    if (is_space(c)) continue;
    if (c == '=')
      pads++;
    else if (pads || (!is_alnum(c) && c != '+' && c != '/'))
      return false;
    else
      digits++;
  }
  return digits > 0 && pads <= 2 && (digits + pads) % 4 == 0;
}

/* Something visible, and no controls but tab and line ends. */
static const char *text_problem(struct bytes text) {
  bool visible = false;
  if (text.len > FHIR_STRING_BYTES_MAX) return "is longer than 1 MiB";
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    if (c > ' ')
      visible = true;
    else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
      return "has a control character";
  }
  return visible ? NULL : "is blank; a string must have a character one can see";
}

static const char *number_problem(uint16_t type, const struct json *value) {
  int64_t number;
  if (value->kind != JSON_NUMBER) return "must be a JSON number";
  if (type == FHIR_TYPE_DECIMAL) return NULL;
  /* R4: no point and no exponent, 32 bits. */
  for (size_t i = 0; i < value->text.len; i++)
    if (!is_digit(value->text.at[i]) && value->text.at[i] != '-') return "must be a whole number";
  if (!json_number_int(value->text, &number) || number < INT32_MIN || number > INT32_MAX)
    return "must fit into 32 bits";
  if (type == FHIR_TYPE_POSITIVEINT && number < 1) return "must be 1 or more";
  if (type == FHIR_TYPE_UNSIGNEDINT && number < 0) return "must be 0 or more";
  return NULL;
}

static const char *string_problem(uint16_t type, struct bytes text) {
  switch (type) {
  case FHIR_TYPE_STRING:
  case FHIR_TYPE_MARKDOWN: return text_problem(text);
  case FHIR_TYPE_CODE: return is_code(text) ? NULL : "is no code: blanks only singly and inside";
  case FHIR_TYPE_ID: return fhir_is_id(text) ? NULL : "is no id: 1 to 64 of A-Z a-z 0-9 - .";
  case FHIR_TYPE_URI:
  case FHIR_TYPE_URL:
  case FHIR_TYPE_CANONICAL: return is_uri(text) ? NULL : "is no URI: it is empty or has blanks";
  case FHIR_TYPE_OID: return is_oid(text) ? NULL : "is no OID: urn:oid:1.2.3";
  case FHIR_TYPE_UUID: return is_uuid(text) ? NULL : "is no UUID: urn:uuid: and lower case";
  case FHIR_TYPE_BASE64BINARY: return is_base64(text) ? NULL : "is not base64";
  case FHIR_TYPE_DATE:
    return fhir_is_date(text) ? NULL : "is no date that exists: YYYY, YYYY-MM or YYYY-MM-DD";
  case FHIR_TYPE_DATETIME:
    return fhir_is_date_time(text) ? NULL
                                   : "is no date and time that exist: YYYY, YYYY-MM, YYYY-MM-DD or "
                                     "YYYY-MM-DDThh:mm:ss with a zone";
  case FHIR_TYPE_INSTANT:
    return fhir_is_instant(text) ? NULL : "is no instant: YYYY-MM-DDThh:mm:ss with a zone";
  case FHIR_TYPE_TIME: return fhir_is_time(text) ? NULL : "is no time: hh:mm:ss";
  default: return NULL; /* xhtml: its rules */
  }
}

const char *fhir_primitive_problem(uint16_t type, const struct json *value) {
  must(type < FHIR_PRIMITIVES);
  switch (type) {
  case FHIR_TYPE_BOOLEAN:
    return value->kind == JSON_TRUE || value->kind == JSON_FALSE ? NULL : "must be true or false";
  case FHIR_TYPE_DECIMAL:
  case FHIR_TYPE_INTEGER:
  case FHIR_TYPE_POSITIVEINT:
  case FHIR_TYPE_UNSIGNEDINT: return number_problem(type, value);
  default: break;
  }
  if (value->kind != JSON_STRING) return "must be a JSON string";
  return string_problem(type, value->text);
}

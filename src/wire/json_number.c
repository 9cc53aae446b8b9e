/* wire/json_number.c: a number is a sign, significant digits without zeros at either end, and the
 * decimal place of the first digit; comparison and divisibility follow from these alone. */
#include "wire/json_number.h"

#include "base/cleanup.h"
#include "base/must.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t EXPONENT_MAX = 100000000000000000;

enum { FACTOR_DIGITS_MAX = 18, INT64_DIGITS_MAX = 19, DOUBLE_COPY_BYTES = 64 };

struct number {
  bool negative;
  const uint8_t *digits; /* from the first digit that is not zero; a '.' may lie within */
  size_t count;          /* significant digits; 0: the value is zero */
  int64_t place;         /* value = d0.d1d2... * 10^place */
};

static bool is_digit(uint8_t c) {
  return c >= '0' && c <= '9';
}

static size_t scan_digits(struct bytes text, size_t at) {
  while (at < text.len && is_digit(text.at[at])) at++;
  return at;
}

size_t json_number_scan(struct bytes text) {
  size_t at = text.len && text.at[0] == '-';
  size_t whole = at;
  at = scan_digits(text, at);
  if (at == whole || (text.at[whole] == '0' && at - whole > 1)) return 0;
  if (at < text.len && text.at[at] == '.') {
    size_t fraction = at + 1;
    at = scan_digits(text, fraction);
    if (at == fraction) return 0;
  }
  if (at < text.len && (text.at[at] | 0x20) == 'e') {
    size_t exponent = at + 1;
    if (exponent < text.len && (text.at[exponent] == '+' || text.at[exponent] == '-')) exponent++;
    at = scan_digits(text, exponent);
    if (at == exponent) return 0;
  }
  return at;
}

static int64_t read_exponent(struct bytes text) {
  bool negative = text.len && text.at[0] == '-';
  int64_t value = 0;
  if (text.len && !is_digit(text.at[0])) text = bytes_from(text, 1);
  for (size_t i = 0; i < text.len && value < EXPONENT_MAX; i++)
    value = value * 10 + (text.at[i] - '0');
  if (value > EXPONENT_MAX) value = EXPONENT_MAX;
  return negative ? -value : value;
}

static struct number number_of(struct bytes text) {
  struct number n = {.negative = text.len && text.at[0] == '-'};
  if (n.negative) text = bytes_from(text, 1);
  size_t mantissa = 0;
  while (mantissa < text.len && (text.at[mantissa] | 0x20) != 'e') mantissa++;
  struct bytes digits = bytes_sub(text, 0, mantissa);
  n.place = read_exponent(bytes_from(text, mantissa + 1));
  size_t dot = bytes_find(digits, '.');
  size_t first = 0;
  while (first < digits.len && (digits.at[first] == '0' || digits.at[first] == '.')) first++;
  size_t end = digits.len;
  while (end > first && (digits.at[end - 1] == '0' || digits.at[end - 1] == '.')) end--;
  if (first == end) return (struct number){0};
  n.digits = digits.at + first;
  n.count = end - first - (dot > first && dot < end);
  n.place += first < dot ? (int64_t)(dot - first) - 1 : -(int64_t)(first - dot);
  return n;
}

/* The next significant digit; `at` steps over the dot. */
static uint8_t next_digit(const struct number *n, size_t *at) {
  if (n->digits[*at] == '.') ++*at;
  return (uint8_t)(n->digits[(*at)++] - '0');
}

static int compare_size(const struct number *a, const struct number *b) {
  if (a->count == 0 || b->count == 0) return (a->count > 0) - (b->count > 0);
  if (a->place != b->place) return a->place < b->place ? -1 : 1;
  size_t at_a = 0;
  size_t at_b = 0;
  for (size_t i = 0; i < a->count && i < b->count; i++) {
    int difference = next_digit(a, &at_a) - next_digit(b, &at_b);
    if (difference) return difference < 0 ? -1 : 1;
  }
  return (a->count > b->count) - (a->count < b->count);
}

int json_number_cmp(struct bytes a_text, struct bytes b_text) {
  struct number a = number_of(a_text);
  struct number b = number_of(b_text);
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  int order = compare_size(&a, &b);
  return a.negative ? -order : order;
}

uint64_t json_number_hash(struct bytes text) {
  struct number n = number_of(text);
  uint64_t hash = (uint64_t)n.place * 2 + n.negative;
  size_t at = 0;
  for (size_t i = 0; i < n.count; i++) hash = hash * 0x9e3779b97f4a7c15u + next_digit(&n, &at);
  return hash;
}

static bool is_integer(const struct number *n) {
  return n->count == 0 || n->place >= (int64_t)n->count - 1;
}

bool json_number_is_integer(struct bytes text) {
  struct number n = number_of(text);
  return is_integer(&n);
}

bool json_number_int(struct bytes text, int64_t *ret_value) {
  struct number n = number_of(text);
  if (!is_integer(&n) || n.place >= INT64_DIGITS_MAX) return false;
  uint64_t value = 0;
  size_t at = 0;
  for (size_t i = 0; n.count && i <= (size_t)n.place; i++)
    value = value * 10 + (i < n.count ? next_digit(&n, &at) : 0);
  if (value > (uint64_t)INT64_MAX + n.negative) return false;
  *ret_value = n.negative ? (int64_t)(0 - value) : (int64_t)value;
  return true;
}

bool json_number_double(struct bytes text, double *ret_value) {
  char small[DOUBLE_COPY_BYTES];
  cleanup_free char *large = NULL;
  const char *copy = small;
  if (text.len < sizeof small)
    bytes_text(text, small, sizeof small);
  else
    copy = large = bytes_dup(text);
  double value = strtod(copy, NULL);
  if (isinf(value)) return false;
  *ret_value = value;
  return true;
}

bool json_number_factor_ok(struct bytes text) {
  struct number n = number_of(text);
  return n.count > 0 && n.count <= FACTOR_DIGITS_MAX && !n.negative;
}

static uint64_t times_mod(uint64_t a, uint64_t b, uint64_t modulus) {
  return (uint64_t)((unsigned __int128)a * b % modulus);
}

static uint64_t ten_power_mod(uint64_t exponent, uint64_t modulus) {
  uint64_t result = 1 % modulus;
  for (uint64_t base = 10 % modulus; exponent; exponent >>= 1) {
    if (exponent & 1) result = times_mod(result, base, modulus);
    base = times_mod(base, base, modulus);
  }
  return result;
}

/* a = m * 10^e and the factor = d * 10^f, m and d integers not ending in 0. With e < f ten would
 * have to divide m; otherwise the question is whether d divides m * 10^(e-f). */
bool json_number_is_multiple(struct bytes text, struct bytes factor) {
  struct number a = number_of(text);
  struct number b = number_of(factor);
  must(b.count > 0 && b.count <= FACTOR_DIGITS_MAX);
  if (a.count == 0) return true;
  int64_t e = a.place - (int64_t)a.count + 1;
  int64_t f = b.place - (int64_t)b.count + 1;
  if (e < f) return false;
  uint64_t divisor = 0;
  size_t at = 0;
  for (size_t i = 0; i < b.count; i++) divisor = divisor * 10 + next_digit(&b, &at);
  uint64_t rest = 0;
  at = 0;
  for (size_t i = 0; i < a.count; i++)
    rest = (times_mod(rest, 10, divisor) + next_digit(&a, &at)) % divisor;
  return times_mod(rest, ten_power_mod((uint64_t)(e - f), divisor), divisor) == 0;
}

/* Digits and exponent of value in `precision` digits, if they read back as the same double. Beside
 * a power of two the nearest text may miss while its upper neighbour hits, so both are tried. */
static bool shortest_try(double value, int precision, char ret_text[JSON_DOUBLE_TEXT_BYTES]) {
  snprintf(ret_text, JSON_DOUBLE_TEXT_BYTES, "%.*e", precision - 1, value);
  if (strtod(ret_text, NULL) == value) return true;
  char *last = ret_text + strcspn(ret_text, "e") - 1;
  if (*last < '0' || *last > '8') return false;
  ++*last;
  return strtod(ret_text, NULL) == value;
}

/* Every decimal of 15 digits survives a normal double, so fewer need not be tried; subnormal
 * doubles hold fewer digits. */
static void shortest_digits(double value, char ret_text[JSON_DOUBLE_TEXT_BYTES]) {
  int precision = value < 2.2250738585072014e-308 ? 1 : 15;
  while (precision < 17 && !shortest_try(value, precision, ret_text)) precision++;
  if (precision == 17) snprintf(ret_text, JSON_DOUBLE_TEXT_BYTES, "%.16e", value);
}

/* ECMA-262 Number::toString lays out digits by the place n of the decimal point. */
static void layout(char *text, size_t room, const char *digits, int count, int n) {
  if (n > 21 || n <= -6) {
    snprintf(text, room, "%c%s%.*se%+d", digits[0], count > 1 ? "." : "", count - 1, digits + 1,
             n - 1);
  } else if (n <= 0) {
    snprintf(text, room, "0.%.*s%.*s", -n, "000000", count, digits);
  } else if (n >= count) {
    snprintf(text, room, "%.*s%.*s", count, digits, n - count, "000000000000000000000");
  } else {
    snprintf(text, room, "%.*s.%.*s", n, digits, count - n, digits + n);
  }
}

size_t json_double_text(double value, char ret_text[JSON_DOUBLE_TEXT_BYTES]) {
  must(isfinite(value));
  char sci[JSON_DOUBLE_TEXT_BYTES];
  char digits[JSON_DOUBLE_TEXT_BYTES];
  char *text = ret_text;
  int count = 0;
  if (value < 0) *text++ = '-';
  if (value == 0) {
    memcpy(text, "0", 2);
    return strlen(ret_text);
  }
  shortest_digits(fabs(value), sci);
  char *exponent = strchr(sci, 'e');
  for (char *at = sci; at < exponent; at++)
    if (*at != '.') digits[count++] = *at;
  while (count > 1 && digits[count - 1] == '0') count--;
  layout(text, JSON_DOUBLE_TEXT_BYTES - (size_t)(text - ret_text), digits, count,
         (int)strtol(exponent + 1, NULL, 10) + 1);
  return strlen(ret_text);
}

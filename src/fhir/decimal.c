/* fhir/decimal.c: decimal arithmetic in 128 bits. A coefficient has at most 34 digits, so that one
 * more digit, or one more addition, always fits into the 38 of the integer below.              */
#include "fhir/decimal.h"

#include "base/must.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INT128_DIGITS = 38, HALF_DIGITS = 17, DIGIT_TEXT_BYTES = 40, DOUBLE_TEXT_BYTES = 48 };

typedef __int128 wide;

static wide ten_to(int power) {
  static const uint64_t small[] = {1,
                                   10,
                                   100,
                                   1000,
                                   10000,
                                   100000,
                                   1000000,
                                   10000000,
                                   100000000,
                                   1000000000,
                                   10000000000,
                                   100000000000,
                                   1000000000000,
                                   10000000000000,
                                   100000000000000,
                                   1000000000000000,
                                   10000000000000000,
                                   100000000000000000,
                                   1000000000000000000,
                                   10000000000000000000u};
  must(power >= 0 && power <= INT128_DIGITS);
  if (power < 20) return (wide)small[power];
  return (wide)small[19] * (wide)small[power - 19];
}

static wide magnitude(wide value) {
  return value < 0 ? -value : value;
}

static int digits_of(wide value) {
  value = magnitude(value);
  int digits = 1;
  while (digits < INT128_DIGITS && value >= ten_to(digits)) digits++;
  return digits;
}

/* Divide by 10^places in the given direction. */
static wide cut(wide value, int places, enum fhir_rounding rounding) {
  if (places <= 0) return value;
  bool gone = places > INT128_DIGITS;
  wide unit = gone ? 0 : ten_to(places);
  wide whole = gone ? 0 : value / unit;
  wide rest = gone ? value : value % unit;
  if (rest == 0) return whole;
  int away = value < 0 ? -1 : 1;
  switch (rounding) {
  case FHIR_ROUND_TO_ZERO: return whole;
  case FHIR_ROUND_DOWN: return value < 0 ? whole - 1 : whole;
  case FHIR_ROUND_UP: return value < 0 ? whole : whole + 1;
  case FHIR_ROUND_NEAREST: break;
  }
  return !gone && magnitude(rest) >= unit - magnitude(rest) ? whole + away : whole;
}

/* Round what has too many digits; false when the scale then leaves its limits. */
static bool fit(wide coefficient, int64_t scale, struct fhir_decimal *ret_value) {
  int extra = digits_of(coefficient) - FHIR_DECIMAL_DIGITS_MAX;
  if (extra > 0) {
    coefficient = cut(coefficient, extra, FHIR_ROUND_NEAREST);
    scale -= extra;
  }
  if (coefficient == 0 && scale < 0) scale = 0;
  if (scale > FHIR_DECIMAL_SCALE_MAX || scale < -FHIR_DECIMAL_SCALE_MAX) return false;
  /* A whole number is written out as long as there is room. */
  if (scale < 0 && digits_of(coefficient) - scale <= FHIR_DECIMAL_DIGITS_MAX) {
    coefficient *= ten_to((int)-scale);
    scale = 0;
  }
  *ret_value = (struct fhir_decimal){coefficient, (int32_t)scale};
  return true;
}

struct fhir_decimal fhir_decimal_int(int64_t value) {
  return (struct fhir_decimal){value, 0};
}

static bool parse_exponent(struct bytes text, int64_t *ret_exponent) {
  bool negative = text.len && text.at[0] == '-';
  if (text.len && (text.at[0] == '-' || text.at[0] == '+')) text = bytes_from(text, 1);
  int64_t exponent = 0;
  if (text.len == 0) return false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.at[i] < '0' || text.at[i] > '9') return false;
    if (exponent < 1000000) exponent = exponent * 10 + (text.at[i] - '0');
  }
  *ret_exponent = negative ? -exponent : exponent;
  return true;
}

struct digits {
  wide coefficient;
  int64_t scale;
  size_t count;  /* digits seen */
  int kept;      /* digits in the coefficient, from the first that is not zero */
  bool fraction; /* behind the point */
};

/* Digits past what can be kept only move the scale; the first of them rounds. */
static void take_digit(struct digits *number, int digit) {
  number->count++;
  if (number->kept >= FHIR_DECIMAL_DIGITS_MAX + 2) {
    if (!number->fraction) number->scale--;
    return;
  }
  number->coefficient = number->coefficient * 10 + digit;
  if (number->coefficient != 0) number->kept++;
  if (number->fraction) number->scale++;
}

bool fhir_decimal_parse(struct bytes text, struct fhir_decimal *ret_value) {
  bool negative = text.len && text.at[0] == '-';
  size_t at = text.len && (text.at[0] == '-' || text.at[0] == '+');
  struct digits number = {0};
  size_t before_point = 0;
  int64_t exponent = 0;
  for (; at < text.len; at++) {
    uint8_t c = text.at[at];
    if (c == '.') {
      if (number.fraction || number.count == 0) return false;
      number.fraction = true;
      before_point = number.count;
    } else if ((c | 0x20) == 'e') {
      if (!parse_exponent(bytes_from(text, at + 1), &exponent)) return false;
      break;
    } else if (c >= '0' && c <= '9') {
      take_digit(&number, c - '0');
    } else {
      return false;
    }
  }
  if (number.count == 0 || (number.fraction && number.count == before_point)) return false;
  if (negative) number.coefficient = -number.coefficient;
  return fit(number.coefficient, number.scale - exponent, ret_value);
}

bool fhir_decimal_double(long double value, struct fhir_decimal *ret_value) {
  char text[DOUBLE_TEXT_BYTES];
  if (!isfinite(value)) return false;
  snprintf(text, sizeof text, "%.16Lg", value);
  return fhir_decimal_parse(bytes_str(text), ret_value);
}

long double fhir_decimal_to_double(struct fhir_decimal a) {
  return (long double)a.coefficient * powl(10, -(long double)a.scale);
}

struct fhir_decimal fhir_decimal_trim(struct fhir_decimal a) {
  while (a.scale > 0 && a.coefficient % 10 == 0) {
    a.coefficient /= 10;
    a.scale--;
  }
  return a;
}

bool fhir_decimal_to_int(struct fhir_decimal a, int64_t *ret_value) {
  a = fhir_decimal_trim(a);
  if (a.scale != 0 || a.coefficient > INT64_MAX || a.coefficient < INT64_MIN) return false;
  *ret_value = (int64_t)a.coefficient;
  return true;
}

void fhir_decimal_write(struct buf *buf, struct fhir_decimal a) {
  char text[DIGIT_TEXT_BYTES];
  size_t at = sizeof text;
  wide left = magnitude(a.coefficient);
  do {
    text[--at] = (char)('0' + (int)(left % 10));
    left /= 10;
  } while (left);
  int64_t count = (int64_t)(sizeof text - at);
  if (a.coefficient < 0) buf_char(buf, '-');
  int64_t whole = count - a.scale;
  if (whole <= 0) buf_char(buf, '0');
  for (int64_t i = whole <= 0 ? whole : 0; i < count || i < whole; i++) {
    if (i == whole && a.scale > 0) buf_char(buf, '.');
    buf_char(buf, i < 0 || i >= count ? '0' : (uint8_t)text[at + (size_t)i]);
  }
}

int fhir_decimal_sign(struct fhir_decimal a) {
  return a.coefficient > 0 ? 1 : a.coefficient < 0 ? -1 : 0;
}

/* Bring both to one scale; when the coarser cannot be widened, the finer loses its last digits. */
static int64_t align(struct fhir_decimal a, struct fhir_decimal b, wide *ret_a, wide *ret_b) {
  bool swap = a.scale > b.scale;
  struct fhir_decimal coarse = swap ? b : a;
  struct fhir_decimal fine = swap ? a : b;
  int64_t apart = (int64_t)fine.scale - coarse.scale;
  int room = INT128_DIGITS - 1 - digits_of(coarse.coefficient);
  int64_t widened = coarse.coefficient == 0 ? apart : apart < room ? apart : room;
  wide left = coarse.coefficient == 0 ? 0 : coarse.coefficient * ten_to((int)widened);
  wide right = fine.coefficient;
  int64_t lost = apart - widened;
  if (lost > 0)
    right = cut(right, lost > INT128_DIGITS ? INT128_DIGITS + 1 : (int)lost, FHIR_ROUND_NEAREST);
  *ret_a = swap ? right : left;
  *ret_b = swap ? left : right;
  return coarse.scale + widened;
}

int fhir_decimal_cmp(struct fhir_decimal a, struct fhir_decimal b) {
  wide left = a.coefficient;
  wide right = b.coefficient;
  int sign = fhir_decimal_sign(a);
  if (sign != fhir_decimal_sign(b)) return sign < fhir_decimal_sign(b) ? -1 : 1;
  if (a.scale != b.scale) {
    /* The place of the first digit decides when it differs; else both can be aligned exactly. */
    int64_t place = digits_of(left) - (int64_t)a.scale - (digits_of(right) - (int64_t)b.scale);
    if (place != 0) return (place < 0 ? -1 : 1) * sign;
    align(a, b, &left, &right);
  }
  return left < right ? -1 : left > right;
}

struct fhir_decimal fhir_decimal_neg(struct fhir_decimal a) {
  return (struct fhir_decimal){-a.coefficient, a.scale};
}

struct fhir_decimal fhir_decimal_abs(struct fhir_decimal a) {
  return (struct fhir_decimal){magnitude(a.coefficient), a.scale};
}

bool fhir_decimal_add(struct fhir_decimal a, struct fhir_decimal b, struct fhir_decimal *ret_sum) {
  wide left;
  wide right;
  int64_t scale = align(a, b, &left, &right);
  return fit(left + right, scale, ret_sum);
}

/* Halves of 17 digits, so that every partial product fits. */
static bool mul_long(wide a, wide b, int64_t scale, struct fhir_decimal *ret_product) {
  wide unit = ten_to(HALF_DIGITS);
  bool negative = (a < 0) != (b < 0);
  a = magnitude(a);
  b = magnitude(b);
  wide low = a % unit * (b % unit);
  wide middle = a / unit * (b % unit) + a % unit * (b / unit) + low / unit;
  wide high = a / unit * (b / unit) + middle / unit;
  wide tail = middle % unit * unit + low % unit; /* the lower 34 digits */
  int shift = high == 0 ? 0 : digits_of(high);
  wide product = high == 0 ? tail
                           : high * ten_to(FHIR_DECIMAL_DIGITS_MAX - shift) +
                                 cut(tail, shift, FHIR_ROUND_NEAREST);
  return fit(negative ? -product : product, scale - shift, ret_product);
}

bool fhir_decimal_mul(struct fhir_decimal a, struct fhir_decimal b,
                      struct fhir_decimal *ret_product) {
  int64_t scale = (int64_t)a.scale + b.scale;
  if (digits_of(a.coefficient) + digits_of(b.coefficient) > INT128_DIGITS - 1)
    return mul_long(a.coefficient, b.coefficient, scale, ret_product);
  return fit(a.coefficient * b.coefficient, scale, ret_product);
}

/* Long division: a digit at a time until it comes out or the digits are full. */
bool fhir_decimal_div(struct fhir_decimal a, struct fhir_decimal b,
                      struct fhir_decimal *ret_quotient) {
  if (b.coefficient == 0) return false;
  bool negative = (a.coefficient < 0) != (b.coefficient < 0);
  wide divisor = magnitude(b.coefficient);
  wide quotient = magnitude(a.coefficient) / divisor;
  wide rest = magnitude(a.coefficient) % divisor;
  int64_t scale = (int64_t)a.scale - b.scale;
  while (rest != 0 && digits_of(quotient) < FHIR_DECIMAL_DIGITS_MAX + 1) {
    rest *= 10;
    quotient = quotient * 10 + rest / divisor;
    rest %= divisor;
    scale++;
  }
  return fit(negative ? -quotient : quotient, scale, ret_quotient);
}

bool fhir_decimal_divmod(struct fhir_decimal a, struct fhir_decimal b,
                         struct fhir_decimal *ret_whole, struct fhir_decimal *ret_rest) {
  struct fhir_decimal quotient;
  struct fhir_decimal rest;
  wide left;
  wide right;
  if (b.coefficient == 0) return false;
  /* Whole coefficients on one scale divide exactly. */
  int64_t scale = align(a, b, &left, &right);
  if (right == 0) return false;
  if (!fit(left / right, 0, &quotient)) return false;
  if (!fit(left % right, scale, &rest)) return false;
  *ret_whole = quotient;
  *ret_rest = rest;
  return true;
}

struct fhir_decimal fhir_decimal_round(struct fhir_decimal a, int32_t scale,
                                       enum fhir_rounding rounding) {
  if (a.scale <= scale) return a;
  int64_t places = (int64_t)a.scale - scale;
  int some = places > INT128_DIGITS ? INT128_DIGITS + 1 : (int)places;
  return (struct fhir_decimal){cut(a.coefficient, some, rounding), scale};
}

bool fhir_decimal_rescale(struct fhir_decimal a, int32_t scale, enum fhir_rounding rounding,
                          struct fhir_decimal *ret_value) {
  a = fhir_decimal_round(a, scale, rounding);
  int64_t more = (int64_t)scale - a.scale;
  if (a.coefficient != 0 && digits_of(a.coefficient) + more > FHIR_DECIMAL_DIGITS_MAX) return false;
  if (a.coefficient != 0) a.coefficient *= ten_to((int)more);
  a.scale = scale;
  *ret_value = a;
  return true;
}

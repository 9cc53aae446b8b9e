/* fhir/path_quantity.c: quantities with UCUM units and calendar durations (FHIRPath §4.1.8, §6.1).
 * A calendar duration above seconds is not what UCUM means by the same word; weeks and shorter are
 * taken as equal all the same, since no calendar makes them differ.                             */
#include "fhir/path_impl.h"
#include "fhir/ucum.h"

#include <string.h>

static const struct {
  const char *word, *code; /* code: UCUM's nearest */
  enum fhir_unit_of_time unit;
} CALENDAR[] = {{"year", "a", FHIR_TIME_YEAR},     {"month", "mo", FHIR_TIME_MONTH},
                {"week", "wk", FHIR_TIME_WEEK},    {"day", "d", FHIR_TIME_DAY},
                {"hour", "h", FHIR_TIME_HOUR},     {"minute", "min", FHIR_TIME_MINUTE},
                {"second", "s", FHIR_TIME_SECOND}, {"millisecond", "ms", FHIR_TIME_MILLISECOND}};

enum { CALENDAR_COUNT = sizeof CALENDAR / sizeof *CALENDAR };

bool path_calendar_word(struct bytes word, struct bytes *ret_singular) {
  for (size_t i = 0; i < CALENDAR_COUNT; i++) {
    struct bytes singular = bytes_str(CALENDAR[i].word);
    bool plural = word.len == singular.len + 1 && word.at[singular.len] == 's' &&
                  bytes_starts(word, singular);
    if (!plural && !bytes_eq(word, singular)) continue;
    *ret_singular = singular;
    return true;
  }
  return false;
}

bool path_unit_of_time(const struct fhir_path_quantity *quantity, enum fhir_unit_of_time *ret_unit,
                       bool *ret_definite) {
  for (size_t i = 0; i < CALENDAR_COUNT; i++) {
    const char *name = quantity->calendar ? CALENDAR[i].word : CALENDAR[i].code;
    if (!bytes_eq_str(quantity->unit, name)) continue;
    *ret_unit = CALENDAR[i].unit;
    *ret_definite = !quantity->calendar && CALENDAR[i].unit <= FHIR_TIME_MONTH;
    return true;
  }
  return false;
}

static bool is_long(const struct fhir_path_quantity *quantity) {
  return quantity->calendar &&
         (bytes_eq_str(quantity->unit, "year") || bytes_eq_str(quantity->unit, "month"));
}

static bool parse_unit(const struct fhir_path_quantity *quantity, struct ucum *ret_unit) {
  if (!quantity->calendar) return ucum_parse(quantity->unit, ret_unit);
  for (size_t i = 0; i < CALENDAR_COUNT; i++)
    if (bytes_eq_str(quantity->unit, CALENDAR[i].word))
      return ucum_parse(bytes_str(CALENDAR[i].code), ret_unit);
  return false;
}

static bool same_unit(const struct fhir_path_quantity *a, const struct fhir_path_quantity *b) {
  return a->calendar == b->calendar && bytes_eq(a->unit, b->unit);
}

static bool units(const struct fhir_path_quantity *a, const struct fhir_path_quantity *b,
                  struct ucum *ret_a, struct ucum *ret_b) {
  return parse_unit(a, ret_a) && parse_unit(b, ret_b) && ucum_comparable(ret_a, ret_b);
}

bool path_quantity_order(const struct fhir_path_quantity *a, const struct fhir_path_quantity *b,
                         enum fhir_order *ret_order) {
  struct ucum unit_a;
  struct ucum unit_b;
  int order;
  if (same_unit(a, b)) {
    order = fhir_decimal_cmp(a->value, b->value);
  } else if (is_long(a) != is_long(b) || !units(a, b, &unit_a, &unit_b) ||
             !ucum_cmp(a->value, &unit_a, b->value, &unit_b, &order)) {
    return false;
  }
  *ret_order = order < 0 ? FHIR_LESS : order > 0 ? FHIR_GREATER : FHIR_EQUAL;
  return true;
}

/* Rounded to the places of the one that has fewer (§6.1.2). */
static bool near(struct fhir_decimal a, struct fhir_decimal b) {
  a = fhir_decimal_trim(a);
  b = fhir_decimal_trim(b);
  int32_t places = a.scale < b.scale ? a.scale : b.scale;
  return fhir_decimal_cmp(fhir_decimal_round(a, places, FHIR_ROUND_NEAREST),
                          fhir_decimal_round(b, places, FHIR_ROUND_NEAREST)) == 0;
}

bool path_quantity_equivalent(const struct fhir_path_quantity *a,
                              const struct fhir_path_quantity *b) {
  struct ucum unit_a;
  struct ucum unit_b;
  struct fhir_decimal in_a;
  if (same_unit(a, b)) return near(a->value, b->value);
  if (!units(a, b, &unit_a, &unit_b) || !ucum_convert(b->value, &unit_b, &unit_a, &in_a))
    return false;
  return near(a->value, in_a);
}

bool path_quantity_convert(const struct fhir_path_quantity *b, const struct fhir_path_quantity *a,
                           struct fhir_decimal *ret_value) {
  struct ucum unit_a;
  struct ucum unit_b;
  if (same_unit(a, b)) {
    *ret_value = b->value;
    return true;
  }
  return is_long(a) == is_long(b) && units(a, b, &unit_a, &unit_b) &&
         ucum_convert(b->value, &unit_b, &unit_a, ret_value);
}

bool path_quantity_comparable(const struct fhir_path_quantity *a,
                              const struct fhir_path_quantity *b) {
  struct ucum unit_a;
  struct ucum unit_b;
  return same_unit(a, b) || units(a, b, &unit_a, &unit_b);
}

/* "4 days", "4.5 'mg'", "4.5"; blanks between the parts as toQuantity() has them (§5.5.7). */
bool path_quantity_parse(struct bytes text, struct fhir_path_quantity *ret_quantity) {
  size_t end = 0;
  while (end < text.len && text.at[end] != ' ' && text.at[end] != '\'') end++;
  struct fhir_path_quantity quantity = {0};
  struct bytes number = bytes_sub(text, 0, end);
  struct bytes unit = bytes_trim(bytes_from(text, end));
  bool exponent = bytes_find(number, 'e') < number.len || bytes_find(number, 'E') < number.len;
  if (exponent || !fhir_decimal_parse(number, &quantity.value)) return false;
  if (unit.len == 0) {
    quantity.unit = BYTES("1");
    if (end < text.len) return false;
  } else if (unit.at[0] == '\'') {
    if (unit.len < 3 || unit.at[unit.len - 1] != '\'') return false;
    quantity.unit = bytes_sub(unit, 1, unit.len - 2);
    if (bytes_find(quantity.unit, ' ') < quantity.unit.len) return false;
  } else {
    if (!path_calendar_word(unit, &quantity.unit)) return false;
    quantity.calendar = true;
  }
  *ret_quantity = quantity;
  return true;
}

static bool is_one(struct bytes unit) {
  return unit.len == 0 || bytes_eq_str(unit, "1");
}

static bool is_product(struct bytes unit) {
  return bytes_find(unit, '/') < unit.len || bytes_find(unit, '.') < unit.len;
}

static struct bytes ucum_code(const struct fhir_path_quantity *quantity) {
  for (size_t i = 0; quantity->calendar && i < CALENDAR_COUNT; i++)
    if (bytes_eq_str(quantity->unit, CALENDAR[i].word)) return bytes_str(CALENDAR[i].code);
  return quantity->unit;
}

bool path_quantity_multiply(struct arena *arena, const struct fhir_path_quantity *a,
                            const struct fhir_path_quantity *b, bool divide,
                            struct fhir_path_quantity *ret_quantity) {
  struct fhir_path_quantity result = {0};
  struct bytes left = ucum_code(a);
  struct bytes right = ucum_code(b);
  bool ok = divide ? fhir_decimal_div(a->value, b->value, &result.value)
                   : fhir_decimal_mul(a->value, b->value, &result.value);
  if (!ok) return false;
  if (is_one(right)) {
    result.unit = left;
  } else if (divide && bytes_eq(left, right)) {
    result.unit = BYTES("1");
  } else if (!divide && is_one(left)) {
    result.unit = right;
  } else {
    struct bytes open = is_product(right) ? BYTES("(") : BYTES_NONE;
    struct bytes close = is_product(right) ? BYTES(")") : BYTES_NONE;
    if (is_one(left)) left = BYTES_NONE;
    result.unit = arena_printf(arena, "%.*s%c%.*s%.*s%.*s", BYTES_FMT(left), divide ? '/' : '.',
                               BYTES_FMT(open), BYTES_FMT(right), BYTES_FMT(close));
  }
  *ret_quantity = result;
  return arena_ok(arena);
}

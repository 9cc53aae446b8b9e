/* fhir/ucum.c: a recursive reader of the UCUM grammar over a sorted table; a unit defined by others
 * is read from its definition. Factors are kept as a fraction, so that 1/60 stays exact.         */
#include "fhir/ucum.h"

#include "base/must.h"

#include <string.h>

struct entry {
  struct bytes code;
  bool metric;
  struct bytes factor, definition;
};

static const struct entry ENTRIES[] = {
#define UNIT(code, metric, factor, definition) \
  {BYTES_INIT(code), metric, BYTES_INIT(factor), BYTES_INIT(definition)},
#include "fhir/ucum.tbl.h"
#undef UNIT
};

enum { ENTRY_COUNT = sizeof ENTRIES / sizeof *ENTRIES };

static const struct {
  struct bytes code;
  int8_t power; /* of ten, or of 1024 when binary */
  bool binary;
} PREFIXES[] = {
    {BYTES_INIT("Ki"), 1, true},   {BYTES_INIT("Mi"), 2, true},   {BYTES_INIT("Gi"), 3, true},
    {BYTES_INIT("Ti"), 4, true},   {BYTES_INIT("da"), 1, false},  {BYTES_INIT("Y"), 24, false},
    {BYTES_INIT("Z"), 21, false},  {BYTES_INIT("E"), 18, false},  {BYTES_INIT("P"), 15, false},
    {BYTES_INIT("T"), 12, false},  {BYTES_INIT("G"), 9, false},   {BYTES_INIT("M"), 6, false},
    {BYTES_INIT("k"), 3, false},   {BYTES_INIT("h"), 2, false},   {BYTES_INIT("d"), -1, false},
    {BYTES_INIT("c"), -2, false},  {BYTES_INIT("m"), -3, false},  {BYTES_INIT("u"), -6, false},
    {BYTES_INIT("n"), -9, false},  {BYTES_INIT("p"), -12, false}, {BYTES_INIT("f"), -15, false},
    {BYTES_INIT("a"), -18, false}, {BYTES_INIT("z"), -21, false}, {BYTES_INIT("y"), -24, false}};

struct reader {
  struct bytes left;
  int nesting;
  int64_t products; /* what is left of the work one unit may take */
};

enum { PRODUCTS_MAX = 2000, OFFSET_UNIT_BYTES = 6 };

static struct ucum one(void) {
  return (struct ucum){.numerator = {1, 0}, .denominator = {1, 0}};
}

static int8_t own_power(const struct ucum *unit) {
  return (int8_t)unit->own_power;
}

/* a times b, or a divided by b. Two different arbitrary units have no product. */
static bool multiply(struct ucum *a, const struct ucum *b, bool divide) {
  int sign = divide ? -1 : 1;
  if (!fhir_decimal_mul(a->numerator, divide ? b->denominator : b->numerator, &a->numerator) ||
      !fhir_decimal_mul(a->denominator, divide ? b->numerator : b->denominator, &a->denominator))
    return false;
  for (int i = 0; i < UCUM_BASES; i++) {
    int power = a->power[i] + sign * b->power[i];
    if (power > UCUM_POWER_MAX || power < -UCUM_POWER_MAX) return false;
    a->power[i] = (int8_t)power;
  }
  if (!b->own) return true;
  if (a->own && a->own != b->own) return false;
  int power = own_power(a) + sign * own_power(b);
  if (power > UCUM_POWER_MAX || power < -UCUM_POWER_MAX) return false;
  a->own_power = (uint8_t)(int8_t)power;
  a->own = power ? b->own : 0;
  return true;
}

static bool raise_to(struct reader *reader, struct ucum *unit, int power) {
  struct ucum result = one();
  for (int i = power < 0 ? -power : power; i > 0; i--)
    if (reader->products-- <= 0 || !multiply(&result, unit, power < 0)) return false;
  *unit = result;
  return true;
}

static const struct entry *find(struct bytes code) {
  size_t low = 0;
  size_t high = ENTRY_COUNT;
  while (low < high) {
    size_t middle = (low + high) / 2;
    struct bytes have = ENTRIES[middle].code;
    size_t common = have.len < code.len ? have.len : code.len;
    int order = memcmp(have.at, code.at, common);
    if (order == 0) order = have.len < code.len ? -1 : have.len > code.len;
    if (order == 0) return &ENTRIES[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

static bool read_term(struct reader *reader, struct ucum *ret_unit);

static bool is_base(const struct entry *entry, enum ucum_base *ret_base) {
  static const char *const codes[UCUM_BASES] = {"m", "s", "g", "rad", "K", "C", "cd"};
  for (int i = 0; i < UCUM_BASES; i++) {
    if (!bytes_eq_str(entry->code, codes[i])) continue;
    *ret_base = (enum ucum_base)i;
    return true;
  }
  return false;
}

static bool of_entry(struct reader *reader, const struct entry *entry, struct ucum *ret_unit) {
  enum ucum_base base;
  struct ucum unit = one();
  if (is_base(entry, &base)) {
    unit.power[base] = 1;
  } else if (entry->factor.at[0] == '!') {
    unit.own = (uint16_t)(entry - ENTRIES + 1);
    unit.own_power = 1;
  } else {
    struct reader inner = {entry->definition, reader->nesting + 1, reader->products};
    struct fhir_decimal factor;
    if (inner.nesting > UCUM_NESTING_MAX || !read_term(&inner, &unit) || inner.left.len)
      return false;
    reader->products = inner.products;
    if (!fhir_decimal_parse(entry->factor, &factor)) return false;
    if (!fhir_decimal_mul(unit.numerator, factor, &unit.numerator)) return false;
  }
  *ret_unit = unit;
  return true;
}

static bool apply_prefix(struct ucum *unit, int power, bool binary) {
  struct ucum prefix = one();
  if (binary)
    prefix.numerator.coefficient = (fhir_int128)1 << (10 * power);
  else
    prefix.numerator.scale = -power;
  return multiply(unit, &prefix, false);
}

static bool of_symbol(struct reader *reader, struct bytes code, struct ucum *ret_unit) {
  const struct entry *entry = find(code);
  if (entry) return of_entry(reader, entry, ret_unit);
  for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++) {
    struct bytes prefix = PREFIXES[i].code;
    if (!bytes_starts(code, prefix)) continue;
    entry = find(bytes_from(code, prefix.len));
    if (!entry || !entry->metric) continue;
    return of_entry(reader, entry, ret_unit) &&
           apply_prefix(ret_unit, PREFIXES[i].power, PREFIXES[i].binary);
  }
  return false;
}

static bool is_digit(uint8_t c) {
  return c >= '0' && c <= '9';
}

/* How long the symbol is: to an operator, a brace, or the exponent; brackets hold anything. */
static size_t symbol_length(struct bytes text) {
  if (bytes_starts(text, BYTES("10*")) || bytes_starts(text, BYTES("10^"))) return 3;
  size_t at = 0;
  bool bracket = false;
  for (; at < text.len; at++) {
    uint8_t c = text.at[at];
    if (c == '[') bracket = true;
    if (c == ']') bracket = false;
    if (bracket) continue;
    if (c == '.' || c == '/' || c == '(' || c == ')' || c == '{' || c == '+' || c == '-' ||
        is_digit(c))
      break;
  }
  return at;
}

/* A signed whole number; 1 when there is none. */
static bool read_exponent(struct reader *reader, int *ret_power) {
  bool sign = reader->left.len && (reader->left.at[0] == '-' || reader->left.at[0] == '+');
  bool negative = sign && reader->left.at[0] == '-';
  size_t at = sign;
  int power = 0;
  for (; at < reader->left.len && is_digit(reader->left.at[at]); at++) {
    power = power * 10 + (reader->left.at[at] - '0');
    if (power > UCUM_POWER_MAX) return false;
  }
  if (at == (size_t)sign) {
    *ret_power = 1;
    return !sign;
  }
  reader->left = bytes_from(reader->left, at);
  *ret_power = negative ? -power : power;
  return true;
}

static bool read_annotation(struct reader *reader) {
  if (reader->left.len == 0 || reader->left.at[0] != '{') return true;
  size_t end = bytes_find(reader->left, '}');
  if (end == reader->left.len) return false;
  reader->left = bytes_from(reader->left, end + 1);
  return true;
}

static bool read_factor(struct reader *reader, struct ucum *unit) {
  size_t digits = 0;
  while (digits < reader->left.len && is_digit(reader->left.at[digits])) digits++;
  if (!fhir_decimal_parse(bytes_sub(reader->left, 0, digits), &unit->numerator)) return false;
  reader->left = bytes_from(reader->left, digits);
  return true;
}

static bool read_group(struct reader *reader, struct ucum *unit) {
  reader->left = bytes_from(reader->left, 1);
  if (++reader->nesting > UCUM_NESTING_MAX || !read_term(reader, unit)) return false;
  reader->nesting--;
  if (reader->left.len == 0 || reader->left.at[0] != ')') return false;
  reader->left = bytes_from(reader->left, 1);
  return true;
}

static bool read_component(struct reader *reader, struct ucum *ret_unit) {
  struct ucum unit = one();
  int power = 1;
  if (reader->left.len == 0 || reader->products-- <= 0) return false;
  uint8_t c = reader->left.at[0];
  size_t symbol = symbol_length(reader->left);
  if (c == '{') {
    /* An annotation alone counts as 1. */
  } else if (c == '(') {
    if (!read_group(reader, &unit)) return false;
  } else if (symbol == 0) {
    if (!is_digit(c) || !read_factor(reader, &unit)) return false;
  } else {
    if (!of_symbol(reader, bytes_sub(reader->left, 0, symbol), &unit)) return false;
    reader->left = bytes_from(reader->left, symbol);
    if (!read_exponent(reader, &power)) return false;
    if (power != 1 && !raise_to(reader, &unit, power)) return false;
  }
  if (!read_annotation(reader)) return false;
  *ret_unit = unit;
  return true;
}

static bool read_term(struct reader *reader, struct ucum *ret_unit) {
  struct ucum unit = one();
  struct ucum part;
  bool divide = reader->left.len && reader->left.at[0] == '/';
  if (divide) reader->left = bytes_from(reader->left, 1);
  for (;;) {
    if (!read_component(reader, &part) || !multiply(&unit, &part, divide)) return false;
    if (reader->left.len == 0 || (reader->left.at[0] != '.' && reader->left.at[0] != '/')) break;
    divide = reader->left.at[0] == '/';
    reader->left = bytes_from(reader->left, 1);
  }
  *ret_unit = unit;
  return true;
}

/* Cel and [degF] alone stand on a scale with another zero; in products they are differences. */
static struct fhir_decimal offset_of(struct bytes text) {
  if (bytes_eq_str(text, "Cel")) return (struct fhir_decimal){27315, 2};
  if (bytes_eq_str(text, "[degF]")) return (struct fhir_decimal){45967, 2};
  return (struct fhir_decimal){0, 0};
}

bool ucum_parse(struct bytes text, struct ucum *ret_unit) {
  struct reader reader = {text, 0, PRODUCTS_MAX};
  struct ucum unit = one();
  if (text.len > UCUM_TEXT_BYTES_MAX) return false;
  if (text.len && !read_term(&reader, &unit)) return false;
  if (reader.left.len || unit.numerator.coefficient == 0 || unit.denominator.coefficient == 0)
    return false;
  unit.offset = offset_of(text);
  *ret_unit = unit;
  return true;
}

bool ucum_comparable(const struct ucum *a, const struct ucum *b) {
  return memcmp(a->power, b->power, sizeof a->power) == 0 && a->own == b->own &&
         a->own_power == b->own_power;
}

/* The value's numerator over the unit's denominator, in base units. */
static bool in_base(struct fhir_decimal value, const struct ucum *unit,
                    struct fhir_decimal *ret_value) {
  return fhir_decimal_add(value, unit->offset, &value) &&
         fhir_decimal_mul(value, unit->numerator, ret_value);
}

bool ucum_cmp(struct fhir_decimal a, const struct ucum *unit_a, struct fhir_decimal b,
              const struct ucum *unit_b, int *ret_order) {
  if (!ucum_comparable(unit_a, unit_b)) return false;
  if (!in_base(a, unit_a, &a) || !in_base(b, unit_b, &b)) return false;
  if (!fhir_decimal_mul(a, unit_b->denominator, &a)) return false;
  if (!fhir_decimal_mul(b, unit_a->denominator, &b)) return false;
  *ret_order = fhir_decimal_cmp(a, b);
  return true;
}

bool ucum_convert(struct fhir_decimal value, const struct ucum *from, const struct ucum *to,
                  struct fhir_decimal *ret_value) {
  struct fhir_decimal divisor;
  if (!ucum_comparable(from, to) || !in_base(value, from, &value)) return false;
  if (!fhir_decimal_mul(value, to->denominator, &value)) return false;
  if (!fhir_decimal_mul(from->denominator, to->numerator, &divisor)) return false;
  if (!fhir_decimal_div(value, divisor, &value)) return false;
  return fhir_decimal_add(value, fhir_decimal_neg(to->offset), ret_value);
}

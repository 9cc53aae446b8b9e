/* Units of measure: every definition of the table reads, values convert exactly, nonsense does not.
 */
#include "../test.h"

#include "fhir/ucum.h"

static const char *const CODES[] = {
#define UNIT(code, metric, factor, definition) code,
#include "fhir/ucum.tbl.h"
#undef UNIT
};

static void test_table(void **state) {
  for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
    struct ucum unit;
    if (!ucum_parse(bytes_str(CODES[i]), &unit)) fail_msg("%s does not read", CODES[i]);
    if (i && strcmp(CODES[i - 1], CODES[i]) >= 0) fail_msg("%s is out of order", CODES[i]);
  }
}

static struct fhir_decimal decimal(const char *text) {
  struct fhir_decimal value = {0};
  assert_true(fhir_decimal_parse(bytes_str(text), &value));
  return value;
}

static void test_conversion(void **state) {
  static const struct {
    const char *value, *from, *to, *result;
  } rows[] = {
      {"1", "[lb_av]", "g", "453.59237"},
      {"1", "[in_i]", "cm", "2.54"},
      {"1", "h", "s", "3600"},
      {"90", "min", "h", "1.5"},
      {"98.6", "[degF]", "Cel", "37"},
      {"37", "Cel", "K", "310.15"},
      {"0", "K", "[degF]", "-459.67"},
      {"5.5", "mmol/L", "umol/mL", "5.5"},
      {"1", "10*3/uL", "10*9/L", "1"},
      {"100", "mg/dL", "g/L", "1"},
      {"1", "kg.m/s2", "N", "1"},
      {"1", "J/m3", "Pa", "1"},
      {"1", "/min", "/h", "60"},
      {"1", "{score}", "1", "1"},
      {"50", "%", "1", "0.5"},
      {"1", "km/h", "m/h", "1000"},
      {"1", "U/L", "nkat/L", "16.66666666666666666666666666666667"},
      {"1", "KiBy", "By", "1024"},
      {"2", "m[iU]/mL", "[iU]/L", "2"},
      {"1", "(g/m2)/d", "g/m2/d", "1"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct ucum from;
    struct ucum to;
    struct fhir_decimal result = {0};
    assert_true(ucum_parse(bytes_str(rows[i].from), &from));
    assert_true(ucum_parse(bytes_str(rows[i].to), &to));
    if (!ucum_convert(decimal(rows[i].value), &from, &to, &result) ||
        fhir_decimal_cmp(result, decimal(rows[i].result)) != 0)
      fail_msg("%s %s in %s", rows[i].value, rows[i].from, rows[i].to);
  }
}

static void test_comparable(void **state) {
  static const char *const apart[][2] = {{"m", "s"},          {"g", "m"},    {"[iU]", "U"},
                                         {"[iU]", "[arb'U]"}, {"[pH]", "1"}, {"m", "m2"}};
  for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
    struct ucum a;
    struct ucum b;
    int order;
    assert_true(ucum_parse(bytes_str(apart[i][0]), &a));
    assert_true(ucum_parse(bytes_str(apart[i][1]), &b));
    assert_false(ucum_comparable(&a, &b));
    assert_false(ucum_cmp(decimal("1"), &a, decimal("1"), &b, &order));
  }
}

static void test_refused(void **state) {
  static const char *const texts[] = {"nonsense",
                                      "m/",
                                      "m..s",
                                      "(m",
                                      "m)",
                                      "{open",
                                      "m+",
                                      "m99",
                                      "k",
                                      "mm[Hg",
                                      "kmin",
                                      "[iU].[arb'U]",
                                      "((((((((((((((((((m))))))))))))))))))",
                                      "m 2",
                                      "Ym60.Ym60.Ym60.Ym60",
                                      "0",
                                      "1/0",
                                      ".",
                                      "/"};
  struct ucum unit;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (ucum_parse(bytes_str(texts[i]), &unit) && unit.denominator.coefficient &&
        unit.numerator.coefficient)
      fail_msg("%s is taken", texts[i]);
  char text[UCUM_TEXT_BYTES_MAX + 2];
  memset(text, 'm', sizeof text);
  assert_false(ucum_parse(bytes_of(text, sizeof text), &unit));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_conversion),
      cmocka_unit_test(test_comparable),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

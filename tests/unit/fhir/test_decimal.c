/* Exact decimals: what is written comes back, and no digit is lost before the 34th. */
#include "../test.h"

#include "fhir/decimal.h"

static void text_of(struct fhir_decimal value, char ret_text[FHIR_DECIMAL_TEXT_BYTES]) {
  struct buf buf;
  buf_init(&buf, FHIR_DECIMAL_TEXT_BYTES - 1);
  fhir_decimal_write(&buf, value);
  assert_true(buf_ok(&buf));
  bytes_text(buf_bytes(&buf), ret_text, FHIR_DECIMAL_TEXT_BYTES);
  buf_fini(&buf);
}

static struct fhir_decimal parse(const char *text) {
  struct fhir_decimal value = {0};
  if (!fhir_decimal_parse(bytes_str(text), &value)) fail_msg("%s is refused", text);
  return value;
}

static void assert_decimal(struct fhir_decimal value, const char *expected) {
  char text[FHIR_DECIMAL_TEXT_BYTES];
  text_of(value, text);
  assert_string_equal(text, expected);
}

static void test_texts(void **state) {
  static const char *const rows[][2] = {
      {"0", "0"},
      {"0.0", "0.0"},
      {"-1.50", "-1.50"},
      {"+7", "7"},
      {"1e3", "1000"},
      {"1.5E-3", "0.0015"},
      {"1e33", "1000000000000000000000000000000000"},
      {"00012.5", "12.5"},
      {"-0.001", "-0.001"},
      {"12e1", "120"},
      {"1234567890123456789012345678901234", "1234567890123456789012345678901234"},
      {"12345678901234567890123456789012345", "12345678901234567890123456789012350"},
      {"0.00000000000000000000000000000000001", "0.00000000000000000000000000000000001"},
  };
  static const char *const refused[] = {"", "-", ".5", "1.", "1e", "1x", "1.2.3", "1e99999", "e5"};
  struct fhir_decimal value;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_decimal(parse(rows[i][0]), rows[i][1]);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    if (fhir_decimal_parse(bytes_str(refused[i]), &value)) fail_msg("%s is taken", refused[i]);
}

static void test_order(void **state) {
  static const struct {
    const char *a, *b;
    int order;
  } rows[] = {{"1", "1.000", 0},
              {"1", "2", -1},
              {"-1", "1", -1},
              {"-2", "-1", -1},
              {"1e900", "1e-900", 1},
              {"0", "0.000", 0},
              {"0.1", "0.09", 1},
              {"1e30", "1000000000000000000000000000000", 0},
              {"9.99", "10", -1},
              {"1e20", "99999999999999999999.99999", 1},
              {"-1e900", "1e-900", -1},
              {"123456789012345678901234567890.1", "123456789012345678901234567890.2", -1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(fhir_decimal_cmp(parse(rows[i].a), parse(rows[i].b)), rows[i].order);
    assert_int_equal(fhir_decimal_cmp(parse(rows[i].b), parse(rows[i].a)), -rows[i].order);
  }
}

static void test_arithmetic(void **state) {
  static const struct {
    const char *a;
    char op;
    const char *b, *result;
  } rows[] = {
      {"0.1", '+', "0.2", "0.3"},
      {"1", '+', "-1.00", "0.00"},
      {"1e33", '+', "1e-40", "1000000000000000000000000000000000"},
      {"1.5", '*', "1.5", "2.25"},
      {"99999999999999999999999999999999", '*', "10", "999999999999999999999999999999990"},
      {"1234567890123456789", '*', "9876543210987654321", "12193263113702179522374638011112640000"},
      {"1", '/', "3", "0.3333333333333333333333333333333333"},
      {"2", '/', "3", "0.6666666666666666666666666666666667"},
      {"6", '/', "2", "3"},
      {"1", '/', "8", "0.125"},
      {"-7", '/', "2", "-3.5"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct fhir_decimal result = {0};
    struct fhir_decimal a = parse(rows[i].a);
    struct fhir_decimal b = parse(rows[i].b);
    bool ok = rows[i].op == '+'   ? fhir_decimal_add(a, b, &result)
              : rows[i].op == '*' ? fhir_decimal_mul(a, b, &result)
                                  : fhir_decimal_div(a, b, &result);
    assert_true(ok);
    assert_decimal(result, rows[i].result);
  }
  struct fhir_decimal none;
  assert_false(fhir_decimal_div(parse("1"), parse("0.00"), &none));
  assert_false(fhir_decimal_mul(parse("1e900"), parse("1e900"), &none));
}

static void test_rounding(void **state) {
  assert_decimal(fhir_decimal_round(parse("2.5"), 0, FHIR_ROUND_NEAREST), "3");
  assert_decimal(fhir_decimal_round(parse("-2.5"), 0, FHIR_ROUND_NEAREST), "-3");
  assert_decimal(fhir_decimal_round(parse("2.49"), 0, FHIR_ROUND_NEAREST), "2");
  assert_decimal(fhir_decimal_round(parse("-2.1"), 0, FHIR_ROUND_DOWN), "-3");
  assert_decimal(fhir_decimal_round(parse("-2.1"), 0, FHIR_ROUND_UP), "-2");
  assert_decimal(fhir_decimal_round(parse("-2.9"), 0, FHIR_ROUND_TO_ZERO), "-2");
  assert_decimal(fhir_decimal_round(parse("1e-60"), 5, FHIR_ROUND_UP), "0.00001");
  assert_decimal(fhir_decimal_round(parse("1e-60"), 5, FHIR_ROUND_NEAREST), "0.00000");
  struct fhir_decimal value;
  assert_true(fhir_decimal_rescale(parse("1.5"), 4, FHIR_ROUND_DOWN, &value));
  assert_decimal(value, "1.5000");
  assert_false(fhir_decimal_rescale(parse("123456"), 30, FHIR_ROUND_DOWN, &value));
}

static void test_parts(void **state) {
  struct fhir_decimal whole;
  struct fhir_decimal rest;
  int64_t integer;
  assert_true(fhir_decimal_divmod(parse("-7.5"), parse("2"), &whole, &rest));
  assert_decimal(whole, "-3");
  assert_decimal(rest, "-1.5");
  assert_false(fhir_decimal_divmod(parse("1"), parse("0"), &whole, &rest));
  assert_true(fhir_decimal_to_int(parse("42.000"), &integer));
  assert_int_equal(integer, 42);
  assert_false(fhir_decimal_to_int(parse("42.5"), &integer));
  assert_false(fhir_decimal_to_int(parse("9223372036854775808"), &integer));
  assert_true(fhir_decimal_to_int(parse("-9223372036854775808"), &integer));
  assert_decimal(fhir_decimal_trim(parse("1.500")), "1.5");
  assert_true(fhir_decimal_double(0.1L, &whole));
  assert_decimal(whole, "0.1");
  assert_false(fhir_decimal_double(__builtin_nanl(""), &whole));
  assert_false(fhir_decimal_double(__builtin_infl(), &whole));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts),      cmocka_unit_test(test_order),
      cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_rounding),
      cmocka_unit_test(test_parts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Dates and times: reading, writing, order with unknown, sums at month ends, boundaries. */
#include "../test.h"

#include "fhir/datetime.h"

typedef bool parser(struct bytes text, struct fhir_datetime *ret_value);

static void test_texts(void **state) {
  static const struct {
    parser *parse;
    const char *text;
    bool ok;
  } rows[] = {
      {fhir_date_parse, "2015", true},
      {fhir_date_parse, "2015-02", true},
      {fhir_date_parse, "2015-02-28", true},
      {fhir_date_parse, "2015-02-29", false},
      {fhir_date_parse, "2016-02-29", true},
      {fhir_date_parse, "1900-02-29", false},
      {fhir_date_parse, "0000", false},
      {fhir_date_parse, "0001-01-01", true},
      {fhir_date_parse, "9999-12-31", true},
      {fhir_date_parse, "2015-13", false},
      {fhir_date_parse, "2015-00", false},
      {fhir_date_parse, "2015-1", false},
      {fhir_date_parse, "2015-01-01T", false},
      {fhir_date_parse, "", false},
      {fhir_date_parse, "20150101", false},
      {fhir_datetime_parse, "2015-02-04T14", true},
      {fhir_datetime_parse, "2015-02-04T14:30", true},
      {fhir_datetime_parse, "2015-02-04T14:30:28.123456Z", true},
      {fhir_datetime_parse, "2015-02-04T14:30:28+14:00", true},
      {fhir_datetime_parse, "2015-02-04T14:30:28+14:01", false},
      {fhir_datetime_parse, "2015-02-04T14:30:28+1:00", false},
      {fhir_datetime_parse, "2015-02T14:30", false},
      {fhir_datetime_parse, "2015-02-04T24:00", false},
      {fhir_datetime_parse, "2015-02-04T14:60", false},
      {fhir_datetime_parse, "2015-02-04T14:30:60Z", true},
      {fhir_datetime_parse, "2015-02-04T14:30:61Z", false},
      {fhir_datetime_parse, "2015-02-04T14:30:28.", false},
      {fhir_datetime_parse, "2015-02-04 14:30", false},
      {fhir_time_parse, "14:30:28.5", true},
      {fhir_time_parse, "14", true},
      {fhir_time_parse, "14:30Z", false},
      {fhir_time_parse, "24", false},
      {fhir_time_parse, "", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct fhir_datetime value;
    struct buf buf;
    if (rows[i].parse(bytes_str(rows[i].text), &value) != rows[i].ok)
      fail_msg("%s: expected %d", rows[i].text, rows[i].ok);
    if (!rows[i].ok) continue;
    buf_init(&buf, FHIR_DATETIME_TEXT_BYTES);
    if (rows[i].parse == fhir_time_parse)
      fhir_time_write(&buf, &value);
    else
      fhir_datetime_write(&buf, &value);
    assert_bytes(buf_bytes(&buf), rows[i].text);
    buf_fini(&buf);
  }
}

static struct fhir_datetime moment(const char *text) {
  struct fhir_datetime value = {0};
  if (!fhir_datetime_parse(bytes_str(text), &value)) fail_msg("%s is refused", text);
  return value;
}

static void test_order(void **state) {
  static const struct {
    const char *a, *b;
    enum fhir_order order;
  } rows[] = {
      {"2015", "2016-01", FHIR_LESS},
      {"2015", "2015-01", FHIR_UNKNOWN},
      {"2015-02-04", "2015-02-04", FHIR_EQUAL},
      {"2015-02-04T10:00:00", "2015-02-04T10:00:00.000", FHIR_EQUAL},
      {"2015-02-04T10:00:00", "2015-02-04T10:00:00.001", FHIR_LESS},
      {"2015-02-04T10:00", "2015-02-04T10:00:30", FHIR_UNKNOWN},
      {"2015-02-04T23:30:00-01:00", "2015-02-05T00:30:00Z", FHIR_EQUAL},
      {"2015-12-31T23:30:00-01:00", "2016-01-01T00:29:00Z", FHIR_GREATER},
      {"2015-02-04T10:00:00Z", "2015-02-04T10:00:00", FHIR_UNKNOWN},
      {"2015-02-04T10:00:00Z", "2015-02-06T10:00:00", FHIR_LESS},
      {"2015-02-04T10:00:00Z", "2015-02-02T10:00:00", FHIR_GREATER},
      {"2015-02-04", "2015-02-04T10:00:00Z", FHIR_UNKNOWN},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct fhir_datetime a = moment(rows[i].a);
    struct fhir_datetime b = moment(rows[i].b);
    if (fhir_datetime_order(&a, &b) != rows[i].order) fail_msg("%s, %s", rows[i].a, rows[i].b);
    enum fhir_order back = rows[i].order == FHIR_LESS      ? FHIR_GREATER
                           : rows[i].order == FHIR_GREATER ? FHIR_LESS
                                                           : rows[i].order;
    assert_int_equal(fhir_datetime_order(&b, &a), back);
  }
}

static void test_sums(void **state) {
  static const struct {
    const char *from;
    int64_t amount;
    enum fhir_unit_of_time unit;
    const char *sum; /* NULL: out of the calendar */
  } rows[] = {
      {"2020-01-31", 1, FHIR_TIME_MONTH, "2020-02-29"},
      {"2020-01-31", 13, FHIR_TIME_MONTH, "2021-02-28"},
      {"2020-03-31", -1, FHIR_TIME_MONTH, "2020-02-29"},
      {"2020-01-15", -1, FHIR_TIME_MONTH, "2019-12-15"},
      {"2020-02-29", -1, FHIR_TIME_YEAR, "2019-02-28"},
      {"2020-02-28", 2, FHIR_TIME_DAY, "2020-03-01"},
      {"2020-01-01", -1, FHIR_TIME_DAY, "2019-12-31"},
      {"2020-01-01", 1, FHIR_TIME_WEEK, "2020-01-08"},
      {"2020-01-01", 36, FHIR_TIME_HOUR, "2020-01-02"},
      {"2020-01-01", -36, FHIR_TIME_HOUR, "2019-12-31"},
      {"2020", 366, FHIR_TIME_DAY, "2021"},
      {"2020", 364, FHIR_TIME_DAY, "2020"},
      {"2020", -13, FHIR_TIME_MONTH, "2019"},
      {"2020-01-01T23:59:59Z", 1, FHIR_TIME_SECOND, "2020-01-02T00:00:00Z"},
      {"2020-01-01T00:00:00Z", -1, FHIR_TIME_MILLISECOND, "2019-12-31T23:59:59.999Z"},
      {"2020-01-01T23:30", 45, FHIR_TIME_MINUTE, "2020-01-02T00:15"},
      {"9999-12-31", 1, FHIR_TIME_DAY, NULL},
      {"0001-01-01", -1, FHIR_TIME_MONTH, NULL},
      {"2020-01-01", INT64_MAX, FHIR_TIME_WEEK, NULL},
      {"2020-01-01", INT64_MAX, FHIR_TIME_YEAR, NULL},
      {"2020-01-01", 300000, FHIR_TIME_YEAR, NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct fhir_datetime sum;
    struct buf buf;
    bool ok = fhir_datetime_add(moment(rows[i].from), fhir_decimal_int(rows[i].amount),
                                rows[i].unit, &sum);
    if (ok != (rows[i].sum != NULL)) fail_msg("%s + %lld", rows[i].from, (long long)rows[i].amount);
    if (!ok) continue;
    buf_init(&buf, FHIR_DATETIME_TEXT_BYTES);
    fhir_datetime_write(&buf, &sum);
    assert_bytes(buf_bytes(&buf), rows[i].sum);
    buf_fini(&buf);
  }
}

static void test_bounds(void **state) {
  struct fhir_datetime bound;
  assert_true(fhir_date_bound(moment("2015-02"), true, 8, &bound));
  assert_int_equal(bound.day, 28);
  assert_true(fhir_date_bound(moment("2015-02-04"), true, 4, &bound));
  assert_int_equal(bound.precision, FHIR_YEAR);
  assert_false(fhir_date_bound(moment("2015"), true, 5, &bound));
  assert_false(fhir_date_bound(moment("2015"), true, 10, &bound));
  assert_true(fhir_datetime_bound(moment("2015"), false, 17, &bound));
  assert_int_equal(bound.zone_min, 14 * 60);
  assert_true(fhir_datetime_bound(moment("2015-01-01T00:00:00Z"), true, 17, &bound));
  assert_int_equal(bound.zone_min, 0);
  assert_int_equal(bound.nanosecond, 999000000);
  assert_false(fhir_time_bound(moment("2015"), true, -3, &bound));
}

static void test_clock(void **state) {
  struct buf buf;
  struct fhir_datetime now = fhir_datetime_now(-1, 60);
  buf_init(&buf, FHIR_DATETIME_TEXT_BYTES);
  fhir_datetime_write(&buf, &now);
  assert_bytes(buf_bytes(&buf), "1970-01-01T00:59:59.999+01:00");
  buf_fini(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts),  cmocka_unit_test(test_order), cmocka_unit_test(test_sums),
      cmocka_unit_test(test_bounds), cmocka_unit_test(test_clock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

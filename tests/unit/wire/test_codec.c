/* tests/unit/wire/test_codec.c: text forms there and back, and the forms that are refused. */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "wire/codec.h"

static struct buf out;

static int setup(void **state) {
  buf_init(&out, 4096);
  return 0;
}

static int teardown(void **state) {
  buf_fini(&out);
  return 0;
}

static void base64_there_and_back(void **state) {
  /* RFC 4648 §10, and the two letters in which the alphabets differ. */
  static const struct {
    const char *plain, *text, *bare;
  } cases[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
  };
  struct err err;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    buf_reset(&out);
    base64_encode(&out, bytes_str(cases[i].plain), 0);
    assert_bytes(buf_bytes(&out), cases[i].text);
    buf_reset(&out);
    base64_encode(&out, bytes_str(cases[i].plain), BASE64_URL | BASE64_NO_PAD);
    assert_bytes(buf_bytes(&out), cases[i].bare);
    buf_reset(&out);
    assert_ok(base64_decode(&out, bytes_str(cases[i].text), 0, &err), err);
    assert_ok(base64_decode(&out, bytes_str(cases[i].bare), BASE64_NO_PAD, &err), err);
    assert_ok(base64_decode(&out, bytes_str(cases[i].text), BASE64_NO_PAD, &err), err);
    assert_int_equal(out.len, 3 * strlen(cases[i].plain));
  }
  buf_reset(&out);
  assert_ok(base64_decode(&out, BYTES("-_-_"), BASE64_URL, &err), err);
  base64_encode(&out, bytes_of(out.at, 3), 0);
  assert_bytes(bytes_from(buf_bytes(&out), 3), "+/+/");
}

static void base64_is_strict(void **state) {
  static const char *const cases[] = {
      "A",   "AA",    "AAA",    "AB==",     "AAB=",  "A===", "====", "=",
      "AA=", "AAAA=", "AAAA==", "AA==AA==", "AA\n=", "-_-_", "AA A"};
  struct err err;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_fails(base64_decode(&out, bytes_str(cases[i]), 0, &err), err, ERR_MALFORMED);
  assert_fails(base64_decode(&out, BYTES("+/+/"), BASE64_URL, &err), err, ERR_MALFORMED);
  assert_fails(base64_decode(&out, BYTES("A"), BASE64_NO_PAD, &err), err, ERR_MALFORMED);
  assert_fails(base64_decode(&out, BYTES("AA="), BASE64_NO_PAD, &err), err, ERR_MALFORMED);
  cleanup_buf struct buf small;
  buf_init(&small, 4);
  assert_fails(base64_decode(&small, BYTES("Zm9vYmFy"), 0, &err), err, ERR_LIMIT);
  buf_reset(&small);
  base64_encode(&small, BYTES("four"), 0);
  assert_false(buf_ok(&small));
}

static void hex_there_and_back(void **state) {
  struct err err;
  hex_encode(&out, bytes_of("\x00\xff\x1a", 3));
  assert_bytes(buf_bytes(&out), "00ff1a");
  buf_reset(&out);
  assert_ok(hex_decode(&out, BYTES("00fF1A"), &err), err);
  assert_true(bytes_eq(buf_bytes(&out), bytes_of("\x00\xff\x1a", 3)));
  assert_fails(hex_decode(&out, BYTES("0"), &err), err, ERR_MALFORMED);
  assert_fails(hex_decode(&out, BYTES("0g"), &err), err, ERR_MALFORMED);
  assert_fails(hex_decode(&out, BYTES("00:1"), &err), err, ERR_MALFORMED);
}

static void percent_there_and_back(void **state) {
  struct err err;
  percent_encode(&out, BYTES("a/b c~\xC3\xA9%\0"), "/");
  assert_bytes(buf_bytes(&out), "a/b%20c~%C3%A9%25%00");
  buf_reset(&out);
  assert_ok(percent_decode(&out, BYTES("a%2fb+c%C3%A9"), true, &err), err);
  assert_bytes(buf_bytes(&out), "a/b c\xC3\xA9");
  buf_reset(&out);
  assert_ok(percent_decode(&out, BYTES("a+b"), false, &err), err);
  assert_bytes(buf_bytes(&out), "a+b");
  static const char *const cases[] = {"%", "a%2", "%zz", "%2", "%%20"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_fails(percent_decode(&out, bytes_str(cases[i]), false, &err), err, ERR_MALFORMED);
}

static void http_dates(void **state) {
  char text[HTTP_DATE_BYTES];
  struct err err;
  int64_t at = 0;
  http_date_format(784111777000, text);
  assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
  assert_ok(http_date_parse(bytes_str(text), &at, &err), err);
  assert_true(at == 784111777000);
  http_date_format(-1, text);
  assert_string_equal(text, "Wed, 31 Dec 1969 23:59:59 GMT");
  static const char *const cases[] = {
      "",
      "Mon, 06 Nov 1994 08:49:37 GMT",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 24:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      "Thu, 31 Feb 1994 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT",
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_fails(http_date_parse(bytes_str(cases[i]), &at, &err), err, ERR_MALFORMED);
}

static void timestamps(void **state) {
  static const struct {
    const char *text;
    int64_t ms;
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1985-04-12T23:20:50.52Z", 482196050520},
      {"1996-12-19T16:39:57-08:00", 851042397000},
      {"1990-12-31T23:59:60Z", 662687999000},
      {"1990-12-31T15:59:60.999-08:00", 662687999999},
      {"1937-01-01T12:00:27.87+00:20", -1041337172130},
      {"2024-02-29t12:00:00.123456789z", 1709208000123},
      {"0000-01-01T00:00:00Z", -62167219200000},
      {"9999-12-31T23:59:59.999Z", 253402300799999},
  };
  struct err err;
  int64_t at = 0;
  char text[RFC3339_BYTES];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_ok(rfc3339_parse(bytes_str(cases[i].text), &at, &err), err);
    if (at != cases[i].ms) fail_msg("%s: %lld", cases[i].text, (long long)at);
    rfc3339_format(at, text);
    assert_ok(rfc3339_parse(bytes_str(text), &at, &err), err);
    assert_true(at == cases[i].ms);
  }
  rfc3339_format(INT64_MAX, text);
  assert_string_equal(text, "9999-12-31T23:59:59.999Z");
  rfc3339_format(INT64_MIN, text);
  assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

static void wrong_timestamps_are_refused(void **state) {
  static const char *const cases[] = {
      "",
      "2024-01-01",
      "2024-01-01T00:00:00",
      "2024-13-01T00:00:00Z",
      "2024-00-01T00:00:00Z",
      "2023-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2024-01-00T00:00:00Z",
      "2024-01-01T24:00:00Z",
      "2024-01-01T00:60:00Z",
      "2024-01-01T00:00:61Z",
      "2024-01-01T00:00:60Z",
      "2024-01-01T00:00:00.Z",
      "2024-01-01T00:00:00+24:00",
      "2024-01-01T00:00:00+00:60",
      "2024-01-01T00:00:00+0000",
      "2024-01-01 00:00:00Z",
      "24-01-01T00:00:00Z",
      "2024-1-1T00:00:00Z",
      "2024-01-01T00:00:00Zx",
      "2024-01-01T00:00:00,5Z",
      "+2024-01-01T00:00:00Z",
  };
  struct err err;
  int64_t at = 42;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_fails(rfc3339_parse(bytes_str(cases[i]), &at, &err), err, ERR_MALFORMED);
  assert_true(at == 42);
  assert_true(rfc3339_is_date(BYTES("2024-02-29")));
  assert_false(rfc3339_is_date(BYTES("2024-02-29T")));
  assert_true(rfc3339_is_time(BYTES("23:59:60Z")));
  assert_false(rfc3339_is_time(BYTES("23:59:60+01:00")));
  assert_false(rfc3339_is_time(BYTES("12:00:00")));
}

static void every_day_survives(void **state) {
  struct err err;
  for (int64_t day = -719528; day < 2932897; day += 13) {
    char text[RFC3339_BYTES];
    char date[HTTP_DATE_BYTES];
    int64_t at = 0;
    rfc3339_format(day * 86400000 + 86399999, text);
    assert_ok(rfc3339_parse(bytes_str(text), &at, &err), err);
    assert_true(at == day * 86400000 + 86399999);
    http_date_format(at, date);
    assert_ok(http_date_parse(bytes_str(date), &at, &err), err);
    assert_true(at == day * 86400000 + 86399000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(base64_there_and_back, setup, teardown),
      cmocka_unit_test_setup_teardown(base64_is_strict, setup, teardown),
      cmocka_unit_test_setup_teardown(hex_there_and_back, setup, teardown),
      cmocka_unit_test_setup_teardown(percent_there_and_back, setup, teardown),
      cmocka_unit_test(http_dates),
      cmocka_unit_test(timestamps),
      cmocka_unit_test(wrong_timestamps_are_refused),
      cmocka_unit_test(every_day_survives),
  };
  return cmocka_run_group_tests_name("wire/codec", tests, NULL, NULL);
}

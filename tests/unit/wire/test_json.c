/* tests/unit/wire/test_json.c: what JSON is taken, what is refused, and what comes out again. */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "wire/json.h"
#include "wire/json_number.h"

#include <math.h>

enum { ARENA_BYTES = 1 << 20 };

static struct arena arena;

static int setup(void **state) {
  arena_init(&arena, ARENA_BYTES);
  return 0;
}

static int teardown(void **state) {
  arena_fini(&arena);
  return 0;
}

static const struct json *parse(const char *text) {
  const struct json *value = NULL;
  struct err err;
  assert_ok(json_parse(&arena, bytes_str(text), &value, &err), err);
  return value;
}

static void refuse(struct bytes text, enum err_code code, uint64_t offset) {
  const struct json *value = NULL;
  struct err err;
  assert_fails(json_parse(&arena, text, &value, &err), err, code);
  if (offset != ERR_OFFSET_NONE && err.offset != offset)
    fail_msg("%.*s: offset %d, expected %d", BYTES_FMT(text), (int)err.offset, (int)offset);
  assert_null(value);
}

static void written(const struct json *value, const char *expected) {
  cleanup_buf struct buf buf;
  struct json_out out;
  buf_init(&buf, ARENA_BYTES);
  json_out_init(&out, &buf);
  json_out_value(&out, value);
  assert_bytes(buf_bytes(&buf), expected);
}

static void canonical(const char *text, const char *expected) {
  cleanup_buf struct buf buf;
  buf_init(&buf, ARENA_BYTES);
  json_canonical(&buf, parse(text));
  assert_bytes(buf_bytes(&buf), expected);
}

static void a_tree_keeps_text_order_and_offsets(void **state) {
  const struct json *value = parse(" {\"a\": [1, -2.50e+1 ,\"x\"], \"b\":{} ,\"c\":null} ");
  assert_int_equal(value->kind, JSON_OBJECT);
  assert_int_equal(value->count, 3);
  assert_int_equal(value->offset, 1);
  assert_bytes(value->text, "{\"a\": [1, -2.50e+1 ,\"x\"], \"b\":{} ,\"c\":null}");
  const struct json *list = json_get(value, "a");
  assert_int_equal(list->count, 3);
  assert_bytes(list->text, "[1, -2.50e+1 ,\"x\"]");
  assert_bytes(json_text(json_item(list, 1)), "-2.50e+1");
  assert_bytes(json_text(json_item(list, 2)), "x");
  assert_null(json_item(list, 3));
  assert_int_equal(json_get(value, "c")->kind, JSON_NULL);
  assert_null(json_get(value, "d"));
  assert_null(json_get(list, "a"));
  assert_null(json_get(NULL, "a"));
  written(value, "{\"a\":[1,-2.50e+1,\"x\"],\"b\":{},\"c\":null}");
}

static void strings_are_decoded_and_point_into_the_input(void **state) {
  struct bytes input = BYTES("[\"plain\",\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e9\\uD83D\\uDE00\","
                             "\"\xC3\xA9\xF0\x9F\x98\x80\",\"\\u0000\"]");
  const struct json *value = NULL;
  struct err err;
  assert_ok(json_parse(&arena, input, &value, &err), err);
  assert_ptr_equal(json_item(value, 0)->text.at, input.at + 2);
  assert_bytes(json_text(json_item(value, 1)), "a\"\\/\b\f\n\r\t");
  assert_bytes(json_text(json_item(value, 2)), "\xC3\xA9\xF0\x9F\x98\x80");
  assert_true(json_eq(json_item(value, 2), json_item(value, 3)));
  assert_int_equal(json_text(json_item(value, 4)).len, 1);
}

static void forms_outside_the_grammar_are_refused(void **state) {
  static const struct {
    const char *text;
    uint64_t offset;
  } cases[] = {
      {"", 0},
      {"  ", 2},
      {"[1,]", 3},
      {"{\"a\":1,}", 7},
      {"[1 2]", 3},
      {"{\"a\" 1}", 5},
      {"{a:1}", 1},
      {"'a'", 0},
      {"01", 0},
      {"-", 0},
      {"+1", 0},
      {".5", 0},
      {"1.", 0},
      {"1e", 0},
      {"1e+", 0},
      {"0x1", 1},
      {"NaN", 0},
      {"Infinity", 0},
      {"-Infinity", 0},
      {"nul", 0},
      {"True", 0},
      {"nullx", 4},
      {"[", 1},
      {"]", 0},
      {"[1}", 2},
      {"{\"a\":}", 5},
      {"{\"a\"}", 4},
      {"1 1", 2},
      {"\"a", 2},
      {"\"\\x\"", 2},
      {"\"\\u12\"", 5},
      {"\"\\u12g4\"", 5},
      {"\"\t\"", 1},
      {"\"\n\"", 1},
      {"/**/1", 0},
      {"[1,,2]", 3},
      {"\xEF\xBB\xBF", 0},
      {"{\"a\":1 \"b\":2}", 7},
      {"\"\\\"", 3},
      {"\f1", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuse(bytes_str(cases[i].text), ERR_MALFORMED, cases[i].offset);
  refuse(bytes_of("1\0", 2), ERR_MALFORMED, 1);
  refuse(bytes_of("\"\\\0\"", 4), ERR_MALFORMED, 2);
}

static void lone_surrogates_and_bad_utf8_are_refused(void **state) {
  static const char *const cases[] = {
      "\"\\uD800\"",      "\"\\uDC00\"",          "\"\\uD800\\u0041\"",
      "\"\\uD800x\"",     "\"\\uD83D\\uD83D\"",   "\"\x80\"",
      "\"\xC3\"",         "\"\xC0\xAF\"",         "\"\xE0\x80\xAF\"",
      "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xF8\x88\x80\x80\x80\"",
      "\"\xFF\"",         "\"12345678\xE2\x82\"", "{\"\xC3\":1}",
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuse(bytes_str(cases[i]), ERR_MALFORMED, ERR_OFFSET_NONE);
}

static void every_truncation_is_refused(void **state) {
  struct bytes whole =
      BYTES("{\"a\":[true,false,null,-1.5e3,\"x\\u00e9\\n\xC3\xA9\"],\"b\":{\"c\":{}}}");
  const struct json *value = NULL;
  struct err err;
  assert_ok(json_parse(&arena, whole, &value, &err), err);
  for (size_t len = 0; len < whole.len; len++) {
    uint8_t *exact = malloc(len + 1);
    memcpy(exact, whole.at, len);
    exact = realloc(exact, len ? len : 1);
    refuse(bytes_of(exact, len), ERR_MALFORMED, ERR_OFFSET_NONE);
    free(exact);
  }
}

static void depth_is_limited(void **state) {
  char text[2 * JSON_DEPTH_MAX + 3] = {0};
  memset(text, '[', JSON_DEPTH_MAX);
  memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
  written(parse(text), text);
  memset(text, '[', JSON_DEPTH_MAX + 1);
  memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
  refuse(bytes_str(text), ERR_LIMIT, JSON_DEPTH_MAX);
}

static void the_arena_limits_the_tree(void **state) {
  cleanup_arena struct arena small;
  const struct json *value = NULL;
  struct err err;
  char text[801] = "[";
  for (size_t i = 1; i < 799; i += 2) memcpy(text + i, "1,", 2);
  memcpy(text + 799, "]", 2);
  text[798] = '1';
  text[797] = '1';
  arena_init(&small, 8192);
  assert_fails(json_parse(&small, bytes_str(text), &value, &err), err, ERR_LIMIT);
  arena_reset(&small);
  assert_ok(json_parse(&small, BYTES("[1]"), &value, &err), err);
  static uint8_t large[9000];
  memset(large, 'x', sizeof large);
  memcpy(large, "\"\\n", 3);
  large[sizeof large - 1] = '"';
  arena_reset(&small);
  assert_fails(json_parse(&small, bytes_of(large, sizeof large), &value, &err), err, ERR_LIMIT);
  assert_fails(json_parse(&small, bytes_of(large, JSON_BYTES_MAX + 1ul), &value, &err), err,
               ERR_LIMIT);
}

static void duplicate_names_are_refused(void **state) {
  refuse(BYTES("{\"a\":1,\"a\":1}"), ERR_MALFORMED, 10);
  refuse(BYTES("{\"a\":1,\"\\u0061\":2}"), ERR_MALFORMED, ERR_OFFSET_NONE);
  refuse(BYTES("{\"\":1,\"\":2}"), ERR_MALFORMED, ERR_OFFSET_NONE);
  parse("{\"a\":{\"a\":1},\"A\":[{\"a\":1},{\"a\":1}],\"aa\":1}");
}

/* `count` members n0, n1, ...; the last one is named like number `again`. */
static struct bytes large_object(struct buf *buf, int count, int again) {
  buf_char(buf, '{');
  for (int i = 0; i < count; i++)
    buf_printf(buf, "%s\"n%d\":%d", i ? "," : "", i == count - 1 ? again : i, i);
  buf_char(buf, '}');
  return buf_bytes(buf);
}

static void duplicates_in_large_objects_are_refused(void **state) {
  for (int count = 14; count < 40; count++) {
    for (int again = 0; again < count; again++) {
      cleanup_buf struct buf buf;
      buf_init(&buf, ARENA_BYTES);
      struct bytes text = large_object(&buf, count, again);
      const struct json *value = NULL;
      arena_reset(&arena);
      assert_int_equal(json_parse(&arena, text, &value, NULL), again == count - 1);
    }
  }
}

static void numbers_at_the_edges(void **state) {
  static const struct {
    const char *text;
    bool is_int;
    int64_t value;
  } cases[] = {
      {"0", true, 0},
      {"-0", true, 0},
      {"-0.0e5", true, 0},
      {"1.0", true, 1},
      {"1e3", true, 1000},
      {"12.5", false, 0},
      {"1250e-2", false, 0},
      {"1200e-2", true, 12},
      {"1e400", false, 0},
      {"9223372036854775807", true, INT64_MAX},
      {"9223372036854775808", false, 0},
      {"-9223372036854775808", true, INT64_MIN},
      {"-9223372036854775809", false, 0},
      {"92233720368547758.07e2", true, INT64_MAX},
      {"1e18", true, 1000000000000000000},
      {"10000000000000000000", false, 0},
      {"1e-1", false, 0},
      {"0e99999999999999999999", true, 0},
      {"1e99999999999999999999", false, 0},
      {"1e-99999999999999999999", false, 0},
      {"0.000000000000000000001e21", true, 1},
      {"100000000000000000000e-20", true, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t value = -77;
    bool is_int = json_int(parse(cases[i].text), &value);
    if (is_int != cases[i].is_int || (is_int && value != cases[i].value))
      fail_msg("%s: %d %lld", cases[i].text, is_int, (long long)value);
  }
  double value = 0;
  assert_true(json_double(parse("-2.5e-3"), &value) && value == -0.0025);
  assert_true(json_double(parse("1e-400"), &value) && value == 0);
  assert_false(json_double(parse("1e400"), &value));
  assert_false(json_double(parse("\"1\""), &value));
  char digits[200] = "0.";
  memset(digits + 2, '3', 150);
  assert_true(json_double(parse(digits), &value) && fabs(value - 1.0 / 3) < 1e-15);
}

static void equality_is_by_value(void **state) {
  static const struct {
    const char *a, *b;
    bool equal;
  } cases[] = {
      {"1.0", "1", true},
      {"100", "1e2", true},
      {"1.50", "15e-1", true},
      {"0", "-0.00", true},
      {"0.1", "0.10000000000000000000000001", false},
      {"12345678901234567890123456789", "12345678901234567890123456789.0", true},
      {"12345678901234567890123456789", "12345678901234567890123456788", false},
      {"1e400", "10e399", true},
      {"1e400", "1e401", false},
      {"1", "-1", false},
      {"\"1\"", "1", false},
      {"true", "false", false},
      {"null", "null", true},
      {"[1,2]", "[1.0,2e0]", true},
      {"[1,2]", "[2,1]", false},
      {"[1]", "[1,1]", false},
      {"{\"a\":1,\"b\":[{}]}", "{\"b\":[{}],\"a\":1.0}", true},
      {"{\"a\":1}", "{\"b\":1}", false},
      {"{\"a\":1}", "{\"a\":2}", false},
      {"[]", "{}", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (json_eq(parse(cases[i].a), parse(cases[i].b)) != cases[i].equal)
      fail_msg("%s and %s", cases[i].a, cases[i].b);
  assert_true(json_eq(NULL, NULL));
  assert_false(json_eq(parse("null"), NULL));
  cleanup_buf struct buf forth, other;
  buf_init(&forth, ARENA_BYTES);
  buf_init(&other, ARENA_BYTES);
  large_object(&forth, 30, 29);
  large_object(&other, 30, 31);
  buf_char(&forth, 0);
  buf_char(&other, 0);
  assert_true(json_eq(parse((char *)forth.at), parse((char *)forth.at)));
  assert_false(json_eq(parse((char *)forth.at), parse((char *)other.at)));
}

static void order_and_divisibility_are_exact(void **state) {
  assert_int_equal(json_number_cmp(BYTES("2"), BYTES("10")), -1);
  assert_int_equal(json_number_cmp(BYTES("-2"), BYTES("-10")), 1);
  assert_int_equal(json_number_cmp(BYTES("0.9"), BYTES("0.89")), 1);
  assert_int_equal(json_number_cmp(BYTES("-0.1"), BYTES("0")), -1);
  assert_int_equal(json_number_cmp(BYTES("1e-5"), BYTES("0.00001")), 0);
  assert_true(json_number_is_multiple(BYTES("0.0075"), BYTES("0.0001")));
  assert_false(json_number_is_multiple(BYTES("0.00751"), BYTES("0.0001")));
  assert_true(json_number_is_multiple(BYTES("1e308"), BYTES("0.5")));
  assert_false(json_number_is_multiple(BYTES("1e308"), BYTES("0.123456789")));
  assert_true(json_number_is_multiple(BYTES("-4.5"), BYTES("1.5")));
  assert_true(json_number_is_multiple(BYTES("0"), BYTES("7")));
  assert_true(json_number_is_multiple(BYTES("987654321987654321000"), BYTES("987654321987654321")));
  assert_false(json_number_factor_ok(BYTES("0.0")));
  assert_false(json_number_factor_ok(BYTES("-1")));
  assert_false(json_number_factor_ok(BYTES("1234567890123456789")));
  assert_true(json_number_hash(BYTES("1.0")) == json_number_hash(BYTES("10e-1")));
  assert_true(json_number_hash(BYTES("0")) == json_number_hash(BYTES("-0e7")));
}

static void pointers_follow_rfc_6901(void **state) {
  const struct json *value =
      parse("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"m~n\":8,\" \":7,\"01\":[5]}");
  static const struct {
    const char *pointer, *text;
  } cases[] = {
      {"/foo/0", "bar"}, {"/foo/1", "baz"}, {"/", "0"},     {"/a~1b", "1"},   {"/c%d", "2"},
      {"/m~0n", "8"},    {"/ ", "7"},       {"/01/0", "5"}, {"/foo/2", NULL}, {"/foo/01", NULL},
      {"/foo/-", NULL},  {"foo", NULL},     {"/m~n", NULL}, {"/m~2n", NULL},  {"/foo/0/x", NULL},
      {"/a~", NULL},     {"/foo/", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct json *hit = json_pointer(value, bytes_str(cases[i].pointer));
    if (!cases[i].text != !hit) fail_msg("%s", cases[i].pointer);
    assert_bytes(json_text(hit), cases[i].text);
  }
  assert_ptr_equal(json_pointer(value, BYTES_NONE), value);
}

static void paths_walk_names_and_indices(void **state) {
  const struct json *value =
      parse("{\"data\":{\"subject\":{\"reference\":\"Patient/1\"}},\"Records\":[{\"x\":[[3]]}]}");
  assert_bytes(json_text(json_path(value, BYTES("data.subject.reference"))), "Patient/1");
  assert_bytes(json_text(json_path(value, BYTES("Records[0].x[0][0]"))), "3");
  static const char *const none[] = {"data.",      ".data",       "data..subject",
                                     "Records[1]", "Records[",    "Records[a]",
                                     "data[0]",    "Records[0]x", "nothing",
                                     "[0]",        "Records[-1]", "data.subject.reference.x",
                                     "Records[]"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    if (json_path(value, bytes_str(none[i]))) fail_msg("%s", none[i]);
  assert_ptr_equal(json_path(value, BYTES_NONE), value);
}

static void the_writer_sets_commas_and_escapes(void **state) {
  cleanup_buf struct buf buf;
  struct json_out out;
  buf_init(&buf, ARENA_BYTES);
  json_out_init(&out, &buf);
  json_out_open(&out, '{');
  json_out_member_str(&out, "a", "q\"\\\n\x01/\x7F");
  json_out_member_int(&out, "min", INT64_MIN);
  json_out_member_bool(&out, "t", true);
  json_out_member_raw(&out, "raw", BYTES("[1]"));
  json_out_member(&out, "bad", BYTES("\xC3(\xED\xA0\x80\xC3\xA9"));
  json_out_name(&out, "list");
  json_out_open(&out, '[');
  json_out_double(&out, 0.1);
  json_out_double(&out, INFINITY);
  json_out_null(&out);
  json_out_open(&out, '{');
  json_out_close(&out, '}');
  json_out_int(&out, 7);
  json_out_close(&out, ']');
  json_out_close(&out, '}');
  assert_bytes(buf_bytes(&buf),
               "{\"a\":\"q\\\"\\\\\\n\\u0001/\x7F\",\"min\":-9223372036854775808,\"t\":true,"
               "\"raw\":[1],\"bad\":\"\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9\","
               "\"list\":[0.1,null,null,{},7]}");
  struct err err;
  const struct json *value = NULL;
  assert_ok(json_parse(&arena, buf_bytes(&buf), &value, &err), err);
}

static void doubles_take_their_shortest_form(void **state) {
  static const struct {
    double value;
    const char *text;
  } cases[] = {
      {0, "0"},
      {-0.0, "0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {100, "100"},
      {1e21, "1e+21"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {0.000001, "0.000001"},
      {1e-7, "1e-7"},
      {-1.25e-9, "-1.25e-9"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {1.0 / 3, "0.3333333333333333"},
      {9007199254740992.0, "9007199254740992"},
      {333333333.33333329, "333333333.3333333"},
      {5.684341886080802e-14, "5.684341886080802e-14"},
      {0.1 + 0.2, "0.30000000000000004"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {4.35, "4.35"},
      {-1e300, "-1e+300"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[JSON_DOUBLE_TEXT_BYTES];
    json_double_text(cases[i].value, text);
    assert_string_equal(text, cases[i].text);
  }
}

static void the_canonical_form_is_rfc_8785s(void **state) {
  /* The examples of RFC 8785 §3.2.2 and §3.2.3. */
  canonical("{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"
            "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
            "\"literals\":[null,true,false]}",
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  canonical("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,"
            "\"\\u00f6\":7}",
            "{\"\\r\":2,\"1\":4,\"\xC2\x80\":6,\"\xC3\xB6\":7,\"\xE2\x82\xAC\":1,"
            "\"\xF0\x9F\x98\x80\":5,\"\xEF\xAC\xB3\":3}");
  canonical("{\"b\":1,\"a\":{\"d\":[],\"c\":1e400},\"\":-0}",
            "{\"\":0,\"a\":{\"c\":1e400,\"d\":[]},\"b\":1}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_tree_keeps_text_order_and_offsets, setup, teardown),
      cmocka_unit_test_setup_teardown(strings_are_decoded_and_point_into_the_input, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(forms_outside_the_grammar_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(lone_surrogates_and_bad_utf8_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(every_truncation_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(depth_is_limited, setup, teardown),
      cmocka_unit_test_setup_teardown(the_arena_limits_the_tree, setup, teardown),
      cmocka_unit_test_setup_teardown(duplicate_names_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(duplicates_in_large_objects_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(numbers_at_the_edges, setup, teardown),
      cmocka_unit_test_setup_teardown(equality_is_by_value, setup, teardown),
      cmocka_unit_test_setup_teardown(order_and_divisibility_are_exact, setup, teardown),
      cmocka_unit_test_setup_teardown(pointers_follow_rfc_6901, setup, teardown),
      cmocka_unit_test_setup_teardown(paths_walk_names_and_indices, setup, teardown),
      cmocka_unit_test_setup_teardown(the_writer_sets_commas_and_escapes, setup, teardown),
      cmocka_unit_test_setup_teardown(doubles_take_their_shortest_form, setup, teardown),
      cmocka_unit_test_setup_teardown(the_canonical_form_is_rfc_8785s, setup, teardown),
  };
  return cmocka_run_group_tests_name("wire/json", tests, NULL, NULL);
}

/* tests/unit/wire/test_schema.c: what people are told, what is refused at compile, and limits. The
 * meaning of the keywords is tested by test_schema_suite.c.                                     */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "wire/schema.h"

enum { ARENA_BYTES = 256 << 20 };

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

static const struct schema *compile(const char *text, const struct schema_options *options) {
  const struct schema *schema = NULL;
  struct err err;
  assert_ok(schema_compile(&arena, parse(text), options, &schema, &err), err);
  return schema;
}

static void refused(const char *schema_text, const char *value, const char *instance,
                    const char *keyword, const char *place, const char *sentence) {
  static const struct schema_options asserting = {.assert_formats = true};
  struct schema_problem problem;
  const struct schema *schema = compile(schema_text, &asserting);
  assert_false(schema_check(schema, parse(value), NULL));
  assert_false(schema_check(schema, parse(value), &problem));
  assert_int_equal(problem.code, ERR_INVALID);
  assert_string_equal(problem.instance, instance);
  assert_string_equal(problem.keyword, keyword);
  assert_string_equal(problem.schema, place);
  assert_string_equal(problem.sentence, sentence);
}

static void problems_say_where_and_why(void **state) {
  refused("{\"type\":[\"string\",\"null\"]}", "1", "", "type", "#/type",
          "must be of type null or string");
  refused("{\"$id\":\"http://a.example/s\",\"properties\":{\"a/b\":{\"items\":{\"minimum\":10}}}}",
          "{\"x\":0,\"a/b\":[11,9.5]}", "/a~1b/1", "minimum",
          "http://a.example/s#/properties/a~1b/items/minimum", "must be at least 10");
  refused("{\"$ref\":\"#/$defs/p\",\"$defs\":{\"p\":{\"required\":[\"id\"]}}}", "{}", "",
          "required", "#/$defs/p/required", "the member \"id\" is missing");
  refused("{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1,\"b\":2}", "/b",
          "additionalProperties", "#/additionalProperties", "nothing is allowed here");
  refused("{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":5}]}", "3", "", "anyOf", "#/anyOf",
          "matches none of the 2 alternatives");
  refused("{\"oneOf\":[true,true]}", "3", "", "oneOf", "#/oneOf",
          "matches more than one of the 2 alternatives");
  refused("{\"propertyNames\":{\"maxLength\":2}}", "{\"a\":{\"abc\":1},\"abc\":1}", "", "maxLength",
          "#/propertyNames/maxLength", "must have at most 2 characters");
  refused("{\"uniqueItems\":true}", "[1,{\"a\":1,\"b\":[]},2,{\"b\":[],\"a\":1.0}]", "/3",
          "uniqueItems", "#/uniqueItems", "an equal item stands before this one");
  refused("{\"unevaluatedProperties\":false,\"allOf\":[{\"properties\":{\"a\":true}}]}",
          "{\"a\":1,\"b\":1}", "/b", "unevaluatedProperties", "#/unevaluatedProperties",
          "nothing is allowed here");
  refused("{\"items\":{\"format\":\"date\"}}", "[\"2024-02-30\"]", "/0", "format", "#/items/format",
          "must have the form date");
  refused("{\"multipleOf\":0.01}", "1.005", "", "multipleOf", "#/multipleOf",
          "must be a multiple of 0.01");
  refused("{\"contains\":{\"const\":7},\"minContains\":2}", "[7]", "", "contains", "#/contains",
          "must contain at least 2 such items");
}

static void all_problems_are_collected_up_to_a_number(void **state) {
  struct schema_problem problems[8];
  const struct schema *schema =
      compile("{\"required\":[\"x\",\"y\"],\"properties\":{\"a\":{\"type\":\"string\",\"enum\":[]},"
              "\"b\":{\"minimum\":1,\"not\":{\"type\":\"number\"}},"
              "\"c\":{\"anyOf\":[{\"type\":\"null\"}]}}}",
              NULL);
  const struct json *value = parse("{\"a\":1,\"b\":0,\"c\":2}");
  assert_int_equal(schema_check_all(schema, value, problems, 8), 7);
  assert_string_equal(problems[1].sentence, "the member \"y\" is missing");
  assert_string_equal(problems[2].schema, "#/properties/a/type");
  assert_string_equal(problems[5].schema, "#/properties/b/not");
  assert_string_equal(problems[6].schema, "#/properties/c/anyOf");
  assert_int_equal(schema_check_all(schema, value, problems, 3), 3);
  assert_int_equal(schema_check_all(schema, parse("{\"x\":1,\"y\":1}"), problems, 8), 0);
}

static void long_places_are_cut(void **state) {
  struct schema_problem problem;
  cleanup_buf struct buf text;
  buf_init(&text, 4096);
  buf_str(&text, "{\"");
  for (int i = 0; i < 200; i++) buf_str(&text, "\xE2\x82\xAC");
  buf_str(&text, "\":1}");
  buf_char(&text, 0);
  const struct schema *schema = compile("{\"additionalProperties\":false}", NULL);
  assert_false(schema_check(schema, parse((char *)text.at), &problem));
  assert_int_equal(strlen(problem.instance) % 3, 1);
  assert_true(strlen(problem.instance) > 240);
}

static void wrong(const char *text, enum err_code code, const char *detail) {
  const struct schema *schema = NULL;
  struct err err;
  assert_fails(schema_compile(&arena, parse(text), NULL, &schema, &err), err, code);
  if (!bytes_starts(bytes_str(err.detail), bytes_str(detail)))
    fail_msg("%s: got \"%s\"", text, err.detail);
  assert_false(schema_compile(&arena, parse(text), NULL, &schema, NULL));
  assert_null(schema);
}

static void wrong_schemas_are_refused_with_their_place(void **state) {
  wrong("1", ERR_INVALID, "schema #: must be a schema");
  wrong("{\"properties\":{\"a\":{\"type\":\"strng\"}}}", ERR_INVALID,
        "schema #/properties/a/type: must be a type");
  wrong("{\"type\":[]}", ERR_INVALID, "schema #/type: must name");
  wrong("{\"type\":[\"null\",\"null\"]}", ERR_INVALID, "schema #/type/1: a type stands twice");
  wrong("{\"items\":[{}]}", ERR_INVALID, "schema #/items: must be a schema");
  wrong("{\"allOf\":[]}", ERR_INVALID, "schema #/allOf: must be a list");
  wrong("{\"allOf\":[3]}", ERR_INVALID, "schema #/allOf/0: must be a schema");
  wrong("{\"properties\":[]}", ERR_INVALID, "schema #/properties: must be an object");
  wrong("{\"minLength\":-1}", ERR_INVALID, "schema #/minLength: must be an integer");
  wrong("{\"minLength\":1.5}", ERR_INVALID, "schema #/minLength: must be an integer");
  wrong("{\"minimum\":\"1\"}", ERR_INVALID, "schema #/minimum: must be a number");
  wrong("{\"multipleOf\":0}", ERR_INVALID, "schema #/multipleOf: must be above 0");
  wrong("{\"pattern\":\"(\"}", ERR_MALFORMED, "schema #/pattern: pattern: ");
  wrong("{\"pattern\":\"a++\"}", ERR_MALFORMED, "schema #/pattern: pattern: a quantifier");
  wrong("{\"patternProperties\":{\"[\":{}}}", ERR_MALFORMED, "schema #/patternProperties: ");
  wrong("{\"required\":[1]}", ERR_INVALID, "schema #/required/0: must be a name");
  wrong("{\"required\":\"a\"}", ERR_INVALID, "schema #/required: must be a list");
  wrong("{\"dependentRequired\":{\"a\":1}}", ERR_INVALID, "schema #/dependentRequired/a: must be");
  wrong("{\"uniqueItems\":1}", ERR_INVALID, "schema #/uniqueItems: must be true or false");
  wrong("{\"enum\":1}", ERR_INVALID, "schema #/enum: must be a list");
  wrong("{\"format\":1}", ERR_INVALID, "schema #/format: must be");
  wrong("{\"$id\":\"a#b\"}", ERR_INVALID, "schema #/$id: $id must not");
  wrong("{\"$id\":1}", ERR_INVALID, "schema #/$id: $id must be");
  wrong("{\"$anchor\":\"a/b\"}", ERR_INVALID, "schema #/$anchor: an anchor");
  wrong("{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}}}", ERR_INVALID,
        "schema #/$defs/b/$anchor: this anchor");
  wrong("{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}", ERR_INVALID,
        "schema #/$defs/b: two schemas");
  wrong("{\"$ref\":\"#/$defs/a\"}", ERR_NOT_FOUND, "schema #/$ref: a reference leads nowhere");
  wrong("{\"$ref\":\"#a\"}", ERR_NOT_FOUND, "schema #/$ref: a reference leads to an anchor");
  wrong("{\"$ref\":\"http://a.example/x\"}", ERR_NOT_FOUND, "schema #/$ref: nothing is known by");
  wrong("{\"$ref\":\"%zz\"}", ERR_INVALID, "schema #/$ref: must be a URI");
  wrong("{\"$ref\":\"#/title\",\"title\":\"x\"}", ERR_INVALID, "schema #/title: must be a schema");
  wrong("{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}", ERR_UNSUPPORTED,
        "schema #/$schema: $schema must be");
}

static void references_lead_to_documents_handed_in(void **state) {
  struct schema_set set;
  struct err err;
  struct schema_problem problem;
  schema_set_init(&set, &arena);
  assert_ok(schema_add(&set, BYTES("http://a.example/lib/b.json"),
                       parse("{\"$defs\":{\"t\":{\"type\":\"string\"}},\"$ref\":\"c.json\"}"),
                       &err),
            err);
  assert_ok(
      schema_add(&set, BYTES("http://a.example/lib/c.json"), parse("{\"minLength\":2}"), &err),
      err);
  struct schema_options options = {.documents = &set, .uri = BYTES("http://a.example/main.json")};
  const struct schema *schema =
      compile("{\"allOf\":[{\"$ref\":\"lib/b.json\"},{\"$ref\":\"./lib/../lib/b.json#/$defs/t\"}]}",
              &options);
  assert_true(schema_check(schema, parse("\"ab\""), &problem));
  assert_false(schema_check(schema, parse("1"), &problem));
  assert_string_equal(problem.schema, "http://a.example/lib/b.json#/$defs/t/type");
  assert_false(schema_check(schema, parse("\"a\""), &problem));
  assert_string_equal(problem.schema, "http://a.example/lib/c.json#/minLength");
}

static void formats_are_recognised(void **state) {
  static const struct {
    const char *format, *good, *bad;
  } cases[] = {
      {"date-time", "2024-02-29T12:00:00.5+01:00", "2024-02-29"},
      {"date", "2024-02-29", "2023-02-29"},
      {"time", "23:59:60Z", "23:59:59"},
      {"duration", "P1Y2M3DT4H", "P1YT"},
      {"duration", "P3W", "P1Y3W"},
      {"duration", "PT1M2S", "PT1H2S"},
      {"email", "\"a b\"@[IPv6:::1]", "a..b@c.example"},
      {"email", "a.b+c@d.example", "a@b@c"},
      {"hostname", "a-1.b.example", "-a.example"},
      {"hostname", "xn--4gbwdl.xn--wgbh1c", "a..b"},
      {"ipv4", "127.0.0.1", "127.0.0.01"},
      {"ipv4", "0.0.0.255", "1.2.3.256"},
      {"ipv6", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8:9"},
      {"ipv6", "1:2:3:4:5:6:7::", "1::2::3"},
      {"ipv6", "::", "12345::"},
      {"uri", "urn:uuid:1", "//a/b"},
      {"uri", "http://u:p@[v1.x]:80/a?b#c", "http://a b/"},
      {"uri-reference", "../a%20b", "1a:b/%zz"},
      {"uuid", "2EB8AA08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08aa9811eab4aa73b441d16380"},
      {"json-pointer", "/a~1b/~0", "/a~2"},
      {"relative-json-pointer", "1/a", "01/a"},
      {"relative-json-pointer", "0#", "-1/a"},
      {"regex", "^(?<a>\\d)\\k<a>$", "\\Z"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct bytes format = bytes_str(cases[i].format);
    if (!schema_format_ok(format, bytes_str(cases[i].good))) fail_msg("%s", cases[i].good);
    if (schema_format_ok(format, bytes_str(cases[i].bad))) fail_msg("%s", cases[i].bad);
    assert_int_equal(schema_format_ok(format, BYTES_NONE),
                     bytes_starts(format, BYTES("json")) || bytes_eq_str(format, "regex") ||
                         bytes_eq_str(format, "uri-reference"));
  }
  assert_true(schema_format_ok(BYTES("color"), BYTES("anything")));
}

static void checks_end_at_their_limits(void **state) {
  struct schema_problem problem;
  assert_false(schema_check(compile("{\"$ref\":\"#\"}", NULL), parse("1"), &problem));
  assert_int_equal(problem.code, ERR_LIMIT);
  assert_false(schema_check(compile("{\"not\":{\"$ref\":\"#\"}}", NULL), parse("1"), &problem));
  assert_int_equal(problem.code, ERR_LIMIT);
  /* Two branches at each of 128 levels: 2^128 evaluations if nothing stopped them. */
  const struct schema *tree = compile("{\"anyOf\":[{\"items\":{\"$ref\":\"#\"},\"minItems\":1},"
                                      "{\"items\":{\"$ref\":\"#\"},\"minItems\":1}]}",
                                      NULL);
  char deep[200] = "";
  memset(deep, '[', 90);
  memset(deep + 90, ']', 90);
  assert_false(schema_check(tree, parse(deep), &problem));
  assert_int_equal(problem.code, ERR_LIMIT);
  const struct schema *pattern = compile("{\"items\":{\"pattern\":\"^(a+)+$\"}}", NULL);
  assert_false(schema_check(pattern, parse("[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"]"),
                            &problem));
  assert_int_equal(problem.code, ERR_LIMIT);
}

static void many_unique_items_take_their_number(void **state) {
  cleanup_buf struct buf text;
  buf_init(&text, 16 << 20);
  buf_char(&text, '[');
  for (int i = 0; i < 100000; i++) buf_printf(&text, "%s{\"n\":%d}", i ? "," : "", i);
  buf_str(&text, "]");
  buf_char(&text, 0);
  assert_true(schema_check(compile("{\"uniqueItems\":true}", NULL), parse((char *)text.at), NULL));
}

static void long_chains_of_references_compile(void **state) {
  cleanup_buf struct buf text;
  buf_init(&text, 16 << 20);
  buf_str(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
  for (int i = 0; i < 900; i++) buf_printf(&text, "\"d%d\":{\"$ref\":\"#/$defs/d%d\"},", i, i + 1);
  buf_str(&text, "\"d900\":{\"type\":\"null\"}}}");
  buf_char(&text, 0);
  const struct schema *schema = compile((char *)text.at, NULL);
  assert_true(schema_check(schema, parse("null"), NULL));
  assert_false(schema_check(schema, parse("1"), NULL));
}

static void a_small_arena_is_an_error(void **state) {
  const struct json *root =
      parse("{\"properties\":{\"a\":{\"pattern\":\"x+\"}},\"required\":[\"a\"]}");
  for (size_t bytes = 0; bytes < 6000; bytes += 64) {
    const struct schema *schema = NULL;
    struct err err;
    cleanup_arena struct arena small;
    arena_init(&small, bytes);
    if (!schema_compile(&small, root, NULL, &schema, &err)) assert_int_equal(err.code, ERR_LIMIT);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(problems_say_where_and_why, setup, teardown),
      cmocka_unit_test_setup_teardown(all_problems_are_collected_up_to_a_number, setup, teardown),
      cmocka_unit_test_setup_teardown(long_places_are_cut, setup, teardown),
      cmocka_unit_test_setup_teardown(wrong_schemas_are_refused_with_their_place, setup, teardown),
      cmocka_unit_test_setup_teardown(references_lead_to_documents_handed_in, setup, teardown),
      cmocka_unit_test(formats_are_recognised),
      cmocka_unit_test_setup_teardown(checks_end_at_their_limits, setup, teardown),
      cmocka_unit_test_setup_teardown(many_unique_items_take_their_number, setup, teardown),
      cmocka_unit_test_setup_teardown(long_chains_of_references_compile, setup, teardown),
      cmocka_unit_test_setup_teardown(a_small_arena_is_an_error, setup, teardown),
  };
  return cmocka_run_group_tests_name("wire/schema", tests, NULL, NULL);
}

/* tests/unit/wire/test_yaml.c: manifests as people write them, and what they are told. */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "wire/yaml.h"

enum { ARENA_BYTES = 4 << 20 };

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
  assert_ok(yaml_parse(&arena, bytes_str(text), &value, &err), err);
  return value;
}

/* The same tree as this JSON. */
static void same(const char *yaml, const char *json) {
  cleanup_buf struct buf buf;
  struct json_out out;
  buf_init(&buf, ARENA_BYTES);
  json_out_init(&out, &buf);
  json_out_value(&out, parse(yaml));
  assert_bytes(buf_bytes(&buf), json);
}

static void refused(const char *text, const char *detail) {
  const struct json *value = NULL;
  struct err err;
  assert_fails(yaml_parse(&arena, bytes_str(text), &value, &err), err, ERR_MALFORMED);
  if (!bytes_starts(bytes_str(err.detail), bytes_str(detail)))
    fail_msg("%s: got \"%s\", expected \"%s\"", text, err.detail, detail);
  assert_null(value);
}

static const char manifest[] = "app: ward\n"
                               "functions:\n"
                               "  news2:            # the score\n"
                               "    code: news2.js\n"
                               "    on:\n"
                               "      - event: {type: org.example.vitals, source: \"ward/*\"}\n"
                               "      - schedule: {cron: \"0 7 * * *\", zone: Europe/Zurich}\n"
                               "      - queue: orders\n"
                               "    limits: {time: 2s, memory: 64MiB, concurrency: 100}\n"
                               "    contacts:\n"
                               "    text: |\n"
                               "      two\n"
                               "      lines\n";

static void a_manifest_becomes_a_tree(void **state) {
  same(manifest,
       "{\"app\":\"ward\",\"functions\":{\"news2\":{\"code\":\"news2.js\",\"on\":[{\"event\":"
       "{\"type\":\"org.example.vitals\",\"source\":\"ward/*\"}},{\"schedule\":{\"cron\":"
       "\"0 7 * * *\",\"zone\":\"Europe/Zurich\"}},{\"queue\":\"orders\"}],\"limits\":{\"time\":"
       "\"2s\",\"memory\":\"64MiB\",\"concurrency\":100},\"contacts\":null,"
       "\"text\":\"two\\nlines\\n\"}}}");
}

static void place_is(const char *path, uint32_t line, uint32_t column, uint32_t name_line,
                     uint32_t name_column) {
  const struct json *value = json_path(parse(manifest), bytes_str(path));
  assert_non_null(value);
  struct yaml_place place = yaml_place(bytes_str(manifest), value->offset);
  struct yaml_place name =
      yaml_place(bytes_str(manifest), yaml_name_offset(bytes_str(manifest), value));
  if (place.line != line || place.column != column || name.line != name_line ||
      name.column != name_column)
    fail_msg("%s: %u:%u, name %u:%u", path, place.line, place.column, name.line, name.column);
}

static void values_and_keys_have_places(void **state) {
  place_is("app", 1, 6, 1, 1);
  place_is("functions", 3, 3, 2, 1);
  place_is("functions.news2", 4, 5, 3, 3);
  place_is("functions.news2.on", 6, 7, 5, 5);
  place_is("functions.news2.on[0].event.source", 6, 51, 6, 43);
  place_is("functions.news2.limits.concurrency", 9, 52, 9, 39);
}

static void places_count_code_points(void **state) {
  const char *text = "\xEF\xBB\xBFn\xC3\xA9: \xE2\x82\xAC\r\nx: {\xF0\x9F\x98\x80: 1, b: 2}\r\n";
  const struct json *b = json_path(parse(text), BYTES("x.b"));
  assert_int_equal(text[b->offset], '2');
  struct yaml_place place = yaml_place(bytes_str(text), b->offset);
  assert_int_equal(place.line, 2);
  assert_int_equal(place.column, 14);
}

static void plain_words_follow_the_core_schema(void **state) {
  same("[yes, no, on, off, y, n, true, True, FALSE, ~, null, Null, '', nul]",
       "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",true,true,false,null,null,null,\"\",\"nul\"]");
  same("[1, -2.50, 1e3, 0, '1', \"2\", 1_000, 12:30, 2024-01-01, 1.2.3, -, 1s, 0b1, .]",
       "[1,-2.50,1e3,0,\"1\",\"2\",\"1_000\",\"12:30\",\"2024-01-01\",\"1.2.3\",\"-\",\"1s\","
       "\"0b1\",\".\"]");
  same("on: 1\nno: 2\n1: 3\n~: 4\ntrue: 5\n'': 6\n",
       "{\"on\":1,\"no\":2,\"1\":3,\"~\":4,\"true\":5,\"\":6}");
  same("a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}");
  same("- \"\\u00e9\\n\\x41\"\n- 'it''s'\n- >\n  one\n  line\n",
       "[\"\xC3\xA9\\nA\",\"it's\",\"one line\\n\"]");
  same("--- just a word\n...\n", "\"just a word\"");
  same("{\"json\": [1, {\"too\": null}]}", "{\"json\":[1,{\"too\":null}]}");
}

static void unclear_numbers_are_refused(void **state) {
  static const char *const cases[] = {"007",  "+1",    ".5",   "5.",   "0x1F", "0o17",
                                      ".inf", "-.INF", ".nan", "1.e5", "-01",  "+.5e3"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[32];
    snprintf(text, sizeof text, "a:\n  - %s\n", cases[i]);
    refused(text, "line 2, column 5: a number");
    snprintf(text, sizeof text, "'%s'", cases[i]);
    assert_bytes(json_text(parse(text)), cases[i]);
  }
}

static void what_hides_or_multiplies_is_refused(void **state) {
  refused("a: 1\nb: 2\na: 3\n", "line 3, column 1: this key stands already in line 1");
  refused("{a: 1, \"\\x61\": 2}", "line 1, column ");
  refused("a: &x 1\nb: *x\n", "line 1, column 4: anchors");
  refused("a: [1, 2]\nb: *x\n", "line 2, column 4: anchors");
  refused("a: &x [1]\n", "line 1, column 4: anchors");
  refused("a: &x {b: 1}\n", "line 1, column 4: anchors");
  refused("a: !!str 1\n", "line 1, column 4: tags");
  refused("a: ! 1\n", "line 1, column 4: tags");
  refused("a: !x [1]\n", "line 1, column 4: tags");
  refused("a: 1\n---\nb: 2\n", "line 2, column 1: only one document");
  refused("? [a]\n: 1\n", "line 1, column 3: a key must be");
  refused("{{a: 1}: 2}", "line 1, column 2: a key must be");
}

static void broken_text_is_refused_with_its_place(void **state) {
  refused("", "line 1, column 1: there is no content");
  refused("# nothing\n", "line 2, column 1: there is no content");
  refused("a: [1, 2\nb: 3\n", "line 2, column ");
  refused("a: 1\n  b: 2\n", "line 2, column 4: ");
  refused("a:\n\t- 1\n", "line 2, column 1: ");
  refused("a: \"x\n", "line ");
  refused("a: '\x01'\n", "line 1, column 5: control characters");
  refused("a: 1\nb: \xC3(\n", "line 2, column 4: invalid UTF-8");
  refused("a: %\n", "line 1, column 4: ");
  refused("a: @x\n", "line 1, column 4: ");
}

static void limits_are_named(void **state) {
  const struct json *value = NULL;
  struct err err;
  char deep[2 * YAML_DEPTH_MAX + 3] = {0};
  memset(deep, '[', YAML_DEPTH_MAX);
  memset(deep + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
  parse(deep);
  memset(deep, '[', YAML_DEPTH_MAX + 1);
  assert_fails(yaml_parse(&arena, bytes_str(deep), &value, &err), err, ERR_LIMIT);
  cleanup_free char *large = malloc(YAML_BYTES_MAX + 1);
  memset(large, 'x', YAML_BYTES_MAX + 1);
  assert_fails(yaml_parse(&arena, bytes_of(large, YAML_BYTES_MAX + 1), &value, &err), err,
               ERR_LIMIT);
  cleanup_arena struct arena small;
  arena_init(&small, 256);
  assert_fails(yaml_parse(&small, bytes_str(manifest), &value, &err), err, ERR_LIMIT);
}

static void every_truncation_ends_well(void **state) {
  for (size_t len = 0; len < sizeof manifest - 1; len++) {
    const struct json *value = NULL;
    struct err err;
    cleanup_free uint8_t *exact = malloc(len + 1);
    memcpy(exact, manifest, len);
    arena_reset(&arena);
    if (!yaml_parse(&arena, bytes_of(exact, len), &value, &err))
      assert_int_equal(err.code, ERR_MALFORMED);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_manifest_becomes_a_tree, setup, teardown),
      cmocka_unit_test_setup_teardown(values_and_keys_have_places, setup, teardown),
      cmocka_unit_test_setup_teardown(places_count_code_points, setup, teardown),
      cmocka_unit_test_setup_teardown(plain_words_follow_the_core_schema, setup, teardown),
      cmocka_unit_test_setup_teardown(unclear_numbers_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(what_hides_or_multiplies_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(broken_text_is_refused_with_its_place, setup, teardown),
      cmocka_unit_test_setup_teardown(limits_are_named, setup, teardown),
      cmocka_unit_test_setup_teardown(every_truncation_ends_well, setup, teardown),
  };
  return cmocka_run_group_tests_name("wire/yaml", tests, NULL, NULL);
}

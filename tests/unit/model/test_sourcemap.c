/* Places of bundled code, and damaged maps. */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "model/sourcemap.h"

/* Line 1: column 1 is a.ts 1:1, column 5 is a.ts 1:9. Line 2: nothing. Line 3: column 3 is b.ts
 * 2:1, column 7 has no source. */
static const char good[] = "{\"version\":3,\"sources\":[\"src/a.ts\",\"b.ts\"],"
                           "\"mappings\":\"AAAA,IAAQ;;ECCR,I\"}";

static bool found_is(const char *text, uint32_t line, uint32_t column, const char *wanted) {
  cleanup_arena struct arena arena;
  struct sourcemap map;
  struct sourcemap_place place;
  struct err err;
  char seen[128];
  arena_init(&arena, 1 << 20);
  assert_true(sourcemap_parse(&arena, bytes_str(text), &map, &err));
  if (!sourcemap_find(&map, line, column, &place)) return wanted == NULL;
  snprintf(seen, sizeof seen, "%.*s:%u:%u", BYTES_FMT(place.source), place.line, place.column);
  return wanted && strcmp(seen, wanted) == 0;
}

static void places_are_found(void **state) {
  assert_true(found_is(good, 1, 1, "src/a.ts:1:1"));
  assert_true(found_is(good, 1, 4, "src/a.ts:1:1"));
  assert_true(found_is(good, 1, 5, "src/a.ts:1:9"));
  assert_true(found_is(good, 1, 500, "src/a.ts:1:9"));
  assert_true(found_is(good, 3, 3, "b.ts:2:1"));
  assert_true(found_is(good, 3, 6, "b.ts:2:1"));
}

static void what_is_not_mapped_is_not_found(void **state) {
  assert_true(found_is(good, 2, 1, NULL));
  assert_true(found_is(good, 3, 1, NULL)); /* before the first segment */
  assert_true(found_is(good, 3, 7, NULL)); /* a segment without a source */
  assert_true(found_is(good, 4, 1, NULL));
  assert_true(found_is(good, 4000000000u, 1, NULL));
  assert_true(found_is(good, 0, 1, NULL));
  assert_true(found_is(good, 1, 0, NULL));
}

static void damaged_mappings_lead_nowhere(void **state) {
  static const char *const mappings[] = {
      "AA",       /* two numbers */
      "AAA",      /* three */
      "AAAAAA",   /* six */
      "AAAg",     /* more should follow */
      "AADA",     /* a line before the first */
      "AEAA",     /* no such source */
      "A!AA",     /* no digit */
      "ggggggggB" /* too many bits */
  };
  for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
    char text[128];
    snprintf(text, sizeof text, "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"%s\"}",
             mappings[i]);
    assert_true(found_is(text, 1, 1, NULL));
  }
}

static void what_is_no_map_is_refused(void **state) {
  static const char *const texts[] = {"",
                                      "[]",
                                      "{\"version\":2,\"sources\":[],\"mappings\":\"\"}",
                                      "{\"version\":3,\"mappings\":\"\"}",
                                      "{\"version\":3,\"sources\":{},\"mappings\":\"\"}",
                                      "{\"version\":3,\"sources\":[],\"mappings\":7}",
                                      "{\"version\":3,\"sections\":[]}"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cleanup_arena struct arena arena;
    struct sourcemap map;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_false(sourcemap_parse(&arena, bytes_str(texts[i]), &map, &err));
    assert_int_equal(err.code, ERR_MALFORMED);
  }
}

static void frames_name_the_source(void **state) {
  static const struct {
    const char *frame, *wanted;
  } cases[] = {{"at dose (main.js:1:5)", "at dose (src/a.ts:1:9)"},
               {"at main.js:3:4", "at b.ts:2:1"},
               {"at <anonymous> (x:y.js:1:1)", "at <anonymous> (src/a.ts:1:1)"},
               {"at dose (main.js:2:1)", ""},
               {"at native", ""},
               {"at f (main.js:1)", ""},
               {"at f(:1:1)x", ""},
               {"1:1", ""},
               {")", ""},
               {"", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cleanup_arena struct arena arena;
    struct sourcemap map;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_true(sourcemap_parse(&arena, bytes_str(good), &map, &err));
    struct bytes seen = sourcemap_frame(&map, &arena, bytes_str(cases[i].frame));
    assert_true(bytes_eq_str(seen, cases[i].wanted));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(places_are_found),
      cmocka_unit_test(what_is_not_mapped_is_not_found),
      cmocka_unit_test(damaged_mappings_lead_nowhere),
      cmocka_unit_test(what_is_no_map_is_refused),
      cmocka_unit_test(frames_name_the_source),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

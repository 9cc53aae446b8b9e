/* Filters and the router: what matches, what is refused, and that the index changes nothing. */
#include "tests/unit/test.h"

#include "model/filter.h"
#include "model/glob.h"

#include <time.h>

static struct arena arena;

static int set_up(void **state) {
  arena_init(&arena, 64u << 20);
  return 0;
}

static int tear_down(void **state) {
  arena_fini(&arena);
  return 0;
}

static const struct json *tree(const char *text) {
  const struct json *value;
  struct err err;
  if (!json_parse(&arena, arena_copy(&arena, bytes_str(text)), &value, &err))
    fail_msg("%s: %s", text, err.detail);
  return value;
}

static const struct filter *compiled(const char *spec) {
  const struct filter *filter;
  struct err err;
  if (!filter_parse(&arena, tree(spec), &filter, &err)) fail_msg("%s: %s", spec, err.detail);
  return filter;
}

static const char *const vitals =
    "{\"type\":\"org.example.vitals\",\"source\":\"ward/bed/3\",\"data\":{\"code\":\"8867-4\","
    "\"value\":7.50,\"ok\":true,\"note\":null,\"tags\":[\"icu\",\"adult\"],\"empty\":[]}}";

static void values_match(void **state) {
  static const struct {
    const char *spec;
    bool matches;
  } cases[] = {
      {"{}", true},
      {"{\"type\":\"org.example.vitals\"}", true},
      {"{\"type\":\"org.example.vital\"}", false},
      {"{\"type\":[\"x\",\"org.example.vitals\"]}", true},
      {"{\"source\":\"ward/*\"}", true},
      {"{\"source\":\"lab/*\",\"type\":\"org.example.vitals\"}", false},
      {"{\"data.code\":\"8867-4\"}", true},
      {"{\"data\":{\"code\":\"8867-4\"}}", true},
      {"{\"data\":{\"code\":\"8867-4\",\"value\":8}}", false},
      {"{\"data.value\":7.5}", true},
      {"{\"data.value\":\"7.50\"}", false},
      {"{\"data.value\":{\"numeric\":[\">=\",7.5,\"<\",8]}}", true},
      {"{\"data.value\":{\"numeric\":[\">\",7.5]}}", false},
      {"{\"data.value\":{\"numeric\":[\"=\",7.5]}}", true},
      {"{\"data.code\":{\"numeric\":[\">\",0]}}", false},
      {"{\"data.ok\":true}", true},
      {"{\"data.ok\":false}", false},
      {"{\"data.note\":null}", true},
      {"{\"data.note\":{\"exists\":true}}", true},
      {"{\"data.nothing\":{\"exists\":false}}", true},
      {"{\"data.nothing\":null}", false},
      {"{\"data.nothing\":{\"anything-but\":\"x\"}}", false},
      {"{\"data.tags\":\"adult\"}", true},
      {"{\"data.tags\":\"child\"}", false},
      {"{\"data.empty\":\"*\"}", false},
      {"{\"data.tags\":{\"anything-but\":[\"icu\"]}}", false},
      {"{\"source\":{\"anything-but\":{\"prefix\":\"lab/\"}}}", true},
      {"{\"source\":{\"anything-but\":[\"x\",{\"prefix\":\"ward/\"}]}}", false},
      {"{\"source\":[{\"suffix\":\"/4\"},{\"suffix\":\"/3\"}]}", true},
      {"{\"type\":{\"equals-ignore-case\":\"ORG.example.VITALS\"}}", true},
      {"{\"type\":{\"wildcard\":\"org.*.vitals\"}}", true},
      {"{\"time\":\"*\"}", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (filter_matches(compiled(cases[i].spec), tree(vitals)) != cases[i].matches)
      fail_msg("%s: expected %d", cases[i].spec, cases[i].matches);
}

static void wrong_filters_are_refused(void **state) {
  static const struct {
    const char *spec, *detail;
  } bad[] = {
      {"[]", "a filter is a map"},
      {"{\"type\":[]}", "an empty list"},
      {"{\"type\":[[\"a\"]]}", "a list in a list"},
      {"{\"type\":[{\"prefx\":\"a\"}]}", "did you mean prefix"},
      {"{\"type\":{\"prefix\":1}}", "prefix takes a text"},
      {"{\"type\":{\"prefix\":\"a\",\"suffix\":\"b\"}}", "one operator"},
      {"{\"type\":{\"exists\":\"yes\"}}", "exists takes"},
      {"{\"a\":{\"numeric\":[\">\"]}}", "numeric takes"},
      {"{\"a\":{\"numeric\":[\"~\",1]}}", "numeric takes"},
      {"{\"a\":{\"numeric\":[\">\",2,\"<\",1]}}", "numeric takes"},
      {"{\"a\":{\"numeric\":{}}}", "numeric takes"},
      {"{\"a\":{\"anything-but\":{\"exists\":true}}}", "anything-but takes"},
      {"{\"a\":1e999}", "out of range"},
      {"{\"\":1}", "no path"},
      {"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":1}}}}}}}}}", "deep"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const struct filter *filter;
    struct err err;
    if (filter_parse(&arena, tree(bad[i].spec), &filter, &err)) fail_msg("%s", bad[i].spec);
    if (!strstr(err.detail, bad[i].detail)) fail_msg("%s: %s", bad[i].spec, err.detail);
  }
  struct buf many;
  struct err err;
  const struct filter *filter;
  buf_init(&many, 1 << 16);
  buf_str(&many, "{\"type\":[\"a\"");
  for (int i = 0; i < FILTER_VALUES_MAX; i++) buf_str(&many, ",\"a\"");
  buf_str(&many, "]}");
  buf_char(&many, 0);
  assert_fails(filter_parse(&arena, tree((char *)many.at), &filter, &err), err, ERR_LIMIT);
  buf_fini(&many);
}

static void globs(void **state) {
  static const struct {
    const char *pattern, *text;
    bool matches;
  } cases[] = {
      {"", "", true},          {"*", "", true},         {"*", "a/b", true},  {"a*b", "ab", true},
      {"a*b", "axxb", true},   {"a*b", "axxbc", false}, {"?", "", false},    {"?b", "ab", true},
      {"a\\*", "a*", true},    {"a\\*", "ab", false},   {"\\?", "x", false}, {"a\\", "a\\", true},
      {"*a*b*", "xaxb", true}, {"**", "x", true},       {"a", "ab", false},  {"ab", "a", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (glob_match(bytes_str(cases[i].pattern), bytes_str(cases[i].text)) != cases[i].matches)
      fail_msg("%s on %s", cases[i].pattern, cases[i].text);
  /* The worst pattern for a backtracker stays quick. */
  char text[4096];
  memset(text, 'a', sizeof text);
  assert_false(glob_match(BYTES("*a*a*a*a*a*a*a*a*a*a*b"), bytes_of(text, sizeof text)));
}

enum { ROUTES = 400 };

/* Which targets were visited, and how often; stops after `left`. */
struct visits {
  int times[ROUTES];
  int count, left;
};
static char targets[ROUTES];

static bool count_visit(void *arg, void *target) {
  struct visits *visits = arg;
  visits->times[(char *)target - targets]++;
  visits->count++;
  return --visits->left > 0;
}

static int visits_of(const struct router *router, const struct json *event) {
  struct visits visits = {.left = INT32_MAX};
  router_match(router, event, count_visit, &visits);
  return visits.count;
}

/* The router gives exactly what asking every filter gives, each once. */
static void the_index_changes_nothing(void **state) {
  static const char *const kinds[] = {
      "{\"type\":\"t#\"}",
      "{\"type\":\"t#\",\"source\":\"s1\"}",
      "{\"type\":[\"t#\",\"t1\"],\"source\":[\"s1\",\"s2\",\"s1\"]}",
      "{\"type\":\"t#*\"}",
      "{\"type\":[\"t1*\",\"t#\",\"t*\",\"x?\",\"t*\"]}",
      "{\"type\":\"*#\"}",
      "{\"source\":\"s#\"}",
      "{\"type\":{\"prefix\":\"t#\"},\"source\":\"s*\"}",
  };
  struct router *router = router_new();
  const struct filter *filters[ROUTES];
  for (int i = 0; i < ROUTES; i++) {
    const char *kind = kinds[i % 8];
    const char *mark = strchr(kind, '#');
    char spec[128];
    snprintf(spec, sizeof spec, "%.*s%d%s", (int)(mark - kind), kind, i % 30, mark + 1);
    filters[i] = compiled(spec);
    router_add(router, filters[i], &targets[i]);
  }
  for (int round = 0; round < 3; round++) {
    for (int t = 0; t < 35; t++) {
      char text[64];
      snprintf(text, sizeof text, "{\"type\":\"t%d\",\"source\":\"s%d\"}", t, t % 4);
      const struct json *event = tree(text);
      struct visits visits = {.left = INT32_MAX};
      router_match(router, event, count_visit, &visits);
      for (int i = 0; i < ROUTES; i++)
        assert_int_equal(visits.times[i], filters[i] && filter_matches(filters[i], event));
    }
    for (int i = round; i < ROUTES; i += 5) {
      router_remove(router, &targets[i]);
      filters[i] = NULL;
    }
  }
  router_free(&router);
  assert_null(router);
}

static void a_target_has_all_its_filters(void **state) {
  struct router *router = router_new();
  router_add(router, compiled("{\"type\":\"a\"}"), &targets[0]);
  router_add(router, compiled("{\"type\":\"b*\"}"), &targets[0]);
  router_add(router, compiled("{}"), &targets[1]);
  assert_int_equal(visits_of(router, tree("{\"type\":\"a\"}")), 2);
  assert_int_equal(visits_of(router, tree("{\"type\":\"bb\"}")), 2);
  struct visits first = {.left = 1};
  router_match(router, tree("{\"type\":\"a\"}"), count_visit, &first);
  assert_int_equal(first.count, 1);
  router_remove(router, &targets[0]);
  router_remove(router, &targets[0]);
  assert_int_equal(visits_of(router, tree("{\"type\":\"a\"}")), 1);
  assert_int_equal(visits_of(router, tree("{}")), 1);
  router_free(&router);
}

static double match_ns(int count) {
  struct router *router = router_new();
  for (int i = 0; i < count; i++) {
    char spec[96];
    snprintf(spec, sizeof spec, "{\"type\":\"org.example.%d\",\"source\":\"ward/*\"}", i);
    router_add(router, compiled(spec), &targets[0]);
  }
  const struct json *event = tree("{\"type\":\"org.example.5\",\"source\":\"ward/3\",\"data\":{}}");
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int i = 0; i < 20000; i++) assert_int_equal(visits_of(router, event), 1);
  clock_gettime(CLOCK_MONOTONIC, &to);
  router_free(&router);
  return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / 20000;
}

static void ten_thousand_are_as_quick_as_ten(void **state) {
  double few = match_ns(10), many = match_ns(10000);
  print_message("# routing: %.0f ns with 10 triggers, %.0f ns with 10,000\n", few, many);
  /* A scan would take a thousand times as long; the factor is for a busy machine. */
  assert_true(many < few * 20);
}

static void a_very_long_type_is_found(void **state) {
  struct buf text;
  buf_init(&text, 4096);
  buf_str(&text, "{\"type\":\"");
  for (int i = 0; i < 700; i++) buf_char(&text, 'x');
  buf_str(&text, "\"}");
  buf_char(&text, 0);
  struct router *router = router_new();
  router_add(router, compiled((char *)text.at), &targets[0]);
  assert_int_equal(visits_of(router, tree((char *)text.at)), 1);
  router_remove(router, &targets[0]);
  assert_int_equal(visits_of(router, tree((char *)text.at)), 0);
  router_free(&router);
  buf_fini(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(values_match, set_up, tear_down),
      cmocka_unit_test_setup_teardown(wrong_filters_are_refused, set_up, tear_down),
      cmocka_unit_test(globs),
      cmocka_unit_test_setup_teardown(the_index_changes_nothing, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_target_has_all_its_filters, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ten_thousand_are_as_quick_as_ten, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_very_long_type_is_found, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

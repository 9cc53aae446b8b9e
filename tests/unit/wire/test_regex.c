/* tests/unit/wire/test_regex.c: ECMA-262's meaning, and patterns that try to run away. */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "wire/regex.h"

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

static bool matches(const char *pattern, struct bytes text) {
  const struct regex *regex = NULL;
  struct err err;
  uint64_t work = REGEX_WORK_MAX;
  bool match = false;
  assert_ok(regex_compile(&arena, bytes_str(pattern), &regex, &err), err);
  assert_ok(regex_match(regex, text, &work, &match, &err), err);
  return match;
}

static void patterns_mean_what_ecma_262_says(void **state) {
  static const struct {
    const char *pattern, *text;
    bool match;
  } cases[] = {
      {"", "", true},
      {"b", "abc", true},
      {"^b", "abc", false},
      {"^a$", "a\n", false},
      {"^.$", "\xE2\x80\xA8", false},
      {"^.$", "\xF0\x9F\x98\x80", true},
      {"^\\d$", "\xE0\xA7\xAA", false},
      {"^\\w$", "\xC3\xA9", false},
      {"^\\W$", "\xC3\xA9", true},
      {"^\\s$", "\xEF\xBB\xBF", true},
      {"^\\s$", "\x0B", true},
      {"^\\S$", "\xC2\xA0", false},
      {"^[\\S]$", "\xC2\xA0", false},
      {"^[^\\s]+$", "abc", true},
      {"^\\v$", "\n", false},
      {"^\\v$", "\x0B", true},
      {"^\\cC$", "\x03", true},
      {"^\\x41\\u0042\\u{1F600}\\uD83D\\uDE00$", "AB\xF0\x9F\x98\x80\xF0\x9F\x98\x80", true},
      {"^\\p{Letter}+$", "\xC3\xA9t\xC3\xA9", true},
      {"^\\p{Script=Greek}$", "\xCE\xB1", true},
      {"^\\P{L}$", "1", true},
      {"^[[]$", "[", true},
      {"^[[:alpha:]]$", "a]", true},
      {"[]", "a", false},
      {"^[^]$", "\n", true},
      {"^{a}]$", "{a}]", true},
      {"^a{2,3}$", "aaa", true},
      {"^a{,3}$", "a{,3}", true},
      {"^(?<x>a|b)\\k<x>$", "aa", true},
      {"^(a)?\\1b$", "b", true},
      {"(?<=a)b", "ab", true},
      {"^\\/\\-\\.$", "/-.", true},
      {"\\bfoo\\b", "a foo b", true},
      {"^[\\b]$", "\b", true},
      {"^\\0$", "x", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (matches(cases[i].pattern, bytes_str(cases[i].text)) != cases[i].match)
      fail_msg("%s on %s", cases[i].pattern, cases[i].text);
  assert_true(matches("^\\0$", bytes_of("\0", 1)));
}

static void what_ecma_262_does_not_have_is_refused(void **state) {
  static const char *const cases[] = {
      "\\A",    "\\Z",      "\\Qa\\E", "\\K",       "\\a",         "\\e",     "\\R",
      "\\h",    "(?i)a",    "(?>a)",   "(?#c)",     "(?|a)",       "(*UTF)",  "a++",
      "a*+",    "a{1}{2}",  "a???",    "(",         "a)",          "[a",      "\\",
      "*",      "a**",      "\\u12",   "\\u{}",     "\\u{110000}", "\\uD800", "\\xg1",
      "\\c1",   "\\p",      "\\p{}",   "\\p{Nope}", "\\p{L",       "\\k<x>",  "\\kx",
      "[\\B]",  "[\\1]",    "\\01",    "(?<n",      "(?<>a)",      "\\2(a)",  "[z-a]",
      "a{2,1}", "(?P<n>a)", "\\C",     "\\N{U+41}", "\\g1",        "\\o{1}",  "\\\xC3\xA9",
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct regex *regex = NULL;
    struct err err;
    arena_reset(&arena);
    if (regex_compile(&arena, bytes_str(cases[i]), &regex, &err)) fail_msg("%s", cases[i]);
    assert_int_equal(err.code, ERR_MALFORMED);
  }
}

static void hostile_texts_end_at_the_limit(void **state) {
  static const char *const patterns[] = {"^(a+)+$", "(a|aa)+$", "(.*a){12}$", "^(a?){30}a{30}[bc]"};
  char text[3000];
  memset(text, 'a', sizeof text);
  text[sizeof text - 1] = '!';
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
    const struct regex *regex = NULL;
    struct err err;
    uint64_t work = REGEX_WORK_MAX;
    bool match;
    assert_ok(regex_compile(&arena, bytes_str(patterns[i]), &regex, &err), err);
    for (int round = 0; round < 10; round++) {
      if (regex_match(regex, bytes_of(text, sizeof text), &work, &match, &err))
        fail_msg("%s", patterns[i]);
      assert_int_equal(err.code, ERR_LIMIT);
    }
  }
}

static void limits_are_named(void **state) {
  const struct regex *regex = NULL;
  struct err err;
  uint64_t work = 5;
  bool match;
  static char text[REGEX_TEXT_BYTES_MAX + 1];
  memset(text, 'a', sizeof text);
  assert_fails(regex_compile(&arena, bytes_of(text, REGEX_PATTERN_BYTES_MAX + 1), &regex, &err),
               err, ERR_LIMIT);
  assert_ok(regex_compile(&arena, BYTES("a"), &regex, &err), err);
  assert_fails(regex_match(regex, bytes_of(text, 10), &work, &match, &err), err, ERR_LIMIT);
  work = REGEX_WORK_MAX;
  assert_fails(regex_match(regex, bytes_of(text, sizeof text), &work, &match, &err), err,
               ERR_LIMIT);
  assert_ok(regex_match(regex, bytes_of(text, 30000), &work, &match, &err), err);
  assert_ok(regex_compile(&arena, BYTES("^a+$"), &regex, &err), err);
  work = REGEX_WORK_MAX;
  assert_ok(regex_match(regex, bytes_of(text, sizeof text - 1), &work, &match, &err), err);
  assert_true(match);
  assert_ok(regex_compile(&arena, BYTES("[^x]+y"), &regex, &err), err);
  assert_fails(regex_match(regex, bytes_of(text, sizeof text - 1), &work, &match, &err), err,
               ERR_LIMIT);
  cleanup_arena struct arena small;
  arena_init(&small, 300);
  assert_fails(regex_compile(&small, BYTES("(a|b|c)+d{3}"), &regex, &err), err, ERR_LIMIT);
  arena_reset(&arena);
  bool ok = regex_compile(&arena, BYTES("((a{500}){500}){500}"), &regex, &err);
  assert_false(ok);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(patterns_mean_what_ecma_262_says, setup, teardown),
      cmocka_unit_test_setup_teardown(what_ecma_262_does_not_have_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(hostile_texts_end_at_the_limit, setup, teardown),
      cmocka_unit_test_setup_teardown(limits_are_named, setup, teardown),
  };
  return cmocka_run_group_tests_name("wire/regex", tests, NULL, NULL);
}

/* tests/unit/runtime/test_guest_web.c: the web's globals, checked by a handler (web.js). */
#include "tests/unit/runtime/guest_fixture.h"

static char *source(void) {
  static char text[1 << 16];
  char path[4096];
  const char *root = getenv("MEDULLA_SOURCE");
  snprintf(path, sizeof path, "%s/tests/unit/runtime/web.js", root ? root : ".");
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("%s cannot be read", path);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  return text;
}

static void globals_behave(void **state) {
  static const struct fixture_answer answers[] = {
      {1, true, "{\"status\":201,\"headers\":{\"x-b\":\"3\"},\"body\":\"{\\\"k\\\":2}\"}"}, {0}};
  struct fixture *f = fixture_js(source());
  f->answers = answers;
  assert_returns(f, "{}", "[]");
  assert_string_equal(fixture_text(&f->log),
                      "1 a { b: [ 1, \"x\" ], c: \"boom\" } undefined null 10n Symbol(s) "
                      "Map [ [ 1, 2 ] ]\n");
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(globals_behave)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

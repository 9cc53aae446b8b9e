/* Modules and CommonJS are told apart. */
#include "tests/unit/test.h"

#include "model/script.h"

static void kinds_are_told_apart(void **state) {
  static const struct {
    const char *name, *source;
    bool module;
  } cases[] = {{"a.js", "export const handler = 1;", true},
               {"a.js", "const a = 1;\n  export { a as handler };", true},
               {"a.js", "import x from \"y\";\nexports.handler = x;", true},
               {"a.js", "exports.handler = () => 1;", false},
               {"a.js", "module.exports = {\n  handler\n};", false},
               {"a.js", "exported();\nexports.a = 1;", false},
               {"a.mjs", "exports.handler = 1;", true},
               {"a.cjs", "export const handler = 1;", false},
               {"a.js", "let a = 1;export{a as handler};", true},
               {"a.js", "", true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(script_is_module(bytes_str(cases[i].name), bytes_str(cases[i].source)),
                     cases[i].module);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(kinds_are_told_apart)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

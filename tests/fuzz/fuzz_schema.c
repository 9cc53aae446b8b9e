/* tests/fuzz/fuzz_schema.c: schema_compile, schema_check_all, regex_compile, the formats. The input
 * is a JSON list: a schema, then values to check.                                              */
#include "base/cleanup.h"
#include "base/must.h"
#include "wire/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 20, PROBLEMS_MAX = 4, VALUES_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_arena struct arena arena;
  const struct json *list = NULL;
  const struct schema *schema = NULL;
  const struct schema_options options = {.assert_formats = true};
  struct schema_problem problems[PROBLEMS_MAX];
  arena_init(&arena, BYTES_MAX);
  if (!json_parse(&arena, bytes_of(data, size), &list, NULL)) return 0;
  const struct json *root = json_item(list, 0);
  if (!root || !schema_compile(&arena, root, &options, &schema, NULL)) return 0;
  size_t count = 0;
  for (const struct json *value = root; value && count < VALUES_MAX; value = value->next, count++) {
    size_t found = schema_check_all(schema, value, problems, PROBLEMS_MAX);
    must((found == 0) == schema_check(schema, value, NULL));
  }
  return 0;
}

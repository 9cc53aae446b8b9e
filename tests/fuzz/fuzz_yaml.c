/* tests/fuzz/fuzz_yaml.c: yaml_parse, yaml_place, yaml_name_offset. A tree has places inside the
 * input and is JSON when written. */
#include "base/cleanup.h"
#include "base/must.h"
#include "wire/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 20 };

static void check(struct bytes input, const struct json *value) {
  must(value->offset <= input.len);
  must(yaml_place(input, value->offset).line >= 1);
  must(yaml_name_offset(input, value) <= input.len);
  for (const struct json *child = value->first; child; child = child->next) check(input, child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_arena struct arena arena;
  cleanup_buf struct buf buf;
  struct json_out out;
  const struct json *value = NULL;
  const struct json *again = NULL;
  arena_init(&arena, BYTES_MAX);
  buf_init(&buf, BYTES_MAX);
  if (!yaml_parse(&arena, bytes_of(data, size), &value, NULL)) return 0;
  if (size < 4096) check(bytes_of(data, size), value);
  json_out_init(&out, &buf);
  json_out_value(&out, value);
  must(json_parse(&arena, buf_bytes(&buf), &again, NULL));
  must(json_eq(value, again));
  return 0;
}

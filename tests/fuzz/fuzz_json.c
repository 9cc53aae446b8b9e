/* tests/fuzz/fuzz_json.c: json_parse, json_out_value, json_canonical, json_eq. What was taken can
 * be written, read again and is then equal. */
#include "base/cleanup.h"
#include "base/must.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_arena struct arena arena;
  cleanup_buf struct buf buf;
  struct json_out out;
  const struct json *value = NULL;
  const struct json *again = NULL;
  arena_init(&arena, BYTES_MAX);
  buf_init(&buf, BYTES_MAX);
  if (!json_parse(&arena, bytes_of(data, size), &value, NULL)) return 0;
  json_out_init(&out, &buf);
  json_out_value(&out, value);
  must(json_parse(&arena, buf_bytes(&buf), &again, NULL));
  must(json_eq(value, again));
  buf_reset(&buf);
  json_canonical(&buf, value);
  must(json_parse(&arena, buf_bytes(&buf), &again, NULL));
  return 0;
}

/* tests/fuzz/fuzz_json_patch.c: fhir_patch_json. The input is a JSON list: a document, operations.
 * What comes out can be read.                                                                 */
#include "base/cleanup.h"
#include "base/must.h"
#include "fhir/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 20, RESULT_BYTES_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_arena struct arena arena;
  cleanup_buf struct buf result;
  const struct json *list = NULL;
  const struct json *again = NULL;
  arena_init(&arena, BYTES_MAX);
  buf_init(&result, RESULT_BYTES_MAX);
  if (!json_parse(&arena, bytes_of(data, size), &list, NULL)) return 0;
  const struct json *document = json_item(list, 0);
  const struct json *patch = json_item(list, 1);
  if (!document || !patch || !fhir_patch_json(&arena, document, patch, &result, NULL)) return 0;
  arena_reset(&arena);
  must(json_parse(&arena, buf_bytes(&result), &again, NULL));
  return 0;
}

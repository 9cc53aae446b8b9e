/* manifest_parse, manifest_is_supported: any text as medulla.yaml; problems lie inside it. */
#include "base/must.h"
#include "model/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct manifest_problems problems;
  const struct manifest *manifest = NULL;
  struct arena arena;
  struct err err;
  arena_init(&arena, 8u << 20);
  if (manifest_parse(&arena, bytes_of(data, size), &manifest, &problems, &err)) {
    must(problems.count == 0 && manifest->app.len > 0 && manifest->functions != NULL);
    if (manifest_is_supported(&arena, manifest, &problems, &err)) must(problems.count == 0);
  }
  must(problems.count <= MANIFEST_PROBLEMS_MAX);
  for (uint32_t i = 0; i < problems.count; i++) must(problems.list[i].line >= 1);
  arena_fini(&arena);
  return 0;
}

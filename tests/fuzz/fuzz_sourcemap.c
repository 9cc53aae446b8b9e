/* sourcemap_parse, sourcemap_find, sourcemap_frame: a line with a frame, then a map. */
#include "base/cleanup.h"
#include "model/sourcemap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_arena struct arena arena;
  struct sourcemap map;
  struct sourcemap_place place;
  struct bytes text;
  struct err err;
  struct bytes frame = bytes_cut(bytes_of(data, size), '\n', &text);
  arena_init(&arena, 1 << 20);
  if (!sourcemap_parse(&arena, text, &map, &err)) return 0;
  (void)sourcemap_frame(&map, &arena, frame);
  for (uint32_t line = 0; line < 5; line++)
    if (!sourcemap_find(&map, line, line * 7, &place)) continue;
  return 0;
}

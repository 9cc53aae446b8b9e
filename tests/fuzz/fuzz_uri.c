/* uri_parse, uri_path_normalize, route_parse, route_match: normal forms stay as they are. */
#include "base/must.h"
#include "wire/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena arena;
  struct uri uri;
  struct err err;
  struct bytes input = bytes_of(data, size), path, again, captures[ROUTE_SEGMENTS_MAX];
  static struct route route;
  arena_init(&arena, 1 << 18);
  if (uri_parse(&arena, input, &uri, &err)) must(uri.host.len > 0 && uri_covers(&uri, &uri));
  if (uri_path_normalize(&arena, input, &path, &err)) {
    must(uri_path_normalize(&arena, path, &again, &err) && bytes_eq(path, again));
    must(bytes_find_bytes(path, BYTES("/../")) == path.len);
  }
  if (route_parse(&arena, input, &route, &err)) {
    must(route.capture_count <= route.segment_count);
    (void)route_match(&route, BYTES("/fn/a/b"), captures);
  }
  arena_fini(&arena);
  return 0;
}

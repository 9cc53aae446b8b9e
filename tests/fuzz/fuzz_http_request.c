/* http_request_parse, http_query_next: any bytes, whole and in two parts, give the same answer. */
#include "base/must.h"
#include "wire/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct http_request whole, split;
  struct http_parser one = {0}, two = {0};
  struct err err;
  size_t end_one = 0, end_two = 0;
  struct bytes input = bytes_of(data, size);
  enum http_step step_one = http_request_parse(&one, input, &whole, &end_one, &err);
  enum http_step step_two =
      http_request_parse(&two, bytes_sub(input, 0, size / 2), &split, &end_two, &err);
  if (step_two == HTTP_MORE) step_two = http_request_parse(&two, input, &split, &end_two, &err);
  must(step_one == step_two && end_one == end_two);
  if (step_one == HTTP_BAD) must(one.status >= 400);
  if (step_one != HTTP_DONE) return 0;
  must(end_one <= size && whole.head.header_count <= HTTP_HEADERS_MAX && whole.path.len > 0);
  struct arena arena;
  struct bytes name, value, rest = whole.query;
  arena_init(&arena, 1 << 16);
  while (http_query_next(&arena, &rest, &name, &value)) must(value.len <= whole.query.len);
  arena_fini(&arena);
  return 0;
}

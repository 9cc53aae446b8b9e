/* http_chunked_next: progress on every call, and the same body whatever the steps. */
#include "base/buf.h"
#include "base/must.h"
#include "wire/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http_step decode(struct bytes input, size_t stride, struct buf *body) {
  struct http_chunked chunked = {0};
  enum http_step step = HTTP_MORE;
  struct err err;
  while (step == HTTP_MORE && input.len) {
    struct bytes data = BYTES_NONE;
    size_t consumed = 0;
    step = http_chunked_next(&chunked, bytes_sub(input, 0, stride), &consumed, &data, &err);
    if (step == HTTP_BAD) break;
    must(consumed > 0 && consumed <= stride && data.len <= consumed);
    buf_put(body, data);
    input = bytes_from(input, consumed);
  }
  return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct buf whole, split;
  buf_init(&whole, 1 << 20);
  buf_init(&split, 1 << 20);
  enum http_step one = decode(bytes_of(data, size), size, &whole);
  enum http_step two = decode(bytes_of(data, size), 3, &split);
  must(one == two && bytes_eq(buf_bytes(&whole), buf_bytes(&split)));
  buf_fini(&whole);
  buf_fini(&split);
  return 0;
}

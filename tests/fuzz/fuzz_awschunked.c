/* awschunked_next: progress on every call, the same body whatever the steps; never done without a
 * right checksum. The first byte chooses the payload's kind. */
#include "base/must.h"
#include "wire/awschunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http_step decode(struct bytes input, enum sigv4_payload payload, size_t stride,
                             struct buf *body) {
  static struct http_head head;
  struct awschunked chunked;
  struct sigv4 claim = {.payload = payload};
  uint8_t key[SHA256_BYTES] = {0};
  enum http_step step = HTTP_MORE;
  struct err err;
  head.header_count = 2;
  head.headers[0] = (struct http_header){BYTES("x-amz-trailer"), BYTES("x-amz-checksum-crc32")};
  head.headers[1] = (struct http_header){BYTES("x-amz-decoded-content-length"), BYTES("9")};
  must(awschunked_init(&chunked, &claim, key, &head, &err));
  while (step == HTTP_MORE && input.len) {
    struct bytes data = BYTES_NONE;
    size_t consumed = 0;
    step = awschunked_next(&chunked, bytes_sub(input, 0, stride), &consumed, &data, &err);
    if (step == HTTP_BAD) break;
    must(consumed > 0);
    buf_put(body, data);
    input = bytes_from(input, consumed);
  }
  must(step != HTTP_DONE || body->len == 9);
  awschunked_fini(&chunked);
  return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct buf whole, split;
  struct bytes input = bytes_of(data + 1, size - 1);
  enum sigv4_payload payload = (enum sigv4_payload)(SIGV4_STREAM + data[0] % 3);
  buf_init(&whole, 1 << 20);
  buf_init(&split, 1 << 20);
  enum http_step one = decode(input, payload, size, &whole);
  must(one == decode(input, payload, 2, &split));
  must(one == HTTP_BAD || bytes_eq(buf_bytes(&whole), buf_bytes(&split)));
  buf_fini(&whole);
  buf_fini(&split);
  return 0;
}

/* http_response_parse: any bytes; a body is never both chunked and counted. */
#include "base/must.h"
#include "wire/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct http_response response;
  struct http_parser parser = {0};
  struct err err;
  size_t consumed = 0;
  enum http_step step =
      http_response_parse(&parser, bytes_of(data, size), size & 1, &response, &consumed, &err);
  if (step != HTTP_DONE) return 0;
  must(consumed <= size && response.status >= 100 && response.status <= 599);
  must(response.head.body != HTTP_BODY_CHUNKED || response.head.content_length == 0);
  return 0;
}

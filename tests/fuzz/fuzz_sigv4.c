/* sigv4_present, sigv4_parse, sigv4_verify: no bytes pass without the secret. */
#include "base/must.h"
#include "wire/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct http_request request;
  static const uint8_t body[SHA256_BYTES];
  struct http_parser parser = {0};
  struct arena arena;
  struct sigv4 claim;
  struct err err;
  size_t consumed;
  uint8_t key[SHA256_BYTES];
  if (http_request_parse(&parser, bytes_of(data, size), &request, &consumed, &err) != HTTP_DONE ||
      !sigv4_present(&request))
    return 0;
  arena_init(&arena, 1 << 20);
  if (sigv4_parse(&arena, &request, &claim, &err)) {
    struct sigv4_subject subject = sigv4_subject_of(&request);
    must(!sigv4_verify(&claim, &subject, BYTES("an unguessed secret"), body, claim.date_ms, key,
                       &err));
  }
  arena_fini(&arena);
  return 0;
}

/* tests/fuzz/fuzz_fhir.c: fhir_validate over any JSON, invariants and narratives included. An
 * outcome is itself a valid resource.                                                      */
#include "base/cleanup.h"
#include "base/must.h"
#include "fhir/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct fhir_validator *validator;
  cleanup_arena struct arena arena;
  cleanup_buf struct buf buf;
  struct json_out out;
  const struct json *resource = NULL;
  const struct json *outcome = NULL;
  struct fhir_issues issues;
  struct fhir_outcome_source source = {.text = bytes_of(data, size), .line_first = 1};
  const struct fhir_validate_options errors_only = {.errors_only = true};
  if (!validator) validator = fhir_validator_new();
  arena_init(&arena, BYTES_MAX);
  buf_init(&buf, BYTES_MAX);
  json_out_init(&out, &buf);
  if (!json_parse(&arena, source.text, &resource, NULL)) return 0;
  fhir_issues_init(&issues, &arena);
  fhir_validate(validator, resource, NULL, &issues);
  fhir_outcome_write(&out, &issues, &source);
  must(buf_ok(&buf) && json_parse(&arena, buf_bytes(&buf), &outcome, NULL));
  fhir_issues_init(&issues, &arena);
  fhir_validate(validator, outcome, &errors_only, &issues);
  must(issues.errors == 0);
  return 0;
}

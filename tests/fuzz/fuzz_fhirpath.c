/* tests/fuzz/fuzz_fhirpath.c: fhir_path_compile, fhir_path_eval, ucum_parse, decimals and dates.
 * The input is an expression, a zero byte, and a JSON document (optional).                     */
#include "base/cleanup.h"
#include "base/must.h"
#include "fhir/model.h"
#include "fhir/path.h"
#include "fhir/ucum.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 20, OUTPUT_BYTES_MAX = 8 << 20 };

static const struct fhir_path_limits LIMITS = {
    .values_max = 4096, .steps_max = 200000, .bytes_max = 1 << 20};

/* What is written must be JSON whatever was evaluated. */
static void check_output(struct fhir_path_result result) {
  struct buf buf;
  struct json_out out;
  struct arena arena;
  const struct json *back;
  buf_init(&buf, OUTPUT_BYTES_MAX);
  arena_init(&arena, BYTES_MAX * 4ul);
  json_out_init(&out, &buf);
  fhir_path_write(&out, result);
  must(!buf_ok(&buf) || json_parse(&arena, buf_bytes(&buf), &back, NULL));
  arena_fini(&arena);
  buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct fhir_path_machine *machine;
  cleanup_arena struct arena arena;
  struct bytes document;
  struct bytes text = bytes_cut(bytes_of(data, size), 0, &document);
  struct fhir_path_options options = {.type = FHIR_TYPE_PATIENT, .strict = true};
  struct fhir_path_value context = fhir_path_string(BYTES("x"));
  struct fhir_path_result result;
  const struct fhir_path *path;
  const struct json *node;
  struct ucum unit;
  if (!machine) machine = fhir_path_machine_new(&LIMITS);
  arena_init(&arena, BYTES_MAX);
  (void)!ucum_parse(text, &unit);
  (void)!fhir_path_compile(&arena, text, &options, &path, NULL);
  if (!fhir_path_compile(&arena, text, NULL, &path, NULL)) return 0;
  if (document.len && json_parse(&arena, document, &node, NULL)) context = fhir_path_resource(node);
  if (fhir_path_eval(machine, path, &context, NULL, &result, NULL)) check_output(result);
  return 0;
}

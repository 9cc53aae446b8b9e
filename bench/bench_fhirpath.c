/* bench/bench_fhirpath.c: compiled FHIRPath evaluations a second on one core. Takes the file of
 * expressions and the resource that bench_fhirpath.js reads as well. Prints one line of JSON.  */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/must.h"
#include "fhir/path.h"

#include <stdio.h>
#include <time.h>

enum { FILE_BYTES_MAX = 1 << 20, ARENA_BYTES_MAX = 64 << 20, ROUND_MS = 1000, PROGRAMS_MAX = 64 };

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void read_file(const char *name, struct buf *ret_text) {
  FILE *file = fopen(name, "re");
  must(file != NULL);
  uint8_t *at = buf_room(ret_text, FILE_BYTES_MAX);
  buf_grew(ret_text, fread(at, 1, FILE_BYTES_MAX, file));
  fclose(file);
}

struct bench {
  const struct fhir_path *programs[PROGRAMS_MAX];
  size_t count;
  struct fhir_path_value context;
  struct fhir_path_machine *machine;
};

static struct fhir_path_result evaluate(struct bench *bench, size_t i) {
  struct fhir_path_result result;
  must(fhir_path_eval(bench->machine, bench->programs[i], &bench->context, NULL, &result, NULL));
  return result;
}

static void write_results(struct bench *bench, struct json_out *out) {
  json_out_open(out, '[');
  for (size_t i = 0; i < bench->count; i++) {
    struct fhir_path_result result = evaluate(bench, i);
    json_out_open(out, '[');
    for (size_t k = 0; k < result.count; k++) fhir_path_write_value(out, &result.at[k]);
    json_out_close(out, ']');
  }
  json_out_close(out, ']');
}

static double rate_of(struct bench *bench) {
  double start = now_s();
  double end = start;
  size_t evaluations = 0;
  while (end - start < ROUND_MS / 1000.0) {
    for (size_t round = 0; round < 1000; round++)
      for (size_t i = 0; i < bench->count; i++) evaluate(bench, i);
    evaluations += 1000 * bench->count;
    end = now_s();
  }
  return (double)evaluations / (end - start);
}

int main(int argc, char **argv) {
  struct buf text;
  struct buf line;
  struct arena arena;
  struct json_out out;
  struct bench bench = {.machine = fhir_path_machine_new(NULL)};
  const struct json *file;
  must(argc == 2);
  buf_init(&text, FILE_BYTES_MAX);
  buf_init(&line, FILE_BYTES_MAX);
  arena_init(&arena, ARENA_BYTES_MAX);
  read_file(argv[1], &text);
  must(json_parse(&arena, buf_bytes(&text), &file, NULL));
  const struct json *expression = json_get(file, "expressions")->first;
  for (; expression && bench.count < PROGRAMS_MAX; expression = expression->next)
    must(fhir_path_compile(&arena, expression->text, NULL, &bench.programs[bench.count++], NULL));
  bench.context = fhir_path_resource(json_get(file, "resource"));
  json_out_init(&out, &line);
  json_out_open(&out, '{');
  json_out_member_int(&out, "rate", (int64_t)rate_of(&bench));
  json_out_name(&out, "results");
  write_results(&bench, &out);
  json_out_close(&out, '}');
  printf("%.*s\n", BYTES_FMT(buf_bytes(&line)));
  fhir_path_machine_free(&bench.machine);
  buf_fini(&line);
  buf_fini(&text);
  arena_fini(&arena);
  return 0;
}

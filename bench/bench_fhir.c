/* bench/bench_fhir.c: validation of FHIR resources, one core: parse, check, all invariants. Takes
 * JSON files; the entries of bundles are validated one by one, from their text. Prints one line.
 * The floor is parsing alone.                                                                  */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/must.h"
#include "fhir/validate.h"

#include <stdio.h>
#include <time.h>

#define ARENA_BYTES_MAX ((size_t)1 << 30)
enum { FILE_BYTES_MAX = 64 << 20, ROUND_MS = 2000, RESOURCES_MAX = 100000 };

struct work {
  struct bytes resources[RESOURCES_MAX];
  size_t count, bytes;
  struct arena arena;
  struct fhir_validator *validator;
  size_t errors;
};

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void do_parse(struct work *work, struct bytes text) {
  const struct json *value;
  arena_reset(&work->arena);
  must(json_parse(&work->arena, text, &value, NULL));
}

static void do_validate(struct work *work, struct bytes text) {
  const struct json *value;
  struct fhir_issues issues;
  arena_reset(&work->arena);
  must(json_parse(&work->arena, text, &value, NULL));
  fhir_issues_init(&issues, &work->arena);
  fhir_validate(work->validator, value, NULL, &issues);
  work->errors += issues.errors;
}

static double per_s(struct work *work, void (*step)(struct work *, struct bytes)) {
  double start = now_s();
  double end = start;
  size_t done = 0;
  while (end - start < ROUND_MS / 1000.0) {
    for (size_t i = 0; i < work->count; i++) step(work, work->resources[i]);
    done += work->count;
    end = now_s();
  }
  return (double)done / (end - start);
}

static void add(struct work *work, struct bytes text) {
  if (work->count == RESOURCES_MAX) return;
  work->resources[work->count++] = text;
  work->bytes += text.len;
}

/* The texts live until the program ends. */
static void load(struct work *work, const char *path) {
  static struct arena trees;
  struct buf text;
  const struct json *value;
  FILE *file = fopen(path, "re");
  if (!trees.bytes_max) arena_init(&trees, ARENA_BYTES_MAX);
  buf_init(&text, FILE_BYTES_MAX);
  for (size_t got = 1; file && got > 0;) {
    uint8_t *room = buf_room(&text, 65536);
    got = room ? fread(room, 1, 65536, file) : 0;
    buf_grew(&text, got);
  }
  if (file) fclose(file);
  must(json_parse(&trees, buf_bytes(&text), &value, NULL));
  const struct json *entries = json_get(value, "entry");
  if (!entries) add(work, value->text);
  for (const struct json *each = entries ? entries->first : NULL; each; each = each->next)
    if (json_get(each, "resource")) add(work, json_get(each, "resource")->text);
}

int main(int argc, char **argv) {
  static struct work work;
  if (argc < 2) {
    fprintf(stderr, "usage: bench-fhir FILE...\n");
    return 2;
  }
  arena_init(&work.arena, ARENA_BYTES_MAX);
  work.validator = fhir_validator_new();
  for (int i = 1; i < argc; i++) load(&work, argv[i]);
  double parse = per_s(&work, do_parse);
  double validate = per_s(&work, do_validate);
  printf("fhir: %zu resources of %zu bytes: parse %.0f/s, parse and validate %.0f/s (%.2f of it), "
         "%zu errors\n",
         work.count, work.bytes / work.count, parse, validate, validate / parse, work.errors);
  fhir_validator_free(&work.validator);
  arena_fini(&work.arena);
  return 0;
}

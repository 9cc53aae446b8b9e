/* bench/bench_json.c: JSON parsing against two floors on the same bytes: memcpy and a UTF-8 scan.
 * Takes JSON files; without any it makes a FHIR-like one. Prints one line.                     */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/must.h"
#include "wire/json.h"
#include "wire/utf8.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FILE_BYTES_MAX = 64 << 20, ARENA_BYTES_MAX = 1 << 30, ROUND_MS = 400, FILES_MAX = 64 };

struct work {
  struct bytes input;
  uint8_t *copy;
  struct arena arena;
};

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void do_copy(struct work *work) {
  memcpy(work->copy, work->input.at, work->input.len);
  __asm__ volatile("" : : "r"(work->copy) : "memory");
}

static void do_scan(struct work *work) {
  must(utf8_valid(work->input));
}

static void do_parse(struct work *work) {
  const struct json *value;
  arena_reset(&work->arena);
  must(json_parse(&work->arena, work->input, &value, NULL));
}

static double mb_per_s(struct work *works, size_t count, void (*step)(struct work *)) {
  double start = now_s();
  double end = start;
  size_t bytes = 0;
  while (end - start < ROUND_MS / 1000.0) {
    for (size_t i = 0; i < count; i++) {
      step(&works[i]);
      bytes += works[i].input.len;
    }
    end = now_s();
  }
  return (double)bytes / (end - start) / 1e6;
}

static void make_sample(struct buf *buf) {
  buf_str(buf, "{\n  \"resourceType\": \"Bundle\",\n  \"entry\": [");
  for (int i = 0; i < 1000; i++)
    buf_printf(
        buf,
        "%s\n    {\n      \"resource\": {\n        \"resourceType\": \"Observation\",\n"
        "        \"status\": \"final\",\n        \"code\": {\n          \"coding\": [\n"
        "            {\n              \"system\": \"http://loinc.org\",\n"
        "              \"code\": \"8867-4\"\n            }\n          ]\n        },\n"
        "        \"valueQuantity\": {\n          \"value\": %d.50\n        }\n      }\n    }",
        i ? "," : "", 60 + i % 80);
  buf_str(buf, "\n  ]\n}\n");
}

static void read_file(struct buf *buf, const char *path) {
  FILE *file = fopen(path, "rb");
  must(file);
  uint8_t *to = buf_room(buf, FILE_BYTES_MAX);
  must(to);
  buf_grew(buf, fread(to, 1, FILE_BYTES_MAX, file));
  fclose(file);
}

int main(int argc, char **argv) {
  static struct work works[FILES_MAX];
  static struct buf inputs[FILES_MAX];
  size_t count = argc < 2 ? 1 : argc - 1 < FILES_MAX ? (size_t)argc - 1 : FILES_MAX;
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    buf_init(&inputs[i], FILE_BYTES_MAX);
    if (argc < 2)
      make_sample(&inputs[i]);
    else
      read_file(&inputs[i], argv[i + 1]);
    works[i].input = buf_bytes(&inputs[i]);
    works[i].copy = must_alloc(works[i].input.len + 1);
    arena_init(&works[i].arena, ARENA_BYTES_MAX);
    do_parse(&works[i]);
    bytes += works[i].input.len;
  }
  double copy = mb_per_s(works, count, do_copy);
  double scan = mb_per_s(works, count, do_scan);
  double parse = mb_per_s(works, count, do_parse);
  printf("json: parse %.0f MB/s, UTF-8 scan %.0f MB/s (%.2f of it), memcpy %.0f MB/s; %zu files, "
         "%zu bytes\n",
         parse, scan, parse / scan, copy, count, bytes);
  for (size_t i = 0; i < count; i++) {
    arena_fini(&works[i].arena);
    buf_fini(&inputs[i]);
    free(works[i].copy);
  }
  return 0;
}

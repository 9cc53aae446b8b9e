/* bench/bench_hl7.c: HL7 v2 against a floor on the same bytes, memcpy: parsing with every leaf
 * touched, and the FHIR transaction written. Takes files; without any it makes two results.
 * Prints one line for each size. */
#include "base/must.h"
#include "hl7/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGE_BYTES_MAX = 1 << 20, ARENA_BYTES_MAX = 256 << 20, ROUND_MS = 800 };

struct work {
  struct bytes input;
  uint8_t *copy;
  struct arena arena;
  struct buf out;
  uint64_t leaves;
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

static uint64_t touch_field(const struct hl7_message *m, struct bytes field) {
  uint64_t leaves = 0;
  while (field.len) {
    struct bytes one = bytes_cut(field, m->separators.repetition, &field);
    while (one.len) {
      struct bytes component = bytes_cut(one, m->separators.component, &one);
      while (component.len) {
        struct bytes leaf = bytes_cut(component, m->separators.subcomponent, &component);
        leaves += leaf.len ? leaf.at[0] : 1;
      }
    }
  }
  return leaves;
}

static void do_parse(struct work *work) {
  struct hl7_message m;
  arena_reset(&work->arena);
  must(hl7_parse(&work->arena, work->input, NULL, &m, NULL));
  for (uint32_t i = 0; i < m.count; i++) {
    struct bytes rest = m.segments[i].raw;
    while (rest.len) {
      work->leaves += touch_field(&m, bytes_cut(rest, m.separators.field, &rest));
    }
  }
}

static void do_map(struct work *work) {
  struct hl7_message m;
  struct hl7_mapped mapped;
  arena_reset(&work->arena);
  buf_reset(&work->out);
  must(hl7_parse(&work->arena, work->input, NULL, &m, NULL));
  must(hl7_map(&work->arena, &m, NULL, &mapped, NULL));
  hl7_mapped_write(&work->out, &mapped);
  must(buf_ok(&work->out));
}

static double per_s(struct work *work, void (*step)(struct work *)) {
  double start = now_s(), end = start;
  uint64_t count = 0;
  while (end - start < ROUND_MS / 1000.0) {
    for (int i = 0; i < 50; i++) step(work);
    count += 50;
    end = now_s();
  }
  return (double)count / (end - start);
}

static void make_result(struct buf *buf, int results) {
  buf_str(buf, "MSH|^~\\&|LAB|HOSP|HIS|HOSP|20260102030405+0100||ORU^R01^ORU_R01|77|P|2.5.1\r"
               "PID|1||123456^^^HOSP^MR||Muster^Anna^B^^^^L||19800102|F|||Weg 3^^Bern^^3000^CH^H\r"
               "PV1|1|I|W1^12^B||||7^Doc^Ann^^^Dr||||||||||||V99^^^HOSP\r"
               "ORC|RE|P1^HIS|F1^LAB||CM\r"
               "OBR|1|P1^HIS|F1^LAB|24323-8^Comprehensive panel^LN|||202601020301\r");
  for (int i = 1; i <= results; i++) {
    buf_printf(buf,
               "OBX|%d|NM|%d-7^Analyte number %d in serum^LN||%d.%d|mmol/L^millimole per "
               "litre^UCUM|3.5-5.0|N^Normal^HL70078|||F|||202601020302+0100||7^Tech^Tim\r",
               i, 1000 + i, i, i % 9, i % 10);
  }
}

static void bench(const char *name, struct bytes input) {
  static struct work work;
  work = (struct work){.input = input, .copy = must_alloc(input.len + 1)};
  arena_init(&work.arena, ARENA_BYTES_MAX);
  buf_init(&work.out, ARENA_BYTES_MAX);
  double copy = per_s(&work, do_copy), parse = per_s(&work, do_parse), map = per_s(&work, do_map);
  printf("hl7 %s, %zu bytes: parse %.0f messages/s (%.4f of memcpy), to FHIR %.0f messages/s "
         "(%.5f of memcpy, %zu bytes)\n",
         name, input.len, parse, parse / copy, map, map / copy, work.out.len);
  arena_fini(&work.arena);
  buf_fini(&work.out);
  free(work.copy);
}

int main(int argc, char **argv) {
  struct buf buf;
  buf_init(&buf, MESSAGE_BYTES_MAX);
  for (int i = 1; i < argc; i++) {
    FILE *file = fopen(argv[i], "rb");
    must(file);
    buf_reset(&buf);
    uint8_t *to = buf_room(&buf, MESSAGE_BYTES_MAX / 2);
    must(to);
    buf_grew(&buf, fread(to, 1, MESSAGE_BYTES_MAX / 2, file));
    fclose(file);
    bench("file", buf_bytes(&buf));
  }
  for (int i = 0; argc < 2 && i < 2; i++) {
    buf_reset(&buf);
    make_result(&buf, i ? 30 : 2);
    bench(i ? "large" : "small", buf_bytes(&buf));
  }
  buf_fini(&buf);
  return 0;
}

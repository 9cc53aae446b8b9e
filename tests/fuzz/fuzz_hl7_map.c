/* hl7_map and hl7_structure_match: any message; the bundle is JSON, and every place listed lies in
 * the message. */
#include "base/must.h"
#include "hl7/map.h"
#include "hl7/structure.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *arena, const struct hl7_message *m,
                  const struct hl7_mapped *mapped) {
  const struct json *value;
  struct buf buf;
  buf_init(&buf, 32 << 20);
  hl7_mapped_write(&buf, mapped);
  must(!buf_ok(&buf) || json_parse(arena, buf_bytes(&buf), &value, NULL) || !arena_ok(arena));
  for (const struct hl7_left *left = mapped->left; left; left = left->next) {
    must(left->segment >= 1 && left->segment <= m->count);
    buf_reset(&buf);
    hl7_left_write(&buf, m, left);
    must(buf.len > 4);
  }
  buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena arena;
  struct hl7_message m;
  struct hl7_mapped mapped;
  const struct hl7_place *places;
  arena_init(&arena, 64 << 20);
  if (hl7_parse(&arena, bytes_of(data, size), NULL, &m, NULL)) {
    const struct hl7_structure *structure = hl7_structure_of(&m);
    if (hl7_structure_match(&arena, structure, &m, &places, NULL)) {
      for (uint32_t i = 0; i < m.count; i++) must(places[i].depth <= HL7_GROUP_DEPTH);
    }
    if (hl7_map(&arena, &m, NULL, &mapped, NULL)) check(&arena, &m, &mapped);
  }
  arena_fini(&arena);
  return 0;
}

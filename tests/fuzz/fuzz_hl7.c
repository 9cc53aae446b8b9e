/* hl7_parse and all that reads a message: any bytes; every place asked for lies in the message, and
 * an answer to it can be read. */
#include "base/must.h"
#include "hl7/ack.h"
#include "hl7/batch.h"
#include "hl7/path.h"
#include "hl7/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(void *arg, uint32_t segment_nth, uint32_t field_nth, struct bytes raw) {
  const struct hl7_message *m = arg;
  must(raw.len == 0 || (raw.at >= m->text.at && raw.at + raw.len <= m->text.at + m->text.len));
  return true;
}

static void read_all(struct arena *arena, struct hl7_message *m) {
  struct hl7_path path = {.segment_nth = HL7_EVERY, .field_nth = HL7_EVERY};
  for (uint32_t i = 0; i < m->count && i < 50; i++) {
    const struct hl7_segment *segment = &m->segments[i];
    uint32_t fields = hl7_field_count(m, segment);
    for (path.field = 0; path.field <= fields && path.field < 30; path.field++) {
      for (size_t k = 0; k < 4; k++) path.segment[k] = segment->name[k];
      path.component = path.field % 3;
      path.subcomponent = path.component ? path.field % 2 : 0;
      hl7_each(m, &path, visit, m);
      struct bytes value = hl7_value(m, segment, path.field, 1);
      struct hl7_time time;
      (void)!hl7_text(arena, m, value).len;
      (void)!hl7_time_parse(value, &time, NULL);
    }
  }
}

static void answer(struct arena *arena, const struct hl7_message *m) {
  struct hl7_message again;
  struct buf buf;
  buf_init(&buf, 1 << 20);
  struct hl7_ack ack = {.stage = HL7_COMMIT,
                        .fault = HL7_FAULT_DATA_TYPE,
                        .segment = "PID",
                        .field = 3,
                        .diagnostic = BYTES("x|y"),
                        .id = BYTES("1")};
  hl7_ack_write(&buf, m, &ack);
  must(!buf_ok(&buf) || hl7_parse(arena, buf_bytes(&buf), NULL, &again, NULL) || !arena_ok(arena));
  buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena arena;
  struct hl7_batch batch;
  struct bytes one;
  arena_init(&arena, 16 << 20);
  hl7_batch_init(&batch, bytes_of(data, size));
  for (int i = 0; i < 20 && hl7_batch_next(&batch, &one); i++) {
    struct hl7_message m;
    if (!hl7_parse(&arena, one, NULL, &m, NULL)) continue;
    read_all(&arena, &m);
    answer(&arena, &m);
  }
  arena_fini(&arena);
  return 0;
}

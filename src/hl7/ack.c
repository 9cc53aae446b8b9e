/* hl7/ack.c: sender and receiver change places, MSA-2 echoes the control id, ERR says where. */
#include "hl7/ack.h"

#include "base/must.h"
#include "hl7/path.h"
#include "hl7/time.h"
#include "hl7/write.h"

#include <stdio.h>
#include <string.h>

static const struct {
  int code;
  char verdict; /* behind A or C */
  const char *text;
} faults[HL7_FAULT_COUNT] = {
#define HL7_FAULT(name, code, verdict, text) [HL7_FAULT_##name] = {code, verdict, text},
#include "hl7/ack.tbl.h"
#undef HL7_FAULT
};

bool hl7_is_enhanced(const struct hl7_message *message) {
  return hl7_get_str(message, "MSH-15").len || hl7_get_str(message, "MSH-16").len;
}

bool hl7_wants_ack(const struct hl7_message *message, enum hl7_stage stage, bool good) {
  if (!hl7_is_enhanced(message)) return stage == HL7_APPLICATION;
  struct bytes when = hl7_get_str(message, stage == HL7_COMMIT ? "MSH-15" : "MSH-16");
  if (bytes_eq_str(when, "AL")) return true;
  if (bytes_eq_str(when, "ER")) return !good;
  if (bytes_eq_str(when, "SU")) return good;
  return false; /* NE, empty beside the other, or not in table 0155 */
}

void hl7_ack_code(const struct hl7_ack *ack, char ret_code[3]) {
  must(ack->fault < HL7_FAULT_COUNT);
  ret_code[0] = ack->stage == HL7_COMMIT ? 'C' : 'A';
  ret_code[1] = faults[ack->fault].verdict;
  ret_code[2] = 0;
}

static void write_header(struct hl7_out *out, const struct hl7_message *message,
                         const struct hl7_ack *ack) {
  static const char *const turned[][2] = {{"MSH-5", "MSH-3"}, {"MSH-6", "MSH-4"}};
  char now[32];
  hl7_time_format(ack->now_ms, now);
  hl7_out_segment(out, "MSH");
  for (uint32_t i = 0; message && i < 2; i++) {
    hl7_out_raw(out, 3 + i, hl7_get_str(message, turned[i][0]));
  }
  for (uint32_t i = 0; message && i < 2; i++) {
    hl7_out_raw(out, 5 + i, hl7_get_str(message, turned[i][1]));
  }
  hl7_out_str(out, 7, 1, now);
  hl7_out_str(out, 9, 1, "ACK");
  if (message) hl7_out_at(out, 9, 2, 1, hl7_get_str(message, "MSH-9.2"));
  if (message && hl7_get_str(message, "MSH-9.2").len) hl7_out_str(out, 9, 3, "ACK");
  hl7_out_field(out, 10, ack->id);
  struct bytes processing = message ? hl7_get_str(message, "MSH-11") : BYTES_NONE;
  struct bytes version = message ? hl7_get_str(message, "MSH-12") : BYTES_NONE;
  hl7_out_raw(out, 11, processing.len ? processing : BYTES("P"));
  hl7_out_raw(out, 12, version.len ? version : BYTES("2.5.1"));
  if (message) hl7_out_raw(out, 18, hl7_get_str(message, "MSH-18"));
}

/* ERR of v2.5 and later: ERR-2 location, ERR-3 code, ERR-4 severity, ERR-7 diagnostic. Before that
 * ERR-1 was all of it; newer receivers ignore it, so both are written. */
static void write_error(struct hl7_out *out, const struct hl7_ack *ack) {
  char code[8], field[16];
  snprintf(code, sizeof code, "%d", faults[ack->fault].code);
  snprintf(field, sizeof field, "%u", ack->field);
  hl7_out_segment(out, "ERR");
  if (ack->segment) {
    hl7_out_str(out, 2, 1, ack->segment);
    hl7_out_str(out, 2, 2, "1");
    if (ack->field) hl7_out_str(out, 2, 3, field);
  }
  hl7_out_str(out, 3, 1, code);
  hl7_out_str(out, 3, 2, faults[ack->fault].text);
  hl7_out_str(out, 3, 3, "HL70357");
  hl7_out_str(out, 4, 1, "E");
  hl7_out_field(out, 7, bytes_sub(ack->diagnostic, 0, HL7_DIAGNOSTIC_BYTES));
}

void hl7_ack_write(struct buf *buf, const struct hl7_message *message, const struct hl7_ack *ack) {
  struct hl7_out out;
  char code[3];
  hl7_ack_code(ack, code);
  hl7_out_init(&out, buf, message ? &message->separators : NULL);
  write_header(&out, message, ack);
  hl7_out_segment(&out, "MSA");
  hl7_out_str(&out, 1, 1, code);
  /* Byte for byte: a sender compares it with what it sent. */
  if (message) hl7_out_raw(&out, 2, hl7_get_str(message, "MSH-10"));
  if (ack->fault != HL7_FAULT_NONE) {
    hl7_out_str(&out, 3, 1, faults[ack->fault].text);
    write_error(&out, ack);
  }
  hl7_out_end(&out);
}

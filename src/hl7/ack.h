/* hl7/ack.h: the acknowledgement of one received message.
 * Owns:    nothing; text is appended to the caller's buffer.
 * Units:   times are UTC milliseconds.
 * Errors:  none; a message that cannot be read is answered with AR and what could be made out.
 * Threads: pure; any thread.
 * Limits:  the buffer's; the diagnostic is cut at HL7_DIAGNOSTIC_BYTES.
 * Source:  HL7 v2.5.1 ch. 2 §2.9.2, §2.9.3 (original and enhanced rules), §2.14.5 (ERR), §2.14.8
 *          (MSA), tables 0008, 0155, 0357, 0516.  */
#ifndef MEDULLA_HL7_ACK_H
#define MEDULLA_HL7_ACK_H

#include "base/buf.h"
#include "hl7/message.h"

#define HL7_DIAGNOSTIC_BYTES 250

enum hl7_fault {
#define HL7_FAULT(name, ...) HL7_FAULT_##name,
#include "hl7/ack.tbl.h"
#undef HL7_FAULT
  HL7_FAULT_COUNT
};

/* Commit: it is stored (CA, CE, CR). Application: it is processed (AA, AE, AR). */
enum hl7_stage { HL7_COMMIT, HL7_APPLICATION };

/* Original mode (MSH-15 and -16 both empty): one answer, of the application's form. */
bool hl7_is_enhanced(const struct hl7_message *message);
/* Does the sender want an answer of this stage, for this outcome? (AL, NE, ER, SU) */
bool hl7_wants_ack(const struct hl7_message *message, enum hl7_stage stage, bool good);

struct hl7_ack {
  enum hl7_stage stage;    /* HL7_APPLICATION in original mode */
  enum hl7_fault fault;    /* HL7_FAULT_NONE: accepted */
  const char *segment;     /* Optional: where the fault is, "PID" */
  uint32_t field;          /* Optional, with segment */
  struct bytes diagnostic; /* Optional: words for a person; no patient data */
  struct bytes id;         /* Required: MSH-10 of the answer */
  int64_t now_ms;          /* Required: MSH-7 of the answer */
};

/* "AA", "CE", …: what MSA-1 will say. */
void hl7_ack_code(const struct hl7_ack *ack, char ret_code[3]);
/* message: NULL when it could not be parsed. */
void hl7_ack_write(struct buf *buf, const struct hl7_message *message, const struct hl7_ack *ack);

#endif

/* hl7/write.h: an HL7 v2 message put together, left to right.
 * Owns:    nothing; text is appended to the caller's buffer (check buf_ok at the end).
 * Units:   fields, components and subcomponents count from 1.
 * Errors:  going back within a segment is a broken promise (must).
 * Threads: one writer at a time.
 * Limits:  the buffer's.
 * Source:  HL7 v2.5.1 ch. 2 §2.5 to §2.7: trailing empty places are not written.                 */
#ifndef MEDULLA_HL7_WRITE_H
#define MEDULLA_HL7_WRITE_H

#include "base/buf.h"
#include "hl7/message.h"

struct hl7_out {
  struct buf *buf;
  struct hl7_separators separators;
  uint32_t field, component, subcomponent; /* where the pen stands */
  bool header;                             /* in MSH, FHS or BHS */
};

void hl7_out_init(struct hl7_out *out, struct buf *buf, const struct hl7_separators *separators);
/* Ends the segment before. MSH, FHS and BHS get their separators by themselves (fields 1, 2). */
void hl7_out_segment(struct hl7_out *out, const char *name);
/* Text at a place: escaped. component, subcomponent: 1 when there is but one. An empty text writes
 * nothing. */
void hl7_out_at(struct hl7_out *out, uint32_t field, uint32_t component, uint32_t subcomponent,
                struct bytes text);
void hl7_out_field(struct hl7_out *out, uint32_t field, struct bytes text);
void hl7_out_str(struct hl7_out *out, uint32_t field, uint32_t component, const char *text);
/* A whole field as another message holds it, with the same separators. */
void hl7_out_raw(struct hl7_out *out, uint32_t field, struct bytes raw);
/* What follows in the present field is its next repetition. */
void hl7_out_repeat(struct hl7_out *out);
/* The carriage return behind the last segment. */
void hl7_out_end(struct hl7_out *out);

#endif

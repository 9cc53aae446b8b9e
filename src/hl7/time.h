/* hl7/time.h: DT, TM and DTM values, with the precision they were sent with.
 * Owns:    nothing; a time is a value.
 * Units:   offsets in minutes east of UTC.
 * Errors:  hl7_time_parse: MALFORMED, with the byte offset.
 * Threads: pure; any thread.
 * Limits:  years 0001 to 9999; four digits of a second's fraction.
 * Source:  HL7 v2.5.1 ch. 2A §2.A.22 (DTM): YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]. */
#ifndef MEDULLA_HL7_TIME_H
#define MEDULLA_HL7_TIME_H

#include "base/buf.h"
#include "base/err.h"

#define HL7_TIME_BYTES 24 /* with NUL: "20260102030405.678+0000" */

enum hl7_precision { HL7_YEAR, HL7_MONTH, HL7_DAY, HL7_HOUR, HL7_MINUTE, HL7_SECOND };

struct hl7_time {
  enum hl7_precision precision;
  int year, month, day, hour, minute, second; /* what is past the precision is its least value */
  char fraction[5];                           /* digits, or "" */
  bool has_offset;
  int offset_min;
};

/* Blanks around it are taken; a date that does not exist is not. Seconds past 59 and an offset
 * alone behind a date are as senders write them: refused and kept, in this order. */
bool hl7_time_parse(struct bytes text, struct hl7_time *ret_time, struct err *err) MUST_CHECK;
/* Our own clock in a message: UTC, to the millisecond. */
void hl7_time_format(int64_t utc_ms, char ret_text[HL7_TIME_BYTES]);
/* As FHIR writes it: date up to the day, else dateTime. FHIR wants an offset where there is a time
 * of day: fallback_min, the sending site's, when the message has none. */
void hl7_time_fhir(struct buf *buf, const struct hl7_time *time, int fallback_min);

#endif

/* hl7/path.h: places in a message, in words: PID-3[2].4.1
 * Owns:    nothing; a path is a value.
 * Units:   all numbers count from 1.
 * Errors:  hl7_path_parse: MALFORMED, with the byte offset and what was expected.
 * Threads: pure; any thread.
 * Limits:  HL7_PATH_NUMBER_MAX.
 * Source:  the notation of the standard's own texts (ch. 2), with brackets for repetitions.
 *
 *   PATH    := SEGMENT [ "[" N "]" ] [ "-" FIELD [ "[" N "]" ] [ "." COMPONENT [ "." SUB ] ] ]
 *   N       := number | "*"           left out: the first
 *
 * "PID.5.1" is read as "PID-5.1", as other engines write it.                                     */
#ifndef MEDULLA_HL7_PATH_H
#define MEDULLA_HL7_PATH_H

#include "hl7/message.h"

#define HL7_PATH_NUMBER_MAX 100000
#define HL7_EVERY 0 /* for a [*] */

struct hl7_path {
  char segment[4];
  uint32_t segment_nth;  /* HL7_EVERY: all of them */
  uint32_t field;        /* 0: the whole segment */
  uint32_t field_nth;    /* HL7_EVERY: all repetitions */
  uint32_t component;    /* 0: the whole repetition */
  uint32_t subcomponent; /* 0: the whole component */
};

bool hl7_path_parse(struct bytes text, struct hl7_path *ret_path, struct err *err) MUST_CHECK;

/* The first place, raw; the empty slice when there is none. */
struct bytes hl7_get(const struct hl7_message *message, const struct hl7_path *path);
/* For literals in our own code: the path must be well formed. */
struct bytes hl7_get_str(const struct hl7_message *message, const char *path);

/* Every place in order, empty ones too; false from `visit` ends it. */
typedef bool hl7_visit(void *arg, uint32_t segment_nth, uint32_t field_nth, struct bytes raw);
void hl7_each(const struct hl7_message *message, const struct hl7_path *path, hl7_visit *visit,
              void *arg);
/* The places in one segment alone; false when `visit` ended it. */
bool hl7_each_in(const struct hl7_message *message, const struct hl7_segment *segment, uint32_t nth,
                 const struct hl7_path *path, hl7_visit *visit, void *arg);

#endif

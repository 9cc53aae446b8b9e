/* hl7/message.h: an HL7 v2 message taken apart: segments, fields, repetitions, components.
 * Owns:    segments and converted text live in the caller's arena; all else points into the input,
 *          which must live as long as the message. Nothing is copied while the input is plain
 *          ASCII or valid UTF-8.
 * Units:   bytes; fields, repetitions, components and subcomponents count from 1.
 * Errors:  hl7_parse: MALFORMED (with the byte offset), LIMIT, UNSUPPORTED (UTF-16 and -32).
 * Threads: pure; any thread.
 * Limits:  HL7_BYTES_MAX, HL7_SEGMENTS_MAX, HL7_NOTES_MAX (further leniencies are counted).
 * Source:  HL7 v2.5.1 and v2.8 ch. 2 §2.5 to §2.7, §2.14.9 (MSH); table 0211 (character sets).
 *
 * A value is given as it stands in the message ("raw"): a slice that may hold separators of deeper
 * levels and escapes. hl7_text decodes a leaf. The readers accept what is not there and then give
 * the empty slice, so that a path is one expression.                                             */
#ifndef MEDULLA_HL7_MESSAGE_H
#define MEDULLA_HL7_MESSAGE_H

#include "base/arena.h"
#include "base/err.h"

#define HL7_BYTES_MAX (64u << 20)
#define HL7_SEGMENTS_MAX 100000
#define HL7_NOTES_MAX 64

enum hl7_leniency {
#define LENIENCY(name, ...) HL7_##name,
#include "hl7/leniency.tbl.h"
#undef LENIENCY
  HL7_LENIENCY_COUNT
};
const char *hl7_leniency_word(enum hl7_leniency leniency);
const char *hl7_leniency_sentence(enum hl7_leniency leniency);

struct hl7_note {
  enum hl7_leniency leniency;
  uint32_t segment; /* 0: the message as a whole; else counted from 1 */
};

struct hl7_separators {
  uint8_t field, component, repetition, escape, subcomponent;
  uint8_t truncation; /* v2.7 and later; 0: none */
};
extern const struct hl7_separators hl7_usual; /* |^~\& */

struct hl7_segment {
  char name[4];
  struct bytes raw; /* "PID|1||…", without its end */
};

struct hl7_message {
  struct bytes text; /* UTF-8; the input itself, or its conversion */
  struct hl7_separators separators;
  const struct hl7_segment *segments; /* segments[0] is MSH */
  uint32_t count;
  struct hl7_note notes[HL7_NOTES_MAX];
  uint32_t note_count; /* may exceed what `notes` holds */
};

/* charset: how bytes over 127 are read when MSH-18 is silent or lies; an iconv name, NULL:
 * "WINDOWS-1252". */
bool hl7_parse(struct arena *arena, struct bytes input, const char *charset,
               struct hl7_message *ret_message, struct err *err) MUST_CHECK;

/* The nth segment of this name, from 1; NULL when there is none. */
const struct hl7_segment *hl7_segment(const struct hl7_message *message, const char *name,
                                      uint32_t nth);
/* The next segment of this name after `segment`; NULL for the first. */
const struct hl7_segment *hl7_segment_next(const struct hl7_message *message, const char *name,
                                           const struct hl7_segment *segment);
uint32_t hl7_segment_number(const struct hl7_message *message, const struct hl7_segment *segment);

/* A whole field with all repetitions. MSH-1 is the separator itself, MSH-2 the four others. */
struct bytes hl7_field(const struct hl7_message *message, const struct hl7_segment *segment,
                       uint32_t field);
uint32_t hl7_field_count(const struct hl7_message *message, const struct hl7_segment *segment);
struct bytes hl7_repetition(const struct hl7_message *message, struct bytes field, uint32_t nth);
uint32_t hl7_repetition_count(const struct hl7_message *message, struct bytes field);
struct bytes hl7_component(const struct hl7_message *message, struct bytes repetition,
                           uint32_t nth);
struct bytes hl7_subcomponent(const struct hl7_message *message, struct bytes component,
                              uint32_t nth);
/* The leaf most often meant: field's first repetition, its component, the first subcomponent. */
struct bytes hl7_value(const struct hl7_message *message, const struct hl7_segment *segment,
                       uint32_t field, uint32_t component);
/* "" in the message: the sender wants what the receiver holds there deleted. */
bool hl7_is_null(struct bytes raw);

/* Escapes decoded: a slice of the message when there are none, else a copy in the arena. Line
 * formatting becomes line feeds and blanks, highlighting is dropped. message, for its notes, is
 * written. */
struct bytes hl7_text(struct arena *arena, struct hl7_message *message, struct bytes raw);

#endif

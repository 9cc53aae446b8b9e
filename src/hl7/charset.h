/* hl7/charset.h: a message's bytes to UTF-8, by MSH-18 where it can be believed.
 * Owns:    converted text lives in the arena.
 * Units:   bytes.
 * Errors:  UNSUPPORTED (UTF-16 and UTF-32, which MLLP cannot carry), LIMIT (the arena).
 * Threads: pure; any thread.
 * Limits:  the arena's.
 * Source:  HL7 table 0211; HL7 v2.8 ch. 2 §2.14.9.18; bytes that are in no set become U+FFFD. */
#ifndef MEDULLA_HL7_CHARSET_H
#define MEDULLA_HL7_CHARSET_H

#include "hl7/message.h"

/* The iconv name of a character set as table 0211 writes it; NULL when unknown. */
const char *hl7_charset_name(struct bytes word);
/* fallback: an iconv name or NULL. Needs message->separators; notes what was wrong. */
bool hl7_charset_apply(struct arena *arena, struct hl7_message *message, struct bytes text,
                       const char *fallback, struct bytes *ret_text, struct err *err) MUST_CHECK;

/* In message.c: each leniency once per place. */
void hl7_note(struct hl7_message *message, enum hl7_leniency leniency, uint32_t segment);

#endif

/* hl7/batch.h: the messages in a file or batch, one after the other.
 * Owns:    nothing; each message is a slice of the input.
 * Units:   bytes.
 * Errors:  none here; what stands between messages is skipped and counted.
 * Threads: pure; any thread.
 * Source:  HL7 v2.5.1 ch. 2 §2.10.3 (FHS, BHS, BTS, FTS).                                        */
#ifndef MEDULLA_HL7_BATCH_H
#define MEDULLA_HL7_BATCH_H

#include "base/bytes.h"

struct hl7_batch {
  struct bytes rest;
  uint64_t messages;
  uint64_t counted;       /* the sum of BTS-1 */
  bool has_count;         /* a BTS-1 was there */
  uint64_t skipped_lines; /* neither a message's nor a batch's */
};

void hl7_batch_init(struct hl7_batch *batch, struct bytes input);
/* False at the end. A message runs from its MSH to the next MSH or batch segment. */
bool hl7_batch_next(struct hl7_batch *batch, struct bytes *ret_message);
/* False when trailers counted other messages than were there: call it at the end. */
bool hl7_batch_is_whole(const struct hl7_batch *batch);

#endif

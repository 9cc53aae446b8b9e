/* hl7/map.h: an HL7 v2 message as FHIR R4: a transaction Bundle and what was left over.
 * Owns:    the result lives in the caller's arena and points into the message.
 * Units:   offsets in minutes east of UTC; segments, fields and components count from 1.
 * Errors:  hl7_map: UNSUPPORTED (a message type that has no mapping), LIMIT (the arena).
 * Threads: pure; any thread.
 * Limits:  the arena's; HL7_LEFT_MAX places are listed, the others counted.
 * Source:  HL7 v2-to-FHIR Implementation Guide; FHIR R4 http.html (transaction, conditions).
 *
 * The bundle may be sent again and again: a resource with a business identifier is written by a
 * condition on it (update, or create when there is none), all others by an id that follows from
 * their content. Registrations (ADT, SIU) overwrite the patient and the visit, orders and results
 * only make them when they are not there.                                                       */
#ifndef MEDULLA_HL7_MAP_H
#define MEDULLA_HL7_MAP_H

#include "base/buf.h"
#include "hl7/message.h"
#include "hl7/time.h"

#define HL7_LEFT_MAX 4096

struct hl7_map_options {
  struct bytes message_id; /* Optional: the stored original, named by the Provenance; else MSH-10 */
  int offset_min;          /* Optional: the site's, for times without an offset */
  /* Optional: the system of identifiers that this authority assigned; empty: the usual rule. */
  struct bytes (*authority)(void *arg, struct bytes name_space, struct bytes universal_id);
  void *authority_arg;
};

struct hl7_left { /* a place with a value that became nothing */
  uint32_t segment, field, repetition,
      component; /* repetition, component: 0 when it is the whole */
  struct hl7_left *next;
};

struct hl7_mapped {
  const struct map *map;
  const struct hl7_left *left;
  uint32_t left_count, resource_count;
};

/* May a message of this type be mapped? */
bool hl7_map_knows(const struct hl7_message *message);
/* options: NULL for none. */
bool hl7_map(struct arena *arena, struct hl7_message *message,
             const struct hl7_map_options *options, struct hl7_mapped *ret_mapped,
             struct err *err) MUST_CHECK;
/* The Bundle as JSON. */
void hl7_mapped_write(struct buf *buf, const struct hl7_mapped *mapped);
/* "OBX[3]-17.2" */
void hl7_left_write(struct buf *buf, const struct hl7_message *message,
                    const struct hl7_left *left);

#endif

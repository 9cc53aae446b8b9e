/* hl7/structure.h: the groups of a message: ORDER_OBSERVATION[2].OBSERVATION[1].OBX
 * Owns:    places live in the caller's arena; structures are constant.
 * Units:   groups count from 1 within their parent.
 * Errors:  hl7_structure_match: LIMIT (the arena). hl7_group_path_parse: MALFORMED with offset.
 * Threads: pure; any thread.
 * Limits:  HL7_GROUP_DEPTH.
 * Source:  HL7 v2.5.1 and v2.8 ch. 2 §2.5.2 (groups), §2.13 (abstract syntax); the tables restate
 *          the chapters named in structure.tbl.
 *
 * Matching is lenient: every segment gets a place. One that the structure does not know (a Z
 * segment, say) belongs to the group that is open; one in the wrong order is taken where it would
 * belong, and the place says so.                                                                 */
#ifndef MEDULLA_HL7_STRUCTURE_H
#define MEDULLA_HL7_STRUCTURE_H

#include "hl7/path.h"

#define HL7_GROUP_DEPTH 6

struct hl7_structure; /* one of the table's */

enum hl7_fit { HL7_FITS, HL7_OUT_OF_ORDER, HL7_UNKNOWN };

struct hl7_group {
  const char *name;
  uint32_t nth;
};

struct hl7_place {
  enum hl7_fit fit;
  uint32_t depth;
  struct hl7_group groups[HL7_GROUP_DEPTH];
};

/* By MSH-9.3, else by MSH-9.1 and 9.2; NULL when neither is known. */
const struct hl7_structure *hl7_structure_of(const struct hl7_message *message);
const char *hl7_structure_name(const struct hl7_structure *structure);
/* One place for each segment of the message. structure: NULL gives places without groups. */
bool hl7_structure_match(struct arena *arena, const struct hl7_structure *structure,
                         const struct hl7_message *message, const struct hl7_place **ret_places,
                         struct err *err) MUST_CHECK;
/* The next required segment that is not there, after `at` (start with 0), and the group it misses
 * in; NULL at the end. Only what stands in a group that is there is asked for. */
const char *hl7_structure_missing(const struct hl7_structure *structure,
                                  const struct hl7_message *message, const struct hl7_place *places,
                                  uint32_t *at, const char **ret_group);

/* A path that may begin with groups: "ORDER_OBSERVATION[2].OBSERVATION[*].OBX-5". Segments count
 * within what the groups name. */
struct hl7_group_path {
  struct hl7_group groups[HL7_GROUP_DEPTH]; /* nth: HL7_EVERY for [*] */
  char names[HL7_GROUP_DEPTH][32];
  uint32_t depth;
  struct hl7_path path;
};
bool hl7_group_path_parse(struct bytes text, struct hl7_group_path *ret_path,
                          struct err *err) MUST_CHECK;
/* As hl7_each: every place in order. */
void hl7_group_each(const struct hl7_message *message, const struct hl7_place *places,
                    const struct hl7_group_path *path, hl7_visit *visit, void *arg);

#endif

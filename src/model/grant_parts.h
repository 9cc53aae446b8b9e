/* model/grant_parts.h: grants from inside, for the parser, the check and the manifest.
 * Owns:    nothing; grants live in the arena they were parsed into.
 * Units:   offsets into the text the tree was parsed from.
 * Errors:  INVALID with the offset of the wrong part.
 * Threads: pure; any thread.                                                          */
#ifndef MEDULLA_MODEL_GRANT_PARTS_H
#define MEDULLA_MODEL_GRANT_PARTS_H

#include "model/grant.h"
#include "wire/uri.h"

enum grant_kind {
  GRANT_STATE,
  GRANT_EMIT,
  GRANT_QUEUE,
  GRANT_OBJECT,
  GRANT_FETCH,
  GRANT_NOTIFY,
  GRANT_FHIR,
  GRANT_HL7,
  GRANT_INFER,
  GRANT_KINDS
};

/* What a kind is called and what can be done with it; bit n of `actions` is the nth name. */
struct grant_facts {
  const char *word;
  const char *actions[5];
};
extern const struct grant_facts grant_facts[GRANT_KINDS];

struct grant {
  const struct grant *next;
  enum grant_kind kind;
  unsigned actions;
  struct bytes pattern; /* emit, queue, notify, object's bucket: a glob; later kinds: as written */
  struct bytes prefix;  /* object */
  struct uri origin;    /* fetch: without the wildcard */
  bool any_label;       /* fetch: "*." stood in front of the host */
  bool permits_private; /* fetch */
};

struct grant_set {
  const struct grant *first;
};

/* One entry of the list, so that a manifest can show what is wrong with each. */
bool grant_parse_one(struct arena *arena, const struct json *entry, struct grant **ret_grant,
                     struct err *err) MUST_CHECK;

#endif

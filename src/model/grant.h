/* model/grant.h: what a function may do: an effect kind, a resource pattern, conditions.
 * Owns:    a grant_set lives in the arena it was parsed into.
 * Errors:  grant_parse: INVALID (unknown kind or key, with the nearest known one).
 * Threads: pure; any thread.
 * Limits:  GRANTS_MAX per function.
 *
 * Default deny. Kinds and actions: state (read, write; `read`, `readwrite`), emit (emit; type
 * glob), queue (send; queue name), object (get, put, delete, list; "bucket/key"), fetch (fetch;
 * origin and path prefix), notify (notify; contact), and fhir, hl7, infer, parsed and kept for
 * their time.  */
#ifndef MEDULLA_MODEL_GRANT_H
#define MEDULLA_MODEL_GRANT_H

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"

#define GRANTS_MAX 64
#define GRANT_TEXT_BYTES 256

struct grant_set;

/* grants: the manifest's list, as JSON. */
bool grant_parse(struct arena *arena, const struct json *grants, const struct grant_set **ret_set,
                 struct err *err) MUST_CHECK;
/* False: ret_missing holds the grant that would allow it, in manifest syntax, ready to paste. A
 * NULL set allows nothing. resource: "bucket/key", type, queue, contact, or
 * "https://host:port/path". */
bool grant_allows(const struct grant_set *set, const char *kind, const char *action,
                  struct bytes resource, char ret_missing[GRANT_TEXT_BYTES]);
/* fetch: may this resource (already allowed) resolve to a private address? */
bool grant_private(const struct grant_set *set, struct bytes resource);

#endif

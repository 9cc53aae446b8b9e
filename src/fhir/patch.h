/* fhir/patch.h: JSON Patch on a resource, all operations or none.
 * Owns:    nothing; what it works with lives in the caller's arena, the result in the buffer.
 * Errors:  INVALID: an operation that is none, or a path that is not there (the detail says which
 *          operation, never a value); PRECONDITION: a test does not hold; LIMIT.
 * Threads: pure; any thread.
 * Limits:  PATCH_OPERATIONS_MAX, PATCH_WORK_MAX, JSON_DEPTH_MAX, bytes_max of arena and buffer.
 * Source:  RFC 6902, RFC 6901; FHIR R4 http.html §3.1.0.7.1.                              */
#ifndef MEDULLA_FHIR_PATCH_H
#define MEDULLA_FHIR_PATCH_H

#include "base/buf.h"
#include "wire/json.h"

#define PATCH_OPERATIONS_MAX 10000
#define PATCH_WORK_MAX 50000000 /* nodes visited, over all operations */

/* Appends the patched document to ret_text. */
bool fhir_patch_json(struct arena *arena, const struct json *document, const struct json *patch,
                     struct buf *ret_text, struct err *err) MUST_CHECK;

#endif

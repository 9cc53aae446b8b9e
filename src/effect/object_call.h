/* effect/object_call.h: what the object effects have in common.
 * Owns:    nothing.
 * Errors:  answered to the guest.
 * Threads: the loop's.                                                                   */
#ifndef MEDULLA_EFFECT_OBJECT_CALL_H
#define MEDULLA_EFFECT_OBJECT_CALL_H

#include "effect/call.h"
#include "effect/object_store.h"
#include "wire/codec.h"

struct object_store object_store_of(const struct effect_call *call);
/* Bucket and key of the payload, granted and sound. False: answered. */
bool object_named(struct effect_call *call, const char *action, struct bytes *ret_bucket,
                  struct bytes *ret_key) MUST_CHECK;

#endif

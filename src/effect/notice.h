/* effect/notice.h: rows of TABLE_notice: until when a key counts as told.
 * Owns:    nothing.
 * Units:   UTC milliseconds.
 * Errors:  none; a damaged row counts as none.
 * Threads: the loop's.
 * Limits:  NOTICE_WINDOW_MS_MAX.                                              */
#ifndef MEDULLA_EFFECT_NOTICE_H
#define MEDULLA_EFFECT_NOTICE_H

#include "effect/stage.h"

#define NOTICE_WINDOW_MS (24 * 3600 * 1000ll)
#define NOTICE_WINDOW_MS_MAX (7 * NOTICE_WINDOW_MS)

void notice_stage(struct stage *stage, struct bytes key, int64_t until_ms);
/* Has this run told it already? */
bool notice_staged(const struct stage *stage, struct bytes key);
bool notice_decode(struct bytes value, int64_t *ret_until_ms) MUST_CHECK;

#endif

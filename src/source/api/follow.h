/* source/api/follow.h: answers that go on: each run or log line as it happens.
 * Owns:    a follower lives in its exchange until the client leaves, is too slow, or we stop.
 * Errors:  BUSY: FOLLOWERS_MAX.
 * Threads: the loop's thread; follow_wants: any.
 * Limits:  FOLLOWERS_MAX, HTTP_REPLY_AHEAD_BYTES for each.                                  */
#ifndef MEDULLA_SOURCE_API_FOLLOW_H
#define MEDULLA_SOURCE_API_FOLLOW_H

#include "source/api/parts.h"

/* Does the query ask for it: follow=true. */
bool follow_asked(struct api_call *call);
/* Begins with `past` (NDJSON, may be empty). `function` lives in the exchange's arena. */
void follow_start(struct api_call *call, bool logs, struct bytes function, struct bytes past);
void follow_end_all(struct api *api);
/* May this caller see the run, and did it ask for it ("", "app", "function", "app/function")? */
bool follow_wants(const struct principal *principal, struct bytes wanted,
                  const struct run_record *run);

#endif

/* effect/live_record.h: the answer of a live effect, kept until the delivery is done.
 * Owns:    the buffer it reads into.
 * Units:   UTC milliseconds.
 * Errors:  none: what cannot be read counts as not there.
 * Threads: live_record_read: the reader's; the rest: the loop's.
 * Limits:  LIVE_RECORD_MS_MAX, then the sweep takes it; LIVE_RECORD_BYTES_MAX.
 *
 * A row of TABLE_recording: "live", the call's idempotency key, the request's digest -> time,
 * answer. The run that succeeds removes it with its settle. A call nobody retries has none.     */
#ifndef MEDULLA_EFFECT_LIVE_RECORD_H
#define MEDULLA_EFFECT_LIVE_RECORD_H

#include "effect/fetch_request.h"

#define LIVE_RECORD_PREFIX "live"
#define LIVE_RECORD_KEY_BYTES (4 + ID_BYTES + SHA256_BYTES)
#define LIVE_RECORD_BYTES_MAX (FETCH_ANSWER_BYTES_MAX + 64)
#define LIVE_RECORD_MS_MAX (7 * 24 * 3600 * 1000ll)

struct live_record {
  uint8_t key[LIVE_RECORD_KEY_BYTES];
  bool used;
  struct buf value;
  uint64_t version;
};

/* False: this run is nobody's retry; there is nothing to look for or to keep. */
bool live_record_init(struct effect_call *call, struct live_record *record,
                      const struct fetch_request *request);
void live_record_fini(struct live_record *record);
void live_record_read(struct live_record *record, struct store_reader *reader);
bool live_record_found(const struct live_record *record, struct bytes *ret_answer);
/* Keeps the answer in a commit of its own. False: it is not kept, done is not called. */
bool live_record_put(struct effect_call *call, struct live_record *record, struct bytes answer,
                     store_done *done);
/* The run needs it no more once it has settled. */
void live_record_done(struct effect_call *call, const struct live_record *record);
/* When it was made; 0: damaged. */
int64_t live_record_made_ms(struct bytes value);

#endif

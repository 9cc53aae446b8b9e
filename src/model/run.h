/* model/run.h: the record of one finished attempt.
 * Owns:    nothing; slices point to what the maker or run_decode's input holds.
 * Units:   *_ms: UTC milliseconds; *_us: microseconds; *_bytes: bytes.
 * Errors:  run_decode: CORRUPT.
 * Threads: pure; any thread.
 * Limits:  RUN_LOG_BYTES_MAX of log are kept with the record, the newest.
 *
 * outcome: succeeded, failed, timed_out, refused. decision: done, retry, dead, none (a sync call).
 * log, log_levels: lines, and one letter for each: d, i, w, e.
 * error: Lambda's error JSON without the message's patient data being ours to judge: it is sealed.
 * steps: packed pairs (effect name, status word, at_us, took_us) for the timeline.              */
#ifndef MEDULLA_MODEL_RUN_H
#define MEDULLA_MODEL_RUN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

#define RUN_LOG_BYTES_MAX 16384
#define RUN_STEPS_MAX 256

struct run_record {
#define RUN_TYPE_ID struct id
#define RUN_TYPE_TEXT struct bytes
#define RUN_TYPE_U64 uint64_t
#define RUN_TYPE_I64 int64_t
#define RUN_FIELD(kind, name, json) RUN_TYPE_##kind name;
#include "model/run.tbl.h"
#undef RUN_FIELD
};

void run_encode(struct buf *buf, const struct run_record *run);
bool run_decode(struct bytes input, struct run_record *ret_run, struct err *err) MUST_CHECK;
/* One JSON object; with `whole`, log lines and the timeline's steps too. */
void run_write_json(struct buf *buf, const struct run_record *run, bool whole);

/* One line of the timeline, packed into `steps`. */
void run_pack_step(struct buf *steps, struct bytes what, const char *status, int64_t at_us,
                   int64_t took_us);

#endif

/* source/telemetry/batch.h: device samples, one JSON object per line, regrouped by device.
 * Owns:    a batch owns what it has regrouped until telemetry_batch_free.
 * Units:   bytes; a sample's t is UTC milliseconds.
 * Errors:  MALFORMED, INVALID, LIMIT, DENIED: each names the line, never what stands in it.
 * Threads: one at a time.
 * Limits:  TELEMETRY_*; the input's length is the caller's to limit.
 *
 *   {"dev":"m-17","t":1767225600000,"m":"spo2","v":97,"seq":4}
 *
 * Each device belongs to one of TELEMETRY_SHARDS for ever, so that an order by shard keeps every
 * device in order while shards run at the same time. A part is what becomes one event. Lines are
 * checked once and copied as they came. */
#ifndef MEDULLA_SOURCE_TELEMETRY_BATCH_H
#define MEDULLA_SOURCE_TELEMETRY_BATCH_H

#include "base/buf.h"
#include "base/err.h"

#define TELEMETRY_SHARDS 16
#define TELEMETRY_LINE_BYTES_MAX (16u << 10)
#define TELEMETRY_TEXT_BYTES_MAX 256 /* of dev and m */
#define TELEMETRY_PART_SAMPLES_MAX 1000
#define TELEMETRY_PART_BYTES_MAX (1u << 20)

struct telemetry_batch;

struct telemetry_part {
  uint32_t shard;
  uint32_t number; /* within its shard, from 0 */
  uint32_t samples;
  struct bytes data; /* {"shard":3,"samples":[...]} */
};

/* device: the only one that may be in it; empty: any. */
struct telemetry_batch *telemetry_batch_new(struct bytes device);
void telemetry_batch_free(struct telemetry_batch **batch);
/* The next bytes of the input, cut anywhere. After a failure nothing more may follow. */
bool telemetry_batch_feed(struct telemetry_batch *batch, struct bytes input,
                          struct err *err) MUST_CHECK;
/* The input is at its end: the parts can be read. INVALID when there was no sample. */
bool telemetry_batch_end(struct telemetry_batch *batch, struct err *err) MUST_CHECK;
uint64_t telemetry_batch_samples(const struct telemetry_batch *batch);
size_t telemetry_batch_parts(const struct telemetry_batch *batch);
/* In an order that keeps the parts of a shard in theirs. */
struct telemetry_part telemetry_batch_part(const struct telemetry_batch *batch, size_t at);

#endif

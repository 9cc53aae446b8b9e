/* app/facts.h: what metrics and doctor tell: counted here, read from the parts.
 * Owns:    its counters.
 * Units:   as in the names of the metrics.
 * Errors:  none.
 * Threads: the loop's thread.
 * Source:  OpenTelemetry semantic conventions, faas.*; Prometheus text format 0.0.4.  */
#ifndef MEDULLA_APP_FACTS_H
#define MEDULLA_APP_FACTS_H

#include "app/parts.h"
#include "flow/flow.h"
#include "os/file.h"
#include "runtime/pool.h"
#include "source/api/api.h"

#define FACTS_BUCKETS 16

struct facts {
  uint64_t cold_starts;
  uint64_t invoke_us[FACTS_BUCKETS], start_us[FACTS_BUCKETS]; /* powers of four from 16 µs */
  uint64_t invoke_count, start_count;
  int64_t invoke_sum_us, start_sum_us;
};

void facts_run(struct facts *facts, const struct run_record *run);
void facts_metrics(const struct facts *facts, struct buf *out, struct flow *flow,
                   struct runtime *runtime, struct store *store, struct api *api);
void facts_doctor(struct json_out *out, struct flow *flow, struct runtime *runtime,
                  struct store *store, struct disk *disk, struct parts_facts *parts);

#endif

/* flow/usage.h: what a function's runs of one day came to.
 * Owns:    nothing.
 * Units:   as named; memory_mib_us: MiB times microseconds.
 * Errors:  usage_unpack: CORRUPT.
 * Threads: usage_next: the loop's; else pure, any thread.                          */
#ifndef MEDULLA_FLOW_USAGE_H
#define MEDULLA_FLOW_USAGE_H

#include "base/buf.h"
#include "base/err.h"

#define USAGE_FIELDS(F) \
  F(runs) \
  F(failures) \
  F(cold) \
  F(billed_ms) \
  F(run_us) \
  F(effect_us) \
  F(cpu_us) F(wait_us) F(restore_us) F(memory_mib_us) F(in_bytes) F(out_bytes) F(effects)

/* One row of TABLE_usage; key: day (YYYY-MM-DD) NUL app/function. */
struct usage_totals {
#define USAGE_FIELD(name) int64_t name;
  USAGE_FIELDS(USAGE_FIELD)
#undef USAGE_FIELD
};

struct flow;
/* All totals up to this moment, in no order; the loop's thread. *at starts at 0. */
bool usage_next(struct flow *flow, size_t *at, struct bytes *ret_key,
                const struct usage_totals **ret_totals);

void usage_pack(struct buf *buf, const struct usage_totals *totals);
bool usage_unpack(struct bytes input, struct usage_totals *ret_totals, struct err *err) MUST_CHECK;

#endif

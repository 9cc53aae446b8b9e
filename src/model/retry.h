/* model/retry.h: when a failed delivery is tried again.
 * Owns:    nothing.
 * Units:   milliseconds.
 * Errors:  none.
 * Threads: pure; any thread.
 * Limits:  RETRY_DELAY_MS_MAX between two attempts.                                        */
#ifndef MEDULLA_MODEL_RETRY_H
#define MEDULLA_MODEL_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_DELAY_MS_MAX (5 * 60 * 1000)

struct retry_policy {
  uint32_t attempts;  /* in all; default 3 */
  int64_t max_age_ms; /* default 6 h */
  int64_t delay_ms;   /* before the second attempt; doubles; default 1 s */
};

/* False: no more attempts. `made`: attempts made; random: any 64 bits, for the jitter (half to all
 * of the exponential delay). */
bool retry_next(const struct retry_policy *policy, uint32_t made, int64_t age_ms, uint64_t random,
                int64_t *ret_delay_ms);

#endif

/* model/retry.c: half of the exponential delay is kept, so that a retry never comes at once; the
 * other half is chance, so that many that failed together do not come back together. */
#include "model/retry.h"

bool retry_next(const struct retry_policy *policy, uint32_t made, int64_t age_ms, uint64_t random,
                int64_t *ret_delay_ms) {
  if (made >= policy->attempts) return false;
  int64_t delay_ms = policy->delay_ms < RETRY_DELAY_MS_MAX ? policy->delay_ms : RETRY_DELAY_MS_MAX;
  for (uint32_t i = 1; i < made && delay_ms < RETRY_DELAY_MS_MAX; i++) delay_ms *= 2;
  if (delay_ms > RETRY_DELAY_MS_MAX) delay_ms = RETRY_DELAY_MS_MAX;
  int64_t half_ms = delay_ms / 2;
  delay_ms = delay_ms - half_ms + (int64_t)(random % ((uint64_t)half_ms + 1));
  if (delay_ms < 0 || age_ms > policy->max_age_ms || delay_ms > policy->max_age_ms - age_ms)
    return false;
  *ret_delay_ms = delay_ms;
  return true;
}

/* model/cron.h: when a schedule fires next.
 * Owns:    nothing; struct cron is the caller's, a plain value.
 * Units:   UTC milliseconds; years 1970 to CRON_YEAR_MAX.
 * Errors:  MALFORMED (with byte offset), INVALID (a date that never comes), UNSUPPORTED.
 * Threads: pure; any thread.
 * Limits:  CRON_TEXT_BYTES_MAX.
 * Source:  crontab(5) of Vixie cron; EventBridge schedule expressions.
 *
 *   "0 7 * * MON-FRI"           minute hour day month weekday; weekday 0 and 7 are Sunday
 *   "@daily"                    @hourly @daily @midnight @weekly @monthly @yearly @annually
 *   "cron(0 7 ? * MON-FRI *)"   minute hour day month weekday year; weekday 1 is Sunday
 *   "rate(5 minutes)"           seconds, minutes, hours, days; in step with 1970, not with a start
 *
 * When both day and weekday are restricted, either serves (Vixie); a field that begins with "*" is
 * not a restriction. A time of day the clock jumps over fires at the jump; one it shows twice fires
 * the first time. Where every hour matches, real time counts instead: such a schedule neither
 * pauses for an hour nor fires twice at a jump.                                              */
#ifndef MEDULLA_MODEL_CRON_H
#define MEDULLA_MODEL_CRON_H

#include "base/bytes.h"
#include "base/err.h"
#include "model/zone.h"

#define CRON_TEXT_BYTES_MAX 256
#define CRON_YEAR_MAX 2399
#define CRON_YEAR_WORDS 7 /* one bit per year from 1970 */

struct cron {
  int64_t rate_ms; /* not 0: a rate, and nothing else counts */
  uint64_t minutes;
  uint32_t hours, days, months, weekdays; /* bit n: the value n matches */
  uint64_t years[CRON_YEAR_WORDS];
  bool any_day, any_weekday;
};

bool cron_parse(struct bytes text, struct cron *ret_cron, struct err *err) MUST_CHECK;
/* The first instant strictly after after_ms; false: it never fires again. */
bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ms,
               int64_t *ret_at_ms) MUST_CHECK;

#endif

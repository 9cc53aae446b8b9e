/* model/zone_rule.h: the POSIX rule that continues a zone after its last listed change.
 * Owns:    nothing.
 * Units:   seconds; offsets count east of UTC (POSIX writes them west).
 * Errors:  MALFORMED with byte offset in the rule's text.
 * Threads: pure; any thread.
 * Source:  POSIX.1-2017 8.3, TZ; RFC 8536 3.3.1 for times from -167 to 167 hours.     */
#ifndef MEDULLA_MODEL_ZONE_RULE_H
#define MEDULLA_MODEL_ZONE_RULE_H

#include "base/bytes.h"
#include "base/err.h"

enum zone_day { ZONE_DAY_MONTH, ZONE_DAY_JULIAN, ZONE_DAY_ORDINAL };

/* One of the year's two changes. */
struct zone_turn {
  enum zone_day kind;
  int month, week, weekday; /* MONTH: week 5 is the last */
  int day;                  /* JULIAN: 1..365, February 29 never counts; ORDINAL: 0..365 */
  int32_t time_s;           /* after midnight of that day, on the clock in force before */
};

struct zone_rule {
  int32_t standard_s, summer_s;
  bool has_summer;
  struct zone_turn begin, end; /* of summer time */
};

bool zone_rule_parse(struct bytes text, struct zone_rule *ret_rule, struct err *err) MUST_CHECK;

struct zone_change {
  int64_t utc_s;
  int32_t offset_s; /* from utc_s on */
};
enum { ZONE_RULE_CHANGES = 10 };
/* The changes of the year around utc_s and of two on either side, in order; none without summer
 * time. Two, because a rule may move a change days into a neighbouring year. */
int zone_rule_changes(const struct zone_rule *rule, int64_t utc_s,
                      struct zone_change ret_changes[ZONE_RULE_CHANGES]);

#endif

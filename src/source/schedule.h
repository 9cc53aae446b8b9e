/* source/schedule.h: functions run by the clock: each tick is one event, admitted to one function.
 * Owns:    an entry per schedule trigger; its last tick is a row of TABLE_schedule.
 * Units:   UTC milliseconds.
 * Errors:  schedule_open: the store's. A zone that is not there: logged, the trigger rests.
 * Threads: the loop's thread.
 * Limits:  SCHEDULE_LATE_MS_MAX, SCHEDULE_MISSED_*, SCHEDULE_CHECK_MS.
 *
 * A tick's id is the trigger and the instant, accepted once: whatever the clock does and wherever
 * we crash, two never happen. Ticks that fall into downtime (or more than SCHEDULE_LATE_MS_MAX
 * behind, after a jump of the clock) follow the trigger's policy: skip, once, all.             */
#ifndef MEDULLA_SOURCE_SCHEDULE_H
#define MEDULLA_SOURCE_SCHEDULE_H

#include "flow/flow.h"
#include "os/file.h"

#define SCHEDULE_LATE_MS_MAX 60000 /* later than this while running, a tick was missed */
#define SCHEDULE_CHECK_MS 10000    /* a jump of the clock is noticed within this */
#define SCHEDULE_MISSED_MAX 1000   /* made up for by "all"; the newest */
#define SCHEDULE_MISSED_MS_MAX (7ll * 24 * 3600 * 1000) /* none older, as ids are known so long */

struct schedule_options {
  struct loop *loop;              /* Required */
  struct flow *flow;              /* Required */
  struct store *store;            /* Required */
  const struct clock_port *clock; /* Required */
  struct disk *tzdata;            /* Optional: on ZONE_FOLDER; without it UTC alone */
};

struct schedule;
bool schedule_open(const struct schedule_options *options, struct schedule **ret_schedule,
                   struct err *err) MUST_CHECK;
void schedule_catalog_changed(struct schedule *schedule);
void schedule_close(struct schedule **schedule);

#endif

/* tests/unit/model/tzdata.h: the system's time zones for tests. */
#ifndef MEDULLA_TESTS_UNIT_MODEL_TZDATA_H
#define MEDULLA_TESTS_UNIT_MODEL_TZDATA_H

#include "model/zone.h"

/* NULL when this system does not have the zone. */
struct zone *tzdata_zone(const char *name);
int64_t utc_s(int year, int month, int day, int hour, int minute);

#endif

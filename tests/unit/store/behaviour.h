/* tests/unit/store/behaviour.h: what every store must do, whatever stands below it. */
#ifndef MEDULLA_TESTS_UNIT_STORE_BEHAVIOUR_H
#define MEDULLA_TESTS_UNIT_STORE_BEHAVIOUR_H

#include "tests/unit/store/rig.h"

/* Fills in rig.open, rig.disk and options; called for a fresh store each time. */
extern void (*behaviour_prepare)(struct rig *rig, bool real);
extern void (*behaviour_dispose)(struct rig *rig);

extern const struct CMUnitTest behaviour_tests[];
extern const size_t behaviour_tests_count;

#endif

/* tests/unit/runtime/attacks.h: what a hostile worker would try. Each returns "escaped" when it
 * worked, else the name of the errno; where the filter is on, it does not return at all.        */
#ifndef MEDULLA_TESTS_UNIT_RUNTIME_ATTACKS_H
#define MEDULLA_TESTS_UNIT_RUNTIME_ATTACKS_H

#include <stddef.h>

const char *attack(const char *name);
/* Their names, NULL at the end. */
extern const char *const attack_names[];

#endif

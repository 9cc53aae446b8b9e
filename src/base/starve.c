/* base/starve.c: count down to the allocation that fails. */
#include "base/starve.h"

#include <stdlib.h>
#include <string.h>

_Atomic long starve_left[STARVE_KINDS];

void starve_arm(enum starve_kind kind, long nth) {
  atomic_store(&starve_left[kind], nth);
}

bool starve_is_armed(enum starve_kind kind) {
  return atomic_load(&starve_left[kind]) != 0;
}

bool starve_count(enum starve_kind kind) {
  long left = atomic_load(&starve_left[kind]);
  while (left > 0)
    if (atomic_compare_exchange_weak(&starve_left[kind], &left, left - 1)) return left == 1;
  return false;
}

bool starve_from_environment(void) {
  static const char *const names[STARVE_KINDS] = {"must:", "room:"};
  const char *text = getenv("MEDULLA_STARVE");
  if (!text) return true;
  for (int kind = 0; kind < STARVE_KINDS; kind++) {
    size_t len = strlen(names[kind]);
    if (strncmp(text, names[kind], len) != 0) continue;
    char *end;
    long nth = strtol(text + len, &end, 10);
    if (end == text + len || *end || nth < 1) return false;
    starve_arm((enum starve_kind)kind, nth);
    return true;
  }
  return false;
}

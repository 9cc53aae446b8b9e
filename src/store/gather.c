/* store/gather.c: a wait is repeated for as long as waits pay. */
#include "store/gather.h"

enum { GATHER_PAYS = 2 }; /* commits that a wait must bring */

bool gather_wanted(struct gather *gather, uint32_t waiting) {
  if (waiting < 2 || waiting >= GATHER_ENOUGH) return false;
  if (gather->rest == 0) return true;
  gather->rest--;
  return false;
}

void gather_note(struct gather *gather, uint32_t before, uint32_t after) {
  if (after < before + GATHER_PAYS) gather->rest = GATHER_REST;
}

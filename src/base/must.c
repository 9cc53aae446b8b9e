/* base/must.c: end the process with one line that names the broken promise. */
#include "base/must.h"

#include "base/starve.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void must_fail(const char *condition, const char *file, int line) {
  fprintf(stderr, "medulla: %s:%d: broken promise: %s\n", file, line, condition);
  abort();
}

static _Noreturn void no_memory(unsigned long bytes) {
  fprintf(stderr, "medulla: no memory for %lu bytes; what was acknowledged is on disk\n", bytes);
  abort();
}

void *must_alloc(unsigned long bytes) {
  void *at = starve(STARVE_MUST) ? NULL : calloc(1, bytes ? bytes : 1);
  if (!at) no_memory(bytes);
  return at;
}

void *must_realloc(void *at, unsigned long bytes) {
  void *moved = starve(STARVE_MUST) ? NULL : realloc(at, bytes ? bytes : 1);
  if (!moved) no_memory(bytes);
  return moved;
}

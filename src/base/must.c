/* base/must.c: end the process with one line that names the broken promise. */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void must_fail(const char *condition, const char *file, int line) {
  fprintf(stderr, "medulla: %s:%d: broken promise: %s\n", file, line, condition);
  abort();
}

void *must_alloc(unsigned long bytes) {
  void *at = calloc(1, bytes ? bytes : 1);
  must(at != NULL);
  return at;
}

void *must_realloc(void *at, unsigned long bytes) {
  void *moved = realloc(at, bytes ? bytes : 1);
  must(moved != NULL);
  return moved;
}

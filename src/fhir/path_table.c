/* fhir/path_table.c: functions by their names. */
#include "base/nearest.h"
#include "fhir/path_impl.h"

#include <string.h>

#define FUNCTION(name, args_min, args_max, flags) path_function path_fn_##name;
#include "fhir/path.tbl.h"
#undef FUNCTION

static const struct path_entry ENTRIES[] = {
#define FUNCTION(name, args_min, args_max, flags) \
  {#name, path_fn_##name, args_min, args_max, flags},
#include "fhir/path.tbl.h"
#undef FUNCTION
};

static const char *const NAMES[] = {
#define FUNCTION(name, args_min, args_max, flags) #name,
#include "fhir/path.tbl.h"
#undef FUNCTION
};

enum { ENTRY_COUNT = sizeof ENTRIES / sizeof *ENTRIES };

const struct path_entry *path_entry_find(struct bytes name) {
  size_t low = 0;
  size_t high = ENTRY_COUNT;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = bytes_cmp(bytes_str(ENTRIES[middle].name), name);
    if (order == 0) return &ENTRIES[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const char *path_entry_nearest(struct bytes name) {
  return nearest_word(name, NAMES, ENTRY_COUNT);
}

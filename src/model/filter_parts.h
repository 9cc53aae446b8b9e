/* model/filter_parts.h: a compiled filter from inside, for the matcher and the router.
 * Owns:    nothing; all parts live in the filter's arena.
 * Threads: never changed after compiling; any thread.                                */
#ifndef MEDULLA_MODEL_FILTER_PARTS_H
#define MEDULLA_MODEL_FILTER_PARTS_H

#include "model/filter.h"

enum filter_op {
  FILTER_TEXT,
  FILTER_GLOB,
  FILTER_PREFIX,
  FILTER_SUFFIX,
  FILTER_NOCASE,
  FILTER_NUMBER, /* within bounds; an exact number has both bounds equal */
  FILTER_KIND,   /* true, false or null */
  FILTER_EXISTS,
  FILTER_MISSING,
  FILTER_NONE_OF,
};

struct filter_test {
  const struct filter_test *next;
  enum filter_op op;
  enum json_kind kind;
  struct bytes text;
  double low, high;
  bool low_open, high_open;
  const struct filter_test *none_of;
};

struct filter_rule {
  const struct filter_rule *next;
  struct bytes path;
  const struct filter_test *tests; /* any of them */
};

struct filter {
  const struct filter_rule *rules; /* all of them */
};

/* The rule for a top-level attribute, or NULL. */
const struct filter_rule *filter_rule_for(const struct filter *filter, const char *attribute);

#endif

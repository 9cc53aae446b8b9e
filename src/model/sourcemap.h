/* model/sourcemap.h: where a place in bundled code came from.
 * Owns:    nothing; what is found points into the arena the map was parsed into.
 * Units:   lines and columns from 1, as in stack traces.
 * Errors:  sourcemap_parse: MALFORMED.
 * Threads: pure; any thread.
 * Limits:  JSON_BYTES_MAX; a mapping's numbers have at most 31 bits.
 * Source:  ECMA-426, Source map format (version 3 maps; index maps are not taken).             */
#ifndef MEDULLA_MODEL_SOURCEMAP_H
#define MEDULLA_MODEL_SOURCEMAP_H

#include "base/arena.h"
#include "base/err.h"

struct json;

struct sourcemap {
  const struct json *sources;
  struct bytes mappings;
};

struct sourcemap_place {
  struct bytes source;
  uint32_t line, column;
};

/* The text must live as long as the map. */
bool sourcemap_parse(struct arena *arena, struct bytes text, struct sourcemap *ret_map,
                     struct err *err) MUST_CHECK;
/* False: the map says nothing about this place, or is damaged before it. */
bool sourcemap_find(const struct sourcemap *map, uint32_t line, uint32_t column,
                    struct sourcemap_place *ret_place) MUST_CHECK;
/* A line of a stack trace, "at f (FILE:LINE:COLUMN)" or "at FILE:LINE:COLUMN", about its source;
 * empty: it has no place, or none that the map knows. */
struct bytes sourcemap_frame(const struct sourcemap *map, struct arena *arena, struct bytes frame);

#endif

/* app/parts.h: what this server stands on and what bounds it, for doctor.
 * Owns:    nothing.
 * Units:   as each limit says.
 * Errors:  none: what is missing is told.
 * Threads: the loop's; parts_look starts small programs and waits for them, PARTS_WAIT_MS_MAX
 *          at most, so it is done once.
 * Source:  limits.tbl.h.                                                                       */
#ifndef MEDULLA_APP_PARTS_H
#define MEDULLA_APP_PARTS_H

#include "wire/json.h"

#define PARTS_WAIT_MS_MAX 2000
#define PARTS_VERSION_BYTES 160

struct parts_facts {
  bool known; /* the versions below have been looked up */
  uint32_t workers_max;
  const char *egress_path; /* Optional: the program that links libcurl */
  char curl[PARTS_VERSION_BYTES], wasm2c[PARTS_VERSION_BYTES], compiler[PARTS_VERSION_BYTES];
  char esbuild[PARTS_VERSION_BYTES], rocksdb[PARTS_VERSION_BYTES];
};

/* "dependencies": [{"name", "version", "found", "what"}] */
void parts_write_dependencies(struct parts_facts *facts, struct json_out *out);
/* "limits": [{"name", "value", "unit", "what"}] */
void parts_write_limits(const struct parts_facts *facts, struct json_out *out);

#endif

/* flow/deploying.h: a change of versions or aliases under way; one at a time.
 * Owns:    itself, in its own arena; ends with its answer.
 * Units:   nanoseconds mono.
 * Errors:  see deploy.h.
 * Threads: the loop's thread.                                                */
#ifndef MEDULLA_FLOW_DEPLOYING_H
#define MEDULLA_FLOW_DEPLOYING_H

#include "flow/catalog_load.h"
#include "flow/deploy.h"

struct change { /* of one function; live and canary as they shall be, one reference each */
  struct function *function;
  struct version *live, *canary;
  uint32_t permille, was;
  bool changed, removed;
};

struct deploying {
  struct arena arena;
  struct flow *flow;
  struct flow_reply *reply;
  const char *act;
  struct bytes principal;
  struct app_manifest *app; /* NULL for alias changes */
  struct store_commit *commit;
  struct change *changes;
  size_t count, next;
  uint32_t canary_permille;
  int64_t started_ns, prepared_ns;
  struct buf body;
};

struct deploying *deploying_new(struct flow *flow, struct flow_reply *reply, size_t changes_max);
void deploying_prepare(struct deploying *deploying);
void deploying_commit(struct deploying *deploying);
void deploying_end(struct deploying *deploying, const struct err *err);

#endif

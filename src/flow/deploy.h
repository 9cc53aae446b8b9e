/* flow/deploy.h: new versions, and where the alias points.
 * Owns:    a request is copied; the answer comes once through the reply.
 * Units:   per mille for the canary's share.
 * Errors:  in the answer: INVALID (body: {"problems":[{line,column,path,message}]}), CONFLICT
 * (another deploy is under way), NOT_FOUND, LIMIT, GUEST (the top level threw), the store's.
 * Threads: the loop's thread.
 * Limits:  DEPLOY_FILES_MAX files; MANIFEST_BYTES_MAX; STORE_VALUE_BYTES_MAX per file.
 *
 * Every function of the manifest gets a version when its code or its settings changed; all
 * snapshots are made before anything is committed; versions, aliases and the audit record are one
 * commit; then the new versions are in force at once, and runs under way end on their old ones. */
#ifndef MEDULLA_FLOW_DEPLOY_H
#define MEDULLA_FLOW_DEPLOY_H

#include "flow/flow.h"

#define DEPLOY_FILES_MAX 2000

struct deploy_file {
  struct bytes path; /* as the manifest names it */
  struct bytes data;
};

struct deploy_request {
  struct bytes manifest; /* YAML text */
  const struct deploy_file *files;
  size_t file_count;
  uint32_t canary_permille; /* 0: in force at once */
  struct bytes principal, message;
};

/* Body on success: {"app", "versions":[{"function","version","was","changed","state"}],
 * "removed":[...],
 * "prepare_us", "total_us"}; state: live, canary. On refusal: {"problems":[...]} or nothing. */
void flow_deploy(struct flow *flow, const struct deploy_request *request, struct flow_reply *reply);

struct alias_request {
  struct bytes name; /* a function, or an app for all of its functions */
  uint32_t live;     /* 0: the version before the one in force (or only drop the canary) */
  bool promote;      /* the canary becomes live */
  struct bytes principal;
};
/* Rollback or promotion; body as above. */
void flow_alias(struct flow *flow, const struct alias_request *request, struct flow_reply *reply);

#endif

/* flow/catalog.h: apps, functions, versions and aliases in force, and which event goes where.
 * Owns:    all of it; a version lives while an alias points to it or a run holds it.
 * Units:   per mille for weights; UTC milliseconds.
 * Errors:  catalog_find: NOT_FOUND, INVALID (the bare name is not unique).
 * Threads: the loop's thread.
 * Limits:  CATALOG_FUNCTIONS_MAX.                                                              */
#ifndef MEDULLA_FLOW_CATALOG_H
#define MEDULLA_FLOW_CATALOG_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/list.h"
#include "base/map.h"
#include "model/manifest.h"
#include "runtime/runtime.h"
#include "store/store.h"
#include "wire/schema.h"

#define CATALOG_FUNCTIONS_MAX 100000

struct catalog;
struct flow;

/* One deploy's manifest, shared by the versions it made. */
struct app_manifest {
  unsigned refs;
  struct arena arena;
  const struct manifest *manifest;
  uint8_t sha[SHA256_BYTES];
};

/* One immutable version, loaded. */
struct version {
  struct function *function;
  uint32_t number;
  unsigned refs;
  struct arena arena;
  struct app_manifest *app;
  const struct manifest *manifest;
  const struct manifest_function *spec;
  struct runtime_code code;
  bool prepared; /* a snapshot for this engine is known to be there */
  uint8_t code_sha[SHA256_BYTES];
  struct bytes env_json; /* env and secrets, as the guest gets them; in env_text */
  struct buf env_text;
  const struct schema *input; /* contracts, or NULL */
  const struct schema *output;
  struct bytes source_map; /* or empty */
  int64_t created_ms;
};

/* A named function: its alias `live`, its lines and what is ready to run. */
struct function {
  struct catalog *catalog;
  char *name;       /* "app/function" */
  struct bytes app; /* inside name */
  struct version *live;
  struct version *canary; /* or NULL */
  struct version *extra;  /* an older version called by number; or NULL */
  uint32_t canary_permille;
  uint32_t last_number;
  bool removed;           /* gone from the manifest: owed deliveries still run, nothing new */
  struct list ready;      /* struct owed */
  struct list ready_link; /* in flow->functions_ready */
  struct map lines;       /* order key → struct line */
  uint32_t running, owed;
  uint64_t fair_key;
};

/* Loads what the aliases point to. */
bool catalog_open(struct flow *flow, struct catalog **ret_catalog, struct err *err) MUST_CHECK;
void catalog_close(struct catalog **catalog);
bool catalog_find(struct catalog *catalog, struct bytes name, struct function **ret_function,
                  struct err *err) MUST_CHECK;
/* The version a qualifier names: empty or "live", or a number (loaded for this call). */
bool catalog_qualify(struct catalog *catalog, struct function *function, struct bytes qualifier,
                     struct version **ret_version, struct err *err) MUST_CHECK;
/* Makes the snapshot when there is none for this engine; done now or later. */
void catalog_prepare(struct flow *flow, struct version *version,
                     void (*done)(void *arg, const struct err *err), void *arg);
/* At start: versions with provisioned workers get them before anybody asks. */
void catalog_warm(struct flow *flow);
/* env and secrets of the app's versions in force are read anew. */
void catalog_secrets_changed(struct catalog *catalog, struct bytes app);
/* The version for this order key or id: the canary's share is by hash. */
struct version *catalog_choose(struct function *function, struct bytes key);
struct version *version_ref(struct version *version);
void version_unref(struct version **version);
/* All functions, by name order not guaranteed. */
/* Every function with a trigger that wants this event; more than once when several triggers do. */
#define MATCH_FUNCTIONS_MAX 64
#define MATCH_ARENA_BYTES_MAX (64u << 20)
void catalog_route(struct catalog *catalog, const struct json *envelope,
                   bool (*visit)(void *arg, struct function *function), void *arg);
bool catalog_next(struct catalog *catalog, size_t *at, struct function **ret_function);

#endif

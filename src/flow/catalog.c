/* flow/catalog.c: functions in memory: found by name, chosen by weight, routed to by filter.
 *
 * Rows: app -> manifest in force; alias -> live and canary numbers; version -> what it is made of;
 * code -> bytes by SHA-256. Only what the aliases point to is loaded; older versions on demand. */
#include "flow/catalog_load.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "flow/world.h"

#include <stdlib.h>
#include <string.h>

enum { CANARY_SEED = 0x63616e61 };

void version_unref(struct version **version) {
  struct version *v = *version;
  *version = NULL;
  if (!v || --v->refs) return;
  struct flow *flow = v->function->catalog->flow;
  runtime_retire(flow->options.runtime, &v->code);
  app_manifest_unref(v->function->catalog, v->app);
  buf_fini(&v->env_text);
  arena_fini(&v->arena);
  free(v);
}

struct version *version_ref(struct version *version) {
  version->refs++;
  return version;
}

struct version *catalog_choose(struct function *function, struct bytes key) {
  if (!function->canary) return function->live;
  uint64_t share = bytes_hash(key, CANARY_SEED) % 1000;
  return share < function->canary_permille ? function->canary : function->live;
}

struct function *function_of(struct catalog *catalog, struct bytes name) {
  struct function *function = map_get(&catalog->functions, name);
  if (function) return function;
  function = must_alloc(sizeof *function);
  function->catalog = catalog;
  function->name = bytes_dup(name);
  function->app = bytes_of(function->name, bytes_find(name, '/'));
  function->fair_key = bytes_hash(name, 0);
  list_init(&function->ready);
  list_init(&function->ready_link);
  map_init(&function->lines, random_u64(catalog->flow->options.random));
  map_put(&catalog->functions, name, function);
  return function;
}

bool catalog_next(struct catalog *catalog, size_t *at, struct function **ret_function) {
  struct bytes key;
  void *value;
  while (map_next(&catalog->functions, at, &key, &value)) {
    struct function *function = value;
    if (!function->live) continue;
    *ret_function = function;
    return true;
  }
  return false;
}

/* "ward-news2": any '-' may be the '/'. */
static struct function *find_dashed(struct catalog *catalog, struct bytes name) {
  char text[512];
  struct function *found = NULL;
  if (name.len >= sizeof text) return NULL;
  for (size_t i = 0; i < name.len && !found; i++) {
    if (name.at[i] != '-') continue;
    bytes_text(name, text, sizeof text);
    text[i] = '/';
    found = map_get(&catalog->functions, bytes_str(text));
  }
  return found;
}

static bool find_bare(struct catalog *catalog, struct bytes name, struct function **ret_function,
                      struct err *err) {
  struct function *function;
  struct function *found = NULL;
  for (size_t at = 0; catalog_next(catalog, &at, &function);) {
    struct bytes bare = bytes_from(bytes_str(function->name), function->app.len + 1);
    if (!bytes_eq(bare, name) || function->removed) continue;
    if (found)
      FAIL(ERR_INVALID, "two apps have a function \"%.*s\"; say %s or %s", BYTES_FMT(name),
           found->name, function->name);
    found = function;
  }
  if (found) *ret_function = found;
  return found != NULL;
}

/* arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER] names NAME. */
static struct bytes without_arn(struct bytes name) {
  if (!bytes_starts(name, BYTES("arn:"))) return name;
  struct bytes marker = BYTES(":function:");
  name = bytes_from(name, bytes_find_bytes(name, marker) + marker.len);
  return bytes_sub(name, 0, bytes_find(name, ':'));
}

bool catalog_find(struct catalog *catalog, struct bytes name, struct function **ret_function,
                  struct err *err) {
  name = without_arn(name);
  struct function *function = map_get(&catalog->functions, name);
  if (!function) function = find_dashed(catalog, name);
  if (!function) {
    err_set(err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "there is no function \"%.*s\"",
            (int)(name.len < 128 ? name.len : 128), (const char *)name.at);
    if (!find_bare(catalog, name, &function, err)) return false;
  }
  if (!function->live) FAIL(ERR_NOT_FOUND, "%s has no version in force", function->name);
  *ret_function = function;
  return true;
}

/* The version an alias means for this call: its canary has its share of them. */
static bool alias_number(struct catalog *catalog, const struct function *function,
                         struct bytes name, uint64_t *ret_number, struct err *err) {
  cleanup_buf struct buf key = {0};
  cleanup_buf struct buf value = {0};
  struct alias_row row;
  uint64_t version = 0;
  buf_init(&key, 1024);
  buf_init(&value, 256);
  struct err invalid;
  if (alias_name_check(name, &invalid)) {
    alias_row_key(&key, bytes_str(function->name), name);
    TRY(store_get(store_reader(catalog->flow->options.store), TABLE_alias, buf_bytes(&key), &value,
                  &version, err));
  }
  if (version == 0)
    FAIL(ERR_NOT_FOUND, "%s has no alias \"%.*s\"", function->name,
         (int)(name.len < 128 ? name.len : 128), (const char *)name.at);
  TRY(alias_row_decode(buf_bytes(&value), &row, err));
  bool canary = row.canary && random_u64(catalog->flow->options.random) % 1000 < row.permille;
  *ret_number = canary ? row.canary : row.live;
  return true;
}

bool catalog_qualify(struct catalog *catalog, struct function *function, struct bytes qualifier,
                     struct version **ret_version, struct err *err) {
  uint64_t number;
  uint8_t random[8];
  if (function->removed) FAIL(ERR_NOT_FOUND, "%s was removed by a later deploy", function->name);
  if (qualifier.len == 0 || bytes_eq_str(qualifier, "live") || bytes_eq_str(qualifier, "$LATEST")) {
    random_fill(catalog->flow->options.random, random, sizeof random);
    *ret_version = catalog_choose(function, bytes_of(random, sizeof random));
    return true;
  }
  if (!bytes_u64(qualifier, &number)) TRY(alias_number(catalog, function, qualifier, &number, err));
  if (function->live->number == number)
    *ret_version = function->live;
  else if (function->canary && function->canary->number == number)
    *ret_version = function->canary;
  else if (function->extra && function->extra->number == number)
    *ret_version = function->extra;
  else {
    struct version *version;
    TRY(version_load(catalog, store_reader(catalog->flow->options.store), function,
                     (uint32_t)number, &version, err));
    version_unref(&function->extra); /* one older version is kept, for the next call of it */
    *ret_version = function->extra = version;
  }
  return true;
}

/* ---- Routing ---- */

struct routing {
  bool (*visit)(void *arg, struct function *function);
  void *arg;
};

static bool route_one(void *arg, void *target) {
  struct routing *routing = arg;
  return routing->visit(routing->arg, target);
}

void catalog_route(struct catalog *catalog, const struct json *envelope,
                   bool (*visit)(void *arg, struct function *function), void *arg) {
  struct routing routing = {visit, arg};
  router_match(catalog->router, envelope, route_one, &routing);
}

/* The function's triggers as its live version has them. */
void function_route(struct function *function) {
  struct catalog *catalog = function->catalog;
  router_remove(catalog->router, function);
  if (function->removed || !function->live) return;
  const struct manifest_trigger *trigger = function->live->spec->triggers;
  for (; trigger; trigger = trigger->next)
    if (trigger->filter) router_add(catalog->router, trigger->filter, function);
}

void function_set(struct function *function, struct version **live_take,
                  struct version **canary_take, uint32_t permille) {
  struct version *live = function->live;
  struct version *canary = function->canary;
  function->live = *live_take;
  function->canary = *canary_take;
  function->canary_permille = permille;
  *live_take = *canary_take = NULL;
  function_route(function);
  version_unref(&live); /* last: the router may still point into it */
  version_unref(&canary);
  dispatch_ready(function->catalog->flow, function);
}

/* ---- Preparing a snapshot ---- */

struct preparing {
  struct version *version;
  struct builder_job job; /* WebAssembly: translated before its snapshot is made */
  void (*done)(void *arg, const struct err *err);
  void *arg;
  struct buf code;
  uint64_t row_version;
  bool ok;
  struct err err;
};

static void prepare_done(void *arg, const struct err *err) {
  struct preparing *preparing = arg;
  struct version *version = preparing->version;
  version->prepared = !err;
  version->code.code.source = BYTES_NONE;
  buf_fini(&preparing->code);
  preparing->done(preparing->arg, err);
  version_unref(&version);
  free(preparing);
}

static void prepare_read(void *arg, struct store_reader *reader) {
  struct preparing *preparing = arg;
  struct bytes key = bytes_of(preparing->version->code_sha, SHA256_BYTES);
  preparing->ok = store_get(reader, TABLE_code, key, &preparing->code, &preparing->row_version,
                            &preparing->err);
  if (preparing->ok && preparing->row_version == 0) {
    err_set(&preparing->err, ERR_CORRUPT, ERR_PLACE, ERR_OFFSET_NONE,
            "the code of this version is missing from the store");
    preparing->ok = false;
  }
}

static void prepare_snapshot(struct preparing *preparing) {
  struct version *version = preparing->version;
  runtime_prepare(version->function->catalog->flow->options.runtime, &version->code, prepare_done,
                  preparing);
}

static void module_built(struct builder_job *job, const char *path, const struct err *err) {
  struct preparing *preparing = LIST_OF(job, struct preparing, job);
  struct version *version = preparing->version;
  if (err) {
    prepare_done(preparing, err);
    return;
  }
  version->code.code.module_path = arena_str(&version->arena, bytes_str(path));
  prepare_snapshot(preparing);
}

static void prepare_module(struct preparing *preparing) {
  struct builder *builder = preparing->version->function->catalog->flow->options.builder;
  if (!builder) {
    err_set(&preparing->err, ERR_UNSUPPORTED, ERR_PLACE, ERR_OFFSET_NONE,
            "this server has no builder for WebAssembly (see medulla doctor)");
    prepare_done(preparing, &preparing->err);
    return;
  }
  preparing->job.module = preparing->version->code.code.source;
  preparing->job.done = module_built;
  builder_start(builder, &preparing->job);
}

static void prepare_with(struct preparing *preparing) {
  if (preparing->version->code.code.kind == GUEST_WASM)
    prepare_module(preparing);
  else
    prepare_snapshot(preparing);
}

static void prepare_found(void *arg) {
  struct preparing *preparing = arg;
  if (!preparing->ok) {
    prepare_done(preparing, &preparing->err);
    return;
  }
  version_source(preparing->version, buf_bytes(&preparing->code));
  prepare_with(preparing);
}

void catalog_prepare(struct flow *flow, struct version *version,
                     void (*done)(void *arg, const struct err *err), void *arg) {
  struct preparing *preparing = must_alloc(sizeof *preparing);
  preparing->version = version_ref(version);
  preparing->done = done;
  preparing->arg = arg;
  buf_init(&preparing->code, STORE_VALUE_BYTES_MAX);
  if (version->code.code.source.len) /* deploy has it at hand */
    prepare_with(preparing);
  else
    store_ask(flow->options.store, prepare_read, prepare_found, preparing);
}

/* What cannot be made now is told by the first run that needs it. */
static void warmed(void *arg, const struct err *err) {
}

void catalog_warm(struct flow *flow) {
  struct function *function;
  for (size_t at = 0; catalog_next(flow->catalog, &at, &function);) {
    if (function->removed) continue;
    if (function->live->spec->provisioned) catalog_prepare(flow, function->live, warmed, NULL);
    if (function->canary && function->canary->spec->provisioned)
      catalog_prepare(flow, function->canary, warmed, NULL);
  }
}

/* ---- Opening and closing ---- */

bool catalog_open(struct flow *flow, struct catalog **ret_catalog, struct err *err) {
  struct catalog *catalog = must_alloc(sizeof *catalog);
  catalog->flow = flow;
  catalog->router = router_new();
  map_init(&catalog->functions, random_u64(flow->options.random));
  map_init(&catalog->manifests, random_u64(flow->options.random));
  *ret_catalog = catalog;
  return catalog_load(catalog, store_reader(flow->options.store), err);
}

void catalog_close(struct catalog **catalog) {
  struct catalog *c = *catalog;
  size_t at = 0;
  struct bytes key;
  void *value;
  *catalog = NULL;
  if (!c) return;
  router_free(&c->router);
  while (map_next(&c->functions, &at, &key, &value)) {
    struct function *function = value;
    version_unref(&function->live);
    version_unref(&function->canary);
    version_unref(&function->extra);
    map_fini(&function->lines);
    free(function->name);
    free(function);
  }
  map_fini(&c->functions);
  map_fini(&c->manifests);
  free(c);
}

/* flow/alias.c: rollback and promotion: an alias points elsewhere; no version is ever changed. */
#include "base/must.h"
#include "flow/deploying.h"
#include "flow/world.h"

/* Which number shall be live: named, the canary's, or the one before. */
static bool target(const struct function *function, const struct alias_request *request,
                   uint32_t *ret_number, struct err *err) {
  *ret_number = request->live;
  if (request->promote) {
    if (!function->canary) FAIL(ERR_PRECONDITION, "%s has no canary", function->name);
    *ret_number = function->canary->number;
  } else if (request->live == 0) {
    bool only_canary = function->canary != NULL;
    *ret_number = only_canary ? function->live->number : function->live->number - 1;
    if (*ret_number == 0) FAIL(ERR_PRECONDITION, "%s has no version before 1", function->name);
  }
  return true;
}

static bool change_one(struct deploying *d, struct function *function,
                       const struct alias_request *request, struct err *err) {
  struct catalog *catalog = d->flow->catalog;
  struct version *version;
  uint32_t number;
  TRY(target(function, request, &number, err));
  if (number == function->live->number)
    version = version_ref(function->live);
  else if (function->canary && number == function->canary->number)
    version = version_ref(function->canary);
  else
    TRY(version_load(catalog, store_reader(d->flow->options.store), function, number, &version,
                     err));
  d->changes[d->count++] = (struct change){.function = function, .live = version, .changed = true};
  return true;
}

static bool change_all(struct deploying *d, const struct alias_request *request, struct err *err) {
  struct catalog *catalog = d->flow->catalog;
  struct function *function;
  bool whole_app = false;
  for (size_t at = 0; catalog_next(catalog, &at, &function);) {
    if (!bytes_eq(function->app, request->name) || function->removed) continue;
    whole_app = true;
    if (request->promote && !function->canary) continue;
    TRY(change_one(d, function, request, err));
  }
  if (whole_app) return true;
  TRY(catalog_find(catalog, request->name, &function, err));
  return change_one(d, function, request, err);
}

void flow_alias(struct flow *flow, const struct alias_request *request, struct flow_reply *reply) {
  struct err err = {0};
  if (flow->deploying) {
    struct flow_answer answer = {.retry_after_ms = 1000};
    err_set(&answer.err, ERR_CONFLICT, ERR_PLACE, ERR_OFFSET_NONE, "a deploy is under way");
    reply->answer(reply, &answer);
    return;
  }
  struct deploying *d = deploying_new(flow, reply, flow->catalog->functions.count + 1);
  d->act = request->promote ? "promote" : "rollback";
  d->principal = arena_copy(&d->arena, request->principal);
  d->commit = commit_new();
  if (change_all(d, request, &err)) {
    deploying_prepare(d);
    return;
  }
  commit_free(&d->commit);
  deploying_end(d, &err);
}

/* flow/deploy.c: check, prepare, commit, swap.
 *
 *   flow_deploy: manifest whole --> versions made --> snapshots, one after another --> one commit
 *                    | problems                            | a top level threw            |
 *                    v                                     v                              v
 *                 answer                                 answer               aliases swapped,
 * answer */
#include "flow/deploy.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "flow/catalog_load.h"
#include "flow/deploying.h"
#include "flow/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPLOY_BODY_BYTES_MAX = 4 << 20, DEPLOY_ARENA_BYTES_MAX = 256 << 20 };

void deploying_end(struct deploying *d, const struct err *err) {
  struct flow_answer answer = {.body = buf_bytes(&d->body)};
  if (err) answer.err = *err;
  d->reply->answer(d->reply, &answer);
  for (size_t i = 0; i < d->count; i++) {
    version_unref(&d->changes[i].live);
    version_unref(&d->changes[i].canary);
  }
  if (d->app) app_manifest_unref(d->flow->catalog, d->app);
  d->flow->deploying = NULL;
  buf_fini(&d->body);
  struct arena arena = d->arena; /* d lives in it */
  arena_fini(&arena);
}

struct deploying *deploying_new(struct flow *flow, struct flow_reply *reply, size_t changes_max) {
  struct arena arena;
  arena_init(&arena, DEPLOY_ARENA_BYTES_MAX);
  struct deploying *d = ARENA_NEW(&arena, struct deploying);
  must(d != NULL);
  d->flow = flow;
  d->reply = reply;
  d->started_ns = flow_now_ns(flow);
  d->changes = ARENA_ARRAY(&arena, struct change, changes_max);
  must(d->changes != NULL);
  buf_init(&d->body, DEPLOY_BODY_BYTES_MAX);
  d->arena = arena;
  flow->deploying = d;
  return d;
}

static const struct deploy_file *file_of(const struct deploy_request *request, struct bytes path) {
  for (size_t i = 0; i < request->file_count; i++)
    if (bytes_eq(request->files[i].path, path)) return &request->files[i];
  return NULL;
}

static void write_problems(struct buf *body, const struct manifest_problems *problems) {
  struct json_out out;
  json_out_init(&out, body);
  json_out_open(&out, '{');
  json_out_name(&out, "problems");
  json_out_open(&out, '[');
  for (uint32_t i = 0; i < problems->count; i++) {
    const struct manifest_problem *problem = &problems->list[i];
    json_out_open(&out, '{');
    json_out_member_int(&out, "line", problem->line);
    json_out_member_int(&out, "column", problem->column);
    json_out_member(&out, "path", problem->path);
    json_out_member(&out, "message", problem->message);
    json_out_close(&out, '}');
  }
  json_out_close(&out, ']');
  json_out_close(&out, '}');
}

/* ---- What each function becomes ---- */

static bool take_file(struct deploying *d, const struct deploy_request *request, struct bytes path,
                      uint8_t ret_sha[SHA256_BYTES], struct bytes *ret_data, struct err *err) {
  const struct deploy_file *file = file_of(request, path);
  *ret_data = BYTES_NONE;
  if (path.len == 0) return true;
  if (!file) FAIL(ERR_NOT_FOUND, "the file \"%.*s\" is missing", BYTES_FMT(path));
  sha256(file->data, ret_sha);
  commit_put(d->commit, TABLE_code, bytes_of(ret_sha, SHA256_BYTES), file->data);
  *ret_data = file->data;
  return true;
}

/* Same code and same settings as the version in force: it stays. */
static bool unchanged(const struct function *function, const struct version *made) {
  const struct version *live = function->live;
  return live && !function->removed && memcmp(live->code_sha, made->code_sha, SHA256_BYTES) == 0 &&
         memcmp(live->app->sha, made->app->sha, SHA256_BYTES) == 0 && !function->canary;
}

static void put_version(struct deploying *d, struct bytes name, const struct version_row *row) {
  cleanup_buf struct buf key = {0};
  cleanup_buf struct buf value = {0};
  buf_init(&key, 1024);
  buf_init(&value, 64 << 10);
  version_row_key(&key, name, row->number);
  version_row_encode(&value, row);
  must(buf_ok(&value));
  commit_put(d->commit, TABLE_version, buf_bytes(&key), buf_bytes(&value));
}

static bool make_change(struct deploying *d, const struct deploy_request *request,
                        const struct manifest_function *spec, struct err *err) {
  struct catalog *catalog = d->flow->catalog;
  struct bytes app = d->app->manifest->app;
  struct bytes name = arena_printf(&d->arena, "%.*s/%.*s", BYTES_FMT(app), BYTES_FMT(spec->name));
  struct bytes code;
  struct version_parts parts = {.app = d->app};
  struct function *function = function_of(catalog, name);
  struct change *change = &d->changes[d->count];
  char map_path[512];
  struct version_row row = {.number = function->last_number + 1,
                            .created_ms = flow_now_ms(d->flow),
                            .principal = request->principal,
                            .message = request->message};
  memcpy(row.manifest, d->app->sha, SHA256_BYTES);
  TRY(take_file(d, request, spec->code, row.code, &code, err));
  TRY(take_file(d, request, spec->input_schema, row.input, &parts.input_schema, err));
  TRY(take_file(d, request, spec->output_schema, row.output, &parts.output_schema, err));
  snprintf(map_path, sizeof map_path, "%.*s.map", BYTES_FMT(spec->code));
  if (file_of(request, bytes_str(map_path)))
    TRY(take_file(d, request, bytes_str(map_path), row.map, &parts.source_map, err));
  parts.row = &row;
  struct version *made;
  TRY(version_make(catalog, store_reader(d->flow->options.store), function, &parts, &made, err));
  *change = (struct change){.function = function, .live = made, .changed = true};
  d->count++;
  if (unchanged(function, made)) {
    version_unref(&change->live);
    change->live = version_ref(function->live);
    change->changed = false;
    return true;
  }
  version_source(made, arena_copy(&d->arena, code));
  put_version(d, name, &row);
  if (d->canary_permille && function->live) {
    change->canary = made;
    change->live = version_ref(function->live);
    change->permille = d->canary_permille;
  }
  return true;
}

static void mark_removed(struct deploying *d) {
  struct function *function;
  for (size_t at = 0; catalog_next(d->flow->catalog, &at, &function);) {
    if (!bytes_eq(function->app, d->app->manifest->app) || function->removed) continue;
    struct bytes bare = bytes_from(bytes_str(function->name), function->app.len + 1);
    if (manifest_function(d->app->manifest, bare)) continue;
    d->changes[d->count++] =
        (struct change){.function = function, .live = version_ref(function->live), .removed = true};
  }
}

static bool make_all(struct deploying *d, const struct deploy_request *request, struct err *err) {
  const struct manifest *manifest = d->app->manifest;
  for (const struct manifest_function *spec = manifest->functions; spec; spec = spec->next) {
    if (make_change(d, request, spec, err)) continue;
    char text[ERR_DETAIL_BYTES];
    bytes_text(bytes_str(err->detail), text, sizeof text);
    FAIL(err->code == ERR_NOT_FOUND ? ERR_INVALID : err->code, "%.*s: %s", BYTES_FMT(spec->name),
         text);
  }
  mark_removed(d);
  return true;
}

/* ---- Snapshots, then the commit ---- */

static void prepared(void *arg, const struct err *err);

void deploying_prepare(struct deploying *d) {
  struct flow *flow = d->flow;
  while (d->next < d->count) {
    struct change *change = &d->changes[d->next];
    struct version *made = change->canary ? change->canary : change->live;
    if (!made->prepared && change->changed) {
      catalog_prepare(flow, made, prepared, d);
      return;
    }
    d->next++;
  }
  d->prepared_ns = flow_now_ns(flow);
  deploying_commit(d);
}

static void prepared(void *arg, const struct err *err) {
  struct deploying *d = arg;
  struct change *change = &d->changes[d->next];
  if (err) {
    struct err told = *err;
    snprintf(told.detail, sizeof told.detail, "%.64s: %.160s", change->function->name, err->detail);
    commit_free(&d->commit);
    deploying_end(d, &told);
    return;
  }
  d->next++;
  deploying_prepare(d);
}

static void write_result(struct deploying *d) {
  struct json_out out;
  buf_reset(&d->body);
  json_out_init(&out, &d->body);
  json_out_open(&out, '{');
  if (d->app) json_out_member(&out, "app", d->app->manifest->app);
  json_out_name(&out, "versions");
  json_out_open(&out, '[');
  for (size_t i = 0; i < d->count; i++) {
    const struct change *change = &d->changes[i];
    const struct version *version = change->canary ? change->canary : change->live;
    if (change->removed) continue;
    json_out_open(&out, '{');
    json_out_member_str(&out, "function", change->function->name);
    json_out_member_int(&out, "version", version->number);
    json_out_member_int(&out, "was", change->was);
    json_out_member_bool(&out, "changed", change->changed);
    json_out_member_str(&out, "state", change->canary ? "canary" : "live");
    json_out_close(&out, '}');
  }
  json_out_close(&out, ']');
  json_out_name(&out, "removed");
  json_out_open(&out, '[');
  for (size_t i = 0; i < d->count; i++)
    if (d->changes[i].removed) json_out_str(&out, d->changes[i].function->name);
  json_out_close(&out, ']');
  json_out_member_int(&out, "prepare_us", (d->prepared_ns - d->started_ns) / 1000);
  json_out_member_int(&out, "total_us", (flow_now_ns(d->flow) - d->started_ns) / 1000);
  json_out_close(&out, '}');
}

static void deploy_durable(void *arg, const struct store_result *result) {
  struct deploying *d = arg;
  struct flow *flow = d->flow;
  if (result->err.code != ERR_OK) {
    deploying_end(d, &result->err);
    return;
  }
  for (size_t i = 0; i < d->count; i++)
    d->changes[i].was = d->changes[i].function->live ? d->changes[i].function->live->number : 0;
  write_result(d);
  for (size_t i = 0; i < d->count; i++) {
    struct change *change = &d->changes[i];
    struct function *function = change->function;
    const struct version *newest = change->canary ? change->canary : change->live;
    if (newest->number > function->last_number) function->last_number = newest->number;
    function->removed = change->removed;
    function_set(function, &change->live, &change->canary, change->permille);
  }
  if (flow->options.on_catalog) flow->options.on_catalog(flow->options.arg);
  deploying_end(d, NULL);
}

static void put_alias(struct deploying *d, const struct change *change) {
  cleanup_buf struct buf key = {0};
  cleanup_buf struct buf value = {0};
  struct alias_row row = {.live = change->live->number,
                          .canary = change->canary ? change->canary->number : 0,
                          .permille = change->permille,
                          .removed = change->removed};
  buf_init(&key, 1024);
  buf_init(&value, 256);
  alias_row_key(&key, bytes_str(change->function->name), BYTES("live"));
  alias_row_encode(&value, &row);
  commit_put(d->commit, TABLE_alias, buf_bytes(&key), buf_bytes(&value));
}

void deploying_commit(struct deploying *d) {
  for (size_t i = 0; i < d->count; i++) {
    const struct change *change = &d->changes[i];
    char detail[128];
    if (!change->changed && !change->removed) continue;
    put_alias(d, change);
    snprintf(detail, sizeof detail, "live %u, canary %u at %u per mille", change->live->number,
             change->canary ? change->canary->number : 0, change->permille);
    flow_audit(d->flow, d->commit, d->principal, change->removed ? "function.remove" : d->act,
               bytes_str(change->function->name), "ok", detail);
  }
  store_submit(d->flow->options.store, &d->commit, deploy_durable, d);
}

void flow_deploy(struct flow *flow, const struct deploy_request *request,
                 struct flow_reply *reply) {
  struct manifest_problems *problems = must_alloc(sizeof *problems);
  struct err err = {0};
  if (flow->deploying) {
    struct flow_answer answer = {.retry_after_ms = 1000};
    err_set(&answer.err, ERR_CONFLICT, ERR_PLACE, ERR_OFFSET_NONE, "another deploy is under way");
    reply->answer(reply, &answer);
    free(problems);
    return;
  }
  struct deploying *d =
      deploying_new(flow, reply, MANIFEST_FUNCTIONS_MAX + flow->catalog->functions.count);
  d->act = "deploy";
  d->principal = arena_copy(&d->arena, request->principal);
  d->canary_permille = request->canary_permille;
  d->commit = commit_new();
  const struct manifest *manifest;
  struct bytes yaml = arena_copy(&d->arena, request->manifest);
  bool ok = manifest_parse(&d->arena, yaml, &manifest, problems, &err) &&
            manifest_is_supported(&d->arena, manifest, problems, &err) &&
            (!flow->options.tzdata ||
             manifest_zones_exist(&d->arena, manifest, flow->options.tzdata, problems, &err));
  if (!ok) write_problems(&d->body, problems);
  free(problems);
  ok = ok && app_manifest_get(flow->catalog, request->manifest, &d->app, &err);
  if (ok) {
    commit_put(d->commit, TABLE_code, bytes_of(d->app->sha, SHA256_BYTES), request->manifest);
    commit_put(d->commit, TABLE_app, d->app->manifest->app, bytes_of(d->app->sha, SHA256_BYTES));
    ok = make_all(d, request, &err);
  }
  if (ok) {
    deploying_prepare(d);
    return;
  }
  commit_free(&d->commit);
  deploying_end(d, &err);
}

/* source/api/admin_deploy.c: apps, versions, aliases, secrets: what changes what runs. */
#include "base/cleanup.h"
#include "base/must.h"
#include "flow/catalog_load.h"
#include "flow/deploy.h"
#include "source/api/parts.h"

#include <stdlib.h>

enum { DEPLOY_BODY_BYTES_MAX = 96 << 20, LIST_BYTES_MAX = 32 << 20, SECRET_BYTES_MAX = 64 << 10 };

/* ---- POST /admin/deploy ---- */

static void on_deployed(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  if (answer->err.code == ERR_OK)
    api_json(call, 200, answer->body);
  else if (answer->body.len)
    api_json(call, 400, answer->body); /* {"problems":[...]} */
  else
    api_fail_err(call, &answer->err, answer->retry_after_ms);
}

static bool read_files(struct api_call *call, const struct json *files,
                       struct deploy_request *request, struct err *err) {
  struct arena *arena = api_arena(call);
  if (!files || files->kind != JSON_OBJECT)
    FAIL(ERR_INVALID, "\"files\" maps paths to base64 of their bytes");
  if (files->count > DEPLOY_FILES_MAX)
    FAIL(ERR_LIMIT, "DEPLOY_FILES_MAX: an app has at most %d files", DEPLOY_FILES_MAX);
  struct deploy_file *list = ARENA_ARRAY(arena, struct deploy_file, files->count);
  request->files = list;
  for (const struct json *file = files->first; file; file = file->next) {
    cleanup_buf struct buf data = {0};
    buf_init(&data, STORE_VALUE_BYTES_MAX);
    TRY(base64_decode(&data, file->text, 0, err));
    list[request->file_count++] =
        (struct deploy_file){file->name, arena_copy(arena, buf_bytes(&data))};
    if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the app's files are too large together");
  }
  return true;
}

static void post_deploy(struct api_call *call) {
  const struct json *tree;
  struct deploy_request request = {.principal = call->principal->name};
  struct err err;
  int64_t permille = 0;
  if (!api_body_json(call, &tree)) return;
  request.manifest = json_get_text(tree, "manifest");
  request.message = json_get_text(tree, "message");
  if (json_int(json_get(tree, "canary_permille"), &permille) && (permille < 0 || permille > 999)) {
    api_fail(call, ERR_INVALID, "\"canary_permille\" is from 1 to 999");
    return;
  }
  request.canary_permille = (uint32_t)permille;
  if (!read_files(call, json_get(tree, "files"), &request, &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  call->reply.answer = on_deployed;
  flow_deploy(call->api->options.flow, &request, &call->reply);
}

static void post_rollback(struct api_call *call) {
  const struct json *tree;
  int64_t number = 0;
  if (!api_body_json(call, &tree)) return;
  json_int(json_get(tree, "version"), &number);
  struct alias_request request = {.name = json_get_text(tree, "name"),
                                  .live = (uint32_t)number,
                                  .promote = json_is_true(json_get(tree, "promote")),
                                  .principal = call->principal->name};
  if (!api_may_app(call, request.name)) return;
  call->reply.answer = on_deployed;
  flow_alias(call->api->options.flow, &request, &call->reply);
}

/* ---- Lists ---- */

static void write_function(struct json_out *out, const struct function *function) {
  const struct manifest_function *spec = function->live->spec;
  json_out_open(out, '{');
  json_out_member_str(out, "function", function->name);
  json_out_member_int(out, "version", function->live->number);
  if (function->canary) {
    json_out_member_int(out, "canary", function->canary->number);
    json_out_member_int(out, "canary_permille", function->canary_permille);
  }
  json_out_member_str(out, "runtime", spec->wasm ? "wasm" : "js");
  json_out_member_int(out, "running", function->running);
  json_out_member_bool(out, "removed", function->removed);
  json_out_member_int(out, "time_ms", spec->time_ms);
  json_out_member_int(out, "memory_bytes", (int64_t)spec->memory_bytes);
  json_out_member_int(out, "deployed_ms", function->live->created_ms);
  json_out_close(out, '}');
}

static void get_functions(struct api_call *call) {
  struct catalog *catalog = flow_catalog(call->api->options.flow);
  struct function *function;
  struct json_out out;
  cleanup_buf struct buf body = {0};
  buf_init(&body, LIST_BYTES_MAX);
  json_out_init(&out, &body);
  json_out_open(&out, '[');
  for (size_t at = 0; catalog_next(catalog, &at, &function);)
    if (principal_may_app(call->principal, bytes_str(function->name)))
      write_function(&out, function);
  json_out_close(&out, ']');
  api_json(call, 200, buf_bytes(&body));
}

/* ---- GET /admin/versions?function= ---- */

struct listing {
  struct api_call *call;
  struct function *function;
  struct buf prefix, body;
  struct json_out out;
  bool ok;
  struct err err;
};

static bool version_row_out(void *arg, const struct store_row *row) {
  struct listing *listing = arg;
  struct version_row version;
  if (!version_row_decode(row->value, &version, &listing->err)) return false;
  json_out_open(&listing->out, '{');
  json_out_member_int(&listing->out, "version", version.number);
  json_out_member_int(&listing->out, "created_ms", version.created_ms);
  json_out_member(&listing->out, "principal", version.principal);
  json_out_member(&listing->out, "message", version.message);
  json_out_close(&listing->out, '}');
  return true;
}

static void versions_query(void *arg, struct store_reader *reader) {
  struct listing *listing = arg;
  struct store_range range = {.table = TABLE_version, .prefix = buf_bytes(&listing->prefix)};
  listing->ok = store_scan(reader, &range, version_row_out, listing, &listing->err);
}

static void versions_done(void *arg) {
  struct listing *listing = arg;
  json_out_close(&listing->out, ']');
  json_out_close(&listing->out, '}');
  if (listing->ok)
    api_json(listing->call, 200, buf_bytes(&listing->body));
  else
    api_fail_err(listing->call, &listing->err, 0);
  buf_fini(&listing->prefix);
  buf_fini(&listing->body);
  free(listing);
}

static void get_versions(struct api_call *call) {
  struct function *function;
  struct err err;
  if (!catalog_find(flow_catalog(call->api->options.flow), api_query(call, "function"), &function,
                    &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  if (!api_may_app(call, bytes_str(function->name))) return;
  struct listing *listing = must_alloc(sizeof *listing);
  listing->call = call;
  buf_init(&listing->prefix, 1024);
  buf_init(&listing->body, LIST_BYTES_MAX);
  buf_put(&listing->prefix, bytes_str(function->name));
  buf_char(&listing->prefix, 0);
  json_out_init(&listing->out, &listing->body);
  json_out_open(&listing->out, '{');
  json_out_member_str(&listing->out, "function", function->name);
  json_out_member_int(&listing->out, "live", function->live->number);
  if (function->canary) {
    json_out_member_int(&listing->out, "canary", function->canary->number);
    json_out_member_int(&listing->out, "canary_permille", function->canary_permille);
  }
  json_out_name(&listing->out, "versions");
  json_out_open(&listing->out, '[');
  store_ask(call->api->options.store, versions_query, versions_done, listing);
}

/* ---- Secrets: set, named, removed; never shown ---- */

static struct bytes secret_key(struct api_call *call) {
  return arena_printf(api_arena(call), "%.*s%c%.*s", BYTES_FMT(call->captures[0]), 0,
                      BYTES_FMT(call->captures[1]));
}

static void secret_durable(void *arg, const struct store_result *result) {
  struct api_call *call = arg;
  if (result->err.code != ERR_OK) {
    api_fail_err(call, &result->err, 0);
    return;
  }
  catalog_secrets_changed(flow_catalog(call->api->options.flow), call->captures[0]);
  api_json(call, 200, BYTES("{\"ok\":true}"));
}

static void change_secret(struct api_call *call, bool set) {
  struct bytes value = exchange_body(call->x);
  if (!api_may_app(call, call->captures[0])) return;
  if (set && (value.len == 0 || value.len > SECRET_BYTES_MAX)) {
    api_fail(call, ERR_INVALID, "a secret has 1 byte to 64 KiB");
    return;
  }
  struct store_commit *commit = commit_new();
  if (set)
    commit_put(commit, TABLE_secret, secret_key(call), value);
  else
    commit_remove(commit, TABLE_secret, secret_key(call));
  struct bytes name = arena_printf(api_arena(call), "%.*s/%.*s", BYTES_FMT(call->captures[0]),
                                   BYTES_FMT(call->captures[1]));
  flow_audit(call->api->options.flow, commit, call->principal->name,
             set ? "secret.set" : "secret.remove", name, "ok", NULL);
  store_submit(call->api->options.store, &commit, secret_durable, call);
}

static void put_secret(struct api_call *call) {
  change_secret(call, true);
}

static void delete_secret(struct api_call *call) {
  change_secret(call, false);
}

static bool secret_out(void *arg, const struct store_row *row) {
  struct listing *listing = arg;
  json_out_string(&listing->out, bytes_from(row->key, listing->prefix.len));
  return true;
}

static void secrets_query(void *arg, struct store_reader *reader) {
  struct listing *listing = arg;
  struct store_range range = {.table = TABLE_secret, .prefix = buf_bytes(&listing->prefix)};
  listing->ok = store_scan(reader, &range, secret_out, listing, &listing->err);
}

static void get_secrets(struct api_call *call) {
  if (!api_may_app(call, call->captures[0])) return;
  struct listing *listing = must_alloc(sizeof *listing);
  listing->call = call;
  buf_init(&listing->prefix, 1024);
  buf_init(&listing->body, LIST_BYTES_MAX);
  buf_put(&listing->prefix, call->captures[0]);
  buf_char(&listing->prefix, 0);
  json_out_init(&listing->out, &listing->body);
  json_out_open(&listing->out, '{');
  json_out_name(&listing->out, "secrets");
  json_out_open(&listing->out, '[');
  store_ask(call->api->options.store, secrets_query, versions_done, listing);
}

const struct api_route admin_deploy_routes[] = {
    {"POST", "/admin/deploy", ACT_DEPLOY, post_deploy, DEPLOY_BODY_BYTES_MAX},
    {"POST", "/admin/rollback", ACT_DEPLOY, post_rollback, 0},
    {"GET", "/admin/functions", ACT_READ, get_functions, 0},
    {"GET", "/admin/versions", ACT_READ, get_versions, 0},
    {"GET", "/admin/secrets/{app}", ACT_DEPLOY, get_secrets, 0},
    {"PUT", "/admin/secrets/{app}/{name}", ACT_DEPLOY, put_secret, 0},
    {"DELETE", "/admin/secrets/{app}/{name}", ACT_DEPLOY, delete_secret, 0},
};
API_ROUTE_COUNT(admin_deploy)

/* source/api/admin_deploy.c: apps, versions, aliases, secrets: what changes what runs. */
#include "base/cleanup.h"
#include "base/map.h"
#include "base/must.h"
#include "flow/catalog_load.h"
#include "flow/deploy.h"
#include "source/api/parts.h"

#include <stdlib.h>

enum { DEPLOY_BODY_BYTES_MAX = 96 << 20, LIST_BYTES_MAX = 32 << 20, SECRET_BYTES_MAX = 64 << 10 };

/* ---- POST /admin/deploy ---- */

/* The refusal first, then every problem the manifest has. */
static void refuse_with_problems(struct api_call *call, const struct flow_answer *answer) {
  struct json_out out;
  const struct json *body;
  struct err err;
  cleanup_buf struct buf text = {0};
  buf_init(&text, LIST_BYTES_MAX);
  json_out_init(&out, &text);
  json_out_open(&out, '{');
  json_out_name(&out, "error");
  json_out_open(&out, '{');
  json_out_member_str(&out, "code", err_facts(answer->err.code)->word);
  json_out_member_str(&out, "message", answer->err.detail);
  json_out_close(&out, '}');
  if (json_parse(api_arena(call), answer->body, &body, &err) && json_get(body, "problems"))
    json_out_member_raw(&out, "problems", json_get(body, "problems")->text);
  json_out_close(&out, '}');
  api_json(call, 400, buf_bytes(&text));
}

static void on_deployed(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  if (answer->err.code == ERR_OK)
    api_json(call, 200, answer->body);
  else if (answer->body.len)
    refuse_with_problems(call, answer);
  else
    api_fail_err(call, &answer->err, answer->retry_after_ms);
}

/* "10%", "2.5%": to per mille; false when it is no share between 0.1% and 99.9%. */
static bool read_share(struct bytes text, uint32_t *ret_permille) {
  struct bytes tenths;
  uint64_t whole;
  uint64_t tenth = 0;
  if (!bytes_ends(text, BYTES("%"))) return false;
  text.len--;
  struct bytes ones = bytes_cut(text, '.', &tenths);
  if (!bytes_u64(ones, &whole) || whole > 99) return false;
  if (tenths.len && (tenths.len > 1 || !bytes_u64(tenths, &tenth))) return false;
  *ret_permille = (uint32_t)(whole * 10 + tenth);
  return *ret_permille > 0;
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
  if (!api_body_json(call, &tree)) return;
  struct bytes canary = json_get_text(tree, "canary");
  request.manifest = json_get_text(tree, "manifest");
  request.message = json_get_text(tree, "message");
  if (canary.len && !read_share(canary, &request.canary_permille)) {
    api_fail(call, ERR_INVALID, "\"canary\" is a share like 10%%, from 0.1%% to 99.9%%");
    return;
  }
  if (!read_files(call, json_get(tree, "files"), &request, &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  call->reply.answer = on_deployed;
  flow_deploy(call->api->options.flow, &request, &call->reply);
}

/* {"function","version","was"}: of an app, its first function. */
static void on_rolled_back(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  const struct json *body;
  struct err err;
  if (answer->err.code != ERR_OK || !json_parse(api_arena(call), answer->body, &body, &err)) {
    api_fail_err(call, &answer->err, answer->retry_after_ms);
    return;
  }
  const struct json *first = json_item(json_get(body, "versions"), 0);
  api_json(call, 200, first ? first->text : BYTES("{}"));
}

static void post_rollback(struct api_call *call) {
  const struct json *tree;
  int64_t number = 0;
  if (!api_body_json(call, &tree)) return;
  json_int(json_get(tree, "version"), &number);
  struct alias_request request = {.name = json_get_text(tree, "function"),
                                  .live = (uint32_t)number,
                                  .promote = json_is_true(json_get(tree, "promote")),
                                  .principal = call->principal->name};
  if (!api_may_app(call, request.name)) return;
  call->reply.answer = on_rolled_back;
  flow_alias(call->api->options.flow, &request, &call->reply);
}

/* ---- Lists ---- */

static void write_function(struct json_out *out, const struct function *function) {
  const struct manifest_function *spec = function->live->spec;
  json_out_open(out, '{');
  json_out_member_str(out, "function", function->name);
  json_out_member_int(out, "live", function->live->number);
  if (function->canary) {
    json_out_member_int(out, "canary", function->canary->number);
    json_out_member_int(out, "canary_percent", function->canary_permille / 10);
  }
  json_out_member_str(out, "runtime", spec->wasm ? "wasm" : "js");
  json_out_member_int(out, "running", function->running);
  json_out_member_int(out, "owed", function->owed);
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
  json_out_open(&out, '{');
  json_out_name(&out, "functions");
  json_out_open(&out, '[');
  for (size_t at = 0; catalog_next(catalog, &at, &function);)
    if (principal_may_app(call->principal, bytes_str(function->name)))
      write_function(&out, function);
  json_out_close(&out, ']');
  json_out_close(&out, '}');
  api_json(call, 200, buf_bytes(&body));
}

struct app_row {
  struct bytes app;
  uint32_t functions;
  int64_t deployed_ms;
};

static void get_apps(struct api_call *call) {
  struct catalog *catalog = flow_catalog(call->api->options.flow);
  struct function *function;
  struct map apps;
  struct json_out out;
  struct bytes key;
  void *value;
  cleanup_buf struct buf body = {0};
  map_init(&apps, 0);
  for (size_t at = 0; catalog_next(catalog, &at, &function);) {
    if (function->removed || !principal_may_app(call->principal, function->app)) continue;
    struct app_row *row = map_get(&apps, function->app);
    if (!row) {
      row = ARENA_NEW(api_arena(call), struct app_row);
      if (!row) break;
      row->app = function->app;
      map_put(&apps, function->app, row);
    }
    row->functions++;
    if (function->live->created_ms > row->deployed_ms)
      row->deployed_ms = function->live->created_ms;
  }
  if (!arena_ok(api_arena(call))) {
    map_fini(&apps);
    api_fail(call, ERR_LIMIT, "the apps are too many to list");
    return;
  }
  buf_init(&body, LIST_BYTES_MAX);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_name(&out, "apps");
  json_out_open(&out, '[');
  for (size_t at = 0; map_next(&apps, &at, &key, &value);) {
    const struct app_row *row = value;
    json_out_open(&out, '{');
    json_out_member(&out, "app", row->app);
    json_out_member_int(&out, "functions", row->functions);
    json_out_member_int(&out, "deployed_ms", row->deployed_ms);
    json_out_close(&out, '}');
  }
  json_out_close(&out, ']');
  json_out_close(&out, '}');
  map_fini(&apps);
  api_json(call, 200, buf_bytes(&body));
}

/* ---- GET /admin/versions?function= ---- */

struct listing {
  struct api_call *call;
  uint32_t live, canary;
  struct buf prefix, body;
  struct json_out out;
  bool ok;
  struct err err;
};

static bool version_row_out(void *arg, const struct store_row *row) {
  struct listing *listing = arg;
  struct version_row version;
  if (!version_row_decode(row->value, &version, &listing->err)) return false;
  bool live = version.number == listing->live;
  bool canary = version.number == listing->canary;
  json_out_open(&listing->out, '{');
  json_out_member_int(&listing->out, "version", version.number);
  json_out_member_str(&listing->out, "state", live ? "live" : canary ? "canary" : "old");
  json_out_member_int(&listing->out, "deployed_ms", version.created_ms);
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
  listing->live = function->live->number;
  listing->canary = function->canary ? function->canary->number : 0;
  buf_init(&listing->prefix, 1024);
  buf_init(&listing->body, LIST_BYTES_MAX);
  buf_put(&listing->prefix, bytes_str(function->name));
  buf_char(&listing->prefix, 0);
  json_out_init(&listing->out, &listing->body);
  json_out_open(&listing->out, '{');
  json_out_member_str(&listing->out, "function", function->name);
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
  struct http_answer answer = {.status = 204};
  exchange_reply(call->x, &answer, BYTES_NONE);
}

static void change_secret(struct api_call *call, bool set) {
  const struct json *tree = NULL;
  if (!api_may_app(call, call->captures[0])) return;
  if (set && !api_body_json(call, &tree)) return;
  struct bytes value = json_get_text(tree, "value");
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
  json_out_open(&listing->out, '{');
  json_out_member(&listing->out, "name", bytes_from(row->key, listing->prefix.len));
  json_out_close(&listing->out, '}');
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
    {"GET", "/admin/apps", ACT_READ, get_apps, 0},
    {"GET", "/admin/functions", ACT_READ, get_functions, 0},
    {"GET", "/admin/versions", ACT_READ, get_versions, 0},
    {"GET", "/admin/secrets/{app}", ACT_DEPLOY, get_secrets, 0},
    {"PUT", "/admin/secrets/{app}/{name}", ACT_DEPLOY, put_secret, 0},
    {"DELETE", "/admin/secrets/{app}/{name}", ACT_DEPLOY, delete_secret, 0},
};
API_ROUTE_COUNT(admin_deploy)

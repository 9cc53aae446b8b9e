/* source/api/admin_alias.c: aliases beside `live`: names for versions that callers can ask for. */
#include "base/cleanup.h"
#include "base/must.h"
#include "flow/catalog_load.h"
#include "source/api/parts.h"

#include <stdlib.h>

enum { LIST_BYTES_MAX = 32 << 20 };

/* {"percent": "10%"} as in deploys: whole per cents here. */
static bool read_percent(struct bytes text, uint32_t *ret_permille, struct err *err) {
  uint64_t percent;
  if (bytes_ends(text, BYTES("%"))) text.len--;
  if (!bytes_u64(text, &percent) || percent < 1 || percent > 99)
    FAIL(ERR_INVALID, "\"percent\" is a share from 1%% to 99%%");
  *ret_permille = (uint32_t)percent * 10;
  return true;
}

static bool version_exists(struct api *api, struct function *function, int64_t number,
                           struct err *err) {
  struct version *version;
  if (number < 1 || number > UINT32_MAX) FAIL(ERR_INVALID, "a version is a number from 1 on");
  TRY(version_load(flow_catalog(api->options.flow), store_reader(api->options.store), function,
                   (uint32_t)number, &version, err));
  version_unref(&version);
  return true;
}

static bool read_alias(struct api_call *call, struct function *function, const struct json *tree,
                       struct alias_row *ret_row, struct err *err) {
  int64_t version = 0, canary = 0;
  if (!json_int(json_get(tree, "version"), &version)) FAIL(ERR_INVALID, "\"version\" is missing");
  TRY(version_exists(call->api, function, version, err));
  *ret_row = (struct alias_row){.live = (uint32_t)version};
  if (!json_get(tree, "canary")) return true;
  if (!json_int(json_get(tree, "canary"), &canary)) FAIL(ERR_INVALID, "\"canary\" is a version");
  TRY(version_exists(call->api, function, canary, err));
  TRY(read_percent(json_get_text(tree, "percent"), &ret_row->permille, err));
  ret_row->canary = (uint32_t)canary;
  return true;
}

static void durable(void *arg, const struct store_result *result) {
  struct api_call *call = arg;
  if (result->err.code == ERR_OK)
    exchange_reply(call->x, &(struct http_answer){.status = 204}, BYTES_NONE);
  else
    api_fail_err(call, &result->err, 0);
}

/* The function of the request, when the caller may change it; NULL: answered. */
static struct function *function_named(struct api_call *call, struct bytes name) {
  struct function *function;
  struct err err;
  if (!catalog_find(flow_catalog(call->api->options.flow), name, &function, &err)) {
    api_fail_err(call, &err, 0);
    return NULL;
  }
  return api_may_app(call, bytes_str(function->name)) ? function : NULL;
}

/* PUT and DELETE /admin/aliases/NAME?function=F */
static void change_alias(struct api_call *call, bool set) {
  const struct json *tree = NULL;
  struct alias_row row;
  struct err err;
  cleanup_buf struct buf key = {0};
  cleanup_buf struct buf value = {0};
  struct function *function = function_named(call, api_query(call, "function"));
  if (!function || (set && !api_body_json(call, &tree))) return;
  if (!alias_name_check(call->captures[0], &err) ||
      (set && !read_alias(call, function, tree, &row, &err))) {
    api_fail_err(call, &err, 0);
    return;
  }
  buf_init(&key, 1024);
  buf_init(&value, 256);
  alias_row_key(&key, bytes_str(function->name), call->captures[0]);
  struct store_commit *commit = commit_new();
  if (set) {
    alias_row_encode(&value, &row);
    commit_put(commit, TABLE_alias, buf_bytes(&key), buf_bytes(&value));
  } else {
    commit_remove(commit, TABLE_alias, buf_bytes(&key));
  }
  flow_audit(call->api->options.flow, commit, call->principal->name,
             set ? "alias.set" : "alias.remove",
             arena_printf(api_arena(call), "%s:%.*s", function->name, BYTES_FMT(call->captures[0])),
             "ok", NULL);
  store_submit(call->api->options.store, &commit, durable, call);
}

static void put_alias(struct api_call *call) {
  change_alias(call, true);
}

static void delete_alias(struct api_call *call) {
  change_alias(call, false);
}

/* ---- GET /admin/aliases?function=F ---- */

struct alias_listing {
  struct api_call *call;
  struct buf prefix, body;
  struct json_out out;
  bool ok;
  struct err err;
};

static bool list_alias(void *arg, const struct store_row *row) {
  struct alias_listing *listing = arg;
  struct alias_row alias;
  if (!alias_row_decode(row->value, &alias, &listing->err)) return false;
  json_out_open(&listing->out, '{');
  json_out_member(&listing->out, "alias", bytes_from(row->key, listing->prefix.len));
  json_out_member_int(&listing->out, "version", alias.live);
  if (alias.canary) {
    json_out_member_int(&listing->out, "canary", alias.canary);
    json_out_member_int(&listing->out, "canary_percent", alias.permille / 10);
  }
  json_out_close(&listing->out, '}');
  return true;
}

static void list_query(void *arg, struct store_reader *reader) {
  struct alias_listing *listing = arg;
  struct store_range range = {.table = TABLE_alias, .prefix = buf_bytes(&listing->prefix)};
  listing->ok = store_scan(reader, &range, list_alias, listing, &listing->err);
}

static void list_done(void *arg) {
  struct alias_listing *listing = arg;
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

static void get_aliases(struct api_call *call) {
  struct function *function = function_named(call, api_query(call, "function"));
  if (!function) return;
  struct alias_listing *listing = must_alloc(sizeof *listing);
  listing->call = call;
  buf_init(&listing->prefix, 1024);
  buf_init(&listing->body, LIST_BYTES_MAX);
  buf_put(&listing->prefix, bytes_str(function->name));
  buf_char(&listing->prefix, 0);
  json_out_init(&listing->out, &listing->body);
  json_out_open(&listing->out, '{');
  json_out_name(&listing->out, "aliases");
  json_out_open(&listing->out, '[');
  store_ask(call->api->options.store, list_query, list_done, listing);
}

const struct api_route admin_alias_routes[] = {
    {"GET", "/admin/aliases", ACT_READ, get_aliases, 0},
    {"PUT", "/admin/aliases/{name}", ACT_DEPLOY, put_alias, 0},
    {"DELETE", "/admin/aliases/{name}", ACT_DEPLOY, delete_alias, 0},
};
API_ROUTE_COUNT(admin_alias)

/* source/api/api.c: one table of routes, one way in. */
#include "source/api/api.h"

#include "base/must.h"
#include "source/api/follow.h"
#include "source/api/parts.h"
#include "wire/traceparent.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { API_ARENA_BYTES_MAX = 4 << 20, API_ROUTES_MAX = 128, API_EXCHANGE_ARENA = 64 << 20 };

struct compiled_route {
  const struct api_route *spec;
  struct route route;
  void *source;
};

const struct api_options *api_options(const struct api *api) {
  return &api->options;
}

struct arena *api_arena(struct api_call *call) {
  return exchange_arena(call->x);
}

/* ---- Answers ---- */

void api_json(struct api_call *call, int status, struct bytes json) {
  struct http_answer answer = {.status = status, .content_type = BYTES("application/json")};
  exchange_reply(call->x, &answer, json);
}

void api_fail_err(struct api_call *call, const struct err *err, int64_t retry_after_ms) {
  if (call->route && call->route->fail) {
    call->route->fail(call, err, retry_after_ms);
    return;
  }
  struct buf body;
  struct json_out out;
  char seconds[24];
  struct http_header retry = {BYTES("retry-after"), BYTES_NONE};
  struct http_answer answer = {.status = err_facts(err->code)->http_status,
                               .content_type = BYTES("application/json")};
  if (retry_after_ms > 0) {
    snprintf(seconds, sizeof seconds, "%lld", (long long)((retry_after_ms + 999) / 1000));
    retry.value = bytes_str(seconds);
    answer.headers = &retry;
    answer.header_count = 1;
  }
  buf_init(&body, 4096);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_name(&out, "error");
  json_out_open(&out, '{');
  json_out_member_str(&out, "code", err_facts(err->code)->word);
  json_out_member_str(&out, "message", err->detail);
  json_out_close(&out, '}');
  json_out_close(&out, '}');
  exchange_reply(call->x, &answer, buf_bytes(&body));
  buf_fini(&body);
}

void api_fail(struct api_call *call, enum err_code code, const char *format, ...) {
  struct err err = {.code = code};
  va_list args;
  va_start(args, format);
  vsnprintf(err.detail, sizeof err.detail, format, args);
  va_end(args);
  api_fail_err(call, &err, err_facts(code)->retry == ERR_RETRY_LATER ? 1000 : 0);
}

bool api_may_app(struct api_call *call, struct bytes name) {
  if (principal_may_app(call->principal, name)) return true;
  door_deny(call, ERR_DENIED, call->principal->name, "this token is for another app");
  return false;
}

bool api_wants(struct bytes filter, struct bytes app, struct bytes function) {
  struct bytes rest;
  size_t slash = bytes_find(filter, '/');
  if (filter.len == 0) return true;
  if (slash == filter.len) return bytes_eq(filter, function) || bytes_eq(filter, app);
  return bytes_eq(bytes_cut(filter, '/', &rest), app) && bytes_eq(rest, function);
}

/* W3C Trace Context: a header that is malformed is as good as none. */
struct bytes api_trace(const struct api_call *call) {
  struct bytes text = exchange_header(call->x, "traceparent");
  struct traceparent trace;
  struct err err;
  return traceparent_parse(text, &trace, &err) ? text : BYTES_NONE;
}

struct bytes api_query(struct api_call *call, const char *name) {
  struct bytes rest = exchange_request(call->x)->query;
  while (rest.len) {
    struct bytes value;
    struct bytes pair = bytes_cut(rest, '&', &rest);
    if (!bytes_eq_str(bytes_cut(pair, '=', &value), name)) continue;
    struct buf decoded;
    struct err err;
    buf_init(&decoded, HTTP_TARGET_BYTES_MAX);
    struct bytes text = BYTES_NONE;
    if (percent_decode(&decoded, value, true, &err))
      text = arena_copy(api_arena(call), buf_bytes(&decoded));
    if (text.len == 0) text = bytes_str("");
    buf_fini(&decoded);
    return text;
  }
  return BYTES_NONE;
}

bool api_capture_id(struct api_call *call, struct id *ret_id) {
  struct err err;
  if (id_parse(call->captures[0], ret_id, &err)) return true;
  api_fail_err(call, &err, 0);
  return false;
}

bool api_body_json(struct api_call *call, const struct json **ret_tree) {
  enum { OWN_BYTES = 256 << 10 }; /* what a body may not take from the call that answers it */
  struct arena *arena = api_arena(call);
  struct err err;
  arena->bytes_max -= OWN_BYTES;
  bool ok = json_parse(arena, exchange_body(call->x), ret_tree, &err);
  arena->bytes_max += OWN_BYTES;
  if (ok) return true;
  api_fail_err(call, &err, 0);
  return false;
}

/* ---- Routing ---- */

static const struct compiled_route *route_of(struct api *api, struct api_call *call,
                                             bool *ret_path_known) {
  struct bytes method = exchange_request(call->x)->method;
  *ret_path_known = false;
  for (size_t i = 0; i < api->route_count; i++) {
    const struct compiled_route *route = &api->routes[i];
    if (!route_match(&route->route, call->path, call->captures)) continue;
    *ret_path_known = true;
    const char *wanted = route->spec->method;
    if (wanted[0] == '*' || bytes_eq_str(method, wanted)) return route;
    if (bytes_eq_str(method, "HEAD") && bytes_eq_str(bytes_str(wanted), "GET")) return route;
  }
  return NULL;
}

static bool decode_captures(struct api_call *call, const struct compiled_route *route,
                            struct err *err) {
  for (size_t i = 0; i < route->route.capture_count; i++) {
    struct buf text;
    buf_init(&text, HTTP_TARGET_BYTES_MAX);
    bool ok = percent_decode(&text, call->captures[i], false, err);
    if (ok) call->captures[i] = arena_copy(api_arena(call), buf_bytes(&text));
    buf_fini(&text);
    if (!ok) return false;
  }
  return true;
}

/* Found once, at the head; the body limit and the handler both come from it. */
static struct api_call *call_new(struct api *api, struct http_exchange *x) {
  struct api_call *call = ARENA_NEW(exchange_arena(x), struct api_call);
  must(call != NULL);
  call->api = api;
  call->x = x;
  exchange_set_owner(x, call);
  return call;
}

static uint64_t on_head(void *arg, struct http_exchange *x) {
  struct api *api = arg;
  struct api_call *call = call_new(api, x);
  struct err err;
  bool known;
  if (!uri_path_normalize(exchange_arena(x), exchange_request(x)->path, &call->path, &err))
    return API_BODY_BYTES_MAX;
  const struct compiled_route *route = route_of(api, call, &known);
  call->own = (void *)(uintptr_t)route;
  if (!route || route->spec->body_bytes_max == 0) return API_BODY_BYTES_MAX;
  return route->spec->body_bytes_max;
}

static void on_request(void *arg, struct http_exchange *x) {
  struct api *api = arg;
  struct api_call *call = exchange_owner(x);
  struct err err;
  bool known = false;
  const struct compiled_route *route = call ? call->own : NULL; /* found at the head */
  if (!call) call = call_new(api, x);
  if (!route &&
      !uri_path_normalize(exchange_arena(x), exchange_request(x)->path, &call->path, &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  if (!route) route = route_of(api, call, &known);
  if (!route) {
    api_fail(call, known ? ERR_METHOD : ERR_NOT_FOUND,
             known ? "this path does not take this method" : "there is nothing at this path");
    return;
  }
  call->own = NULL;
  call->source = route->source;
  call->route = route->spec;
  call->principal = door_open(call, route->spec->act);
  if (!call->principal && route->spec->act) return;
  if (decode_captures(call, route, &err))
    route->spec->handler(call);
  else
    api_fail_err(call, &err, 0);
}

static int by_specificity(const void *a, const void *b) {
  return route_compare(&((const struct compiled_route *)a)->route,
                       &((const struct compiled_route *)b)->route);
}

void api_add(struct api *api, const struct api_route *routes, size_t count, void *source) {
  struct err err;
  must(api->route_count + count <= API_ROUTES_MAX);
  for (size_t i = 0; i < count; i++) {
    struct compiled_route *route = &api->routes[api->route_count++];
    route->spec = &routes[i];
    route->source = source;
    must(route_parse(&api->arena, bytes_str(routes[i].pattern), &route->route, &err));
  }
  qsort(api->routes, api->route_count, sizeof *api->routes, by_specificity);
}

bool api_open(const struct api_options *options, struct api **ret_api, struct err *err) {
  struct api *api = must_alloc(sizeof *api);
  api->options = *options;
  list_init(&api->followers);
  arena_init(&api->arena, API_ARENA_BYTES_MAX);
  api->routes = must_alloc(API_ROUTES_MAX * sizeof *api->routes);
  api->dev = (struct principal){.name = BYTES("dev"), .role = ROLE_ADMIN};
#define T(name) api_add(api, name##_routes, name##_route_count, NULL);
  API_TABLES(T)
#undef T
  fn_routes_build(api);
  struct http_server_options server = {.loop = options->loop,
                                       .address = options->address,
                                       .tls = options->tls,
                                       .arg = api,
                                       .request = on_request,
                                       .body_limit = on_head,
                                       .arena_bytes_max = API_EXCHANGE_ARENA};
  if (!http_server_open(&server, &api->server, err)) {
    api_close(&api);
    return false;
  }
  *ret_api = api;
  return true;
}

const char *api_address(const struct api *api) {
  return http_server_address(api->server);
}

void api_drain(struct api *api, void (*done)(void *arg), void *arg) {
  follow_end_all(api);
  http_server_drain(api->server, done, arg);
}

struct http_server_load api_load(const struct api *api) {
  return http_server_load(api->server);
}

void api_catalog_changed(struct api *api) {
  fn_routes_build(api);
}

void api_close(struct api **api) {
  struct api *a = *api;
  *api = NULL;
  if (!a) return;
  follow_end_all(a);
  if (a->server) http_server_close(&a->server);
  fn_routes_free(a);
  free(a->routes);
  arena_fini(&a->arena);
  free(a);
}

/* source/api/fn.c: routes of functions: /fn/...: API Gateway v2 events in, its replies out.
 * Source: AWS API Gateway, HTTP API, payload format version 2.0.                          */
#include "base/must.h"
#include "flow/catalog.h"
#include "source/api/parts.h"
#include "wire/codec.h"
#include "wire/utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum { FN_ARENA_BYTES_MAX = 64 << 20, FN_EVENT_BYTES_MAX = 16 << 20, FN_HEADERS_MAX = 50 };

/* Routes whose first segment behind /fn/ is the same literal; or, under "", all others. */
struct fn_route {
  struct fn_route *next;
  struct route route;
  struct bytes method;
  struct function *function;
};

struct fn_table {
  struct arena arena;
  struct map by_segment;
};

static struct bytes second_segment(struct bytes path) {
  struct bytes rest = bytes_from(path, 4); /* behind "/fn/" */
  return bytes_sub(rest, 0, bytes_find(rest, '/'));
}

/* Kept sorted, the most specific first. */
static void fn_insert(struct fn_table *routes, struct fn_route *route) {
  const struct route_segment *second = &route->route.segments[1];
  bool literal = route->route.segment_count > 1 && second->kind == ROUTE_LITERAL;
  struct bytes key = literal ? second->text : BYTES("");
  struct fn_route *first = map_get(&routes->by_segment, key);
  struct fn_route **at = &first;
  while (*at && route_compare(&(*at)->route, &route->route) <= 0) at = &(*at)->next;
  route->next = *at;
  *at = route;
  map_put(&routes->by_segment, key, first);
}

static void fn_add(struct fn_table *routes, struct function *function,
                   const struct manifest_trigger *trigger) {
  struct err err;
  struct fn_route *route = ARENA_NEW(&routes->arena, struct fn_route);
  if (!route) return;
  route->function = function;
  route->method = arena_copy(&routes->arena, trigger->method);
  if (route_parse(&routes->arena, arena_copy(&routes->arena, trigger->path), &route->route, &err))
    fn_insert(routes, route);
}

void fn_routes_free(struct api *api) {
  if (!api->fn) return;
  map_fini(&api->fn->by_segment);
  arena_fini(&api->fn->arena);
  free(api->fn);
  api->fn = NULL;
}

void fn_routes_build(struct api *api) {
  struct catalog *catalog = flow_catalog(api->options.flow);
  struct function *function;
  fn_routes_free(api);
  api->fn = must_alloc(sizeof *api->fn);
  arena_init(&api->fn->arena, FN_ARENA_BYTES_MAX);
  map_init(&api->fn->by_segment, random_u64(api->options.random));
  for (size_t at = 0; catalog_next(catalog, &at, &function);) {
    if (function->removed) continue;
    const struct manifest_trigger *trigger = function->live->spec->triggers;
    for (; trigger; trigger = trigger->next)
      if (trigger->kind == TRIGGER_HTTP) fn_add(api->fn, function, trigger);
  }
}

static const struct fn_route *fn_find(struct api_call *call, struct bytes captures[],
                                      bool *ret_path_known) {
  struct bytes method = exchange_request(call->x)->method;
  struct bytes keys[2] = {second_segment(call->path), BYTES("")};
  for (int k = 0; k < 2; k++) {
    const struct fn_route *route = map_get(&call->api->fn->by_segment, keys[k]);
    for (; route; route = route->next) {
      if (!route_match(&route->route, call->path, captures)) continue;
      *ret_path_known = true;
      if (bytes_eq_str(route->method, "ANY") || bytes_eq(route->method, method)) return route;
    }
  }
  return NULL;
}

/* ---- The event ---- */

static void write_headers(struct json_out *out, struct api_call *call) {
  const struct http_head *head = &exchange_request(call->x)->head;
  json_out_name(out, "headers");
  json_out_open(out, '{');
  for (size_t i = 0; i < head->header_count; i++) {
    struct bytes name = head->headers[i].name;
    char lower[128];
    bool seen = false;
    if (name.len >= sizeof lower || bytes_eq_nocase(name, BYTES("cookie"))) continue;
    if (bytes_eq_nocase(name, BYTES("authorization"))) continue; /* the platform's credential */
    for (size_t j = 0; j < i; j++) seen |= bytes_eq_nocase(head->headers[j].name, name);
    if (seen) continue;
    bytes_text(name, lower, sizeof lower);
    for (char *c = lower; *c; c++)
      if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    /* Several headers of one name are joined by commas. */
    struct buf joined;
    buf_init(&joined, HTTP_HEAD_BYTES_MAX);
    for (size_t j = i; j < head->header_count; j++) {
      if (!bytes_eq_nocase(head->headers[j].name, name)) continue;
      if (joined.len) buf_char(&joined, ',');
      buf_put(&joined, head->headers[j].value);
    }
    json_out_member(out, lower, buf_bytes(&joined));
    buf_fini(&joined);
  }
  json_out_close(out, '}');
}

static void write_cookies(struct json_out *out, struct api_call *call) {
  struct bytes rest = exchange_header(call->x, "cookie");
  if (rest.len == 0) return;
  json_out_name(out, "cookies");
  json_out_open(out, '[');
  while (rest.len) json_out_string(out, bytes_trim(bytes_cut(rest, ';', &rest)));
  json_out_close(out, ']');
}

static struct bytes decoded(struct api_call *call, struct bytes text) {
  struct buf out;
  struct err err;
  buf_init(&out, HTTP_TARGET_BYTES_MAX);
  struct bytes copy = text;
  if (percent_decode(&out, text, true, &err)) copy = arena_copy(api_arena(call), buf_bytes(&out));
  buf_fini(&out);
  return copy;
}

/* Several of one name are joined by commas, at the first one's place. */
static void write_query(struct json_out *out, struct api_call *call) {
  struct bytes query = exchange_request(call->x)->query;
  struct bytes names[HTTP_HEADERS_MAX];
  size_t count = 0;
  if (query.len == 0) return;
  json_out_name(out, "queryStringParameters");
  json_out_open(out, '{');
  for (struct bytes rest = query; rest.len && count < HTTP_HEADERS_MAX;) {
    struct bytes value;
    struct bytes name = bytes_cut(bytes_cut(rest, '&', &rest), '=', &value);
    bool seen = false;
    for (size_t i = 0; i < count; i++) seen |= bytes_eq(names[i], name);
    if (seen || name.len == 0) continue;
    names[count++] = name;
    struct buf joined;
    buf_init(&joined, HTTP_TARGET_BYTES_MAX);
    for (struct bytes again = query; again.len;) {
      struct bytes other;
      if (!bytes_eq(bytes_cut(bytes_cut(again, '&', &again), '=', &other), name)) continue;
      if (joined.len) buf_char(&joined, ',');
      buf_put(&joined, decoded(call, other));
    }
    json_out_name_bytes(out, decoded(call, name));
    json_out_string(out, buf_bytes(&joined));
    buf_fini(&joined);
  }
  json_out_close(out, '}');
}

static void write_path_parameters(struct json_out *out, struct api_call *call,
                                  const struct fn_route *route, const struct bytes captures[]) {
  if (route->route.capture_count == 0) return;
  json_out_name(out, "pathParameters");
  json_out_open(out, '{');
  for (size_t i = 0; i < route->route.capture_count; i++) {
    json_out_name_bytes(out, route_capture_name(&route->route, i));
    json_out_string(out, decoded(call, captures[i]));
  }
  json_out_close(out, '}');
}

static void write_request_context(struct json_out *out, struct api_call *call,
                                  struct bytes route_key) {
  const struct http_request *request = exchange_request(call->x);
  struct bytes peer = bytes_str(exchange_peer(call->x));
  int64_t now_ms = clock_wall_ms(call->api->options.clock);
  char time[RFC3339_BYTES];
  char id[ID_TEXT_BYTES];
  size_t colon = peer.len;
  while (colon > 0 && peer.at[colon - 1] != ':') colon--;
  rfc3339_format(now_ms, time);
  id_text(random_id(call->api->options.random, call->api->options.clock), id);
  json_out_name(out, "requestContext");
  json_out_open(out, '{');
  json_out_member_str(out, "accountId", "medulla");
  json_out_member_str(out, "apiId", "fn");
  json_out_member(out, "domainName", request->host);
  json_out_name(out, "http");
  json_out_open(out, '{');
  json_out_member(out, "method", request->method);
  json_out_member(out, "path", call->path);
  json_out_member_str(out, "protocol", "HTTP/1.1");
  json_out_member(out, "sourceIp", bytes_sub(peer, 0, colon ? colon - 1 : 0));
  json_out_member(out, "userAgent", exchange_header(call->x, "user-agent"));
  json_out_close(out, '}');
  json_out_member_str(out, "requestId", id);
  json_out_member(out, "routeKey", route_key);
  json_out_member_str(out, "stage", "$default");
  json_out_member_str(out, "time", time);
  json_out_member_int(out, "timeEpoch", now_ms);
  json_out_close(out, '}');
}

static void write_body(struct json_out *out, struct api_call *call) {
  struct bytes body = exchange_body(call->x);
  bool text = utf8_valid(body);
  if (body.len) {
    json_out_name(out, "body");
    if (text) {
      json_out_string(out, body);
    } else {
      buf_char(out->buf, '"');
      base64_encode(out->buf, body, 0);
      buf_char(out->buf, '"');
      out->comma = true;
    }
  }
  json_out_member_bool(out, "isBase64Encoded", body.len && !text);
}

static void write_event(struct buf *buf, struct api_call *call, const struct fn_route *route,
                        const struct bytes captures[]) {
  struct json_out out;
  struct bytes key = arena_printf(api_arena(call), "%.*s %.*s", BYTES_FMT(route->method),
                                  BYTES_FMT(route->route.pattern));
  json_out_init(&out, buf);
  json_out_open(&out, '{');
  json_out_member_str(&out, "version", "2.0");
  json_out_member(&out, "routeKey", key);
  json_out_member(&out, "rawPath", call->path);
  json_out_member(&out, "rawQueryString", exchange_request(call->x)->query);
  write_cookies(&out, call);
  write_headers(&out, call);
  write_query(&out, call);
  write_path_parameters(&out, call, route, captures);
  write_request_context(&out, call, key);
  write_body(&out, call);
  json_out_close(&out, '}');
}

/* ---- The reply ---- */

static size_t reply_headers(const struct json *tree, struct http_answer *answer,
                            struct http_header headers[FN_HEADERS_MAX]) {
  size_t count = 0;
  const struct json *given = json_get(tree, "headers");
  for (const struct json *h = given ? given->first : NULL; h && count < FN_HEADERS_MAX;
       h = h->next) {
    if (bytes_eq_nocase(h->name, BYTES("content-length"))) continue;
    if (bytes_eq_nocase(h->name, BYTES("content-type")))
      answer->content_type = h->text;
    else
      headers[count++] = (struct http_header){h->name, h->text};
  }
  const struct json *cookies = json_get(tree, "cookies");
  for (const struct json *c = cookies ? cookies->first : NULL; c && count < FN_HEADERS_MAX;
       c = c->next)
    headers[count++] = (struct http_header){BYTES("set-cookie"), c->text};
  return count;
}

/* With statusCode it is a reply; anything else is the body of a 200. */
static void reply_with(struct api_call *call, struct bytes result) {
  const struct json *tree;
  struct err err;
  struct http_header headers[FN_HEADERS_MAX];
  struct http_answer answer = {.status = 200, .content_type = BYTES("application/json")};
  int64_t status;
  if (!json_parse(api_arena(call), result, &tree, &err) ||
      !json_int(json_get(tree, "statusCode"), &status)) {
    exchange_reply(call->x, &answer, result);
    return;
  }
  if (status < 200 || status > 599) {
    api_fail(call, ERR_GUEST, "the function answered with a statusCode that is none");
    return;
  }
  answer.status = (int)status;
  answer.header_count = reply_headers(tree, &answer, headers);
  answer.headers = headers;
  const struct json *body = json_get(tree, "body");
  struct bytes text = body && body->kind == JSON_STRING ? body->text
                      : body                            ? body->text
                                                        : BYTES_NONE;
  struct buf raw;
  buf_init(&raw, GUEST_OUTPUT_BYTES_MAX);
  if (json_is_true(json_get(tree, "isBase64Encoded")) && base64_decode(&raw, text, 0, &err))
    text = buf_bytes(&raw);
  exchange_reply(call->x, &answer, text);
  buf_fini(&raw);
}

static void on_answered(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  if (answer->err.code != ERR_OK) {
    api_fail_err(call, &answer->err, answer->retry_after_ms);
    return;
  }
  switch (answer->end) {
  case RUN_SUCCEEDED: reply_with(call, answer->body); break;
  case RUN_TIMED_OUT: api_fail(call, ERR_TIMEOUT, "the function took longer than its limit"); break;
  case RUN_REFUSED:
    if (answer->reason && bytes_eq_str(bytes_str(answer->reason), "contract"))
      api_json(call, 400, answer->body);
    else
      api_fail(call, ERR_UNAVAILABLE, "the function could not be started");
    break;
  case RUN_FAILED: api_fail(call, ERR_GUEST, "the function failed; see its run"); break;
  }
}

static void any_fn(struct api_call *call) {
  struct bytes captures[ROUTE_SEGMENTS_MAX];
  struct buf event;
  bool known = false;
  const struct fn_route *route = fn_find(call, captures, &known);
  if (!route) {
    api_fail(call, known ? ERR_METHOD : ERR_NOT_FOUND,
             known ? "this route does not take this method" : "no function has this route");
    return;
  }
  if (!api_may_app(call, bytes_str(route->function->name))) return;
  buf_init(&event, FN_EVENT_BYTES_MAX);
  write_event(&event, call, route, captures);
  struct flow_invocation invocation = {.function = bytes_str(route->function->name),
                                       .payload = buf_bytes(&event),
                                       .principal = call->principal->name,
                                       .traceparent = api_trace(call),
                                       .source = "http"};
  call->reply.answer = on_answered;
  flow_invoke(call->api->options.flow, &invocation, &call->reply);
  buf_fini(&event);
}

const struct api_route fn_routes[] = {
    {"*", "/fn/{rest+}", ACT_INVOKE, any_fn, 0},
};
API_ROUTE_COUNT(fn)

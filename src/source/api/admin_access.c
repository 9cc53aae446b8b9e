/* source/api/admin_access.c: tokens made, listed and revoked. */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/api/parts.h"
#include "wire/codec.h"

enum { LIST_BYTES_MAX = 32 << 20 };

static void write_certificate(struct json_out *out, const struct principal *p) {
  cleanup_buf struct buf hex = {0};
  buf_init(&hex, 2 * SHA256_BYTES);
  hex_encode(&hex, bytes_of(p->certificate, SHA256_BYTES));
  json_out_member(out, "certificate_sha256", buf_bytes(&hex));
}

static void write_principal(struct json_out *out, const struct principal *p) {
  json_out_member(out, "name", p->name);
  json_out_member_str(out, "role", role_word(p->role));
  if (p->app.len) json_out_member(out, "app", p->app);
  if (p->source.len) json_out_member(out, "source", p->source);
  json_out_member_int(out, "created_ms", p->created_ms);
  if (p->expires_ms) json_out_member_int(out, "expires_ms", p->expires_ms);
  if (p->certified)
    write_certificate(out, p);
  else
    json_out_member_str(out, "access_key_id", p->aws_key);
}

/* The one time token and secret key are shown. */
static void on_created(void *arg, const struct err *err, const struct principal *p,
                       const char *token) {
  struct api_call *call = arg;
  struct json_out out;
  cleanup_buf struct buf body = {0};
  if (err) {
    api_fail_err(call, err, 0);
    return;
  }
  buf_init(&body, 4096);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  write_principal(&out, p);
  if (!p->certified) {
    json_out_member_str(&out, "token", token);
    json_out_member_str(&out, "secret_access_key", p->aws_secret);
  }
  json_out_close(&out, '}');
  api_json(call, 201, buf_bytes(&body));
}

static void on_revoked(void *arg, const struct err *err, const struct principal *p,
                       const char *token) {
  struct api_call *call = arg;
  if (err)
    api_fail_err(call, err, 0);
  else
    exchange_reply(call->x, &(struct http_answer){.status = 204}, BYTES_NONE);
}

static void post_token(struct api_call *call) {
  const struct json *tree;
  struct principal_request request = {.by = call->principal->name};
  cleanup_buf struct buf sha = {0};
  struct err err;
  buf_init(&sha, SHA256_BYTES);
  if (!api_body_json(call, &tree)) return;
  request.name = json_get_text(tree, "name");
  request.role = json_get_text(tree, "role");
  request.app = json_get_text(tree, "app");
  request.source = json_get_text(tree, "source");
  struct bytes hex = json_get_text(tree, "certificate_sha256");
  if (hex.len && !hex_decode(&sha, hex, &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  if (hex.len) request.certificate = buf_bytes(&sha);
  int64_t in_ms;
  if (json_int(json_get(tree, "expires_in_ms"), &in_ms))
    request.expires_ms = clock_wall_ms(call->api->options.clock) + in_ms;
  principal_create(call->api->options.principals, &request, on_created, call);
}

static void delete_token(struct api_call *call) {
  principal_revoke(call->api->options.principals, call->captures[0], call->principal->name,
                   on_revoked, call);
}

static void get_tokens(struct api_call *call) {
  const struct principal *p;
  struct json_out out;
  cleanup_buf struct buf body = {0};
  buf_init(&body, LIST_BYTES_MAX);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_name(&out, "tokens");
  json_out_open(&out, '[');
  for (size_t at = 0; principal_next(call->api->options.principals, &at, &p);) {
    json_out_open(&out, '{');
    write_principal(&out, p);
    json_out_close(&out, '}');
  }
  json_out_close(&out, ']');
  json_out_close(&out, '}');
  api_json(call, 200, buf_bytes(&body));
}

const struct api_route admin_access_routes[] = {
    {"POST", "/admin/tokens", ACT_ADMIN, post_token, 0},
    {"GET", "/admin/tokens", ACT_ADMIN, get_tokens, 0},
    {"DELETE", "/admin/tokens/{name}", ACT_ADMIN, delete_token, 0},
};
API_ROUTE_COUNT(admin_access)

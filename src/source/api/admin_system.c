/* source/api/admin_system.c: health, metrics, doctor, audit. */
#include "audit/sequencer.h"
#include "base/cleanup.h"
#include "base/must.h"
#include "source/api/parts.h"
#include "wire/codec.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES_MAX = 8 << 20 };

/* Still 200 when nothing can be made durable: pure calls are answered, a restart mends no disk. */
static void get_health(struct api_call *call) {
  struct store_load load = store_load(call->api->options.store);
  char body[64];
  int len = snprintf(body, sizeof body, "{\"status\":\"degraded\",\"store\":\"%s\"}",
                     err_facts(load.failing)->word);
  if (load.failing == ERR_OK)
    api_json(call, 200, BYTES("{\"status\":\"ok\"}"));
  else
    api_json(call, 200, bytes_of(body, (size_t)len));
}

static void get_metrics(struct api_call *call) {
  const struct api_options *options = &call->api->options;
  cleanup_buf struct buf text = {0};
  struct http_answer answer = {.status = 200, .content_type = BYTES("text/plain; version=0.0.4")};
  buf_init(&text, TEXT_BYTES_MAX);
  if (options->metrics) options->metrics(options->arg, &text);
  exchange_reply(call->x, &answer, buf_bytes(&text));
}

static void get_doctor(struct api_call *call) {
  const struct api_options *options = &call->api->options;
  cleanup_buf struct buf text = {0};
  struct json_out out;
  buf_init(&text, TEXT_BYTES_MAX);
  json_out_init(&out, &text);
  json_out_open(&out, '{');
  if (options->doctor) options->doctor(options->arg, &out);
  json_out_close(&out, '}');
  api_json(call, 200, buf_bytes(&text));
}

/* ---- GET /admin/audit/verify ---- */

struct verifying {
  struct api_call *call;
  struct audit_verdict verdict;
};

static void verify_query(void *arg, struct store_reader *reader) {
  audit_verify(reader, &((struct verifying *)arg)->verdict);
}

static void verify_done(void *arg) {
  struct verifying *verifying = arg;
  const struct audit_verdict *verdict = &verifying->verdict;
  struct json_out out;
  cleanup_buf struct buf body = {0};
  cleanup_buf struct buf root = {0};
  buf_init(&body, TEXT_BYTES_MAX);
  buf_init(&root, 2 * SHA256_BYTES);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_bool(&out, "sound", verdict->ok);
  json_out_member_int(&out, "records", (int64_t)verdict->records);
  if (verdict->ok) {
    hex_encode(&root, bytes_of(verdict->root, SHA256_BYTES));
    json_out_member(&out, "root", buf_bytes(&root));
  } else {
    json_out_member_int(&out, "index", (int64_t)verdict->records);
    json_out_member_int(&out, "position", (int64_t)verdict->bad_position);
    json_out_member_str(&out, "what", verdict->err.detail);
  }
  json_out_close(&out, '}');
  api_json(verifying->call, 200, buf_bytes(&body));
  free(verifying);
}

static void get_audit_verify(struct api_call *call) {
  struct verifying *verifying = must_alloc(sizeof *verifying);
  verifying->call = call;
  store_ask(call->api->options.store, verify_query, verify_done, verifying);
}

const struct api_route admin_system_routes[] = {
    {"GET", "/healthz", 0, get_health, 0},
    {"GET", "/metrics", ACT_READ, get_metrics, 0},
    {"GET", "/admin/audit/verify", ACT_READ, get_audit_verify, 0},
    {"GET", "/admin/doctor", ACT_READ, get_doctor, 0},
};
API_ROUTE_COUNT(admin_system)

/* source/api/admin_system.c: health, metrics, doctor, audit. */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/api/parts.h"

enum { TEXT_BYTES_MAX = 8 << 20 };

static void get_health(struct api_call *call) {
  api_json(call, 200, BYTES("{\"status\":\"ok\"}"));
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

const struct api_route admin_system_routes[] = {
    {"GET", "/healthz", 0, get_health, 0},
    {"GET", "/metrics", ACT_READ, get_metrics, 0},
    {"GET", "/admin/doctor", ACT_READ, get_doctor, 0},
};
API_ROUTE_COUNT(admin_system)

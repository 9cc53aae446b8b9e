/* source/api/invoke.c: Lambda's Invoke API.
 * Source: AWS Lambda API Reference, Invoke. Synchronous: 200 even when the function failed, with
 * X-Amz-Function-Error; asynchronous: 202 when durable; DryRun: 204.                          */
#include "base/must.h"
#include "flow/catalog.h"
#include "source/api/parts.h"
#include "wire/codec.h"

#include <stdio.h>

enum { INVOKE_ASYNC_BYTES_MAX = 1 << 20, INVOKE_LOG_TAIL_BYTES = 4096 };

/* The SDKs look for their own names of errors. */
static const char *aws_error(enum err_code code) {
  switch (err_facts(code)->http_status) {
  case 404: return "ResourceNotFoundException";
  case 403: return "AccessDeniedException";
  case 413: return "RequestTooLargeException";
  case 429: return "TooManyRequestsException";
  case 400: return "InvalidRequestContentException";
  default: return "ServiceException";
  }
}

static void aws_fail(struct api_call *call, const struct err *err) {
  struct buf body;
  struct json_out out;
  struct http_header headers[] = {{BYTES("x-amzn-errortype"), bytes_str(aws_error(err->code))},
                                  {BYTES("retry-after"), BYTES("1")}};
  bool later = err_facts(err->code)->retry == ERR_RETRY_LATER;
  struct http_answer answer = {.status = err_facts(err->code)->http_status,
                               .content_type = BYTES("application/json"),
                               .headers = headers,
                               .header_count = later ? 2 : 1};
  buf_init(&body, 4096);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_str(&out, "Type", answer.status < 500 ? "User" : "Service");
  json_out_member_str(&out, "Message", err->detail);
  if (err->code == ERR_BUSY)
    json_out_member_str(&out, "Reason", "ReservedFunctionConcurrentInvocationLimitExceeded");
  json_out_close(&out, '}');
  exchange_reply(call->x, &answer, buf_bytes(&body));
  buf_fini(&body);
}

static struct bytes log_tail(struct api_call *call, struct bytes log) {
  struct buf text;
  if (log.len > INVOKE_LOG_TAIL_BYTES) log = bytes_from(log, log.len - INVOKE_LOG_TAIL_BYTES);
  buf_init(&text, 2 * INVOKE_LOG_TAIL_BYTES);
  base64_encode(&text, log, 0);
  struct bytes tail = arena_copy(api_arena(call), buf_bytes(&text));
  buf_fini(&text);
  return tail;
}

static void on_invoked(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  struct http_header headers[4];
  size_t count = 0;
  char id[ID_TEXT_BYTES];
  char version[16];
  if (answer->err.code != ERR_OK) {
    aws_fail(call, &answer->err);
    return;
  }
  if (answer->run) {
    id_text(answer->run->id, id);
    snprintf(version, sizeof version, "%llu", (unsigned long long)answer->run->version);
    headers[count++] = (struct http_header){BYTES("x-amzn-requestid"), bytes_str(id)};
    headers[count++] = (struct http_header){BYTES("x-amz-executed-version"), bytes_str(version)};
  }
  if (answer->end != RUN_SUCCEEDED)
    headers[count++] = (struct http_header){BYTES("x-amz-function-error"), BYTES("Unhandled")};
  if (answer->run && bytes_eq_nocase(exchange_header(call->x, "x-amz-log-type"), BYTES("Tail")))
    headers[count++] =
        (struct http_header){BYTES("x-amz-log-result"), log_tail(call, answer->run->log)};
  bool contract = answer->end == RUN_REFUSED && answer->reason &&
                  bytes_eq_str(bytes_str(answer->reason), "contract");
  struct http_answer out = {.status = contract ? 400 : 200,
                            .content_type = BYTES("application/json"),
                            .headers = headers,
                            .header_count = count};
  exchange_reply(call->x, &out, answer->body);
}

static void on_dry(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  struct http_answer out = {.status = 204};
  if (answer->err.code != ERR_OK)
    aws_fail(call, &answer->err);
  else
    exchange_reply(call->x, &out, BYTES_NONE);
}

static void on_accepted(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  char id[ID_TEXT_BYTES];
  if (answer->err.code != ERR_OK) {
    aws_fail(call, &answer->err);
    return;
  }
  id_text(answer->event, id);
  struct http_header header = {BYTES("x-amzn-requestid"), bytes_str(id)};
  struct http_answer out = {.status = 202, .headers = &header, .header_count = 1};
  exchange_reply(call->x, &out, BYTES_NONE);
}

/* Asynchronous: an event owed to this function alone. */
static void invoke_event(struct api_call *call, struct bytes payload) {
  struct api *api = call->api;
  char id[ID_TEXT_BYTES];
  struct buf envelope;
  struct flow_incoming incoming = {
      .event = {.id = random_id(api->options.random, api->options.clock),
                .received_ms = clock_wall_ms(api->options.clock),
                .shape = EVENT_DATA,
                .ce_source = BYTES("invoke"),
                .ce_type = BYTES(EVENT_TYPE_INVOKE),
                .principal = call->principal->name,
                .traceparent = api_trace(call)}};
  struct event *event = &incoming.event;
  id_text(event->id, id);
  event->ce_id = bytes_str(id);
  if (payload.len > INVOKE_ASYNC_BYTES_MAX) {
    struct err err;
    err_set(&err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE, "an asynchronous event has at most 1 MiB");
    aws_fail(call, &err);
    return;
  }
  buf_init(&envelope, 2 * INVOKE_ASYNC_BYTES_MAX);
  event_write_envelope(&envelope, event, payload);
  event->envelope = buf_bytes(&envelope);
  event->data = bytes_sub(event->envelope, envelope.len - 1 - payload.len, payload.len);
  struct flow_admission admission = {
      .incoming = &incoming, .count = 1, .function = call->captures[0]};
  call->reply.answer = on_accepted;
  flow_admit(api->options.flow, &admission, &call->reply);
  buf_fini(&envelope);
}

static bool type_known(struct bytes type) {
  return type.len == 0 || bytes_eq_nocase(type, BYTES("RequestResponse")) ||
         bytes_eq_nocase(type, BYTES("Event")) || bytes_eq_nocase(type, BYTES("DryRun"));
}

static void post_invoke(struct api_call *call) {
  struct bytes type = exchange_header(call->x, "x-amz-invocation-type");
  struct bytes payload = bytes_trim(exchange_body(call->x));
  const struct json *tree;
  struct function *function;
  struct err err;
  if (!catalog_find(flow_catalog(call->api->options.flow), call->captures[0], &function, &err)) {
    aws_fail(call, &err);
    return;
  }
  if (!api_may_app(call, bytes_str(function->name))) return;
  if (!type_known(type)) {
    err_set(&err, ERR_INVALID, ERR_PLACE, ERR_OFFSET_NONE,
            "X-Amz-Invocation-Type is RequestResponse, Event or DryRun");
    aws_fail(call, &err);
    return;
  }
  if (payload.len && !json_parse(api_arena(call), payload, &tree, &err)) {
    aws_fail(call, &err);
    return;
  }
  if (bytes_eq_nocase(type, BYTES("Event"))) {
    invoke_event(call, payload.len ? payload : BYTES("null"));
    return;
  }
  struct flow_invocation invocation = {.function = call->captures[0],
                                       .qualifier = api_query(call, "Qualifier"),
                                       .payload = payload,
                                       .principal = call->principal->name,
                                       .traceparent = api_trace(call),
                                       .source = "invoke",
                                       .dry = bytes_eq_nocase(type, BYTES("DryRun"))};
  call->reply.answer = invocation.dry ? on_dry : on_invoked;
  flow_invoke(call->api->options.flow, &invocation, &call->reply);
}

const struct api_route invoke_routes[] = {
    {"POST", "/2015-03-31/functions/{name}/invocations", ACT_INVOKE, post_invoke, 0},
};
API_ROUTE_COUNT(invoke)

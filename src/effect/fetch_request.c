/* effect/fetch_request.c: what of a request is the guest's to say. */
#include "effect/fetch_request.h"

#include "wire/http.h"
#include "wire/uri.h"
#include "wire/utf8.h"

enum { HEADER_BYTES_MAX = 64 << 10 };

/* Framing and the connection are ours; the name of the host is the URL's. */
static bool is_ours(struct bytes name) {
  static const char *const names[] = {
      "connection", "content-length",    "expect", "host", "keep-alive", "te", "trailer", "upgrade",
      "via",        "transfer-encoding", "cookie2"};
  struct bytes prefix = bytes_sub(name, 0, 6);
  if (bytes_eq_nocase(prefix, BYTES("proxy-"))) return true;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (bytes_eq_nocase(name, bytes_str(names[i]))) return true;
  return false;
}

static bool put_header(struct buf *out, struct bytes name, struct bytes value, struct err *err) {
  if (!http_token_valid(name) || !http_value_valid(value))
    FAIL(ERR_INVALID, "a header is malformed");
  if (is_ours(name)) return true; /* as browsers do: left out */
  buf_put(out, name);
  buf_str(out, ": ");
  buf_put(out, value);
  buf_str(out, "\r\n");
  return true;
}

/* Headers of ours that the guest brought itself. */
struct brought {
  bool key, trace;
};

/* [[name, value]...] or {name: value}. */
static bool put_headers(struct buf *out, const struct json *headers, struct brought *ret_brought,
                        struct err *err) {
  bool pairs = headers && headers->kind == JSON_ARRAY;
  for (const struct json *item = headers ? headers->first : NULL; item; item = item->next) {
    struct bytes name = pairs ? json_text(json_item(item, 0)) : item->name;
    struct bytes value = pairs ? json_text(json_item(item, 1)) : json_text(item);
    if (bytes_eq_nocase(name, BYTES("Idempotency-Key"))) ret_brought->key = true;
    if (bytes_eq_nocase(name, BYTES("traceparent"))) ret_brought->trace = true;
    TRY(put_header(out, name, value, err));
  }
  return true;
}

/* Requests that change something carry the call's key, all the trace they belong to, unless the
 * guest brought its own. */
static bool read_headers(struct effect_call *call, struct fetch_request *request, struct err *err) {
  struct buf out;
  char id[ID_TEXT_BYTES];
  struct brought brought = {0};
  struct bytes trace = call->run->traceparent;
  bool safe = bytes_eq_str(request->method, "GET") || bytes_eq_str(request->method, "HEAD");
  buf_init(&out, HEADER_BYTES_MAX);
  bool ok = put_headers(&out, json_get(call->payload, "headers"), &brought, err);
  id_text(effect_idempotency(call), id);
  if (!safe && !brought.key) buf_printf(&out, "Idempotency-Key: %s\r\n", id);
  if (trace.len && !brought.trace) buf_printf(&out, "traceparent: %.*s\r\n", BYTES_FMT(trace));
  if (ok && !buf_ok(&out)) {
    err_set(err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE, "headers have at most 64 KiB");
    ok = false;
  }
  request->headers = arena_copy(&call->arena, buf_bytes(&out));
  buf_fini(&out);
  return ok;
}

static bool read_body(struct effect_call *call, struct fetch_request *request, struct err *err) {
  struct bytes body = json_get_text(call->payload, "body");
  struct buf decoded;
  request->body = body;
  if (!bytes_eq_str(json_get_text(call->payload, "encoding"), "base64")) return true;
  buf_init(&decoded, EGRESS_BODY_BYTES_MAX);
  bool ok = base64_decode(&decoded, body, 0, err);
  request->body = arena_copy(&call->arena, buf_bytes(&decoded));
  buf_fini(&decoded);
  return ok;
}

static bool read_url(struct effect_call *call, struct bytes url, struct fetch_request *request,
                     struct err *err) {
  struct uri uri;
  url = bytes_sub(url, 0, bytes_find(url, '#'));
  TRY(uri_parse(&call->arena, url, &uri, err));
  if (!bytes_eq_str(uri.scheme, "http") && !bytes_eq_str(uri.scheme, "https"))
    FAIL(ERR_INVALID, "the URL is http or https");
  request->url = arena_copy(&call->arena, url);
  request->origin =
      arena_printf(&call->arena, "%.*s://%.*s", BYTES_FMT(uri.scheme), BYTES_FMT(uri.authority));
  return true;
}

bool fetch_request_read(struct effect_call *call, struct fetch_request *ret_request,
                        struct err *err) {
  struct fetch_request request = {.method = json_get_text(call->payload, "method"),
                                  .timeout_ms = FETCH_TIMEOUT_MS};
  const struct json *timeout = json_get(call->payload, "timeout_ms");
  if (!request.method.len) request.method = BYTES("GET");
  if (!http_token_valid(request.method) || request.method.len > HTTP_METHOD_BYTES_MAX ||
      bytes_eq_nocase(request.method, BYTES("CONNECT")) ||
      bytes_eq_nocase(request.method, BYTES("TRACE")))
    FAIL(ERR_INVALID, "the method is not one to fetch with");
  if (timeout && (!json_int(timeout, &request.timeout_ms) || request.timeout_ms < 1 ||
                  request.timeout_ms > EGRESS_TIMEOUT_MS_MAX))
    FAIL(ERR_INVALID, "EGRESS_TIMEOUT_MS_MAX: \"timeout_ms\" is 1 to 120000");
  TRY(read_url(call, json_get_text(call->payload, "url"), &request, err));
  TRY(read_headers(call, &request, err));
  TRY(read_body(call, &request, err));
  if (!arena_ok(&call->arena)) FAIL(ERR_LIMIT, "the request is too large");
  *ret_request = request;
  return true;
}

/* ---- Redirects ---- */

bool fetch_is_redirect(const struct egress_answer *answer) {
  return answer->redirect.len &&
         (answer->status == 301 || answer->status == 302 || answer->status == 303 ||
          answer->status == 307 || answer->status == 308);
}

/* The header lines without those this says true for. */
static struct bytes headers_without(struct effect_call *call, struct bytes headers,
                                    bool (*drop)(struct bytes name)) {
  struct buf kept;
  buf_init(&kept, HEADER_BYTES_MAX);
  for (struct bytes rest = headers; rest.len;) {
    struct bytes line = bytes_cut(rest, '\n', &rest);
    if (drop(bytes_sub(line, 0, bytes_find(line, ':')))) continue;
    buf_put(&kept, line);
    buf_char(&kept, '\n');
  }
  struct bytes copy = arena_copy(&call->arena, buf_bytes(&kept));
  buf_fini(&kept);
  return copy;
}

static bool is_credential(struct bytes name) {
  return bytes_eq_nocase(name, BYTES("Authorization")) || bytes_eq_nocase(name, BYTES("Cookie"));
}

static bool is_of_body(struct bytes name) {
  return bytes_eq_nocase(bytes_sub(name, 0, 8), BYTES("Content-"));
}

bool fetch_request_hop(struct effect_call *call, struct fetch_request *request, int status,
                       struct bytes url, struct err *err) {
  struct bytes from = request->origin;
  bool post = bytes_eq_str(request->method, "POST");
  bool head = bytes_eq_str(request->method, "HEAD");
  TRY(read_url(call, url, request, err));
  if ((post && (status == 301 || status == 302)) || (status == 303 && !head)) {
    request->method = BYTES("GET");
    request->body = BYTES_NONE;
    request->headers = headers_without(call, request->headers, is_of_body);
  }
  if (!bytes_eq(from, request->origin))
    request->headers = headers_without(call, request->headers, is_credential);
  if (!arena_ok(&call->arena)) FAIL(ERR_LIMIT, "the request is too large");
  return true;
}

/* ---- The answer ---- */

static void write_headers(struct json_out *out, struct bytes lines) {
  json_out_name(out, "headers");
  json_out_open(out, '[');
  while (lines.len) {
    struct bytes value;
    struct bytes line = bytes_cut(lines, '\n', &lines);
    if (bytes_ends(line, BYTES("\r"))) line.len--;
    struct bytes name = bytes_cut(line, ':', &value);
    if (!http_token_valid(name)) continue; /* fetch.js would refuse it */
    json_out_open(out, '[');
    json_out_string(out, name);
    json_out_string(out, bytes_trim(value));
    json_out_close(out, ']');
  }
  json_out_close(out, ']');
}

static void write_answer(struct buf *buf, const struct egress_answer *answer, struct bytes url,
                         bool redirected, bool text) {
  struct json_out out;
  json_out_init(&out, buf);
  json_out_open(&out, '{');
  json_out_member_int(&out, "status", answer->status);
  json_out_member_str(&out, "statusText", http_status_phrase(answer->status));
  json_out_member(&out, "url", url);
  json_out_member_bool(&out, "redirected", redirected);
  write_headers(&out, answer->headers);
  if (text) {
    json_out_member(&out, "body", answer->body);
  } else {
    json_out_name(&out, "body");
    buf_char(buf, '"');
    base64_encode(buf, answer->body, 0);
    buf_char(buf, '"');
    out.comma = true;
    json_out_member_str(&out, "encoding", "base64");
  }
  json_out_close(&out, '}');
}

void fetch_answer_write(struct buf *buf, const struct egress_answer *answer, struct bytes url,
                        bool redirected) {
  bool text = utf8_valid(answer->body);
  if (text) write_answer(buf, answer, url, redirected, true);
  if (text && buf_ok(buf)) return;
  buf_reset(buf); /* bytes, or text that its escapes made too long */
  write_answer(buf, answer, url, redirected, false);
}

/* source/object/error.c: how S3 says no.
 * Source: Amazon S3 API Reference, error responses.                                          */
#include "base/cleanup.h"
#include "source/object/parts.h"

static const char *code_of(const struct err *err) {
  switch ((int)err->code) {
  case ERR_NOT_FOUND: return "NoSuchKey";
  case ERR_UNAUTHENTICATED:
  case ERR_DENIED: return "AccessDenied";
  case ERR_PRECONDITION: return "PreconditionFailed";
  case ERR_CONFLICT: return "OperationAborted";
  case ERR_LIMIT: return "EntityTooLarge";
  case ERR_MALFORMED: return "InvalidRequest";
  case ERR_INVALID: return "InvalidArgument";
  case ERR_METHOD: return "MethodNotAllowed";
  case ERR_UNSUPPORTED: return "NotImplemented";
  case ERR_TIMEOUT:
  case ERR_CLOSED: return "RequestTimeout";
  case ERR_BUSY:
  case ERR_UNAVAILABLE: return "SlowDown";
  default: return "InternalError";
  }
}

void s3_fail_as(struct api_call *call, int status, const char *code, const char *message) {
  cleanup_buf struct buf body = {0};
  struct http_answer answer = {.status = status, .content_type = BYTES("application/xml")};
  buf_init(&body, 16384);
  xml_write_start(&body);
  xml_write_open(&body, "Error", NULL);
  xml_write_element(&body, "Code", bytes_str(code));
  xml_write_element(&body, "Message", bytes_str(message));
  xml_write_element(&body, "Resource", call->path);
  xml_write_close(&body, "Error");
  exchange_reply(call->x, &answer, buf_bytes(&body));
}

void s3_fail(struct api_call *call, const struct err *err, int64_t retry_after_ms) {
  /* S3 knows no 401: who is not known may not. */
  int status = err->code == ERR_UNAUTHENTICATED ? 403 : err_facts(err->code)->http_status;
  if (err->code == ERR_BUSY) status = 503;
  s3_fail_as(call, status, code_of(err), err->detail);
}

void s3_xml(struct api_call *call, struct buf *body) {
  struct http_answer answer = {.status = 200, .content_type = BYTES("application/xml")};
  if (buf_ok(body))
    exchange_reply(call->x, &answer, buf_bytes(body));
  else
    s3_fail_as(call, 500, "InternalError", "the answer is too large");
}

bool s3_query_has(struct api_call *call, const char *name) {
  struct bytes rest = exchange_request(call->x)->query;
  while (rest.len) {
    struct bytes value, pair = bytes_cut(rest, '&', &rest);
    if (bytes_eq_str(bytes_cut(pair, '=', &value), name)) return true;
  }
  return false;
}

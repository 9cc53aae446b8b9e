/* effect/egress_wire.c: frames between core and egress process, read by a checked cursor. */
#include "effect/egress_wire.h"

#include "wire/fields.h"

#include <limits.h>

enum { LENGTH_BYTES = 4 };

enum egress_frame egress_frame_next(struct bytes input, struct bytes *ret_frame,
                                    size_t *ret_consumed) {
  if (input.len < LENGTH_BYTES) return EGRESS_MORE;
  struct cursor in = cursor_of(input);
  uint32_t len = cursor_u32_be(&in);
  if (len > EGRESS_FRAME_BYTES_MAX) return EGRESS_BAD;
  if (len > cursor_left(&in)) return EGRESS_MORE;
  *ret_frame = cursor_take(&in, len);
  *ret_consumed = LENGTH_BYTES + len;
  return EGRESS_FRAME;
}

/* Room for the length, filled in when the frame is complete. */
static size_t frame_begin(struct buf *buf) {
  size_t at = buf->len;
  buf_put(buf, bytes_of("\0\0\0\0", LENGTH_BYTES));
  return at;
}

static void frame_end(struct buf *buf, size_t at) {
  if (!buf_ok(buf)) return;
  size_t len = buf->len - at - LENGTH_BYTES;
  for (size_t i = 0; i < LENGTH_BYTES; i++) buf->at[at + i] = (uint8_t)(len >> (24 - 8 * i));
}

void egress_put_request(struct buf *buf, uint64_t number, const struct egress_request *request) {
  size_t at = frame_begin(buf);
  fields_put_u64(buf, number);
  fields_put_u64(buf, request->kind);
  fields_put_i64(buf, request->timeout_ms);
  fields_put_u64(buf, request->allow_private);
  fields_put_bytes(buf, request->url);
  fields_put_bytes(buf, request->method);
  fields_put_bytes(buf, request->headers);
  fields_put_bytes(buf, request->body);
  fields_put_bytes(buf, request->mail_from);
  fields_put_bytes(buf, request->mail_to);
  fields_put_bytes(buf, request->user);
  fields_put_bytes(buf, request->password);
  frame_end(buf, at);
}

bool egress_get_request(struct bytes frame, uint64_t *ret_number,
                        struct egress_request *ret_request, struct err *err) {
  struct cursor in = cursor_of(frame);
  uint64_t number = fields_get_u64(&in);
  uint64_t kind = fields_get_u64(&in);
  struct egress_request request = {.timeout_ms = fields_get_i64(&in)};
  uint64_t allow_private = fields_get_u64(&in);
  request.url = fields_get_bytes(&in);
  request.method = fields_get_bytes(&in);
  request.headers = fields_get_bytes(&in);
  request.body = fields_get_bytes(&in);
  request.mail_from = fields_get_bytes(&in);
  request.mail_to = fields_get_bytes(&in);
  request.user = fields_get_bytes(&in);
  request.password = fields_get_bytes(&in);
  TRY(fields_end(&in, "egress request", err));
  if (kind > EGRESS_SMTP || allow_private > 1 || request.timeout_ms < 1 ||
      request.timeout_ms > EGRESS_TIMEOUT_MS_MAX)
    FAIL(ERR_CORRUPT, "egress request: a field is out of range");
  request.kind = (enum egress_kind)kind;
  request.allow_private = allow_private;
  *ret_number = number;
  *ret_request = request;
  return true;
}

void egress_put_answer(struct buf *buf, uint64_t number, const struct egress_answer *answer) {
  size_t at = frame_begin(buf);
  fields_put_u64(buf, number);
  fields_put_u64(buf, answer->err.code);
  fields_put_str(buf, answer->err.code == ERR_OK ? "" : answer->err.detail);
  fields_put_u64(buf, (uint64_t)answer->status);
  fields_put_bytes(buf, answer->headers);
  fields_put_bytes(buf, answer->redirect);
  fields_put_bytes(buf, answer->body);
  frame_end(buf, at);
}

bool egress_get_answer(struct bytes frame, uint64_t *ret_number, struct egress_answer *ret_answer,
                       struct err *err) {
  struct cursor in = cursor_of(frame);
  struct egress_answer answer = {0};
  uint64_t number = fields_get_u64(&in);
  uint64_t code = fields_get_u64(&in);
  struct bytes detail = fields_get_bytes(&in);
  uint64_t status = fields_get_u64(&in);
  answer.headers = fields_get_bytes(&in);
  answer.redirect = fields_get_bytes(&in);
  answer.body = fields_get_bytes(&in);
  TRY(fields_end(&in, "egress answer", err));
  if (code >= ERR_COUNT || status > INT_MAX)
    FAIL(ERR_CORRUPT, "egress answer: a field is out of range");
  err_clear(&answer.err);
  if (code != ERR_OK)
    err_set(&answer.err, (enum err_code)code, ERR_PLACE, ERR_OFFSET_NONE, "%.*s",
            BYTES_FMT(bytes_sub(detail, 0, ERR_DETAIL_BYTES)));
  answer.status = (int)status;
  *ret_number = number;
  *ret_answer = answer;
  return true;
}

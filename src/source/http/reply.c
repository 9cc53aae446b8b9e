/* source/http/reply.c: answers out: written at once as far as the socket takes them, the rest kept.
 */
#include "base/cleanup.h"
#include "base/must.h"
#include "os/log.h"
#include "source/http/connection.h"
#include "wire/json.h"

#include <stdio.h>

enum { REPLY_HEAD_BYTES_MAX = 64 << 10, ERROR_BODY_BYTES_MAX = 2048 };

static size_t waiting(const struct http_exchange *x) {
  return x->out.len - x->out_at;
}

/* What the socket does not take now waits in `out`; order is kept. */
static void push(struct http_exchange *x, const struct bytes *parts, size_t count) {
  struct connection *c = x->connection;
  size_t put = 0;
  if (!c || c->broken) return;
  bool waited = waiting(x) > 0;
  if (!waited && stream_write(c->stream, parts, count, &put) == STREAM_BROKEN) {
    connection_break(c);
    return;
  }
  c->server->load.bytes_out += put;
  for (size_t i = 0; i < count; i++) {
    size_t skipped = put < parts[i].len ? put : parts[i].len;
    buf_put(&x->out, bytes_from(parts[i], skipped));
    put -= skipped;
  }
  if (!buf_ok(&x->out)) connection_break(c);
  if (waited || waiting(x) == 0) return;
  x->progress_mark = 0;
  connection_want(c, c->wanted | LOOP_WRITE);
  connection_deadline(c, c->server->options.body_ms_max);
}

/* The answer is complete: the exchange is ours again. */
static void finish(struct http_exchange *x) {
  struct connection *c = x->connection;
  x->ended = true;
  if (!c) {
    exchange_release(&x);
    return;
  }
  if (c->broken || waiting(x)) return;
  connection_move(c, CONNECTION_FLUSHED);
  connection_continue(c);
}

static void all_sent(struct connection *c) {
  struct http_exchange *x = c->x;
  bytes_wipe(x->out.at, x->out.len);
  buf_reset(&x->out);
  x->out_at = 0;
  connection_want(c, c->wanted & ~(unsigned)LOOP_WRITE);
  connection_deadline(c, request_wants_body(c) ? c->server->options.body_ms_max : 0);
  if (x->ended) {
    connection_move(c, CONNECTION_FLUSHED);
  } else if (x->full) {
    x->full = false;
    if (x->writable) x->writable(x);
  }
}

void reply_flush(struct connection *c) {
  struct http_exchange *x = c->x;
  size_t put;
  if (!x || waiting(x) == 0) {
    connection_want(c, c->wanted & ~(unsigned)LOOP_WRITE);
    return;
  }
  struct bytes left = bytes_from(buf_bytes(&x->out), x->out_at);
  switch (stream_write(c->stream, &left, 1, &put)) {
  case STREAM_AGAIN: return;
  case STREAM_END:
  case STREAM_BROKEN: c->broken = true; return;
  case STREAM_OK: break;
  }
  c->server->load.bytes_out += put;
  x->out_at += put;
  x->progress_mark += put;
  if (waiting(x) == 0) {
    all_sent(c);
  } else if (x->progress_mark >= c->server->options.progress_bytes) {
    x->progress_mark = 0;
    connection_deadline(c, c->server->options.body_ms_max);
  }
}

void reply_continue(struct http_exchange *x) {
  static const struct bytes line = BYTES_INIT("HTTP/1.1 100 Continue\r\n\r\n");
  if (x->request.head.expect_continue && x->request.head.version_minor > 0) push(x, &line, 1);
}

/* RFC 9110 §6.4.1: no body in answers to HEAD, nor with these statuses. */
static bool is_bodiless(const struct http_exchange *x, int status) {
  return bytes_eq(x->request.method, BYTES("HEAD")) || status == 204 || status == 304;
}

/* The first bytes of an answer. False: its headers are not allowed. */
static bool write_head(struct http_exchange *x, const struct http_answer *answer, uint64_t length,
                       struct buf *head, struct err *err) {
  struct connection *c = x->connection;
  bool unknown = length == HTTP_LENGTH_UNKNOWN;
  bool old = x->request.head.version_minor == 0;
  /* What is left of a body that nobody took would be read as the next request. */
  if (!x->body_done || answer->close || c->server->draining) x->close = true;
  if (answer->status < 200) FAIL(ERR_INVALID, "status %d is not an answer", answer->status);
  x->chunked_out = unknown && !old;
  x->counted_out = !unknown;
  x->reply_left = unknown ? 0 : length;
  x->head_only = is_bodiless(x, answer->status);
  if (unknown && old) x->close = true;
  int64_t now_ms = clock_wall_ms(loop_clock(c->server->options.loop));
  struct http_reply reply = {
      .status = answer->status,
      .date = http_date(&c->server->date, now_ms),
      .content_type = answer->content_type,
      .headers = answer->headers,
      .header_count = answer->header_count,
      .chunked = x->chunked_out,
      .content_length = x->reply_left,
      .close = x->close,
      .until_close = unknown && old,
  };
  return http_reply_write(head, &reply, err);
}

static void begin(struct http_exchange *x) {
  must(!x->replied);
  x->replied = true;
  if (!x->connection) return;
  connection_move(x->connection, CONNECTION_SENDING);
  connection_deadline(x->connection, 0);
}

static struct bytes error_body(struct buf *body, const struct err *err) {
  struct json_out out;
  const struct err_facts *facts = err_facts(err->code);
  json_out_init(&out, body);
  json_out_open(&out, '{');
  json_out_name(&out, "error");
  json_out_open(&out, '{');
  json_out_member_str(&out, "code", facts->word);
  json_out_member_str(&out, "message", err->detail[0] ? err->detail : facts->sentence);
  json_out_close(&out, '}');
  json_out_close(&out, '}');
  return buf_bytes(body);
}

static void send_error(struct http_exchange *x, int status, const struct err *err) {
  static const struct http_header retry = {BYTES_INIT("Retry-After"), BYTES_INIT("1")};
  cleanup_buf struct buf head, body;
  struct http_answer answer = {.status = status,
                               .content_type = BYTES("application/json"),
                               .headers = &retry,
                               .header_count = status == 429 || status == 503};
  buf_init(&head, REPLY_HEAD_BYTES_MAX);
  buf_init(&body, ERROR_BODY_BYTES_MAX);
  struct bytes text = error_body(&body, err);
  must(write_head(x, &answer, text.len, &head, NULL));
  struct bytes parts[] = {buf_bytes(&head), x->head_only ? BYTES_NONE : text};
  push(x, parts, 2);
}

void reply_fault(struct connection *c, int status, const struct err *err) {
  struct http_exchange *x = c->x;
  LOG(HTTP_REFUSED, NULL, log_int("status", status), log_word("error", err_facts(err->code)->word));
  x->close = true;
  begin(x);
  send_error(x, status, err);
  finish(x);
}

void exchange_fail(struct http_exchange *x, const struct err *err) {
  begin(x);
  if (x->connection) send_error(x, x->late ? 408 : err_facts(err->code)->http_status, err);
  finish(x);
}

/* True when the head went out as it was meant. */
static bool send_head(struct http_exchange *x, const struct http_answer *answer, uint64_t length,
                      struct bytes body) {
  cleanup_buf struct buf head;
  struct err err;
  buf_init(&head, REPLY_HEAD_BYTES_MAX);
  if (!write_head(x, answer, length, &head, &err)) {
    err.code = ERR_GUEST;
    send_error(x, 502, &err);
    x->head_only = true;
    x->chunked_out = false;
    return false;
  }
  struct bytes parts[] = {buf_bytes(&head), x->head_only ? BYTES_NONE : body};
  push(x, parts, 2);
  return true;
}

void exchange_reply(struct http_exchange *x, const struct http_answer *answer, struct bytes body) {
  begin(x);
  if (x->connection) (void)send_head(x, answer, body.len, body);
  finish(x);
}

void exchange_reply_start(struct http_exchange *x, const struct http_answer *answer,
                          uint64_t length) {
  begin(x);
  if (x->connection) (void)send_head(x, answer, length, BYTES_NONE);
}

bool exchange_write(struct http_exchange *x, struct bytes data) {
  must(x->replied && !x->ended);
  if (exchange_is_gone(x) || x->head_only || data.len == 0) return true;
  if (x->counted_out) {
    must(data.len <= x->reply_left);
    x->reply_left -= data.len;
  }
  char size[24];
  int size_len = snprintf(size, sizeof size, "%zx\r\n", data.len);
  struct bytes framed[] = {bytes_of(size, (size_t)size_len), data, BYTES("\r\n")};
  if (x->chunked_out)
    push(x, framed, 3);
  else
    push(x, &data, 1);
  if (waiting(x) > HTTP_REPLY_BYTES_MAX) connection_break(x->connection);
  x->full = waiting(x) > HTTP_REPLY_AHEAD_BYTES;
  return !x->full;
}

void exchange_reply_end(struct http_exchange *x) {
  static const struct bytes last = BYTES_INIT("0\r\n\r\n");
  must(x->replied && !x->ended);
  if (!exchange_is_gone(x) && !x->head_only) {
    if (x->chunked_out) push(x, &last, 1);
    if (x->counted_out && x->reply_left) connection_break(x->connection);
  }
  finish(x);
}

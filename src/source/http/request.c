/* source/http/request.c: from bytes to a request with its body, then to the handler. */
#include "base/must.h"
#include "source/http/connection.h"

#include <string.h>

static void hand_over(struct connection *c) {
  struct http_exchange *x = c->x;
  x->handed = true;
  c->server->options.request(c->server->options.arg, x);
}

/* A fault in a body: ours to answer, or told to the handler who takes it. */
static void body_fault(struct connection *c, int status, const struct err *err) {
  struct http_exchange *x = c->x;
  x->close = true;
  x->late = status == 408;
  if (!x->streamed) {
    reply_fault(c, status, err);
    return;
  }
  connection_deadline(c, 0);
  connection_move(c, CONNECTION_HANDLING);
  if (x->sink.end) x->sink.end(x, err);
}

static void body_complete(struct connection *c) {
  struct http_exchange *x = c->x;
  x->body_done = true;
  connection_deadline(c, 0);
  connection_move(c, CONNECTION_HANDLING);
  if (x->streamed) {
    x->sink.end(x, NULL);
    return;
  }
  if (!x->whole.at) x->whole = buf_bytes(&x->body);
  hand_over(c);
}

static void too_large(struct connection *c) {
  struct err err;
  err_set(&err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE, "a body here is at most %llu bytes",
          (unsigned long long)c->x->body_max);
  body_fault(c, 413, &err);
}

/* The body is buffered: often it came whole with its head, and then it stays where it is. */
static void start_buffering(struct connection *c) {
  struct http_exchange *x = c->x;
  const struct http_head *head = &x->request.head;
  struct bytes pending = exchange_pending(x);
  if (head->body == HTTP_BODY_LENGTH && head->content_length > x->body_max) {
    too_large(c);
  } else if (head->body == HTTP_BODY_LENGTH && pending.len >= head->content_length) {
    x->whole = bytes_sub(pending, 0, (size_t)head->content_length);
    exchange_used(x, x->whole.len);
    body_complete(c);
  } else {
    x->body.bytes_max = x->body_max < SIZE_MAX / 2 ? (size_t)x->body_max : SIZE_MAX / 2;
    if (pending.len == 0) reply_continue(x);
    connection_deadline(c, c->server->options.body_ms_max);
  }
}

static void begin(struct connection *c) {
  struct http_exchange *x = c->x;
  const struct http_server_options *options = &c->server->options;
  const struct http_head *head = &x->request.head;
  c->server->load.requests++;
  x->close = !head->keep_alive || head->version_minor == 0;
  connection_deadline(c, 0);
  if (head->body == HTTP_BODY_NONE || (head->body == HTTP_BODY_LENGTH && !head->content_length)) {
    x->body_done = true;
    connection_move(c, CONNECTION_HANDLING);
    hand_over(c);
    return;
  }
  connection_move(c, CONNECTION_BODY);
  x->body_left = head->content_length;
  x->body_max =
      options->body_limit ? options->body_limit(options->arg, x) : options->body_bytes_max;
  x->streamed = x->body_max == HTTP_BODY_STREAMED;
  if (x->streamed)
    hand_over(c);
  else
    start_buffering(c);
}

bool request_head(struct connection *c) {
  struct http_exchange *x = c->x;
  struct err err;
  size_t consumed;
  switch (http_request_parse(&x->parser, buf_bytes(&x->in), &x->request, &consumed, &err)) {
  case HTTP_MORE: return false;
  case HTTP_BAD:
    memset(&x->request, 0, sizeof x->request); /* undefined, and about to be looked at */
    x->in_at = x->in.len;
    reply_fault(c, x->parser.status, &err);
    return true;
  case HTTP_DONE: break;
  }
  x->in_at = consumed;
  begin(c);
  return true;
}

bool request_wants_body(const struct connection *c) {
  const struct http_exchange *x = c->x;
  return c->step == CONNECTION_BODY && !x->body_done &&
         !(x->streamed && (x->paused || !x->sink.data));
}

static void progress(struct connection *c) {
  struct http_exchange *x = c->x;
  if (x->body_bytes - x->progress_mark < c->server->options.progress_bytes) return;
  x->progress_mark = x->body_bytes;
  connection_deadline(c, c->server->options.body_ms_max);
}

/* False when the body is over its limit. */
static bool deliver(struct connection *c, struct bytes data) {
  struct http_exchange *x = c->x;
  if (data.len > x->body_max - x->body_bytes) {
    too_large(c);
    return false;
  }
  x->body_bytes += data.len;
  progress(c);
  if (data.len == 0) return true;
  if (x->streamed)
    x->sink.data(x, data);
  else
    buf_put(&x->body, data);
  return true;
}

size_t request_body(struct connection *c, struct bytes input) {
  struct http_exchange *x = c->x;
  size_t used = 0;
  /* A body longer than its limit is refused before any of it is taken, where it can be known. */
  if (x->request.head.body == HTTP_BODY_LENGTH && x->body_left > x->body_max - x->body_bytes) {
    too_large(c);
    return 0;
  }
  while (used < input.len && request_wants_body(c)) {
    struct bytes left = bytes_from(input, used);
    struct bytes data = left;
    struct err err;
    size_t taken;
    enum http_step step;
    if (x->request.head.body == HTTP_BODY_LENGTH) {
      data.len = taken = x->body_left < left.len ? (size_t)x->body_left : left.len;
      x->body_left -= taken;
      step = x->body_left ? HTTP_MORE : HTTP_DONE;
    } else {
      step = http_chunked_next(&x->chunked, left, &taken, &data, &err);
    }
    if (step == HTTP_BAD) {
      body_fault(c, 400, &err);
      break;
    }
    used += taken;
    if (!deliver(c, data)) break;
    if (step == HTTP_DONE && c->step == CONNECTION_BODY) body_complete(c);
  }
  return used;
}

void request_cut(struct connection *c, enum err_code code) {
  struct http_exchange *x = c->x;
  struct err err;
  if (code == ERR_CLOSED) {
    connection_move(c, CONNECTION_OVER); /* nobody is there to read an answer */
    return;
  }
  if (c->step == CONNECTION_HEAD) {
    err_set(&err, ERR_TIMEOUT, ERR_PLACE, ERR_OFFSET_NONE, "the request head took too long");
    memset(&x->request, 0, sizeof x->request);
    reply_fault(c, 408, &err);
    return;
  }
  err_set(&err, ERR_TIMEOUT, ERR_PLACE, ERR_OFFSET_NONE, "the request body came too slowly");
  body_fault(c, 408, &err);
}

/* source/http/exchange.c: what a handler can ask of an exchange, and the pool they come from. An
 * idle connection holds none. */
#include "base/must.h"
#include "os/log.h"
#include "source/http/connection.h"

#include <stdlib.h>
#include <string.h>

static struct http_exchange *exchange_new(struct http_server *server) {
  struct http_exchange *x = must_alloc(sizeof *x);
  list_init(&x->link);
  buf_init(&x->in, EXCHANGE_IN_BYTES_MAX);
  buf_init(&x->rest, EXCHANGE_IN_BYTES_MAX);
  buf_init(&x->body, 0);
  buf_init(&x->out, SIZE_MAX / 2);
  arena_init(&x->arena, server->options.arena_bytes_max);
  return x;
}

struct http_exchange *exchange_take(struct connection *c) {
  struct http_server *server = c->server;
  struct http_exchange *x = LIST_FIRST(&server->spare, struct http_exchange, link);
  if (x) {
    list_drop(&x->link);
    server->spare_count--;
  } else {
    x = exchange_new(server);
  }
  x->server = server;
  x->connection = c;
  memcpy(x->peer, c->peer, sizeof x->peer);
  x->certified = tls_stream_certificate(c->stream, x->certificate);
  list_push(&server->exchanges, &x->link);
  server->load.exchanges++;
  return x;
}

/* Patient data do not wait in a spare buffer. */
static void empty(struct buf *buf) {
  if (buf->room > EXCHANGE_KEEP_BYTES_MAX) {
    size_t bytes_max = buf->bytes_max;
    buf_fini(buf);
    buf_init(buf, bytes_max);
    return;
  }
  bytes_wipe(buf->at, buf->len);
  buf_reset(buf);
}

static void exchange_free(struct http_exchange *x) {
  buf_fini(&x->in);
  buf_fini(&x->rest);
  buf_fini(&x->body);
  buf_fini(&x->out);
  arena_fini(&x->arena);
  free(x);
}

void exchange_release(struct http_exchange **at) {
  struct http_exchange *x = *at;
  struct http_server *server = x->server;
  *at = NULL;
  list_drop(&x->link);
  if (server) server->load.exchanges--;
  if (!server || server->spare_count >= EXCHANGE_SPARE_MAX) {
    exchange_free(x);
    return;
  }
  empty(&x->in);
  empty(&x->rest);
  empty(&x->body);
  empty(&x->out);
  arena_reset(&x->arena);
  struct http_exchange clean = {
      .in = x->in, .rest = x->rest, .body = x->body, .out = x->out, .arena = x->arena};
  *x = clean;
  list_init(&x->link);
  list_push(&server->spare, &x->link);
  server->spare_count++;
}

void exchange_orphan(struct http_exchange *x) {
  x->connection = NULL;
  if (!x->handed || x->ended) {
    exchange_release(&x);
    return;
  }
  LOG(HTTP_GONE, NULL, log_bool("answering", x->replied));
  /* While it takes the body, the end of the body says so; the handler may reply in there. */
  struct err err;
  err_set(&err, ERR_CLOSED, ERR_PLACE, ERR_OFFSET_NONE, "the client closed the connection");
  if (x->streamed && !x->body_done && x->sink.end && !x->replied)
    x->sink.end(x, &err);
  else if (x->gone)
    x->gone(x);
}

struct bytes exchange_pending(const struct http_exchange *x) {
  if (x->in_at < x->in.len) return bytes_from(buf_bytes(&x->in), x->in_at);
  return bytes_from(buf_bytes(&x->rest), x->rest_at);
}

void exchange_used(struct http_exchange *x, size_t bytes) {
  if (x->in_at < x->in.len)
    x->in_at += bytes;
  else
    x->rest_at += bytes;
  if (x->rest_at < x->rest.len) return;
  bytes_wipe(x->rest.at, x->rest.len);
  buf_reset(&x->rest);
  x->rest_at = 0;
}

const struct http_request *exchange_request(const struct http_exchange *x) {
  return &x->request;
}

struct bytes exchange_header(const struct http_exchange *x, const char *name) {
  return http_header_get(&x->request.head, name);
}

struct bytes exchange_body(const struct http_exchange *x) {
  return x->whole;
}

const char *exchange_peer(const struct http_exchange *x) {
  return x->peer;
}

const uint8_t *exchange_certificate(const struct http_exchange *x) {
  return x->certified ? x->certificate : NULL;
}

struct arena *exchange_arena(struct http_exchange *x) {
  return &x->arena;
}

void exchange_set_owner(struct http_exchange *x, void *owner) {
  x->owner = owner;
}

void *exchange_owner(const struct http_exchange *x) {
  return x->owner;
}

void exchange_on_gone(struct http_exchange *x, void (*gone)(struct http_exchange *x)) {
  x->gone = gone;
}

void exchange_on_writable(struct http_exchange *x, void (*writable)(struct http_exchange *x)) {
  x->writable = writable;
}

bool exchange_is_gone(const struct http_exchange *x) {
  return !x->connection || x->connection->broken;
}

void exchange_stream_body(struct http_exchange *x, const struct http_sink *sink) {
  must(x->streamed && !x->sink.data && sink->data && sink->end);
  x->sink = *sink;
  x->body_max = sink->bytes_max;
  if (!x->connection) return;
  /* A client that asks first is told of a length over the limit instead (RFC 9110 §10.1.1). */
  if (exchange_pending(x).len == 0 && x->body_left <= x->body_max) reply_continue(x);
  exchange_resume_body(x);
}

void exchange_pause_body(struct http_exchange *x) {
  x->paused = true;
  /* Who is made to wait has no deadline. */
  if (x->connection && x->connection->step == CONNECTION_BODY)
    connection_deadline(x->connection, 0);
}

void exchange_resume_body(struct http_exchange *x) {
  struct connection *c = x->connection;
  x->paused = false;
  if (!c || c->step != CONNECTION_BODY) return;
  x->progress_mark = x->body_bytes;
  connection_deadline(c, c->server->options.body_ms_max);
  connection_want(c, c->wanted | LOOP_READ);
  connection_again(c);
}

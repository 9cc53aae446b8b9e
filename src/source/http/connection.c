/* source/http/connection.c: one connection through its steps: reading, time limits, what is next.
 *
 * Time limits are lazy: a deadline is a number, and the timer is only moved when it would fire too
 * late; fired early, it is set again. So a busy connection touches the timer heap once in a while
 * instead of twice per request. Interest in reading is lazy, too: it stays until something comes
 * that cannot be used yet. */
#include "source/http/connection.h"
#include "base/must.h"
#include "os/log.h"

#include <stdlib.h>
#include <string.h>

#define BIT(name) (1u << CONNECTION_##name)
static const unsigned successors_of[] = {
#define STEP(name, successors) [CONNECTION_##name] = (successors),
    CONNECTION_STEPS(STEP)
#undef STEP
};

void connection_move(struct connection *c, enum connection_step step) {
  must(successors_of[c->step] & 1u << step);
  c->step = step;
}

void connection_want(struct connection *c, unsigned interest) {
  if (interest == c->wanted) return;
  c->wanted = interest;
  stream_want(c->stream, interest);
}

static struct loop *loop_of(struct connection *c) {
  return c->server->options.loop;
}

static int64_t now_of(struct connection *c) {
  return clock_mono_ns(loop_clock(loop_of(c)));
}

void connection_deadline(struct connection *c, uint32_t after_ms) {
  c->deadline_ns = after_ms ? now_of(c) + after_ms * INT64_C(1000000) : INT64_MAX;
  if (c->deadline_ns != INT64_MAX && (!c->timer.node.at || c->timer.node.key > c->deadline_ns))
    loop_timer_set(loop_of(c), &c->timer, c->deadline_ns);
}

void connection_again(struct connection *c) {
  c->again = true;
  loop_timer_set(loop_of(c), &c->timer, now_of(c));
}

void connection_break(struct connection *c) {
  c->broken = true;
  connection_again(c);
}

void connection_end(struct connection *c) {
  struct http_exchange *x = c->x;
  struct http_server *server = c->server;
  bool refused = c->refused;
  loop_timer_drop(loop_of(c), &c->timer);
  list_drop(&c->link);
  if (c->broken)
    stream_reset(&c->stream);
  else
    stream_close(&c->stream);
  free(c);
  if (x) exchange_orphan(x);
  server_connection_ended(server, refused);
}

/* After an answer: the next request, which may be here already, or the end. */
static void go_on(struct connection *c) {
  const struct http_server_options *options = &c->server->options;
  struct http_exchange *x = c->x;
  bool close = x->close || c->server->draining;
  struct bytes pending = exchange_pending(x);
  c->x = NULL;
  if (close) {
    /* RFC 9112 §9.6: closing at once could reset the connection before the answer is read. */
    connection_move(c, CONNECTION_LINGER);
    stream_finish(c->stream);
    connection_deadline(c, CONNECTION_LINGER_MS);
  } else if (pending.len) {
    connection_move(c, CONNECTION_HEAD);
    c->x = exchange_take(c);
    buf_put(&c->x->in, pending);
    connection_deadline(c, options->head_ms_max);
  } else {
    connection_move(c, CONNECTION_IDLE);
    connection_deadline(c, options->idle_ms_max);
  }
  exchange_release(&x);
  connection_want(c, LOOP_READ);
}

void connection_continue(struct connection *c) {
  if (c->driving) return;
  go_on(c);
  if (c->step == CONNECTION_HEAD) connection_again(c);
}

/* As far as the input at hand goes. */
static void drive(struct connection *c) {
  uint32_t requests = 0;
  while (!c->broken) {
    size_t used = 0;
    switch (c->step) {
    case CONNECTION_HEAD:
      if (requests++ == c->server->options.pipeline_max) {
        connection_again(c);
        return;
      }
      if (!request_head(c)) return;
      break;
    case CONNECTION_BODY:
      if (!request_wants_body(c)) return;
      used = request_body(c, exchange_pending(c->x));
      if (used == 0 && c->step == CONNECTION_BODY) return;
      exchange_used(c->x, used);
      break;
    case CONNECTION_FLUSHED: go_on(c); break;
    case CONNECTION_IDLE:
    case CONNECTION_HANDLING:
    case CONNECTION_SENDING:
    case CONNECTION_LINGER:
    case CONNECTION_OVER: return;
    }
  }
}

/* The end of every turn; c may be gone afterwards. */
static void settle(struct connection *c) {
  drive(c);
  c->driving = false;
  bool idle_in_drain = c->server->draining && c->step == CONNECTION_IDLE;
  if (c->broken || c->step == CONNECTION_OVER || idle_in_drain) connection_end(c);
}

static void take_input(struct connection *c, struct bytes input) {
  c->server->load.bytes_in += input.len;
  if (c->step == CONNECTION_LINGER) return;
  if (c->step == CONNECTION_IDLE) {
    connection_move(c, CONNECTION_HEAD);
    c->x = exchange_take(c);
    connection_deadline(c, c->server->options.head_ms_max);
  }
  if (c->step == CONNECTION_HEAD) {
    buf_put(&c->x->in, input);
    return;
  }
  size_t used = request_body(c, input);
  buf_put(&c->x->rest, bytes_from(input, used));
}

static void input_ended(struct connection *c) {
  if (c->step == CONNECTION_HEAD || c->step == CONNECTION_BODY)
    request_cut(c, ERR_CLOSED);
  else
    connection_move(c, CONNECTION_OVER);
}

static bool can_use_input(const struct connection *c) {
  if (c->step == CONNECTION_BODY) return request_wants_body(c) && !exchange_pending(c->x).len;
  return c->step == CONNECTION_IDLE || c->step == CONNECTION_HEAD || c->step == CONNECTION_LINGER;
}

static void read_some(struct connection *c) {
  uint8_t *scratch = c->server->scratch;
  size_t len;
  if (!can_use_input(c)) {
    connection_want(c, c->wanted & ~(unsigned)LOOP_READ);
    return;
  }
  switch (stream_read(c->stream, scratch, CONNECTION_READ_BYTES, &len)) {
  case STREAM_OK:
    take_input(c, bytes_of(scratch, len));
    bytes_wipe(scratch, len);
    break;
  case STREAM_AGAIN: break;
  case STREAM_END: input_ended(c); break;
  case STREAM_BROKEN: c->broken = true; break;
  }
}

static void stream_ready(struct stream *stream, unsigned events) {
  struct connection *c = stream->owner;
  c->driving = true;
  /* Reported with no interest in reading or writing, a hang-up is an error of the connection. */
  if (!(events & (LOOP_READ | LOOP_WRITE))) c->broken = true;
  if (events & LOOP_WRITE) reply_flush(c);
  if ((events & LOOP_READ) && !c->broken) read_some(c);
  settle(c);
}

static void too_late(struct connection *c) {
  switch (c->step) {
  case CONNECTION_IDLE:
  case CONNECTION_LINGER: connection_move(c, CONNECTION_OVER); break;
  case CONNECTION_HEAD:
  case CONNECTION_BODY: request_cut(c, ERR_TIMEOUT); break;
  case CONNECTION_HANDLING:
  case CONNECTION_SENDING:
  case CONNECTION_FLUSHED:
  case CONNECTION_OVER: c->broken = true; break;
  }
}

static void timer_fired(struct loop_timer *timer) {
  struct connection *c = LIST_OF(timer, struct connection, timer);
  c->driving = true;
  c->again = false;
  if (!c->broken && c->deadline_ns <= now_of(c)) {
    c->deadline_ns = INT64_MAX;
    too_late(c);
  } else if (c->deadline_ns != INT64_MAX) {
    loop_timer_set(loop_of(c), &c->timer, c->deadline_ns);
  }
  settle(c);
}

static void refuse(struct connection *c) {
  struct err err;
  err_set(&err, ERR_UNAVAILABLE, ERR_PLACE, ERR_OFFSET_NONE,
          c->server->draining ? "the server is stopping" : "connections_max is reached");
  connection_move(c, CONNECTION_HEAD);
  c->x = exchange_take(c);
  reply_fault(c, 503, &err);
}

void connection_new(struct http_server *server, struct stream *stream, const char *peer,
                    bool refused) {
  struct connection *c = must_alloc(sizeof *c);
  c->server = server;
  c->stream = stream;
  c->step = CONNECTION_IDLE;
  c->timer.fire = timer_fired;
  c->refused = refused;
  bytes_text(bytes_str(peer), c->peer, sizeof c->peer);
  stream->owner = c;
  stream->ready = stream_ready;
  list_push(&server->connections, &c->link);
  server->load.connections++;
  if (refused) server->refusals++;
  connection_deadline(c, server->options.head_ms_max);
  connection_want(c, LOOP_READ);
  if (refused) refuse(c);
}

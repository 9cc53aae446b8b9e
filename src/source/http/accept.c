/* source/http/accept.c: the server: opening, accepting up to the limit, draining, closing. */
#include "base/cleanup.h"
#include "base/must.h"
#include "os/log.h"
#include "source/http/connection.h"

enum { ACCEPTS_PER_TURN = 64, ACCEPT_PAUSE_MS = 100 };

static uint32_t or_default(uint32_t value, uint32_t otherwise) {
  return value ? value : otherwise;
}

static void set_defaults(struct http_server_options *options) {
  options->connections_max = or_default(options->connections_max, 16384);
  options->idle_ms_max = or_default(options->idle_ms_max, 60000);
  options->head_ms_max = or_default(options->head_ms_max, 10000);
  options->body_ms_max = or_default(options->body_ms_max, 30000);
  options->progress_bytes = or_default(options->progress_bytes, 65536);
  options->arena_bytes_max = or_default(options->arena_bytes_max, 1 << 20);
  options->pipeline_max = or_default(options->pipeline_max, 32);
  if (!options->body_bytes_max) options->body_bytes_max = 6 << 20;
}

/* Over the limit some still get a 503; the rest could only be served at the cost of the others. */
static void take(struct http_server *server, struct stream *stream, const char *peer) {
  bool full = server->load.connections - server->refusals >= server->options.connections_max;
  server->load.accepted++;
  if (full) {
    server->load.refused++;
    LOG(HTTP_FULL, NULL, log_int("connections_max", server->options.connections_max));
  }
  if (full && server->refusals >= CONNECTION_REFUSALS_MAX) {
    stream_reset(&stream);
    return;
  }
  connection_new(server, stream, peer, full || server->draining);
}

void http_server_adopt(struct http_server *server, struct stream *stream, const char *peer) {
  take(server, stream, peer);
}

static void accept_failed(struct http_server *server, const struct err *err) {
  LOG(ACCEPT_FAILED, NULL, log_err(err));
  loop_change(server->options.loop, &server->listener, 0);
  loop_timer_after(server->options.loop, &server->accept_timer, ACCEPT_PAUSE_MS);
}

static void listener_ready(struct loop_watch *watch, unsigned events) {
  struct http_server *server = LIST_OF(watch, struct http_server, listener);
  for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
    char peer[NET_ADDRESS_BYTES];
    struct stream *stream;
    struct err err;
    cleanup_fd int fd = -1;
    enum net_accepted accepted = net_accept(watch->fd, &fd, peer, &err);
    if (accepted == NET_NONE) return;
    if (accepted == NET_FAILED || !stream_open_socket(server->options.loop, fd, &stream, &err)) {
      accept_failed(server, &err);
      return;
    }
    (void)steal_fd(&fd);
    if (server->options.tls) stream = tls_stream_accept(server->options.tls, &stream);
    take(server, stream, peer);
  }
}

/* After a pause in accepting, or when the last connection of a drained server has ended. */
static void accept_timer_fired(struct loop_timer *timer) {
  struct http_server *server = LIST_OF(timer, struct http_server, accept_timer);
  if (!server->draining) {
    loop_change(server->options.loop, &server->listener, LOOP_READ);
    return;
  }
  void (*drained)(void *arg) = server->drained;
  server->drained = NULL;
  if (drained) drained(server->drained_arg);
}

static bool start_listening(struct http_server *server, struct err *err) {
  cleanup_fd int fd = -1;
  TRY(net_listen(server->options.address, &fd, err));
  net_address(fd, server->address);
  server->listener = (struct loop_watch){fd, LOOP_READ, listener_ready};
  if (!loop_add(server->options.loop, &server->listener, err)) {
    server->listener.fd = -1;
    return false;
  }
  (void)steal_fd(&fd);
  LOG(LISTENING, NULL, log_word("address", server->address));
  return true;
}

bool http_server_open(const struct http_server_options *options, struct http_server **ret_server,
                      struct err *err) {
  must(options->loop && options->request);
  struct http_server *server = must_alloc(sizeof *server);
  server->options = *options;
  set_defaults(&server->options);
  server->listener.fd = -1;
  server->accept_timer.fire = accept_timer_fired;
  list_init(&server->connections);
  list_init(&server->exchanges);
  list_init(&server->spare);
  if (options->address && !start_listening(server, err)) {
    http_server_close(&server);
    return false;
  }
  *ret_server = server;
  return true;
}

const char *http_server_address(const struct http_server *server) {
  return server->address;
}

struct http_server_load http_server_load(const struct http_server *server) {
  return server->load;
}

static void stop_listening(struct http_server *server) {
  loop_timer_drop(server->options.loop, &server->accept_timer);
  if (server->listener.fd < 0) return;
  loop_drop(server->options.loop, &server->listener);
  close(server->listener.fd);
  server->listener.fd = -1;
}

void server_connection_ended(struct http_server *server, bool refused) {
  server->load.connections--;
  if (refused) server->refusals--;
  if (server->draining && server->load.connections == 0)
    loop_timer_after(server->options.loop, &server->accept_timer, 0);
}

void http_server_drain(struct http_server *server, void (*done)(void *arg), void *arg) {
  must(!server->draining);
  stop_listening(server);
  server->draining = true;
  server->drained = done;
  server->drained_arg = arg;
  LIST_EACH (c, &server->connections, struct connection, link)
    if (c->step == CONNECTION_IDLE) connection_end(c);
  if (server->load.connections == 0)
    loop_timer_after(server->options.loop, &server->accept_timer, 0);
}

void http_server_close(struct http_server **at) {
  struct http_server *server = *at;
  *at = NULL;
  if (!server) return;
  LIST_EACH (x, &server->exchanges, struct http_exchange, link) {
    x->gone = NULL;
    x->sink.end = NULL;
  }
  LIST_EACH (c, &server->connections, struct connection, link) connection_end(c);
  stop_listening(server);
  /* Left: exchanges whose handler has not replied yet; they end with the reply. */
  LIST_EACH (x, &server->exchanges, struct http_exchange, link) {
    list_drop(&x->link);
    x->server = NULL;
  }
  LIST_EACH (x, &server->spare, struct http_exchange, link) {
    list_drop(&x->link);
    x->server = NULL;
    exchange_release(&x);
  }
  free(server);
}

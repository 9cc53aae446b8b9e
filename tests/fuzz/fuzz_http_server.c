/* The whole HTTP server over a stream in memory (source/http/connection.c, request.c, reply.c):
 * whatever a client sends, in whatever pieces, nothing stays behind once it has left.
 *
 * Input: one byte of seed for the pieces, then the client's bytes. */
#include "base/must.h"
#include "os/log.h"
#include "os/sim_clock.h"
#include "os/sim_stream.h"
#include "source/http/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 200000, LINGER_MS = 3000 };

static void take(struct http_exchange *x, struct bytes data) {
  if (data.len % 3 == 0) exchange_pause_body(x);
  exchange_resume_body(x);
}

static void end(struct http_exchange *x, const struct err *err) {
  static const struct http_answer ok = {.status = 204};
  if (err)
    exchange_fail(x, err);
  else
    exchange_reply(x, &ok, BYTES_NONE);
}

static void request(void *arg, struct http_exchange *x) {
  static const struct http_answer ok = {.status = 200};
  static const struct http_sink sink = {1000, take, end};
  const struct http_request *request = exchange_request(x);
  if (request->path.len % 4 == 2) {
    exchange_reply_start(x, &ok, HTTP_LENGTH_UNKNOWN);
    (void)exchange_write(x, request->path);
    exchange_reply_end(x);
  } else if (request->path.len % 2 && request->head.body != HTTP_BODY_NONE &&
             !exchange_body(x).at) {
    if (request->head.body == HTTP_BODY_LENGTH && !request->head.content_length)
      end(x, NULL);
    else
      exchange_stream_body(x, &sink);
  } else {
    exchange_reply(x, &ok, exchange_body(x));
  }
}

static uint64_t limit(void *arg, struct http_exchange *x) {
  return exchange_request(x)->path.len % 2 ? HTTP_BODY_STREAMED : 500;
}

static void client_ready(struct stream *stream, unsigned events) {
  uint8_t at[512];
  size_t len;
  switch (stream_read(stream, at, sizeof at, &len)) {
  case STREAM_OK:
  case STREAM_AGAIN: return;
  case STREAM_END: break;
  case STREAM_BROKEN: stream->ready = NULL; break;
  }
  stream_want(stream, 0);
}

static void quiet(void *arg, struct bytes line) {
}

static void send(struct loop *loop, struct stream *client, struct bytes input) {
  for (int i = 0; i < STEPS_MAX && input.len; i++) {
    size_t len = 0;
    if (stream_write(client, &input, 1, &len) == STREAM_BROKEN) return;
    input = bytes_from(input, len);
    loop_step(loop, 0);
  }
}

static void settle(struct loop *loop) {
  for (int i = 0; i < STEPS_MAX && loop_step(loop, 0); i++) continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct sim_clock clock;
  struct random_seeded random;
  struct http_server *server;
  struct stream *client, *ours;
  if (size == 0) return 0;
  sim_clock_init(&clock, 0);
  log_open(&(struct log_options){.clock = &clock.port, .sink = quiet});
  random_seeded_init(&random, data[0]);
  struct loop *loop = loop_new_simulated(&clock.port);
  struct http_server_options options = {.loop = loop, .request = request, .body_limit = limit};
  must(http_server_open(&options, &server, NULL));
  struct sim_stream_options pipe = {loop, 256, 0, data[0] % 2 ? &random.port : NULL};
  sim_stream_pair(&pipe, &client, &ours);
  client->ready = client_ready;
  stream_want(client, LOOP_READ);
  http_server_adopt(server, ours, "192.0.2.7:1");
  send(loop, client, bytes_of(data + 1, size - 1));
  settle(loop);
  stream_close(&client);
  settle(loop);
  sim_clock_advance_ms(&clock, LINGER_MS);
  settle(loop);
  must(http_server_load(server).connections == 0 && http_server_load(server).exchanges == 0);
  http_server_close(&server);
  loop_free(&loop);
  return 0;
}

/* A server on a simulated loop, streams in memory, and a handler that does what the path says. */
#ifndef MEDULLA_TESTS_UNIT_SOURCE_HTTP_RIG_H
#define MEDULLA_TESTS_UNIT_SOURCE_HTTP_RIG_H

#include "tests/unit/test.h"

#include "base/buf.h"
#include "os/log.h"
#include "os/sim_clock.h"
#include "os/sim_stream.h"
#include "source/http/server.h"

enum { RIG_HELD_MAX = 64, RIG_STREAM_MAX = 1 << 20 };

/* What the handler saw and kept. */
static struct rig {
  struct sim_clock clock;
  struct loop *loop;
  struct http_server *server;
  struct stream *client;
  struct buf got; /* what the client received */
  bool client_ended, client_broken;
  struct http_exchange *held[RIG_HELD_MAX];
  size_t held_count;
  size_t requests, gone, drained;
  uint64_t streamed_bytes;
  size_t stream_ends;
  enum err_code stream_end;
  bool pause;
  struct http_exchange *streaming; /* the last that sent data */
  struct buf seen;                 /* methods, paths and bodies, in order */
} rig;

static void rig_gone(struct http_exchange *x) {
  rig.gone++;
}

static void rig_data(struct http_exchange *x, struct bytes data) {
  rig.streamed_bytes += data.len;
  rig.streaming = x;
  buf_put(&rig.seen, data);
  if (rig.pause) exchange_pause_body(x);
}

static void rig_end(struct http_exchange *x, const struct err *err) {
  static const struct http_answer ok = {.status = 200};
  rig.stream_ends++;
  rig.stream_end = err ? err->code : ERR_OK;
  if (err)
    exchange_fail(x, err);
  else
    exchange_reply(x, &ok, BYTES("stored"));
}

static void rig_write_more(struct http_exchange *x) {
  uintptr_t left = (uintptr_t)exchange_owner(x);
  static const char block[1000] = {[0 ... 999] = 'd'};
  while (left > 0) {
    exchange_set_owner(x, (void *)--left);
    if (!exchange_write(x, bytes_of(block, sizeof block))) return;
  }
  exchange_reply_end(x);
}

static void rig_download(struct http_exchange *x, uint64_t length) {
  static const struct http_answer ok = {.status = 200};
  exchange_set_owner(x, (void *)(uintptr_t)1000);
  exchange_on_writable(x, rig_write_more);
  exchange_on_gone(x, exchange_reply_end);
  exchange_reply_start(x, &ok, length);
  rig_write_more(x);
}

static void rig_request(void *arg, struct http_exchange *x) {
  static const struct http_answer ok = {.status = 200, .content_type = BYTES_INIT("text/plain")};
  static const struct http_header bad = {BYTES_INIT("X-Bad"), BYTES_INIT("a\r\nEvil: 1")};
  static const struct http_sink sink = {RIG_STREAM_MAX, rig_data, rig_end};
  struct bytes path = exchange_request(x)->path;
  rig.requests++;
  buf_printf(&rig.seen, "%.*s %.*s;", BYTES_FMT(exchange_request(x)->method), BYTES_FMT(path));
  if (bytes_eq(path, BYTES("/hold"))) {
    exchange_on_gone(x, rig_gone);
    rig.held[rig.held_count++] = x;
  } else if (bytes_eq(path, BYTES("/stream"))) {
    exchange_stream_body(x, &sink);
  } else if (bytes_eq(path, BYTES("/ignore"))) {
    exchange_reply(x, &ok, BYTES("no need"));
  } else if (bytes_eq(path, BYTES("/down"))) {
    rig_download(x, HTTP_LENGTH_UNKNOWN);
  } else if (bytes_eq(path, BYTES("/known"))) {
    rig_download(x, 1000 * 1000);
  } else if (bytes_eq(path, BYTES("/bad"))) {
    struct http_answer answer = {.status = 200, .headers = &bad, .header_count = 1};
    exchange_reply(x, &answer, BYTES("x"));
  } else {
    buf_put(&rig.seen, exchange_body(x));
    exchange_reply(x, &ok, bytes_eq(path, BYTES("/echo")) ? exchange_body(x) : path);
  }
}

static uint64_t rig_limit(void *arg, struct http_exchange *x) {
  struct bytes path = exchange_request(x)->path;
  bool streamed = bytes_eq(path, BYTES("/stream")) || bytes_eq(path, BYTES("/ignore"));
  return streamed ? HTTP_BODY_STREAMED : 1000;
}

static void rig_client_ready(struct stream *stream, unsigned events) {
  static uint8_t at[65536];
  size_t len;
  switch (stream_read(stream, at, sizeof at, &len)) {
  case STREAM_OK: buf_put(&rig.got, bytes_of(at, len)); return;
  case STREAM_AGAIN: return;
  case STREAM_END: rig.client_ended = true; break;
  case STREAM_BROKEN:
    rig.client_broken = true;
    stream->ready = NULL; /* it would be told for ever, as the kernel does */
    break;
  }
  stream_want(stream, 0);
}

static void rig_log(void *arg, struct bytes line) {
}

static void rig_open(struct http_server_options options) {
  memset(&rig, 0, sizeof rig);
  sim_clock_init(&rig.clock, INT64_C(784111777000)); /* Sun, 06 Nov 1994 08:49:37 GMT */
  log_open(&(struct log_options){.clock = &rig.clock.port, .sink = rig_log});
  rig.loop = loop_new_simulated(&rig.clock.port);
  buf_init(&rig.got, 64 << 20);
  buf_init(&rig.seen, 64 << 20);
  options.loop = rig.loop;
  options.request = rig_request;
  options.body_limit = rig_limit;
  struct err err;
  assert_ok(http_server_open(&options, &rig.server, &err), err);
}

static struct stream *rig_connect(struct sim_stream_options options) {
  struct stream *theirs, *ours;
  options.loop = rig.loop;
  sim_stream_pair(&options, &theirs, &ours);
  theirs->ready = rig_client_ready;
  stream_want(theirs, LOOP_READ);
  http_server_adopt(rig.server, ours, "192.0.2.7:1234");
  rig.client = theirs;
  return theirs;
}

static void rig_run(void) {
  for (int i = 0; i < 1000000 && loop_step(rig.loop, 0); i++) continue;
}

/* Time passes, in steps, so that each due timer sees its own time. */
static void rig_wait(int64_t ms) {
  for (; ms > 0; ms -= 100) {
    sim_clock_advance_ms(&rig.clock, ms < 100 ? ms : 100);
    rig_run();
  }
}

static void rig_send_bytes(struct bytes data) {
  for (int i = 0; i < 10000000 && data.len; i++) {
    size_t len;
    enum stream_result result = stream_write(rig.client, &data, 1, &len);
    if (result == STREAM_BROKEN) return;
    if (result == STREAM_OK) data = bytes_from(data, len);
    loop_step(rig.loop, 0);
  }
}

static void rig_send(const char *text) {
  rig_send_bytes(bytes_str(text));
  rig_run();
}

static size_t rig_count(const char *text) {
  size_t count = 0;
  struct bytes left = buf_bytes(&rig.got);
  for (size_t at; (at = bytes_find_bytes(left, bytes_str(text))) < left.len; count++)
    left = bytes_from(left, at + strlen(text));
  return count;
}

#define rig_assert_got(text) \
  do { \
    if (!rig_count(text)) \
      fail_msg("not in the answer: %s\n%.*s", text, \
               (int)(rig.got.len < 2000 ? rig.got.len : 2000), (const char *)rig.got.at); \
  } while (0)

static void rig_shut(void) {
  stream_close(&rig.client);
  rig_run();
  http_server_close(&rig.server);
  for (size_t i = 0; i < rig.held_count; i++)
    if (rig.held[i]) exchange_reply(rig.held[i], &(struct http_answer){.status = 200}, BYTES_NONE);
  rig_run();
  loop_free(&rig.loop);
  buf_fini(&rig.got);
  buf_fini(&rig.seen);
}

#endif

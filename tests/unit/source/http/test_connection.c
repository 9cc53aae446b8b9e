/* Time limits, the connection limit, draining; and many real sockets at once. */
#include "tests/unit/source/http/rig.h"

#include "base/must.h"
#include "os/process.h"

#include <sys/resource.h>
#include <unistd.h>

static void open_one(void) {
  rig_open((struct http_server_options){0});
  rig_connect((struct sim_stream_options){0});
}

static uint32_t connections(void) {
  return http_server_load(rig.server).connections;
}

static void an_idle_connection_ends_quietly(void **state) {
  open_one();
  rig_send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  size_t got = rig.got.len;
  rig_wait(59000);
  assert_int_equal(connections(), 1);
  rig_send("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"); /* starts the time anew */
  rig_wait(59000);
  assert_int_equal(connections(), 1);
  rig_wait(2000);
  assert_int_equal(connections(), 0);
  assert_true(rig.client_ended);
  assert_true(rig.got.len > got);
  assert_int_equal(rig_count("HTTP/1.1 4"), 0);
  rig_shut();
}

static void nobody_waits_for_a_first_byte_for_long(void **state) {
  open_one();
  rig_wait(11000);
  assert_int_equal(connections(), 0);
  rig_shut();
}

static void a_head_byte_by_byte_runs_out_of_time(void **state) {
  open_one();
  for (int i = 0; i < 20 && !rig.got.len; i++) {
    rig_send(i == 0 ? "GET / HTTP/1.1\r\nX: " : "x");
    rig_wait(1000);
  }
  rig_assert_got("HTTP/1.1 408 ");
  rig_assert_got("Connection: close\r\n");
  rig_wait(3000);
  assert_int_equal(connections(), 0);
  rig_shut();
}

static void a_body_without_progress_runs_out_of_time(void **state) {
  static const char *const starts[] = {
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n",
      "PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n"};
  for (int i = 0; i < 2; i++) {
    open_one();
    rig_send(starts[i]);
    for (int s = 0; s < 40 && !rig.got.len; s++) {
      rig_send("x");
      rig_wait(1000);
    }
    rig_assert_got("HTTP/1.1 408 ");
    if (i == 1) assert_int_equal(rig.stream_end, ERR_TIMEOUT);
    rig_shut();
  }
}

static void a_slow_but_steady_upload_is_let_through(void **state) {
  static char block[70000];
  open_one();
  rig_send("PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 700000\r\n\r\n");
  for (int i = 0; i < 10; i++) {
    rig_wait(25000);
    rig_send_bytes(bytes_of(block, sizeof block));
  }
  rig_run();
  rig_assert_got("stored");
  rig_shut();
}

static void over_the_limit_is_told_to_come_again(void **state) {
  struct stream *first[2], *extra[80];
  rig_open((struct http_server_options){.connections_max = 2});
  for (int i = 0; i < 2; i++) first[i] = rig_connect((struct sim_stream_options){0});
  for (int i = 0; i < 80; i++) extra[i] = rig_connect((struct sim_stream_options){0});
  rig_run();
  assert_int_equal(rig_count("HTTP/1.1 503 "), 64);
  assert_int_equal(rig_count("Retry-After: 1\r\n"), 64);
  assert_int_equal(http_server_load(rig.server).refused, 80);
  rig.client = first[0];
  rig_send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  rig_assert_got("\r\n\r\n/a");
  for (int i = 0; i < 80; i++) stream_close(&extra[i]);
  stream_close(&first[1]);
  rig_run();
  assert_int_equal(connections(), 1);
  rig_shut();
}

static void count_drained(void *arg) {
  rig.drained++;
}

static void draining_finishes_what_runs(void **state) {
  struct stream *idle, *busy;
  rig_open((struct http_server_options){0});
  idle = rig_connect((struct sim_stream_options){0});
  busy = rig_connect((struct sim_stream_options){0});
  rig_run();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  http_server_drain(rig.server, count_drained, NULL);
  rig_run();
  assert_int_equal(connections(), 1);
  assert_int_equal(rig.drained, 0);
  exchange_reply(rig.held[0], &(struct http_answer){.status = 200}, BYTES("last"));
  rig.held[0] = NULL;
  rig_run();
  rig_assert_got("Connection: close\r\n");
  rig_assert_got("last");
  stream_close(&idle);
  rig.client = busy;
  stream_close(&rig.client);
  rig_run();
  assert_int_equal(connections(), 0);
  assert_int_equal(rig.drained, 1);
  rig_shut();
}

static void draining_nothing_is_done_at_once(void **state) {
  rig_open((struct http_server_options){0});
  http_server_drain(rig.server, count_drained, NULL);
  assert_int_equal(rig.drained, 0); /* never from within the call */
  rig_run();
  assert_int_equal(rig.drained, 1);
  rig_shut();
}

static void idle_connections_hold_no_buffers(void **state) {
  enum { MANY = 1000 };
  static struct stream *clients[MANY];
  rig_open((struct http_server_options){0});
  for (int i = 0; i < MANY; i++) {
    clients[i] = rig_connect((struct sim_stream_options){.room_bytes = 1024});
    rig_send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  assert_int_equal(connections(), MANY);
  assert_int_equal(http_server_load(rig.server).exchanges, 0);
  for (int i = 0; i < MANY; i++) stream_close(&clients[i]);
  rig.client = NULL;
  rig_shut();
}

/* Real sockets. */

enum { SOCKETS = 200, ROUNDS = 20 };
struct client {
  struct stream *stream;
  size_t answers, matched;
};
static struct client clients[SOCKETS];
static struct loop *loop;
static size_t finished;

static void ask(struct client *client) {
  static const struct bytes request =
      BYTES_INIT("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nping");
  size_t len;
  if (stream_write(client->stream, &request, 1, &len) != STREAM_OK || len != request.len)
    fail_msg("a small write did not fit");
}

static void client_ready(struct stream *stream, unsigned events) {
  struct client *client = stream->owner;
  char at[4096];
  size_t len;
  if (stream_read(stream, at, sizeof at, &len) != STREAM_OK) fail_msg("the server hung up");
  struct bytes end = BYTES("\r\n\r\nping");
  for (size_t i = 0; i < len; i++) {
    client->matched = at[i] == (char)end.at[client->matched] ? client->matched + 1
                      : at[i] == '\r'                        ? 1
                                                             : 0;
    if (client->matched < end.len) continue;
    client->matched = 0;
    if (++client->answers < ROUNDS)
      ask(client);
    else
      finished++;
  }
}

static void echo(void *arg, struct http_exchange *x) {
  exchange_reply(x, &(struct http_answer){.status = 200}, exchange_body(x));
}

static void many_sockets_at_once(void **state) {
  struct http_server *server;
  struct err err;
  if (process_files_raise(SOCKETS * 2 + 50) < SOCKETS * 2 + 50) skip();
  assert_ok(loop_new(clock_real(), &loop, &err), err);
  struct http_server_options options = {.loop = loop, .address = "127.0.0.1:0", .request = echo};
  assert_ok(http_server_open(&options, &server, &err), err);
  for (int i = 0; i < SOCKETS; i++) {
    int fd;
    assert_ok(net_connect(http_server_address(server), &fd, &err), err);
    assert_ok(stream_open_socket(loop, fd, &clients[i].stream, &err), err);
    clients[i].stream->owner = &clients[i];
    clients[i].stream->ready = client_ready;
    stream_want(clients[i].stream, LOOP_READ);
    ask(&clients[i]);
    loop_step(loop, 0);
  }
  for (int i = 0; i < 100000 && finished < SOCKETS; i++) loop_step(loop, 100);
  assert_int_equal(finished, SOCKETS);
  struct http_server_load load = http_server_load(server);
  assert_int_equal(load.requests, SOCKETS * ROUNDS);
  assert_int_equal(load.connections, SOCKETS);
  assert_int_equal(load.exchanges, 0);
  for (int i = 0; i < SOCKETS; i++) stream_close(&clients[i].stream);
  for (int i = 0; i < 1000 && http_server_load(server).connections; i++) loop_step(loop, 100);
  assert_int_equal(http_server_load(server).connections, 0);
  http_server_close(&server);
  loop_free(&loop);
}

static void accepting_goes_on_after_descriptors_ran_out(void **state) {
  struct http_server *server;
  struct err err;
  int fds[64];
  int client, count = 0;
  log_open(&(struct log_options){.sink = rig_log});
  assert_ok(loop_new(clock_real(), &loop, &err), err);
  struct http_server_options options = {.loop = loop, .address = "127.0.0.1:0", .request = echo};
  assert_ok(http_server_open(&options, &server, &err), err);
  assert_ok(net_connect(http_server_address(server), &client, &err), err);
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit few = {(rlim_t)client + 8, before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  while (count < 64 && (fds[count] = dup(0)) >= 0) count++;
  assert_true(count < 64);
  loop_step(loop, 1000);
  assert_int_equal(http_server_load(server).connections, 0);
  while (count > 0) close(fds[--count]);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  for (int i = 0; i < 50 && !http_server_load(server).connections; i++) loop_step(loop, 100);
  assert_int_equal(http_server_load(server).connections, 1);
  close(client);
  http_server_close(&server);
  loop_free(&loop);
}

static void a_port_in_use_is_an_error(void **state) {
  struct http_server *server, *second = NULL;
  struct err err;
  log_open(&(struct log_options){.sink = rig_log});
  assert_ok(loop_new(clock_real(), &loop, &err), err);
  struct http_server_options options = {.loop = loop, .address = "127.0.0.1:0", .request = echo};
  assert_ok(http_server_open(&options, &server, &err), err);
  options.address = http_server_address(server);
  assert_fails(http_server_open(&options, &second, &err), err, ERR_EXISTS);
  assert_null(second);
  http_server_close(&server);
  loop_free(&loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_idle_connection_ends_quietly),
      cmocka_unit_test(nobody_waits_for_a_first_byte_for_long),
      cmocka_unit_test(a_head_byte_by_byte_runs_out_of_time),
      cmocka_unit_test(a_body_without_progress_runs_out_of_time),
      cmocka_unit_test(a_slow_but_steady_upload_is_let_through),
      cmocka_unit_test(over_the_limit_is_told_to_come_again),
      cmocka_unit_test(draining_finishes_what_runs),
      cmocka_unit_test(draining_nothing_is_done_at_once),
      cmocka_unit_test(idle_connections_hold_no_buffers),
      cmocka_unit_test(many_sockets_at_once),
      cmocka_unit_test(accepting_goes_on_after_descriptors_ran_out),
      cmocka_unit_test(a_port_in_use_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

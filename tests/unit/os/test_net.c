/* Listening, accepting and streams over real sockets, with descriptors running out. */
#include "tests/unit/test.h"

#include "base/must.h"
#include "os/net.h"

#include <sys/resource.h>
#include <unistd.h>

static struct loop *loop;
static struct err err;

static int open_loop(void **state) {
  return loop_new(clock_real(), &loop, NULL) ? 0 : -1;
}

static int shut_loop(void **state) {
  loop_free(&loop);
  return 0;
}

static void bad_addresses_are_refused(void **state) {
  static const char *const bad[] = {"",         "8080",       ":8080",           "localhost:80",
                                    "1.2.3:80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x",
                                    "::1:80",   "[::1:80",    "[127.0.0.1]:1",   "127.0.0.1:-1"};
  int fd = -7;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_fails(net_listen(bad[i], &fd, &err), err, ERR_INVALID);
  assert_int_equal(fd, -7);
}

static void port_zero_takes_a_real_one_and_excludes_others(void **state) {
  char address[NET_ADDRESS_BYTES];
  int fd, second;
  assert_ok(net_listen("127.0.0.1:0", &fd, &err), err);
  net_address(fd, address);
  assert_non_null(strstr(address, "127.0.0.1:"));
  assert_null(strstr(address, ":0"));
  assert_fails(net_listen(address, &second, &err), err, ERR_EXISTS);
  close(fd);
}

static void a_foreign_address_is_unreachable(void **state) {
  int fd;
  assert_fails(net_listen("192.0.2.1:0", &fd, &err), err, ERR_UNREACHABLE);
}

static void six_is_listened_on_where_there_is_one(void **state) {
  char address[NET_ADDRESS_BYTES];
  int fd;
  if (!net_listen("[::1]:0", &fd, &err)) skip();
  net_address(fd, address);
  assert_non_null(strstr(address, "[::1]:"));
  close(fd);
}

static void descriptors_run_out(void **state) {
  char address[NET_ADDRESS_BYTES], peer[NET_ADDRESS_BYTES];
  struct rlimit before;
  int fd, client, taken, pair[2];
  assert_ok(net_listen("127.0.0.1:0", &fd, &err), err);
  net_address(fd, address);
  assert_int_equal(net_accept(fd, &taken, peer, &err), NET_NONE);
  assert_ok(net_connect(address, &client, &err), err);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit few = {(rlim_t)client + 1, before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  enum net_accepted accepted = net_accept(fd, &taken, peer, &err);
  enum err_code code = err.code;
  bool listened = net_listen("127.0.0.1:0", &taken, NULL);
  bool connected = net_connect(address, &taken, NULL);
  bool paired = net_pair(pair, NULL);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(accepted, NET_FAILED);
  assert_int_equal(code, ERR_BUSY);
  assert_false(listened || connected || paired);
  assert_int_equal(net_accept(fd, &taken, peer, &err), NET_ACCEPTED);
  assert_non_null(strstr(peer, "127.0.0.1:"));
  close(taken);
  close(client);
  close(fd);
}

static unsigned seen;

static void see(struct stream *stream, unsigned events) {
  seen = events;
}

static void open_streams(struct stream **ret_a, struct stream **ret_b) {
  int fds[2];
  assert_ok(net_pair(fds, &err), err);
  assert_ok(stream_open_socket(loop, fds[0], ret_a, &err), err);
  assert_ok(stream_open_socket(loop, fds[1], ret_b, &err), err);
  (*ret_a)->ready = (*ret_b)->ready = see;
  seen = 0;
}

static void bytes_go_in_parts_and_arrive(void **state) {
  struct stream *a, *b;
  struct bytes parts[] = {BYTES("one "), BYTES(""), BYTES("two")};
  char at[16];
  size_t len = 0;
  open_streams(&a, &b);
  assert_int_equal(stream_read(b, at, sizeof at, &len), STREAM_AGAIN);
  assert_int_equal(stream_write(a, parts, 3, &len), STREAM_OK);
  assert_int_equal(len, 7);
  stream_want(b, LOOP_READ);
  assert_true(loop_step(loop, 1000));
  assert_int_equal(seen, LOOP_READ);
  assert_int_equal(stream_read(b, at, sizeof at, &len), STREAM_OK);
  assert_bytes(bytes_of(at, len), "one two");
  stream_finish(a);
  assert_int_equal(stream_read(b, at, sizeof at, &len), STREAM_END);
  assert_int_equal(stream_write(b, parts, 3, &len), STREAM_OK);
  assert_int_equal(stream_read(a, at, sizeof at, &len), STREAM_OK);
  stream_close(&b);
  assert_null(b);
  assert_int_equal(stream_write(a, parts, 1, &len), STREAM_BROKEN);
  stream_close(&a);
}

static void a_full_socket_says_again_then_writable(void **state) {
  struct stream *a, *b;
  static char block[65536];
  struct bytes part = bytes_of(block, sizeof block);
  size_t len, total = 0;
  open_streams(&a, &b);
  while (stream_write(a, &part, 1, &len) == STREAM_OK) {
    total += len;
    assert_true(total < 100u << 20);
  }
  stream_want(a, LOOP_WRITE);
  assert_false(loop_step(loop, 0));
  while (stream_read(b, block, sizeof block, &len) == STREAM_OK) total -= len;
  assert_int_equal(total, 0);
  assert_true(loop_step(loop, 1000));
  assert_int_equal(seen, LOOP_WRITE);
  stream_close(&a);
  stream_close(&b);
}

static void a_reset_is_no_end(void **state) {
  char address[NET_ADDRESS_BYTES], peer[NET_ADDRESS_BYTES], at[8];
  struct stream *a, *b;
  int fd, client, taken;
  size_t len;
  assert_ok(net_listen("127.0.0.1:0", &fd, &err), err);
  net_address(fd, address);
  assert_ok(net_connect(address, &client, &err), err);
  assert_int_equal(net_accept(fd, &taken, peer, &err), NET_ACCEPTED);
  assert_ok(stream_open_socket(loop, client, &a, &err), err);
  assert_ok(stream_open_socket(loop, taken, &b, &err), err);
  b->ready = see;
  stream_reset(&a);
  seen = 0;
  assert_true(loop_step(loop, 1000)); /* told without any interest */
  assert_int_equal(seen, LOOP_HANGUP);
  assert_int_equal(stream_read(b, at, sizeof at, &len), STREAM_BROKEN);
  stream_close(&b);
  close(fd);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_loop, shut_loop)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(bad_addresses_are_refused),
      CASE(port_zero_takes_a_real_one_and_excludes_others),
      CASE(a_foreign_address_is_unreachable),
      CASE(six_is_listened_on_where_there_is_one),
      CASE(descriptors_run_out),
      CASE(bytes_go_in_parts_and_arrive),
      CASE(a_full_socket_says_again_then_writable),
      CASE(a_reset_is_no_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

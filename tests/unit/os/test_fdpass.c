/* Descriptors travel with a message, or not at all. */
#include "tests/unit/test.h"

#include "os/fdpass.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static struct err err;
static int ends[2];

static int open_pair(void **state) {
  return fdpass_pair(ends, true, NULL) ? 0 : -1;
}

static int shut_pair(void **state) {
  close(ends[0]);
  close(ends[1]);
  return 0;
}

static int lowest_free(void) {
  int fd = dup(0);
  close(fd);
  return fd;
}

static void a_descriptor_arrives_open(void **state) {
  int through[2], got[4] = {-1, -1, -1, -1};
  char text[8] = "";
  size_t len, count;
  assert_int_equal(pipe(through), 0);
  assert_ok(fdpass_send(ends[0], BYTES("take"), through, 2, &err), err);
  assert_ok(fdpass_receive(ends[1], text, sizeof text, &len, got, 4, &count, &err), err);
  assert_bytes(bytes_of(text, len), "take");
  assert_int_equal(count, 2);
  assert_true(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
  assert_int_equal(write(got[1], "x", 1), 1);
  assert_int_equal(read(through[0], text, 1), 1);
  for (int i = 0; i < 2; i++) {
    close(through[i]);
    close(got[i]);
  }
}

static void a_message_without_descriptors(void **state) {
  char text[8];
  size_t len, count = 9;
  assert_ok(fdpass_send(ends[0], BYTES("none"), NULL, 0, &err), err);
  assert_ok(fdpass_receive(ends[1], text, sizeof text, &len, NULL, 0, &count, &err), err);
  assert_int_equal(count, 0);
}

static void too_many_are_all_closed(void **state) {
  int fds[3] = {0, 0, 0}, got[2] = {-7, -7};
  char text[8];
  size_t len, count;
  int before = lowest_free();
  assert_ok(fdpass_send(ends[0], BYTES("x"), fds, 3, &err), err);
  assert_fails(fdpass_receive(ends[1], text, sizeof text, &len, got, 2, &count, &err), err,
               ERR_MALFORMED);
  assert_int_equal(got[0], -7);
  assert_int_equal(lowest_free(), before);
}

static void a_cut_message_is_refused(void **state) {
  int fd = 0, got;
  char text[2];
  size_t len, count;
  int before = lowest_free();
  assert_ok(fdpass_send(ends[0], BYTES("longer"), &fd, 1, &err), err);
  assert_fails(fdpass_receive(ends[1], text, sizeof text, &len, &got, 1, &count, &err), err,
               ERR_MALFORMED);
  assert_int_equal(lowest_free(), before);
}

static void no_room_for_descriptors_is_a_cut_message(void **state) {
  int fd = 0, got;
  char text[8];
  size_t len, count;
  struct rlimit before;
  assert_ok(fdpass_send(ends[0], BYTES("x"), &fd, 1, &err), err);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit few = {(rlim_t)lowest_free(), before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  bool received = fdpass_receive(ends[1], text, sizeof text, &len, &got, 1, &count, &err);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_fails(received, err, ERR_MALFORMED);
}

static void an_empty_or_ended_socket_says_so(void **state) {
  char text[8];
  size_t len, count;
  assert_fails(fdpass_receive(ends[1], text, sizeof text, &len, NULL, 0, &count, &err), err,
               ERR_BUSY);
  close(ends[0]);
  ends[0] = -1;
  assert_fails(fdpass_receive(ends[1], text, sizeof text, &len, NULL, 0, &count, &err), err,
               ERR_CLOSED);
  assert_fails(fdpass_send(ends[1], BYTES("x"), NULL, 0, &err), err, ERR_CLOSED);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_pair, shut_pair)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(a_descriptor_arrives_open),
      CASE(a_message_without_descriptors),
      CASE(too_many_are_all_closed),
      CASE(a_cut_message_is_refused),
      CASE(no_room_for_descriptors_is_a_cut_message),
      CASE(an_empty_or_ended_socket_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Streams in memory behave as sockets do, and worse when told. */
#include "tests/unit/test.h"

#include "base/buf.h"
#include "os/sim_clock.h"
#include "os/sim_stream.h"

static struct sim_clock sim;
static struct loop *loop;
static struct stream *a, *b;
static struct buf got;
static unsigned seen;
static bool ended, broken;

static void pull(struct stream *stream, unsigned events) {
  uint8_t at[100];
  size_t len;
  seen |= events;
  enum stream_result result = stream_read(stream, at, sizeof at, &len);
  if (result == STREAM_OK) buf_put(&got, bytes_of(at, len));
  ended = result == STREAM_END;
  broken = result == STREAM_BROKEN;
  if (ended || broken) stream_want(stream, 0);
}

static void open_pair(struct sim_stream_options options) {
  sim_clock_init(&sim, 0);
  loop = loop_new_simulated(&sim.port);
  options.loop = loop;
  sim_stream_pair(&options, &a, &b);
  b->ready = pull;
  buf_init(&got, 1 << 20);
  seen = 0;
  ended = broken = false;
}

static void run(void) {
  for (int i = 0; i < 100000 && loop_step(loop, 0); i++) continue;
}

static void shut(void) {
  stream_close(&a);
  stream_close(&b);
  run();
  loop_free(&loop);
  buf_fini(&got);
}

static void what_goes_in_comes_out_then_ends(void **state) {
  struct bytes parts[] = {BYTES("heart"), BYTES("beat")};
  size_t len;
  open_pair((struct sim_stream_options){0});
  stream_want(b, LOOP_READ);
  assert_int_equal(stream_write(a, parts, 2, &len), STREAM_OK);
  stream_finish(a);
  run();
  assert_bytes(buf_bytes(&got), "heartbeat");
  assert_true(ended);
  assert_int_equal(stream_write(b, parts, 1, &len), STREAM_OK); /* half-closed */
  shut();
}

static void random_steps_lose_nothing(void **state) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    struct random_seeded random;
    struct buf sent;
    random_seeded_init(&random, seed);
    open_pair((struct sim_stream_options){.room_bytes = 64, .random = &random.port});
    buf_init(&sent, 1 << 16);
    for (int i = 0; i < 500; i++) buf_u64_decimal(&sent, (uint64_t)i);
    stream_want(b, LOOP_READ);
    for (size_t at = 0; at < sent.len;) {
      struct bytes rest = bytes_from(buf_bytes(&sent), at);
      size_t len;
      if (stream_write(a, &rest, 1, &len) == STREAM_OK) at += len;
      loop_step(loop, 0);
    }
    run();
    assert_true(bytes_eq(buf_bytes(&got), buf_bytes(&sent)));
    buf_fini(&sent);
    shut();
  }
}

static void a_full_stream_says_again_then_writable(void **state) {
  struct bytes data = BYTES("0123456789");
  size_t len;
  open_pair((struct sim_stream_options){.room_bytes = 4});
  assert_int_equal(stream_write(a, &data, 1, &len), STREAM_OK);
  assert_int_equal(len, 4);
  assert_int_equal(stream_write(a, &data, 1, &len), STREAM_AGAIN);
  a->ready = b->ready;
  stream_want(a, LOOP_WRITE);
  assert_false(loop_step(loop, 0));
  char at[2];
  assert_int_equal(stream_read(b, at, sizeof at, &len), STREAM_OK);
  assert_true(loop_step(loop, 0));
  assert_int_equal(seen, LOOP_WRITE);
  shut();
}

static void a_break_is_told_without_interest(void **state) {
  struct bytes data = BYTES("x");
  size_t len;
  open_pair((struct sim_stream_options){0});
  sim_stream_break(a);
  loop_step(loop, 0);
  assert_int_equal(seen, LOOP_HANGUP);
  assert_true(broken);
  assert_int_equal(stream_write(a, &data, 1, &len), STREAM_BROKEN);
  stream_close(&a);
  stream_close(&b);
  run();
  loop_free(&loop);
  buf_fini(&got);
}

static void close_in_ready(struct stream *stream, unsigned events) {
  stream_close(&b);
}

static void a_close_inside_ready_is_safe(void **state) {
  struct bytes data = BYTES("x");
  size_t len;
  open_pair((struct sim_stream_options){0});
  b->ready = close_in_ready;
  stream_want(b, LOOP_READ);
  assert_int_equal(stream_write(a, &data, 1, &len), STREAM_OK);
  run();
  assert_null(b);
  /* It closed with a byte unread: that is a reset. */
  assert_int_equal(stream_read(a, &(char){0}, 1, &len), STREAM_BROKEN);
  shut();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_goes_in_comes_out_then_ends),
      cmocka_unit_test(random_steps_lose_nothing),
      cmocka_unit_test(a_full_stream_says_again_then_writable),
      cmocka_unit_test(a_break_is_told_without_interest),
      cmocka_unit_test(a_close_inside_ready_is_safe),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

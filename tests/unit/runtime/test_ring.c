/* tests/unit/runtime/test_ring.c: the rings keep bytes whole and trust nobody. */
#include "tests/unit/test.h"

#include "runtime/ring.h"
#include "runtime/ring_message.h"

struct pair {
  uint8_t *memory;
  struct ring core, worker;
};

static int setup(void **state) {
  struct pair *pair = calloc(1, sizeof *pair);
  pair->memory = aligned_alloc(4096, RING_MEMORY_BYTES);
  memset(pair->memory, 0, RING_MEMORY_BYTES);
  ring_init(&pair->core, pair->memory, true);
  ring_init(&pair->worker, pair->memory, false);
  *state = pair;
  return 0;
}

static int teardown(void **state) {
  struct pair *pair = *state;
  ring_fini(&pair->core);
  ring_fini(&pair->worker);
  free(pair->memory);
  free(pair);
  return 0;
}

static void next_turn(struct pair *pair) {
  ring_rewind(&pair->core);
  ring_turn_begin(&pair->core);
  assert_true(ring_turn_next(&pair->worker));
  assert_false(ring_turn_next(&pair->worker));
}

static uint8_t *pattern(size_t len) {
  uint8_t *at = malloc(len + 1);
  for (size_t i = 0; i < len; i++) at[i] = (uint8_t)(i * 31 + i / 251);
  return at;
}

/* Moves one message of `len` bytes across, in as many rounds as it takes. */
static void carry(struct ring *from, struct ring *to, size_t len) {
  uint8_t *body = pattern(len);
  struct ring_out out;
  ring_answer_out(&out, 7, true, bytes_of(body, len));
  struct ring_message message;
  enum ring_result pushed = RING_WAIT, pulled = RING_WAIT;
  for (int rounds = 0; pulled != RING_DONE_ALL; rounds++) {
    assert_true(rounds < 1000);
    if (pushed == RING_WAIT) pushed = ring_push(from, &out);
    assert_int_not_equal(pushed, RING_BROKEN);
    pulled = ring_pull(to, &message);
    assert_int_not_equal(pulled, RING_BROKEN);
  }
  assert_int_equal(pushed, RING_DONE_ALL);
  struct guest_answer answer;
  assert_true(ring_answer_read(&message, &answer));
  assert_int_equal(answer.ordinal, 7);
  assert_int_equal(answer.body.len, len);
  assert_memory_equal(answer.body.at, body, len);
  assert_true(ring_is_empty(to));
  free(body);
}

static void test_sizes_both_ways(void **state) {
  struct pair *pair = *state;
  const size_t sizes[] = {0,      1,      14,     15,      16,      4096,
                          32766,  32767,  32768,  32769,   65535,   131071,
                          131072, 131073, 200000, 1 << 20, 6 << 20, (8 << 20) - 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    next_turn(pair);
    carry(&pair->core, &pair->worker, sizes[i]);
    carry(&pair->worker, &pair->core, sizes[i]);
    carry(&pair->worker, &pair->core, sizes[i] / 2);
  }
}

static void test_wraps_many_times(void **state) {
  struct pair *pair = *state;
  next_turn(pair);
  for (size_t i = 0; i < 3000; i++) carry(&pair->core, &pair->worker, i * 37 % 5000);
}

static void test_run_round_trip(void **state) {
  struct pair *pair = *state;
  struct guest_input input = {.event = BYTES("{\"a\":1}"),
                              .context = BYTES("{}"),
                              .env = BYTES("{\"K\":\"v\"}"),
                              .clock_ms = 1234,
                              .deadline_mono_ns = 99,
                              .handler = BYTES("other")};
  memset(input.seed, 5, sizeof input.seed);
  struct ring_run head;
  struct ring_out out;
  ring_run_out(&out, &head, &input);
  ring_rewind(&pair->core);
  assert_int_equal(ring_push(&pair->core, &out), RING_DONE_ALL);
  ring_turn_begin(&pair->core);
  assert_true(ring_turn_next(&pair->worker));
  struct ring_message message;
  assert_int_equal(ring_pull(&pair->worker, &message), RING_DONE_ALL);
  struct guest_input got;
  assert_true(ring_run_read(message.payload, &got));
  assert_bytes(got.event, "{\"a\":1}");
  assert_bytes(got.env, "{\"K\":\"v\"}");
  assert_bytes(got.handler, "other");
  assert_int_equal(got.clock_ms, 1234);
  assert_memory_equal(got.seed, input.seed, 32);
  assert_false(ring_run_read(bytes_sub(message.payload, 0, message.payload.len - 1), &got));
  assert_false(ring_run_read(bytes_sub(message.payload, 0, 10), &got));
}

static void test_rewind_wipes_both_rings(void **state) {
  struct pair *pair = *state;
  const char canary[] = "PATIENT-4711";
  next_turn(pair);
  for (int i = 0; i < 5000; i++) {
    struct ring_out out;
    struct ring_message message;
    ring_answer_out(&out, 1, true, bytes_str(canary));
    assert_int_equal(ring_push(&pair->core, &out), RING_DONE_ALL);
    assert_int_equal(ring_pull(&pair->worker, &message), RING_DONE_ALL);
    ring_answer_out(&out, 1, true, bytes_str(canary));
    assert_int_equal(ring_push(&pair->worker, &out), RING_DONE_ALL);
    assert_int_equal(ring_pull(&pair->core, &message), RING_DONE_ALL);
  }
  struct bytes all = bytes_of(pair->memory, RING_MEMORY_BYTES);
  assert_true(bytes_find_bytes(all, bytes_str(canary)) < all.len);
  next_turn(pair);
  assert_int_equal(bytes_find_bytes(all, bytes_str(canary)), all.len);
}

static void test_sleep_words(void **state) {
  struct pair *pair = *state;
  next_turn(pair);
  assert_true(ring_arm(&pair->worker, RING_WANT_MESSAGE, 0));
  assert_false(ring_peer_sleeps(&pair->core, RING_WANT_ROOM));
  assert_true(ring_peer_sleeps(&pair->core, RING_WANT_MESSAGE));
  assert_false(ring_peer_sleeps(&pair->core, RING_WANT_MESSAGE));
  struct ring_out out;
  ring_answer_out(&out, 1, true, BYTES_NONE);
  assert_int_equal(ring_push(&pair->core, &out), RING_DONE_ALL);
  assert_false(ring_arm(&pair->worker, RING_WANT_MESSAGE, 0)); /* there already */
  assert_false(ring_peer_sleeps(&pair->core, RING_WANT_MESSAGE));
  ring_rewind(&pair->core);
  ring_turn_begin(&pair->core);
  assert_false(ring_arm(&pair->worker, RING_WANT_MESSAGE, 0)); /* a turn counts, too */
}

/* Abuse: whatever the other side writes, the core gives up cleanly. */

static enum ring_result pull_chunk(struct pair *pair, const uint8_t head[16], uint64_t written) {
  struct ring_message message;
  next_turn(pair);
  memcpy(pair->worker.out_at, head, 16);
  atomic_store(&pair->core.shared->up_head, written);
  return ring_pull(&pair->core, &message);
}

static void test_bad_heads(void **state) {
  struct pair *pair = *state;
  const uint8_t fine[16] = {4, 0, 0, 0, RING_LOG};
  assert_int_equal(pull_chunk(pair, fine, 32), RING_DONE_ALL);
  assert_int_equal(pull_chunk(pair, fine, 31), RING_BROKEN); /* payload not there */
  assert_int_equal(pull_chunk(pair, fine, 16), RING_BROKEN);
  assert_int_equal(pull_chunk(pair, fine, 8), RING_BROKEN); /* half a head */
  assert_int_equal(pull_chunk(pair, fine, 0), RING_WAIT);
  assert_int_equal(pull_chunk(pair, fine, RING_BYTES + 1), RING_BROKEN);
  assert_int_equal(pull_chunk(pair, fine, UINT64_MAX), RING_BROKEN);
  const uint8_t bad[][16] = {
      {4, 0, 0, 0, RING_NONE},
      {4, 0, 0, 0, RING_KIND_COUNT},
      {4, 0, 0, 0, RING_LOG, 2},
      {4, 0, 0, 0, RING_LOG, RING_MORE}, /* short, not last */
      {0, 0, 0, 0, RING_LOG, 1},
      {4, 0, 0, 0, RING_LOG, 0, 1},
      {1, 0x80, 0, 0, RING_LOG},
      {0xff, 0xff, 0xff, 0xff, RING_LOG},
      {0xf1, 0xff, 0xff, 0xff, RING_LOG},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(pull_chunk(pair, bad[i], 65536), RING_BROKEN);
}

static void test_chunks_of_two_messages(void **state) {
  struct pair *pair = *state;
  struct ring_message message;
  const uint8_t first[16] = {0, 0x80, 0, 0, RING_LOG, RING_MORE};
  const uint8_t other[16] = {4, 0, 0, 0, RING_REQUEST};
  next_turn(pair);
  memcpy(pair->worker.out_at, first, 16);
  memcpy(pair->worker.out_at + 16 + 32768, other, 16);
  atomic_store(&pair->core.shared->up_head, 16 + 32768 + 32);
  assert_int_equal(ring_pull(&pair->core, &message), RING_BROKEN);
}

static void test_message_without_end(void **state) {
  struct pair *pair = *state;
  const uint8_t head[16] = {0, 0x80, 0, 0, RING_LOG, RING_MORE};
  struct ring_message message;
  next_turn(pair);
  uint64_t at = 0;
  enum ring_result result = RING_WAIT;
  for (int i = 0; i < 1000 && result == RING_WAIT; i++) {
    for (int k = 0; k < 16; k++)
      pair->worker.out_at[(at + (unsigned)k) & (RING_BYTES - 1)] = head[k];
    at += 16 + 32768;
    atomic_store(&pair->core.shared->up_head, at);
    result = ring_pull(&pair->core, &message);
  }
  assert_int_equal(result, RING_BROKEN);
  assert_true(at < RING_MESSAGE_BYTES_MAX + (1 << 20));
}

static void test_consumer_position_cannot_be(void **state) {
  struct pair *pair = *state;
  next_turn(pair);
  atomic_store(&pair->core.shared->down_tail, 5); /* more than was ever written */
  struct ring_out out;
  ring_answer_out(&out, 1, true, BYTES("x"));
  assert_int_equal(ring_push(&pair->core, &out), RING_BROKEN);
}

static void test_bad_payloads(void **state) {
  struct bytes slice, rest;
  enum guest_level level;
  struct ring_ready ready;
  struct ring_done done = {0};
  assert_false(ring_request_read(BYTES("\1\0\0"), &slice, &rest));
  assert_false(ring_request_read(BYTES("\0\0\0\0x"), &slice, &rest));
  assert_false(ring_request_read(BYTES("\5\0\0\0abcd"), &slice, &rest));
  assert_false(ring_request_read(BYTES("\xff\xff\xff\xff"), &slice, &rest));
  assert_true(ring_request_read(BYTES("\4\0\0\0abcd"), &slice, &rest));
  assert_int_equal(rest.len, 0);
  assert_false(ring_log_read(BYTES("\4\0\0\0abcd"), &level, &rest));
  assert_true(ring_log_read(BYTES("\3\0\0\0abcd"), &level, &rest));
  assert_false(ring_ready_read(BYTES("\1\0\0\0\4\0\0\0\0\0\0\0"), &ready, &rest));
  assert_false(ring_ready_read(BYTES("\2\0\0\0\3\0\0\0\0\0\0\0"), &ready, &rest));
  assert_true(ring_done_read(bytes_of(&done, sizeof done), &done, &rest));
  done.cpu_us = -1;
  assert_false(ring_done_read(bytes_of(&done, sizeof done), &done, &rest));
  done.cpu_us = 0;
  done.result = 9;
  assert_false(ring_done_read(bytes_of(&done, sizeof done), &done, &rest));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_sizes_both_ways, setup, teardown),
      cmocka_unit_test_setup_teardown(test_wraps_many_times, setup, teardown),
      cmocka_unit_test_setup_teardown(test_run_round_trip, setup, teardown),
      cmocka_unit_test_setup_teardown(test_rewind_wipes_both_rings, setup, teardown),
      cmocka_unit_test_setup_teardown(test_sleep_words, setup, teardown),
      cmocka_unit_test_setup_teardown(test_bad_heads, setup, teardown),
      cmocka_unit_test_setup_teardown(test_chunks_of_two_messages, setup, teardown),
      cmocka_unit_test_setup_teardown(test_message_without_end, setup, teardown),
      cmocka_unit_test_setup_teardown(test_consumer_position_cannot_be, setup, teardown),
      cmocka_unit_test(test_bad_payloads),
  };
  return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}

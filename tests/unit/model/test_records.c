/* Stored forms of events, deliveries and runs: there and back, and every truncation refused. */
#include "tests/unit/test.h"

#include "model/delivery.h"
#include "model/event.h"
#include "model/run.h"
#include "wire/fields.h"
#include "wire/json.h"

static void events_come_back(void **state) {
  struct event event = {.received_ms = 1767225600000,
                        .ce_id = BYTES("e1"),
                        .ce_source = BYTES("ward/4B"),
                        .ce_type = BYTES("org.example.vitals"),
                        .principal = BYTES("gateway"),
                        .depth = 3};
  struct event again;
  struct buf envelope, stored;
  struct err err;
  buf_init(&envelope, 4096);
  buf_init(&stored, 4096);
  event_write_envelope(&envelope, &event, BYTES("{\"hr\":61}"));
  event.envelope = buf_bytes(&envelope);
  event.data = bytes_sub(event.envelope, event.envelope.len - 1 - 9, 9);
  event_encode(&stored, &event);
  assert_ok(event_decode(buf_bytes(&stored), &again, &err), err);
  assert_bytes(again.data, "{\"hr\":61}");
  assert_bytes(again.ce_source, "ward/4B");
  assert_int_equal(again.depth, 3);
  for (size_t cut = 0; cut < stored.len; cut++)
    assert_fails(event_decode(bytes_sub(buf_bytes(&stored), 0, cut), &again, &err), err,
                 ERR_CORRUPT);
  buf_char(&stored, 'x');
  assert_fails(event_decode(buf_bytes(&stored), &again, &err), err, ERR_CORRUPT);
  struct event *copy = event_copy(&event);
  assert_bytes(copy->data, "{\"hr\":61}");
  assert_ptr_not_equal(copy->data.at, event.data.at);
  assert_int_equal(event_for_handler(copy).len, event.envelope.len);
  free(copy);
  buf_fini(&envelope);
  buf_fini(&stored);
}

static void deliveries_come_back(void **state) {
  struct delivery delivery = {.function = BYTES("ward/news2"),
                              .key = BYTES("Patient/1"),
                              .state = DELIVERY_DEAD,
                              .attempts = 3,
                              .next_ms = -1,
                              .reason = BYTES("threw")};
  struct delivery again;
  struct buf stored;
  struct err err;
  buf_init(&stored, 4096);
  delivery_encode(&stored, &delivery);
  assert_ok(delivery_decode(buf_bytes(&stored), &again, &err), err);
  assert_bytes(again.key, "Patient/1");
  assert_int_equal(again.state, DELIVERY_DEAD);
  assert_int_equal(again.next_ms, -1);
  for (size_t cut = 0; cut < stored.len; cut++)
    assert_fails(delivery_decode(bytes_sub(buf_bytes(&stored), 0, cut), &again, &err), err,
                 ERR_CORRUPT);
  buf_fini(&stored);
}

static void runs_come_back_and_print(void **state) {
  struct run_record run = {.app = BYTES("ward"),
                           .function = BYTES("news2"),
                           .version = 7,
                           .outcome = BYTES("failed"),
                           .run_us = 1234,
                           .seed = BYTES("secret seed"),
                           .log = BYTES("line\n")};
  struct run_record again;
  struct buf stored, steps, json;
  struct err err;
  buf_init(&stored, 4096);
  buf_init(&steps, 4096);
  buf_init(&json, 8192);
  run_pack_step(&steps, BYTES("state.get"), "ok", 10, 5);
  run.steps = buf_bytes(&steps);
  run_encode(&stored, &run);
  assert_ok(run_decode(buf_bytes(&stored), &again, &err), err);
  assert_int_equal(again.run_us, 1234);
  run_write_json(&json, &again, true);
  struct arena arena;
  const struct json *tree;
  arena_init(&arena, 1 << 20);
  assert_ok(json_parse(&arena, buf_bytes(&json), &tree, &err), err);
  assert_bytes(json_get_text(tree, "outcome"), "failed");
  assert_bytes(json_get_text(json_item(json_get(tree, "steps"), 0), "what"), "state.get");
  assert_null(json_get(tree, "seed"));
  for (size_t cut = 0; cut < stored.len; cut++)
    assert_fails(run_decode(bytes_sub(buf_bytes(&stored), 0, cut), &again, &err), err, ERR_CORRUPT);
  arena_fini(&arena);
  buf_fini(&stored);
  buf_fini(&steps);
  buf_fini(&json);
}

static void varints_at_the_edges(void **state) {
  const uint64_t values[] = {0, 1, 127, 128, UINT32_MAX, UINT64_MAX};
  struct buf buf;
  buf_init(&buf, 256);
  for (size_t i = 0; i < 6; i++) fields_put_u64(&buf, values[i]);
  fields_put_i64(&buf, INT64_MIN);
  struct cursor in = cursor_of(buf_bytes(&buf));
  for (size_t i = 0; i < 6; i++) assert_true(fields_get_u64(&in) == values[i]);
  assert_true(fields_get_i64(&in) == INT64_MIN);
  assert_false(fields_more(&in));
  struct cursor long_one = cursor_of(BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
  fields_get_u64(&long_one);
  assert_false(cursor_ok(&long_one));
  buf_fini(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(events_come_back),
      cmocka_unit_test(deliveries_come_back),
      cmocka_unit_test(runs_come_back_and_print),
      cmocka_unit_test(varints_at_the_edges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

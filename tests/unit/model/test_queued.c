/* Queues' names, records and rows. */
#include "tests/unit/test.h"

#include "model/queued.h"

static void names_are_plain(void **state) {
  char longest[QUEUE_NAME_BYTES_MAX + 2];
  struct err err;
  memset(longest, 'a', sizeof longest);
  assert_ok(queue_name_check(BYTES("orders-2_b.fifo"), &err), err);
  assert_ok(queue_name_check(bytes_of(longest, QUEUE_NAME_BYTES_MAX), &err), err);
  assert_fails(queue_name_check(bytes_of(longest, QUEUE_NAME_BYTES_MAX + 1), &err), err,
               ERR_INVALID);
  assert_fails(queue_name_check(BYTES(""), &err), err, ERR_INVALID);
  assert_fails(queue_name_check(BYTES("a b"), &err), err, ERR_INVALID);
  assert_fails(queue_name_check(BYTES("a\0b"), &err), err, ERR_INVALID);
  assert_fails(queue_name_check(BYTES("a/b"), &err), err, ERR_INVALID);
}

static void a_record_is_what_lambda_gives(void **state) {
  struct arena arena;
  struct buf out;
  struct err err;
  const struct json *attributes, *tree;
  arena_init(&arena, 1 << 20);
  buf_init(&out, 1 << 20);
  assert_ok(json_parse(&arena,
                       BYTES("{\"a\":\"x\",\"b\":1.50,"
                             "\"c\":{\"DataType\":\"Binary\",\"BinaryValue\":\"AAE=\"}}"),
                       &attributes, &err),
            err);
  struct queue_message message = {.queue = BYTES("orders"),
                                  .body = BYTES("say \"hi\"\n"),
                                  .sender = BYTES("me"),
                                  .sent_ms = 1767225600000,
                                  .attributes = attributes};
  queue_record_write(&out, &message);
  assert_ok(json_parse(&arena, buf_bytes(&out), &tree, &err), err);
  assert_bytes(json_get_text(tree, "body"), "say \"hi\"\n");
  assert_bytes(json_text(json_path(tree, BYTES("attributes.SentTimestamp"))), "1767225600000");
  assert_bytes(json_text(json_path(tree, BYTES("messageAttributes.b.stringValue"))), "1.50");
  assert_bytes(json_text(json_path(tree, BYTES("messageAttributes.b.dataType"))), "Number");
  assert_bytes(json_text(json_path(tree, BYTES("messageAttributes.c.binaryValue"))), "AAE=");
  assert_bytes(json_get_text(tree, "eventSource"), "aws:sqs");
  arena_fini(&arena);
  buf_fini(&out);
}

static void a_row_reads_back_or_is_refused(void **state) {
  struct queued in = {.visible_ms = -5, .receives = 7, .event = BYTES("event")}, out;
  struct buf row;
  struct err err;
  uint8_t key[QUEUE_KEY_BYTES_MAX];
  buf_init(&row, 1024);
  queued_encode(&row, &in);
  assert_ok(queued_decode(buf_bytes(&row), &out, &err), err);
  assert_int_equal(out.visible_ms, -5);
  assert_int_equal(out.receives, 7);
  assert_bytes(out.event, "event");
  for (size_t len = 0; len < row.len; len++)
    assert_fails(queued_decode(bytes_of(row.at, len), &out, &err), err, ERR_CORRUPT);
  buf_char(&row, 0);
  assert_fails(queued_decode(buf_bytes(&row), &out, &err), err, ERR_CORRUPT);
  struct bytes of_key = queued_key(BYTES("orders"), (struct id){{1}}, key);
  assert_int_equal(of_key.len, 6 + 1 + ID_BYTES);
  assert_int_equal(key[7], 1);
  buf_fini(&row);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_plain),
      cmocka_unit_test(a_record_is_what_lambda_gives),
      cmocka_unit_test(a_row_reads_back_or_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

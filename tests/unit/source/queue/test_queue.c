/* Queues: to a function in SQS's shape; without one, received, shown again, deleted, buried. */
#include "tests/unit/source/rig.h"

#include "source/queue/queue.h"

static struct queues *queues;

static void changed(void) {
  if (queues) queues_catalog_changed(queues);
}

static void open_rig(void) {
  rig_open(1767225600000);
  rig.on_catalog = changed;
  queues_open(rig.api, &queues);
  rig_wait(5000);
}

static void close_rig(void) {
  rig_wait(60000);
  api_close(&rig.api);
  queues_close(&queues);
  rig_close();
}

static const struct json *answer(struct arena *arena, const char *path) {
  const struct json *tree;
  struct err err;
  struct bytes body = arena_copy(arena, rig_body());
  assert_ok(json_parse(arena, body, &tree, &err), err);
  return json_path(tree, bytes_str(path));
}

static char text_of[160];
/* The text at a path of the last answer. */
static const char *at(const char *path) {
  struct arena arena;
  arena_init(&arena, 1 << 20);
  const struct json *value = answer(&arena, path);
  bytes_text(json_text(value), text_of, sizeof text_of);
  arena_fini(&arena);
  return text_of;
}

static unsigned received(const char *query) {
  char target[256];
  struct arena arena;
  snprintf(target, sizeof target, "/queues/orders/messages/receive?%s", query);
  assert_int_equal(rig_http("POST", target, NULL, NULL), 200);
  arena_init(&arena, 1 << 20);
  unsigned count = answer(&arena, "messages")->count;
  arena_fini(&arena);
  return count;
}

static void send(const char *text) {
  if (rig_http("POST", "/queues/orders/messages", NULL, text) != 202)
    fail_msg("%.*s", BYTES_FMT(rig_body()));
}

static void a_function_gets_records(void **state) {
  struct buf events;
  open_rig();
  rig_deploy("  take: {code: a.js, on: [{queue: orders}]}\n");
  send("{\"body\":\"hello\",\"attributes\":{\"kind\":\"lab\",\"n\":7}}");
  assert_string_equal(at("deliveries"), "1");
  buf_init(&events, 1 << 20);
  assert_int_equal(rig_events(EVENT_TYPE_QUEUE, &events), 1);
  struct bytes text = buf_bytes(&events);
  static const char *parts[] = {
      "\"source\":\"orders\"",
      "\"body\":\"hello\"",
      "\"md5OfBody\":\"5d41402abc4b2a76b9719d911017c592\"",
      "\"eventSourceARN\":\"arn:aws:sqs:local:000000000000:orders\"",
      "\"kind\":{\"stringValue\":\"lab\",\"stringListValues\":[],\"binaryListValues\":[],"
      "\"dataType\":\"String\"}",
      "\"n\":{\"stringValue\":\"7\","};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (bytes_find_bytes(text, bytes_str(parts[i])) == text.len)
      fail_msg("%s is not in %.*s", parts[i], BYTES_FMT(text));
  buf_fini(&events);
  rig_wait(100);
  assert_int_equal(flow_load(rig.flow).succeeded, 1);
  assert_int_equal(rig_rows(TABLE_queue), 0);
  close_rig();
}

static void a_delay_holds_a_message_back(void **state) {
  open_rig();
  rig_deploy("  take: {code: a.js, on: [{queue: orders}]}\n");
  send("{\"body\":\"later\",\"delay_ms\":5000}");
  rig_wait(4900);
  assert_int_equal(flow_load(rig.flow).runs, 0);
  rig_wait(200);
  assert_int_equal(flow_load(rig.flow).succeeded, 1);
  close_rig();
}

static void without_a_function_it_is_received_and_deleted(void **state) {
  char target[256];
  open_rig();
  send("{\"body\":{\"a\":[1,2.50]}}");
  send("{\"entries\":[{\"body\":\"two\"},{\"body\":\"three\",\"delay_ms\":60000}]}");
  assert_int_equal(rig_rows(TABLE_queue), 3);
  assert_int_equal(received("max=10&visibility_ms=2000"), 2);
  assert_string_equal(at("messages[0].body"), "{\"a\":[1,2.50]}");
  assert_string_equal(at("messages[1].body"), "two");
  snprintf(target, sizeof target, "/queues/orders/messages/%s", at("messages[1].receipt"));
  assert_int_equal(received("max=10"), 0);
  assert_int_equal(rig_http("DELETE", target, NULL, NULL), 204);
  assert_int_equal(rig_http("DELETE", target, NULL, NULL), 404);
  rig_wait(2000);
  assert_int_equal(received("max=10&visibility_ms=1000"), 1);
  assert_string_equal(at("messages[0].receives"), "2");
  rig_wait(60000);
  assert_int_equal(received("max=10"), 2);
  close_rig();
}

static void an_old_receipt_deletes_nothing(void **state) {
  char target[256];
  open_rig();
  send("{\"body\":\"x\"}");
  assert_int_equal(received("visibility_ms=100"), 1);
  snprintf(target, sizeof target, "/queues/orders/messages/%s", at("messages[0].receipt"));
  rig_wait(200);
  assert_int_equal(received("visibility_ms=1000"), 1);
  assert_int_equal(rig_http("DELETE", target, NULL, NULL), 404);
  assert_int_equal(rig_rows(TABLE_queue), 1);
  close_rig();
}

static void a_message_can_be_given_back(void **state) {
  char target[256];
  open_rig();
  send("{\"body\":\"x\"}");
  assert_int_equal(received("visibility_ms=60000"), 1);
  snprintf(target, sizeof target, "/queues/orders/messages/%s?visibility_ms=0",
           at("messages[0].receipt"));
  assert_int_equal(rig_http("POST", target, NULL, NULL), 204);
  assert_int_equal(received("max=1"), 1);
  close_rig();
}

static void a_receive_waits_for_a_message(void **state) {
  open_rig();
  rig_http_begin("GET", "/queues/orders/messages/receive?wait_ms=5000", NULL, BYTES_NONE);
  rig_wait(1000);
  assert_false(rig.ended);
  struct stream *waiting = rig.client; /* another connection sends */
  struct buf got = rig.got;
  rig.client = NULL;
  buf_init(&rig.got, 1 << 20);
  waiting->ready = NULL;
  send("{\"body\":\"at last\"}");
  rig_wait(QUEUE_POLL_MS + 100);
  assert_int_equal(rig_rows(TABLE_queue), 1);
  assert_int_equal(received("max=1"), 0); /* the first one has it */
  stream_close(&waiting);
  buf_fini(&got);
  int64_t before = rig.clock.mono_ns;
  assert_int_equal(received("max=1&wait_ms=1000"), 0);
  assert_true(rig.clock.mono_ns - before >= 1000000000);
  close_rig();
}

static void received_too_often_it_is_buried(void **state) {
  open_rig();
  send("{\"body\":\"poison\"}");
  for (int i = 0; i < QUEUE_RECEIVES_MAX; i++) {
    assert_int_equal(received("visibility_ms=100"), 1);
    rig_wait(200);
  }
  assert_int_equal(received("visibility_ms=100"), 0);
  assert_int_equal(rig_http("POST", "/queues/orders-dead/messages/receive", NULL, NULL), 200);
  assert_string_equal(at("messages[0].body"), "poison");
  assert_string_equal(at("messages[0].receives"), "1");
  close_rig();
}

static void what_waits_goes_to_a_function_deployed_later(void **state) {
  open_rig();
  for (int i = 0; i < 250; i++) send("{\"body\":\"x\"}");
  assert_int_equal(received("visibility_ms=3000"), 1);
  assert_int_equal(rig_rows(TABLE_queue), 250);
  rig_deploy("  take: {code: a.js, on: [{queue: orders}]}\n");
  rig_wait(1500);
  assert_int_equal(rig_rows(TABLE_queue), 1);
  rig_wait(5000);
  assert_int_equal(rig_rows(TABLE_queue), 0);
  assert_int_equal(flow_load(rig.flow).admitted, 250 + 250);
  assert_int_equal(flow_load(rig.flow).owed, 0);
  assert_int_equal(rig_events(EVENT_TYPE_QUEUE, NULL), 250);
  close_rig();
}

static void wrong_requests_are_answered(void **state) {
  open_rig();
  assert_int_equal(rig_http("POST", "/queues/or ders/messages", NULL, "{}"), 400);
  assert_int_equal(rig_http("POST", "/queues/or%20ders/messages", NULL, "{\"body\":1}"), 400);
  assert_int_equal(rig_http("POST", "/queues/orders/messages", NULL, "{}"), 400);
  assert_int_equal(rig_http("POST", "/queues/orders/messages", NULL, "{\"entries\":[]}"), 400);
  assert_int_equal(rig_http("POST", "/queues/orders/messages", NULL, "{\"entries\":1}"), 400);
  assert_int_equal(rig_http("POST", "/queues/orders/messages", NULL, "{"), 400);
  assert_int_equal(
      rig_http("POST", "/queues/orders/messages", NULL, "{\"body\":\"x\",\"delay_ms\":-1}"), 400);
  assert_int_equal(rig_http("POST", "/queues/orders/messages", NULL,
                            "{\"body\":\"x\",\"delay_ms\":99999999999}"),
                   400);
  assert_int_equal(rig_http("POST", "/queues/orders/messages/receive?max=1000", NULL, NULL), 400);
  assert_int_equal(rig_http("DELETE", "/queues/orders/messages/none", NULL, NULL), 400);
  assert_int_equal(rig_rows(TABLE_queue), 0);
  close_rig();
}

static int sqs(const char *operation, const char *text) {
  char headers[256];
  snprintf(headers, sizeof headers,
           "X-Amz-Target: AmazonSQS.%s\r\nContent-Type: application/x-amz-json-1.0\r\n", operation);
  return rig_http("POST", "/", headers, text);
}

static void amazons_protocol_works(void **state) {
#define URL "\"QueueUrl\":\"http://127.0.0.1/000000000000/orders\""
  char text[1024];
  open_rig();
  assert_int_equal(sqs("GetQueueUrl", "{\"QueueName\":\"orders\"}"), 200);
  assert_string_equal(at("QueueUrl"), "http://127.0.0.1/000000000000/orders");
  assert_int_equal(sqs("SendMessage", "{" URL ",\"MessageBody\":\"hello\",\"MessageAttributes\":"
                                      "{\"k\":{\"DataType\":\"String\",\"StringValue\":\"v\"}}}"),
                   200);
  assert_string_equal(at("MD5OfMessageBody"), "5d41402abc4b2a76b9719d911017c592");
  assert_int_equal(sqs("SendMessageBatch", "{" URL ",\"Entries\":[{\"Id\":\"a\",\"MessageBody\":"
                                           "\"1\"},{\"Id\":\"b\",\"MessageBody\":\"2\"}]}"),
                   200);
  assert_string_equal(at("Successful[1].Id"), "b");
  assert_int_equal(sqs("ReceiveMessage", "{" URL ",\"MaxNumberOfMessages\":10}"), 200);
  assert_string_equal(at("Messages[0].Body"), "hello");
  assert_string_equal(at("Messages[0].MessageAttributes.k.StringValue"), "v");
  assert_string_equal(at("Messages[0].Attributes.ApproximateReceiveCount"), "1");
  snprintf(text, sizeof text, "{" URL ",\"VisibilityTimeout\":0,\"ReceiptHandle\":\"%s\"}",
           at("Messages[0].ReceiptHandle"));
  assert_int_equal(sqs("ChangeMessageVisibility", text), 200);
  assert_int_equal(sqs("ReceiveMessage", "{" URL ",\"MaxNumberOfMessages\":10}"), 200);
  snprintf(text, sizeof text, "{" URL ",\"ReceiptHandle\":\"%s\"}",
           at("Messages[0].ReceiptHandle"));
  assert_int_equal(sqs("DeleteMessage", text), 200);
  assert_int_equal(rig_rows(TABLE_queue), 2);
  assert_int_equal(sqs("DeleteMessage", "{" URL ",\"ReceiptHandle\":\"x\"}"), 400);
  assert_string_equal(at("__type"), "com.amazonaws.sqs#InvalidParameterValue");
  assert_int_equal(sqs("PurgeQueue", "{" URL "}"), 400);
  assert_string_equal(at("__type"), "com.amazonaws.sqs#UnsupportedOperation");
  close_rig();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_function_gets_records),
      cmocka_unit_test(a_delay_holds_a_message_back),
      cmocka_unit_test(without_a_function_it_is_received_and_deleted),
      cmocka_unit_test(an_old_receipt_deletes_nothing),
      cmocka_unit_test(a_message_can_be_given_back),
      cmocka_unit_test(a_receive_waits_for_a_message),
      cmocka_unit_test(received_too_often_it_is_buried),
      cmocka_unit_test(what_waits_goes_to_a_function_deployed_later),
      cmocka_unit_test(wrong_requests_are_answered),
      cmocka_unit_test(amazons_protocol_works),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

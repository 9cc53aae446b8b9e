/* CloudEvents in binary, structured and batch form, from files, and back to one envelope. */
#include "tests/unit/test.h"

#include "wire/cloudevents.h"

static struct arena arena;
static struct buf buf;

static int setup(void **state) {
  arena_init(&arena, 8 << 20);
  buf_init(&buf, 1 << 20);
  return 0;
}

static int teardown(void **state) {
  arena_fini(&arena);
  buf_fini(&buf);
  return 0;
}

#define GOOD \
  "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"ward/4\",\"type\":\"org.example.vitals\""

static void check_written(const struct cloudevent *event, const char *expected) {
  buf_reset(&buf);
  cloudevents_write(&buf, event);
  assert_bytes(buf_bytes(&buf), expected);
}

static void check_json(const char *text, const char *expected) {
  struct cloudevents events;
  struct err err;
  assert_ok(cloudevents_read_json(&arena, bytes_str(text), false, 0, &events, &err), err);
  assert_int_equal(events.count, 1);
  check_written(events.events, expected);
}

static void structured_events_are_canonical(void **state) {
  check_json("{" GOOD "}", "{" GOOD "}");
  check_json(
      " {\"data\" : { \"x\" : 1.00 , \"y\":[1, 2] } ,\"zz\":true,\"aa\":-7,\"time\":"
      "\"2026-01-02T03:04:05.678+01:00\",\"type\":\"t\",\"source\":\"s\",\"id\":\"\\u00e4\","
      "\"subject\":null,\"traceparent\":\"x\",\"specversion\":\"1.0\","
      "\"datacontenttype\":\"application/json\"}\n",
      "{\"specversion\":\"1.0\",\"id\":\"\xc3\xa4\",\"source\":\"s\",\"type\":\"t\",\"time\":"
      "\"2026-01-02T03:04:05.678+01:00\",\"datacontenttype\":\"application/json\","
      "\"aa\":-7,\"traceparent\":\"x\",\"zz\":true,\"data\":{ \"x\" : 1.00 , \"y\":[1, 2] }}");
  check_json("{" GOOD ",\"data\":\"a\\\"\\\\\"}", "{" GOOD ",\"data\":\"a\\\"\\\\\"}");
  check_json("{" GOOD ",\"data\":null}", "{" GOOD ",\"data\":null}");
  check_json("{" GOOD ",\"data\":-0.10e+2}", "{" GOOD ",\"data\":-0.10e+2}");
  check_json("{" GOOD ",\"data_base64\":\"aGk=\"}", "{" GOOD ",\"data_base64\":\"aGk=\"}");
}

static void times_are_understood(void **state) {
  struct cloudevents events;
  struct err err;
  assert_ok(cloudevents_read_json(&arena, BYTES("{" GOOD ",\"time\":\"1970-01-01T00:00:01Z\"}"),
                                  false, 0, &events, &err),
            err);
  assert_int_equal(events.events->time_ms, 1000);
}

/* What is wrong is refused by name. */
static void bad_events_are_refused(void **state) {
  static const struct {
    const char *text, *detail;
    enum err_code code;
  } bad[] = {
      {"{", "", ERR_MALFORMED},
      {"[]", "an event is not a JSON object", ERR_INVALID},
      {"{}", "specversion", ERR_INVALID},
      {"{\"specversion\":1.0,\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}", "specversion",
       ERR_INVALID},
      {"{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}", "specversion",
       ERR_INVALID},
      {"{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\"}", "\"id\" is missing",
       ERR_INVALID},
      {"{\"specversion\":\"1.0\",\"id\":\"1\",\"type\":\"t\"}", "\"source\" is missing",
       ERR_INVALID},
      {"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\"}", "\"type\" is missing",
       ERR_INVALID},
      {"{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"t\"}", "\"id\"",
       ERR_INVALID},
      {"{\"specversion\":\"1.0\",\"id\":1,\"source\":\"s\",\"type\":\"t\"}", "\"id\"", ERR_INVALID},
      {"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"a b\",\"type\":\"t\"}", "\"source\"",
       ERR_INVALID},
      {"{" GOOD ",\"time\":\"yesterday\"}", "\"time\"", ERR_INVALID},
      {"{" GOOD ",\"time\":\"2026-02-30T00:00:00Z\"}", "\"time\"", ERR_INVALID},
      {"{" GOOD ",\"time\":\"2026-02-20\"}", "\"time\"", ERR_INVALID},
      {"{" GOOD ",\"time\":\"\"}", "\"time\"", ERR_INVALID},
      {"{" GOOD ",\"datacontenttype\":\"json\"}", "\"datacontenttype\"", ERR_INVALID},
      {"{" GOOD ",\"dataschema\":\"a b\"}", "\"dataschema\"", ERR_INVALID},
      {"{" GOOD ",\"data\":1,\"data_base64\":\"aGk=\"}", "exclude each other", ERR_INVALID},
      {"{" GOOD ",\"data_base64\":\"aGk=\",\"data\":null}", "exclude each other", ERR_INVALID},
      {"{" GOOD ",\"data_base64\":\"a\"}", "data_base64", ERR_INVALID},
      {"{" GOOD ",\"data_base64\":1}", "data_base64", ERR_INVALID},
      {"{" GOOD ",\"bedSide\":\"x\"}", "attribute name", ERR_INVALID},
      {"{" GOOD ",\"a_b\":\"x\"}", "attribute name", ERR_INVALID},
      {"{" GOOD ",\"\":\"x\"}", "attribute name", ERR_INVALID},
      {"{" GOOD ",\"ward\":{}}", "\"ward\"", ERR_INVALID},
      {"{" GOOD ",\"ward\":[1]}", "\"ward\"", ERR_INVALID},
      {"{" GOOD ",\"ward\":1.5}", "\"ward\"", ERR_INVALID},
      {"{" GOOD ",\"ward\":2147483648}", "\"ward\"", ERR_INVALID},
      {"{" GOOD ",\"ward\":\"\\u0007\"}", "\"ward\"", ERR_INVALID},
      {"{" GOOD ",\"ward\":\"\\u009f\"}", "\"ward\"", ERR_INVALID},
      {"{" GOOD ",\"ward\":\"\\ufffe\"}", "\"ward\"", ERR_INVALID},
      {"{" GOOD ",\"id\":\"2\"}", "", ERR_MALFORMED},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct cloudevents events;
    struct err err = {0};
    bool read = cloudevents_read_json(&arena, bytes_str(bad[i].text), false, 0, &events, &err);
    if (read || err.code != bad[i].code || !strstr(err.detail, bad[i].detail))
      fail_msg("%s: %d %s", bad[i].text, err.code, err.detail);
  }
}

static struct bytes batch_of(size_t count) {
  buf_reset(&buf);
  buf_char(&buf, '[');
  for (size_t i = 0; i < count; i++)
    buf_printf(&buf, "%s{\"specversion\":\"1.0\",\"id\":\"%zu\",\"source\":\"s\",\"type\":\"t\"}",
               i ? "," : "", i);
  buf_char(&buf, ']');
  return buf_bytes(&buf);
}

static void batches_name_the_event(void **state) {
  struct cloudevents events;
  struct err err;
  assert_ok(cloudevents_read_json(&arena, BYTES("[]"), true, 0, &events, &err), err);
  assert_int_equal(events.count, 0);
  assert_fails(cloudevents_read_json(&arena, BYTES("[{" GOOD "},{\"specversion\":\"1.0\"}]"), true,
                                     0, &events, &err),
               err, ERR_INVALID);
  assert_string_equal(err.detail, "event 1: attribute \"id\" is missing or empty");
  assert_fails(cloudevents_read_json(&arena, BYTES("{" GOOD "}"), true, 0, &events, &err), err,
               ERR_INVALID);
  assert_ok(cloudevents_read_json(&arena, batch_of(EVENT_BATCH_MAX), true, 0, &events, &err), err);
  assert_int_equal(events.count, EVENT_BATCH_MAX);
  assert_bytes(events.events[999].id, "999");
  assert_fails(cloudevents_read_json(&arena, batch_of(EVENT_BATCH_MAX + 1), true, 0, &events, &err),
               err, ERR_LIMIT);
}

static void sizes_have_limits(void **state) {
  struct cloudevents events;
  struct err err;
  struct bytes text = BYTES("{" GOOD ",\"data\":\"0123456789\"}");
  assert_ok(cloudevents_read_json(&arena, text, false, text.len, &events, &err), err);
  assert_fails(cloudevents_read_json(&arena, text, false, text.len - 1, &events, &err), err,
               ERR_LIMIT);
  buf_reset(&buf);
  buf_str(&buf, "{" GOOD);
  for (int i = 0; i <= CLOUDEVENT_EXTENSIONS_MAX; i++) buf_printf(&buf, ",\"x%d\":1", i);
  buf_char(&buf, '}');
  assert_fails(cloudevents_read_json(&arena, buf_bytes(&buf), false, 0, &events, &err), err,
               ERR_LIMIT);
  buf_reset(&buf);
  buf_str(&buf, "{" GOOD ",\"x\":\"");
  for (int i = 0; i <= CLOUDEVENT_ATTRIBUTE_BYTES_MAX; i++) buf_char(&buf, 'x');
  buf_str(&buf, "\"}");
  assert_fails(cloudevents_read_json(&arena, buf_bytes(&buf), false, 0, &events, &err), err,
               ERR_LIMIT);
  struct arena small;
  arena_init(&small, 700);
  assert_fails(cloudevents_read_json(&small, text, false, 0, &events, &err), err, ERR_LIMIT);
  arena_fini(&small);
}

static bool read_http(const char *headers, const char *body, struct cloudevents *ret_events,
                      struct err *err) {
  static struct http_request request;
  struct http_parser parser = {0};
  size_t consumed;
  struct bytes head = arena_printf(&arena, "POST /events HTTP/1.1\r\nHost: h\r\n%s\r\n", headers);
  assert_int_equal(http_request_parse(&parser, head, &request, &consumed, err), HTTP_DONE);
  return cloudevents_read_http(&arena, &request.head, bytes_str(body), 0, ret_events, err);
}

#define CE "ce-specversion: 1.0\r\nCE-ID: 1\r\nCe-Source: ward/4\r\nce-type: t\r\n"
#define OUT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"ward/4\",\"type\":\"t\""

static void check_http(const char *headers, const char *body, const char *expected) {
  struct cloudevents events;
  struct err err;
  assert_ok(read_http(headers, body, &events, &err), err);
  assert_int_equal(events.count, 1);
  check_written(events.events, expected);
}

static void binary_events_are_read(void **state) {
  check_http(CE, "", OUT "}");
  check_http(CE, " {\"x\": 1.0}\n", OUT ",\"data\":{\"x\": 1.0}}");
  check_http(CE "Content-Type: application/fhir+json; charset=UTF-8\r\n", "[1,2]",
             OUT ",\"datacontenttype\":\"application/fhir+json; charset=UTF-8\",\"data\":[1,2]}");
  check_http(CE "Content-Type: text/plain\r\n", "a\"b",
             OUT ",\"datacontenttype\":\"text/plain\",\"data\":\"a\\\"b\"}");
  check_http(CE "Content-Type: text/plain\r\n", "\xff",
             OUT ",\"datacontenttype\":\"text/plain\",\"data_base64\":\"/w==\"}");
  check_http(CE "Content-Type: application/dicom\r\n", "hi",
             OUT ",\"datacontenttype\":\"application/dicom\",\"data_base64\":\"aGk=\"}");
  check_http(CE "ce-Ward: 4B\r\nce-subject: Euro%20%E2%82%AC%20%F0%9F%98%80\r\n", "",
             OUT ",\"subject\":\"Euro \xe2\x82\xac \xf0\x9f\x98\x80\",\"ward\":\"4B\"}");
  check_http(CE "ce-a: \"x y \\\"z\\\"%2520\"\r\nce-b: \"\r\n", "",
             OUT ",\"a\":\"x y \\\"z\\\"%20\",\"b\":\"\\\"\"}");
}

static void other_forms_are_read(void **state) {
  struct cloudevents events;
  struct err err;
  check_http("Content-Type: Application/CloudEvents+JSON; charset=utf-8\r\n",
             "{" GOOD ",\"data\":1}", "{" GOOD ",\"data\":1}");
  assert_ok(read_http("Content-Type: application/cloudevents-batch+json\r\n",
                      "[{" GOOD "},{" GOOD "}]", &events, &err),
            err);
  assert_int_equal(events.count, 2);
  assert_true(events.batch);
}

static void bad_messages_are_refused(void **state) {
  static const struct {
    const char *headers, *body;
    enum err_code code;
  } bad[] = {
      {"", "{" GOOD "}", ERR_INVALID},
      {"Content-Type: application/json\r\n", "{" GOOD "}", ERR_INVALID},
      {"Content-Type: application/cloudevents+xml\r\n", "", ERR_UNSUPPORTED},
      {"Content-Type: application/cloudevents+json;charset=latin1\r\n", "{" GOOD "}",
       ERR_UNSUPPORTED},
      {CE "Content-Type: a/b\r\nContent-Type: a/b\r\n", "", ERR_INVALID},
      {CE "ce-datacontenttype: text/plain\r\n", "", ERR_INVALID},
      {CE "ce-data: x\r\n", "", ERR_INVALID},
      {CE "ce-id: 2\r\n", "", ERR_INVALID},
      {CE "ce-specversion: 1.0\r\n", "", ERR_INVALID},
      {CE "ce-x: 1\r\nCE-X: 2\r\n", "", ERR_INVALID},
      {CE "ce-subject:\r\n", "", ERR_INVALID},
      {CE "ce-a-b: 1\r\n", "", ERR_INVALID},
      {CE "ce-x: %4\r\n", "", ERR_MALFORMED},
      {CE "ce-x: %zz\r\n", "", ERR_MALFORMED},
      {CE "ce-x: %ff\r\n", "", ERR_MALFORMED},
      {CE "ce-x: \xff\r\n", "", ERR_MALFORMED},
      {CE "ce-x: %C0%A0\r\n", "", ERR_MALFORMED},
      {CE "ce-x: %00\r\n", "", ERR_INVALID},
      {CE, "{", ERR_MALFORMED},
      {CE, "\xff", ERR_MALFORMED},
      {"ce-specversion: 0.3\r\nce-id: 1\r\nce-source: s\r\nce-type: t\r\n", "", ERR_INVALID},
      {"ce-specversion: 1.0\r\nce-source: s\r\nce-type: t\r\n", "", ERR_INVALID},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct cloudevents events;
    struct err err = {0};
    if (read_http(bad[i].headers, bad[i].body, &events, &err) || err.code != bad[i].code)
      fail_msg("%s%s: %d %s", bad[i].headers, bad[i].body, err.code, err.detail);
  }
}

static void header_values_round_trip(void **state) {
  struct bytes text = BYTES("a b\"c%\xe2\x82\xac\x7f~"), back;
  struct err err;
  buf_reset(&buf);
  cloudevents_value_encode(&buf, text);
  assert_bytes(buf_bytes(&buf), "a%20b%22c%25%E2%82%AC%7F~");
  assert_ok(cloudevents_value_decode(&arena, buf_bytes(&buf), &back, &err), err);
  assert_true(bytes_eq(back, text));
}

static void files_hold_one_or_many(void **state) {
  struct cloudevents events;
  struct err err;
  assert_ok(cloudevents_read_file(&arena, BYTES("{\n" GOOD "\n}\n"), 0, &events, &err), err);
  assert_int_equal(events.count, 1);
  assert_false(events.batch);
  assert_ok(cloudevents_read_file(&arena, BYTES("[{" GOOD "}]"), 0, &events, &err), err);
  assert_true(events.batch);
  assert_ok(cloudevents_read_file(&arena, BYTES("{" GOOD "}\r\n\n  \n{" GOOD ",\"data\":1}"), 0,
                                  &events, &err),
            err);
  assert_int_equal(events.count, 2);
  assert_bytes(events.events[1].data, "1");
  assert_fails(cloudevents_read_file(&arena, BYTES("{" GOOD "}\n{\"id\":\"1\"}"), 0, &events, &err),
               err, ERR_INVALID);
  assert_non_null(strstr(err.detail, "event 1: attribute \"specversion\""));
  assert_fails(cloudevents_read_file(&arena, BYTES("{" GOOD "}\n{"), 0, &events, &err), err,
               ERR_MALFORMED);
  assert_fails(cloudevents_read_file(&arena, BYTES("{\n\"a\":}"), 0, &events, &err), err,
               ERR_MALFORMED);
  assert_fails(cloudevents_read_file(&arena, BYTES(""), 0, &events, &err), err, ERR_MALFORMED);
}

static int reset(void **state) {
  arena_reset(&arena);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(structured_events_are_canonical, reset),
      cmocka_unit_test_teardown(times_are_understood, reset),
      cmocka_unit_test_teardown(bad_events_are_refused, reset),
      cmocka_unit_test_teardown(batches_name_the_event, reset),
      cmocka_unit_test_teardown(sizes_have_limits, reset),
      cmocka_unit_test_teardown(binary_events_are_read, reset),
      cmocka_unit_test_teardown(other_forms_are_read, reset),
      cmocka_unit_test_teardown(bad_messages_are_refused, reset),
      cmocka_unit_test_teardown(header_values_round_trip, reset),
      cmocka_unit_test_teardown(files_hold_one_or_many, reset),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}

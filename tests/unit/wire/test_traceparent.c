/* W3C trace context: one form, lower case, no zeros. */
#include "tests/unit/test.h"

#include "wire/traceparent.h"

#define GOOD "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void a_header_round_trips(void **state) {
  struct traceparent trace;
  struct err err;
  char text[TRACEPARENT_BYTES];
  assert_ok(traceparent_parse(BYTES(GOOD), &trace, &err), err);
  assert_int_equal(trace.flags, TRACEPARENT_SAMPLED);
  assert_int_equal(trace.trace[0], 0x4b);
  assert_int_equal(trace.span[7], 0xb7);
  traceparent_format(&trace, text);
  assert_string_equal(text, GOOD);
  assert_ok(traceparent_parse(BYTES("01"
                                    "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"),
                              &trace, &err),
            err);
}

static void malformed_headers_are_refused(void **state) {
  static const char *const bad[] = {
      "",
      "00",
      GOOD "-",
      GOOD "-x",
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
      "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct traceparent trace;
    struct err err;
    if (traceparent_parse(bytes_str(bad[i]), &trace, &err)) fail_msg("accepted: %s", bad[i]);
  }
}

static void children_stay_in_the_trace(void **state) {
  struct traceparent parent, child;
  struct err err;
  uint8_t zeros[24] = {0}, random[24];
  char text[TRACEPARENT_BYTES];
  memset(random, 7, sizeof random);
  assert_ok(traceparent_parse(BYTES(GOOD), &parent, &err), err);
  child = traceparent_make(&parent, random);
  assert_memory_equal(child.trace, parent.trace, sizeof child.trace);
  assert_memory_not_equal(child.span, parent.span, sizeof child.span);
  child = traceparent_make(NULL, zeros);
  traceparent_format(&child, text);
  assert_ok(traceparent_parse(bytes_str(text), &parent, &err), err);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_header_round_trips),
      cmocka_unit_test(malformed_headers_are_refused),
      cmocka_unit_test(children_stay_in_the_trace),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

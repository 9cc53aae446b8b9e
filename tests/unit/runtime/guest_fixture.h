/* tests/unit/runtime/guest_fixture.h: a guest from source text, run with a host that records. */
#ifndef MEDULLA_TESTS_GUEST_FIXTURE_H
#define MEDULLA_TESTS_GUEST_FIXTURE_H

#include "tests/unit/test.h"

#include "runtime/guest.h"

struct fixture_answer {
  uint64_t ordinal; /* 0: end of the list */
  bool ok;
  const char *body;
};

struct fixture {
  struct guest *guest;
  struct guest_host host;
  struct guest_input input;
  struct guest_output output;
  struct buf body, log, requests; /* requests: "1 state.get {..}\n" */
  const struct fixture_answer *answers;
  int64_t mono_ns; /* moves by step_ns at each look, and to the end of each wait */
  int64_t step_ns;
  int waits;
};

/* A guest ready to run; ends the test when it cannot be made. */
struct fixture *fixture_js(const char *source);
struct fixture *fixture_code(const struct guest_code *code);
/* A module of tests/unit/runtime/wasm by name. */
struct fixture *fixture_wasm(const char *name);
/* The error of preparing it. */
struct err fixture_refused(const char *source);
struct err fixture_wasm_refused(const char *name);
void fixture_free(struct fixture **fixture);
/* Runs with this event and asserts that the guest is pristine afterwards. The body is text. */
const char *fixture_run(struct fixture *fixture, const char *event);
const char *fixture_text(const struct buf *buf);

#define assert_returns(fixture, event, expected) \
  do { \
    const char *body_ = fixture_run(fixture, event); \
    assert_string_equal(body_, expected); \
    assert_int_equal((fixture)->output.result, GUEST_RETURNED); \
  } while (0)
/* Threw with this errorType somewhere in the body, and this reason. */
#define assert_throws(fixture, event, type, expected_reason) \
  do { \
    const char *body_ = fixture_run(fixture, event); \
    if (!strstr(body_, "\"errorType\":\"" type "\"")) fail_msg("got %s", body_); \
    assert_int_equal((fixture)->output.result, GUEST_THREW); \
    assert_string_equal((fixture)->output.reason, expected_reason); \
  } while (0)

#endif

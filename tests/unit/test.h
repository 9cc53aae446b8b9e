/* tests/unit/test.h: cmocka with what it wants included first, and the house's slices. */
#ifndef MEDULLA_TESTS_UNIT_TEST_H
#define MEDULLA_TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"

#define assert_bytes(actual, expected_text) \
  do { \
    struct bytes actual_ = (actual); \
    struct bytes expected_ = bytes_str(expected_text); \
    if (!bytes_eq(actual_, expected_)) \
      fail_msg("got \"%.*s\", expected \"%.*s\"", BYTES_FMT(actual_), BYTES_FMT(expected_)); \
  } while (0)
/* The call succeeds; otherwise the test ends with its error. */
#define assert_ok(call, err) \
  do { \
    if (!(call)) fail_msg("%s: %s: %s", #call, err_facts((err).code)->word, (err).detail); \
  } while (0)
/* The call fails with this code. */
#define assert_fails(call, err, expected_code) \
  do { \
    if (call) fail_msg("%s succeeded", #call); \
    if ((err).code != (expected_code)) \
      fail_msg("%s: got %s (%s)", #call, err_facts((err).code)->word, (err).detail); \
  } while (0)

#endif

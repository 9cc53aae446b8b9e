/* app/cli/test.h: what a test of an app expects of one run.
 * Owns:    nothing.
 * Errors:  false: ret_why says what differs, with a JSON Pointer.
 * Threads: pure; any thread.
 * Limits:  TEST_WHY_BYTES.                                          */
#ifndef MEDULLA_APP_CLI_TEST_H
#define MEDULLA_APP_CLI_TEST_H

#include "wire/json.h"

#define TEST_WHY_BYTES 512

/* Everything in `wanted` is in `got`: members of maps may be more, lists are equal item by item. */
bool test_holds(const struct json *wanted, const struct json *got, char ret_why[TEST_WHY_BYTES]);

#endif

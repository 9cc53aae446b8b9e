/* The filter never forgets a digest, seldom takes a new one for known, and can be emptied. */
#include "store/filter.h"

#include "base/digest.h"
#include "tests/unit/test.h"

enum { DIGESTS = 100000 };

/* Random enough, and the same each time. */
static struct bytes digest_of(unsigned number, uint8_t at[SHA256_BYTES]) {
  struct digest digest;
  digest_init(&digest, DIGEST_SHA256);
  digest_add(&digest, bytes_of(&number, sizeof number));
  digest_final(&digest, at);
  return bytes_of(at, 16);
}

static void holds_what_was_added(void **state) {
  struct filter filter;
  uint8_t at[SHA256_BYTES];
  unsigned wrong = 0;
  (void)state;
  filter_init(&filter, FILTER_BYTES);
  assert_false(filter_may_hold(&filter, digest_of(0, at)));
  for (unsigned i = 0; i < DIGESTS; i++) filter_add(&filter, digest_of(i, at));
  for (unsigned i = 0; i < DIGESTS; i++) assert_true(filter_may_hold(&filter, digest_of(i, at)));
  for (unsigned i = DIGESTS; i < 2 * DIGESTS; i++)
    wrong += filter_may_hold(&filter, digest_of(i, at));
  assert_true(wrong < DIGESTS / 1000);
  filter_clear(&filter);
  assert_false(filter_may_hold(&filter, digest_of(1, at)));
  filter_fini(&filter);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(holds_what_was_added),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which addresses are public, private, or never connected to. */
#include "tests/unit/test.h"

#include "egress/address.h"

static void test_classes(void **state) {
  static const struct {
    const char *text;
    enum address_class class;
  } cases[] = {
      {"8.8.8.8", ADDRESS_PUBLIC},
      {"1.1.1.1", ADDRESS_PUBLIC},
      {"172.15.255.255", ADDRESS_PUBLIC},
      {"172.32.0.0", ADDRESS_PUBLIC},
      {"100.63.255.255", ADDRESS_PUBLIC},
      {"223.255.255.255", ADDRESS_PUBLIC},
      {"127.0.0.1", ADDRESS_PRIVATE},
      {"127.255.255.255", ADDRESS_PRIVATE},
      {"10.1.2.3", ADDRESS_PRIVATE},
      {"172.16.0.1", ADDRESS_PRIVATE},
      {"172.31.255.255", ADDRESS_PRIVATE},
      {"192.168.1.1", ADDRESS_PRIVATE},
      {"100.64.0.1", ADDRESS_PRIVATE},
      {"100.127.255.255", ADDRESS_PRIVATE},
      {"198.19.0.1", ADDRESS_PRIVATE},
      {"0.0.0.0", ADDRESS_NEVER},
      {"0.1.2.3", ADDRESS_NEVER},
      {"169.254.169.254", ADDRESS_NEVER},
      {"192.0.0.1", ADDRESS_NEVER},
      {"203.0.113.7", ADDRESS_NEVER},
      {"224.0.0.1", ADDRESS_NEVER},
      {"240.0.0.1", ADDRESS_NEVER},
      {"255.255.255.255", ADDRESS_NEVER},
      {"2606:4700::1111", ADDRESS_PUBLIC},
      {"2a00:1450::1", ADDRESS_PUBLIC},
      {"::1", ADDRESS_PRIVATE},
      {"fc00::1", ADDRESS_PRIVATE},
      {"fd12::1", ADDRESS_PRIVATE},
      {"::ffff:127.0.0.1", ADDRESS_PRIVATE},
      {"::ffff:8.8.8.8", ADDRESS_PUBLIC},
      {"::ffff:169.254.169.254", ADDRESS_NEVER},
      {"64:ff9b::7f00:1", ADDRESS_PRIVATE},
      {"64:ff9b::a9fe:a9fe", ADDRESS_NEVER},
      {"64:ff9b::808:808", ADDRESS_PUBLIC},
      {"64:ff9b:1::808:808", ADDRESS_NEVER},
      {"::", ADDRESS_NEVER},
      {"::127.0.0.1", ADDRESS_NEVER},
      {"fe80::1", ADDRESS_NEVER},
      {"fec0::1", ADDRESS_NEVER},
      {"ff02::1", ADDRESS_NEVER},
      {"2001:db8::1", ADDRESS_NEVER},
      {"2001::1", ADDRESS_NEVER},
      {"2002:7f00:1::", ADDRESS_NEVER},
      {"localhost", ADDRESS_NEVER},
      {"", ADDRESS_NEVER},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (address_class_text(cases[i].text) != cases[i].class)
      fail_msg("%s: %d", cases[i].text, address_class_text(cases[i].text));
}

static void test_allowed(void **state) {
  (void)state;
  assert_true(address_allowed(ADDRESS_PUBLIC, false));
  assert_false(address_allowed(ADDRESS_PRIVATE, false));
  assert_true(address_allowed(ADDRESS_PRIVATE, true));
  assert_false(address_allowed(ADDRESS_NEVER, true));
}

static void test_family(void **state) {
  struct sockaddr unix_address = {.sa_family = AF_UNIX};
  (void)state;
  assert_int_equal(address_class(&unix_address), ADDRESS_NEVER);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_classes), cmocka_unit_test(test_allowed),
                                     cmocka_unit_test(test_family)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

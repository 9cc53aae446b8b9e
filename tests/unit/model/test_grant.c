/* Grants: denial first, then what each kind allows, and what is refused when written. */
#include "tests/unit/test.h"

#include "model/grant.h"

static struct arena arena;

static int set_up(void **state) {
  arena_init(&arena, 1u << 20);
  return 0;
}

static int tear_down(void **state) {
  arena_fini(&arena);
  return 0;
}

static const struct json *tree(const char *text) {
  const struct json *value;
  struct err err;
  if (!json_parse(&arena, arena_copy(&arena, bytes_str(text)), &value, &err))
    fail_msg("%s: %s", text, err.detail);
  return value;
}

static const struct grant_set *parsed(const char *text) {
  const struct grant_set *set;
  struct err err;
  if (!grant_parse(&arena, tree(text), &set, &err)) fail_msg("%s: %s", text, err.detail);
  return set;
}

static void nothing_is_allowed_by_default(void **state) {
  static const struct {
    const char *kind, *action, *resource, *missing;
  } asks[] = {
      {"state", "read", "", "- state: read"},
      {"state", "write", "", "- state: readwrite"},
      {"emit", "emit", "org.example.alert", "- emit: org.example.alert"},
      {"emit", "emit", "a: b", "- emit: \"a: b\""},
      {"emit", "emit", "a\"\n\\b", "- emit: \"ab\""},
      {"emit", "emit", "", "- emit: \"\""},
      {"queue", "send", "orders", "- queue: orders"},
      {"notify", "notify", "on-call", "- notify: on-call"},
      {"object", "put", "uploads/in/a.txt", "- object: {bucket: uploads, actions: [put]}"},
      {"fetch", "fetch", "https://api.example.org/p/1?x=2", "- fetch: https://api.example.org"},
      {"fetch", "fetch", "https://a.b:8443", "- fetch: https://a.b:8443"},
      {"fetch", "fetch", "http://10.0.0.1:81/x",
       "- fetch: {url: \"http://10.0.0.1:81\", private: true}"},
      {"fetch", "fetch", "ftp://a", "- fetch: \"https://...\""},
      {"launch", "x", "y", "no grant allows launch"},
  };
  const struct grant_set *sets[] = {NULL, parsed("[]")};
  for (size_t s = 0; s < 2; s++)
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
      char missing[GRANT_TEXT_BYTES] = "";
      assert_false(grant_allows(sets[s], asks[i].kind, asks[i].action, bytes_str(asks[i].resource),
                                missing));
      assert_string_equal(missing, asks[i].missing);
    }
}

static void a_long_resource_is_cut(void **state) {
  char name[2000], missing[GRANT_TEXT_BYTES];
  memset(name, 'x', sizeof name);
  assert_false(grant_allows(NULL, "emit", "emit", bytes_of(name, sizeof name), missing));
  assert_true(strlen(missing) < GRANT_TEXT_BYTES);
}

static void each_kind_allows_what_it_says(void **state) {
  static const struct {
    const char *grants, *kind, *action, *resource;
    bool allowed;
  } cases[] = {
      {"[{\"state\":\"read\"}]", "state", "read", "k", true},
      {"[{\"state\":\"read\"}]", "state", "write", "k", false},
      {"[{\"state\":\"readwrite\"}]", "state", "write", "k", true},
      {"[{\"state\":\"readwrite\"}]", "state", "drop", "k", false},
      {"[{\"emit\":\"org.example.*\"}]", "emit", "emit", "org.example.alert", true},
      {"[{\"emit\":\"org.example.*\"}]", "emit", "emit", "org.other", false},
      {"[{\"emit\":\"org.example.*\"}]", "queue", "send", "org.example.alert", false},
      {"[{\"queue\":\"orders\"}]", "queue", "send", "orders", true},
      {"[{\"queue\":\"orders\"}]", "queue", "send", "orders2", false},
      {"[{\"notify\":\"on-call\"}]", "notify", "notify", "on-call", true},
      {"[{\"object\":{\"bucket\":\"up\",\"actions\":[\"get\"]}}]", "object", "get", "up/k", true},
      {"[{\"object\":{\"bucket\":\"up\",\"actions\":[\"get\"]}}]", "object", "put", "up/k", false},
      {"[{\"object\":{\"bucket\":\"up\",\"actions\":[\"get\"]}}]", "object", "get", "up2/k", false},
      {"[{\"object\":{\"bucket\":\"up\",\"actions\":[\"get\",\"list\"],\"prefix\":\"in/\"}}]",
       "object", "list", "up/in/", true},
      {"[{\"object\":{\"bucket\":\"up\",\"actions\":[\"get\"],\"prefix\":\"in/\"}}]", "object",
       "get", "up/out/k", false},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "https://a.org/any/path", true},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "https://A.ORG:443", true},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "http://a.org/", false},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "https://a.org:8443/", false},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "https://a.org.evil.com/", false},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "https://a.org@evil.com/", false},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "https://evil.com/https://a.org",
       false},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "https://evil.com\\@a.org/", false},
      {"[{\"fetch\":\"https://a.org\"}]", "fetch", "fetch", "https://b.a.org/", false},
      {"[{\"fetch\":\"https://*.a.org\"}]", "fetch", "fetch", "https://b.a.org/", true},
      {"[{\"fetch\":\"https://*.a.org\"}]", "fetch", "fetch", "https://c.b.a.org/", false},
      {"[{\"fetch\":\"https://*.a.org\"}]", "fetch", "fetch", "https://a.org/", false},
      {"[{\"fetch\":\"https://*.a.org\"}]", "fetch", "fetch", "https://.a.org/", false},
      {"[{\"fetch\":\"https://a.org/v1\"}]", "fetch", "fetch", "https://a.org/v1/x?y", true},
      {"[{\"fetch\":\"https://a.org/v1\"}]", "fetch", "fetch", "https://a.org/v1?y", true},
      {"[{\"fetch\":\"https://a.org/v1\"}]", "fetch", "fetch", "https://a.org/v10", false},
      {"[{\"fetch\":\"https://a.org/v1\"}]", "fetch", "fetch", "https://a.org/v1/../v2", false},
      {"[{\"fetch\":\"https://a.org/v1\"}]", "fetch", "fetch", "https://a.org/v1/%2E%2e/v2", false},
      {"[{\"fetch\":\"https://a.org/v1\"}]", "fetch", "fetch", "https://a.org/v1/x%2f..%2fv2",
       false},
      {"[{\"fetch\":\"https://a.org/v1\"}]", "fetch", "fetch", "https://a.org/v1/a..b", true},
      {"[{\"fetch\":\"https://[::1]:8443\"}]", "fetch", "fetch", "https://[::1]:8443/x", true},
      {"[{\"fhir\":\"read Observation\"}]", "fhir", "read", "Observation", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char missing[GRANT_TEXT_BYTES];
    if (grant_allows(parsed(cases[i].grants), cases[i].kind, cases[i].action,
                     bytes_str(cases[i].resource), missing) != cases[i].allowed)
      fail_msg("%s: %s %s, expected %d", cases[i].grants, cases[i].action, cases[i].resource,
               cases[i].allowed);
  }
}

static void private_addresses_need_a_word(void **state) {
  const struct grant_set *set = parsed(
      "[{\"fetch\":\"https://a.org\"},{\"fetch\":{\"url\":\"http://10.0.0.1\",\"private\":true}}]");
  assert_false(grant_private(set, BYTES("https://a.org/")));
  assert_true(grant_private(set, BYTES("http://10.0.0.1/x")));
  assert_false(grant_private(set, BYTES("http://10.0.0.2/x")));
  assert_false(grant_private(NULL, BYTES("http://10.0.0.1/x")));
}

static void wrong_grants_are_refused(void **state) {
  static const struct {
    const char *grants, *detail;
  } bad[] = {
      {"{}", "are a list"},
      {"[1]", "one kind"},
      {"[{}]", "one kind"},
      {"[{\"emit\":\"a\",\"queue\":\"b\"}]", "one kind"},
      {"[{\"emitt\":\"a\"}]", "did you mean \"emit\""},
      {"[{\"zzz\":\"a\"}]", "there are state"},
      {"[{\"state\":\"write\"}]", "\"read\" or \"readwrite\""},
      {"[{\"emit\":1}]", "event type"},
      {"[{\"emit\":\"\"}]", "event type"},
      {"[{\"object\":\"uploads\"}]", "actions: [get"},
      {"[{\"object\":{\"bucket\":\"a\"}}]", "actions: [get"},
      {"[{\"object\":{\"bucket\":\"a\",\"actions\":[]}}]", "actions: [get"},
      {"[{\"object\":{\"bucket\":\"a\",\"actions\":[\"read\"]}}]", "get, put"},
      {"[{\"object\":{\"bucket\":\"a\",\"actions\":[\"get\"],\"prefx\":\"b\"}}]",
       "did you mean \"prefix\""},
      {"[{\"fetch\":\"api.example.org\"}]", "https://host"},
      {"[{\"fetch\":\"http://api.example.org\"}]", "private networks"},
      {"[{\"fetch\":\"https://u:p@api.example.org\"}]", "without user"},
      {"[{\"fetch\":\"https://a.org/?q=1\"}]", "without user, query"},
      {"[{\"fetch\":\"https://a*.org\"}]", "without user"},
      {"[{\"fetch\":\"https://*.org\"}]", "two labels"},
      {"[{\"fetch\":\"https://a.org:0\"}]", "https://host"},
      {"[{\"fetch\":\"https://a.org:99999\"}]", "https://host"},
      {"[{\"fetch\":{\"url\":\"https://a.org\",\"private\":\"yes\"}}]", "true or false"},
      {"[{\"fetch\":{\"private\":true}}]", "{url:"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const struct grant_set *set;
    struct err err;
    if (grant_parse(&arena, tree(bad[i].grants), &set, &err)) fail_msg("%s", bad[i].grants);
    if (!strstr(err.detail, bad[i].detail) || err.offset == ERR_OFFSET_NONE)
      fail_msg("%s: %s", bad[i].grants, err.detail);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(nothing_is_allowed_by_default, set_up, tear_down),
      cmocka_unit_test(a_long_resource_is_cut),
      cmocka_unit_test_setup_teardown(each_kind_allows_what_it_says, set_up, tear_down),
      cmocka_unit_test_setup_teardown(private_addresses_need_a_word, set_up, tear_down),
      cmocka_unit_test_setup_teardown(wrong_grants_are_refused, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

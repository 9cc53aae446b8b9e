/* URIs, paths and routes: one reading of each, and refusal of what is read in two ways. */
#include "tests/unit/test.h"

#include "wire/uri.h"

static struct arena arena;

static int setup(void **state) {
  arena_init(&arena, 1 << 20);
  return 0;
}

static int teardown(void **state) {
  arena_fini(&arena);
  return 0;
}

static struct uri parse(const char *text) {
  struct uri uri = {0};
  struct err err;
  if (!uri_parse(&arena, bytes_str(text), &uri, &err)) fail_msg("%s: %s", text, err.detail);
  return uri;
}

static void parts_are_found(void **state) {
  struct uri uri = parse("HTTPS://API.Example.org:8443/v1/a%20b?x=1/2?3");
  assert_bytes(uri.scheme, "https");
  assert_bytes(uri.host, "api.example.org");
  assert_bytes(uri.authority, "api.example.org:8443");
  assert_int_equal(uri.port, 8443);
  assert_bytes(uri.path, "/v1/a%20b");
  assert_bytes(uri.query, "x=1/2?3");
  uri = parse("http://h.?q");
  assert_bytes(uri.host, "h");
  assert_bytes(uri.authority, "h");
  assert_int_equal(uri.port, 80);
  assert_bytes(uri.path, "/");
  assert_bytes(uri.query, "q");
  assert_null(parse("http://h").query.at);
  assert_int_equal(parse("smtp://127.0.0.1:2525").port, 2525);
  assert_int_equal(parse("mllp://lab").port, 2575);
}

static void addresses_are_canonical(void **state) {
  struct uri uri = parse("http://[2001:DB8:0:0::0001]:81/");
  assert_bytes(uri.host, "2001:db8::1");
  assert_bytes(uri.authority, "[2001:db8::1]:81");
  assert_true(uri.is_ipv6);
  uri = parse("http://127.0.0.1");
  assert_true(uri.is_ipv4);
  assert_false(parse("http://127.0.0.1.example").is_ipv4);
  assert_false(parse("http://1password.com").is_ipv4);
}

static void ambiguous_uris_are_refused(void **state) {
  static const char *const bad[] = {
      "",
      "/path",
      "h",
      "http:/h",
      "http:h",
      "://h",
      "http://",
      "http:///p",
      "http://:80",
      "ftp://h",
      "file:///etc/passwd",
      "javascript://x",
      "http://u@h",
      "http://u:p@h",
      "http://a@b@c",
      "http://good.org\\@evil.org",
      "http://h/#f",
      "http://h:0",
      "http://h:",
      "http://h:65536",
      "http://h:8a",
      "http://h:+80",
      "http://h:80:80",
      "http://a b",
      "http://a%2eb",
      "http://a..b",
      "http://.a",
      "http://.",
      "http://\xc3\xa4",
      "http://h/\xc3\xa4",
      "http://h/a b",
      "http://h/?a b",
      "http://h/\n",
      "http://h/%4",
      "http://h/%zz",
      "http://[::1",
      "http://[::1]80",
      "http://[::1]:",
      "http://[fe80::1%25eth0]",
      "http://[::g]",
      "http://[127.0.0.1]",
      "http://::1",
      "http://127.1",
      "http://2130706433",
      "http://0x7f000001",
      "http://0x7f.1",
      "http://017700000001",
      "http://0127.0.0.1",
      "http://127.0.0.01",
      "http://1.2.3.256",
      "http://1.2.3.4.5",
      "http://a.b.0x",
      "http://127.0.0.1.:99999",
      "http://h/..",
      "http://h/a/../../b",
      "http://h/%2e%2e/b",
      "http://h/a\\b",
      "http://h/a%5cb",
      "http://h/%00",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct uri uri;
    struct err err;
    if (uri_parse(&arena, bytes_str(bad[i]), &uri, &err)) fail_msg("accepted: %s", bad[i]);
  }
}

static void long_uris_are_refused(void **state) {
  static char text[URI_BYTES_MAX + 2] = "http://h/";
  struct uri uri;
  struct err err;
  memset(text + 9, 'a', URI_BYTES_MAX + 1 - 9);
  assert_fails(uri_parse(&arena, bytes_str(text), &uri, &err), err, ERR_LIMIT);
  text[URI_BYTES_MAX] = 0;
  assert_ok(uri_parse(&arena, bytes_str(text), &uri, &err), err);
  struct arena small;
  arena_init(&small, 32);
  assert_fails(uri_parse(&small, BYTES("http://example.org/"), &uri, &err), err, ERR_LIMIT);
  arena_fini(&small);
}

static void paths_have_a_normal_form(void **state) {
  static const char *const cases[][2] = {
      {"/", "/"},
      {"/a/b/", "/a/b/"},
      {"/a//b", "/a//b"},
      {"/./a/./b/.", "/a/b/"},
      {"/a/b/../c", "/a/c"},
      {"/a/b/..", "/a/"},
      {"/a/..", "/"},
      {"/a//..", "/a/"},
      {"/a/%2e%2E/b", "/b"},
      {"/a/.%2e/b", "/b"},
      {"/a/...", "/a/..."},
      {"/a/..b", "/a/..b"},
      {"/%41%7e%2d", "/A~-"},
      {"/a%2fb%2F..", "/a%2Fb%2F.."},
      {"/%c3%a4", "/%C3%A4"},
      {"/%252e%252e/", "/%252e%252e/"},
      {"/a%3fb%23", "/a%3Fb%23"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct bytes path, again;
    struct err err;
    assert_ok(uri_path_normalize(&arena, bytes_str(cases[i][0]), &path, &err), err);
    assert_bytes(path, cases[i][1]);
    assert_ok(uri_path_normalize(&arena, path, &again, &err), err);
    assert_bytes(again, cases[i][1]);
  }
}

static bool covers(const char *allowed, const char *asked) {
  struct uri a = parse(allowed), b = parse(asked);
  return uri_covers(&a, &b);
}

static void allow_lists_compare_what_is_dialled(void **state) {
  assert_true(covers("https://api.example.org", "https://API.example.org.:443/any/path?q"));
  assert_true(covers("https://h/v1", "https://h/v1"));
  assert_true(covers("https://h/v1", "https://h/v1/x"));
  assert_true(covers("https://h/v1/", "https://h/v1/x"));
  assert_false(covers("https://h/v1", "https://h/v10"));
  assert_false(covers("https://h/v1", "https://h/v1/../v2"));
  assert_false(covers("https://h/v1", "https://h/v1/%2e%2e/v2"));
  assert_false(covers("https://h", "http://h:443/"));
  assert_false(covers("https://h", "https://h:8443"));
  assert_false(covers("https://h", "https://h.evil.org"));
  assert_false(covers("https://h", "https://evil.h"));
  assert_true(covers("https://h/p?a=1", "https://h/p?a=1"));
  assert_false(covers("https://h/p?a=1", "https://h/p?a=2"));
}

static struct route route_of(const char *pattern) {
  struct route route;
  struct err err;
  if (!route_parse(&arena, bytes_str(pattern), &route, &err))
    fail_msg("%s: %s", pattern, err.detail);
  return route;
}

static void routes_capture_segments(void **state) {
  struct bytes captures[ROUTE_SEGMENTS_MAX];
  struct route route = route_of("/fn/{name}/x/{rest+}");
  assert_int_equal(route.capture_count, 2);
  assert_bytes(route_capture_name(&route, 0), "name");
  assert_bytes(route_capture_name(&route, 1), "rest");
  assert_true(route_match(&route, BYTES("/fn/news2/x/a/b%2Fc/"), captures));
  assert_bytes(captures[0], "news2");
  assert_bytes(captures[1], "a/b%2Fc/");
  assert_false(route_match(&route, BYTES("/fn/news2/x/"), captures));
  assert_false(route_match(&route, BYTES("/fn/news2/x"), captures));
  assert_false(route_match(&route, BYTES("/fn//x/a"), captures));
  assert_false(route_match(&route, BYTES("/fn/news2/y/a"), captures));
  assert_false(route_match(&route, BYTES("fn/news2/x/a"), captures));
  assert_false(route_match(&route, BYTES(""), captures));
  route = route_of("/fn/a%2Db");
  assert_true(route_match(&route, BYTES("/fn/a-b"), captures));
  assert_false(route_match(&route, BYTES("/fn/a-b/"), captures));
  assert_false(route_match(&route, BYTES("/fn/A-b"), captures));
  route = route_of("/");
  assert_true(route_match(&route, BYTES("/"), captures));
  assert_false(route_match(&route, BYTES("/a"), captures));
}

static void bad_routes_are_refused(void **state) {
  static const char *const bad[] = {
      "",        "fn",       "/{a",       "/a}",  "/x{a}",     "/{}",   "/{+}",       "/{a b}",
      "/{a+}/b", "/{a}/{a}", "/{a}/{a+}", "/a?b", "/{a+}{b+}", "/../x", "/{a}/{b+}/", "/{a\\}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct route route;
    struct err err;
    if (route_parse(&arena, bytes_str(bad[i]), &route, &err)) fail_msg("accepted: %s", bad[i]);
  }
  char deep[2 * ROUTE_SEGMENTS_MAX + 3] = "";
  for (size_t i = 0; i <= ROUTE_SEGMENTS_MAX; i++) memcpy(deep + 2 * i, "/a", 3);
  struct route route;
  struct err err;
  assert_fails(route_parse(&arena, bytes_str(deep), &route, &err), err, ERR_LIMIT);
}

static void the_specific_route_comes_first(void **state) {
  static const char *const ordered[] = {"/a/b/c",     "/a/b",   "/a/{x}/c", "/a/{x}",
                                        "/a/{rest+}", "/{x}/b", "/{x}",     "/{rest+}"};
  size_t count = sizeof ordered / sizeof *ordered;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      struct route a = route_of(ordered[i]), b = route_of(ordered[j]);
      int order = route_compare(&a, &b);
      if ((order < 0) != (i < j) || (order == 0) != (i == j))
        fail_msg("%s, %s: %d", ordered[i], ordered[j], order);
    }
  struct route a = route_of("/a/{x}"), b = route_of("/a/{y}");
  assert_int_equal(route_compare(&a, &b), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_are_found),
      cmocka_unit_test(addresses_are_canonical),
      cmocka_unit_test(ambiguous_uris_are_refused),
      cmocka_unit_test(long_uris_are_refused),
      cmocka_unit_test(paths_have_a_normal_form),
      cmocka_unit_test(allow_lists_compare_what_is_dialled),
      cmocka_unit_test(routes_capture_segments),
      cmocka_unit_test(bad_routes_are_refused),
      cmocka_unit_test(the_specific_route_comes_first),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}

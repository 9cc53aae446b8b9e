/* Request and response heads: each rule of RFC 9112 that two readers could see differently. Every
 * case is also fed byte by byte, in a heap copy of exactly that length. */
#include "tests/unit/test.h"

#include "wire/http.h"

#include <stdio.h>

struct outcome {
  enum http_step step;
  int status;
  size_t consumed;
};

/* At each call the input lies elsewhere, as in a buffer that grows. */
static struct outcome parse_request(struct bytes input, size_t step_bytes,
                                    struct http_request *request, uint8_t **ret_copy) {
  struct http_parser parser = {0};
  struct outcome outcome = {HTTP_MORE, 0, 0};
  struct err err = {0};
  *ret_copy = NULL;
  for (size_t len = step_bytes; outcome.step == HTTP_MORE; len += step_bytes) {
    if (len > input.len) len = input.len;
    free(*ret_copy);
    *ret_copy = malloc(len ? len : 1);
    memcpy(*ret_copy, input.at, len);
    outcome.step =
        http_request_parse(&parser, bytes_of(*ret_copy, len), request, &outcome.consumed, &err);
    if (len == input.len) break;
  }
  outcome.status = parser.status;
  return outcome;
}

static void check_request(const char *text, size_t len, enum http_step step, int status) {
  static struct http_request request;
  uint8_t *copy;
  struct bytes input = bytes_of(text, len);
  struct outcome whole = parse_request(input, len, &request, &copy);
  if (whole.step != step || whole.status != status)
    fail_msg("step %d status %d, expected %d %d: %.*s", whole.step, whole.status, step, status,
             BYTES_FMT(input));
  free(copy);
  for (size_t stride = 1; stride < 4; stride++) {
    struct outcome split = parse_request(input, stride, &request, &copy);
    free(copy);
    if (split.step != whole.step || split.status != whole.status ||
        split.consumed != whole.consumed)
      fail_msg("differs in steps of %zu: %.*s", stride, BYTES_FMT(input));
  }
}

#define GOOD(text) check_request(text, sizeof(text) - 1, HTTP_DONE, 0)
#define PART(text) check_request(text, sizeof(text) - 1, HTTP_MORE, 0)
#define BAD(status, text) check_request(text, sizeof(text) - 1, HTTP_BAD, status)
#define HOST "Host: h\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST

static struct http_request parsed;

static const struct http_request *parse(const char *text) {
  struct http_parser parser = {0};
  struct err err;
  size_t consumed;
  if (http_request_parse(&parser, bytes_str(text), &parsed, &consumed, &err) != HTTP_DONE)
    fail_msg("refused (%d): %s", parser.status, text);
  assert_int_equal(consumed, strlen(text));
  return &parsed;
}

static void a_head_is_read(void **state) {
  const struct http_request *request =
      parse("POST /fn/a%20b?x=1&y=%2F HTTP/1.1\r\nHost: Example.org:8080\r\n"
            "X-Empty:\r\nX-Pad: \t a b \t\r\nContent-Length: 12\r\nConnection: Close\r\n"
            "Expect: 100-Continue\r\nUpgrade: h2c\r\n\r\n");
  assert_bytes(request->method, "POST");
  assert_bytes(request->target, "/fn/a%20b?x=1&y=%2F");
  assert_bytes(request->path, "/fn/a%20b");
  assert_bytes(request->query, "x=1&y=%2F");
  assert_bytes(request->host, "Example.org:8080");
  assert_int_equal(request->head.version_minor, 1);
  assert_int_equal(request->head.header_count, 7);
  assert_int_equal(request->head.body, HTTP_BODY_LENGTH);
  assert_int_equal(request->head.content_length, 12);
  assert_false(request->head.keep_alive);
  assert_true(request->head.expect_continue);
  assert_bytes(http_header_get(&request->head, "x-pad"), "a b");
  assert_non_null(http_header_get(&request->head, "X-EMPTY").at);
  assert_bytes(http_header_get(&request->head, "x-empty"), "");
  assert_null(http_header_get(&request->head, "x-none").at);
  assert_int_equal(http_header_count(&request->head, "host"), 1);
}

static void targets_have_three_forms(void **state) {
  const struct http_request *request = parse("GET HTTP://a.b:81?q HTTP/1.1\r\nHost: other\r\n\r\n");
  assert_bytes(request->path, "/");
  assert_bytes(request->query, "q");
  assert_bytes(request->host, "a.b:81");
  request = parse("GET https://[::1]/p?a?b HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
  assert_bytes(request->path, "/p");
  assert_bytes(request->query, "a?b");
  assert_bytes(request->host, "[::1]");
  request = parse("OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
  assert_bytes(request->path, "*");
  request = parse("GET /? HTTP/1.1\r\n" HOST "\r\n");
  assert_non_null(request->query.at);
  request = parse("GET / HTTP/1.1\r\n" HOST "\r\n");
  assert_null(request->query.at);
  GOOD("GET /Patient?identifier=http://x|1&n={\"a\"} HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET * HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "OPTIONS ** HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET a HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET ftp://h/ HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET http:///p HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET http://u@h/p HTTP/1.1\r\n" HOST "\r\n");
  BAD(501, "CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /a#b HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /a\\b HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /\x7f HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /\t HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /\0 HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /%4 HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /%%41 HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /?q=100% HTTP/1.1\r\n" HOST "\r\n");
}

static void request_lines_are_exact(void **state) {
  GOOD("\r\nGET / HTTP/1.1\r\n" HOST "\r\n");
  GOOD("M-SEARCH / HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "\nGET / HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, " GET / HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET  / HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /  HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET / HTTP/1.1 \r\n" HOST "\r\n");
  BAD(400, "GET\t/ HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET / x HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "GET /\r\n\r\n");
  BAD(400, "GET\r\n\r\n");
  BAD(400, "GET / \r\n" HOST "\r\n");
  BAD(400, "GET HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "G(T / HTTP/1.1\r\n" HOST "\r\n");
  BAD(400, "\x16\x03\x01\x02");
  BAD(400, "GET / http/1.1\r\n" HOST "\r\n");
  BAD(400, "GET / HTTP/1,1\r\n" HOST "\r\n");
  BAD(400, "GET / HTTP/1.10\r\n" HOST "\r\n");
  BAD(400, "GET / HTTP/11\r\n" HOST "\r\n");
  BAD(505, "GET / HTTP/1.2\r\n" HOST "\r\n");
  BAD(505, "GET / HTTP/0.9\r\n" HOST "\r\n");
  BAD(505, "PRI * HTTP/2.0\r\n\r\n");
  BAD(501, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH / HTTP/1.1\r\n" HOST "\r\n");
}

static void lines_end_with_crlf(void **state) {
  BAD(400, "GET / HTTP/1.1\nHost: h\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: h\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: h\r\n\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: h\n\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\rHost: h\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: h\r\n\r\r\n\r\n");
}

static void header_lines_are_exact(void **state) {
  GOOD("GET / HTTP/1.1\r\n" HOST "X: \xff\x80 obs-text\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost : h\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost\t: h\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n \r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST ": v\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X(: v\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X\0Y: v\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X: v\0\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X: \x7f\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X: \x1b[1m\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST "X\xc3\xa4: v\r\n\r\n");
}

static void host_is_there_once(void **state) {
  GOOD("GET / HTTP/1.0\r\n\r\n");
  GOOD("GET / HTTP/1.1\r\nhOST:h\r\n\r\n");
  GOOD("GET / HTTP/1.1\r\nHost: h:\r\n\r\n");
  GOOD("GET / HTTP/1.1\r\nHost: [fe80::1.2.3.4]:65535\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost:\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n");
  BAD(400, "GET / HTTP/1.0\r\n" HOST HOST "\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: a,b@c\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: h:-1\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: :80\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: [g::1]\r\n\r\n");
  BAD(400, "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n");
}

static void lengths_cannot_disagree(void **state) {
  GOOD(POST "Content-Length: 0\r\n\r\n");
  GOOD(POST "Content-Length: 007\r\n\r\n");
  GOOD(POST "Content-Length: 9223372036854775807\r\n\r\n");
  GOOD(POST "Transfer-Encoding: Chunked\r\n\r\n");
  BAD(400, POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n");
  BAD(400, POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n");
  BAD(400, POST "Transfer-Encoding: x\r\nContent-Length: 5\r\n\r\n");
  BAD(400, POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n");
  BAD(400, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n");
  BAD(400, POST "Content-Length: 5, 5\r\n\r\n");
  BAD(400, POST "Content-Length: 5,6\r\n\r\n");
  BAD(400, POST "Content-Length:\r\n\r\n");
  BAD(400, POST "Content-Length: +5\r\n\r\n");
  BAD(400, POST "Content-Length: -5\r\n\r\n");
  BAD(400, POST "Content-Length: 0x5\r\n\r\n");
  BAD(400, POST "Content-Length: 5 \t6\r\n\r\n");
  BAD(400, POST "Content-Length: 1_0\r\n\r\n");
  BAD(400, POST "Content-Length: 9223372036854775808\r\n\r\n");
  BAD(400, POST "Content-Length: 18446744073709551621\r\n\r\n");
  BAD(400, POST "Content-Length : 5\r\n\r\n");
  BAD(501, POST "Transfer-Encoding: gzip\r\n\r\n");
  BAD(501, POST "Transfer-Encoding: gzip, chunked\r\n\r\n");
  BAD(501, POST "Transfer-Encoding: chunked, identity\r\n\r\n");
  BAD(501, POST "Transfer-Encoding: identity\r\n\r\n");
  BAD(501, POST "Transfer-Encoding: \"chunked\"\r\n\r\n");
  BAD(501, POST "Transfer-Encoding: chunked;q=1\r\n\r\n");
  BAD(501, POST "Transfer-Encoding:\r\n\r\n");
  BAD(400, POST "Transfer-Encoding: \x0b"
                "chunked\r\n\r\n");
  BAD(400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n");
  BAD(400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n");
  BAD(400, "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
}

static void connections_and_expectations(void **state) {
  assert_true(parse("GET / HTTP/1.1\r\n" HOST "\r\n")->head.keep_alive);
  assert_false(parse("GET / HTTP/1.0\r\n" HOST "\r\n")->head.keep_alive);
  assert_true(
      parse("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n" HOST "\r\n")->head.keep_alive);
  assert_false(
      parse("GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: a,close \r\n" HOST "\r\n")
          ->head.keep_alive);
  assert_true(parse("GET / HTTP/1.1\r\nConnection: closed\r\n" HOST "\r\n")->head.keep_alive);
  assert_false(parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")->head.expect_continue);
  BAD(417, POST "Expect: 200-ok\r\n\r\n");
  BAD(400, POST "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n");
}

static void heads_without_an_end_wait(void **state) {
  PART("");
  PART("\r");
  PART("\r\n");
  PART("GET / HTTP/1.1\r\nHost: h\r\n");
  PART("GET / HTTP/1.1\r\nHost: h\r\n\r");
}

static void what_follows_is_left_alone(void **state) {
  struct http_parser parser = {0};
  struct err err;
  size_t consumed = 0;
  const char *head = POST "Content-Length: 3\r\n\r\n";
  char text[200];
  snprintf(text, sizeof text, "%sabcGET / HTTP/1.1\nbroken", head);
  assert_int_equal(http_request_parse(&parser, bytes_str(text), &parsed, &consumed, &err),
                   HTTP_DONE);
  assert_int_equal(consumed, strlen(head));
}

/* A head made of `before`, `count` times `piece`, and `after`. */
static void check_long(const char *before, const char *piece, size_t count, const char *after,
                       enum http_step step, int status) {
  size_t piece_len = strlen(piece), len = strlen(before);
  char *text = malloc(len + piece_len * count + strlen(after) + 1);
  memcpy(text, before, len);
  for (size_t i = 0; i < count; i++, len += piece_len) memcpy(text + len, piece, piece_len);
  memcpy(text + len, after, strlen(after) + 1);
  struct http_request *request = malloc(sizeof *request);
  uint8_t *copy;
  for (size_t stride = strlen(text); stride > 100; stride = stride / 3 + 1) {
    struct outcome outcome = parse_request(bytes_str(text), stride, request, &copy);
    free(copy);
    assert_int_equal(outcome.step, step);
    assert_int_equal(outcome.status, status);
  }
  free(request);
  free(text);
}

static void heads_have_limits(void **state) {
  const char *end = " HTTP/1.1\r\n" HOST "\r\n";
  const char *get = "GET / HTTP/1.1\r\n" HOST;
  check_long("GET /", "a", HTTP_TARGET_BYTES_MAX - 1, end, HTTP_DONE, 0);
  check_long("GET /", "a", HTTP_TARGET_BYTES_MAX, end, HTTP_BAD, 414);
  check_long("GET /", "a", HTTP_HEAD_BYTES_MAX * 2, end, HTTP_BAD, 414);
  check_long("GET /", "a", HTTP_HEAD_BYTES_MAX * 2, "", HTTP_BAD, 414);
  check_long(get, "A: b\r\n", HTTP_HEADERS_MAX - 1, "\r\n", HTTP_DONE, 0);
  check_long(get, "A: b\r\n", HTTP_HEADERS_MAX, "\r\n", HTTP_BAD, 431);
  check_long("GET / HTTP/1.1\r\n" HOST "A:", "b", HTTP_HEAD_BYTES_MAX - 31, "\r\n\r\n", HTTP_DONE,
             0);
  check_long("GET / HTTP/1.1\r\n" HOST "A:", "b", HTTP_HEAD_BYTES_MAX - 30, "\r\n\r\n", HTTP_BAD,
             431);
}

static int response(const char *text, bool to_head, struct http_response *ret, int *ret_status) {
  enum http_step step = HTTP_MORE;
  for (size_t stride = 1; stride <= strlen(text); stride += strlen(text) - 1) {
    struct http_parser parser = {0};
    struct err err;
    size_t consumed, len = 0;
    step = HTTP_MORE;
    while (step == HTTP_MORE && len < strlen(text)) {
      len = len + stride < strlen(text) ? len + stride : strlen(text);
      step = http_response_parse(&parser, bytes_of(text, len), to_head, ret, &consumed, &err);
    }
    *ret_status = parser.status;
  }
  return (int)step;
}

static void responses_are_read(void **state) {
  static struct http_response r;
  int status;
  assert_int_equal(response("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n", 0, &r, &status),
                   HTTP_DONE);
  assert_int_equal(r.status, 404);
  assert_bytes(r.reason, "Not Found");
  assert_int_equal(r.head.body, HTTP_BODY_LENGTH);
  assert_true(r.head.keep_alive);
  assert_int_equal(response("HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n", 1, &r, &status),
                   HTTP_DONE);
  assert_int_equal(r.head.body, HTTP_BODY_NONE);
  assert_int_equal(r.head.content_length, 3);
  assert_int_equal(response("HTTP/1.1 200 OK\r\n\r\n", 0, &r, &status), HTTP_DONE);
  assert_int_equal(r.head.body, HTTP_BODY_UNTIL_CLOSE);
  assert_false(r.head.keep_alive);
  assert_int_equal(response("HTTP/1.1 204 No\r\n\r\n", 0, &r, &status), HTTP_DONE);
  assert_int_equal(r.head.body, HTTP_BODY_NONE);
  assert_int_equal(response("HTTP/1.1 100 Continue\r\n\r\n", 0, &r, &status), HTTP_DONE);
  assert_int_equal(r.head.body, HTTP_BODY_NONE);
  assert_int_equal(
      response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, &r, &status), HTTP_DONE);
  assert_int_equal(r.head.body, HTTP_BODY_CHUNKED);
}

static void bad_responses_are_refused(void **state) {
  static const char *const bad[] = {
      "HTTP/1.1 200\r\n\r\n",
      "HTTP/1.1  200 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1 600 OK\r\n\r\n",
      "HTTP/1.1 +20 OK\r\n\r\n",
      "HTTP/1.1 200 O\001K\r\n\r\n",
      "HTTP/1.1 200 OK\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
      "ICY 200 OK\r\n\r\n",
  };
  static struct http_response r;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int status = 0;
    if (response(bad[i], false, &r, &status) != HTTP_BAD || status != 400)
      fail_msg("accepted or %d: %s", status, bad[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_head_is_read),
      cmocka_unit_test(targets_have_three_forms),
      cmocka_unit_test(request_lines_are_exact),
      cmocka_unit_test(lines_end_with_crlf),
      cmocka_unit_test(header_lines_are_exact),
      cmocka_unit_test(host_is_there_once),
      cmocka_unit_test(lengths_cannot_disagree),
      cmocka_unit_test(connections_and_expectations),
      cmocka_unit_test(heads_without_an_end_wait),
      cmocka_unit_test(what_follows_is_left_alone),
      cmocka_unit_test(heads_have_limits),
      cmocka_unit_test(responses_are_read),
      cmocka_unit_test(bad_responses_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

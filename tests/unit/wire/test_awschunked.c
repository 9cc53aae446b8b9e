/* aws-chunked bodies: the two worked examples AWS publishes, every split, and every tampering. */
#include "tests/unit/test.h"

#include "wire/awschunked.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define NOW 1369353600000 /* 2013-05-24T00:00:00Z */
#define STREAM "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
#define TRAILER_SEED "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
#define SIGN_1 "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
#define SIGN_2 "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
#define SIGN_3 "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
#define TRAILER_1 "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"
#define TRAILER_2 "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"
#define TRAILER_3 "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"
#define TRAILER_4 "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"

static const char *const plain_head =
    "PUT /examplebucket/chunkObject.txt HTTP/1.1\r\nHost: s3.amazonaws.com\r\n"
    "x-amz-date: 20130524T000000Z\r\nx-amz-storage-class: REDUCED_REDUNDANCY\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
    "aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;"
    "x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=" SEED "\r\n"
    "x-amz-content-sha256: " STREAM "\r\nContent-Encoding: aws-chunked\r\n"
    "x-amz-decoded-content-length: 66560\r\nContent-Length: 66824\r\n\r\n";

static const char *const trailer_head =
    "PUT /examplebucket/chunkObject.txt HTTP/1.1\r\nHost: s3.amazonaws.com\r\n"
    "x-amz-date: 20130524T000000Z\r\nx-amz-storage-class: REDUCED_REDUNDANCY\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
    "aws4_request,SignedHeaders=content-encoding;host;x-amz-content-sha256;"
    "x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,"
    "Signature=" TRAILER_SEED "\r\n"
    "x-amz-content-sha256: " STREAM "-TRAILER\r\nContent-Encoding: aws-chunked\r\n"
    "x-amz-decoded-content-length: 66560\r\nx-amz-trailer: x-amz-checksum-crc32c\r\n\r\n";

static struct arena arena;
static struct buf body, out;

static int setup(void **state) {
  arena_init(&arena, 8 << 20);
  buf_init(&body, 1 << 20);
  buf_init(&out, 1 << 20);
  return 0;
}

static int teardown(void **state) {
  arena_fini(&arena);
  buf_fini(&body);
  buf_fini(&out);
  return 0;
}

static void letters(size_t count) {
  for (size_t i = 0; i < count; i++) buf_char(&body, 'a');
}

/* The example's body: 64 KiB and 1 KiB of the letter a. */
static void make_body(const char *one, const char *two, const char *three) {
  buf_reset(&body);
  buf_printf(&body, "10000;chunk-signature=%s\r\n", one);
  letters(65536);
  buf_printf(&body, "\r\n400;chunk-signature=%s\r\n", two);
  letters(1024);
  buf_printf(&body, "\r\n0;chunk-signature=%s\r\n", three);
}

static void open_verified(const char *head, struct awschunked *chunked) {
  static struct http_request request;
  struct http_parser parser = {0};
  struct sigv4 claim;
  struct err err;
  size_t consumed;
  uint8_t key[SHA256_BYTES];
  assert_int_equal(http_request_parse(&parser, bytes_str(head), &request, &consumed, &err),
                   HTTP_DONE);
  struct sigv4_subject subject = sigv4_subject_of(&request);
  assert_ok(sigv4_parse(&arena, &request, &claim, &err), err);
  assert_ok(sigv4_verify(&claim, &subject, BYTES(SECRET), NULL, NOW, key, &err), err);
  assert_ok(awschunked_init(chunked, &claim, key, &request.head, &err), err);
}

static enum http_step decode(struct awschunked *chunked, size_t stride, struct err *err) {
  struct bytes input = buf_bytes(&body), data;
  enum http_step step = HTTP_MORE;
  buf_reset(&out);
  while (step == HTTP_MORE && input.len) {
    size_t consumed = 0;
    step = awschunked_next(chunked, bytes_sub(input, 0, stride), &consumed, &data, err);
    if (step == HTTP_BAD) break;
    assert_true(consumed > 0);
    buf_put(&out, data);
    input = bytes_from(input, consumed);
  }
  return step;
}

static void the_examples_verify(void **state) {
  static const size_t strides[] = {1, 7, 1000, 65535, 1 << 20};
  for (size_t i = 0; i < 2 * (sizeof strides / sizeof *strides); i++) {
    struct awschunked chunked;
    struct err err;
    open_verified(i % 2 ? trailer_head : plain_head, &chunked);
    if (i % 2) {
      make_body(TRAILER_1, TRAILER_2, TRAILER_3);
      buf_str(&body, "x-amz-checksum-crc32c:sOO8/Q==\r\n"
                     "x-amz-trailer-signature:" TRAILER_4 "\r\n\r\n");
    } else {
      make_body(SIGN_1, SIGN_2, SIGN_3);
      buf_str(&body, "\r\n");
    }
    enum http_step step = decode(&chunked, strides[i / 2], &err);
    if (step != HTTP_DONE) fail_msg("%zu: %d %s", i, step, err.detail);
    assert_int_equal(out.len, 66560);
    awschunked_fini(&chunked);
  }
}

/* `text` in place of the first `from`; then the decoder must refuse. */
static void check_tampered(bool trailer, const char *from, const char *text, enum err_code code) {
  struct awschunked chunked;
  struct err err = {0};
  open_verified(trailer ? trailer_head : plain_head, &chunked);
  if (trailer) {
    make_body(TRAILER_1, TRAILER_2, TRAILER_3);
    buf_str(&body, "x-amz-checksum-crc32c:sOO8/Q==\r\n"
                   "x-amz-trailer-signature:" TRAILER_4 "\r\n\r\n");
  } else {
    make_body(SIGN_1, SIGN_2, SIGN_3);
    buf_str(&body, "\r\n");
  }
  struct bytes all = arena_copy(&arena, buf_bytes(&body));
  size_t at = bytes_find_bytes(all, bytes_str(from));
  assert_true(at < all.len);
  buf_reset(&body);
  buf_put(&body, bytes_sub(all, 0, at));
  buf_str(&body, text);
  buf_put(&body, bytes_from(all, at + strlen(from)));
  enum http_step step = decode(&chunked, 4096, &err);
  if (step != HTTP_BAD || err.code != code)
    fail_msg("%s -> %s: %d %d %s", from, text, step, err.code, err.detail);
  awschunked_fini(&chunked);
}

static void tampering_is_seen(void **state) {
  check_tampered(false, "aaaa", "aaab", ERR_UNAUTHENTICATED);
  check_tampered(false, SIGN_1, SIGN_2, ERR_UNAUTHENTICATED);
  check_tampered(false, SIGN_3, SIGN_2, ERR_UNAUTHENTICATED);
  check_tampered(false, "10000;", "0FFFF;", ERR_UNAUTHENTICATED);
  check_tampered(false, "10000;", "20000;", ERR_INVALID);
  check_tampered(false, "10000;", "ffffffffffffffff;", ERR_MALFORMED);
  check_tampered(false, "10000;", ";", ERR_MALFORMED);
  check_tampered(false, "10000;", "1000g;", ERR_MALFORMED);
  check_tampered(false, "10000;chunk-signature=" SIGN_1, "10000", ERR_MALFORMED);
  check_tampered(false, "chunk-signature", "chunk-signatura", ERR_MALFORMED);
  check_tampered(false, "ad80", "ad8", ERR_MALFORMED);
  check_tampered(false, "\r\n400", "\n400", ERR_MALFORMED);
  check_tampered(false, "\r\naaaa", "\naaaa", ERR_MALFORMED);
  check_tampered(false, SIGN_3 "\r\n\r\n", SIGN_3 "\r\nx-amz-checksum-crc32:a\r\n\r\n",
                 ERR_MALFORMED);
  check_tampered(true, "sOO8/Q==", "sOO8/A==", ERR_UNAUTHENTICATED);
  check_tampered(true, "trailer-signature:d8", "trailer-signature:d9", ERR_UNAUTHENTICATED);
  check_tampered(true, "x-amz-trailer-signature:" TRAILER_4 "\r\n", "", ERR_UNAUTHENTICATED);
  check_tampered(true, "x-amz-checksum-crc32c:sOO8/Q==\r\n", "", ERR_MALFORMED);
  check_tampered(true, "crc32c:", "crc32:", ERR_MALFORMED);
  check_tampered(true, "x-amz-trailer-signature", "x-amz-checksum-crc32c", ERR_MALFORMED);
  check_tampered(true, "400;chunk-signature=" TRAILER_2, "0;chunk-signature=" TRAILER_2,
                 ERR_UNAUTHENTICATED);
}

static enum http_step decode_unsigned(const char *trailer, const char *length, const char *text,
                                      struct err *err) {
  static struct http_head head;
  struct awschunked chunked;
  struct sigv4 claim = {.payload = SIGV4_UNSIGNED_TRAILER};
  uint8_t key[SHA256_BYTES] = {0};
  head.header_count = 2;
  head.headers[0] = (struct http_header){BYTES("X-Amz-Trailer"), bytes_str(trailer)};
  head.headers[1] = (struct http_header){BYTES("x-amz-decoded-content-length"), bytes_str(length)};
  if (!awschunked_init(&chunked, &claim, key, &head, err)) return HTTP_BAD;
  buf_reset(&body);
  buf_str(&body, text);
  enum http_step step = decode(&chunked, 3, err);
  awschunked_fini(&chunked);
  return step;
}

static void unsigned_trailers_are_checked(void **state) {
  static const struct {
    const char *trailer, *length, *text;
    enum http_step step;
    enum err_code code;
  } cases[] = {
      {"x-amz-checksum-crc32", "9",
       "4\r\n1234\r\n5\r\n56789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", HTTP_DONE, ERR_OK},
      {"x-amz-checksum-sha256", "9",
       "9\r\n123456789\r\n0\r\nX-Amz-Checksum-Sha256: "
       "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=\r\n\r\n",
       HTTP_DONE, ERR_OK},
      {"x-amz-checksum-crc32", "0", "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", HTTP_DONE,
       ERR_OK},
      {"x-amz-checksum-crc32", "9", "9\r\n123456780\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n",
       HTTP_BAD, ERR_INVALID},
      {"x-amz-checksum-crc32", "9", "9\r\n123456789\r\n0\r\n\r\n", HTTP_BAD, ERR_MALFORMED},
      {"x-amz-checksum-crc32", "9", "8\r\n12345678\r\n0\r\nx-amz-checksum-crc32:x\r\n\r\n",
       HTTP_BAD, ERR_INVALID},
      {"x-amz-checksum-crc32", "9", "a\r\n", HTTP_BAD, ERR_INVALID},
      {"x-amz-checksum-crc32", "9", "9;x=y\r\n", HTTP_BAD, ERR_MALFORMED},
      {"x-amz-checksum-crc32", "9", "9 \r\n", HTTP_BAD, ERR_MALFORMED},
      {"x-amz-checksum-crc32", "9", "9\r\n123456789", HTTP_MORE, ERR_OK},
      {"x-amz-checksum-crc32", "9", "9\r\n123456789X", HTTP_BAD, ERR_MALFORMED},
      {"x-amz-checksum-sha1", "9", "", HTTP_BAD, ERR_UNSUPPORTED},
      {"", "9", "", HTTP_BAD, ERR_UNSUPPORTED},
      {"x-amz-checksum-crc32", "", "", HTTP_BAD, ERR_MALFORMED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct err err = {0};
    enum http_step step = decode_unsigned(cases[i].trailer, cases[i].length, cases[i].text, &err);
    if (step != cases[i].step || err.code != cases[i].code)
      fail_msg("%zu: %d %d %s", i, step, err.code, err.detail);
  }
}

static void lines_have_a_limit(void **state) {
  char text[AWSCHUNKED_LINE_BYTES_MAX + 2];
  struct err err = {0};
  memset(text, '0', sizeof text - 1);
  text[sizeof text - 1] = 0;
  assert_int_equal(decode_unsigned("x-amz-checksum-crc32", "9", text, &err), HTTP_BAD);
  assert_int_equal(err.code, ERR_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_examples_verify),
      cmocka_unit_test(tampering_is_seen),
      cmocka_unit_test(unsigned_trailers_are_checked),
      cmocka_unit_test(lines_have_a_limit),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}

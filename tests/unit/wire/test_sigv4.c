/* Signature Version 4 against the worked examples AWS publishes, and against tampering. */
#include "tests/unit/test.h"

#include "wire/sigv4.h"

#define S3_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define S3_KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define KEY "AKIDEXAMPLE"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S3_NOW 1369353600000 /* 2013-05-24T00:00:00Z */
#define NOW 1440938160000    /* 2015-08-30T12:36:00Z */

static struct arena arena;

static int setup(void **state) {
  arena_init(&arena, 4 << 20);
  return 0;
}

static int teardown(void **state) {
  arena_fini(&arena);
  return 0;
}

static struct http_request *parse(const char *text) {
  static struct http_request request;
  struct http_parser parser = {0};
  struct err err;
  size_t consumed;
  if (http_request_parse(&parser, bytes_str(text), &request, &consumed, &err) != HTTP_DONE)
    fail_msg("%s: %s", err.detail, text);
  return &request;
}

static bool verify(const struct http_request *request, const char *secret, int64_t now_ms,
                   struct err *err) {
  struct sigv4 claim;
  struct sigv4_subject subject = sigv4_subject_of(request);
  uint8_t body[SHA256_BYTES], key[SHA256_BYTES];
  sha256(BYTES(""), body);
  return sigv4_parse(&arena, request, &claim, err) &&
         sigv4_verify(&claim, &subject, bytes_str(secret), body, now_ms, key, err);
}

#define S3_AUTH(names, signature) \
  "Authorization: AWS4-HMAC-SHA256 Credential=" S3_KEY "/20130524/us-east-1/s3/aws4_request, " \
  "SignedHeaders=" names ", Signature=" signature "\r\n"
#define S3_COMMON \
  "Host: examplebucket.s3.amazonaws.com\r\nx-amz-date: 20130524T000000Z\r\n" \
  "x-amz-content-sha256: " EMPTY_SHA256 "\r\n"

#define S3_GET \
  "GET /test.txt HTTP/1.1\r\n" S3_COMMON "Range: bytes=0-9\r\n" S3_AUTH( \
      "host;range;x-amz-content-sha256;x-amz-date", \
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") "\r\n"

static void s3_examples_verify(void **state) {
  static const char *const good[] = {
      S3_GET,
      "PUT /test%24file.text HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\n"
      "Date: Fri, 24 May 2013 00:00:00 GMT\r\nx-amz-date: 20130524T000000Z\r\n"
      "x-amz-storage-class: REDUCED_REDUNDANCY\r\nx-amz-content-sha256: "
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\r\n" S3_AUTH(
          "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
          "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd") "\r\n",
      "GET /?lifecycle HTTP/1.1\r\n" S3_COMMON S3_AUTH(
          "host;x-amz-content-sha256;x-amz-date",
          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543") "\r\n",
      "GET /?prefix=J&max-keys=2 HTTP/1.1\r\n" S3_COMMON S3_AUTH(
          "host;x-amz-content-sha256;x-amz-date",
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7") "\r\n",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct err err;
    if (!verify(parse(good[i]), S3_SECRET, S3_NOW, &err)) fail_msg("%zu: %s", i, err.detail);
  }
}

#define AUTH(service, names, signature) \
  "Authorization: AWS4-HMAC-SHA256 Credential=" KEY "/20150830/us-east-1/" service \
  "/aws4_request, SignedHeaders=" names ", Signature=" signature "\r\n"
#define VANILLA "Host: example.amazonaws.com\r\nX-Amz-Date: 20150830T123600Z\r\n"

static void other_services_verify(void **state) {
  static const char *const good[] = {
      "GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\r\nHost: iam.amazonaws.com\r\n"
      "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
      "X-Amz-Date: 20150830T123600Z\r\n" AUTH(
          "iam", "content-type;host;x-amz-date",
          "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7") "\r\n",
      "GET / HTTP/1.1\r\n" VANILLA AUTH(
          "service", "host;x-amz-date",
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31") "\r\n",
      "GET /a/./../ HTTP/1.1\r\n" VANILLA AUTH(
          "service", "host;x-amz-date",
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31") "\r\n",
      "GET /?Param2=value2&Param1=value1 HTTP/1.1\r\n" VANILLA AUTH(
          "service", "host;x-amz-date",
          "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500") "\r\n",
      "POST / HTTP/1.1\r\n" VANILLA AUTH(
          "service", "host;x-amz-date",
          "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b") "\r\n",
      "GET / HTTP/1.1\r\n" VANILLA "My-Header1:  value1\r\nMy-Header2: \"a   b   c\"\r\n" AUTH(
          "service", "host;my-header1;my-header2;x-amz-date",
          "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736") "\r\n",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct err err;
    if (!verify(parse(good[i]), SECRET, NOW, &err)) fail_msg("%zu: %s", i, err.detail);
  }
}

#define PRESIGNED(extra, signature) \
  "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" S3_KEY \
  "%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&" \
  "X-Amz-Expires=86400&X-Amz-SignedHeaders=host" extra "&X-Amz-Signature=" signature \
  " HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\n\r\n"
#define PRESIGNATURE "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"

static void presigned_queries_verify_until_they_expire(void **state) {
  struct http_request *request = parse(PRESIGNED("", PRESIGNATURE));
  struct err err;
  assert_true(sigv4_present(request));
  assert_ok(verify(request, S3_SECRET, S3_NOW, &err), err);
  assert_ok(verify(request, S3_SECRET, S3_NOW + 86400000, &err), err);
  assert_fails(verify(request, S3_SECRET, S3_NOW + 86400001, &err), err, ERR_UNAUTHENTICATED);
  assert_fails(verify(request, S3_SECRET, S3_NOW - SIGV4_SKEW_MS - 1, &err), err,
               ERR_UNAUTHENTICATED);
  assert_fails(verify(parse(PRESIGNED("&x=1", PRESIGNATURE)), S3_SECRET, S3_NOW, &err), err,
               ERR_UNAUTHENTICATED);
  assert_fails(verify(parse(PRESIGNED("&X-Amz-Expires=9", PRESIGNATURE)), S3_SECRET, S3_NOW, &err),
               err, ERR_MALFORMED);
}

static void dates_have_a_window(void **state) {
  struct http_request *request = parse(S3_GET);
  struct err err;
  assert_ok(verify(request, S3_SECRET, S3_NOW + SIGV4_SKEW_MS, &err), err);
  assert_ok(verify(request, S3_SECRET, S3_NOW - SIGV4_SKEW_MS, &err), err);
  assert_fails(verify(request, S3_SECRET, S3_NOW + SIGV4_SKEW_MS + 1, &err), err,
               ERR_UNAUTHENTICATED);
  assert_fails(verify(request, S3_SECRET, S3_NOW - SIGV4_SKEW_MS - 1, &err), err,
               ERR_UNAUTHENTICATED);
}

/* Replaces the first `from` in the good request. */
static struct http_request *tampered(const char *from, const char *to) {
  struct bytes text = BYTES(S3_GET);
  size_t at = bytes_find_bytes(text, bytes_str(from));
  assert_true(at < text.len);
  struct bytes made = arena_printf(&arena, "%.*s%s%.*s", (int)at, (const char *)text.at, to,
                                   BYTES_FMT(bytes_from(text, at + strlen(from))));
  return parse(arena_str(&arena, made));
}

static void tampering_is_seen(void **state) {
  static const struct {
    const char *from, *to;
    enum err_code code;
  } cases[] = {
      {"GET", "PUT", ERR_UNAUTHENTICATED},
      {"/test.txt", "/test.txs", ERR_UNAUTHENTICATED},
      {"/test.txt", "/test.txt?a", ERR_UNAUTHENTICATED},
      {"bytes=0-9", "bytes=0-8", ERR_UNAUTHENTICATED},
      {"Range: bytes=0-9\r\n", "", ERR_UNAUTHENTICATED},
      {"Range: bytes=0-9\r\n", "Range: bytes=0-9\r\nRange: x\r\n", ERR_UNAUTHENTICATED},
      {"Host: examplebucket", "Host: otherbucket", ERR_UNAUTHENTICATED},
      {EMPTY_SHA256, "UNSIGNED-PAYLOAD", ERR_UNAUTHENTICATED},
      {EMPTY_SHA256, "STREAMING-WHATEVER", ERR_MALFORMED},
      {EMPTY_SHA256, "e3b0", ERR_MALFORMED},
      {"us-east-1", "us-east-2", ERR_UNAUTHENTICATED},
      {"/s3/", "/sqs/", ERR_UNAUTHENTICATED},
      {"Signature=f0", "Signature=f1", ERR_UNAUTHENTICATED},
      {"Signature=f0", "Signature=F0", ERR_MALFORMED},
      {"Signature=f0", "Signature=", ERR_MALFORMED},
      {"/20130524/", "/20130525/", ERR_UNAUTHENTICATED},
      {"20130524T000000Z", "20130524T000000", ERR_MALFORMED},
      {"20130524T000000Z", "20130532T000000Z", ERR_MALFORMED},
      {"20130524T000000Z", "2013-05-24T00:00", ERR_MALFORMED},
      {"x-amz-date: 20130524T000000Z\r\n", "", ERR_MALFORMED},
      {"aws4_request", "aws5_request", ERR_MALFORMED},
      {"Credential=" S3_KEY "/", "Credential=", ERR_MALFORMED},
      {"Credential=", "Credentials=", ERR_MALFORMED},
      {"host;range", "range;host", ERR_MALFORMED},
      {"host;range", "host;host;range", ERR_MALFORMED},
      {"host;range", "Host;range", ERR_MALFORMED},
      {"=host;", "=", ERR_UNAUTHENTICATED},
      {";x-amz-date,", ",", ERR_UNAUTHENTICATED},
      {"Range:", "x-amz-acl: public\r\nRange:", ERR_UNAUTHENTICATED},
      {"Range:", "x-amz-date: 20130524T000000Z\r\nRange:", ERR_MALFORMED},
      {"Range:", "Authorization: x\r\nRange:", ERR_MALFORMED},
      {", Signature", ", Signature=a, Signature", ERR_MALFORMED},
  };
  struct err err = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (verify(tampered(cases[i].from, cases[i].to), S3_SECRET, S3_NOW, &err) ||
        err.code != cases[i].code)
      fail_msg("%s -> %s: %d %s", cases[i].from, cases[i].to, err.code, err.detail);
  }
  assert_fails(verify(parse(S3_GET), SECRET, S3_NOW, &err), err, ERR_UNAUTHENTICATED);
}

static void payload_words_are_understood(void **state) {
  struct sigv4 claim;
  struct err err;
  assert_ok(sigv4_parse(&arena, parse(S3_GET), &claim, &err), err);
  assert_int_equal(claim.payload, SIGV4_HASH);
  assert_bytes(claim.access_key, S3_KEY);
  assert_bytes(claim.service, "s3");
  uint8_t empty[SHA256_BYTES];
  sha256(BYTES(""), empty);
  assert_memory_equal(claim.payload_sha256, empty, SHA256_BYTES);
  assert_ok(sigv4_parse(&arena, tampered(EMPTY_SHA256, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
                        &claim, &err),
            err);
  assert_int_equal(claim.payload, SIGV4_STREAM);
  assert_ok(sigv4_parse(&arena, tampered(EMPTY_SHA256, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                        &claim, &err),
            err);
  assert_int_equal(claim.payload, SIGV4_UNSIGNED_TRAILER);
  assert_false(
      sigv4_present(parse("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x\r\n\r\n")));
}

static void what_is_signed_verifies(void **state) {
  static const char *const paths[] = {"/", "/a%20b/c", "/2015-03-31/functions/a%3Ab/invocations",
                                      "/a+b/*", "/%E2%82%AC/~x"};
  static const char *const services[] = {"s3", "lambda"};
  for (size_t i = 0; i < 10; i++) {
    const struct http_header headers[] = {
        {BYTES_INIT("Host"), BYTES_INIT("127.0.0.1:8080")},
        {BYTES_INIT("X-Amz-Date"), BYTES_INIT("20150830T123600Z")},
        {BYTES_INIT("X-Amz-Content-Sha256"), BYTES_INIT("UNSIGNED-PAYLOAD")},
    };
    struct sigv4_signer signer = {.access_key = BYTES("a/b"),
                                  .secret = BYTES("s"),
                                  .region = BYTES("local"),
                                  .service = bytes_str(services[i % 2]),
                                  .now_ms = NOW,
                                  .payload_text = BYTES("UNSIGNED-PAYLOAD")};
    struct sigv4_subject subject = {BYTES("POST"), bytes_str(paths[i / 2]),
                                    BYTES("b=%20+&a&Qualifier=%24LATEST"), headers, 3};
    struct bytes authorization;
    struct err err;
    assert_ok(sigv4_sign(&arena, &signer, &subject, &authorization, &err), err);
    struct bytes text = arena_printf(
        &arena,
        "POST %s?%.*s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nX-Amz-Date: 20150830T123600Z\r\n"
        "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\nAuthorization: %.*s\r\n\r\n",
        paths[i / 2], BYTES_FMT(subject.query), BYTES_FMT(authorization));
    assert_ok(verify(parse(arena_str(&arena, text)), "s", NOW, &err), err);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(s3_examples_verify),
      cmocka_unit_test(other_services_verify),
      cmocka_unit_test(presigned_queries_verify_until_they_expire),
      cmocka_unit_test(dates_have_a_window),
      cmocka_unit_test(tampering_is_seen),
      cmocka_unit_test(payload_words_are_understood),
      cmocka_unit_test(what_is_signed_verifies),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}

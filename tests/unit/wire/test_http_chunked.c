/* Chunked bodies: data, limits, and the malformed sizes and line ends that readers differ on. Every
 * case runs in steps of all sizes. */
#include "tests/unit/test.h"

#include "base/buf.h"
#include "wire/http.h"

/* Decodes in steps; what was consumed in all, or SIZE_MAX when refused. */
static size_t decode(struct bytes input, size_t stride, struct buf *body, enum http_step *ret_step,
                     struct err *err) {
  struct http_chunked chunked = {0};
  size_t total = 0;
  *ret_step = HTTP_MORE;
  while (*ret_step == HTTP_MORE && total < input.len) {
    struct bytes data;
    size_t consumed = 0;
    struct bytes part = bytes_sub(input, total, stride);
    uint8_t *copy = malloc(part.len);
    memcpy(copy, part.at, part.len);
    *ret_step = http_chunked_next(&chunked, bytes_of(copy, part.len), &consumed, &data, err);
    if (*ret_step != HTTP_BAD) {
      assert_true(consumed > 0);
      buf_put(body, data);
      total += consumed;
    }
    free(copy);
  }
  return total;
}

static void check_good(const char *text, const char *expected, const char *rest) {
  for (size_t stride = 1; stride <= strlen(text) + 1; stride++) {
    struct buf body;
    struct err err;
    enum http_step step;
    buf_init(&body, 1 << 20);
    size_t consumed = decode(bytes_str(text), stride, &body, &step, &err);
    assert_int_equal(step, HTTP_DONE);
    assert_bytes(buf_bytes(&body), expected);
    assert_string_equal(text + consumed, rest);
    buf_fini(&body);
  }
}

static void check_bad(struct bytes text, enum err_code code) {
  for (size_t stride = 1; stride <= text.len; stride += stride < 8 ? 1 : stride) {
    struct buf body;
    struct err err = {0};
    enum http_step step;
    buf_init(&body, 1 << 20);
    decode(text, stride, &body, &step, &err);
    if (step != HTTP_BAD || err.code != code)
      fail_msg("step %d code %d: %.*s", step, err.code, BYTES_FMT(text));
    buf_fini(&body);
  }
}

static void bodies_are_decoded(void **state) {
  check_good("0\r\n\r\n", "", "");
  check_good("5\r\nhello\r\n0\r\n\r\nGET", "hello", "GET");
  check_good("00A\r\n0123456789\r\n1\r\n!\r\n000\r\n\r\n", "0123456789!", "");
  check_good("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", "");
  check_good("2;x=y;z=\"a b\"\r\n\r\n\r\n0;e\r\n\r\n", "\r\n", "");
  check_good("1\r\nx\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\nrest", "x", "rest");
}

static void malformed_chunks_are_refused(void **state) {
  static const char *const bad[] = {
      "\r\n",         ";x\r\n",          "g\r\n",        "-1\r\n",       "+1\r\n",
      "0x5\r\n",      " 5\r\n",          "5 \r\n",       "5 ;x\r\n",     "5\n",
      "5\rx",         "5\r\r\n",         "1\r\nab",      "1\r\na\n",     "1\r\na\rb",
      "1\r\na\r\n\r", "0\r\n\n",         "0\r\n\rx",     "0\r\nX\r\n",   "0\r\n: v\r\n",
      "0\r\n X: v",   "0\r\nX: a\r\n b", "0\r\nX : v",   "0\r\nX: \001", "5;a\nb\r\n",
      "5;a\001\r\n",  "1,1\r\n",         "1\r\na0\r\n ", "5_0\r\n",      "0\r\nX: a\n",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) check_bad(bytes_str(bad[i]), ERR_MALFORMED);
  check_bad(BYTES("5;a\0\r\n"), ERR_MALFORMED);
}

static struct bytes repeat(struct buf *buf, const char *before, const char *piece, size_t count) {
  buf_init(buf, 1 << 20);
  buf_str(buf, before);
  for (size_t i = 0; i < count; i++) buf_str(buf, piece);
  return buf_bytes(buf);
}

static void chunks_have_limits(void **state) {
  struct buf buf;
  check_bad(BYTES("1000000000000000\r\n"), ERR_LIMIT);
  check_bad(BYTES("ffffffffffffffffffff1\r\n"), ERR_LIMIT);
  check_bad(BYTES("0000000000000001\r\n"), ERR_LIMIT);
  check_bad(repeat(&buf, "1;", "e", HTTP_CHUNK_EXTENSION_BYTES_MAX + 1), ERR_LIMIT);
  buf_fini(&buf);
  check_bad(repeat(&buf, "", "1;0123456789012345678901234567890\r\nx\r\n", 600), ERR_LIMIT);
  buf_fini(&buf);
  check_bad(repeat(&buf, "0\r\n", "A: b\r\n", HTTP_TRAILER_BYTES_MAX), ERR_LIMIT);
  buf_fini(&buf);
  check_bad(repeat(&buf, "0\r\nA: ", "b", HTTP_TRAILER_BYTES_MAX), ERR_LIMIT);
  buf_fini(&buf);
}

static void writer_and_reader_agree(void **state) {
  struct buf buf;
  buf_init(&buf, 1 << 16);
  http_chunk_write(&buf, BYTES("hello "));
  http_chunk_write(&buf, BYTES(""));
  http_chunk_write(&buf, BYTES("chunked world, longer than fifteen"));
  http_chunk_end_write(&buf);
  buf_char(&buf, 0);
  check_good((const char *)buf.at, "hello chunked world, longer than fifteen", "");
  buf_fini(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bodies_are_decoded),
      cmocka_unit_test(malformed_chunks_are_refused),
      cmocka_unit_test(chunks_have_limits),
      cmocka_unit_test(writer_and_reader_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

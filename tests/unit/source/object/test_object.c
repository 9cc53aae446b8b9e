/* Objects over S3's API: whole, in ranges, in parts; the event comes with the row. */
#include "tests/unit/source/rig.h"

#include "effect/object_store.h"
#include "os/disk_sim.h"
#include "source/object/object.h"

static struct objects *objects;

static void open_rig(void) {
  rig_open(1767225600000);
  objects_open(rig.api, &objects);
}

static void close_rig(void) {
  api_close(&rig.api);
  objects_close(&objects);
  rig_close();
}

static void got(const char *text) {
  struct bytes all = buf_bytes(&rig.got);
  if (bytes_find_bytes(all, bytes_str(text)) == all.len)
    fail_msg("not in the answer: %s\n%.*s", text, BYTES_FMT(bytes_sub(all, 0, 2000)));
}

static void got_not(const char *text) {
  struct bytes all = buf_bytes(&rig.got);
  if (bytes_find_bytes(all, bytes_str(text)) < all.len) fail_msg("in the answer: %s", text);
}

static void put(const char *target, const char *text) {
  if (rig_http("PUT", target, NULL, text) != 200) fail_msg("%.*s", BYTES_FMT(rig_body()));
}

static size_t events(const char *name) {
  struct buf lines;
  size_t count = 0;
  buf_init(&lines, 64 << 20);
  rig_events(EVENT_TYPE_OBJECT, &lines);
  struct bytes left = buf_bytes(&lines);
  for (size_t at; (at = bytes_find_bytes(left, bytes_str(name))) < left.len; count++)
    left = bytes_from(left, at + strlen(name));
  buf_fini(&lines);
  return count;
}

static void what_was_put_is_got(void **state) {
  open_rig();
  assert_int_equal(rig_http("PUT", "/s3/ward/in/a%20b.txt",
                            "Content-Type: text/plain\r\nX-Amz-Meta-Bed: 4B\r\n", "hello"),
                   200);
  got("\"5d41402abc4b2a76b9719d911017c592\"");
  assert_int_equal(rig_http("GET", "/s3/ward/in/a%20b.txt", NULL, NULL), 200);
  assert_bytes(rig_body(), "hello");
  assert_bytes(rig_header("content-type"), "text/plain");
  assert_bytes(rig_header("x-amz-meta-bed"), "4B");
  assert_bytes(rig_header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  assert_bytes(rig_header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
  assert_int_equal(rig_http("HEAD", "/s3/ward/in/a%20b.txt", NULL, NULL), 200);
  assert_bytes(rig_header("content-length"), "5");
  assert_bytes(rig_body(), "");
  put("/s3/ward/in/a%20b.txt", "");
  assert_int_equal(rig_http("GET", "/s3/ward/in/a%20b.txt", NULL, NULL), 200);
  assert_bytes(rig_body(), "");
  assert_int_equal(rig_http("GET", "/s3/ward/none", NULL, NULL), 404);
  got("<Code>NoSuchKey</Code>");
  close_rig();
}

static void the_event_is_in_s3s_shape(void **state) {
  struct buf lines;
  struct arena arena;
  const struct json *tree;
  struct err err;
  open_rig();
  rig_deploy("  f: {code: a.js, on: [{object: {bucket: ward, prefix: in/}}]}\n");
  put("/s3/ward/in/a%20b.txt", "hello");
  put("/s3/ward/out/c.txt", "hello");
  assert_int_equal(rig_http("DELETE", "/s3/ward/in/a%20b.txt", NULL, NULL), 204);
  assert_int_equal(rig_http("DELETE", "/s3/ward/in/a%20b.txt", NULL, NULL), 204);
  buf_init(&lines, 1 << 20);
  assert_int_equal(rig_events(EVENT_TYPE_OBJECT, &lines), 3);
  struct bytes line = bytes_sub(buf_bytes(&lines), 0, bytes_find(buf_bytes(&lines), '\n'));
  arena_init(&arena, 1 << 20);
  assert_ok(json_parse(&arena, line, &tree, &err), err);
  assert_bytes(json_get_text(tree, "source"), "ward");
  assert_bytes(json_get_text(tree, "subject"), "in/a b.txt");
  assert_bytes(json_text(json_path(tree, BYTES("data.Records[0].eventName"))), "ObjectCreated:Put");
  assert_bytes(json_text(json_path(tree, BYTES("data.Records[0].s3.bucket.name"))), "ward");
  assert_bytes(json_text(json_path(tree, BYTES("data.Records[0].s3.object.key"))), "in/a%20b.txt");
  assert_bytes(json_text(json_path(tree, BYTES("data.Records[0].s3.object.size"))), "5");
  assert_bytes(json_text(json_path(tree, BYTES("data.Records[0].s3.object.eTag"))),
               "5d41402abc4b2a76b9719d911017c592");
  arena_fini(&arena);
  buf_fini(&lines);
  rig_wait(100);
  assert_int_equal(flow_load(rig.flow).succeeded, 2);
  close_rig();
}

static void ranges_and_conditions(void **state) {
  open_rig();
  put("/s3/ward/k", "0123456789");
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=2-4\r\n", NULL), 206);
  assert_bytes(rig_body(), "234");
  assert_bytes(rig_header("content-range"), "bytes 2-4/10");
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=7-\r\n", NULL), 206);
  assert_bytes(rig_body(), "789");
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=-3\r\n", NULL), 206);
  assert_bytes(rig_body(), "789");
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=-300\r\n", NULL), 206);
  assert_bytes(rig_body(), "0123456789");
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=5-99999\r\n", NULL), 206);
  assert_bytes(rig_body(), "56789");
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=10-\r\n", NULL), 416);
  assert_bytes(rig_header("content-range"), "bytes */10");
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=-0\r\n", NULL), 416);
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=4-2\r\n", NULL), 200);
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: bytes=1-2,4-5\r\n", NULL), 200);
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Range: lines=1-2\r\n", NULL), 200);
#define ETAG "\"781e5e245d69b566979b86e28d23f2c7\""
  assert_int_equal(rig_http("GET", "/s3/ward/k", "If-None-Match: " ETAG "\r\n", NULL), 304);
  assert_int_equal(rig_http("GET", "/s3/ward/k", "If-Match: " ETAG "\r\n", NULL), 200);
  assert_int_equal(rig_http("GET", "/s3/ward/k", "If-Match: \"x\"\r\n", NULL), 412);
  assert_int_equal(
      rig_http("GET", "/s3/ward/k", "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n", NULL),
      304);
  assert_int_equal(
      rig_http("GET", "/s3/ward/k", "If-Unmodified-Since: Wed, 31 Dec 2025 00:00:00 GMT\r\n", NULL),
      412);
  assert_int_equal(rig_http("PUT", "/s3/ward/k", "If-None-Match: *\r\n", "new"), 412);
  got("<Code>PreconditionFailed</Code>");
  assert_int_equal(rig_http("PUT", "/s3/ward/k2", "If-None-Match: *\r\n", "new"), 200);
  close_rig();
}

static void promises_about_the_body_are_checked(void **state) {
  open_rig();
  assert_int_equal(
      rig_http("PUT", "/s3/ward/k", "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n", "hello"), 200);
  assert_int_equal(
      rig_http("PUT", "/s3/ward/k", "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n", "hullo"), 400);
  assert_int_equal(rig_http("PUT", "/s3/ward/k", "Content-MD5: nonsense\r\n", "hello"), 400);
  assert_int_equal(rig_http("PUT", "/s3/ward/k", "x-amz-checksum-crc32: NhCmhg==\r\n", "hello"),
                   200);
  assert_int_equal(rig_http("PUT", "/s3/ward/k", "x-amz-checksum-crc32: NhCmhg==\r\n", "hullo"),
                   400);
  assert_int_equal(rig_http("PUT", "/s3/WARD/k", NULL, "hello"), 400);
  assert_int_equal(events("ObjectCreated:Put"), 2);
  close_rig();
}

static void keys_are_listed_in_pages_and_rolled_up(void **state) {
  char target[512], token[256];
  open_rig();
  put("/s3/ward/a/1", "x");
  put("/s3/ward/a/2", "x");
  put("/s3/ward/b", "x");
  put("/s3/ward/c%26d", "x");
  assert_int_equal(rig_http("GET", "/s3/ward?list-type=2", NULL, NULL), 200);
  got("<Key>a/1</Key>");
  got("<Key>c&amp;d</Key>");
  got("<KeyCount>4</KeyCount>");
  got("<IsTruncated>false</IsTruncated>");
  assert_int_equal(rig_http("GET", "/s3/ward?list-type=2&delimiter=%2F", NULL, NULL), 200);
  got("<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>");
  got_not("<Key>a/1</Key>");
  assert_int_equal(rig_http("GET", "/s3/ward?list-type=2&prefix=a%2F", NULL, NULL), 200);
  got("<KeyCount>2</KeyCount>");
  assert_int_equal(rig_http("GET", "/s3/ward?list-type=2&max-keys=3", NULL, NULL), 200);
  got("<IsTruncated>true</IsTruncated>");
  struct bytes body = rig_body();
  size_t at = bytes_find_bytes(body, BYTES("<NextContinuationToken>")) + 23;
  bytes_text(bytes_sub(body, at, bytes_find(bytes_from(body, at), '<')), token, sizeof token);
  snprintf(target, sizeof target, "/s3/ward?list-type=2&continuation-token=%s", token);
  assert_int_equal(rig_http("GET", target, NULL, NULL), 200);
  got("<KeyCount>1</KeyCount>");
  got("<Key>c&amp;d</Key>");
  assert_int_equal(rig_http("GET", "/s3/ward?list-type=2&encoding-type=url", NULL, NULL), 200);
  got("<Key>c%26d</Key>");
  assert_int_equal(rig_http("GET", "/s3/empty?list-type=2", NULL, NULL), 200);
  got("<KeyCount>0</KeyCount>");
  assert_int_equal(rig_http("GET", "/s3/ward?max-keys=x", NULL, NULL), 400);
  close_rig();
}

static void many_go_at_once(void **state) {
  open_rig();
  put("/s3/ward/a", "x");
  put("/s3/ward/b", "x");
  assert_int_equal(rig_http("POST", "/s3/ward?delete", NULL,
                            "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object>"
                            "<Object><Key>b</Key></Object></Delete>"),
                   200);
  got("<Deleted><Key>b</Key></Deleted>");
  assert_int_equal(rig_rows(TABLE_object), 0);
  assert_int_equal(events("ObjectRemoved:Delete"), 2);
  assert_int_equal(rig_http("POST", "/s3/ward?delete", NULL, "<Delete>"), 400);
  got("MalformedXML");
  assert_int_equal(rig_http("POST", "/s3/ward?delete", NULL, "<Delete></Delete>"), 400);
  close_rig();
}

static char upload[64];

static void create(const char *key) {
  char target[256];
  snprintf(target, sizeof target, "/s3/ward/%s?uploads", key);
  assert_int_equal(rig_http("POST", target, "Content-Type: image/x\r\n", NULL), 200);
  struct bytes body = rig_body();
  size_t at = bytes_find_bytes(body, BYTES("<UploadId>")) + 10;
  bytes_text(bytes_sub(body, at, 36), upload, sizeof upload);
}

static int part(const char *key, int number, struct bytes body) {
  char target[256];
  snprintf(target, sizeof target, "/s3/ward/%s?partNumber=%d&uploadId=%s", key, number, upload);
  return rig_http_bytes("PUT", target, NULL, body);
}

static int complete(const char *key, const char *parts) {
  char target[256], text[1024];
  snprintf(target, sizeof target, "/s3/ward/%s?uploadId=%s", key, upload);
  snprintf(text, sizeof text, "<CompleteMultipartUpload>%s</CompleteMultipartUpload>", parts);
  return rig_http("POST", target, NULL, text);
}

#define PART(number, etag) \
  "<Part><PartNumber>" number "</PartNumber><ETag>&quot;" etag "&quot;</ETag></Part>"
#define MD5_A "5d41402abc4b2a76b9719d911017c592" /* hello */
#define MD5_B "7d793037a0760186574b0282f2f435e7" /* world */

static void parts_become_one(void **state) {
  open_rig();
  create("big");
  assert_int_equal(part("big", 2, BYTES("world")), 200);
  assert_int_equal(part("big", 1, BYTES("wrong")), 200);
  assert_int_equal(part("big", 1, BYTES("hello")), 200);
  assert_int_equal(part("other", 1, BYTES("hello")), 404);
  assert_int_equal(part("big", 0, BYTES("hello")), 400);
  assert_int_equal(part("big", 10001, BYTES("hello")), 400);
  assert_int_equal(complete("big", PART("2", MD5_B) PART("1", MD5_A)), 400);
  got("InvalidPartOrder");
  assert_int_equal(complete("big", PART("1", MD5_B) PART("2", MD5_B)), 400);
  got("InvalidPart");
  assert_int_equal(complete("big", ""), 400);
  assert_int_equal(events("ObjectCreated"), 0);
  assert_int_equal(complete("big", PART("1", MD5_A) PART("2", MD5_B)), 200);
  got("-2&quot;");
  assert_int_equal(rig_rows(TABLE_upload), 0);
  assert_int_equal(events("ObjectCreated:CompleteMultipartUpload"), 1);
  assert_int_equal(rig_http("GET", "/s3/ward/big", NULL, NULL), 200);
  assert_bytes(rig_body(), "helloworld");
  assert_bytes(rig_header("content-type"), "image/x");
  assert_int_equal(complete("big", PART("1", MD5_A)), 404);
  got("NoSuchUpload");
  close_rig();
}

static void an_upload_can_be_given_up(void **state) {
  char target[256];
  open_rig();
  create("big");
  assert_int_equal(part("big", 1, BYTES("hello")), 200);
  snprintf(target, sizeof target, "/s3/ward/big?uploadId=%s", upload);
  assert_int_equal(rig_http("DELETE", target, NULL, NULL), 204);
  assert_int_equal(rig_rows(TABLE_upload), 0);
  assert_int_equal(rig_http("DELETE", target, NULL, NULL), 404);
  assert_int_equal(part("big", 1, BYTES("hello")), 404);
  close_rig();
}

static void a_large_body_streams_both_ways(void **state) {
  enum { LARGE = 20 << 20 };
  uint8_t *large = malloc(LARGE);
  open_rig();
  for (size_t i = 0; i < LARGE; i++) large[i] = (uint8_t)(i * 2654435761u >> 13);
  assert_int_equal(rig_http_bytes("PUT", "/s3/ward/large", NULL, bytes_of(large, LARGE)), 200);
  assert_int_equal(rig_http("GET", "/s3/ward/large", NULL, NULL), 200);
  assert_true(bytes_eq(rig_body(), bytes_of(large, LARGE)));
  create("parts");
  assert_int_equal(part("parts", 1, bytes_of(large, LARGE / 2)), 200);
  struct bytes etag = rig_header("etag");
  char list[512];
  snprintf(list, sizeof list, "<Part><PartNumber>1</PartNumber><ETag>%.*s</ETag></Part>",
           BYTES_FMT(etag));
  assert_int_equal(complete("parts", list), 200);
  assert_int_equal(rig_http("HEAD", "/s3/ward/parts", NULL, NULL), 200);
  assert_bytes(rig_header("content-length"), "10485760");
  close_rig();
  free(large);
}

static void a_full_disk_is_said(void **state) {
  open_rig();
  disk_sim_quota(rig.disk, 4096);
  char text[20000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  assert_int_equal(rig_http("PUT", "/s3/ward/k", NULL, text), 507);
  got("<Error>");
  assert_int_equal(rig_rows(TABLE_object), 0);
  assert_int_equal(events("ObjectCreated"), 0);
  close_rig();
}

static int copy(const char *target, const char *headers) {
  return rig_http("PUT", target, headers, "");
}

static void a_copy_is_an_object_of_its_own(void **state) {
  open_rig();
  assert_int_equal(rig_http("PUT", "/s3/ward/a%20b",
                            "Content-Type: text/plain\r\nX-Amz-Meta-Bed: 4B\r\n", "hello"),
                   200);
  assert_int_equal(copy("/s3/lab/c", "x-amz-copy-source: ward/a%20b\r\n"), 200);
  got("<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag>");
  assert_int_equal(rig_http("DELETE", "/s3/ward/a%20b", NULL, NULL), 204);
  assert_int_equal(rig_http("GET", "/s3/lab/c", NULL, NULL), 200);
  assert_bytes(rig_body(), "hello");
  assert_bytes(rig_header("x-amz-meta-bed"), "4B");
  assert_int_equal(events("ObjectCreated:Copy"), 1);
  assert_int_equal(copy("/s3/lab/c", "x-amz-copy-source: /lab/c\r\n"), 400);
  assert_int_equal(copy("/s3/lab/c", "x-amz-copy-source: /lab/c\r\nx-amz-metadata-directive: "
                                     "REPLACE\r\nx-amz-meta-bed: 5C\r\n"),
                   200);
  assert_int_equal(rig_http("HEAD", "/s3/lab/c", NULL, NULL), 200);
  assert_bytes(rig_header("x-amz-meta-bed"), "5C");
  assert_int_equal(copy("/s3/lab/d", "x-amz-copy-source: /lab/c?versionId=1\r\n"), 501);
  assert_int_equal(copy("/s3/lab/d", "x-amz-copy-source: nowhere\r\n"), 400);
  assert_int_equal(
      copy("/s3/lab/d", "x-amz-copy-source: /lab/c\r\nx-amz-metadata-directive: X\r\n"), 400);
  assert_int_equal(copy("/s3/lab/d", "x-amz-copy-source: /lab/c\r\n"
                                     "x-amz-copy-source-if-match: \"x\"\r\n"),
                   501);
  close_rig();
}

static void a_put_can_demand_what_was_there(void **state) {
  open_rig();
  assert_int_equal(rig_http("PUT", "/s3/ward/k", "If-Match: \"x\"\r\n", "1"), 404);
  put("/s3/ward/k", "hello");
  assert_int_equal(rig_http("PUT", "/s3/ward/k", "If-None-Match: *\r\n", "2"), 412);
  assert_int_equal(rig_http("PUT", "/s3/ward/k", "If-Match: \"x\"\r\n", "2"), 412);
  got("<Code>PreconditionFailed</Code>");
  assert_int_equal(
      rig_http("PUT", "/s3/ward/k", "If-Match: \"5d41402abc4b2a76b9719d911017c592\"\r\n", "2"),
      200);
  close_rig();
}

static void buckets_and_uploads_are_listed(void **state) {
  open_rig();
  assert_int_equal(rig_http("GET", "/s3", NULL, NULL), 200);
  got("<Buckets></Buckets>");
  put("/s3/ward/a", "1");
  put("/s3/ward/b", "1");
  put("/s3/ward-2/a", "1");
  put("/s3/lab/a", "1");
  assert_int_equal(rig_http("GET", "/s3/", NULL, NULL), 200);
  got("<Name>lab</Name>");
  got("<Name>ward</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket><Bucket>"
      "<Name>ward-2</Name>");
  assert_int_equal(rig_http("POST", "/s3/ward/up?uploads", NULL, ""), 200);
  assert_int_equal(rig_http("GET", "/s3/ward?uploads&prefix=u", NULL, NULL), 200);
  got("<Key>up</Key><UploadId>");
  assert_int_equal(rig_http("GET", "/s3/ward?uploads&prefix=x", NULL, NULL), 200);
  got_not("<Upload>");
  assert_int_equal(rig_http("GET", "/s3/ward/up?uploadId=x", NULL, NULL), 404);
  got("<Code>NoSuchUpload</Code>");
  close_rig();
}

static void what_is_not_there_says_so(void **state) {
  open_rig();
  put("/s3/ward/k", "x");
  assert_int_equal(rig_http("GET", "/s3/ward/k?acl", NULL, NULL), 501);
  assert_int_equal(rig_http("POST", "/s3/ward/k", NULL, ""), 405);
  assert_int_equal(rig_http("PUT", "/s3/ward/k", "x-amz-copy-source: /ward/a\r\n", ""), 404);
  assert_int_equal(
      rig_http("PUT", "/s3/ward/k?partNumber=1&uploadId=x", "x-amz-copy-source: /ward/a\r\n", ""),
      501);
  assert_int_equal(rig_http("GET", "/s3/ward/k", "Host: elsewhere\r\n", NULL), 403);
  got("<Code>AccessDenied</Code>");
  close_rig();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_put_is_got),
      cmocka_unit_test(the_event_is_in_s3s_shape),
      cmocka_unit_test(ranges_and_conditions),
      cmocka_unit_test(promises_about_the_body_are_checked),
      cmocka_unit_test(keys_are_listed_in_pages_and_rolled_up),
      cmocka_unit_test(many_go_at_once),
      cmocka_unit_test(parts_become_one),
      cmocka_unit_test(an_upload_can_be_given_up),
      cmocka_unit_test(a_large_body_streams_both_ways),
      cmocka_unit_test(a_full_disk_is_said),
      cmocka_unit_test(a_copy_is_an_object_of_its_own),
      cmocka_unit_test(a_put_can_demand_what_was_there),
      cmocka_unit_test(buckets_and_uploads_are_listed),
      cmocka_unit_test(what_is_not_there_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

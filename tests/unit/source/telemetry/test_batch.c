/* Samples into parts: order, limits, and lines that refuse the whole. */
#include "tests/unit/test.h"

#include "source/telemetry/batch.h"
#include "wire/json.h"

static bool feed(const char *text, const char *device, size_t piece,
                 struct telemetry_batch **ret_batch, struct err *err) {
  struct telemetry_batch *batch = telemetry_batch_new(bytes_str(device));
  struct bytes left = bytes_str(text);
  bool ok = true;
  while (ok && left.len) {
    ok = telemetry_batch_feed(batch, bytes_sub(left, 0, piece), err);
    left = bytes_from(left, piece);
  }
  ok = ok && telemetry_batch_end(batch, err);
  if (ok && ret_batch)
    *ret_batch = batch;
  else
    telemetry_batch_free(&batch);
  return ok;
}

static void a_device_stays_in_one_part_in_order(void **state) {
  static const char text[] = "{\"dev\":\"a\",\"t\":1,\"m\":\"hr\",\"v\":61}\n\n"
                             "  {\"dev\":\"a\",\"t\":2,\"m\":\"hr\",\"v\":6.20e1,\"x\":[1]}\t\r\n"
                             "{\"dev\":\"a\",\"t\":3,\"m\":\"hr\",\"v\":-63}";
  for (size_t piece = 1; piece < 40; piece++) {
    struct telemetry_batch *batch;
    struct err err;
    assert_ok(feed(text, "", piece, &batch, &err), err);
    assert_int_equal(telemetry_batch_samples(batch), 3);
    assert_int_equal(telemetry_batch_parts(batch), 1);
    struct telemetry_part part = telemetry_batch_part(batch, 0);
    char expected[256];
    snprintf(expected, sizeof expected,
             "{\"shard\":%u,\"samples\":[{\"dev\":\"a\",\"t\":1,\"m\":\"hr\",\"v\":61},"
             "{\"dev\":\"a\",\"t\":2,\"m\":\"hr\",\"v\":6.20e1,\"x\":[1]},"
             "{\"dev\":\"a\",\"t\":3,\"m\":\"hr\",\"v\":-63}]}",
             part.shard);
    assert_bytes(part.data, expected);
    telemetry_batch_free(&batch);
  }
}

static struct telemetry_batch *many(int samples, int devices) {
  struct telemetry_batch *batch = telemetry_batch_new(BYTES_NONE);
  struct err err;
  char line[128];
  for (int i = 0; i < samples; i++) {
    int len = snprintf(line, sizeof line,
                       "{\"dev\":\"monitor-%03d\",\"t\":%lld,\"m\":\"spo2\",\"v\":97.5,"
                       "\"seq\":%d}\n",
                       i % devices, 1767225600000ll + i, i);
    assert_ok(telemetry_batch_feed(batch, bytes_of(line, (size_t)len), &err), err);
  }
  assert_ok(telemetry_batch_end(batch, &err), err);
  return batch;
}

static void parts_are_bounded_and_keep_a_device_in_its_shard(void **state) {
  enum { SAMPLES = 50000, DEVICES = 40 };
  struct telemetry_batch *batch = many(SAMPLES, DEVICES);
  int shard_of[DEVICES], last_seq[DEVICES];
  uint32_t next_number[TELEMETRY_SHARDS] = {0};
  uint64_t seen = 0;
  for (int i = 0; i < DEVICES; i++) shard_of[i] = last_seq[i] = -1;
  for (size_t i = 0; i < telemetry_batch_parts(batch); i++) {
    struct telemetry_part part = telemetry_batch_part(batch, i);
    struct arena arena;
    const struct json *tree;
    struct err err;
    arena_init(&arena, 64 << 20);
    assert_true(part.samples <= TELEMETRY_PART_SAMPLES_MAX);
    assert_int_equal(part.number, next_number[part.shard]++);
    assert_ok(json_parse(&arena, part.data, &tree, &err), err);
    const struct json *samples = json_get(tree, "samples");
    assert_int_equal(samples->count, part.samples);
    for (const struct json *s = samples->first; s; s = s->next, seen++) {
      int64_t seq;
      assert_true(json_int(json_get(s, "seq"), &seq));
      int dev = (int)(seq % DEVICES);
      assert_true(shard_of[dev] < 0 || shard_of[dev] == (int)part.shard);
      shard_of[dev] = (int)part.shard;
      assert_true(seq > last_seq[dev]);
      last_seq[dev] = (int)seq;
    }
    arena_fini(&arena);
  }
  assert_int_equal(seen, SAMPLES);
  telemetry_batch_free(&batch);
}

static void refuses(const char *text, enum err_code code, const char *says) {
  struct err err;
  assert_fails(feed(text, "", 7, NULL, &err), err, code);
  if (!strstr(err.detail, says)) fail_msg("\"%s\" does not say \"%s\"", err.detail, says);
}

static void a_bad_line_is_named(void **state) {
#define GOOD "{\"dev\":\"a\",\"t\":1,\"m\":\"hr\",\"v\":61}\n"
  refuses("", ERR_INVALID, "no sample");
  refuses("\n \n", ERR_INVALID, "no sample");
  refuses(GOOD "{\"dev\":\"a\"", ERR_MALFORMED, "line 2");
  refuses(GOOD "[1]\n", ERR_INVALID, "line 2: a sample is a JSON object");
  refuses(GOOD GOOD "{\"dev\":7,\"t\":1,\"m\":\"hr\",\"v\":61}\n", ERR_INVALID, "line 3: dev");
  refuses("{\"dev\":\"\",\"t\":1,\"m\":\"hr\",\"v\":61}\n", ERR_INVALID, "line 1: dev");
  refuses("{\"dev\":\"a\",\"t\":1.5,\"m\":\"hr\",\"v\":61}\n", ERR_INVALID, "t must be");
  refuses("{\"dev\":\"a\",\"t\":\"1\",\"m\":\"hr\",\"v\":61}\n", ERR_INVALID, "t must be");
  refuses("{\"dev\":\"a\",\"t\":1,\"v\":61}\n", ERR_INVALID, "line 1: \"m\" is missing");
  refuses("{\"dev\":\"a\",\"t\":1,\"m\":\"hr\",\"v\":\"61\"}\n", ERR_INVALID, "v must be");
  refuses("{\"dev\":\"a\",\"t\":1,\"m\":\"hr\",\"v\":1e999}\n", ERR_INVALID, "v must be");
  refuses("{\"dev\":\"a\",\"t\":1,\"m\":\"hr\",\"v\":NaN}\n", ERR_MALFORMED, "line 1");
  refuses("{\"dev\":\"a\",\"dev\":\"b\",\"t\":1,\"m\":\"hr\",\"v\":1}\n", ERR_MALFORMED, "line 1");
  refuses("{\"dev\":\"\xff\",\"t\":1,\"m\":\"hr\",\"v\":1}\n", ERR_MALFORMED, "line 1");
}

static void a_device_speaks_for_itself(void **state) {
  struct telemetry_batch *batch;
  struct err err;
  assert_ok(feed(GOOD, "a", 100, &batch, &err), err);
  telemetry_batch_free(&batch);
  assert_fails(feed(GOOD, "b", 100, NULL, &err), err, ERR_DENIED);
}

static void lines_and_texts_are_bounded(void **state) {
  enum { TOO_LONG = TELEMETRY_LINE_BYTES_MAX + 100 };
  char *line = malloc(TOO_LONG + 1);
  struct err err;
  memset(line, ' ', TOO_LONG);
  line[0] = '{';
  line[TOO_LONG] = 0;
  assert_fails(feed(line, "", 4096, NULL, &err), err, ERR_LIMIT);
  assert_non_null(strstr(err.detail, "TELEMETRY_LINE_BYTES_MAX"));
  free(line);
  char sample[512];
  snprintf(sample, sizeof sample, "{\"dev\":\"%0300d\",\"t\":1,\"m\":\"hr\",\"v\":1}", 7);
  assert_fails(feed(sample, "", 4096, NULL, &err), err, ERR_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_device_stays_in_one_part_in_order),
      cmocka_unit_test(parts_are_bounded_and_keep_a_device_in_its_shard),
      cmocka_unit_test(a_bad_line_is_named),
      cmocka_unit_test(a_device_speaks_for_itself),
      cmocka_unit_test(lines_and_texts_are_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

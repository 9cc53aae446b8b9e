/* object.*, queue.send and the sweep: what a run stages, sees of itself, and leaves behind. */
#include "tests/unit/effect/rig.h"

#include "effect/live_record.h"
#include "effect/notice.h"
#include "effect/sweep.h"

static const char yaml[] = "app: ward\n"
                           "functions:\n"
                           "  news2: {code: a.js, grants: [{object: {bucket: uploads, actions: "
                           "[get, put, delete, list]}},\n"
                           "    {object: {bucket: readonly, actions: [get]}}, {queue: orders}]}\n";

static char folder[64];

static void open_all(struct rig *rig) {
  struct err err;
  rig_open(rig, yaml);
  snprintf(folder, sizeof folder, "/tmp/medulla-object-XXXXXX");
  assert_non_null(mkdtemp(folder));
  assert_ok(disk_open_real(folder, &rig->gate.disk, &err), err);
}

static void close_all(struct rig *rig) {
  char command[128];
  disk_close(&rig->gate.disk);
  rig_close(rig);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  assert_int_equal(system(command), 0);
}

static void test_put_get_delete(void **state) {
  struct rig rig;
  (void)state;
  open_all(&rig);
  rig_run(&rig, 1);
  rig_call(&rig, "object.put",
           "{\"bucket\":\"uploads\",\"key\":\"in/a\",\"body\":\"hello\",\"contentType\":\"a/b\","
           "\"metadata\":{\"m\":\"1\"}}");
  assert_string_equal(rig.body, "{\"etag\":\"5d41402abc4b2a76b9719d911017c592\",\"size\":5}");
  rig_call(&rig, "object.get", "{\"bucket\":\"uploads\",\"key\":\"in/a\"}"); /* its own */
  assert_non_null(strstr(rig.body, "\"body\":\"hello\""));
  assert_non_null(strstr(rig.body, "\"metadata\":{\"m\":\"1\"}"));
  assert_non_null(rig.run.stage.events);
  assert_bytes(rig.run.stage.events->event.ce_source, "uploads");
  assert_bytes(rig.run.stage.events->event.ce_subject, "in/a");
  assert_int_equal(rig_rows(&rig, TABLE_object), 0);
  rig_settle(&rig);
  assert_int_equal(rig_rows(&rig, TABLE_object), 1);
  rig_run(&rig, 2);
  rig_call(&rig, "object.head", "{\"bucket\":\"uploads\",\"key\":\"in/a\"}");
  assert_non_null(strstr(rig.body, "\"size\":5"));
  assert_null(strstr(rig.body, "hello"));
  rig_call(&rig, "object.list", "{\"bucket\":\"uploads\",\"delimiter\":\"/\"}");
  assert_string_equal(rig.body, "{\"objects\":[],\"prefixes\":[\"in/\"]}");
  rig_call(&rig, "object.delete", "{\"bucket\":\"uploads\",\"key\":\"in/a\"}");
  rig_call(&rig, "object.get", "{\"bucket\":\"uploads\",\"key\":\"in/a\"}");
  assert_string_equal(rig.body, "null");
  rig_settle(&rig);
  assert_int_equal(rig_rows(&rig, TABLE_object), 0);
  close_all(&rig);
}

static void test_object_denied(void **state) {
  struct rig rig;
  (void)state;
  open_all(&rig);
  rig_run(&rig, 1);
  rig_call(&rig, "object.put", "{\"bucket\":\"readonly\",\"key\":\"a\",\"body\":\"x\"}");
  assert_non_null(strstr(rig.body, "AccessDenied"));
  rig_call(&rig, "object.get", "{\"bucket\":\"other\",\"key\":\"a\"}");
  assert_non_null(strstr(rig.body, "AccessDenied"));
  rig_call(&rig, "object.list", "{\"bucket\":\"readonly\"}");
  assert_non_null(strstr(rig.body, "AccessDenied"));
  rig_call(&rig, "object.put", "{\"bucket\":\"uploads\",\"key\":\"\",\"body\":\"x\"}");
  assert_false(rig.ok);
  rig_call(&rig, "object.put",
           "{\"bucket\":\"uploads\",\"key\":\"a\",\"body\":\"!\",\"encoding\":\"base64\"}");
  assert_false(rig.ok);
  rig_call(&rig, "object.get", "{\"bucket\":\"uploads\",\"key\":\"none\"}");
  assert_string_equal(rig.body, "null");
  close_all(&rig);
}

static void test_queue(void **state) {
  struct rig rig;
  (void)state;
  open_all(&rig);
  rig_run(&rig, 1);
  rig_call(&rig, "queue.send", "{\"queue\":\"other\",\"body\":\"x\"}");
  assert_non_null(strstr(rig.body, "AccessDenied"));
  rig_call(&rig, "queue.send", "{\"queue\":\"orders\",\"body\":{\"a\":1},\"delaySeconds\":5}");
  assert_true(rig.ok);
  const struct stage_event *staged = rig.run.stage.events;
  assert_bytes(staged->event.ce_type, EVENT_TYPE_QUEUE);
  assert_bytes(staged->event.ce_source, "orders");
  assert_int_equal(staged->at_ms, clock_wall_ms(&rig.clock.port) + 5000);
  char data[2048];
  bytes_text(staged->event.data, data, sizeof data);
  assert_non_null(strstr(data, "\"body\":\"{\\\"a\\\":1}\""));
  rig_call(&rig, "queue.send", "{\"queue\":\"orders\",\"body\":\"x\",\"after\":-1}");
  assert_non_null(strstr(rig.body, "QUEUE_DELAY_MS_MAX"));
  rig_call(&rig, "queue.send", "{\"queue\":\"orders\"}");
  assert_false(rig.ok);
  close_all(&rig);
}

static void test_sweep(void **state) {
  struct rig rig;
  struct sweep *sweep;
  struct err err;
  (void)state;
  open_all(&rig);
  const struct sweep_options options = {.loop = rig.loop,
                                        .store = rig.store,
                                        .clock = &rig.clock.port,
                                        .random = &rig.random.port,
                                        .disk = rig.gate.disk};
  int64_t now_ms = clock_wall_ms(&rig.clock.port);
  rig_run(&rig, 1);
  notice_stage(&rig.run.stage, BYTES("ward\0c\0k"), now_ms + 1000);
  notice_stage(&rig.run.stage, BYTES("ward\0c\0l"), now_ms + 2 * SWEEP_MS);
  rig_settle(&rig);
  assert_int_equal(rig_rows(&rig, TABLE_notice), 2);
  rig_put(&rig, TABLE_recording, "live0123456789012345678901234567890123456789abcdefgh",
          LIVE_RECORD_KEY_BYTES, "damaged");
  rig_put(&rig, TABLE_recording, "0123456789abcdef", 16, "a run's recording");
  assert_ok(sweep_open(&options, &sweep, &err), err);
  rig_pass(&rig, SWEEP_MS);
  assert_int_equal(rig_rows(&rig, TABLE_notice), 1);
  assert_int_equal(rig_rows(&rig, TABLE_recording), 1);
  sweep_close(&sweep);
  close_all(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_put_get_delete),
      cmocka_unit_test(test_object_denied),
      cmocka_unit_test(test_queue),
      cmocka_unit_test(test_sweep),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* medulla.yaml: all that can be said, every problem with its place, and what comes later. */
#include "tests/unit/test.h"

#include "model/manifest.h"
#include "os/disk_sim.h"

static struct arena arena;
static struct manifest_problems problems;

static int set_up(void **state) {
  arena_init(&arena, 16u << 20);
  return 0;
}

static int tear_down(void **state) {
  arena_fini(&arena);
  return 0;
}

static const struct manifest *parsed(const char *yaml) {
  const struct manifest *manifest;
  struct err err;
  if (!manifest_parse(&arena, bytes_str(yaml), &manifest, &problems, &err))
    fail_msg("%s", err.detail);
  return manifest;
}

static const char *const whole =
    "app: ward\n"
    "functions:\n"
    "  news2:\n"
    "    code: src/news2.js\n"
    "    handler: score\n"
    "    on:\n"
    "      - event: {type: org.example.vitals, source: \"ward/*\"}\n"
    "      - http: {method: POST, path: \"/fn/news2/{bed}\"}\n"
    "      - schedule: {cron: \"0 7 * * *\", zone: Europe/Zurich, missed: once}\n"
    "      - queue: {name: orders, batch: {size: 10, window: 2s}}\n"
    "      - object: {bucket: uploads, prefix: in/, suffix: .dcm}\n"
    "      - telemetry: {}\n"
    "    order_by: data.subject.reference\n"
    "    order_by_missing: unordered\n"
    "    on_failure: skip\n"
    "    hold_max: 90s\n"
    "    limits: {time: 2s, memory: 64MiB, concurrency: 50, provisioned: 2, idle: 5m}\n"
    "    retry: {attempts: 5, max_age: 6h, delay: 250ms}\n"
    "    record: all\n"
    "    isolation: isolated\n"
    "    grants:\n"
    "      - state: readwrite\n"
    "      - notify: on-call\n"
    "      - fhir: \"read Observation, Patient.birthDate\"\n"
    "    contract: {input: schema/in.json, output: schema/out.json}\n"
    "    env: {WARD: 4B}\n"
    "    secrets: [pager-token]\n"
    "    destinations: {on_success: {emit: org.example.done}, on_failure: {queue: failed}}\n"
    "  plain: {code: plain.wasm}\n"
    "contacts:\n"
    "  on-call: {smtp: \"smtp://127.0.0.1:2525\", from: w@example.org, to: [a@example.org]}\n"
    "  board: {webhook: \"https://example.org/hook\", secret: hook-key}\n"
    "  pager: {sms: \"https://example.org/sms\", template: \"to={to}\", to: \"+41791234567\"}\n"
    "prices: {currency: CHF, million_runs: 0.2, gib_second: 0.0000166667, machine_hour: 0.05}\n";

static void all_of_it_is_read(void **state) {
  const struct manifest *m = parsed(whole);
  assert_bytes(m->app, "ward");
  const struct manifest_function *f = manifest_function(m, BYTES("news2"));
  assert_non_null(f);
  assert_bytes(f->code, "src/news2.js");
  assert_bytes(f->handler, "score");
  assert_bytes(f->order_by, "data.subject.reference");
  assert_true(f->unordered_when_missing && !f->hold && !f->wasm);
  assert_int_equal(f->hold_max_ms, 90000);
  assert_int_equal(f->time_ms, 2000);
  assert_int_equal(f->memory_bytes, 64 << 20);
  assert_int_equal(f->concurrency, 50);
  assert_int_equal(f->provisioned, 2);
  assert_int_equal(f->idle_ms, 300000);
  assert_int_equal(f->retry.attempts, 5);
  assert_int_equal(f->retry.max_age_ms, 21600000);
  assert_int_equal(f->retry.delay_ms, 250);
  assert_int_equal(f->record, RECORD_ALL);
  assert_int_equal(f->isolation_floor, 3);
  assert_int_equal(f->batch_size, 10);
  assert_int_equal(f->batch_window_ms, 2000);
  assert_bytes(f->input_schema, "schema/in.json");
  assert_bytes(f->on_success.emit, "org.example.done");
  assert_bytes(f->on_failure.queue, "failed");
  assert_bytes(json_get_text(f->env, "WARD"), "4B");
  char missing[GRANT_TEXT_BYTES];
  assert_true(grant_allows(f->grants, "notify", "notify", BYTES("on-call"), missing));
  assert_non_null(manifest_contact(m, BYTES("pager")));
  assert_null(manifest_contact(m, BYTES("nobody")));
  assert_null(manifest_function(m, BYTES("nothing")));
  assert_non_null(m->prices);
}

static void triggers_are_read(void **state) {
  const struct manifest_trigger *t = manifest_function(parsed(whole), BYTES("news2"))->triggers;
  static const enum manifest_trigger_kind kinds[] = {TRIGGER_EVENT,    TRIGGER_HTTP,
                                                     TRIGGER_SCHEDULE, TRIGGER_QUEUE,
                                                     TRIGGER_OBJECT,   TRIGGER_TELEMETRY};
  const struct manifest_trigger *by_kind[6];
  for (unsigned i = 0; i < 6; i++, t = t->next) {
    assert_int_equal(t->kind, kinds[i]);
    assert_int_equal(t->index, i);
    by_kind[i] = t;
  }
  assert_null(t);
  assert_bytes(by_kind[1]->method, "POST");
  assert_bytes(by_kind[1]->path, "/fn/news2/{bed}");
  assert_bytes(by_kind[2]->zone, "Europe/Zurich");
  assert_int_equal(by_kind[2]->missed, MISSED_ONCE);
  assert_bytes(by_kind[3]->queue, "orders");
  static const struct {
    int trigger;
    const char *event;
    bool matches;
  } cases[] = {
      {0, "{\"type\":\"org.example.vitals\",\"source\":\"ward/3\"}", true},
      {3, "{\"type\":\"medulla.queue.message\",\"source\":\"orders\"}", true},
      {3, "{\"type\":\"medulla.queue.message\",\"source\":\"other\"}", false},
      {4, "{\"type\":\"medulla.object.changed\",\"source\":\"uploads\",\"subject\":\"in/a.dcm\"}",
       true},
      {4, "{\"type\":\"medulla.object.changed\",\"source\":\"uploads\",\"subject\":\"in/a.txt\"}",
       false},
      {5, "{\"type\":\"medulla.telemetry\",\"source\":\"monitor/7\"}", true},
      {5, "{\"type\":\"medulla.queue.message\",\"source\":\"monitor/7\"}", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct json *event;
    struct err err;
    assert_ok(json_parse(&arena, bytes_str(cases[i].event), &event, &err), err);
    assert_int_equal(filter_matches(by_kind[cases[i].trigger]->filter, event), cases[i].matches);
  }
}

static void defaults_are_those_of_the_table(void **state) {
  const struct manifest_function *f = manifest_function(parsed(whole), BYTES("plain"));
  assert_true(f->wasm && f->hold);
  assert_int_equal(f->time_ms, 3000);
  assert_int_equal(f->memory_bytes, 128 << 20);
  assert_int_equal(f->concurrency, 100);
  assert_int_equal(f->provisioned, 0);
  assert_int_equal(f->idle_ms, 60000);
  assert_int_equal(f->retry.attempts, 3);
  assert_int_equal(f->hold_max_ms, 60000);
  assert_int_equal(f->record, RECORD_FAILURES);
  assert_int_equal(f->batch_size, 1);
  assert_int_equal(f->isolation_floor, 1);
  assert_null(f->grants);
}

/* One wrong line in an app that is right otherwise: place, path, message. */
static const struct {
  const char *line; /* of a function, or of the top when it does not begin with a blank */
  uint32_t column;
  const char *path, *message;
} mistakes[] = {
    {"    limts: {}", 5, "functions.f", "did you mean limits?"},
    {"    timeout: 2s", 5, "functions.f", "did you mean limits: {time: 2s}?"},
    {"    xyzzy: 1", 5, "functions.f", "known here: code, handler, on"},
    {"    limits: {timeout: 2s}", 14, "functions.f.limits", "did you mean time?"},
    {"    limits: {time: 2}", 20, "functions.f.limits.time", "as in 2s"},
    {"    limits: {time: 2 s}", 20, "functions.f.limits.time", "as in 2s"},
    {"    limits: {time: 16m}", 20, "functions.f.limits.time", "from 1ms to 15m"},
    {"    limits: {time: -1s}", 20, "functions.f.limits.time", "as in 2s"},
    {"    limits: {time: 99999999999999999d}", 20, "functions.f.limits.time", "as in 2s"},
    {"    limits: {memory: 64MB}", 22, "functions.f.limits.memory", "as in 64MiB"},
    {"    limits: {memory: 8GiB}", 22, "functions.f.limits.memory", "from 4MiB to 4GiB"},
    {"    limits: {concurrency: 1.5}", 27, "functions.f.limits.concurrency", "a whole number"},
    {"    limits: {concurrency: 2, provisioned: 3}", 13, "functions.f.limits",
     "provisioned (3) is more than concurrency (2)"},
    {"    limits: [1]", 13, "functions.f.limits", "a map of keys"},
    {"    retry: {attempts: 0}", 23, "functions.f.retry.attempts", "from 1 to 100"},
    {"    record: some", 13, "functions.f.record", "none, failures or all"},
    {"    isolation: none", 16, "functions.f.isolation", "filtered, landlocked or isolated"},
    {"    handler: a.b", 14, "functions.f.handler", "names an export"},
    {"    on_failure: skip", 17, "functions.f", "only with order_by"},
    {"    on_failure: {queue: q}", 17, "functions.f.on_failure", "destinations"},
    {"    order_by: a..b", 15, "functions.f.order_by", "a path into the event"},
    {"    env: {A: 1}", 14, "functions.f.env.A", "put it in quotes"},
    {"    env: {1A: x}", 15, "functions.f.env.1A", "a variable's name"},
    {"    secrets: [\"a/b\"]", 15, "functions.f.secrets[0]", "a name has"},
    {"    contract: {input: ../x.json}", 23, "functions.f.contract.input", "inside the app"},
    {"    contract: {input: /etc/x.json}", 23, "functions.f.contract.input", "inside the app"},
    {"    destinations: {on_failure: {}}", 32, "functions.f.destinations.on_failure",
     "{emit: TYPE} or {queue: NAME}"},
    {"    grants: [{stat: read}]", 21, "functions.f.grants[0]", "did you mean \"state\""},
    {"    grants: [{emit: a}, {notify: on-cal}]", 34, "functions.f.grants[1]",
     "did you mean \"on-call\"?"},
    {"    grants: {}", 13, "functions.f.grants", "a list is needed"},
    {"    on: {}", 9, "functions.f.on", "a list is needed"},
    {"    on: [{queue: a, object: b}]", 10, "functions.f.on[0]", "one source per entry"},
    {"    on: [{sqs: a}]", 11, "functions.f.on[0]", "did you mean queue?"},
    {"    on: [{event: a}]", 18, "functions.f.on[0].event", "event: {type: a}"},
    {"    on: [{event: {type: []}}]", 25, "functions.f.on[0].event", "empty list"},
    {"    on: [{http: /x}]", 17, "functions.f.on[0].http", "begins with /fn/"},
    {"    on: [{http: {path: \"/fn/{x\"}}]", 24, "functions.f.on[0].http.path", ""},
    {"    on: [{http: {method: FETCH, path: /fn/x}}]", 26, "functions.f.on[0].http.method",
     "GET, POST"},
    {"    on: [{http: {method: GET}}]", 17, "functions.f.on[0].http", "\"path\" is missing"},
    {"    on: [{http: /fn/x}, {http: /fn/x}]", 25, "", "is answered by function f already"},
    {"    on: [{schedule: \"0 0 31 2 *\"}]", 21, "functions.f.on[0].schedule", "never comes"},
    {"    on: [{schedule: {cron: \"61 * * * *\"}}]", 28, "functions.f.on[0].schedule.cron",
     "from 0 to 59"},
    {"    on: [{schedule: {cron: \"0 * * * *\", zone: a b}}]", 47,
     "functions.f.on[0].schedule.zone", "Europe/Zurich"},
    {"    on: [{queue: {name: a, batch: {size: 101}}}]", 42, "functions.f.on[0].queue.batch.size",
     "from 1 to 100"},
    {"    on: [{object: {prefix: a}}]", 19, "functions.f.on[0].object", "\"bucket\" is missing"},
    {"contacts: {on-call: {smpt: x}}", 21, "contacts.on-call", "a contact is {smtp:"},
    {"contacts: {on-call: {smtp: \"http://a\", from: a, to: b}}", 28, "contacts.on-call.smtp",
     "smtp:// or smtps://"},
    {"contacts: {on-call: {webhook: \"a b\"}}", 31, "contacts.on-call.webhook", ""},
    {"contacts: {on-call: {webhook: \"https://a\", secrt: b}}", 44, "contacts.on-call",
     "did you mean secret?"},
    {"prices: {gib_second: -1}", 22, "prices.gib_second", "a price is a number"},
    {"functons: {}", 1, "", "did you mean functions?"},
    {"app: again", 1, "", "already"},
};

static void each_mistake_is_named(void **state) {
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    bool contacts = strncmp(mistakes[i].line, "contacts", 8) == 0;
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "app: a\nfunctions:\n  f:\n    code: f.js\n%s\n%s",
             mistakes[i].line,
             contacts ? "" : "contacts: {on-call: {webhook: \"https://a.org\"}}\n");
    const struct manifest *manifest;
    struct err err;
    if (manifest_parse(&arena, bytes_str(yaml), &manifest, &problems, &err))
      fail_msg("%s: taken", mistakes[i].line);
    const struct manifest_problem *p = &problems.list[0];
    char message[1024];
    bytes_text(p->message, message, sizeof message);
    bool path = bytes_eq_str(p->path, mistakes[i].path);
    if (problems.count != 1 || p->line != 5 || p->column != mistakes[i].column || !path ||
        !strstr(message, mistakes[i].message))
      fail_msg("%s: %u problems, %u:%u %.*s: %s", mistakes[i].line, problems.count, p->line,
               p->column, BYTES_FMT(p->path), message);
    assert_int_equal(err.code, ERR_INVALID);
  }
}

static void all_problems_come_at_once(void **state) {
  const struct manifest *manifest;
  struct err err;
  const char *yaml = "app: Ward\nfunctions:\n  a: {}\n  b: {code: b.exe, limits: {time: x}}\n";
  assert_fails(manifest_parse(&arena, bytes_str(yaml), &manifest, &problems, &err), err,
               ERR_INVALID);
  assert_int_equal(problems.count, 4);
  assert_int_equal(problems.list[0].line, 1);
  assert_int_equal(problems.list[1].line, 3);
  assert_int_equal(problems.list[3].line, 4);
  assert_non_null(strstr(err.detail, "medulla.yaml:1:6: app: "));
  assert_non_null(strstr(err.detail, "(and more)"));
}

static void problems_are_bounded(void **state) {
  struct buf yaml;
  buf_init(&yaml, 1 << 20);
  buf_str(&yaml, "app: a\nfunctions:\n");
  for (int i = 0; i < 200; i++) buf_printf(&yaml, "  f%d: {}\n", i);
  const struct manifest *manifest;
  struct err err;
  assert_false(manifest_parse(&arena, buf_bytes(&yaml), &manifest, &problems, &err));
  assert_int_equal(problems.count, MANIFEST_PROBLEMS_MAX);
  buf_reset(&yaml);
  for (uint32_t i = 0; i <= MANIFEST_BYTES_MAX; i++) buf_char(&yaml, '#');
  assert_false(manifest_parse(&arena, buf_bytes(&yaml), &manifest, &problems, &err));
  buf_fini(&yaml);
}

static void broken_yaml_has_a_place(void **state) {
  const struct manifest *manifest;
  struct err err;
  static const char *const bad[] = {
      "app: a\nfunctions: [\n", "app: a\n\tb: c\n", "", "- a\n", "app: &x a\nb: *x\n", "7"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_false(manifest_parse(&arena, bytes_str(bad[i]), &manifest, &problems, &err));
    assert_true(problems.count >= 1 && problems.list[0].line >= 1);
  }
}

static void what_comes_later_is_refused_clearly(void **state) {
  const struct manifest *manifest =
      parsed("app: a\nfunctions:\n  f:\n    code: f.js\n    on:\n      - fhir: Observation\n"
             "      - hl7: \"ORU^R01\"\n      - dicom: {}\n"
             "feeds:\n  adt: {mllp: \"0.0.0.0:2575\", tls: true}\n");
  struct err err;
  assert_fails(manifest_is_supported(&arena, manifest, &problems, &err), err, ERR_INVALID);
  assert_int_equal(problems.count, 4);
  assert_int_equal(problems.list[0].line, 6);
  assert_bytes(problems.list[0].message, "fhir triggers are not yet supported by this version");
  assert_bytes(problems.list[3].message, "feeds are not yet supported by this version");
  assert_int_equal(problems.list[3].line, 9);
  assert_ok(manifest_is_supported(&arena, parsed(whole), &problems, &err), err);
}

static void a_full_arena_is_an_error(void **state) {
  for (size_t bytes = 0; bytes < 30000; bytes += 997) {
    struct arena small;
    const struct manifest *manifest;
    struct err err;
    arena_init(&small, bytes);
    if (manifest_parse(&small, bytes_str(whole), &manifest, &problems, &err))
      assert_bytes(manifest->app, "ward");
    arena_fini(&small);
  }
}

static void time_zones_are_looked_up(void **state) {
  static const char yaml[] = "app: a\n"
                             "functions:\n"
                             "  f:\n"
                             "    code: a.js\n"
                             "    on:\n"
                             "      - schedule: {cron: \"0 7 * * *\", zone: Europe/Elsewhere}\n"
                             "      - schedule: {cron: \"0 7 * * *\", zone: Nowhere/Land}\n"
                             "      - schedule: \"rate(5 minutes)\"\n";
  const struct manifest *manifest;
  struct err err;
  struct disk *disk = disk_new_simulated(1);
  assert_ok(manifest_parse(&arena, bytes_str(yaml), &manifest, &problems, &err), err);
  assert_false(manifest_zones_exist(&arena, manifest, disk, &problems, &err));
  assert_int_equal(problems.count, 2);
  assert_int_equal(problems.list[1].line, 7);
  assert_int_equal(problems.list[1].column, 45);
  assert_true(bytes_find_bytes(problems.list[1].message, BYTES("no time zone Nowhere/Land")) <
              problems.list[1].message.len);
  disk_close(&disk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(all_of_it_is_read, set_up, tear_down),
      cmocka_unit_test_setup_teardown(triggers_are_read, set_up, tear_down),
      cmocka_unit_test_setup_teardown(defaults_are_those_of_the_table, set_up, tear_down),
      cmocka_unit_test_setup_teardown(each_mistake_is_named, set_up, tear_down),
      cmocka_unit_test_setup_teardown(all_problems_come_at_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(problems_are_bounded, set_up, tear_down),
      cmocka_unit_test_setup_teardown(broken_yaml_has_a_place, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_comes_later_is_refused_clearly, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_full_arena_is_an_error, set_up, tear_down),
      cmocka_unit_test_setup_teardown(time_zones_are_looked_up, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

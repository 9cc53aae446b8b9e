/* tests/unit/runtime/test_guest_wasm.c: user modules: the ABI, WASI, traps, and pristine again. */
#include "tests/unit/runtime/guest_fixture.h"

#include <unistd.h>

static const char fresh[] = "[1001,1008,1042,1002]";

/* Calls an export by name; asserts pristine. */
static void run_export(struct fixture *f, const char *name) {
  f->input.handler = bytes_str(name);
  fixture_run(f, "{}");
  f->input.handler = BYTES_NONE;
}

static void reactor_starts_fresh(void **state) {
  struct fixture *f = fixture_wasm("score");
  for (int i = 0; i < 3; i++) assert_returns(f, "{}", fresh);
  assert_int_equal(f->output.dirty_pages, 3);
  fixture_free(&f);
}

static void trash_is_undone(void **state) {
  struct fixture *f = fixture_wasm("score");
  run_export(f, "trash");
  assert_int_equal(f->output.result, GUEST_RETURNED);
  assert_true(f->output.memory_bytes == 42 * 65536);
  assert_returns(f, "{}", fresh);
  run_export(f, "trash"); /* data.drop and elem.drop were undone, too */
  assert_int_equal(f->output.result, GUEST_RETURNED);
  fixture_free(&f);
}

static void traps_have_reasons(void **state) {
  static const struct {
    const char *name, *reason, *text;
  } cases[] = {
      {"stray", "trapped", "outside its memory"}, {"bad_read", "trapped", "outside its memory"},
      {"empty_entry", "trapped", "table entry"},  {"deep", "stack", "nested too deeply"},
      {"divide", "trapped", "divided"},
  };
  struct fixture *f = fixture_wasm("score");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    run_export(f, cases[i].name);
    assert_int_equal(f->output.result, GUEST_TRAPPED);
    assert_string_equal(f->output.reason, cases[i].reason);
    assert_non_null(strstr(fixture_text(&f->body), cases[i].text));
    assert_returns(f, "{}", fresh);
  }
  run_export(f, "nothing");
  assert_int_equal(f->output.result, GUEST_THREW);
  assert_non_null(strstr(fixture_text(&f->body), "Runtime.HandlerNotFound"));
  run_export(f, "fails");
  assert_int_equal(f->output.result, GUEST_THREW);
  assert_non_null(strstr(fixture_text(&f->body), "status 3"));
  fixture_free(&f);
}

/* Frames of 5 KiB reach the end of the native stack before the depth count does. */
static void wide_frames_trap(void **state) {
  struct fixture *f = fixture_wasm("wide");
  for (int i = 0; i < 2; i++) {
    fixture_run(f, "{}");
    assert_int_equal(f->output.result, GUEST_TRAPPED);
    assert_string_equal(f->output.reason, "stack");
  }
  fixture_free(&f);
}

static void calls_an_effect(void **state) {
  static const struct fixture_answer answers[] = {{1, true, "{\"v\":5}"}, {0}};
  struct fixture *f = fixture_wasm("score");
  f->answers = answers;
  run_export(f, "lookup");
  assert_string_equal(fixture_text(&f->body), "{\"v\":5}");
  assert_string_equal(fixture_text(&f->requests), "1 state.get {\"key\":\"k\"}\n");
  assert_string_equal(fixture_text(&f->log), "2 hello\n");
  run_export(f, "lookup"); /* no answer comes any more */
  assert_string_equal(f->output.reason, "unsettled");
  fixture_free(&f);
}

static void chance_is_the_runs_own(void **state) {
  char first[256];
  struct fixture *f = fixture_wasm("score");
  run_export(f, "chance");
  strcpy(first, fixture_text(&f->body));
  run_export(f, "chance");
  assert_string_equal(first, fixture_text(&f->body));
  f->input.seed[31] = 1;
  run_export(f, "chance");
  assert_string_not_equal(first, fixture_text(&f->body));
  fixture_free(&f);
}

static void command_is_a_filter(void **state) {
  struct fixture *f = fixture_wasm("echo");
  assert_returns(f, "{\"a\":[1,2]}", "{\"a\":[1,2]}");
  assert_string_equal(fixture_text(&f->log), "3 seen\n");
  assert_returns(f, "not \"JSON\"", "\"not \\\"JSON\\\"\"");
  assert_throws(f, "9", "Medulla.Exit", "threw");
  assert_returns(f, "8", "8");
  fixture_free(&f);
}

static void the_c_example_counts(void **state) {
  static const struct fixture_answer answers[] = {
      {1, true, "null"}, {1, false, "{\"name\":\"Denied\"}"}, {0}};
  char path[4096];
  const char *folder = getenv("MEDULLA_MODULES");
  snprintf(path, sizeof path, "%s/count.so", folder ? folder : ".");
  if (access(path, R_OK) != 0) skip(); /* no compiler for WebAssembly was there */
  struct fixture *f = fixture_wasm("count");
  f->answers = answers;
  assert_returns(f, "{\"a\":1}", "{\"bytes\":7}");
  assert_string_equal(fixture_text(&f->requests),
                      "1 state.increment {\"key\":\"events\",\"by\":1}\n");
  assert_throws(f, "{}", "Medulla.Exit", "threw");
  assert_string_equal(fixture_text(&f->log), "3 {\"name\":\"Denied\"}\n");
  fixture_free(&f);
}

static void bad_modules_are_refused(void **state) {
  struct err err = fixture_wasm_refused("bad_import");
  assert_int_equal(err.code, ERR_UNSUPPORTED);
  assert_non_null(strstr(err.detail, "\"env\" \"system\""));
  err = fixture_wasm_refused("no_handler");
  assert_int_equal(err.code, ERR_MALFORMED);
  err = fixture_wasm_refused("early_random");
  assert_int_equal(err.code, ERR_GUEST);
  assert_non_null(strstr(err.detail, "randomness"));
  err = fixture_wasm_refused("there_is_none");
  assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reactor_starts_fresh),    cmocka_unit_test(trash_is_undone),
      cmocka_unit_test(traps_have_reasons),      cmocka_unit_test(calls_an_effect),
      cmocka_unit_test(chance_is_the_runs_own),  cmocka_unit_test(command_is_a_filter),
      cmocka_unit_test(bad_modules_are_refused), cmocka_unit_test(wide_frames_trap),
      cmocka_unit_test(the_c_example_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

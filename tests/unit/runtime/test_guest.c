/* tests/unit/runtime/test_guest.c: handlers return, throw and wait. */
#include "tests/unit/runtime/guest_fixture.h"

static void returns_its_result(void **state) {
  struct fixture *f = fixture_js("export function handler(e) { return { sum: e.a + e.b }; }");
  assert_returns(f, "{\"a\":1,\"b\":2}", "{\"sum\":3}");
  assert_returns(f, "{\"a\":\"x\",\"b\":2}", "{\"sum\":\"x2\"}");
  assert_true(f->output.dirty_pages > 0 && f->output.dirty_pages < 100);
  fixture_free(&f);
}

static void keeps_nothing_between_runs(void **state) {
  struct fixture *f =
      fixture_js("let n = 0; const seen = []; export function handler(e) {"
                 " seen.push(e); globalThis.count = (globalThis.count ?? 0) + 1;"
                 " Array.prototype.leak = e; return [++n, seen.length, globalThis.count]; }");
  for (int i = 0; i < 3; i++) assert_returns(f, "{}", "[1,1,1]");
  fixture_free(&f);
}

static void awaits_a_promise(void **state) {
  struct fixture *f = fixture_js("export const handler = async (e) => {"
                                 " await null; await new Promise(r => setTimeout(r, 50));"
                                 " return e.x; };");
  assert_returns(f, "{\"x\":[1,\"\\u00fc\"]}", "[1,\"\xc3\xbc\"]");
  fixture_free(&f);
}

static void common_js_and_callback(void **state) {
  struct fixture *f = fixture_js("exports.handler = function (e, c, cb) { cb(null, e.v); };");
  assert_returns(f, "{\"v\":7}", "7");
  fixture_free(&f);
  f = fixture_js("exports.handler = (e, c, cb) => { setTimeout(() => cb(null, 'late'), 5); };");
  assert_returns(f, "{}", "\"late\"");
  fixture_free(&f);
}

static void throws_with_file_and_line(void **state) {
  struct fixture *f = fixture_js("export function handler(e) {\n  throw new TypeError('no');\n}");
  assert_throws(f, "{}", "TypeError", "threw");
  assert_non_null(strstr(fixture_text(&f->body), "test.js:2"));
  fixture_free(&f);
}

static void effects_answer(void **state) {
  static const struct fixture_answer answers[] = {
      {2, true, "5"},
      {1, true, "{\"v\":1}"},
      {3, false, "{\"name\":\"Denied\",\"message\":\"no grant state: x\",\"code\":\"denied\"}"},
      {0}};
  struct fixture *f =
      fixture_js("export async function handler(e, c) {"
                 " const [a, b] = await Promise.all([c.state.get('k'), c.state.increment('n')]);"
                 " try { await c.notify('on-call', { text: 'x' }); } catch (x) {"
                 "  return [a, b, x.name, x.code, x.message]; } }");
  f->answers = answers;
  assert_returns(f, "{}", "[{\"v\":1},5,\"Denied\",\"denied\",\"no grant state: x\"]");
  assert_string_equal(fixture_text(&f->requests),
                      "1 state.get {\"key\":\"k\"}\n2 state.increment {\"key\":\"n\",\"by\":1}\n"
                      "3 notify {\"contact\":\"on-call\",\"text\":\"x\"}\n");
  assert_int_equal(f->output.requests, 3);
  fixture_free(&f);
}

static void context_tells_about_the_run(void **state) {
  struct fixture *f = fixture_js(
      "export const handler = (e, c) => [c.awsRequestId, c.functionName, c.functionVersion,"
      " c.invokedFunctionArn, c.attempt, c.deliveryId, c.getRemainingTimeInMillis(),"
      " JSON.parse(JSON.stringify(c)).awsRequestId, process.env.WARD, { ...c }.memoryLimitInMB];");
  f->input.context = BYTES("{\"awsRequestId\":\"r2\",\"functionName\":\"ward/n\","
                           "\"functionVersion\":\"3\",\"attempt\":2,\"deliveryId\":\"d\"}");
  assert_returns(f, "{}",
                 "[\"r2\",\"ward/n\",\"3\",\"arn:aws:lambda:local:000000000000:function:"
                 "ward/n:3\",2,\"d\",3000,\"r2\",\"4B\",\"128\"]");
  fixture_free(&f);
}

static void never_settles(void **state) {
  struct fixture *f = fixture_js("export const handler = () => new Promise(() => {});");
  assert_throws(f, "{}", "Medulla.Unsettled", "unsettled");
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(returns_its_result),
      cmocka_unit_test(keeps_nothing_between_runs),
      cmocka_unit_test(awaits_a_promise),
      cmocka_unit_test(common_js_and_callback),
      cmocka_unit_test(throws_with_file_and_line),
      cmocka_unit_test(effects_answer),
      cmocka_unit_test(never_settles),
      cmocka_unit_test(context_tells_about_the_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

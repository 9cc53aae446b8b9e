/* tests/unit/runtime/test_guest_attack.c: handlers that try to leave something behind, to learn
 * something, or to break their host. After each run the fixture compares all memory, globals and
 * tables with the snapshot; here the harmless handler must work as before, too. */

#define _GNU_SOURCE /* memfd_create */
#include "tests/unit/runtime/guest_fixture.h"

#include "runtime/guest_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLAIN "export function plain(e) { return { n: e.n + 1, t: typeof globalThis.leak }; }\n"
#define PLAIN_RESULT "{\"n\":2,\"t\":\"undefined\"}"

/* Runs `plain` and asserts that it is as in a new guest. */
static void assert_plain(struct fixture *f) {
  f->input.handler = BYTES("plain");
  assert_returns(f, "{\"n\":1}", PLAIN_RESULT);
  f->input.handler = BYTES_NONE;
}

/* Not one page of [from, to) is there, in memory or swap; and reading it faults. */
static void assert_gone(const uint8_t *from, size_t bytes) {
  int maps = open("/proc/self/pagemap", O_RDONLY), pipe_ends[2];
  for (size_t at = 0; maps >= 0 && at < bytes; at += 4096) {
    uint64_t entry = 0;
    off_t offset = (off_t)((uintptr_t)(from + at) / 4096 * 8);
    if (pread(maps, &entry, sizeof entry, offset) == sizeof entry) assert_int_equal(entry >> 62, 0);
  }
  if (maps >= 0) close(maps);
  assert_int_equal(pipe(pipe_ends), 0);
  assert_int_equal(write(pipe_ends[1], from, 1), -1);
  assert_int_equal(errno, EFAULT);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

static void pollution_is_undone(void **state) {
  static const char *const attacks[] = {
      "Object.prototype.n = 5; Array.prototype.push = () => { throw 1 }; return 1;",
      "JSON.parse = () => ({ n: 99 }); JSON.stringify = () => 'gotcha'; return 1;",
      "Promise.prototype.then = () => {}; Promise.resolve = null; return 1;",
      "for (const k of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[k] } catch "
      "{}"
      " return 1;",
      "globalThis.leak = 'x'; Object.freeze(Object.prototype); Object.freeze(Array.prototype);"
      " return 1;",
      "Object.defineProperty(Object.prototype, 'then', { get() { throw new Error('t') } });"
      " return 1;",
      "Map.prototype.get = Map.prototype.set = () => {}; String.prototype.split = () => [];"
      " return 1;",
      "Object.setPrototypeOf(c, null); for (const k in c) delete c[k]; c.leak = 1; return 1;",
      "console.log = null; process.env.LEAK = '1'; globalThis.process = null; return 1;",
      "Reflect.apply = Function.prototype.call = Function.prototype.apply = null; return 1;",
      "Symbol.iterator in []; Array.prototype[Symbol.iterator] = null; return 1;",
  };
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
    char source[1024];
    snprintf(source, sizeof source, PLAIN "export function handler(e, c) { %s }", attacks[i]);
    struct fixture *f = fixture_js(source);
    for (int round = 0; round < 2; round++) {
      fixture_run(f, "{}");
      assert_plain(f);
    }
    fixture_free(&f);
  }
}

static void growth_leaves_no_canary(void **state) {
  struct fixture *f = fixture_js(
      PLAIN "export function handler(e) { const keep = [];"
            " for (let i = 0; i < 40; i++) keep.push(new Uint8Array(1 << 20).fill(0xc5));"
            " return keep.length; }");
  uint32_t before = f->guest->in.memory->size;
  assert_returns(f, "{}", "40");
  assert_true(f->output.memory_bytes > before + (30u << 20));
  assert_int_equal(f->guest->in.memory->size, before);
  assert_gone(f->guest->in.data + before, f->output.memory_bytes - before);
  assert_plain(f);
  fixture_free(&f);
}

static void many_dirty_regions(void **state) {
  struct fixture *f = fixture_js(PLAIN "const pad = new Uint8Array(2 << 20);"
                                       "export function handler(e) {"
                                       " for (let i = 0; i < pad.length; i += 2048) pad[i] = 0xc5;"
                                       " const freed = []; for (let i = 0; i < 500; i++)"
                                       "  freed.push('canary'.repeat(i)); freed.length = 0;"
                                       " return pad.filter((b) => b).length; }");
  assert_returns(f, "{}", "1024");
  assert_true(f->output.dirty_pages > 1024);
  assert_plain(f);
  assert_returns(f, "{}", "1024");
  fixture_free(&f);
}

static void memory_runs_out(void **state) {
  static const char *const attacks[] = {
      "const a = []; for (;;) a.push(new Uint8Array(1 << 20));",
      "let s = 'x'; for (;;) s += s;",
      "const a = []; for (;;) a.push({ a });",
      "return 'x'.repeat(1 << 29);",
      "return new Array(1 << 28).fill(0);",
      "let o = {}; for (let i = 0; ; i++) o['k' + i] = i;",
      "const m = new Map(); for (let i = 0; ; i++) m.set(i, [i]);",
  };
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
    char source[1024];
    snprintf(source, sizeof source, PLAIN "export function handler(e) { %s }", attacks[i]);
    struct fixture *f = fixture_js(source);
    const char *body = fixture_run(f, "{}");
    if (f->output.result == GUEST_RETURNED) fail_msg("%s: returned %.80s", attacks[i], body);
    if (strcmp(f->output.reason, "memory") != 0 && strcmp(f->output.reason, "threw") != 0)
      fail_msg("%s: %s: %.200s", attacks[i], f->output.reason, body);
    assert_plain(f);
    fixture_free(&f);
  }
}

static void stack_runs_out(void **state) {
  static const char *const attacks[] = {
      "const f = () => f() + 1; return f();",
      "const f = (a) => [1].map(f); return f();",
      "let s = '['.repeat(100000); return JSON.parse(s);",
      "let o = []; for (let i = 0; i < 100000; i++) o = [o]; return o;",
      "const o = { get a() { return this.a } }; return o.a;",
      "const o = { toString() { return '' + this } }; return '' + o;",
      "return new Function('return ' + '('.repeat(100000))();",
      "return new RegExp('('.repeat(100000)).test('x');",
      "class A { constructor() { new A() } } new A();",
      "const p = new Proxy({}, { get: (t, k, r) => r[k] }); return p.x;",
  };
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
    char source[1024];
    snprintf(source, sizeof source, PLAIN "export function handler(e) { %s }", attacks[i]);
    struct fixture *f = fixture_js(source);
    fixture_run(f, "{}");
    assert_plain(f);
    fixture_free(&f);
  }
  struct fixture *f = fixture_js("export const handler = (e) => { const f = () => f() + 1; f(); }");
  assert_throws(f, "{}", "RangeError", "stack");
  fixture_free(&f);
}

static void odd_results_and_errors(void **state) {
  static const struct {
    const char *body, *type;
  } cases[] = {
      {"return 10n;", "Medulla.Unserializable"},
      {"const o = {}; o.o = o; return o;", "Medulla.Unserializable"},
      {"return () => 1;", "Medulla.Unserializable"},
      {"return Symbol('x');", "Medulla.Unserializable"},
      {"return { get x() { throw new Error('getter') } };", "Medulla.Unserializable"},
      {"return { toJSON() { throw 5 } };", "Medulla.Unserializable"},
      {"throw 'text';", "string"},
      {"throw null;", "null"},
      {"throw { get message() { throw 1 }, get name() { throw 2 } };", "Error"},
      {"const x = new Error('m'); x.stack = 5; x.name = { toString: null }; throw x;", "Error"},
      {"throw new Proxy({}, { get() { throw 1 } });", "Error"},
      {"return { then() { throw new RangeError('then') } };", "RangeError"},
      {"return { get then() { throw new RangeError('then') } };", "RangeError"},
      {"return Promise.reject(new TypeError('no'));", "TypeError"},
      {"return new Promise((ok) => ok({ then() {} }));", "Medulla.Unsettled"},
      {"return import('fs');", "ReferenceError"},
      {"return 'x'.repeat(7 << 20);", "Medulla.OutputTooLarge"},
      {"throw new Error('x'.repeat(7 << 20));", "Medulla.OutputTooLarge"},
      {"for (let i = 0; i < 10001; i++) c.state.get('k'); throw new Error('sent');", "Error"},
      {"const o = []; for (let i = 0; i < 10001; i++) o.push(c.state.get('k'));"
       " return Promise.all(o);",
       "Medulla.Limit"},
      {"return c.call('x', 10n);", "TypeError"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char source[1024], wanted[128];
    snprintf(source, sizeof source, PLAIN "export function handler(e, c) { %s }", cases[i].body);
    snprintf(wanted, sizeof wanted, "\"errorType\":\"%s\"", cases[i].type);
    struct fixture *f = fixture_js(source);
    const char *body = fixture_run(f, "{}");
    if (f->output.result != GUEST_THREW || !strstr(body, wanted))
      fail_msg("%s: %s: %.200s", cases[i].body, f->output.reason, body);
    assert_plain(f);
    fixture_free(&f);
  }
}

static void odd_texts_pass(void **state) {
  struct fixture *f =
      fixture_js("export const handler = (e) => [e, '\\0', '\\ud800', '\\u{1f600}'];");
  assert_returns(f, "\"\\u0000x\\ud83d\\ude00\"",
                 "[\"\\u0000x\xf0\x9f\x98\x80\",\"\\u0000\",\"\\ud800\",\"\xf0\x9f\x98\x80\"]");
  assert_throws(f, "{\"a\":", "SyntaxError", "threw");
  assert_throws(f, "nonsense", "SyntaxError", "threw");
  assert_returns(f, "", "[null,\"\\u0000\",\"\\ud800\",\"\xf0\x9f\x98\x80\"]");
  fixture_free(&f);
}

static void chance_and_time_are_the_runs_own(void **state) {
  char first[512];
  struct fixture *f = fixture_js(
      "const at = Date.now(); export const handler = () => [at, Date.now(), Math.random(),"
      " crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))], performance.now()];");
  strcpy(first, fixture_run(f, "{}"));
  assert_non_null(strstr(first, "[1577836800000,1700000000000,"));
  assert_string_equal(fixture_run(f, "{}"), first);
  f->input.seed[0] = 1;
  assert_string_not_equal(fixture_run(f, "{}"), first);
  f->input.seed[0] = 0;
  f->input.clock_ms++;
  assert_string_not_equal(fixture_run(f, "{}"), first);
  fixture_free(&f);
}

static void replay_gives_the_same_bytes(void **state) {
  static const struct fixture_answer answers[] = {
      {2, true, "[1,2]"},
      {1, false, "{\"name\":\"Denied\",\"message\":\"m\"}"},
      {3, true, ""},
      {0}};
  char body[1024], requests[1024], log[1024];
  struct fixture *f =
      fixture_js("export async function handler(e, c) { console.log(Math.random(), new Date());"
                 " const got = await Promise.allSettled([c.state.get('a' + Math.random()), "
                 "c.object.list('b')]);"
                 " await c.emit({ type: 't', data: crypto.randomUUID() }, { after: 5 });"
                 " return got.map((g) => g.value ?? g.reason.name); }");
  for (int i = 0; i < 5; i++) {
    f->answers = answers;
    f->mono_ns = 0;
    fixture_run(f, "{\"x\":1}");
    if (i == 0) {
      strcpy(body, fixture_text(&f->body));
      strcpy(requests, fixture_text(&f->requests));
      strcpy(log, fixture_text(&f->log));
      assert_string_equal(body, "[\"Denied\",[1,2]]");
    }
    assert_string_equal(fixture_text(&f->body), body);
    assert_string_equal(fixture_text(&f->requests), requests);
    assert_string_equal(fixture_text(&f->log), log);
  }
  fixture_free(&f);
}

static void deploy_refuses(void **state) {
  static const struct {
    const char *source, *detail;
  } cases[] = {
      {"const x = Math.random(); export const handler = () => x;", "Math.random cannot be used"},
      {"const x = crypto.randomUUID(); export const handler = () => x;", "crypto cannot be used"},
      {"setTimeout(() => {}, 1); export const handler = () => 1;", "setTimeout cannot be used"},
      {"await fetch('https://a.b/'); export const handler = () => 1;", "context.fetch cannot be"},
      {"await new Promise(() => {}); export const handler = () => 1;", "never comes"},
      {"export const other = 1;", "exports no function"},
      {"throw new Error('boom');", "Error: boom (at <anonymous> (test.js:1"},
      {"export function handler( {", "SyntaxError"},
      {"import fs from 'fs'; export const handler = () => 1;", "fs"},
      {"const fs = require('fs'); exports.handler = () => 1;", "Medulla.NoModule"},
      {"for (const a = [];;) a.push(new Uint8Array(1 << 20)); export const handler = 1;", "memory"},
      {"const f = () => f() + 1; f(); export const handler = 1;", "call stack"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct err err = fixture_refused(cases[i].source);
    if (!strstr(err.detail, cases[i].detail))
      fail_msg("%s: %s %s", cases[i].source, err_facts(err.code)->word, err.detail);
  }
}

static void snapshots_hold_nothing_of_deploy(void **state) {
  struct guest_code code = {.kind = GUEST_JS,
                            .source = BYTES("/* source-canary */ let o = { k: [1.5, 'v'] };"
                                            "export const handler = () => o;"),
                            .file_name = "a.js",
                            .module = true,
                            .memory_bytes_max = 64u << 20};
  uint8_t *images[2];
  off_t lengths[2];
  struct err err;
  for (int i = 0; i < 2; i++) {
    int fd = memfd_create("snapshot", 0);
    assert_ok(guest_prepare(&code, fd, &err), err);
    lengths[i] = lseek(fd, 0, SEEK_END);
    images[i] = mmap(NULL, (size_t)lengths[i], PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
  }
  assert_int_equal(lengths[0], lengths[1]);
  assert_memory_equal(images[0], images[1], (size_t)lengths[0]);
  assert_true(lengths[0] < 128 * 1024);
  for (int i = 0; i < 2; i++) munmap(images[i], (size_t)lengths[i]);
}

static void jobs_left_over_are_discarded(void **state) {
  struct fixture *f =
      fixture_js(PLAIN "export const handler = async (e, c) => { c.emit({ type: 'unawaited' });"
                       " setTimeout(() => c.emit({ type: 'too late' }), 10);"
                       " (async () => { for (;;) await null; })(); return 'done'; };");
  assert_returns(f, "{}", "\"done\"");
  assert_string_equal(fixture_text(&f->requests), "1 emit {\"event\":{\"type\":\"unawaited\"}}\n");
  assert_plain(f);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pollution_is_undone),
      cmocka_unit_test(growth_leaves_no_canary),
      cmocka_unit_test(many_dirty_regions),
      cmocka_unit_test(memory_runs_out),
      cmocka_unit_test(stack_runs_out),
      cmocka_unit_test(odd_results_and_errors),
      cmocka_unit_test(odd_texts_pass),
      cmocka_unit_test(chance_and_time_are_the_runs_own),
      cmocka_unit_test(replay_gives_the_same_bytes),
      cmocka_unit_test(deploy_refuses),
      cmocka_unit_test(snapshots_hold_nothing_of_deploy),
      cmocka_unit_test(jobs_left_over_are_discarded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

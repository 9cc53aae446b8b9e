/* tests/unit/runtime/guest_fixture.c */
#define _GNU_SOURCE /* memfd_create */
#include "tests/unit/runtime/guest_fixture.h"

#include <sys/mman.h>
#include <unistd.h>

static void on_request(void *self, uint64_t ordinal, struct bytes effect, struct bytes payload) {
  struct fixture *f = self;
  buf_printf(&f->requests, "%llu %.*s %.*s\n", (unsigned long long)ordinal, BYTES_FMT(effect),
             BYTES_FMT(payload));
}

static bool on_wait(void *self, int64_t until_mono_ns, struct guest_answer *ret_answer) {
  struct fixture *f = self;
  f->waits++;
  if (f->answers && f->answers->ordinal) {
    *ret_answer =
        (struct guest_answer){f->answers->ordinal, f->answers->ok, bytes_str(f->answers->body)};
    f->answers++;
    return true;
  }
  if (until_mono_ns != INT64_MAX && until_mono_ns > f->mono_ns) f->mono_ns = until_mono_ns;
  return false;
}

static void on_log(void *self, enum guest_level level, struct bytes line) {
  struct fixture *f = self;
  buf_printf(&f->log, "%d %.*s\n", (int)level, BYTES_FMT(line));
}

static int64_t on_mono(void *self) {
  struct fixture *f = self;
  return f->mono_ns += f->step_ns;
}

const char *fixture_text(const struct buf *buf) {
  static char text[4][1 << 16];
  static int which;
  char *to = text[which++ % 4];
  bytes_text(buf_bytes(buf), to, sizeof text[0]);
  return to;
}

struct fixture *fixture_code(const struct guest_code *code) {
  struct err err;
  struct fixture *f = calloc(1, sizeof *f);
  int fd = memfd_create("snapshot", 0);
  assert_true(f && fd >= 0);
  assert_ok(guest_prepare(code, fd, &err), err);
  assert_ok(guest_open(code, fd, &f->guest, &err), err);
  close(fd);
  assert_ok(guest_is_pristine(f->guest, &err), err);
  f->host = (struct guest_host){f, on_request, on_wait, on_log, on_mono};
  f->input =
      (struct guest_input){.context = BYTES("{\"awsRequestId\":\"r1\",\"functionName\":\"f\"}"),
                           .env = BYTES("{\"WARD\":\"4B\"}"),
                           .clock_ms = 1700000000000,
                           .deadline_mono_ns = 3000000000};
  buf_init(&f->body, 8u << 20);
  buf_init(&f->log, 16u << 20);
  buf_init(&f->requests, 16u << 20);
  f->output.body = &f->body;
  return f;
}

static struct guest_code js_code(const char *source) {
  return (struct guest_code){.kind = GUEST_JS,
                             .source = bytes_str(source),
                             .file_name = "test.js",
                             .module = strstr(source, "exports.") == NULL,
                             .memory_bytes_max = 64u << 20};
}

struct fixture *fixture_js(const char *source) {
  struct guest_code code = js_code(source);
  return fixture_code(&code);
}

static struct guest_code wasm_code(const char *name) {
  static char path[4096];
  const char *folder = getenv("MEDULLA_MODULES");
  snprintf(path, sizeof path, "%s/%s.so", folder ? folder : ".", name);
  return (struct guest_code){.kind = GUEST_WASM, .module_path = path, .memory_bytes_max = 8u << 20};
}

struct fixture *fixture_wasm(const char *name) {
  struct guest_code code = wasm_code(name);
  return fixture_code(&code);
}

static struct err refused(const struct guest_code *code) {
  struct err err;
  int fd = memfd_create("snapshot", 0);
  if (guest_prepare(code, fd, &err)) fail_msg("it was prepared");
  close(fd);
  return err;
}

struct err fixture_refused(const char *source) {
  struct guest_code code = js_code(source);
  return refused(&code);
}

struct err fixture_wasm_refused(const char *name) {
  struct guest_code code = wasm_code(name);
  return refused(&code);
}

void fixture_free(struct fixture **fixture) {
  guest_close(&(*fixture)->guest);
  buf_fini(&(*fixture)->body);
  buf_fini(&(*fixture)->log);
  buf_fini(&(*fixture)->requests);
  free(*fixture);
  *fixture = NULL;
}

const char *fixture_run(struct fixture *fixture, const char *event) {
  struct err err;
  fixture->input.event = bytes_str(event);
  buf_reset(&fixture->log);
  buf_reset(&fixture->requests);
  guest_run(fixture->guest, &fixture->input, &fixture->host, &fixture->output);
  assert_ok(guest_is_pristine(fixture->guest, &err), err);
  return fixture_text(&fixture->body);
}

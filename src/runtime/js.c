/* runtime/js.c: drives QuickJS through its exported functions: prepare and run.
 *
 * Values are guest addresses of heap cells; QTS_* calls make and free them. What the run needs was
 * made before the snapshot: js/prelude.js gave an object of functions, whose addresses are words of
 * the snapshot, so a run begins with one call of `enter` and reads back one string.
 *
 *   enter(event) ── a string: the result ───────────────────────────────▶ end
 *        │ undefined: a promise is waited for, or host.end was called
 *        ▼
 *   run jobs ──▶ ended? ──▶ poll() fires timers ──▶ nothing to wait for: "unsettled"
 *        ▲                        │ wait for an answer or the next timer
 *        └── settle(answer) ◀─────┘                                                         */
#include "runtime/js.h"

#include "runtime/js_digest.h"
#include "runtime/trap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What of bytes_max the engine may allocate: not its data, its 5 MiB stack, and slack for growth.
 */
#define ENGINE_FIXED_BYTES (7u << 20)
#define ENGINE_BYTES_MIN (8u << 20) /* initial */
#define FUNCTION_BYTES_MIN (16u << 20)
/* The engine measures its own stack by the shadow stack in linear memory. */
#define ENGINE_STACK_BYTES (768u << 10)

Z_engine_instance_t *js_engine(const struct guest *guest) {
  return guest->in.at;
}

uint32_t js_string(struct guest *guest, struct bytes text) {
  Z_engine_instance_t *engine = js_engine(guest);
  if (text.len >= UINT32_MAX / 2) trap_throw(TRAP_MEMORY);
  uint32_t at = QTS_malloc(engine, (uint32_t)text.len + 1);
  uint8_t *room = at ? guest_room_at(&guest->in, at, (uint32_t)text.len + 1) : NULL;
  if (!room) trap_throw(TRAP_MEMORY);
  if (text.len > 0) memcpy(room, text.at, text.len);
  room[text.len] = 0;
  uint32_t value = QTS_NewString(engine, guest->words[JS_CONTEXT], at);
  QTS_free(engine, at);
  return value;
}

/* The C string of a value: freed by js_free_text. */
static uint32_t text_of(struct guest *guest, uint32_t value, struct bytes *ret_text) {
  uint32_t at = QTS_GetString(js_engine(guest), guest->words[JS_CONTEXT], value);
  if (!at || !guest_text_at(&guest->in, at, ret_text)) *ret_text = BYTES_NONE;
  return at;
}

bool js_with_text(struct guest *guest, uint32_t value,
                  void (*use)(struct guest *guest, void *arg, struct bytes text), void *arg) {
  struct bytes text;
  uint32_t at = text_of(guest, value, &text);
  if (!at) return false;
  use(guest, arg, text);
  QTS_FreeCString(js_engine(guest), guest->words[JS_CONTEXT], at);
  return true;
}

void js_free(struct guest *guest, uint32_t value) {
  QTS_FreeValuePointer(js_engine(guest), guest->words[JS_CONTEXT], value);
}

/* Calls one of the prelude's functions; a heap value, perhaps an exception. */
static uint32_t call(struct guest *guest, enum js_word function, uint32_t argc,
                     const uint32_t *argv) {
  Z_engine_instance_t *engine = js_engine(guest);
  for (uint32_t i = 0; i < argc; i++)
    if (!guest_put_u32(&guest->in, guest->words[JS_ARGV] + 4 * i, argv[i])) trap_throw(TRAP_ABORT);
  uint32_t result = QTS_Call(engine, guest->words[JS_CONTEXT], guest->words[function],
                             QTS_GetUndefined(engine), argc, guest->words[JS_ARGV]);
  for (uint32_t i = 0; i < argc; i++) js_free(guest, argv[i]);
  return result;
}

/* The exception behind a value, or 0. Takes the value over when it is one. */
static uint32_t exception_of(struct guest *guest, uint32_t value) {
  return QTS_ResolveException(js_engine(guest), guest->words[JS_CONTEXT], value);
}

/* An exception that the prelude itself did not catch: the engine is out of memory or stack. */
static void end_uncaught(struct guest *guest, uint32_t exception) {
  js_free(guest, exception);
  guest_end_error(guest, GUEST_THREW, "memory", "InternalError",
                  "the function ran out of memory or stack, too far to say where");
}

static void run_jobs(struct guest *guest) {
  Z_engine_instance_t *engine = js_engine(guest);
  while (!guest->turn.ended && QTS_IsJobPending(engine, guest->words[JS_RUNTIME])) {
    uint32_t done =
        QTS_ExecutePendingJob(engine, guest->words[JS_RUNTIME], 1, guest->words[JS_ARGV] + 12);
    uint32_t exception = exception_of(guest, done);
    if (exception && guest->turn.preparing)
      js_free(guest, exception);
    else if (exception)
      end_uncaught(guest, exception);
    else
      js_free(guest, done);
  }
}

/* ---- one run ---- */

static void end_returned(struct guest *guest, void *arg, struct bytes text) {
  (void)arg;
  if (!bytes_eq_str(text, "undefined")) guest_end(guest, GUEST_RETURNED, "returned", text);
}

static void enter(struct guest *guest) {
  const struct guest_input *input = guest->turn.input;
  uint32_t argv[2] = {js_string(guest, input->event)};
  uint32_t argc = 1;
  if (input->handler.len > 0 && !bytes_eq_str(input->handler, "handler"))
    argv[argc++] = js_string(guest, input->handler);
  uint32_t result = call(guest, JS_ENTER, argc, argv);
  uint32_t exception = exception_of(guest, result);
  if (exception) {
    end_uncaught(guest, exception);
    return;
  }
  if (!js_with_text(guest, result, end_returned, NULL)) end_uncaught(guest, 0);
  js_free(guest, result);
}

/* Milliseconds to the next timer, or negative: nothing to wait for; infinite: answers only. */
static double poll(struct guest *guest) {
  uint32_t value = call(guest, JS_POLL, 0, NULL);
  uint32_t exception = exception_of(guest, value);
  if (exception) {
    end_uncaught(guest, exception);
    return -1;
  }
  double ms = QTS_GetFloat64(js_engine(guest), guest->words[JS_CONTEXT], value);
  js_free(guest, value);
  return isnan(ms) ? -1 : ms;
}

static void settle(struct guest *guest, const struct guest_answer *answer) {
  Z_engine_instance_t *engine = js_engine(guest);
  uint32_t context = guest->words[JS_CONTEXT];
  uint32_t argv[3] = {QTS_NewFloat64(engine, context, (double)answer->ordinal),
                      QTS_NewFloat64(engine, context, answer->ok), js_string(guest, answer->body)};
  uint32_t result = call(guest, JS_SETTLE, 3, argv);
  uint32_t exception = exception_of(guest, result);
  if (exception)
    end_uncaught(guest, exception);
  else
    js_free(guest, result);
}

/* False: nothing came, and nothing can. */
static bool wait_for_something(struct guest *guest, double ms) {
  const struct guest_host *host = guest->turn.host;
  int64_t until_ns = INT64_MAX;
  if (ms < 1e12) until_ns = host->mono_ns(host->self) + (int64_t)(ms * 1e6);
  struct guest_answer answer;
  if (host->wait(host->self, until_ns, &answer))
    settle(guest, &answer);
  else if (until_ns == INT64_MAX)
    return false;
  return true;
}

void js_run(struct guest *guest) {
  enter(guest);
  for (;;) {
    run_jobs(guest);
    if (guest->turn.ended) return;
    double ms = poll(guest);
    if (guest->turn.ended) return;
    if (QTS_IsJobPending(js_engine(guest), guest->words[JS_RUNTIME])) continue;
    if (ms >= 0 && (ms == 0 || wait_for_something(guest, ms))) continue;
    guest_end_error(guest, GUEST_THREW, "unsettled", "Medulla.Unsettled",
                    "the handler's promise can never settle: it waits for something that is "
                    "neither an effect nor a timer");
    return;
  }
}

/* ---- prepare ---- */

/* {"errorMessage":..} is for runs; a deployer wants "SyntaxError: ... at ward.js:3". */
static void keep_detail(struct guest *guest, void *arg, struct bytes text) {
  (void)guest;
  bytes_text(text, arg, ERR_DETAIL_BYTES);
}

/* False with what the exception says, as the prelude puts it into words. */
static bool fail_exception(struct guest *guest, uint32_t exception, struct err *err) {
  char detail[ERR_DETAIL_BYTES] = "the top level threw something that cannot be shown";
  uint32_t words = call(guest, JS_DESCRIBE, 1, &exception);
  uint32_t again = exception_of(guest, words);
  if (!again) js_with_text(guest, words, keep_detail, detail);
  FAIL(ERR_GUEST, "%s", detail);
}

static bool check(struct guest *guest, uint32_t value, struct err *err) {
  uint32_t exception = exception_of(guest, value);
  return exception ? fail_exception(guest, exception, err) : true;
}

static uint32_t evaluate(struct guest *guest, struct bytes before, struct bytes source,
                         struct bytes after, const char *file_name, bool module) {
  Z_engine_instance_t *engine = js_engine(guest);
  size_t len = before.len + source.len + after.len;
  if (len >= UINT32_MAX / 2) trap_throw(TRAP_MEMORY);
  uint32_t code = QTS_malloc(engine, (uint32_t)len + 1);
  uint8_t *room = code ? guest_room_at(&guest->in, code, (uint32_t)len + 1) : NULL;
  if (!room) trap_throw(TRAP_MEMORY);
  /* An empty slice may have no address, which memcpy forbids. */
  if (before.len > 0) memcpy(room, before.at, before.len);
  if (source.len > 0) memcpy(room + before.len, source.at, source.len);
  if (after.len > 0) memcpy(room + before.len + source.len, after.at, after.len);
  room[len] = 0;
  size_t name_len = strlen(file_name);
  uint32_t name = QTS_malloc(engine, (uint32_t)name_len + 1);
  room = name ? guest_room_at(&guest->in, name, (uint32_t)name_len + 1) : NULL;
  if (!room) trap_throw(TRAP_MEMORY);
  memcpy(room, file_name, name_len + 1);
  uint32_t value = QTS_Eval(engine, guest->words[JS_CONTEXT], code, (uint32_t)len, name, 0, module);
  /* The source held personal data at most by mistake; it is not needed again, so it goes. */
  room = guest_room_at(&guest->in, code, (uint32_t)len);
  if (room) bytes_wipe(room, len);
  QTS_free(engine, code);
  QTS_free(engine, name);
  return value;
}

static bool prepare_user(struct guest *guest, const struct guest_code *code, struct err *err) {
  uint64_t limit = guest->in.bytes_max - ENGINE_FIXED_BYTES;
  QTS_RuntimeSetMemoryLimit(js_engine(guest), guest->words[JS_RUNTIME], (uint32_t)limit);
  const char *name = code->file_name ? code->file_name : "function.js";
  struct bytes before = BYTES_INIT(""), after = BYTES_INIT("");
  if (!code->module) {
    before = BYTES("(function (exports, require, module, __filename, __dirname) {");
    after = BYTES("\n})");
  }
  uint32_t value = evaluate(guest, before, code->source, after, name, code->module);
  TRY(check(guest, value, err));
  uint32_t argv[2] = {value, js_string(guest, bytes_str(code->module ? "module" : "script"))};
  TRY(check(guest, call(guest, JS_LOAD, 2, argv), err));
  run_jobs(guest);
  return check(guest, call(guest, JS_LOADED, 0, NULL), err);
}

struct preparation {
  struct guest *guest;
  const struct guest_code *code; /* NULL: the base */
  struct err *err;
  bool ok;
};

static bool take_function(struct guest *guest, uint32_t object, const char *name, enum js_word word,
                          struct err *err) {
  uint32_t key = js_string(guest, bytes_str(name));
  guest->words[word] = QTS_GetProp(js_engine(guest), guest->words[JS_CONTEXT], object, key);
  js_free(guest, key);
  if (!guest->words[word]) FAIL(ERR_INTERNAL, "the prelude has no %s", name);
  return true;
}

static bool prepare_prelude(struct guest *guest, struct err *err) {
  Z_engine_instance_t *engine = js_engine(guest);
  instance_instantiate(&guest->in);
  QTS_construct(engine);
  guest->words[JS_RUNTIME] = QTS_NewRuntime(engine);
  QTS_RuntimeSetMaxStackSize(engine, guest->words[JS_RUNTIME], ENGINE_STACK_BYTES);
  guest->words[JS_CONTEXT] =
      QTS_NewContext(engine, guest->words[JS_RUNTIME], 0 /* all built-ins */);
  guest->words[JS_ARGV] = QTS_malloc(engine, 16);
  struct bytes source = bytes_of(guest_prelude, (size_t)(guest_prelude_end - guest_prelude));
  uint32_t made = evaluate(guest, BYTES_NONE, source, BYTES_NONE, "medulla:prelude", false);
  uint32_t exception = exception_of(guest, made);
  if (exception) {
    char detail[ERR_DETAIL_BYTES] = "?";
    js_with_text(guest, exception, keep_detail, detail);
    FAIL(ERR_INTERNAL, "prelude: %s", detail);
  }
  uint32_t host = js_host_object(guest);
  if (!guest_put_u32(&guest->in, guest->words[JS_ARGV], host)) trap_throw(TRAP_ABORT);
  uint32_t api = QTS_Call(engine, guest->words[JS_CONTEXT], made, QTS_GetUndefined(engine), 1,
                          guest->words[JS_ARGV]);
  exception = exception_of(guest, api);
  if (exception) {
    char detail[ERR_DETAIL_BYTES] = "?";
    js_with_text(guest, exception, keep_detail, detail);
    FAIL(ERR_INTERNAL, "prelude: %s", detail);
  }
  TRY(take_function(guest, api, "enter", JS_ENTER, err));
  TRY(take_function(guest, api, "poll", JS_POLL, err));
  TRY(take_function(guest, api, "settle", JS_SETTLE, err));
  TRY(take_function(guest, api, "load", JS_LOAD, err));
  TRY(take_function(guest, api, "loaded", JS_LOADED, err));
  return take_function(guest, api, "describe", JS_DESCRIBE, err);
}

static void prepare_body(void *arg) {
  struct preparation *p = arg;
  p->ok = p->code ? prepare_user(p->guest, p->code, p->err) : prepare_prelude(p->guest, p->err);
}

static bool prepare(struct guest *guest, const struct guest_code *code, struct err *err) {
  struct preparation p = {guest, code, err, false};
  instance_enter(&guest->in);
  int trap = trap_try(guest->in.data, prepare_body, &p);
  if (trap == TRAP_MEMORY) FAIL(ERR_LIMIT, "the top level ran out of memory");
  if (trap != TRAP_NONE) FAIL(ERR_GUEST, "the top level was stopped: %s", trap_text(trap));
  return p.ok;
}

bool js_prepare(struct guest *guest, const struct guest_code *code, struct err *err) {
  return prepare(guest, code, err);
}

bool js_prepare_base(struct guest *guest, struct err *err) {
  return prepare(guest, NULL, err);
}

bool js_open(struct guest *guest, uint64_t bytes_max, struct err *err) {
  struct instance_options options = {.shape = &engine_module,
                                     .bytes_max = bytes_max,
                                     .imported_bytes = ENGINE_BYTES_MIN,
                                     .owner = guest};
  options.functions = js_host_functions(&options.function_count);
  if (bytes_max < FUNCTION_BYTES_MIN)
    FAIL(ERR_LIMIT, "a JavaScript function needs a memory limit of at least 16 MiB");
  js_digest_init();
  return instance_open(&guest->in, &options, err);
}

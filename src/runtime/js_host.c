/* runtime/js_host.c: what the engine imports, and the functions that the prelude calls.
 *
 * A host function gets guest addresses of argument values and gives one of a result; 0 is
 * undefined. Its number is its place in the table below, the name the prelude's. */
#include "runtime/js.h"

#include "runtime/js_digest.h"
#include "runtime/memory.h"
#include "runtime/trap.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define HOST_ARGS_MAX 4
#define RANDOM_BYTES_MAX 65536u

struct host_call {
  uint32_t argc;
  uint32_t argv[HOST_ARGS_MAX]; /* value pointers */
};

static double number_arg(struct guest *guest, const struct host_call *call, uint32_t i) {
  if (i >= call->argc) return NAN;
  return QTS_GetFloat64(js_engine(guest), guest->words[JS_CONTEXT], call->argv[i]);
}

static uint32_t new_number(struct guest *guest, double value) {
  return QTS_NewFloat64(js_engine(guest), guest->words[JS_CONTEXT], value);
}

static uint32_t throw_text(struct guest *guest, const char *text) {
  uint32_t message = js_string(guest, bytes_str(text));
  return QTS_Throw(js_engine(guest), guest->words[JS_CONTEXT], message);
}

/* Takes bytes from a guest buffer that the engine then owns. */
static uint32_t new_buffer(struct guest *guest, struct bytes content) {
  uint32_t at = QTS_malloc(js_engine(guest), (uint32_t)content.len + 1);
  uint8_t *room = at ? guest_room_at(&guest->in, at, (uint32_t)content.len) : NULL;
  if (!room) trap_throw(TRAP_MEMORY);
  memcpy(room, content.at, content.len);
  return QTS_NewArrayBuffer(js_engine(guest), guest->words[JS_CONTEXT], at, (uint32_t)content.len);
}

/* ---- the prelude's functions ---- */

struct log_use {
  unsigned level;
};

static void use_log(struct guest *guest, void *arg, struct bytes text) {
  guest_log(guest, ((struct log_use *)arg)->level, text);
}

static uint32_t host_log(struct guest *guest, const struct host_call *call) {
  double level = number_arg(guest, call, 0);
  struct log_use use = {level >= 0 && level <= 3 ? (unsigned)level : GUEST_LOG_INFO};
  if (call->argc > 1) js_with_text(guest, call->argv[1], use_log, &use);
  return 0;
}

struct request_use {
  uint32_t payload;
  uint64_t ordinal;
  struct bytes effect;
};

static void use_payload(struct guest *guest, void *arg, struct bytes payload) {
  struct request_use *use = arg;
  use->ordinal = guest_request(guest, use->effect, payload);
}

static void use_effect(struct guest *guest, void *arg, struct bytes effect) {
  struct request_use *use = arg;
  use->effect = effect;
  js_with_text(guest, use->payload, use_payload, use);
}

static uint32_t host_request(struct guest *guest, const struct host_call *call) {
  if (guest->turn.preparing || call->argc < 2) return throw_text(guest, "no effects at deploy");
  struct request_use use = {.payload = call->argv[1]};
  js_with_text(guest, call->argv[0], use_effect, &use);
  return new_number(guest, (double)use.ordinal);
}

struct end_use {
  enum guest_result result;
  const char *reason;
};

static void use_end(struct guest *guest, void *arg, struct bytes text) {
  struct end_use *use = arg;
  guest_end(guest, use->result, use->reason, text);
}

/* end(how, body): 0 returned, 1 threw, 2 out of memory, 3 out of stack, 4 can't be written. */
static uint32_t host_end(struct guest *guest, const struct host_call *call) {
  static const char *const reasons[] = {"returned", "threw", "memory", "stack", "unsettled"};
  double how = number_arg(guest, call, 0);
  size_t which = how >= 0 && how <= 4 ? (size_t)how : 1;
  struct end_use use = {which == 0 ? GUEST_RETURNED : GUEST_THREW, reasons[which]};
  if (guest->turn.preparing) return throw_text(guest, "no run");
  if (call->argc > 1) js_with_text(guest, call->argv[1], use_end, &use);
  return 0;
}

static uint32_t host_elapsed(struct guest *guest, const struct host_call *call) {
  return new_number(guest, (double)guest_elapsed_ms(guest));
}

static uint32_t host_remaining(struct guest *guest, const struct host_call *call) {
  const struct guest_turn *turn = &guest->turn;
  if (turn->preparing) return new_number(guest, 0);
  int64_t left = turn->input->deadline_mono_ns - turn->host->mono_ns(turn->host->self);
  return new_number(guest, left < 0 ? 0 : floor((double)left / 1e6));
}

static uint32_t host_random(struct guest *guest, const struct host_call *call) {
  if (guest->turn.preparing) return throw_text(guest, "no randomness at deploy");
  return new_number(guest, guest_random_unit(&guest->turn.random));
}

static uint32_t host_bytes(struct guest *guest, const struct host_call *call) {
  double count = number_arg(guest, call, 0);
  if (guest->turn.preparing) return throw_text(guest, "no randomness at deploy");
  if (!(count >= 0 && count <= RANDOM_BYTES_MAX)) return throw_text(guest, "too many bytes");
  uint8_t bytes[RANDOM_BYTES_MAX];
  guest_random_fill(&guest->turn.random, bytes, (size_t)count);
  return new_buffer(guest, bytes_of(bytes, (size_t)count));
}

/* digest(which, buffer): 1, 256, 384 or 512. */
static uint32_t host_digest(struct guest *guest, const struct host_call *call) {
  Z_engine_instance_t *engine = js_engine(guest);
  uint32_t context = guest->words[JS_CONTEXT];
  struct bytes content;
  uint8_t digest[JS_DIGEST_BYTES_MAX];
  if (call->argc < 2) return throw_text(guest, "digest: two arguments");
  uint32_t at = QTS_GetArrayBuffer(engine, context, call->argv[1]);
  uint32_t len = QTS_GetArrayBufferLength(engine, context, call->argv[1]);
  if (!guest_bytes_at(&guest->in, at, len, &content)) return throw_text(guest, "digest: no buffer");
  size_t bytes = js_digest((int)number_arg(guest, call, 0), content, digest);
  if (bytes == 0) return throw_text(guest, "digest: unknown algorithm");
  return new_buffer(guest, bytes_of(digest, bytes));
}

/* input(which): 0 the context, 1 the environment; JSON texts. */
static uint32_t host_input(struct guest *guest, const struct host_call *call) {
  if (guest->turn.preparing) return js_string(guest, bytes_str("{}"));
  const struct guest_input *input = guest->turn.input;
  struct bytes text = number_arg(guest, call, 0) == 1 ? input->env : input->context;
  return js_string(guest, text.len ? text : bytes_str("{}"));
}

static const struct {
  const char *name;
  uint32_t (*function)(struct guest *guest, const struct host_call *call);
} functions[] = {
    {"log", host_log},         {"request", host_request},     {"end", host_end},
    {"elapsed", host_elapsed}, {"remaining", host_remaining}, {"random", host_random},
    {"bytes", host_bytes},     {"digest", host_digest},       {"input", host_input},
};
#define FUNCTION_COUNT (sizeof functions / sizeof *functions)

uint32_t js_host_object(struct guest *guest) {
  Z_engine_instance_t *engine = js_engine(guest);
  uint32_t context = guest->words[JS_CONTEXT];
  uint32_t object = QTS_NewObject(engine, context);
  for (uint32_t i = 0; i < FUNCTION_COUNT; i++) {
    uint32_t name = QTS_malloc(engine, 32);
    uint8_t *room = name ? guest_room_at(&guest->in, name, 32) : NULL;
    if (!room) trap_throw(TRAP_MEMORY);
    strncpy((char *)room, functions[i].name, 31);
    uint32_t function = QTS_NewFunction(engine, context, name, HOST_ARGS_MAX, 0, i);
    uint32_t key = QTS_NewString(engine, context, name);
    QTS_SetProp(engine, context, object, key, function);
    js_free(guest, key);
    js_free(guest, function);
    QTS_free(engine, name);
  }
  return object;
}

/* ---- the engine's imports ---- */

static struct guest *guest_of(struct instance *env) {
  return env->owner;
}

static uint32_t import_call(struct instance *env, uint32_t context, uint32_t this_value,
                            uint32_t argc, uint32_t argv, uint32_t number) {
  struct guest *guest = guest_of(env);
  struct host_call call = {.argc = argc < HOST_ARGS_MAX ? argc : HOST_ARGS_MAX};
  for (uint32_t i = 0; i < call.argc; i++)
    call.argv[i] = QTS_ArgvGetJSValueConstPointer(js_engine(guest), argv, i);
  return number < FUNCTION_COUNT ? functions[number].function(guest, &call) : 0;
}

static double import_date_now(struct instance *env) {
  return (double)guest_clock_ms(guest_of(env));
}

static uint32_t import_clock(struct instance *env, uint32_t clock, uint64_t precision,
                             uint32_t ret_at) {
  struct guest *guest = guest_of(env);
  int64_t ms = clock == 0 ? guest_clock_ms(guest) : guest_elapsed_ms(guest);
  return guest_put_u64(env, ret_at, (uint64_t)ms * 1000000u) ? 0 : 21;
}

/* The run's time zone is UTC: struct tm of 11 32-bit numbers, of which offset and dst are 0. */
static void import_localtime(struct instance *env, uint64_t seconds, uint32_t ret_at) {
  time_t at = (time_t)seconds;
  struct tm tm = {0};
  gmtime_r(&at, &tm);
  const int32_t numbers[11] = {tm.tm_sec, tm.tm_min,  tm.tm_hour, tm.tm_mday,
                               tm.tm_mon, tm.tm_year, tm.tm_wday, tm.tm_yday};
  for (uint32_t i = 0; i < 11; i++)
    if (!guest_put_u32(env, ret_at + 4 * i, (uint32_t)numbers[i])) trap_throw(TRAP_ABORT);
}

static void import_tzset(struct instance *env, uint32_t timezone_at, uint32_t daylight_at,
                         uint32_t std_name_at, uint32_t dst_name_at) {
  if (!guest_put_u32(env, timezone_at, 0) || !guest_put_u32(env, daylight_at, 0) ||
      !guest_put_u32(env, std_name_at, 0x435455) || !guest_put_u32(env, dst_name_at, 0x435455))
    trap_throw(TRAP_ABORT); /* 0x435455: "UTC" and its NUL */
}

static uint32_t import_resize(struct instance *env, uint32_t bytes) {
  wasm_rt_memory_t *memory = env->memory;
  uint64_t limit = (uint64_t)memory->max_pages * WASM_PAGE_BYTES;
  if (bytes <= memory->size) return 1;
  if (bytes > limit) return 0;
  /* Some ahead: growing is a system call. */
  uint64_t wanted = (uint64_t)bytes + (1u << 20);
  if (wanted > limit) wanted = limit;
  uint64_t pages = (wanted - memory->size + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES;
  return memory_grow(memory, (uint32_t)pages) != UINT32_MAX;
}

static uint32_t import_no_environ(struct instance *env, uint32_t count_at, uint32_t bytes_at) {
  return guest_put_u32(env, count_at, 0) && guest_put_u32(env, bytes_at, 0) ? 0 : 21;
}

/* The engine's own prints (assertions) have no reader: say that all was written. */
static uint32_t import_write(struct instance *env, uint32_t fd, uint32_t parts, uint32_t count,
                             uint32_t ret_at) {
  uint32_t total = 0;
  for (uint32_t i = 0; i < count && i < 1024; i++) {
    uint32_t len = 0;
    if (!guest_u32_at(env, parts + 8 * i + 4, &len)) return 21;
    total += len;
  }
  return guest_put_u32(env, ret_at, total) ? 0 : 21;
}

static uint32_t import_zero_2(struct instance *env, uint32_t a, uint32_t b) {
  return 0;
}
static uint32_t import_close(struct instance *env, uint32_t fd) {
  return 52; /* ENOSYS, as the engine's own glue answers */
}
static uint32_t import_seek(struct instance *env, uint32_t fd, uint64_t to, uint32_t whence,
                            uint32_t ret_at) {
  return 70; /* ESPIPE */
}
static uint32_t import_set_timer(struct instance *env, uint32_t which, double ms) {
  return 0;
}
static uint32_t import_interrupt(struct instance *env, uint32_t runtime) {
  return 0; /* the launcher ends what takes too long */
}
static uint32_t import_load_module(struct instance *env, uint32_t runtime, uint32_t context,
                                   uint32_t name) {
  return 0;
}
static uint32_t import_normalize(struct instance *env, uint32_t runtime, uint32_t context,
                                 uint32_t base, uint32_t name) {
  return 0;
}
static void import_nothing(struct instance *env) {
}
static void import_free_ref(struct instance *env, uint32_t runtime, uint32_t id) {
}
static void import_abort(struct instance *env) {
  trap_throw(TRAP_ABORT);
}
static void import_exit(struct instance *env, uint32_t status) {
  trap_throw(TRAP_ABORT);
}
static void import_assert(struct instance *env, uint32_t text, uint32_t file, uint32_t line,
                          uint32_t function) {
  trap_throw(TRAP_ABORT);
}

#define IMPORT(NAME, signature, function) \
  { "a", ENGINE_IMPORT_##NAME, signature, (module_fn)function }
static const struct host_function imports[] = {
    IMPORT(CALL, "iiiii:i", import_call),
    IMPORT(DATE_NOW, ":F", import_date_now),
    IMPORT(CLOCK_TIME_GET, "iIi:i", import_clock),
    IMPORT(LOCALTIME, "Ii:v", import_localtime),
    IMPORT(TZSET, "iiii:v", import_tzset),
    IMPORT(RESIZE_HEAP, "i:i", import_resize),
    IMPORT(ENVIRON_GET, "ii:i", import_zero_2),
    IMPORT(ENVIRON_SIZES_GET, "ii:i", import_no_environ),
    IMPORT(FD_WRITE, "iiii:i", import_write),
    IMPORT(FD_CLOSE, "i:i", import_close),
    IMPORT(FD_SEEK, "iIii:i", import_seek),
    IMPORT(SET_TIMER, "iF:i", import_set_timer),
    IMPORT(INTERRUPT, "i:i", import_interrupt),
    IMPORT(LOAD_MODULE, "iii:i", import_load_module),
    IMPORT(NORMALIZE_MODULE, "iiii:i", import_normalize),
    IMPORT(KEEPALIVE_CLEAR, ":v", import_nothing),
    IMPORT(FREE_HOST_REF, "ii:v", import_free_ref),
    IMPORT(ABORT, ":v", import_abort),
    IMPORT(EXIT, "i:v", import_exit),
    IMPORT(ASSERT_FAIL, "iiii:v", import_assert),
};

const struct host_function *js_host_functions(size_t *ret_count) {
  *ret_count = sizeof imports / sizeof *imports;
  return imports;
}

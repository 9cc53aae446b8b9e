/* runtime/wasm.c: user modules: reactors that export `handler`, and commands (`_start`).
 *
 * A reactor's _initialize runs before the snapshot, so each run begins with globals made. A
 * command has no such moment: its snapshot is its data, and main runs for each event with the
 * event on stdin and the result on stdout. */
#include "runtime/wasm.h"

#include "base/must.h"
#include "runtime/trap.h"
#include "runtime/wasm_impl.h"
#include "wire/json.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_ARENA_BYTES_MAX (256u << 20)

struct guest *wasm_guest(const struct instance *env) {
  return env->owner;
}

struct wasm_language *wasm_language(const struct instance *env) {
  return wasm_guest(env)->language;
}

/* ---- open and prepare ---- */

const struct host_function *wasm_functions(size_t *ret_count) {
  static struct host_function all[128];
  size_t count = wasm_wasi_function_count + wasm_abi_function_count;
  must(count <= sizeof all / sizeof *all);
  memcpy(all, wasm_wasi_functions, wasm_wasi_function_count * sizeof *all);
  memcpy(all + wasm_wasi_function_count, wasm_abi_functions, wasm_abi_function_count * sizeof *all);
  *ret_count = count;
  return all;
}

static bool find_handler(struct guest *guest, struct wasm_language *language, struct err *err) {
  language->handler = instance_export(&guest->in, "handler", ":v");
  if (language->handler) return true;
  language->handler = instance_export(&guest->in, "handler", ":i");
  language->gives_status = language->handler != NULL;
  if (language->handler) return true;
  language->handler = instance_export(&guest->in, "_start", ":v");
  language->command = language->handler != NULL;
  if (language->handler) return true;
  FAIL(ERR_MALFORMED, "exports neither \"handler\" (no parameters, no result or an i32) nor "
                      "\"_start\"");
}

bool wasm_open(struct guest *guest, const struct guest_code *code, struct err *err) {
  guest->module = dlopen(code->module_path, RTLD_NOW | RTLD_LOCAL);
  if (!guest->module) FAIL(ERR_NOT_FOUND, "the translated module cannot be loaded: %s", dlerror());
  const struct module_shape *shape = dlsym(guest->module, "medulla_module");
  if (!shape) FAIL(ERR_CORRUPT, "the translated module has no shape");
  struct wasm_language *language = must_alloc(sizeof *language);
  guest->language = language;
  buf_init(&language->lines[0], GUEST_LOG_LINE_BYTES_MAX);
  buf_init(&language->lines[1], GUEST_LOG_LINE_BYTES_MAX);
  arena_init(&language->arena, WASM_ANSWERS_BYTES_MAX);
  struct instance_options options = {
      .shape = shape, .bytes_max = code->memory_bytes_max, .owner = guest};
  options.functions = wasm_functions(&options.function_count);
  TRY(instance_open(&guest->in, &options, err));
  if (shape->memory_offset == MODULE_MEMORY_NONE)
    FAIL(ERR_UNSUPPORTED, "the module has no memory, so it could not read an event");
  return find_handler(guest, language, err);
}

static void prepare_body(void *arg) {
  struct guest *guest = arg;
  const struct wasm_language *language = guest->language;
  instance_instantiate(&guest->in);
  module_fn initialize = instance_export(&guest->in, "_initialize", ":v");
  if (initialize && !language->command) ((void (*)(void *))initialize)(guest->in.at);
}

/* Linking has placed the data already; instantiating places it again, into the same memory. */
bool wasm_prepare(struct guest *guest, const struct guest_code *code, struct err *err) {
  const struct wasm_language *language = guest->language;
  instance_enter(&guest->in);
  int trap = trap_try(guest->in.data, prepare_body, guest);
  if (trap == TRAP_NONE) return true;
  if (language->refused)
    FAIL(ERR_GUEST, "the module asked for %s while it was deployed; do that in the handler",
         language->refused);
  FAIL(ERR_GUEST, "the module's start was stopped: %s", trap_text(trap));
}

void wasm_close(struct guest *guest) {
  struct wasm_language *language = guest->language;
  if (language) {
    buf_fini(&language->lines[0]);
    buf_fini(&language->lines[1]);
    arena_fini(&language->arena);
    free(language);
  }
  if (guest->module) dlclose(guest->module);
}

/* ---- output ---- */

bool wasm_result(struct guest *guest, struct bytes part) {
  struct buf *body = guest->turn.output->body;
  if (body->len + part.len > GUEST_OUTPUT_BYTES_MAX) return false;
  buf_put(body, part);
  return buf_ok(body);
}

static void print_line(struct guest *guest, unsigned which) {
  struct wasm_language *language = guest->language;
  struct buf *line = &language->lines[which];
  guest_log(guest, which ? GUEST_LOG_ERROR : GUEST_LOG_INFO, buf_bytes(line));
  bytes_wipe(line->at, line->len);
  buf_reset(line);
}

void wasm_print(struct guest *guest, unsigned which, struct bytes part) {
  struct wasm_language *language = guest->language;
  while (part.len > 0) {
    bool whole = bytes_find(part, '\n') < part.len;
    struct bytes piece = bytes_cut(part, '\n', &part);
    size_t room = GUEST_LOG_LINE_BYTES_MAX - language->lines[which].len;
    buf_put(&language->lines[which], bytes_sub(piece, 0, room));
    if (whole) print_line(guest, which);
  }
}

void wasm_print_rest(struct guest *guest) {
  struct wasm_language *language = guest->language;
  for (unsigned which = 0; which < 2; which++)
    if (language->lines[which].len > 0) print_line(guest, which);
}

/* ---- one run ---- */

/* The result must be JSON. What a command prints may be any text; then it becomes a string. */
static void end_returned(struct guest *guest) {
  struct wasm_language *language = guest->language;
  struct buf *body = guest->turn.output->body;
  const struct json *value;
  struct err err;
  struct arena arena;
  if (body->len == 0) buf_str(body, "null");
  arena_init(&arena, JSON_ARENA_BYTES_MAX);
  bool is_json = json_parse(&arena, buf_bytes(body), &value, &err);
  arena_fini(&arena);
  if (is_json) {
    guest_end(guest, GUEST_RETURNED, "returned", buf_bytes(body));
  } else if (language->command) {
    struct buf text;
    struct json_out out;
    buf_init(&text, GUEST_OUTPUT_BYTES_MAX);
    json_out_init(&out, &text);
    json_out_string(&out, buf_bytes(body));
    guest_end(guest, GUEST_RETURNED, "returned", buf_bytes(&text));
    buf_fini(&text);
  } else {
    guest_end_error(guest, GUEST_THREW, "threw", "Medulla.Unserializable",
                    "the result that the module wrote is not JSON");
  }
}

static void end_status(struct guest *guest, uint32_t status) {
  char text[96];
  if (guest->turn.ended) return;
  if (status == 0) {
    end_returned(guest);
    return;
  }
  snprintf(text, sizeof text, "the module ended with status %u", status);
  guest_end_error(guest, GUEST_THREW, "threw", "Medulla.Exit", text);
}

static void call_body(void *arg) {
  struct guest *guest = arg;
  struct wasm_language *language = guest->language;
  struct bytes wanted = guest->turn.input->handler;
  module_fn handler = language->handler;
  bool gives_status = language->gives_status;
  if (wanted.len > 0 && !language->command && !bytes_eq_str(wanted, "handler")) {
    char name[256];
    bytes_text(wanted, name, sizeof name);
    handler = instance_export(&guest->in, name, ":v");
    gives_status = !handler;
    if (!handler) handler = instance_export(&guest->in, name, ":i");
  }
  if (!handler) {
    guest_end_error(guest, GUEST_THREW, "threw", "Runtime.HandlerNotFound",
                    "the module exports no function of that name");
    return;
  }
  if (gives_status)
    language->exit_status = ((uint32_t(*)(void *))handler)(guest->in.at);
  else
    ((void (*)(void *))handler)(guest->in.at);
}

void wasm_run(struct guest *guest) {
  struct wasm_language *language = guest->language;
  language->stdin_at = 0;
  language->answers = NULL;
  language->last = (struct wasm_answer){0};
  language->environ_ready = false;
  language->exit_status = 0;
  buf_reset(guest->turn.output->body);
  int trap = trap_try(guest->in.data, call_body, guest);
  wasm_print_rest(guest);
  arena_reset(&language->arena);
  if (trap == TRAP_NONE || trap == TRAP_EXIT)
    end_status(guest, language->exit_status);
  else
    trap_throw(trap);
}

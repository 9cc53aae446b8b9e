/* runtime/wasm_impl.h: what wasm.c, wasm_wasi.c and wasm_abi.c share.
 * Owns:    struct wasm_language owns its buffers and the answers not yet asked for.
 * Errors:  none: a module's wrong argument is an errno or a status for the module.
 * Threads: one run at a time per process.
 * Limits:  WASM_ANSWERS_BYTES_MAX of answers kept.                                   */
#ifndef MEDULLA_RUNTIME_WASM_IMPL_H
#define MEDULLA_RUNTIME_WASM_IMPL_H

#include "base/arena.h"
#include "runtime/wasm.h"

#define WASM_ANSWERS_BYTES_MAX (64u << 20)
#define WASM_ENVIRON_MAX 256

struct wasm_answer {
  struct wasm_answer *next;
  uint64_t ordinal;
  bool ok;
  struct bytes body;
};

struct wasm_language {
  bool command;                           /* _start with the event on stdin; else handler */
  module_fn handler;                      /* the default one */
  bool gives_status;                      /* handler's signature is :i */
  size_t stdin_at;                        /* how much of the event was read */
  struct buf lines[2];                    /* of stdout and stderr, up to the next newline */
  struct arena arena;                     /* this run's answers and environment */
  struct wasm_answer *answers;            /* arrived, not yet waited for */
  struct wasm_answer last;                /* what answer_read reads */
  struct bytes environ[WASM_ENVIRON_MAX]; /* "NAME=value" with its NUL */
  uint32_t environ_count;
  uint32_t environ_bytes;
  bool environ_ready;
  uint32_t exit_status;
  const char *refused; /* what it asked for while preparing, for the error */
};

struct wasm_language *wasm_language(const struct instance *env);
struct guest *wasm_guest(const struct instance *env);
/* Appends to the result; false past GUEST_OUTPUT_BYTES_MAX. */
bool wasm_result(struct guest *guest, struct bytes part);
/* What a stream got: whole lines are logged. which: 0 stdout, 1 stderr. */
void wasm_print(struct guest *guest, unsigned which, struct bytes part);
void wasm_print_rest(struct guest *guest);

const struct host_function *wasm_functions(size_t *ret_count); /* both modules' */
extern const struct host_function wasm_wasi_functions[];
extern const size_t wasm_wasi_function_count;
extern const struct host_function wasm_abi_functions[];
extern const size_t wasm_abi_function_count;

#endif

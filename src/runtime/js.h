/* runtime/js.h: what js.c and js_host.c share.
 * Owns:    nothing; values are guest addresses and the guest's.
 * Errors:  the engine out of memory: trap TRAP_MEMORY.
 * Threads: one run at a time per process.                      */
#ifndef MEDULLA_RUNTIME_JS_H
#define MEDULLA_RUNTIME_JS_H

#include "runtime/guest_impl.h"

#include "engine_names.h" /* written by the build: QTS_* and ENGINE_IMPORT_* */

/* Which word of the snapshot is what: guest addresses of the engine's objects and values. */
enum js_word {
  JS_RUNTIME,
  JS_CONTEXT,
  JS_ARGV, /* room for 3 argument pointers and 1 result pointer */
  JS_ENTER,
  JS_POLL,
  JS_SETTLE,
  JS_LOAD,
  JS_LOADED,
  JS_DESCRIBE,
};

extern const struct module_shape engine_module;
extern const uint8_t guest_prelude[], guest_prelude_end[];

Z_engine_instance_t *js_engine(const struct guest *guest);
uint32_t js_string(struct guest *guest, struct bytes text);
void js_free(struct guest *guest, uint32_t value);
/* Calls use with the value's text. False: the engine could not make it. */
bool js_with_text(struct guest *guest, uint32_t value,
                  void (*use)(struct guest *guest, void *arg, struct bytes text), void *arg);
/* The object of host functions that the prelude gets. */
uint32_t js_host_object(struct guest *guest);
const struct host_function *js_host_functions(size_t *ret_count);

#endif

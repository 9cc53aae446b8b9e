/* runtime/wasm.h: user modules, translated by the builder, as a language of the guest.
 * Owns:    what guest->language and guest->module hold.
 * Errors:  as runtime/guest.h.
 * Threads: one run at a time per process.                                            */
#ifndef MEDULLA_RUNTIME_WASM_H
#define MEDULLA_RUNTIME_WASM_H

#include "runtime/guest_impl.h"

bool wasm_open(struct guest *guest, const struct guest_code *code, struct err *err) MUST_CHECK;
bool wasm_prepare(struct guest *guest, const struct guest_code *code, struct err *err) MUST_CHECK;
void wasm_run(struct guest *guest); /* under trap_try */
void wasm_close(struct guest *guest);

#endif

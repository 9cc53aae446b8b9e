/* runtime/trap.h: run translated code so that a trap comes back as a value.
 * Owns:    the process's SIGSEGV and SIGBUS handlers and an alternate stack, once installed.
 * Errors:  none; what is not a trap of the code under way kills the process as before.
 * Threads: one at a time per process.
 * Limits:  TRAP_STACK_BYTES of native stack below the call count as the guest's own overflow. */
#ifndef MEDULLA_RUNTIME_TRAP_H
#define MEDULLA_RUNTIME_TRAP_H

#include "runtime/module.h"

#define TRAP_STACK_BYTES (64u << 20)

/* Beyond wasm_rt_trap_t. */
enum { TRAP_NONE = 0, TRAP_EXIT = 100, TRAP_MEMORY, TRAP_ABORT };

/* Before trap_try; again where others may have taken the handlers over. */
void trap_install(void);
/* Calls body(arg). Returns TRAP_NONE, or the code it trapped with. `data` is its linear memory. */
int trap_try(const uint8_t *data, void (*body)(void *arg), void *arg);
/* From within the body. */
__attribute__((noreturn)) void trap_throw(int code);
/* A sentence for people. */
const char *trap_text(int code);

#endif

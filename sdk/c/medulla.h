/* medulla.h: what a WebAssembly function finds in Medulla. For C and C++; other languages import
 * the same names from the module "medulla".
 *
 * A function is a module that exports
 *   handler        void or int32_t (0: done, else failed), without parameters: called per event, or
 *   _start         a program: the event on stdin, the result on stdout.
 * A module with `handler` may export _initialize (wasi-libc's reactors do): it runs once, when the
 * function is deployed, and every run starts from the memory it left. Nothing a run writes is seen
 * by the next.
 *
 * Units:   bytes; milliseconds.
 * Errors:  a status: MEDULLA_OK, MEDULLA_FAILED (the answer is an error object: name, message,
 *          code), MEDULLA_REFUSED (not sent: too many effects, or not during a run). Addresses
 *          outside the module's memory trap.
 * Limits:  result 6 MiB; 10,000 effects per run; 64 KiB per log line; answers not yet read 64 MiB.
 *
 * Build: clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -Wl,--export=handler f.c -o f.wasm  */
#ifndef MEDULLA_H
#define MEDULLA_H

#include <stdint.h>

#define MEDULLA_ABI 1
#define MEDULLA_IMPORT(name) __attribute__((import_module("medulla"), import_name(#name))) extern

enum { MEDULLA_OK, MEDULLA_FAILED, MEDULLA_REFUSED };
enum { MEDULLA_DEBUG, MEDULLA_INFO, MEDULLA_WARN, MEDULLA_ERROR };

/* The event: JSON, UTF-8. Reading gives how many bytes came, from offset `at`. */
MEDULLA_IMPORT(event_size) uint32_t medulla_event_size(void);
MEDULLA_IMPORT(event_read) uint32_t medulla_event_read(void *to, uint32_t at, uint32_t bytes);
/* The run: {"awsRequestId", "functionName", "functionVersion", "deadlineMs", ...}. */
MEDULLA_IMPORT(context_size) uint32_t medulla_context_size(void);
MEDULLA_IMPORT(context_read) uint32_t medulla_context_read(void *to, uint32_t at, uint32_t bytes);

/* Appends to the result, which as a whole must be JSON. */
MEDULLA_IMPORT(result_write) uint32_t medulla_result_write(const void *text, uint32_t bytes);
/* Ends the run as failed: {"errorType", "errorMessage"}. Does not return. */
MEDULLA_IMPORT(fail) void medulla_fail(const void *json, uint32_t bytes);
MEDULLA_IMPORT(log) void medulla_log(uint32_t level, const void *text, uint32_t bytes);

/* Asks for an effect, "state.get" for example, with a JSON payload, and waits for its answer. */
MEDULLA_IMPORT(call)
uint32_t medulla_call(const void *effect, uint32_t effect_bytes, const void *payload,
                      uint32_t payload_bytes);
/* The same in two steps, so that several are under way at once. 0: refused. */
MEDULLA_IMPORT(send)
uint64_t medulla_send(const void *effect, uint32_t effect_bytes, const void *payload,
                      uint32_t payload_bytes);
MEDULLA_IMPORT(wait) uint32_t medulla_wait(uint64_t sent);
/* The answer that the last call or wait gave: JSON. */
MEDULLA_IMPORT(answer_size) uint32_t medulla_answer_size(void);
MEDULLA_IMPORT(answer_read) uint32_t medulla_answer_read(void *to, uint32_t at, uint32_t bytes);

/* The run's own clock (UTC), time left, and randomness (none while deploying). */
MEDULLA_IMPORT(clock_ms) int64_t medulla_clock_ms(void);
MEDULLA_IMPORT(remaining_ms) int64_t medulla_remaining_ms(void);
MEDULLA_IMPORT(random) void medulla_random(void *to, uint32_t bytes);

#endif

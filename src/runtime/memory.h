/* runtime/memory.h: what instance.c needs of linear memory.
 * Owns:    the reservation, in struct instance.
 * Units:   bytes; pages of 64 KiB.
 * Errors:  memory_reserve: NO_MEMORY.
 * Threads: one at a time per process.                      */
#ifndef MEDULLA_RUNTIME_MEMORY_H
#define MEDULLA_RUNTIME_MEMORY_H

#include "runtime/instance.h"

bool memory_reserve(struct instance *instance, struct err *err) MUST_CHECK;
void memory_release(struct instance *instance);
/* An empty memory at the reservation; it becomes the instance's. */
void memory_begin(struct instance *instance, wasm_rt_memory_t *memory);
/* As the instruction: the pages before, or UINT32_MAX. */
uint32_t memory_grow(wasm_rt_memory_t *memory, uint32_t pages);
void memory_drop(struct instance *instance, uint64_t bytes);

#endif

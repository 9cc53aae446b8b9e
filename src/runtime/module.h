/* runtime/module.h: what a translated WebAssembly module and this runtime know of each other.
 * Owns:    nothing; everything in a shape is static in the module.
 * Units:   bytes; pages of 64 KiB are WebAssembly's, blocks are ours.
 * Errors:  a trap ends the call through module_runtime.trap and does not return.
 * Threads: one run at a time per process.
 * Limits:  MODULE_CALL_DEPTH_MAX calls deep; then the module traps.
 *
 * wasm2c turns a module into C; tools/wasm2c-mark puts this header before that code,
 * module_marks.h after its macros, and a struct module_shape behind it. The object then calls
 * nothing of ours by name: imports and runtime services go through pointers that
 * guest_module_bind() fills in. It needs only <wasm-rt.h> and libc, so that the builder can compile
 * against these two headers alone.                                                              */
#ifndef MEDULLA_RUNTIME_MODULE_H
#define MEDULLA_RUNTIME_MODULE_H

#define MODULE_CALL_DEPTH_MAX 6000

#define NDEBUG 1
#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 1
#define WASM_RT_USE_STACK_DEPTH_COUNT 1
#define WASM_RT_MAX_CALL_STACK_DEPTH MODULE_CALL_DEPTH_MAX
#include <wasm-rt.h>

#include <stddef.h>

/* The dirty map lies directly below the data: one byte per block, for every address a 32-bit base
 * and a 32-bit offset can reach, so that marking needs no check and no second pointer. */
#define MODULE_BLOCK_SHIFT 10
#define MODULE_BLOCK_BYTES (1u << MODULE_BLOCK_SHIFT)
#define MODULE_MAP_BYTES ((8ull << 30 >> MODULE_BLOCK_SHIFT) + 4096)

#define MODULE_ABI 1 /* of struct module_shape */

typedef void (*module_fn)(void);

struct module_runtime {
  void (*trap)(unsigned code) __attribute__((noreturn));
  void (*memory_allocate)(wasm_rt_memory_t *memory, uint32_t pages, uint32_t pages_max);
  uint32_t (*memory_grow)(wasm_rt_memory_t *memory, uint32_t pages);
  void (*table_allocate)(wasm_rt_funcref_table_t *table, uint32_t count);
  /* A number for a signature: equal signatures get equal numbers. */
  uint32_t (*type)(const uint8_t *codes, uint32_t params, uint32_t results);
};

/* A scalar of the instance that a run can change. */
struct module_field {
  const char *name;
  uint32_t offset, bytes;
};

/* Signature: one letter per parameter, a colon, the result: i I f F for i32 i64 f32 f64; v none. */
struct module_import {
  const char *module, *name, *signature;
  module_fn *slot;
};
struct module_export {
  const char *name, *signature;
  module_fn function;
};

struct module_elem {
  uint32_t type_index; /* in *types */
  module_fn function;
  size_t module_offset;
};
/* Functions that tables can hold. */
struct module_segment {
  const struct module_elem *elems;
  uint32_t count;
};

struct module_shape {
  uint32_t abi, instance_bytes;
  const struct module_field *fields;
  const uint32_t *tables; /* offsets of the funcref tables in the instance */
  const struct module_segment *segments;
  const struct module_import *imports;
  const struct module_export *exports;
  uint32_t field_count, table_count, segment_count, import_count, export_count;
  int64_t memory_offset; /* of the module's own memory; MODULE_MEMORY_NONE or _IMPORTED */
  const uint32_t *types;
  uint32_t *depth;               /* of the current call */
  uint8_t **data;                /* base of memory; set before each call */
  unsigned char *tables_changed; /* set by every table instruction */
  const struct module_runtime **runtime;
  void (*init)(void);
  void (*instantiate)(void *instance, void *env);
  void (*link)(void *instance, void *env); /* instantiate without the start function */
};
#define MODULE_MEMORY_NONE (-1)
#define MODULE_MEMORY_IMPORTED (-2) /* env starts with the wasm_rt_memory_t to use */

#endif

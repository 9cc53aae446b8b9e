/* runtime/instance.h: one translated module with its linear memory, and how it becomes pristine.
 * Owns:    the reservation, the module's instance struct, tables, and copies of both as they were
 *          at the snapshot. Snapshot pages are borrowed (see instance_pristine).
 * Units:   bytes; blocks of MODULE_BLOCK_BYTES.
 * Errors:  NO_MEMORY (the reservation fails), UNSUPPORTED (an import nobody provides), LIMIT.
 * Threads: one at a time per process.
 * Limits:  bytes_max of memory, INSTANCE_TABLE_MAX entries per table.
 *
 *   reserve                    data                  data + size         data + 8 GiB + 64 KiB
 *   | dirty map, 2 MiB + 4 KiB | accessible memory   | no access .........|
 *
 * Every offset and length that comes from a guest becomes bytes through guest_bytes_at() or
 * guest_room_at(), and nowhere else.                                                            */
#ifndef MEDULLA_RUNTIME_INSTANCE_H
#define MEDULLA_RUNTIME_INSTANCE_H

#include "base/bytes.h"
#include "base/err.h"
#include "runtime/module.h"

#define INSTANCE_TABLE_MAX (1u << 20)
#define INSTANCE_BYTES_MAX ((4ull << 30) - (64u << 10))
#define WASM_PAGE_BYTES 65536u

struct instance {
  wasm_rt_memory_t imported; /* first: the env pointer of imports is one of the instance */
  void *owner;               /* for host functions */
  const struct module_shape *shape;
  wasm_rt_memory_t *memory; /* the module's own, or `imported` */
  void *at;                 /* the module's instance struct */
  uint8_t *reserve, *data;
  uint64_t bytes_max;
  /* As it was at the snapshot. */
  void *saved;
  wasm_rt_funcref_t **saved_tables;
  const uint8_t **blocks; /* content by block; NULL: zero */
  uint32_t block_count;
};

/* What imports are bound to: module, name and signature must match. */
struct host_function {
  const char *module, *name, *signature;
  module_fn function;
};

struct instance_options {
  const struct module_shape *shape;      /* Required */
  const struct host_function *functions; /* Required, unless it imports nothing */
  size_t function_count;
  uint64_t bytes_max;      /* Required: of linear memory */
  uint64_t imported_bytes; /* initial size of a memory that the module imports; 0: it may not */
  void *owner;             /* for host functions */
};

/* Reserves memory and links the module, without its start function. */
bool instance_open(struct instance *instance, const struct instance_options *options,
                   struct err *err) MUST_CHECK;
void instance_close(struct instance *instance);
/* Before each call into the module: several instances of one module share its statics. */
void instance_enter(const struct instance *instance);
/* Links anew, start function included; under trap_try. */
void instance_instantiate(struct instance *instance);
/* Sets memory to `bytes`, no more and no less accessible; new bytes are zero. */
bool instance_resize(struct instance *instance, uint64_t bytes, struct err *err) MUST_CHECK;
/* From now on `blocks` (taken over; the bytes in it stay the caller's) is what memory is restored
 * to, and fields and tables as they are now. Memory is made equal to it. */
void instance_pristine(struct instance *instance, const uint8_t **blocks_take);
/* Puts back what changed. Returns the number of blocks put back. */
uint32_t instance_restore(struct instance *instance);
/* After a trap: marks beyond memory can be left. */
void instance_forget_stray_marks(struct instance *instance);
bool instance_is_pristine(const struct instance *instance, struct err *err) MUST_CHECK;

/* An exported function, or NULL. */
module_fn instance_export(const struct instance *instance, const char *name, const char *signature);
/* The table entry's number in the module's segments, counted from 1; 0: null; UINT32_MAX: unknown.
 */
uint32_t instance_table_number(const struct instance *instance, const wasm_rt_funcref_t *entry);
wasm_rt_funcref_t instance_table_entry(const struct instance *instance, uint32_t number);
wasm_rt_funcref_table_t *instance_table(const struct instance *instance, uint32_t table);

/* The only ways to guest memory. False or NULL: outside of it. */
bool guest_bytes_at(const struct instance *instance, uint32_t at, uint32_t len,
                    struct bytes *ret_bytes) MUST_CHECK;
uint8_t *guest_room_at(struct instance *instance, uint32_t at, uint32_t len); /* marks it */
bool guest_text_at(const struct instance *instance, uint32_t at,
                   struct bytes *ret_text) MUST_CHECK; /* up to its NUL, which must be there */
bool guest_u32_at(const struct instance *instance, uint32_t at, uint32_t *ret_value) MUST_CHECK;
bool guest_put_u32(struct instance *instance, uint32_t at, uint32_t value) MUST_CHECK;
bool guest_put_u64(struct instance *instance, uint32_t at, uint64_t value) MUST_CHECK;

#endif

/* runtime/module_marks.h: makes translated code record what it writes; see runtime/module.h.
 * Owns:    nothing.
 * Threads: as module.h.
 *
 * Included once by tools/wasm2c-mark, in the middle of wasm2c's output: after the definitions of
 * its store, fill, copy and table functions, before the code that uses them. Each name becomes a
 * macro that marks first and stores then: a store that traps may mark too much, never too little.
 */

static const struct module_runtime *module_runtime_at;
static unsigned char module_tables_changed;
/* wasm-rt.h declares its own, which the compiler would have to read and write at every call, as any
 * pointer may point to it. To what is static here and never has its address taken in this code, no
 * pointer can; so the base of memory stays in a register, too. */
static uint32_t module_depth;
static uint8_t *module_data;
#define wasm_rt_call_stack_depth module_depth

static inline void module_mark(u64 addr, unsigned bytes) {
  uint8_t *map = module_data - MODULE_MAP_BYTES;
  map[addr >> MODULE_BLOCK_SHIFT] = 1;
  if (bytes > 1) map[(addr + bytes - 1) >> MODULE_BLOCK_SHIFT] = 1;
}

static inline void module_mark_range(u32 addr, u32 bytes) {
  uint8_t *map = module_data - MODULE_MAP_BYTES;
  if (bytes == 0) return;
  u64 first = addr >> MODULE_BLOCK_SHIFT;
  u64 last = ((u64)addr + bytes - 1) >> MODULE_BLOCK_SHIFT;
  memset(map + first, 1, last - first + 1);
}

#define MODULE_STORE(name, stored, given) \
  static inline void module_##name(u64 addr, given value) { \
    stored narrow = (stored)value; \
    module_mark(addr, sizeof(stored)); \
    wasm_rt_memcpy(module_data + addr, &narrow, sizeof narrow); \
  }
MODULE_STORE(i32_store, u32, u32)
MODULE_STORE(i64_store, u64, u64)
MODULE_STORE(f32_store, f32, f32)
MODULE_STORE(f64_store, f64, f64)
MODULE_STORE(i32_store8, u8, u32)
MODULE_STORE(i32_store16, u16, u32)
MODULE_STORE(i64_store8, u8, u64)
MODULE_STORE(i64_store16, u16, u64)
MODULE_STORE(i64_store32, u32, u64)
#define i32_store(mem, addr, value) module_i32_store(addr, value)
#define i64_store(mem, addr, value) module_i64_store(addr, value)
#define f32_store(mem, addr, value) module_f32_store(addr, value)
#define f64_store(mem, addr, value) module_f64_store(addr, value)
#define i32_store8(mem, addr, value) module_i32_store8(addr, value)
#define i32_store16(mem, addr, value) module_i32_store16(addr, value)
#define i64_store8(mem, addr, value) module_i64_store8(addr, value)
#define i64_store16(mem, addr, value) module_i64_store16(addr, value)
#define i64_store32(mem, addr, value) module_i64_store32(addr, value)

/* A load whose value nobody uses must trap all the same: the asm keeps it. */
#define MODULE_LOAD(name, loaded, extended, given) \
  static inline given module_##name(u64 addr) { \
    loaded value; \
    wasm_rt_memcpy(&value, module_data + addr, sizeof value); \
    wasm_asm("" ::"r"(value)); \
    return (given)(extended)value; \
  }
MODULE_LOAD(i32_load, u32, u32, u32)
MODULE_LOAD(i64_load, u64, u64, u64)
MODULE_LOAD(f32_load, f32, f32, f32)
MODULE_LOAD(f64_load, f64, f64, f64)
MODULE_LOAD(i32_load8_s, s8, s32, u32)
MODULE_LOAD(i64_load8_s, s8, s64, u64)
MODULE_LOAD(i32_load8_u, u8, u32, u32)
MODULE_LOAD(i64_load8_u, u8, u64, u64)
MODULE_LOAD(i32_load16_s, s16, s32, u32)
MODULE_LOAD(i64_load16_s, s16, s64, u64)
MODULE_LOAD(i32_load16_u, u16, u32, u32)
MODULE_LOAD(i64_load16_u, u16, u64, u64)
MODULE_LOAD(i64_load32_s, s32, s64, u64)
MODULE_LOAD(i64_load32_u, u32, u64, u64)
#define i32_load(mem, addr) module_i32_load(addr)
#define i64_load(mem, addr) module_i64_load(addr)
#define f32_load(mem, addr) module_f32_load(addr)
#define f64_load(mem, addr) module_f64_load(addr)
#define i32_load8_s(mem, addr) module_i32_load8_s(addr)
#define i64_load8_s(mem, addr) module_i64_load8_s(addr)
#define i32_load8_u(mem, addr) module_i32_load8_u(addr)
#define i64_load8_u(mem, addr) module_i64_load8_u(addr)
#define i32_load16_s(mem, addr) module_i32_load16_s(addr)
#define i64_load16_s(mem, addr) module_i64_load16_s(addr)
#define i32_load16_u(mem, addr) module_i32_load16_u(addr)
#define i64_load16_u(mem, addr) module_i64_load16_u(addr)
#define i64_load32_s(mem, addr) module_i64_load32_s(addr)
#define i64_load32_u(mem, addr) module_i64_load32_u(addr)

/* The originals check the range and trap before they write; so do these before they mark. */
static inline void module_fill(wasm_rt_memory_t *mem, u32 at, u32 value, u32 bytes) {
  RANGE_CHECK(mem, at, bytes);
  module_mark_range(at, bytes);
  memory_fill(mem, at, value, bytes);
}
static inline void module_copy(wasm_rt_memory_t *to, const wasm_rt_memory_t *from, u32 to_at,
                               u32 from_at, u32 bytes) {
  RANGE_CHECK(to, to_at, bytes);
  module_mark_range(to_at, bytes);
  memory_copy(to, from, to_at, from_at, bytes);
}
static inline void module_init_data(wasm_rt_memory_t *to, const u8 *from, u32 from_bytes, u32 to_at,
                                    u32 from_at, u32 bytes) {
  RANGE_CHECK(to, to_at, bytes);
  module_mark_range(to_at, bytes);
  memory_init(to, from, from_bytes, to_at, from_at, bytes);
}
#define memory_fill module_fill
#define memory_copy module_copy
#define memory_init module_init_data

static inline void module_load_data(wasm_rt_memory_t *mem, u32 at, const u8 *from, u32 bytes) {
  RANGE_CHECK(mem, at, bytes);
  module_mark_range(at, bytes);
  memcpy(mem->data + at, from, bytes);
}
#undef LOAD_DATA
#define LOAD_DATA(memory, at, from, bytes) module_load_data(&(memory), at, from, bytes)

#define funcref_table_init(...) (module_tables_changed = 1, (funcref_table_init)(__VA_ARGS__))
#define funcref_table_copy(...) (module_tables_changed = 1, (funcref_table_copy)(__VA_ARGS__))
#define funcref_table_set(...) (module_tables_changed = 1, (funcref_table_set)(__VA_ARGS__))
#define funcref_table_fill(...) (module_tables_changed = 1, (funcref_table_fill)(__VA_ARGS__))

/* What wasm-rt.h promises, through the runtime. */
bool wasm_rt_is_initialized(void) {
  return module_runtime_at != NULL;
}
void wasm_rt_trap(wasm_rt_trap_t code) {
  module_runtime_at->trap(code);
}
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t pages_max) {
  module_runtime_at->memory_allocate(memory, pages, pages_max);
}
uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages) {
  return module_runtime_at->memory_grow(memory, pages);
}
void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
  (void)memory; /* the runtime's, as are tables */
}
void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t count,
                                    uint32_t count_max) {
  (void)count_max;
  module_runtime_at->table_allocate(table, count);
}
/* Tables have a fixed capacity: growing one fails, which WebAssembly allows. */
uint32_t wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t *table, uint32_t more,
                                    wasm_rt_funcref_t value) {
  (void)value;
  return more == 0 ? table->size : UINT32_MAX;
}
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table) {
  (void)table;
}

#include <stdarg.h>
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) {
  uint8_t codes[2048];
  if (params + results > sizeof codes) wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
  va_list args;
  va_start(args, results);
  for (uint32_t i = 0; i < params + results; i++) codes[i] = (uint8_t)va_arg(args, int);
  va_end(args);
  return module_runtime_at->type(codes, params, results);
}

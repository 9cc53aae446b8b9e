/* runtime/memory.c: linear memory: reserved, grown, read and written by the host.
 *
 * Reserving 8 GiB of address space costs nothing but page tables for what is touched; hosts with a
 * limit on address space (ulimit -v) refuse it, and then so do we. No huge pages, as one dirty
 * byte would cost 2 MiB; no merging of equal pages, which other tenants could time. */
#include "runtime/memory.h"

#include "runtime/trap.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define RESERVE_BYTES (MODULE_MAP_BYTES + (8ull << 30) + WASM_PAGE_BYTES)

bool memory_reserve(struct instance *instance, struct err *err) {
  void *at =
      mmap(NULL, RESERVE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED)
    FAIL(ERR_NO_MEMORY, "8 GiB of address space cannot be reserved; raise the limit (ulimit -v)");
  madvise(at, RESERVE_BYTES, MADV_NOHUGEPAGE);
  madvise(at, RESERVE_BYTES, MADV_UNMERGEABLE);
  if (mprotect(at, MODULE_MAP_BYTES, PROT_READ | PROT_WRITE) != 0) {
    munmap(at, RESERVE_BYTES);
    FAIL(ERR_NO_MEMORY, "no memory for the dirty map");
  }
  instance->reserve = at;
  instance->data = instance->reserve + MODULE_MAP_BYTES;
  return true;
}

void memory_release(struct instance *instance) {
  if (instance->reserve) munmap(instance->reserve, RESERVE_BYTES);
  instance->reserve = instance->data = NULL;
}

static void set_pages(wasm_rt_memory_t *memory, uint32_t pages) {
  memory->pages = pages;
  memory->size = pages * WASM_PAGE_BYTES;
}

void memory_begin(struct instance *instance, wasm_rt_memory_t *memory) {
  *memory = (wasm_rt_memory_t){.data = instance->data};
  memory->max_pages = (uint32_t)(instance->bytes_max / WASM_PAGE_BYTES);
  instance->memory = memory;
}

/* Failing is no error here: memory.grow answers -1, and most programs then give up by themselves.
 */
uint32_t memory_grow(wasm_rt_memory_t *memory, uint32_t pages) {
  uint32_t before = memory->pages;
  if (pages > memory->max_pages - before) return UINT32_MAX;
  if (pages > 0 && mprotect(memory->data + memory->size, (size_t)pages * WASM_PAGE_BYTES,
                            PROT_READ | PROT_WRITE) != 0)
    return UINT32_MAX;
  set_pages(memory, before + pages);
  return before;
}

/* Pages above `bytes` lose their content and become inaccessible again. */
void memory_drop(struct instance *instance, uint64_t bytes) {
  wasm_rt_memory_t *memory = instance->memory;
  if (memory->size <= bytes) return;
  madvise(memory->data + bytes, memory->size - bytes, MADV_DONTNEED);
  mprotect(memory->data + bytes, memory->size - bytes, PROT_NONE);
  uint8_t *map = instance->reserve;
  size_t from = bytes >> MODULE_BLOCK_SHIFT, to = memory->size >> MODULE_BLOCK_SHIFT;
  memset(map + from, 0, to - from);
  set_pages(memory, (uint32_t)(bytes / WASM_PAGE_BYTES));
}

bool instance_resize(struct instance *instance, uint64_t bytes, struct err *err) {
  if (bytes % WASM_PAGE_BYTES != 0 || bytes > instance->bytes_max)
    FAIL(ERR_LIMIT, "the snapshot needs %llu bytes of memory, the limit is %llu",
         (unsigned long long)bytes, (unsigned long long)instance->bytes_max);
  memory_drop(instance, bytes);
  uint32_t more = (uint32_t)((bytes - instance->memory->size) / WASM_PAGE_BYTES);
  if (memory_grow(instance->memory, more) == UINT32_MAX)
    FAIL(ERR_NO_MEMORY, "no memory for the function's snapshot");
  return true;
}

void instance_forget_stray_marks(struct instance *instance) {
  uint8_t *map = instance->reserve;
  size_t used = ((instance->memory->size >> MODULE_BLOCK_SHIFT) + 4095) & ~(size_t)4095;
  if (used < MODULE_MAP_BYTES) madvise(map + used, MODULE_MAP_BYTES - used, MADV_DONTNEED);
}

/* ---- the host's access ---- */

bool guest_bytes_at(const struct instance *instance, uint32_t at, uint32_t len,
                    struct bytes *ret_bytes) {
  uint32_t size = instance->memory->size;
  if (at > size || len > size - at) return false;
  *ret_bytes = bytes_of(instance->data + at, len);
  return true;
}

uint8_t *guest_room_at(struct instance *instance, uint32_t at, uint32_t len) {
  struct bytes room;
  if (!guest_bytes_at(instance, at, len, &room)) return NULL;
  uint8_t *map = instance->reserve;
  size_t first = at >> MODULE_BLOCK_SHIFT;
  if (len > 0) memset(map + first, 1, (((size_t)at + len - 1) >> MODULE_BLOCK_SHIFT) - first + 1);
  return instance->data + at;
}

bool guest_text_at(const struct instance *instance, uint32_t at, struct bytes *ret_text) {
  struct bytes rest;
  uint32_t size = instance->memory->size;
  if (at >= size || !guest_bytes_at(instance, at, size - at, &rest)) return false;
  const uint8_t *end = memchr(rest.at, 0, rest.len);
  if (!end) return false;
  *ret_text = bytes_of(rest.at, (size_t)(end - rest.at));
  return true;
}

bool guest_u32_at(const struct instance *instance, uint32_t at, uint32_t *ret_value) {
  struct bytes b;
  if (!guest_bytes_at(instance, at, 4, &b)) return false;
  *ret_value = (uint32_t)b.at[0] | (uint32_t)b.at[1] << 8 | (uint32_t)b.at[2] << 16 |
               (uint32_t)b.at[3] << 24;
  return true;
}

bool guest_put_u32(struct instance *instance, uint32_t at, uint32_t value) {
  uint8_t *room = guest_room_at(instance, at, 4);
  for (int i = 0; room && i < 4; i++) room[i] = (uint8_t)(value >> (8 * i));
  return room != NULL;
}

bool guest_put_u64(struct instance *instance, uint32_t at, uint64_t value) {
  uint8_t *room = guest_room_at(instance, at, 8);
  for (int i = 0; room && i < 8; i++) room[i] = (uint8_t)(value >> (8 * i));
  return room != NULL;
}

/* runtime/instance.c: link a module to host functions, remember how it was, put that back.
 *
 * A module's state is its linear memory, the scalars of its instance struct and its tables. Memory
 * is restored by the dirty map, the struct whole (it is small), tables when one was written. */
#include "runtime/instance.h"

#include "base/must.h"
#include "runtime/memory.h"
#include "runtime/trap.h"

#include <stdlib.h>
#include <string.h>

/* ---- runtime services ---- */

static struct instance *linking; /* whose memory and tables a module allocates now */

__attribute__((noreturn)) static void service_trap(unsigned code) {
  trap_throw((int)code);
}

static void service_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t pages_max) {
  must(linking != NULL);
  memory_begin(linking, memory);
  if (pages_max < memory->max_pages) memory->max_pages = pages_max;
  if (memory_grow(memory, pages) == UINT32_MAX) trap_throw(TRAP_MEMORY);
}

static void service_table(wasm_rt_funcref_table_t *table, uint32_t count) {
  if (count > INSTANCE_TABLE_MAX) trap_throw(TRAP_MEMORY);
  wasm_rt_funcref_t *data = calloc(count ? count : 1, sizeof *data);
  must(data != NULL);
  *table = (wasm_rt_funcref_table_t){.data = data, .max_size = count, .size = count};
}

/* Signatures seen so far; a type's number is its place, from 1. */
struct type {
  struct type *next;
  uint32_t number, params, results;
  uint8_t codes[];
};
static struct type *types;

static uint32_t service_type(const uint8_t *codes, uint32_t params, uint32_t results) {
  size_t count = (size_t)params + results;
  for (struct type *t = types; t; t = t->next)
    if (t->params == params && t->results == results && memcmp(t->codes, codes, count) == 0)
      return t->number;
  struct type *type = malloc(sizeof *type + count);
  must(type != NULL);
  *type = (struct type){types, types ? types->number + 1 : 1, params, results};
  memcpy(type->codes, codes, count);
  types = type;
  return type->number;
}

static const struct module_runtime services = {service_trap, service_memory, memory_grow,
                                               service_table, service_type};

/* ---- link ---- */

static bool bind_imports(const struct module_shape *shape, const struct host_function *functions,
                         size_t count, struct err *err) {
  for (uint32_t i = 0; i < shape->import_count; i++) {
    const struct module_import *import = &shape->imports[i];
    const struct host_function *found = NULL;
    for (size_t f = 0; f < count && !found; f++)
      if (strcmp(functions[f].module, import->module) == 0 &&
          strcmp(functions[f].name, import->name) == 0)
        found = &functions[f];
    if (!found)
      FAIL(ERR_UNSUPPORTED, "imports \"%.60s\" \"%.60s\", which nobody provides", import->module,
           import->name);
    if (strcmp(found->signature, import->signature) != 0)
      FAIL(ERR_UNSUPPORTED, "imports \"%.60s\" \"%.60s\" as (%.40s), but it is (%.40s)",
           import->module, import->name, import->signature, found->signature);
    *import->slot = found->function;
  }
  return true;
}

static void link_body(void *arg) {
  struct instance *instance = arg;
  instance->shape->init();
  instance->shape->link(instance->at, instance);
}

static bool begin_memory(struct instance *instance, const struct instance_options *options,
                         struct err *err) {
  TRY(memory_reserve(instance, err));
  memory_begin(instance, &instance->imported);
  if (options->shape->memory_offset != MODULE_MEMORY_IMPORTED) return true;
  if (options->imported_bytes == 0)
    FAIL(ERR_UNSUPPORTED, "imports its memory; a module must have its own");
  return instance_resize(instance, options->imported_bytes, err);
}

static bool link_module(struct instance *instance, struct err *err) {
  trap_install();
  *instance->shape->runtime = &services;
  instance_enter(instance);
  linking = instance;
  int code = trap_try(instance->data, link_body, instance);
  linking = NULL;
  if (code == TRAP_NONE) return true;
  if (code == TRAP_MEMORY)
    FAIL(ERR_LIMIT, "the module asks at its start for more memory or table than its limit");
  FAIL(ERR_MALFORMED, "the module's data does not fit: %s", trap_text(code));
}

bool instance_open(struct instance *instance, const struct instance_options *options,
                   struct err *err) {
  const struct module_shape *shape = options->shape;
  if (shape->abi != MODULE_ABI)
    FAIL(ERR_UNSUPPORTED, "the module was translated for another Medulla; deploy it again");
  *instance = (struct instance){.owner = options->owner, .shape = shape};
  instance->bytes_max =
      options->bytes_max < INSTANCE_BYTES_MAX ? options->bytes_max : INSTANCE_BYTES_MAX;
  instance->at = must_alloc(shape->instance_bytes);
  instance->saved = must_alloc(shape->instance_bytes);
  instance->saved_tables = must_alloc((shape->table_count + 1) * sizeof *instance->saved_tables);
  if (bind_imports(shape, options->functions, options->function_count, err) &&
      begin_memory(instance, options, err) && link_module(instance, err))
    return true;
  instance_close(instance);
  return false;
}

wasm_rt_funcref_table_t *instance_table(const struct instance *instance, uint32_t table) {
  return (void *)((uint8_t *)instance->at + instance->shape->tables[table]);
}

void instance_enter(const struct instance *instance) {
  *instance->shape->data = instance->data;
  *instance->shape->depth = 0;
}

void instance_instantiate(struct instance *instance) {
  for (uint32_t t = 0; t < instance->shape->table_count; t++)
    free(instance_table(instance, t)->data);
  linking = instance;
  instance->shape->instantiate(instance->at, instance);
  linking = NULL;
}

void instance_close(struct instance *instance) {
  for (uint32_t t = 0; instance->at && t < instance->shape->table_count; t++) {
    free(instance_table(instance, t)->data);
    free(instance->saved_tables[t]);
  }
  free(instance->saved_tables);
  free(instance->at);
  free(instance->saved);
  free(instance->blocks);
  memory_release(instance);
  *instance = (struct instance){0};
}

module_fn instance_export(const struct instance *instance, const char *name,
                          const char *signature) {
  const struct module_shape *shape = instance->shape;
  for (uint32_t i = 0; i < shape->export_count; i++)
    if (strcmp(shape->exports[i].name, name) == 0 &&
        strcmp(shape->exports[i].signature, signature) == 0)
      return shape->exports[i].function;
  return NULL;
}

/* ---- tables as numbers ---- */

static wasm_rt_funcref_t entry_of(const struct instance *instance, const struct module_elem *elem) {
  if (!elem->function) return (wasm_rt_funcref_t){0};
  return (wasm_rt_funcref_t){instance->shape->types[elem->type_index], elem->function,
                             (uint8_t *)instance->at + elem->module_offset};
}

uint32_t instance_table_number(const struct instance *instance, const wasm_rt_funcref_t *entry) {
  uint32_t number = 1;
  if (!entry->func) return 0;
  for (uint32_t s = 0; s < instance->shape->segment_count; s++) {
    const struct module_segment *segment = &instance->shape->segments[s];
    for (uint32_t i = 0; i < segment->count; i++, number++) {
      wasm_rt_funcref_t at = entry_of(instance, &segment->elems[i]);
      if (at.func == entry->func && at.func_type == entry->func_type) return number;
    }
  }
  return UINT32_MAX;
}

wasm_rt_funcref_t instance_table_entry(const struct instance *instance, uint32_t number) {
  for (uint32_t s = 0; number > 0 && s < instance->shape->segment_count; s++) {
    const struct module_segment *segment = &instance->shape->segments[s];
    if (number <= segment->count) return entry_of(instance, &segment->elems[number - 1]);
    number -= segment->count;
  }
  return (wasm_rt_funcref_t){0};
}

/* ---- pristine ---- */

static void put_back(struct instance *instance, uint32_t block) {
  uint8_t *at = instance->data + ((size_t)block << MODULE_BLOCK_SHIFT);
  const uint8_t *was = instance->blocks[block];
  if (was)
    memcpy(at, was, MODULE_BLOCK_BYTES);
  else
    memset(at, 0, MODULE_BLOCK_BYTES);
}

static uint32_t put_back_dirty(struct instance *instance) {
  uint8_t *map = instance->reserve;
  uint32_t count = 0;
  for (uint32_t base = 0; base < instance->block_count; base += 8) {
    uint64_t marks;
    memcpy(&marks, map + base, 8);
    if (marks == 0) continue;
    memset(map + base, 0, 8);
    for (uint32_t i = 0; i < 8; i++) {
      if (!(marks >> (8 * i) & 1)) continue;
      put_back(instance, base + i);
      count++;
    }
  }
  return count;
}

static void put_back_tables(struct instance *instance) {
  for (uint32_t t = 0; t < instance->shape->table_count; t++) {
    wasm_rt_funcref_table_t *table = instance_table(instance, t);
    memcpy(table->data, instance->saved_tables[t], table->size * sizeof *table->data);
  }
  *instance->shape->tables_changed = 0;
}

uint32_t instance_restore(struct instance *instance) {
  uint64_t bytes = (uint64_t)instance->block_count << MODULE_BLOCK_SHIFT;
  if (instance->memory->size > bytes) memory_drop(instance, bytes);
  uint32_t count = put_back_dirty(instance);
  memcpy(instance->at, instance->saved, instance->shape->instance_bytes);
  if (*instance->shape->tables_changed) put_back_tables(instance);
  return count;
}

void instance_pristine(struct instance *instance, const uint8_t **blocks_take) {
  instance->blocks = blocks_take;
  instance->block_count = instance->memory->size >> MODULE_BLOCK_SHIFT;
  memcpy(instance->saved, instance->at, instance->shape->instance_bytes);
  for (uint32_t t = 0; t < instance->shape->table_count; t++) {
    wasm_rt_funcref_table_t *table = instance_table(instance, t);
    size_t bytes = table->size * sizeof *table->data;
    instance->saved_tables[t] = malloc(bytes ? bytes : 1);
    must(instance->saved_tables[t] != NULL);
    memcpy(instance->saved_tables[t], table->data, bytes);
  }
  /* Linking wrote the module's own data; what the snapshot holds goes on top. */
  for (uint32_t b = 0; b < instance->block_count; b++)
    if (blocks_take[b]) instance->reserve[b] = 1;
  instance_restore(instance);
}

static bool block_is_pristine(const struct instance *instance, uint32_t block) {
  static const uint8_t zero[MODULE_BLOCK_BYTES];
  const uint8_t *was = instance->blocks[block] ? instance->blocks[block] : zero;
  size_t at = (size_t)block << MODULE_BLOCK_SHIFT;
  return memcmp(instance->data + at, was, MODULE_BLOCK_BYTES) == 0;
}

bool instance_is_pristine(const struct instance *instance, struct err *err) {
  uint64_t bytes = (uint64_t)instance->block_count << MODULE_BLOCK_SHIFT;
  if (instance->memory->size != bytes)
    FAIL(ERR_CORRUPT, "memory is %u bytes, the snapshot %llu", instance->memory->size,
         (unsigned long long)bytes);
  for (uint32_t b = 0; b < instance->block_count; b++) {
    if (!block_is_pristine(instance, b))
      FAIL_AT(ERR_CORRUPT, (uint64_t)b << MODULE_BLOCK_SHIFT, "block %u differs", b);
    if (instance->reserve[b]) FAIL(ERR_CORRUPT, "block %u is still marked", b);
  }
  if (memcmp(instance->at, instance->saved, instance->shape->instance_bytes) != 0)
    FAIL(ERR_CORRUPT, "a global differs");
  for (uint32_t t = 0; t < instance->shape->table_count; t++) {
    wasm_rt_funcref_table_t *table = instance_table(instance, t);
    if (memcmp(table->data, instance->saved_tables[t], table->size * sizeof *table->data) != 0)
      FAIL(ERR_CORRUPT, "table %u differs", t);
  }
  return true;
}

/* runtime/wasm_admit.c: one checked cursor over the sections; no section is read beyond its end. */
#include "runtime/wasm_admit.h"

#include <string.h>

enum section {
  SECTION_CUSTOM,
  SECTION_FUNCTION = 3,
  SECTION_TABLE = 4,
  SECTION_MEMORY = 5,
  SECTION_CODE = 10,
  SECTION_LAST = 12
};

struct cursor {
  struct bytes all;
  size_t at, end;
};

static bool take_byte(struct cursor *cursor, uint8_t *ret_byte, struct err *err) {
  if (cursor->at >= cursor->end) FAIL_AT(ERR_MALFORMED, cursor->at, "the module ends too early");
  *ret_byte = cursor->all.at[cursor->at++];
  return true;
}

/* Unsigned LEB128 of 32 bits, at most five bytes. */
static bool take_u32(struct cursor *cursor, uint32_t *ret_value, struct err *err) {
  uint64_t value = 0;
  size_t from = cursor->at;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    uint8_t byte;
    TRY(take_byte(cursor, &byte, err));
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte & 0x80) continue;
    if (value > UINT32_MAX) break;
    *ret_value = (uint32_t)value;
    return true;
  }
  FAIL_AT(ERR_MALFORMED, from, "a number is too long");
}

static bool admit_count(struct cursor *cursor, uint32_t most, const char *what, uint32_t *ret_count,
                        struct err *err) {
  size_t from = cursor->at;
  TRY(take_u32(cursor, ret_count, err));
  if (*ret_count > most)
    FAIL_AT(ERR_LIMIT, from, "%u %s are more than the limit of %u", *ret_count, what, most);
  return true;
}

/* 5.3.7: limits are a flag and one or two numbers. */
static bool admit_limits(struct cursor *cursor, uint32_t most, const char *what, struct err *err) {
  uint8_t flag;
  uint32_t number;
  size_t from = cursor->at;
  TRY(take_byte(cursor, &flag, err));
  if (flag > 1) FAIL_AT(ERR_UNSUPPORTED, from, "shared or 64-bit %s are not supported", what);
  TRY(admit_count(cursor, most, what, &number, err));
  return !flag || take_u32(cursor, &number, err);
}

static bool admit_tables(struct cursor *cursor, struct err *err) {
  uint32_t count;
  uint8_t type;
  TRY(admit_count(cursor, 16, "tables", &count, err));
  while (count-- > 0) {
    TRY(take_byte(cursor, &type, err));
    TRY(admit_limits(cursor, WASM_TABLE_MAX, "table entries", err));
  }
  return true;
}

static bool admit_memories(struct cursor *cursor, struct err *err) {
  uint32_t count;
  TRY(admit_count(cursor, 1, "memories", &count, err));
  return count == 0 || admit_limits(cursor, WASM_MEMORY_PAGES_MAX, "memory pages", err);
}

static bool admit_body(struct cursor *cursor, struct err *err) {
  uint32_t bytes, groups, count;
  uint8_t type;
  uint64_t locals = 0;
  size_t end = cursor->end;
  TRY(admit_count(cursor, WASM_BODY_BYTES_MAX, "bytes of one function", &bytes, err));
  if (bytes > cursor->end - cursor->at)
    FAIL_AT(ERR_MALFORMED, cursor->at, "a function reaches beyond its section");
  cursor->end = cursor->at + bytes;
  TRY(take_u32(cursor, &groups, err));
  while (groups-- > 0) {
    TRY(take_u32(cursor, &count, err));
    TRY(take_byte(cursor, &type, err));
    locals += count;
    if (locals > WASM_LOCALS_MAX)
      FAIL_AT(ERR_LIMIT, cursor->at, "a function has more than %u locals", WASM_LOCALS_MAX);
  }
  cursor->at = cursor->end;
  cursor->end = end;
  return true;
}

static bool admit_code(struct cursor *cursor, struct err *err) {
  uint32_t count;
  TRY(admit_count(cursor, WASM_FUNCTIONS_MAX, "functions", &count, err));
  while (count-- > 0) TRY(admit_body(cursor, err));
  return true;
}

static bool admit_section(struct cursor *cursor, uint8_t id, struct err *err) {
  uint32_t count;
  switch (id) {
  case SECTION_FUNCTION: return admit_count(cursor, WASM_FUNCTIONS_MAX, "functions", &count, err);
  case SECTION_TABLE: return admit_tables(cursor, err);
  case SECTION_MEMORY: return admit_memories(cursor, err);
  case SECTION_CODE: return admit_code(cursor, err);
  default: return true;
  }
}

bool wasm_admit(struct bytes module, struct err *err) {
  static const uint8_t head[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  struct cursor cursor = {.all = module, .at = sizeof head, .end = module.len};
  if (module.len > WASM_BYTES_MAX)
    FAIL(ERR_LIMIT, "the module has %zu bytes, more than the limit of %u", module.len,
         WASM_BYTES_MAX);
  if (module.len < sizeof head || memcmp(module.at, head, sizeof head) != 0)
    FAIL_AT(ERR_MALFORMED, 0, "this is not a WebAssembly module of version 1");
  while (cursor.at < module.len) {
    uint8_t id;
    uint32_t bytes;
    size_t from = cursor.at;
    TRY(take_byte(&cursor, &id, err));
    TRY(take_u32(&cursor, &bytes, err));
    if (id > SECTION_LAST) FAIL_AT(ERR_UNSUPPORTED, from, "section %u is not known", id);
    if (bytes > module.len - cursor.at)
      FAIL_AT(ERR_MALFORMED, from, "section %u reaches beyond the module", id);
    size_t end = cursor.at + bytes;
    cursor.end = end;
    TRY(admit_section(&cursor, id, err));
    cursor.at = end;
    cursor.end = module.len;
  }
  return true;
}

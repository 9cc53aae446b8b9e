/* store/memory.c: the engine that keeps nothing on disk. A transaction lives in an overlay and is
 * merged when it commits, so that readers see committed rows alone and a crash is: forget the
 * overlay.
 *
 * KV:  key -> value, version.
 * LOG: rows:   position (8, big-endian), ordinal (4) -> key length (4), key, value
 *      by_key: key length (4), key, position, ordinal -> nothing                              */
#include "base/must.h"
#include "store/commit.h"
#include "store/engine.h"
#include "store/ordered.h"
#include "store/pack.h"

#include <pthread.h>
#include <stdlib.h>

struct memory_trim {
  uint64_t before;
  uint32_t rows_max;
};

struct memory {
  struct engine engine;
  pthread_rwlock_t lock; /* committed rows against readers */
  struct ordered rows[TABLE_COUNT], by_key[TABLE_COUNT];
  struct ordered staged[TABLE_COUNT]; /* the transaction's own rows; KV with tombstones */
  struct memory_trim trims[TABLE_COUNT];
  struct ordered marks, staged_marks; /* position -> day (4), marks */
  uint32_t marks_trim_day, marks_trim_rows;
};

static struct memory *memory_of(struct engine *engine) {
  return (struct memory *)engine;
}

static struct bytes row_key(uint64_t position, uint32_t ordinal, uint8_t at[12]) {
  pack_u64(at, position);
  pack_u32(at + 8, ordinal);
  return bytes_of(at, 12);
}

static bool memory_begin(struct engine *engine, struct err *err) {
  return true;
}

static void memory_rollback(struct engine *engine) {
  struct memory *memory = memory_of(engine);
  for (unsigned table = 0; table < TABLE_COUNT; table++) {
    if (memory->staged[table].count) ordered_clear(&memory->staged[table]);
    memory->trims[table] = (struct memory_trim){0};
  }
  ordered_clear(&memory->staged_marks);
  memory->marks_trim_rows = 0;
}

static bool copy_out(const struct ordered_node *node, struct buf *ret_value, uint64_t *ret_version,
                     struct err *err) {
  *ret_version = node && !node->tombstone ? node->version : 0;
  if (!*ret_version || !ret_value) return true;
  buf_reset(ret_value);
  buf_put(ret_value, node->value);
  if (!buf_ok(ret_value)) FAIL(ERR_LIMIT, "a value does not fit the reader's buffer");
  return true;
}

static bool memory_get(struct engine *engine, enum store_table table, struct bytes key,
                       struct buf *ret_value, uint64_t *ret_version, struct err *err) {
  struct memory *memory = memory_of(engine);
  struct ordered_node *node = ordered_get(&memory->staged[table], key);
  if (!node) node = ordered_get(&memory->rows[table], key);
  return copy_out(node, ret_value, ret_version, err);
}

static bool memory_put(struct engine *engine, enum store_table table, struct bytes key,
                       struct bytes value, uint64_t position, struct err *err) {
  ordered_put(&memory_of(engine)->staged[table], key, value, position);
  return true;
}

static bool memory_remove(struct engine *engine, enum store_table table, struct bytes key,
                          struct err *err) {
  ordered_put(&memory_of(engine)->staged[table], key, BYTES_NONE, 0)->tombstone = true;
  return true;
}

static bool memory_append(struct engine *engine, enum store_table log, uint64_t position,
                          uint32_t ordinal, struct bytes key, struct bytes value, struct err *err) {
  struct buf row;
  uint8_t at[12];
  buf_init(&row, SIZE_MAX);
  pack_put_u32(&row, (uint32_t)key.len);
  buf_put(&row, key);
  buf_put(&row, value);
  ordered_put(&memory_of(engine)->staged[log], row_key(position, ordinal, at), buf_bytes(&row),
              position);
  buf_fini(&row);
  return true;
}

static bool memory_trim(struct engine *engine, enum store_table log, uint64_t before,
                        uint32_t rows_max, struct err *err) {
  struct memory_trim *trim = &memory_of(engine)->trims[log];
  trim->before = before > trim->before ? before : trim->before;
  trim->rows_max += rows_max;
  return true;
}

static bool memory_mark(struct engine *engine, uint64_t position, uint32_t day, struct bytes marks,
                        struct err *err) {
  struct buf row;
  uint8_t at[8];
  buf_init(&row, SIZE_MAX);
  pack_put_u32(&row, day);
  buf_put(&row, marks);
  pack_u64(at, position);
  ordered_put(&memory_of(engine)->staged_marks, bytes_of(at, 8), buf_bytes(&row), position);
  buf_fini(&row);
  return true;
}

static bool memory_marks_trim(struct engine *engine, uint32_t day, uint32_t rows_max,
                              struct err *err) {
  memory_of(engine)->marks_trim_day = day;
  memory_of(engine)->marks_trim_rows = rows_max;
  return true;
}

static void log_row(const struct ordered_node *node, struct store_row *ret_row) {
  uint32_t key_bytes = unpack_u32(node->value.at);
  ret_row->key = bytes_sub(node->value, 4, key_bytes);
  ret_row->value = bytes_from(node->value, 4 + key_bytes);
  ret_row->version = unpack_u64(node->key.at);
  ret_row->ordinal = unpack_u32(node->key.at + 8);
}

/* by_key's key of a log row, into `ret_key`. */
static void by_key_key(struct bytes key, struct bytes row_key_bytes, struct buf *ret_key) {
  buf_reset(ret_key);
  pack_put_u32(ret_key, (uint32_t)key.len);
  buf_put(ret_key, key);
  buf_put(ret_key, row_key_bytes);
}

static void merge_log(struct memory *memory, unsigned log, struct buf *key) {
  struct store_row row;
  for (struct ordered_node *node = ordered_first(&memory->staged[log]); node;
       node = ordered_next(node)) {
    log_row(node, &row);
    by_key_key(row.key, node->key, key);
    ordered_put(&memory->by_key[log], buf_bytes(key), BYTES_NONE, row.version);
    ordered_put(&memory->rows[log], node->key, node->value, node->version);
  }
  const struct memory_trim *trim = &memory->trims[log];
  for (uint32_t i = 0; i < trim->rows_max; i++) {
    struct ordered_node *node = ordered_first(&memory->rows[log]);
    if (!node || node->version >= trim->before) break;
    log_row(node, &row);
    by_key_key(row.key, node->key, key);
    ordered_drop(&memory->by_key[log], buf_bytes(key));
    ordered_drop(&memory->rows[log], node->key);
  }
}

static void merge_kv(struct memory *memory, unsigned table) {
  for (struct ordered_node *node = ordered_first(&memory->staged[table]); node;
       node = ordered_next(node)) {
    if (node->tombstone)
      ordered_drop(&memory->rows[table], node->key);
    else
      ordered_put(&memory->rows[table], node->key, node->value, node->version);
  }
}

static void merge_marks(struct memory *memory) {
  for (struct ordered_node *node = ordered_first(&memory->staged_marks); node;
       node = ordered_next(node))
    ordered_put(&memory->marks, node->key, node->value, node->version);
  for (uint32_t i = 0; i < memory->marks_trim_rows; i++) {
    struct ordered_node *node = ordered_first(&memory->marks);
    if (!node || unpack_u32(node->value.at) >= memory->marks_trim_day) break;
    ordered_drop(&memory->marks, node->key);
  }
}

static bool memory_commit(struct engine *engine, const struct engine_counters *counters,
                          struct err *err) {
  struct memory *memory = memory_of(engine);
  struct buf key;
  buf_init(&key, SIZE_MAX);
  pthread_rwlock_wrlock(&memory->lock);
  for (unsigned table = 0; table < TABLE_COUNT; table++) {
    if (table_is_log(table))
      merge_log(memory, table, &key);
    else
      merge_kv(memory, table);
  }
  merge_marks(memory);
  engine->counters = *counters;
  pthread_rwlock_unlock(&memory->lock);
  memory_rollback(engine); /* the overlay has done its work */
  buf_fini(&key);
  return true;
}

static bool memory_marks(struct engine *engine, uint64_t after, engine_marks_visit *visit,
                         void *arg, struct err *err) {
  uint8_t at[8];
  pack_u64(at, after + 1);
  for (struct ordered_node *node = ordered_seek(&memory_of(engine)->marks, bytes_of(at, 8)); node;
       node = ordered_next(node)) {
    if (!visit(arg, node->version, bytes_from(node->value, 4))) break;
  }
  return true;
}

/* ---- Readers ---- */

static bool memory_reader_open(struct engine *engine, struct engine_reader **ret_reader,
                               struct err *err) {
  *ret_reader = must_alloc(sizeof **ret_reader);
  (*ret_reader)->engine = engine;
  return true;
}

static void memory_reader_close(struct engine_reader **reader) {
  free(*reader);
  *reader = NULL;
}

static bool memory_read_begin(struct engine_reader *reader, struct err *err) {
  pthread_rwlock_rdlock(&memory_of(reader->engine)->lock);
  return true;
}

static void memory_read_end(struct engine_reader *reader) {
  pthread_rwlock_unlock(&memory_of(reader->engine)->lock);
}

static bool memory_read_get(struct engine_reader *reader, enum store_table table, struct bytes key,
                            struct buf *ret_value, uint64_t *ret_version, struct err *err) {
  struct ordered_node *node = ordered_get(&memory_of(reader->engine)->rows[table], key);
  return copy_out(node, ret_value, ret_version, err);
}

/* Where a reverse scan starts: the last row with the prefix, not after `from`. */
static struct ordered_node *scan_last(const struct ordered *rows, const struct store_range *range) {
  if (range->from.len) return ordered_seek_back(rows, range->from);
  struct buf after;
  buf_init(&after, STORE_KEY_BYTES_MAX + 1);
  struct ordered_node *node = ordered_last(rows);
  if (pack_prefix_end(range->prefix, &after)) {
    node = ordered_seek(rows, buf_bytes(&after));
    node = node ? ordered_prev(rows, node) : ordered_last(rows);
  }
  buf_fini(&after);
  return node;
}

static bool memory_read_scan(struct engine_reader *reader, const struct store_range *range,
                             store_visit *visit, void *arg, struct err *err) {
  const struct ordered *rows = &memory_of(reader->engine)->rows[range->table];
  struct bytes start = bytes_cmp(range->from, range->prefix) > 0 ? range->from : range->prefix;
  struct ordered_node *node = range->reverse ? scan_last(rows, range) : ordered_seek(rows, start);
  while (node && bytes_starts(node->key, range->prefix)) {
    struct store_row row = {.key = node->key, .value = node->value, .version = node->version};
    if (!visit(arg, &row)) break;
    node = range->reverse ? ordered_prev(rows, node) : ordered_next(node);
  }
  return true;
}

static bool memory_read_tail(struct engine_reader *reader, enum store_table log,
                             uint64_t from_position, bool reverse, store_visit *visit, void *arg,
                             struct err *err) {
  const struct ordered *rows = &memory_of(reader->engine)->rows[log];
  uint8_t at[12];
  struct ordered_node *node = ordered_last(rows);
  if (!reverse) {
    node = ordered_seek(rows, row_key(from_position + 1, 0, at));
  } else if (from_position) {
    node = ordered_seek_back(rows, row_key(from_position - 1, UINT32_MAX, at));
  }
  while (node) {
    struct store_row row;
    log_row(node, &row);
    if (!visit(arg, &row)) break;
    node = reverse ? ordered_prev(rows, node) : ordered_next(node);
  }
  return true;
}

static bool memory_read_find(struct engine_reader *reader, enum store_table log, struct bytes key,
                             struct buf *ret_value, uint64_t *ret_position, struct err *err) {
  struct memory *memory = memory_of(reader->engine);
  struct buf newest;
  uint8_t at[12];
  buf_init(&newest, SIZE_MAX);
  by_key_key(key, row_key(UINT64_MAX, UINT32_MAX, at), &newest);
  struct ordered_node *place = ordered_seek_back(&memory->by_key[log], buf_bytes(&newest));
  bool found = place && place->key.len == newest.len &&
               bytes_eq(bytes_sub(place->key, 0, newest.len - 12),
                        bytes_sub(buf_bytes(&newest), 0, newest.len - 12));
  struct ordered_node *node = NULL;
  if (found) node = ordered_get(&memory->rows[log], bytes_from(place->key, newest.len - 12));
  buf_fini(&newest);
  *ret_position = 0;
  if (!node) return true;
  struct store_row row;
  log_row(node, &row);
  struct ordered_node value = {.value = row.value, .version = row.version};
  return copy_out(&value, ret_value, ret_position, err);
}

static bool memory_read_position(struct engine_reader *reader, uint64_t *ret_position,
                                 struct err *err) {
  *ret_position = reader->engine->counters.position;
  return true;
}

static uint64_t memory_disk_bytes(struct engine *engine) {
  return 0;
}

static void memory_close(struct engine **engine) {
  if (!*engine) return;
  struct memory *memory = memory_of(*engine);
  for (unsigned table = 0; table < TABLE_COUNT; table++) {
    ordered_fini(&memory->rows[table]);
    ordered_fini(&memory->by_key[table]);
    ordered_fini(&memory->staged[table]);
  }
  ordered_fini(&memory->marks);
  ordered_fini(&memory->staged_marks);
  pthread_rwlock_destroy(&memory->lock);
  free(memory);
  *engine = NULL;
}

struct engine *engine_memory_new(void) {
  static const struct engine_ops ops = {
      .begin = memory_begin,
      .commit = memory_commit,
      .rollback = memory_rollback,
      .get = memory_get,
      .put = memory_put,
      .remove = memory_remove,
      .append = memory_append,
      .trim = memory_trim,
      .mark = memory_mark,
      .marks_trim = memory_marks_trim,
      .marks = memory_marks,
      .reader_open = memory_reader_open,
      .reader_close = memory_reader_close,
      .read_begin = memory_read_begin,
      .read_end = memory_read_end,
      .read_get = memory_read_get,
      .read_scan = memory_read_scan,
      .read_tail = memory_read_tail,
      .read_find = memory_read_find,
      .read_position = memory_read_position,
      .disk_bytes = memory_disk_bytes,
      .close = memory_close,
  };
  struct memory *memory = must_alloc(sizeof *memory);
  memory->engine.ops = &ops;
  must(pthread_rwlock_init(&memory->lock, NULL) == 0);
  for (unsigned table = 0; table < TABLE_COUNT; table++) {
    ordered_init(&memory->rows[table]);
    ordered_init(&memory->by_key[table]);
    ordered_init(&memory->staged[table]);
  }
  ordered_init(&memory->marks);
  ordered_init(&memory->staged_marks);
  return &memory->engine;
}

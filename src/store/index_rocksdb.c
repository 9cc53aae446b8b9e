/* store/index_rocksdb.c: the derived index on RocksDB. Its own log is off: the ledger is the log.
 * Every batch carries the position it brings the index to, and there is one column family, so a
 * memtable reaches the disk whole or not at all, and the position always fits the rows.
 *
 * Memory: two write buffers, one block cache that also holds filters and index blocks. A digest
 * that was never seen is answered by bloom filters, in the memtable too. The filters are cut into
 * small partitions: a whole one grows past what a shard of the cache takes, and is then read again
 * for every look (320 us instead of 12 at 1.3 million marks).                                  */
#include "base/must.h"
#include "os/clock.h"
#include "seal/disk.h"
#include "store/index_ops.h"
#include "store/pack.h"
#include "store/rocksdb_env.h"

#include <rocksdb/c.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
  WRITE_BUFFER_BYTES = 16 << 20,
  BLOCK_CACHE_BYTES = 24 << 20,
  OPEN_FILES_MAX = 128,
  LOG_FILE_BYTES_MAX = 1 << 20,
  LOG_LEVEL_WARN = 2,
  BLOOM_BITS_PER_KEY = 10,
  FILTER_PART_BYTES = 4096,
  CACHE_SHARD_BITS = 2,
};
#define NS_PER_MS INT64_C(1000000)
/* The position's own key; no other key starts with a zero byte. */
#define POSITION_KEY "\0position"
#define POSITION_KEY_BYTES (sizeof POSITION_KEY - 1)

struct index_rocksdb {
  struct index index;
  rocksdb_t *db;
  rocksdb_options_t *options;
  rocksdb_block_based_table_options_t *blocks;
  rocksdb_cache_t *cache;
  rocksdb_readoptions_t *read;
  rocksdb_writeoptions_t *write;
  rocksdb_flushoptions_t *flush_later, *flush_now;
  struct disk *sealed; /* or NULL */
  rocksdb_env_t *env;
  uint64_t position;        /* in the memtable */
  uint64_t flushing;        /* will be on the disk when the flush under way ends; 0: none */
  _Atomic uint64_t flushed; /* is on the disk */
  int64_t flush_asked_ns;
};

static struct index_rocksdb *rocks_of(struct index *index) {
  return (struct index_rocksdb *)index;
}

/* Takes RocksDB's message; its first word is the kind. */
static bool fail(char *message, const char *what, struct err *err) {
  enum err_code code = ERR_IO;
  if (strncmp(message, "Corruption", 10) == 0) code = ERR_CORRUPT;
  if (strstr(message, "No space left")) code = ERR_FULL;
  err_set(err, code, ERR_PLACE, ERR_OFFSET_NONE, "the index: %s: %.150s", what, message);
  rocksdb_free(message);
  return false;
}

/* Sealed files on the disk, when there are keys. */
static void open_env(struct index_rocksdb *rocks, const struct index_place *place) {
  if (!place->keys) return;
  rocks->sealed = sealed_disk_new(place->disk, place->keys, SEALED_INDEX_CHUNK);
  rocks->env = rocksdb_env_open(rocks->sealed);
  rocksdb_options_set_env(rocks->options, rocks->env);
}

static void close_env(struct index_rocksdb *rocks) {
  rocksdb_env_close(&rocks->env);
  disk_close(&rocks->sealed);
}

static void rocks_close(struct index *index) {
  struct index_rocksdb *rocks = rocks_of(index);
  if (rocks->db) rocksdb_close(rocks->db);
  rocksdb_flushoptions_destroy(rocks->flush_later);
  rocksdb_flushoptions_destroy(rocks->flush_now);
  rocksdb_writeoptions_destroy(rocks->write);
  rocksdb_readoptions_destroy(rocks->read);
  rocksdb_options_destroy(rocks->options);
  rocksdb_block_based_options_destroy(rocks->blocks);
  rocksdb_cache_destroy(rocks->cache);
  close_env(rocks);
  free(rocks);
}

/* ---- Writing ---- */

static bool flush_with(struct index_rocksdb *rocks, rocksdb_flushoptions_t *how, struct err *err) {
  char *message = NULL;
  rocksdb_flush(rocks->db, how, &message);
  return !message || fail(message, "flush", err);
}

static bool rocks_flush(struct index *index, struct err *err) {
  struct index_rocksdb *rocks = rocks_of(index);
  TRY(flush_with(rocks, rocks->flush_now, err));
  atomic_store(&rocks->flushed, rocks->position);
  return true;
}

/* No memtable waits any more: what was being flushed is on the disk. */
static void note_flushed(struct index_rocksdb *rocks) {
  uint64_t waiting = 1;
  if (!rocks->flushing) return;
  if (rocksdb_property_int(rocks->db, "rocksdb.num-immutable-mem-table", &waiting) || waiting)
    return;
  atomic_store(&rocks->flushed, rocks->flushing);
  rocks->flushing = 0;
}

static bool flush_when_due(struct index_rocksdb *rocks, struct err *err) {
  note_flushed(rocks);
  int64_t now_ns = clock_mono_ns(clock_real());
  bool due = rocks->position - atomic_load(&rocks->flushed) >= INDEX_FLUSH_POSITIONS ||
             now_ns - rocks->flush_asked_ns >= INDEX_FLUSH_MS * NS_PER_MS;
  if (!due || rocks->flushing) return true;
  TRY(flush_with(rocks, rocks->flush_later, err));
  rocks->flushing = rocks->position;
  rocks->flush_asked_ns = now_ns;
  return true;
}

static void add_change(rocksdb_writebatch_t *to, const struct index_change *change) {
  const char *key = (const char *)change->key.at, *value = (const char *)change->value.at;
  switch (change->kind) {
  case INDEX_PUT: rocksdb_writebatch_put(to, key, change->key.len, value, change->value.len); break;
  case INDEX_REMOVE: rocksdb_writebatch_delete(to, key, change->key.len); break;
  case INDEX_REMOVE_RANGE:
    rocksdb_writebatch_delete_range(to, key, change->key.len, value, change->value.len);
    break;
  }
}

static bool rocks_apply(struct index *index, struct index_batch *batch, uint64_t position,
                        struct err *err) {
  struct index_rocksdb *rocks = rocks_of(index);
  struct index_change change;
  uint8_t at[8];
  char *message = NULL;
  rocksdb_writebatch_t *changes = rocksdb_writebatch_create();
  for (size_t next = 0; index_batch_next(batch, &next, &change);) add_change(changes, &change);
  pack_u64(at, position);
  rocksdb_writebatch_put(changes, POSITION_KEY, POSITION_KEY_BYTES, (const char *)at, sizeof at);
  rocksdb_write(rocks->db, rocks->write, changes, &message);
  rocksdb_writebatch_destroy(changes);
  if (message) return fail(message, "write", err);
  rocks->position = position;
  return flush_when_due(rocks, err);
}

/* ---- Reading ---- */

static bool rocks_get(struct index *index, struct bytes key, struct buf *ret_value, bool *ret_found,
                      struct err *err) {
  struct index_rocksdb *rocks = rocks_of(index);
  char *message = NULL;
  rocksdb_pinnableslice_t *slice =
      rocksdb_get_pinned(rocks->db, rocks->read, (const char *)key.at, key.len, &message);
  if (message) return fail(message, "get", err);
  *ret_found = slice != NULL;
  if (!slice) return true;
  size_t len;
  const char *value = rocksdb_pinnableslice_value(slice, &len);
  buf_reset(ret_value);
  buf_put(ret_value, bytes_of(value, len));
  rocksdb_pinnableslice_destroy(slice);
  if (!buf_ok(ret_value)) FAIL(ERR_LIMIT, "an index value does not fit its buffer");
  return true;
}

static void seek(rocksdb_iterator_t *it, struct bytes prefix, struct bytes from, bool reverse) {
  struct buf end;
  if (!reverse) {
    struct bytes start = bytes_cmp(from, prefix) > 0 ? from : prefix;
    rocksdb_iter_seek(it, start.len ? (const char *)start.at : "", start.len);
    return;
  }
  buf_init(&end, SIZE_MAX);
  if (from.len) {
    rocksdb_iter_seek_for_prev(it, (const char *)from.at, from.len);
  } else if (pack_prefix_end(prefix, &end)) {
    /* The end itself does not have the prefix. */
    rocksdb_iter_seek_for_prev(it, (const char *)end.at, end.len);
    size_t len = 0;
    const char *key = rocksdb_iter_valid(it) ? rocksdb_iter_key(it, &len) : NULL;
    if (key && bytes_eq(bytes_of(key, len), buf_bytes(&end))) rocksdb_iter_prev(it);
  } else {
    rocksdb_iter_seek_to_last(it);
  }
  buf_fini(&end);
}

static bool rocks_scan(struct index *index, struct bytes prefix, struct bytes from, bool reverse,
                       bool (*visit)(void *arg, struct bytes key, struct bytes value), void *arg,
                       struct err *err) {
  struct index_rocksdb *rocks = rocks_of(index);
  rocksdb_iterator_t *it = rocksdb_create_iterator(rocks->db, rocks->read);
  for (seek(it, prefix, from, reverse); rocksdb_iter_valid(it);
       reverse ? rocksdb_iter_prev(it) : rocksdb_iter_next(it)) {
    size_t key_bytes, value_bytes;
    const char *key = rocksdb_iter_key(it, &key_bytes);
    const char *value = rocksdb_iter_value(it, &value_bytes);
    if (!bytes_starts(bytes_of(key, key_bytes), prefix)) break;
    if (key_bytes && key[0] == '\0') continue; /* the position */
    if (!visit(arg, bytes_of(key, key_bytes), bytes_of(value, value_bytes))) break;
  }
  char *message = NULL;
  rocksdb_iter_get_error(it, &message);
  rocksdb_iter_destroy(it);
  return !message || fail(message, "scan", err);
}

static uint64_t rocks_position(const struct index *index) {
  return atomic_load(&((const struct index_rocksdb *)index)->flushed);
}

/* ---- Opening ---- */

static rocksdb_cache_t *cache_new(void) {
  rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
  rocksdb_lru_cache_options_set_capacity(options, BLOCK_CACHE_BYTES);
  rocksdb_lru_cache_options_set_num_shard_bits(options, CACHE_SHARD_BITS);
  rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(options);
  rocksdb_lru_cache_options_destroy(options);
  return cache;
}

static void set_options(struct index_rocksdb *rocks) {
  rocks->options = rocksdb_options_create();
  rocks->blocks = rocksdb_block_based_options_create();
  rocks->cache = cache_new();
  rocksdb_block_based_options_set_filter_policy(
      rocks->blocks, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY));
  rocksdb_block_based_options_set_block_cache(rocks->blocks, rocks->cache);
  rocksdb_block_based_options_set_cache_index_and_filter_blocks(rocks->blocks, 1);
  rocksdb_block_based_options_set_index_type(
      rocks->blocks, rocksdb_block_based_table_index_type_two_level_index_search);
  rocksdb_block_based_options_set_partition_filters(rocks->blocks, 1);
  rocksdb_block_based_options_set_metadata_block_size(rocks->blocks, FILTER_PART_BYTES);
  rocksdb_block_based_options_set_pin_top_level_index_and_filter(rocks->blocks, 1);
  rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(rocks->blocks, 1);
  rocksdb_options_set_block_based_table_factory(rocks->options, rocks->blocks);
  rocksdb_options_set_create_if_missing(rocks->options, 1);
  rocksdb_options_set_write_buffer_size(rocks->options, WRITE_BUFFER_BYTES);
  rocksdb_options_set_memtable_prefix_bloom_size_ratio(rocks->options, 0.1);
  rocksdb_options_set_memtable_whole_key_filtering(rocks->options, 1);
  rocksdb_options_set_compression(rocks->options, rocksdb_no_compression);
  rocksdb_options_set_max_background_jobs(rocks->options, 2);
  rocksdb_options_set_allow_concurrent_memtable_write(rocks->options, 0);
  rocksdb_options_set_atomic_flush(rocks->options, 1);
  rocksdb_options_set_max_open_files(rocks->options, OPEN_FILES_MAX);
  rocksdb_options_set_info_log_level(rocks->options, LOG_LEVEL_WARN);
  rocksdb_options_set_max_log_file_size(rocks->options, LOG_FILE_BYTES_MAX);
  rocksdb_options_set_keep_log_file_num(rocks->options, 2);
  rocks->read = rocksdb_readoptions_create();
  rocks->write = rocksdb_writeoptions_create();
  rocksdb_writeoptions_disable_WAL(rocks->write, 1);
  rocks->flush_now = rocksdb_flushoptions_create();
  rocksdb_flushoptions_set_wait(rocks->flush_now, 1);
  rocks->flush_later = rocksdb_flushoptions_create();
  rocksdb_flushoptions_set_wait(rocks->flush_later, 0);
}

static bool load_position(struct index_rocksdb *rocks, struct err *err) {
  struct buf value;
  bool found;
  buf_init(&value, 8);
  bool good =
      rocks_get(&rocks->index, bytes_of(POSITION_KEY, POSITION_KEY_BYTES), &value, &found, err);
  if (good && found) rocks->position = value.len == 8 ? unpack_u64(value.at) : UINT64_MAX;
  atomic_store(&rocks->flushed, rocks->position);
  buf_fini(&value);
  return good;
}

bool index_open_rocksdb(const struct index_place *place, struct index **ret_index,
                        struct err *err) {
  static const struct index_ops ops = {
      .apply = rocks_apply,
      .get = rocks_get,
      .scan = rocks_scan,
      .flush = rocks_flush,
      .position = rocks_position,
      .close = rocks_close,
  };
  char *message = NULL;
  struct index_rocksdb *rocks = must_alloc(sizeof *rocks);
  rocks->index.ops = &ops;
  rocks->flush_asked_ns = clock_mono_ns(clock_real());
  set_options(rocks);
  open_env(rocks, place);
  rocks->db = rocksdb_open(rocks->options, place->path, &message);
  bool good = message ? fail(message, "open", err) : load_position(rocks, err);
  if (!good) {
    rocks_close(&rocks->index);
    return false;
  }
  *ret_index = &rocks->index;
  return true;
}

static bool destroy(const struct index_place *place, struct err *err) {
  char *message = NULL;
  struct index_rocksdb parts = {.options = rocksdb_options_create()};
  open_env(&parts, place);
  rocksdb_destroy_db(parts.options, place->path, &message);
  rocksdb_options_destroy(parts.options);
  close_env(&parts);
  return !message || fail(message, "drop", err);
}

/* Whatever keeps a derived index from opening, but for the disk itself, is cured by dropping it. */
bool index_open_or_rebuild(const struct index_place *place, uint64_t ledger_position,
                           struct index **ret_index, struct err *err) {
  struct index *index = NULL;
  bool good = index_open_rocksdb(place, &index, err);
  if (good && index_position(index) <= ledger_position) {
    *ret_index = index;
    return true;
  }
  index_close(&index);
  if (!good && err->code == ERR_FULL) return false;
  TRY(destroy(place, err));
  return index_open_rocksdb(place, ret_index, err);
}

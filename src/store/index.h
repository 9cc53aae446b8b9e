/* store/index.h: the derived index: ordered keys with small values, rebuilt from the ledger
 * at need.
 * Owns:    the engine (RocksDB with its WAL off, or memory).
 * Errors:  IO, CORRUPT (drop it and rebuild), FULL.
 * Threads: writes: the store thread alone; reads: any.
 * Limits:  flushed atomically every INDEX_FLUSH_POSITIONS or INDEX_FLUSH_MS; carries the
 *          position it has reached in the same batch.                        */
#ifndef MEDULLA_STORE_INDEX_H
#define MEDULLA_STORE_INDEX_H

#include "base/buf.h"
#include "base/err.h"

#define INDEX_FLUSH_POSITIONS 200000
#define INDEX_FLUSH_MS 5000

struct disk;
struct index;
struct keyring;
struct index_batch;

/* Where RocksDB keeps its files. */
struct index_place {
  const char *path;           /* Required: of the file system, or of the disk when that is given */
  struct disk *disk;          /* With keys: the folder is on this disk */
  const struct keyring *keys; /* Optional: its files are sealed */
};

bool index_open_rocksdb(const struct index_place *place, struct index **ret_index,
                        struct err *err) MUST_CHECK;
/* The same; what is damaged, or ahead of the ledger's position, is dropped and starts empty. */
bool index_open_or_rebuild(const struct index_place *place, uint64_t ledger_position,
                           struct index **ret_index, struct err *err) MUST_CHECK;
struct index *index_open_memory(void);
void index_close(struct index **index);

struct index_batch *index_batch_new(void);
void index_batch_free(struct index_batch **batch);
void index_batch_put(struct index_batch *batch, struct bytes key, struct bytes value);
void index_batch_remove(struct index_batch *batch, struct bytes key);
void index_batch_remove_range(struct index_batch *batch, struct bytes from, struct bytes to);
void index_batch_clear(struct index_batch *batch);
/* Applies the batch with the position it brings the index to; empties the batch. */
bool index_apply(struct index *index, struct index_batch *batch, uint64_t position,
                 struct err *err) MUST_CHECK;
uint64_t
index_position(const struct index *index); /* reached, as far as a crash would keep it: flushed */
bool index_get(struct index *index, struct bytes key, struct buf *ret_value, bool *ret_found,
               struct err *err) MUST_CHECK;
bool index_scan(struct index *index, struct bytes prefix, struct bytes from, bool reverse,
                bool (*visit)(void *arg, struct bytes key, struct bytes value), void *arg,
                struct err *err) MUST_CHECK;
bool index_flush(struct index *index, struct err *err) MUST_CHECK;

#endif

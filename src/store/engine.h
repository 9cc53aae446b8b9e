/* store/engine.h: the port below the front: what an engine must do. The front (store.c, batch.c)
 * folds, checks, seals and numbers; an engine keeps rows and never looks inside a value.
 * Owns:    an engine and its readers, each until its close.
 * Errors:  FULL, IO, CORRUPT, LIMIT. After a failed call in a transaction the front rolls back.
 * Threads: the writer's calls: the store thread alone. Each reader: one thread at a time.
 * Limits:  one transaction at a time.                                                          */
#ifndef MEDULLA_STORE_ENGINE_H
#define MEDULLA_STORE_ENGINE_H

#include "store/store.h"

struct engine;
struct engine_reader;

/* What the ledger counts; durable with every transaction. */
struct engine_counters {
  uint64_t position;   /* of the last commit */
  uint64_t audit_next; /* tree index the next audit append gets */
};

typedef bool engine_marks_visit(void *arg, uint64_t position, struct bytes marks);

struct engine_ops {
  /* ---- The writer. Reads among these see the transaction's own writes. ---- */
  bool (*begin)(struct engine *engine, struct err *err);
  bool (*commit)(struct engine *engine, const struct engine_counters *counters, struct err *err);
  void (*rollback)(struct engine *engine);
  /* *ret_version is 0 when there is no row; ret_value may be NULL. */
  bool (*get)(struct engine *engine, enum store_table table, struct bytes key,
              struct buf *ret_value, uint64_t *ret_version, struct err *err);
  bool (*put)(struct engine *engine, enum store_table table, struct bytes key, struct bytes value,
              uint64_t position, struct err *err);
  bool (*remove)(struct engine *engine, enum store_table table, struct bytes key, struct err *err);
  bool (*append)(struct engine *engine, enum store_table log, uint64_t position, uint32_t ordinal,
                 struct bytes key, struct bytes value, struct err *err);
  bool (*trim)(struct engine *engine, enum store_table log, uint64_t before, uint32_t rows_max,
               struct err *err);
  /* The unique marks one transaction set, all in one row, so that the index can be rebuilt. */
  bool (*mark)(struct engine *engine, uint64_t position, uint32_t day, struct bytes marks,
               struct err *err);
  /* Drops at most rows_max of the oldest mark rows whose day is before this one. */
  bool (*marks_trim)(struct engine *engine, uint32_t day, uint32_t rows_max, struct err *err);
  /* Mark rows after this position, in order; outside of a transaction. */
  bool (*marks)(struct engine *engine, uint64_t after, engine_marks_visit *visit, void *arg,
                struct err *err);
  /* Between transactions: what the engine wants to do off the commit's path. NULL: nothing. */
  void (*tidy)(struct engine *engine);

  /* ---- Readers: from read_begin to read_end one committed state. ---- */
  bool (*reader_open)(struct engine *engine, struct engine_reader **ret_reader, struct err *err);
  void (*reader_close)(struct engine_reader **reader);
  bool (*read_begin)(struct engine_reader *reader, struct err *err);
  void (*read_end)(struct engine_reader *reader);
  bool (*read_get)(struct engine_reader *reader, enum store_table table, struct bytes key,
                   struct buf *ret_value, uint64_t *ret_version, struct err *err);
  bool (*read_scan)(struct engine_reader *reader, const struct store_range *range,
                    store_visit *visit, void *arg, struct err *err);
  bool (*read_tail)(struct engine_reader *reader, enum store_table log, uint64_t from_position,
                    bool reverse, store_visit *visit, void *arg, struct err *err);
  bool (*read_find)(struct engine_reader *reader, enum store_table log, struct bytes key,
                    struct buf *ret_value, uint64_t *ret_position, struct err *err);
  bool (*read_position)(struct engine_reader *reader, uint64_t *ret_position, struct err *err);

  uint64_t (*disk_bytes)(struct engine *engine);
  void (*close)(struct engine **engine);
};

/* The head of every engine. */
struct engine {
  const struct engine_ops *ops;
  struct engine_counters counters; /* as opened, then as committed */
};

/* The first member of every engine's reader. */
struct engine_reader {
  struct engine *engine;
};

struct store_options;
struct engine *engine_memory_new(void);
bool engine_sqlite_open(const struct store_options *options, struct engine **ret_engine,
                        struct err *err) MUST_CHECK;

#endif

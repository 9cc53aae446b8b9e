/* runtime/pool.h: the real runtime: worker processes behind a launcher, joined by rings.
 * Owns:    the launcher, all workers, their rings.
 * Units:   milliseconds.
 * Errors:  opening: NOT_FOUND (no launcher binary), IO, LIMIT.
 * Threads: the loop's.
 * Limits:  workers_max in all; per version see runtime_code.                              */
#ifndef MEDULLA_RUNTIME_POOL_H
#define MEDULLA_RUNTIME_POOL_H

#include "os/file.h"
#include "os/loop.h"
#include "os/random.h"
#include "runtime/runtime.h"

struct pool_options {
  struct loop *loop;                /* Required */
  struct disk *disk;                /* Required: "snapshot/" and "module/" live there */
  const struct random_port *random; /* Required */
  const char *launcher_path;        /* Required: the medulla-launcher binary */
  uint32_t workers_max;             /* Required */
  int64_t fork_wait_us;   /* fork another worker when a run waits longer than this though one
                           is busy; 0: at once */
  int64_t prepare_ms_max; /* Optional: a top level's time; 0: RUNTIME_PREPARE_MS_MAX */
  bool namespaces_off;    /* test the lower isolation level */
};

struct pool_load {
  uint32_t workers, idle, busy, waiting;
  uint64_t forks, kills, restores;
  unsigned isolation; /* the level in force, runtime/sandbox.h */
};

bool runtime_open_pool(const struct pool_options *options, struct runtime **ret_runtime,
                       struct err *err) MUST_CHECK;
struct pool_load runtime_pool_load(struct runtime *runtime);
void runtime_close_pool(struct runtime **runtime);

#endif

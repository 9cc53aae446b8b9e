/* runtime/pool_prepare.c: making a version's snapshot in a confined worker.
 *
 * The worker gets one descriptor it may write, of memory. Only when it has exited with status 0 is
 * that kept as a file. It is not synced: a snapshot is derived, and one that a power cut damaged is
 * found out when it is opened, and made anew.                                                   */
#include "runtime/pool_parts.h"

#include "base/must.h"
#include "os/shm.h"
#include "runtime/kept.h"

#include <stdio.h>
#include <stdlib.h>

static void path_of(const struct pool_code *pc, char ret_path[96]) {
  snprintf(ret_path, 96, "snapshot/%s", pc->key);
}

static void settle_asks(struct pool_code *pc, const struct err *err) {
  while (!list_empty(&pc->asks)) {
    struct pool_ask *ask = LIST_FIRST(&pc->asks, struct pool_ask, link);
    list_drop(&ask->link);
    ask->done(ask->arg, err);
    free(ask);
  }
}

static void over(struct pool_code *pc, const struct err *err) {
  pc->readiness = err ? CODE_UNPREPARED : CODE_READY;
  pc->pool->sweep = true;
  settle_asks(pc, err);
  if (err)
    pool_code_fail_waiting(pc, err);
  else
    pool_code_consider(pc);
}

static bool begin(struct pool_code *pc, struct err *err) {
  struct pool_worker *worker;
  if (!pc->code) FAIL(ERR_CLOSED, "the version was retired");
  if (pc->pool->level < pc->code->isolation_floor || pc->pool->level == SANDBOX_NONE)
    FAIL(ERR_DENIED, "this host's isolation level is %s, the function demands %s",
         sandbox_level_name(pc->pool->level),
         sandbox_level_name((enum sandbox_level)pc->code->isolation_floor));
  TRY(pool_code_open_source(pc, err));
  TRY(disk_mkdir(pc->pool->options.disk, "snapshot", err));
  TRY(pool_worker_new(pc, &worker, err));
  worker->prepare = true;
  pc->pool->preparing++;
  if (!shm_create_growing("medulla-snapshot", &worker->snapshot_fd, err)) {
    list_init(&worker->link);
    pool_worker_kill(worker);
    pc->pool->preparing--;
    return false;
  }
  pool_launch_start(worker);
  return true;
}

bool pool_prepare_waits(const struct pool *pool) {
  return !list_empty(&pool->answered) ||
         (pool->preparing < POOL_PREPARES_MAX && !list_empty(&pool->prepares));
}

bool pool_prepare_next(struct pool *pool) {
  struct err err;
  if (!pool_prepare_waits(pool)) return false;
  while (!list_empty(&pool->answered)) {
    struct pool_code *pc = LIST_FIRST(&pool->answered, struct pool_code, prepare_link);
    list_drop(&pc->prepare_link);
    over(pc, NULL);
  }
  while (pool->preparing < POOL_PREPARES_MAX && !list_empty(&pool->prepares)) {
    struct pool_code *pc = LIST_FIRST(&pool->prepares, struct pool_code, prepare_link);
    list_drop(&pc->prepare_link);
    if (!begin(pc, &err)) over(pc, &err);
  }
  return true;
}

/* In the next round, because callbacks never come from within a call. */
void pool_prepare_ask(struct pool_code *pc, struct pool_ask *ask_take) {
  char path[96];
  if (ask_take) list_push(&pc->asks, &ask_take->link);
  if (pc->readiness == CODE_PREPARING) return;
  path_of(pc, path);
  bool there = pc->readiness == CODE_READY || disk_exists(pc->pool->options.disk, path);
  pc->readiness = CODE_PREPARING;
  list_drop(&pc->prepare_link);
  list_push(there ? &pc->pool->answered : &pc->pool->prepares, &pc->prepare_link);
}

static bool keep(struct pool_worker *worker, const struct launch_report *report, struct err *err) {
  char path[96];
  struct pool_code *pc = worker->code;
  path_of(pc, path);
  if (worker->start_err.code != ERR_OK) {
    *err = worker->start_err;
    return false;
  }
  if (report->signal || report->status || !worker->prepared)
    FAIL(ERR_GUEST, "the top level ended its worker (signal %d, status %d)", (int)report->signal,
         (int)report->status);
  return kept_save(pc->pool->options.disk, path, worker->snapshot_fd, err);
}

void pool_prepare_ended(struct pool_worker *worker, const struct launch_report *report) {
  struct err err;
  struct pool_code *pc = worker->code;
  worker->pool->preparing--;
  bool ok = keep(worker, report, &err);
  kept_close(&worker->snapshot_fd);
  over(pc, ok ? NULL : &err);
}

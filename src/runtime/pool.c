/* runtime/pool.c: the runtime's calls, and its turn in every round of the loop. */
#include "engine_js_hash.h"
#include "engine_wasm_hash.h"
#include "runtime/pool_parts.h"

#include "base/must.h"
#include "os/shm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FDS_PER_WORKER = 2, FDS_BESIDE = 512 };

int64_t pool_now(const struct pool *pool) {
  return clock_mono_ns(loop_clock(pool->loop));
}

void pool_refuse(struct pool *pool, struct run_handle *run) {
  run->stage = STAGE_REFUSED;
  list_push(&pool->refused, &run->link);
}

/* Calls. */

static bool may_start(const struct pool *pool, const struct run_handle *run) {
  const struct guest_input *input = &run->input;
  size_t bytes = input->event.len + input->context.len + input->env.len + input->handler.len;
  return pool->level >= run->code->isolation_floor && pool->level > SANDBOX_NONE &&
         bytes <= RUNTIME_INPUT_BYTES_MAX && pool->waiting < RUNTIME_WAITING_MAX;
}

static void start(void *self, struct run_handle *run) {
  struct pool *pool = self;
  run->worker = NULL;
  run->asked_ns = pool_now(pool);
  if (!may_start(pool, run)) {
    pool_refuse(pool, run);
    return;
  }
  struct pool_code *pc = pool_code_of(pool, run->code);
  pool_code_wait(pc, run);
  /* The rest may fail and so end a run, and callbacks never come from within a call. */
  if (!pool_code_give(pc)) pc->consider = pool->consider = true;
}

static void answer(void *self, struct run_handle *run, uint64_t ordinal, bool ok,
                   struct bytes body) {
  if (run->worker) pool_worker_answer(run->worker, ordinal, ok, body);
}

static void cancel(void *self, struct run_handle *run) {
  struct pool *pool = self;
  struct pool_worker *worker = run->worker;
  if (run->stage == STAGE_REFUSED) list_drop(&run->link);
  if (run->stage == STAGE_WAITING) pool_code_unwait(run->waits, run);
  if (worker) {
    worker->code->consider = pool->consider = true;
    pool_worker_kill(worker);
  }
  run->worker = NULL;
  run->stage = STAGE_NONE;
}

static void prepare(void *self, struct runtime_code *code,
                    void (*done)(void *arg, const struct err *err), void *arg) {
  struct pool_ask *ask = must_alloc(sizeof *ask);
  *ask = (struct pool_ask){.done = done, .arg = arg};
  struct pool_code *pc = pool_code_of(self, code);
  pc->prepared_again = false;
  pool_prepare_ask(pc, ask);
}

static void retire(void *self, struct runtime_code *code) {
  if (code->pool) pool_code_retire(code->pool);
}

static const char *engine(void *self, enum guest_kind kind) {
  return kind == GUEST_JS ? GUEST_JS_HASH : GUEST_WASM_HASH;
}

static const struct runtime_ops ops = {.start = start,
                                       .answer = answer,
                                       .cancel = cancel,
                                       .prepare = prepare,
                                       .retire = retire,
                                       .engine = engine};

/* Rounds. */

static bool settle_refused(struct pool *pool) {
  bool found = false;
  while (!list_empty(&pool->refused)) {
    struct run_handle *run = LIST_FIRST(&pool->refused, struct run_handle, link);
    list_drop(&run->link);
    pool_end_refused(pool, run);
    found = true;
  }
  return found;
}

static bool consider_some(struct pool *pool) {
  if (!pool->consider) return false;
  pool->consider = false;
  LIST_EACH (pc, &pool->codes, struct pool_code, link) {
    if (!pc->consider) continue;
    pc->consider = false;
    pool_code_consider(pc);
  }
  return true;
}

static uint32_t count_hot(const struct pool *pool) {
  uint32_t count = 0;
  LIST_EACH (worker, &pool->hot, struct pool_worker, hot_link) count++;
  return count;
}

static bool poll_round(struct loop_poller *poller) {
  struct pool *pool = LIST_OF(poller, struct pool, poller);
  bool found = settle_refused(pool);
  if (consider_some(pool)) found = true;
  if (pool_prepare_next(pool)) found = true;
  if (!list_empty(&pool->hot)) {
    int64_t now_ns = pool_now(pool);
    /* By count, each moved to the end: a callback may take any of them out of the list. */
    for (uint32_t left = count_hot(pool); left > 0 && !list_empty(&pool->hot); left--) {
      struct pool_worker *worker = LIST_FIRST(&pool->hot, struct pool_worker, hot_link);
      list_drop(&worker->hot_link);
      list_push(&pool->hot, &worker->hot_link);
      pool_worker_hot(worker); /* awake: it need not write its eventfd */
      pool_worker_poll(worker, now_ns, &found);
    }
  }
  pool_code_sweep(pool);
  return found;
}

static bool arm_all(struct loop_poller *poller) {
  struct pool *pool = LIST_OF(poller, struct pool, poller);
  bool may_sleep =
      list_empty(&pool->refused) && !pool->consider && !pool->sweep && !pool_prepare_waits(pool);
  LIST_EACH (worker, &pool->hot, struct pool_worker, hot_link)
    if (!pool_worker_arm(worker)) may_sleep = false;
  return may_sleep;
}

/* Opening and closing. */

static bool raise_limits(struct pool *pool, struct err *err) {
  uint64_t wanted = (uint64_t)pool->slots * FDS_PER_WORKER + FDS_BESIDE;
  uint64_t got = process_files_raise(wanted);
  if (got >= wanted) return true;
  FAIL(ERR_LIMIT, "%u workers need %llu open files, the hard limit is %llu",
       pool->options.workers_max, (unsigned long long)wanted, (unsigned long long)got);
}

static size_t deadlines_bytes(const struct pool *pool) {
  return pool->slots * sizeof *pool->deadlines;
}

static bool open_deadlines(struct pool *pool, struct err *err) {
  void *at;
  TRY(shm_create("medulla-deadlines", deadlines_bytes(pool), &pool->deadlines_fd, err));
  TRY(shm_map(pool->deadlines_fd, deadlines_bytes(pool), true, &at, err));
  pool->deadlines = at;
  return true;
}

static void release(struct pool *pool) {
  void *deadlines = pool->deadlines;
  if (deadlines) shm_unmap(&deadlines, deadlines_bytes(pool));
  if (pool->deadlines_fd >= 0) close(pool->deadlines_fd);
  buf_fini(&pool->result);
  free(pool->workers);
  free(pool);
}

static void init_lists(struct pool *pool) {
  struct list *heads[] = {&pool->unsent,  &pool->free,     &pool->hot,     &pool->codes,
                          &pool->starved, &pool->prepares, &pool->refused, &pool->answered};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) list_init(heads[i]);
}

bool runtime_open_pool(const struct pool_options *options, struct runtime **ret_runtime,
                       struct err *err) {
  must(options->loop && options->disk && options->launcher_path && options->workers_max);
  struct pool *pool = must_alloc(sizeof *pool);
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  *pool = (struct pool){.runtime = {.ops = &ops, .self = pool},
                        .options = *options,
                        .loop = options->loop,
                        .processors = processors > 0 ? (uint32_t)processors : 1,
                        .slots = options->workers_max + POOL_PREPARES_MAX,
                        .deadlines_fd = -1,
                        .poller = {.poll = poll_round, .arm = arm_all}};
  if (!pool->options.prepare_ms_max) pool->options.prepare_ms_max = RUNTIME_PREPARE_MS_MAX;
  init_lists(pool);
  buf_init(&pool->result, RING_MESSAGE_BYTES_MAX + 1);
  pool->workers = must_alloc(pool->slots * sizeof *pool->workers);
  for (uint32_t i = 0; i < pool->slots; i++) list_push(&pool->free, &pool->workers[i].link);
  if (!raise_limits(pool, err) || !open_deadlines(pool, err) || !pool_launch_open(pool, err)) {
    release(pool);
    return false;
  }
  loop_poller_add(pool->loop, &pool->poller);
  *ret_runtime = &pool->runtime;
  return true;
}

struct pool_load runtime_pool_load(struct runtime *runtime) {
  const struct pool *pool = runtime->self;
  struct pool_load load = {.workers = pool->used,
                           .busy = pool->busy,
                           .waiting = pool->waiting,
                           .forks = pool->forks,
                           .kills = pool->kills,
                           .restores = pool->restores,
                           .isolation = pool->level};
  LIST_EACH (pc, &pool->codes, struct pool_code, link) load.idle += pc->idle_count;
  return load;
}

void runtime_close_pool(struct runtime **runtime) {
  struct pool *pool = *runtime ? (*runtime)->self : NULL;
  *runtime = NULL;
  if (!pool) return;
  list_drop(&pool->poller.link);
  pool_launch_close(pool);
  for (uint32_t i = 0; i < pool->slots; i++) pool_worker_close(&pool->workers[i]);
  LIST_EACH (pc, &pool->codes, struct pool_code, link) pool_code_free(pc);
  release(pool);
}

/* runtime/pool_code.c: versions, the runs that wait for them, and how many workers each has.
 *
 * Waiting runs stand in lanes by fair key; a free worker takes from the lanes in turn. Another
 * worker is forked when none is there, when all are asleep in an effect or timer, or, every
 * fork_wait_us, when the queue has not moved although processors are taken. Under workers_max a
 * version that wants one more gets it from the longest idle worker of another, or from one that
 * has at least two more than it, when a run of that one ends.                                    */
#include "runtime/pool_parts.h"

#include "base/must.h"
#include "os/shm.h"
#include "runtime/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  STARTING_MAX = 32,       /* workers on their way at once */
  QUEUE_SPARE_NS = 100000, /* a queue cleared in this time wakes no worker for a spare processor */
  FORK_WAIT_US_MIN = 100,
};
#define NS_MAX INT64_C(1000000000000) /* a worker may say what it likes: no sum overflows */

static void fork_time(struct loop_timer *timer);

/* The version's lasting things. */

bool pool_code_open_source(struct pool_code *pc, struct err *err) {
  struct bytes source = pc->code->code.source;
  if (pc->code_fd >= 0) return true;
  if (source.len > LAUNCH_SOURCE_BYTES_MAX) FAIL(ERR_LIMIT, "the source is larger than 64 MiB");
  int fd = -1;
  void *at = NULL;
  TRY(shm_create("medulla-code", source.len + 1, &fd, err));
  if (!shm_map(fd, source.len + 1, true, &at, err)) {
    close(fd);
    return false;
  }
  if (source.len) memcpy(at, source.at, source.len);
  shm_unmap(&at, source.len + 1);
  pc->source_bytes = source.len;
  pc->code_fd = fd;
  return shm_seal_future_writes(fd, err);
}

static bool open_snapshot(struct pool_code *pc, struct err *err) {
  char path[96];
  if (pc->snapshot_fd >= 0) return true;
  snprintf(path, sizeof path, "snapshot/%s", pc->key);
  return kept_load(pc->pool->options.disk, path, &pc->snapshot_fd, err);
}

/* One that cannot be read would be found there again. */
static void drop_snapshot(struct pool_code *pc) {
  char path[96];
  struct err ignored;
  snprintf(path, sizeof path, "snapshot/%s", pc->key);
  (void)!disk_remove(pc->pool->options.disk, path, &ignored);
}

struct pool_code *pool_code_of(struct pool *pool, struct runtime_code *code) {
  struct pool_code *pc = code->pool;
  if (pc) return pc;
  pc = must_alloc(sizeof *pc);
  *pc = (struct pool_code){
      .pool = pool, .code = code, .code_fd = -1, .snapshot_fd = -1, .fork_timer.fire = fork_time};
  memcpy(pc->key, code->key, sizeof pc->key - 1);
  list_init(&pc->starved_link);
  list_init(&pc->prepare_link);
  list_init(&pc->idle);
  list_init(&pc->busy);
  list_init(&pc->lanes);
  list_init(&pc->asks);
  list_push(&pool->codes, &pc->link);
  code->pool = pc;
  return pc;
}

void pool_code_free(struct pool_code *pc) {
  if (pc->code && !pc->retired) pc->code->pool = NULL;
  LIST_EACH (lane, &pc->lanes, struct pool_lane, link) free(lane);
  LIST_EACH (ask, &pc->asks, struct pool_ask, link) free(ask);
  loop_timer_drop(pc->pool->loop, &pc->fork_timer);
  kept_close(&pc->snapshot_fd);
  if (pc->code_fd >= 0) close(pc->code_fd);
  list_drop(&pc->starved_link);
  list_drop(&pc->prepare_link);
  list_drop(&pc->link);
  free(pc);
}

/* Once in a round, when something has ended: codes without workers keep nothing open. */
void pool_code_sweep(struct pool *pool) {
  if (!pool->sweep) return;
  pool->sweep = false;
  LIST_EACH (pc, &pool->codes, struct pool_code, link) {
    if (pc->retired && pc->busy_count == 0 && pc->waiting == 0) {
      pc->code = NULL; /* its owner may free it now */
      LIST_EACH (worker, &pc->idle, struct pool_worker, link) pool_worker_kill(worker);
    }
    if (pc->workers == 0 && pc->waiting == 0 && list_empty(&pc->asks) &&
        pc->readiness != CODE_PREPARING && (pc->retired || pc->code->provisioned == 0))
      pool_code_free(pc);
  }
}

/* Lanes. */

static struct pool_lane *lane_of(struct pool_code *pc, uint64_t fair_key) {
  LIST_EACH (lane, &pc->lanes, struct pool_lane, link)
    if (lane->fair_key == fair_key) return lane;
  return NULL;
}

static void run_timed_out(struct loop_timer *timer) {
  struct run_handle *run = LIST_OF(timer, struct run_handle, timer);
  struct pool_code *pc = run->waits;
  struct pool *pool = pc->pool;
  pool_code_unwait(pc, run);
  pool_refuse(pool, run);
}

void pool_code_wait(struct pool_code *pc, struct run_handle *run) {
  struct pool_lane *lane = lane_of(pc, run->fair_key);
  if (!lane) {
    lane = must_alloc(sizeof *lane);
    lane->fair_key = run->fair_key;
    list_init(&lane->runs);
    list_push(&pc->lanes, &lane->link);
  }
  list_push(&lane->runs, &run->link);
  run->stage = STAGE_WAITING;
  run->waits = pc;
  pc->waiting++;
  pc->pool->waiting++;
  run->timer = (struct loop_timer){.fire = run_timed_out};
  if (run->wait_ms_max > 0)
    loop_timer_set(pc->pool->loop, &run->timer, run->asked_ns + run->wait_ms_max * POOL_NS_PER_MS);
}

void pool_code_unwait(struct pool_code *pc, struct run_handle *run) {
  struct pool_lane *lane = lane_of(pc, run->fair_key);
  must(lane && run->stage == STAGE_WAITING);
  loop_timer_drop(pc->pool->loop, &run->timer);
  list_drop(&run->link);
  run->stage = STAGE_NONE;
  pc->waiting--;
  pc->pool->waiting--;
  pc->pool->sweep = true;
  if (!list_empty(&lane->runs)) return;
  list_drop(&lane->link);
  free(lane);
}

/* The next in turn: the first of the first lane, which then goes to the end. */
static struct run_handle *next_run(struct pool_code *pc) {
  struct pool_lane *lane = LIST_FIRST(&pc->lanes, struct pool_lane, link);
  if (!lane) return NULL;
  struct run_handle *run = LIST_FIRST(&lane->runs, struct run_handle, link);
  list_drop(&lane->link);
  list_push(&pc->lanes, &lane->link);
  pool_code_unwait(pc, run);
  return run;
}

/* How many workers. */

static uint32_t workers_max(const struct pool_code *pc) {
  uint32_t most = pc->code->concurrency_max;
  return most ? most : pc->pool->options.workers_max;
}

/* A busy worker that sleeps in an effect or timer; it says so itself in its rings. One that waits
 * for us to read what it has said is none. A worker that lies about it only gets its own version
 * more workers, within its limits. */
static bool is_asleep(const struct pool_worker *worker) {
  return atomic_load_explicit(&worker->ring.shared->worker_sleeps, memory_order_relaxed) &&
         ring_is_empty(&worker->ring);
}

static uint32_t count_asleep(struct pool_code *pc) {
  uint32_t asleep = 0;
  LIST_EACH (worker, &pc->busy, struct pool_worker, link)
    if (is_asleep(worker)) asleep++;
  return asleep;
}

/* Busy workers that will soon take the next run; one that is far behind the mean may never. */
static uint32_t count_moving(struct pool_code *pc, int64_t late_ns) {
  enum { LOOK_AT_MAX = 16 };
  uint32_t moving = 0, seen = 0;
  int64_t since_ns = pool_now(pc->pool) - late_ns;
  for (struct list *at = pc->busy.prev; at != &pc->busy && seen++ < LOOK_AT_MAX; at = at->prev) {
    const struct pool_worker *worker = LIST_OF(at, struct pool_worker, link);
    if (worker->begun_ns >= since_ns && !is_asleep(worker)) moving++;
  }
  return moving;
}

static int64_t fork_wait_ns(const struct pool_code *pc) {
  int64_t wait_us = pc->pool->options.fork_wait_us;
  return (wait_us > FORK_WAIT_US_MIN ? wait_us : FORK_WAIT_US_MIN) * 1000;
}

/* Short runs are done sooner by the worker that is awake than another is woken; and workers beyond
 * the processors only cost each other their caches. Where this is wrong, fork_time mends it. */
static bool keeps_up(struct pool_code *pc) {
  if (pc->busy_count == 0 || pc->mean_ns == 0 || pc->mean_ns > fork_wait_ns(pc)) return false;
  bool spare = pc->pool->busy + 1 < pc->pool->processors;
  int64_t most_ns = spare ? QUEUE_SPARE_NS : fork_wait_ns(pc);
  int64_t queue_ns = pc->mean_ns * pc->waiting;
  if (queue_ns > most_ns * pc->busy_count) return false;
  return queue_ns <= most_ns * count_moving(pc, most_ns);
}

static struct pool_worker *longest_idle(struct pool *pool, const struct pool_code *but) {
  struct pool_worker *oldest = NULL;
  LIST_EACH (pc, &pool->codes, struct pool_code, link) {
    if (pc == but || pc->idle_count == 0) continue;
    if (!pc->retired && pc->workers <= pc->code->provisioned) continue;
    struct pool_worker *worker = LIST_FIRST(&pc->idle, struct pool_worker, link);
    if (!oldest || worker->idle_ns < oldest->idle_ns) oldest = worker;
  }
  return oldest;
}

static void starve(struct pool_code *pc) {
  struct pool_worker *idle = longest_idle(pc->pool, pc);
  if (list_empty(&pc->starved_link)) list_push(&pc->pool->starved, &pc->starved_link);
  if (idle) pool_worker_kill(idle); /* its slot comes with the launcher's report */
}

static void fail_one(struct pool_code *pc, const struct err *err) {
  struct run_handle *run = next_run(pc);
  if (run) pool_end_unstarted(pc->pool, run, err);
}

/* False: not now. */
static bool fork_one(struct pool_code *pc) {
  struct pool *pool = pc->pool;
  struct pool_worker *worker;
  struct err err;
  if (pool->starting >= STARTING_MAX) return false;
  if (pool->used - pool->preparing >= pool->options.workers_max) {
    starve(pc);
    return false;
  }
  if (!pool_code_open_source(pc, &err) || !open_snapshot(pc, &err) ||
      !pool_worker_new(pc, &worker, &err)) {
    if ((err.code == ERR_NOT_FOUND || err.code == ERR_CORRUPT) && !pc->prepared_again) {
      pc->prepared_again = true; /* snapshots are derived: a lost one is made anew */
      drop_snapshot(pc);
      pc->readiness = CODE_UNPREPARED;
      pool_prepare_ask(pc, NULL);
      return false;
    }
    fail_one(pc, &err);
    return false;
  }
  pool->forks++;
  pool_launch_start(worker);
  return true;
}

static uint32_t lesser(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* How many more it may have and would use at once. */
static uint32_t wanted(const struct pool_code *pc) {
  if (pc->readiness != CODE_READY || pc->waiting <= pc->starting) return 0;
  uint32_t most = workers_max(pc);
  if (pc->workers >= most) return 0;
  return lesser(pc->waiting - pc->starting, most - pc->workers);
}

static void fork_some(struct pool_code *pc, uint32_t count) {
  while (count-- > 0 && fork_one(pc)) {}
}

/* All processors are taken, by runs that do not end: the others should not wait for them. */
static bool is_stuck(struct pool_code *pc, bool overdue) {
  enum { STUCK_TIMES = 4 };
  if (!overdue) return false;
  bool moved = pc->finished != pc->finished_before || pc->starting;
  pc->finished_before = pc->finished;
  pc->stuck = moved ? 0 : pc->stuck + 1;
  return pc->stuck >= STUCK_TIMES;
}

/* Those longest at their runs sleep: more of the kind cost no processor, so no need to wait and see
 * how those on their way turn out. */
static bool sleeps_mostly(const struct pool_code *pc) {
  enum { LOOK_AT_MAX = 16 };
  uint32_t asleep = 0, seen = 0;
  LIST_EACH (worker, &pc->busy, struct pool_worker, link) {
    if (seen == LOOK_AT_MAX) break;
    seen++;
    if (is_asleep(worker)) asleep++;
  }
  return seen && asleep == seen;
}

static void fork_now(struct pool_code *pc, bool overdue) {
  uint32_t want = wanted(pc);
  if (want == 0) return;
  if (pc->starting && !overdue) {
    bool brief = pc->mean_ns && pc->mean_ns <= fork_wait_ns(pc);
    if (!brief && sleeps_mostly(pc)) fork_some(pc, want);
    return;
  }
  uint32_t running = pc->starting;
  if (pc->busy_count) running += pc->busy_count - count_asleep(pc);
  if (running == 0)
    fork_some(pc, pc->workers || overdue ? want : 1);
  else if (overdue && running < pc->pool->processors)
    fork_some(pc, lesser(want, pc->pool->processors - running));
  else if (is_stuck(pc, overdue))
    fork_some(pc, lesser(want, 1 + pc->workers / 2));
}

static bool give(struct pool_code *pc) {
  if (list_empty(&pc->idle)) return false;
  struct pool_worker *worker = LIST_OF(pc->idle.prev, struct pool_worker, link); /* the warmest */
  struct run_handle *run = next_run(pc);
  if (!run) return false;
  list_drop(&worker->link);
  list_push(&pc->busy, &worker->link);
  pc->idle_count--;
  pc->busy_count++;
  pc->pool->busy++;
  worker->state = WORKER_BUSY;
  pool_worker_begin(worker, run);
  return true;
}

/* When the run that waits longest was asked for. */
static int64_t oldest_ns(const struct pool_code *pc) {
  int64_t oldest_ns = INT64_MAX;
  LIST_EACH (lane, &pc->lanes, struct pool_lane, link) {
    const struct run_handle *run = LIST_FIRST(&lane->runs, struct run_handle, link);
    if (run->asked_ns < oldest_ns) oldest_ns = run->asked_ns;
  }
  return oldest_ns;
}

static void set_fork_timer(struct pool_code *pc, int64_t at_ns) {
  pc->fork_timer_set = true;
  loop_timer_set(pc->pool->loop, &pc->fork_timer, at_ns);
}

/* A queue that is never empty but moves makes nobody wait long. */
static void fork_time(struct loop_timer *timer) {
  struct pool_code *pc = LIST_OF(timer, struct pool_code, fork_timer);
  pc->fork_timer_set = false;
  if (pc->waiting == 0) return;
  int64_t due_ns = oldest_ns(pc) + fork_wait_ns(pc);
  if (due_ns > pool_now(pc->pool)) {
    set_fork_timer(pc, due_ns);
    return;
  }
  if (!give(pc)) fork_now(pc, true);
  pool_code_consider(pc);
}

static void keep_provisioned(struct pool_code *pc) {
  if (pc->retired || pool_now(pc->pool) < pc->retry_ns) return;
  while (pc->workers < lesser(pc->code->provisioned, workers_max(pc)) && fork_one(pc)) {}
}

bool pool_code_give(struct pool_code *pc) {
  return !keeps_up(pc) && give(pc);
}

void pool_code_ended(struct pool_worker *worker, int64_t took_us) {
  enum { MEAN_OF = 16, HANDOVER_NS = 5000 };
  struct pool_code *pc = worker->code;
  int64_t took_ns = (took_us < NS_MAX / 1000 ? took_us * 1000 : NS_MAX) + HANDOVER_NS;
  pc->mean_ns = pc->mean_ns ? pc->mean_ns + (took_ns - pc->mean_ns) / MEAN_OF : took_ns;
  list_drop(&worker->link);
  pc->finished++;
  pc->busy_count--;
  pc->pool->busy--;
}

void pool_code_consider(struct pool_code *pc) {
  while (pool_code_give(pc)) {}
  if (!pc->code) return;
  if (pc->waiting == 0) {
    list_drop(&pc->starved_link);
    if (pc->readiness == CODE_READY) keep_provisioned(pc);
    return;
  }
  if (pc->readiness != CODE_READY) {
    pool_prepare_ask(pc, NULL);
    return;
  }
  if (list_empty(&pc->idle)) fork_now(pc, pc->pool->options.fork_wait_us == 0);
  if (pc->waiting == 0 || pc->fork_timer_set) return;
  set_fork_timer(pc, pool_now(pc->pool) + fork_wait_ns(pc));
}

/* A starved version takes this worker's place when that makes the shares more even. */
static bool yields(const struct pool_code *pc) {
  const struct pool_code *starved = LIST_FIRST(&pc->pool->starved, struct pool_code, starved_link);
  if (!starved || starved == pc || !pc->code || wanted(starved) == 0) return false;
  return pc->workers > starved->workers + 1 && pc->workers > pc->code->provisioned;
}

void pool_code_worker_free(struct pool_worker *worker) {
  struct pool_code *pc = worker->code;
  worker->state = WORKER_IDLE;
  bool alive = pool_worker_deadline_over(worker);
  worker->idle_ns = pool_now(pc->pool);
  list_push(&pc->idle, &worker->link);
  pc->idle_count++;
  if (worker->gone) return;
  if (!alive || yields(pc)) {
    pool_worker_kill(worker);
    if (!alive) pool_code_consider(pc);
    return;
  }
  if (pc->waiting > 0) pool_code_consider(pc);
  if (worker->state != WORKER_IDLE) return;
  worker->meter = (struct run_meter){0};
  if (pc->retired) pc->pool->sweep = true;
  if (pc->code && !pc->retired)
    pool_worker_timer(worker, worker->idle_ns + pc->code->idle_ms * POOL_NS_PER_MS);
}

void pool_code_slot_free(struct pool *pool) {
  /* Round-robin: whoever is served goes to the end by starving again. */
  uint32_t rounds = 0;
  while (!list_empty(&pool->starved) && rounds++ < pool->slots &&
         pool->used - pool->preparing < pool->options.workers_max) {
    struct pool_code *pc = LIST_FIRST(&pool->starved, struct pool_code, starved_link);
    list_drop(&pc->starved_link);
    if (wanted(pc) > 0 && !fork_one(pc)) break;
    if (wanted(pc) > 0 && list_empty(&pc->starved_link))
      list_push(&pool->starved, &pc->starved_link);
  }
  LIST_EACH (pc, &pool->codes, struct pool_code, link)
    if (pc->code && !pc->retired && pc->readiness == CODE_READY && pc->waiting == 0 &&
        pc->workers < pc->code->provisioned)
      keep_provisioned(pc);
}

/* One run fails for one failed start, so that each gets an answer and none is tried for ever. */
void pool_code_start_failed(struct pool_code *pc, const struct err *err) {
  pc->retry_ns = pool_now(pc->pool) + POOL_BACKOFF_NS;
  if (err->code == ERR_CORRUPT && !pc->prepared_again && pc->code) {
    struct err ignored;
    char path[96];
    snprintf(path, sizeof path, "snapshot/%s", pc->key);
    kept_close(&pc->snapshot_fd);
    pc->prepared_again = true;
    if (disk_remove(pc->pool->options.disk, path, &ignored)) pc->readiness = CODE_UNPREPARED;
  } else {
    fail_one(pc, err);
  }
  if (pc->code) pool_code_consider(pc);
}

void pool_code_fail_waiting(struct pool_code *pc, const struct err *err) {
  for (uint32_t left = pc->waiting; left > 0; left--) fail_one(pc, err);
}

void pool_code_retire(struct pool_code *pc) {
  pc->retired = true;
  pc->code->pool = NULL;
  if (pc->waiting == 0)
    LIST_EACH (worker, &pc->idle, struct pool_worker, link) pool_worker_kill(worker);
  if (pc->waiting == 0 && pc->busy_count == 0) pc->code = NULL;
  pc->pool->sweep = true;
}

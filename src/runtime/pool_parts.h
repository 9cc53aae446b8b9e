/* runtime/pool_parts.h: what the files of the pool share; nobody else includes it.
 * Owns:    struct pool owns everything below it; runs and codes belong to the caller.
 * Units:   nanoseconds on the loop's clock unless named otherwise.
 * Errors:  as in pool.h.
 * Threads: the loop's.
 * Limits:  POOL_ below.
 *
 * A worker's life (a slot of pool->workers):
 *
 *   FREE -> STARTING -> IDLE <-> BUSY
 *              |         |        |
 *              +---------+--------+--> ENDING -> FREE      (killed, until the launcher reports it)
 *              +---------+--------+------------> FREE      (ended by itself)                     */
#ifndef MEDULLA_RUNTIME_POOL_PARTS_H
#define MEDULLA_RUNTIME_POOL_PARTS_H

#include "os/process.h"
#include "runtime/launch.h"
#include "runtime/pool.h"
#include "runtime/ring_message.h"
#include "runtime/sandbox.h"

#define POOL_PREPARES_MAX 4                 /* snapshots being made at once */
#define POOL_BACKOFF_NS INT64_C(1000000000) /* after a failed start or a dead launcher */
#define POOL_NS_PER_MS INT64_C(1000000)

enum pool_stage { STAGE_NONE, STAGE_WAITING, STAGE_RUNNING, STAGE_REFUSED };

enum pool_state { WORKER_FREE, WORKER_STARTING, WORKER_IDLE, WORKER_BUSY, WORKER_ENDING };

struct pool;
struct pool_code;

struct pool_worker {
  struct list link;     /* free, unsent, idle or busy list */
  struct list hot_link; /* pool->hot */
  struct pool *pool;
  struct pool_code *code; /* NULL: nobody waits for it any more */
  uint64_t number;        /* what the launcher calls it */
  enum pool_state state;
  bool prepare, sent, hot, armed, tell_started;
  bool gone; /* its process has ended, the rest of its ring is read */
  unsigned idle_wakes;
  struct ring ring;
  void *memory;
  int memory_fd;
  struct loop_watch watch; /* its fd: the eventfd this worker writes */
  struct loop_timer timer; /* the deadline when busy, the end of idling when idle; lazy */
  int64_t timer_ns;        /* when it is set for; 0: not set */
  int64_t asked_ns, idle_ns, heard_ns, begun_ns;
  /* The run. */
  struct run_handle *run;
  struct ring_run run_head;
  struct ring_out run_out;
  bool run_sent;
  struct list outbox; /* answers that did not fit yet */
  size_t outbox_bytes;
  uint64_t requests, log_bytes;
  struct run_meter meter;
  /* Why it did not get ready. */
  struct err start_err;
  struct launch_command *command; /* until it is sent */
  int snapshot_fd;                /* of a prepare, or -1 */
  bool prepared;
};

/* Waiting runs of one fair key. */
struct pool_lane {
  struct list link; /* code->lanes, the next to be served first */
  uint64_t fair_key;
  struct list runs;
};

struct pool_ask {
  struct list link;
  void (*done)(void *arg, const struct err *err);
  void *arg;
};

enum pool_readiness { CODE_UNPREPARED, CODE_PREPARING, CODE_READY };

struct pool_code {
  struct list link;         /* pool->codes */
  struct list starved_link; /* pool->starved: wants a worker, but workers_max is reached */
  struct list prepare_link; /* pool->prepares */
  struct pool *pool;
  struct runtime_code *code; /* NULL when retired and without runs */
  char key[65];
  bool retired;
  bool consider; /* in the next round */
  enum pool_readiness readiness;
  struct list idle; /* the longest idle first */
  struct list busy; /* the longest at its run first */
  struct list lanes;
  uint32_t workers, starting, idle_count, busy_count, waiting;
  uint64_t finished, finished_before; /* runs; to see whether the queue moves */
  uint32_t stuck;                     /* times in a row that it did not */
  int64_t mean_ns;                    /* a run holds a worker for, lately; 0: not known yet */
  struct loop_timer fork_timer;
  bool fork_timer_set;
  int64_t retry_ns; /* no worker is kept warm before this */
  int snapshot_fd;  /* a copy in memory, while there are workers; or -1 */
  int code_fd;
  uint64_t source_bytes;
  struct list asks; /* who waits for the snapshot */
  bool prepared_again;
};

struct pool {
  struct runtime runtime;
  struct pool_options options;
  struct loop *loop;
  uint32_t processors;
  /* The launcher. */
  struct process launcher;
  bool launcher_up, launcher_greeted;
  int socket, deadlines_fd;
  struct loop_watch socket_watch;
  struct loop_timer launcher_timer;
  struct list unsent;         /* workers whose LAUNCH_START waits for room in the socket */
  _Atomic int64_t *deadlines; /* of each slot, for the launcher; launch.h */
  enum sandbox_level level;
  char why_not[160];
  /* Workers. */
  struct pool_worker *workers;
  uint32_t slots, used, starting, preparing, busy;
  uint64_t last_number;
  struct list free, hot;
  struct loop_poller poller;
  bool sweep;    /* some code may have ended */
  bool consider; /* some code has new runs */
  /* Codes and runs. */
  struct list codes, starved, prepares, refused, answered;
  uint32_t waiting;
  struct buf result; /* the body of the run that is being reported */
  uint64_t forks, kills, restores;
};

/* pool.c */
int64_t pool_now(const struct pool *pool);
void pool_refuse(struct pool *pool, struct run_handle *run); /* its done: in the next round */

/* pool_launch.c: the connection to the launcher. */
bool pool_launch_open(struct pool *pool, struct err *err) MUST_CHECK;
void pool_launch_close(struct pool *pool);
void pool_launch_start(struct pool_worker *worker); /* now or when there is room */
void pool_launch_kill(struct pool_worker *worker);

/* pool_worker.c: slots, rings, one run. */
void pool_worker_close(struct pool_worker *worker); /* without a launcher */
bool pool_worker_new(struct pool_code *code, struct pool_worker **ret_worker,
                     struct err *err) MUST_CHECK;
void pool_worker_begin(struct pool_worker *worker, struct run_handle *run);
void pool_worker_answer(struct pool_worker *worker, uint64_t ordinal, bool ok, struct bytes body);
void pool_worker_kill(struct pool_worker *worker); /* nobody hears of it any more */
void pool_worker_poll(struct pool_worker *worker, int64_t now_ns, bool *found);
bool pool_worker_arm(struct pool_worker *worker); /* false: there is something to read */
void pool_worker_hot(struct pool_worker *worker);
void pool_worker_timer(struct pool_worker *worker, int64_t at_ns);
bool pool_worker_deadline_over(struct pool_worker *worker); /* false: the launcher killed it */
/* The launcher says it has ended. */
void pool_worker_ended(struct pool_worker *worker, const struct launch_report *report);

/* pool_end.c: how a run ends, in words. A run that ends has no worker any more. */
struct pool_ending {
  struct pool *pool;
  struct run_handle *run;
  struct run_meter meter;
};
struct pool_ending pool_end_take(struct pool_worker *worker);
void pool_end_run(struct pool_ending *ending, const struct ring_done *done, struct bytes body);
void pool_end_timeout(struct pool_ending *ending);
void pool_end_death(struct pool_ending *ending, const struct launch_report *report);
void pool_end_broken(struct pool_ending *ending);
void pool_end_unstarted(struct pool *pool, struct run_handle *run, const struct err *err);
void pool_end_refused(struct pool *pool, struct run_handle *run);

/* pool_code.c: versions, their waiting runs, how many workers. */
bool pool_code_open_source(struct pool_code *pc, struct err *err) MUST_CHECK;
struct pool_code *pool_code_of(struct pool *pool, struct runtime_code *code);
void pool_code_wait(struct pool_code *code, struct run_handle *run);
void pool_code_unwait(struct pool_code *code, struct run_handle *run);
bool pool_code_give(struct pool_code *pc); /* a waiting run to an idle worker */
void pool_code_ended(struct pool_worker *worker, int64_t took_us); /* as the worker says */
void pool_code_consider(struct pool_code *code); /* give idle workers work, fork if it is time */
void pool_code_worker_free(struct pool_worker *worker); /* READY or after a run */
void pool_code_slot_free(struct pool *pool);            /* starved codes may fork */
void pool_code_start_failed(struct pool_code *code, const struct err *err);
void pool_code_fail_waiting(struct pool_code *pc, const struct err *err);
void pool_code_retire(struct pool_code *code);
void pool_code_sweep(struct pool *pool);
void pool_code_free(struct pool_code *code);

/* pool_prepare.c */
void pool_prepare_ask(struct pool_code *code, struct pool_ask *ask_take); /* NULL: for a run */
void pool_prepare_ended(struct pool_worker *worker, const struct launch_report *report);
bool pool_prepare_next(struct pool *pool); /* true: there was something to do */
bool pool_prepare_waits(const struct pool *pool);

#endif

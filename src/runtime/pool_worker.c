/* runtime/pool_worker.c: a worker's slot, its end of the rings, and one run on it.
 *
 * A worker that spoke lately is hot: looked at in every round of the loop, without a system call
 * on either side. A hot worker that stays silent is armed: it writes its eventfd when it speaks. */
#include "runtime/pool_parts.h"

#include "base/must.h"
#include "os/futex.h"
#include "os/shm.h"
#include "os/wake.h"
#include "runtime/kept.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pool_answer {
  struct list link;
  struct ring_out out;
  size_t len;
  uint8_t body[];
};

enum {
  HOT_NS = 50000,              /* without a message for this long a worker is no longer hot */
  PULLS_MAX = 64,              /* messages of one worker in one round */
  OUTBOX_BYTES_MAX = 64 << 20, /* answers a run has not read yet */
  IDLE_WAKES_MAX = 2,          /* one wake may still be under way when a run ends */
};

static bool is_live(const struct pool_worker *worker) {
  return worker->state == WORKER_STARTING || worker->state == WORKER_BUSY;
}

static void wake(struct pool_worker *worker, uint32_t what) {
  if (ring_peer_sleeps(&worker->ring, what)) futex_wake_one(&worker->ring.shared->worker_sleeps);
}

/* Slots. */

static void timer_fired(struct loop_timer *timer);
static void woken(struct loop_watch *watch, unsigned events);

static bool open_slot(struct pool_worker *worker, struct err *err) {
  TRY(shm_create("medulla-ring", RING_MEMORY_BYTES, &worker->memory_fd, err));
  TRY(shm_map(worker->memory_fd, RING_MEMORY_BYTES, true, &worker->memory, err));
  TRY(wake_open(&worker->watch.fd, err));
  worker->watch.interest = LOOP_READ;
  worker->watch.ready = woken;
  return loop_add(worker->pool->loop, &worker->watch, err);
}

static void close_slot(struct pool_worker *worker) {
  if (worker->memory_fd >= 0) close(worker->memory_fd);
  if (worker->memory) shm_unmap(&worker->memory, RING_MEMORY_BYTES);
  if (worker->watch.fd >= 0) close(worker->watch.fd);
  worker->memory_fd = worker->watch.fd = -1;
}

static void set_deadline(struct pool_worker *worker, int64_t at_ns) {
  atomic_store_explicit(&worker->pool->deadlines[worker - worker->pool->workers], at_ns,
                        memory_order_relaxed);
}

bool pool_worker_new(struct pool_code *code, struct pool_worker **ret_worker, struct err *err) {
  struct pool *pool = code->pool;
  struct pool_worker *worker = LIST_FIRST(&pool->free, struct pool_worker, link);
  must(worker && worker->state == WORKER_FREE);
  *worker = (struct pool_worker){.pool = pool,
                                 .snapshot_fd = -1,
                                 .code = code,
                                 .link = worker->link,
                                 .memory_fd = -1,
                                 .watch = {.fd = -1},
                                 .timer = {.fire = timer_fired}};
  if (!open_slot(worker, err)) {
    close_slot(worker);
    return false;
  }
  list_drop(&worker->link);
  list_init(&worker->hot_link);
  list_init(&worker->outbox);
  ring_init(&worker->ring, worker->memory, true);
  /* The number names the slot, and no number is used twice. */
  worker->number = ++pool->last_number * pool->slots + (uint64_t)(worker - pool->workers);
  worker->state = WORKER_STARTING;
  worker->asked_ns = pool_now(pool);
  pool->used++;
  pool->starting++;
  code->workers++;
  code->starting++;
  must(pool_worker_arm(worker));
  int64_t ready_ns = worker->asked_ns + pool->options.prepare_ms_max * POOL_NS_PER_MS;
  pool_worker_timer(worker, ready_ns);
  set_deadline(worker, ready_ns);
  *ret_worker = worker;
  return true;
}

static void drop_outbox(struct pool_worker *worker) {
  LIST_EACH (answer, &worker->outbox, struct pool_answer, link) {
    list_drop(&answer->link);
    bytes_wipe(answer->body, answer->len);
    free(answer);
  }
  worker->outbox_bytes = 0;
}

static void cool(struct pool_worker *worker) {
  if (!worker->hot) return;
  list_drop(&worker->hot_link);
  worker->hot = false;
}

/* Out of its code's lists and counts; the slot lives on until the launcher reports the end. */
static void leave(struct pool_worker *worker) {
  struct pool_code *code = worker->code;
  cool(worker);
  loop_timer_drop(worker->pool->loop, &worker->timer);
  worker->timer_ns = 0;
  if (worker->state == WORKER_STARTING) worker->pool->starting--;
  if (worker->state == WORKER_BUSY) worker->pool->busy--;
  if (!code) return;
  if (worker->state == WORKER_STARTING) code->starting--;
  if (worker->state == WORKER_BUSY) code->busy_count--;
  if (worker->state == WORKER_IDLE) code->idle_count--;
  if (worker->state == WORKER_BUSY || worker->state == WORKER_IDLE) list_drop(&worker->link);
  code->workers--;
  worker->code = NULL;
  worker->pool->sweep = true;
}

static void free_slot(struct pool_worker *worker) {
  struct pool *pool = worker->pool;
  drop_outbox(worker);
  ring_fini(&worker->ring);
  loop_drop(pool->loop, &worker->watch);
  close_slot(worker);
  free(worker->command);
  worker->command = NULL;
  worker->state = WORKER_FREE;
  pool->used--;
  list_push(&pool->free, &worker->link);
}

void pool_worker_close(struct pool_worker *worker) {
  if (worker->state == WORKER_FREE) return;
  if (worker->state != WORKER_ENDING) leave(worker);
  kept_close(&worker->snapshot_fd);
  free_slot(worker);
}

void pool_worker_kill(struct pool_worker *worker) {
  must(worker->state != WORKER_FREE && worker->state != WORKER_ENDING);
  bool sent = worker->sent;
  leave(worker);
  worker->state = WORKER_ENDING;
  pool_end_take(worker); /* who reports its run has taken it before */
  if (sent) {
    pool_launch_kill(worker);
    return;
  }
  list_drop(&worker->link); /* it never left the core */
  free_slot(worker);
}

void pool_worker_ended(struct pool_worker *worker, const struct launch_report *report) {
  struct pool *pool = worker->pool;
  bool found;
  worker->gone = true;
  if (is_live(worker)) pool_worker_poll(worker, pool_now(worker->pool), &found); /* last words */
  struct pool_code *code = worker->code;
  enum pool_state was = worker->state;
  if (worker->prepare && was != WORKER_ENDING) {
    pool_prepare_ended(worker, report);
  }
  struct err why = worker->start_err;
  if (was == WORKER_STARTING && why.code == ERR_OK)
    err_set(&why, ERR_UNAVAILABLE, ERR_PLACE, ERR_OFFSET_NONE,
            "the worker ended before it was ready (signal %d, status %d)", (int)report->signal,
            (int)report->status);
  bool prepare = worker->prepare;
  if (was != WORKER_ENDING) leave(worker);
  struct pool_ending ending = pool_end_take(worker);
  /* The launcher was the first to see that its time was over. */
  if (ending.run && report->signal == SIGKILL &&
      pool_now(pool) >= ending.run->input.deadline_mono_ns)
    pool_end_timeout(&ending);
  else if (ending.run)
    pool_end_death(&ending, report);
  free_slot(worker);
  if (code && was == WORKER_STARTING && !prepare) pool_code_start_failed(code, &why);
  pool_code_slot_free(pool);
}

/* Time. */

/* Lazy: a timer that is set for earlier stays, and is set anew when it fires. */
void pool_worker_timer(struct pool_worker *worker, int64_t at_ns) {
  if (worker->timer_ns && worker->timer_ns <= at_ns) return;
  worker->timer_ns = at_ns;
  loop_timer_set(worker->pool->loop, &worker->timer, at_ns);
}

bool pool_worker_deadline_over(struct pool_worker *worker) {
  _Atomic int64_t *deadline = &worker->pool->deadlines[worker - worker->pool->workers];
  return atomic_exchange(deadline, 0) != LAUNCH_DEADLINE_OVERDUE;
}

static void past_start(struct pool_worker *worker) {
  static const struct launch_report death = {.kind = LAUNCH_EXITED};
  err_set(&worker->start_err, ERR_TIMEOUT, ERR_PLACE, ERR_OFFSET_NONE, "%s within %lld ms",
          worker->prepare ? "the top level did not finish" : "the worker did not get ready",
          (long long)worker->pool->options.prepare_ms_max);
  if (worker->sent) {
    pool_launch_kill(worker);
    return;
  }
  list_drop(&worker->link);
  pool_worker_ended(worker, &death);
}

static void past_deadline(struct pool_worker *worker, int64_t now_ns) {
  bool found;
  /* It may have finished in time, but not been heard. */
  if (now_ns >= worker->run->input.deadline_mono_ns) pool_worker_poll(worker, now_ns, &found);
  if (worker->state != WORKER_BUSY) return;
  if (now_ns < worker->run->input.deadline_mono_ns) {
    pool_worker_timer(worker, worker->run->input.deadline_mono_ns);
    return;
  }
  struct pool_code *code = worker->code;
  struct pool_ending ending = pool_end_take(worker);
  pool_worker_kill(worker);
  pool_end_timeout(&ending);
  pool_code_consider(code);
}

static void past_idle(struct pool_worker *worker, int64_t now_ns) {
  struct pool_code *code = worker->code;
  if (!code->code) return; /* retired: the round's sweep ends it */
  int64_t idle_ns = code->code->idle_ms * POOL_NS_PER_MS;
  if (now_ns < worker->idle_ns + idle_ns)
    pool_worker_timer(worker, worker->idle_ns + idle_ns);
  else if (code->workers > code->code->provisioned)
    pool_worker_kill(worker);
  else
    pool_worker_timer(worker, now_ns + (idle_ns > POOL_BACKOFF_NS ? idle_ns : POOL_BACKOFF_NS));
}

static void timer_fired(struct loop_timer *timer) {
  struct pool_worker *worker = LIST_OF(timer, struct pool_worker, timer);
  int64_t now_ns = pool_now(worker->pool);
  worker->timer_ns = 0;
  if (worker->state == WORKER_STARTING) {
    past_start(worker);
  } else if (worker->state == WORKER_IDLE) {
    past_idle(worker, now_ns);
  } else if (worker->state == WORKER_BUSY) {
    past_deadline(worker, now_ns);
  }
}

/* Hot and cold. */

void pool_worker_hot(struct pool_worker *worker) {
  if (worker->armed) ring_disarm(&worker->ring);
  worker->armed = false;
  if (worker->hot) return;
  worker->hot = true;
  list_push(&worker->pool->hot, &worker->hot_link);
}

static bool is_sending(const struct pool_worker *worker) {
  return (worker->run && !worker->run_sent) || !list_empty(&worker->outbox);
}

static const struct ring_out *first_out(struct pool_worker *worker) {
  if (worker->run && !worker->run_sent) return &worker->run_out;
  return &LIST_FIRST(&worker->outbox, struct pool_answer, link)->out;
}

bool pool_worker_arm(struct pool_worker *worker) {
  uint32_t want = RING_WANT_MESSAGE;
  size_t room = 0;
  if (is_sending(worker)) want |= RING_WANT_ROOM, room = ring_out_room(first_out(worker));
  worker->armed = ring_arm(&worker->ring, want, room);
  return worker->armed;
}

static void woken(struct loop_watch *watch, unsigned events) {
  struct pool_worker *worker = LIST_OF(watch, struct pool_worker, watch);
  bool found;
  wake_drain(watch->fd);
  if (is_live(worker)) {
    pool_worker_hot(worker);
    pool_worker_poll(worker, pool_now(worker->pool), &found);
  } else if (worker->state == WORKER_IDLE && ++worker->idle_wakes > IDLE_WAKES_MAX) {
    pool_worker_kill(worker); /* it has nothing to say: something else runs in there */
  }
}

/* Sending. */

static void pump(struct pool_worker *worker) {
  enum ring_result result = RING_DONE_ALL;
  if (worker->run && !worker->run_sent) {
    result = ring_push(&worker->ring, &worker->run_out);
    worker->run_sent = result == RING_DONE_ALL;
  }
  while (result == RING_DONE_ALL && !list_empty(&worker->outbox)) {
    struct pool_answer *answer = LIST_FIRST(&worker->outbox, struct pool_answer, link);
    result = ring_push(&worker->ring, &answer->out);
    if (result != RING_DONE_ALL) break;
    list_drop(&answer->link);
    worker->outbox_bytes -= answer->len;
    bytes_wipe(answer->body, answer->len);
    free(answer);
  }
  wake(worker, RING_WANT_MESSAGE);
  /* RING_BROKEN: nothing more is sent; the deadline ends a worker that lies about what it read. */
}

void pool_worker_begin(struct pool_worker *worker, struct run_handle *run) {
  struct pool *pool = worker->pool;
  int64_t now_ns = pool_now(pool);
  bool cold = worker->meter.cold;
  int64_t start_us = worker->meter.start_us;
  worker->run = run;
  run->worker = worker;
  run->stage = STAGE_RUNNING;
  run->input.deadline_mono_ns = now_ns + run->time_ms_max * POOL_NS_PER_MS;
  worker->requests = worker->log_bytes = 0;
  worker->meter = (struct run_meter){.wait_us = (now_ns - run->asked_ns) / 1000,
                                     .cold = cold,
                                     .start_us = cold ? start_us : 0,
                                     .in_bytes = run->input.event.len};
  drop_outbox(worker);
  ring_rewind(&worker->ring);
  ring_run_out(&worker->run_out, &worker->run_head, &run->input);
  worker->run_sent = false;
  /* A spinning worker needs a processor of its own beside the core's. */
  atomic_store_explicit(&worker->ring.shared->spin_max,
                        pool->busy < pool->processors ? RING_SPIN_MAX : 0, memory_order_relaxed);
  worker->run_sent = ring_push(&worker->ring, &worker->run_out) == RING_DONE_ALL;
  set_deadline(worker, run->input.deadline_mono_ns);
  ring_turn_begin(&worker->ring);
  wake(worker, RING_WANT_MESSAGE);
  worker->tell_started = true;
  worker->heard_ns = worker->begun_ns = now_ns;
  worker->idle_wakes = 0;
  pool_worker_hot(worker);
  pool_worker_timer(worker, run->input.deadline_mono_ns);
}

void pool_worker_answer(struct pool_worker *worker, uint64_t ordinal, bool ok, struct bytes body) {
  struct ring_out out;
  ring_answer_out(&out, ordinal, ok, body);
  worker->meter.in_bytes += body.len;
  worker->heard_ns = pool_now(worker->pool);
  if (!is_sending(worker) && ring_push(&worker->ring, &out) == RING_DONE_ALL) {
    wake(worker, RING_WANT_MESSAGE);
    pool_worker_hot(worker);
    return;
  }
  /* The rest goes out when there is room; the caller's bytes end with this call. */
  struct pool_answer *answer = must_alloc(sizeof *answer + body.len);
  answer->out = out;
  answer->len = body.len;
  if (body.len) memcpy(answer->body, body.at, body.len);
  answer->out.parts[1] = bytes_of(answer->body, body.len);
  worker->outbox_bytes += body.len;
  list_push(&worker->outbox, &answer->link);
  wake(worker, RING_WANT_MESSAGE);
  pool_worker_hot(worker);
}

/* Receiving. */

static void broken(struct pool_worker *worker) {
  struct pool_code *code = worker->code;
  if (worker->state == WORKER_STARTING) {
    err_set(&worker->start_err, ERR_INTERNAL, ERR_PLACE, ERR_OFFSET_NONE,
            "the worker broke the format of its ring");
    pool_launch_kill(worker);
    cool(worker);
    return;
  }
  struct pool_ending ending = pool_end_take(worker);
  pool_worker_kill(worker);
  pool_end_broken(&ending);
  pool_code_consider(code);
}

static bool hear_ready(struct pool_worker *worker, struct bytes payload) {
  struct ring_ready ready;
  struct bytes sentence;
  if (worker->state != WORKER_STARTING || !ring_ready_read(payload, &ready, &sentence))
    return false;
  if (!ready.ok) {
    err_set(&worker->start_err, ready.code ? (enum err_code)ready.code : ERR_INTERNAL, ERR_PLACE,
            ERR_OFFSET_NONE, "%.*s", BYTES_FMT(bytes_sub(sentence, 0, ERR_DETAIL_BYTES - 1)));
    return true;
  }
  if (worker->prepare) {
    worker->prepared = true; /* and its exit with status 0 says that all is written */
    return true;
  }
  worker->meter.cold = true;
  worker->meter.start_us = (pool_now(worker->pool) - worker->asked_ns) / 1000;
  worker->pool->starting--;
  worker->code->starting--;
  pool_code_worker_free(worker);
  return true;
}

static bool hear_request(struct pool_worker *worker, const struct ring_message *message) {
  struct bytes effect, payload;
  if (worker->state != WORKER_BUSY || !ring_request_read(message->payload, &effect, &payload))
    return false;
  if (message->ordinal != worker->requests + 1 || message->ordinal > GUEST_REQUESTS_MAX)
    return false;
  worker->requests = message->ordinal;
  worker->meter.out_bytes += payload.len;
  worker->run->callbacks->effect(worker->run, message->ordinal, effect, payload);
  return true;
}

static bool hear_log(struct pool_worker *worker, struct bytes payload) {
  enum guest_level level;
  struct bytes line;
  if (worker->state != WORKER_BUSY || !ring_log_read(payload, &level, &line)) return false;
  bool fitted = worker->log_bytes <= RUNTIME_LOG_BYTES_MAX;
  worker->log_bytes += line.len + 1;
  if (worker->log_bytes > RUNTIME_LOG_BYTES_MAX) {
    if (!fitted) return true;
    level = GUEST_LOG_WARN;
    line = BYTES("the limit of 1 MiB of log lines is reached; further lines are dropped");
  }
  int64_t at_ms = clock_wall_ms(loop_clock(worker->pool->loop));
  worker->run->callbacks->log(worker->run, level, at_ms, line);
  return true;
}

/* The next run goes in before this one is reported: the worker computes while the core settles. */
static bool hear_done(struct pool_worker *worker, struct bytes payload) {
  struct ring_done done;
  struct bytes body;
  struct pool *pool = worker->pool;
  if (worker->state != WORKER_BUSY || !ring_done_read(payload, &done, &body)) return false;
  if (!ring_is_empty(&worker->ring)) return false;
  ring_swap_in(&worker->ring, &pool->result); /* body lives in pool->result now */
  struct pool_ending ending = pool_end_take(worker);
  pool->restores++;
  pool_code_ended(worker, done.cpu_us + done.effect_us); /* what else ran there does not count */
  worker->meter = (struct run_meter){0};
  drop_outbox(worker);
  pool_code_worker_free(worker);
  pool_end_run(&ending, &done, body);
  bytes_wipe(pool->result.at, pool->result.len);
  buf_reset(&pool->result);
  return true;
}

static bool hear(struct pool_worker *worker, const struct ring_message *message) {
  switch (message->kind) {
  case RING_READY: return hear_ready(worker, message->payload);
  case RING_REQUEST: return hear_request(worker, message);
  case RING_LOG: return hear_log(worker, message->payload);
  case RING_DONE: return hear_done(worker, message->payload);
  case RING_NONE:
  case RING_RUN:
  case RING_ANSWER:
  case RING_KIND_COUNT: return false;
  }
  return false;
}

static void tell_started(struct pool_worker *worker) {
  worker->tell_started = false;
  if (worker->run->callbacks->started) worker->run->callbacks->started(worker->run);
}

/* After a round: an idle worker has nothing to say, a silent one must wake us when it speaks. */
static void rest(struct pool_worker *worker, int64_t now_ns) {
  if (worker->state == WORKER_IDLE) {
    cool(worker);
  } else if (!is_live(worker)) {
    return;
  } else if (!worker->hot) {
    if (!worker->armed) pool_worker_hot(worker);
  } else if (now_ns - worker->heard_ns > HOT_NS && pool_worker_arm(worker)) {
    cool(worker);
  }
}

/* One message, or less; false: nothing more for now. */
static bool hear_one(struct pool_worker *worker, int64_t now_ns) {
  struct ring_message message;
  if (worker->state == WORKER_BUSY && worker->tell_started) {
    tell_started(worker);
    if (worker->state != WORKER_BUSY) return false;
  }
  if (is_sending(worker)) pump(worker);
  enum ring_result result = ring_pull(&worker->ring, &message);
  wake(worker, RING_WANT_ROOM);
  if (result == RING_WAIT) return false;
  worker->heard_ns = now_ns;
  bool sound =
      result == RING_DONE_ALL && worker->outbox_bytes <= OUTBOX_BYTES_MAX && hear(worker, &message);
  if (!sound && is_live(worker)) broken(worker);
  return sound;
}

/* A callback may cancel the run and so end the worker: its state is looked at again each time. A
 * slot is only given to another worker by the launcher's report, never within a round.          */
void pool_worker_poll(struct pool_worker *worker, int64_t now_ns, bool *found) {
  for (int i = 0; i < PULLS_MAX && is_live(worker); i++) {
    if (!hear_one(worker, now_ns)) break;
    *found = true;
  }
  rest(worker, now_ns);
}

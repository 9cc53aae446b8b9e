/* tests/sim/sim_runtime.c: what a simulated function does is written in its name:
 *   count    increments "n:<event id>"
 *   append   reads "log:<key>", appends the event id, writes it back (conflicts show here)
 *   chain    counts, and emits an event for `count`
 *   later    emits an event for `count` by a keyed timer
 *   fails    always throws                                                                  */
#include "tests/sim/sim_runtime.h"

#include "base/must.h"
#include "wire/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIM_ARENA_BYTES_MAX = 4 << 20 };

struct sim_run {
  struct list link;
  struct sim_runtime *sim;
  struct run_handle *handle;
  struct loop_timer timer;
  unsigned step; /* of the function's script */
  bool started;
  unsigned doom; /* 0: none; else throw, die or hang at this step */
  char event_id[64];
  char key[64];
  bool waiting; /* for an answer */
};

static unsigned roll(struct sim_runtime *sim, unsigned below) {
  return (unsigned)(random_u64(&sim->random->port) % below);
}

static bool chance(struct sim_runtime *sim, unsigned per_mille) {
  return roll(sim, 1000) < per_mille;
}

static void again(struct sim_run *run) {
  int64_t ms = chance(run->sim, run->sim->faults.slow) ? roll(run->sim, 2000) : roll(run->sim, 3);
  loop_timer_after(run->sim->loop, &run->timer, ms);
}

static void run_end(struct sim_run *run, enum run_end end, const char *reason, struct bytes body) {
  struct run_handle *handle = run->handle;
  struct sim_runtime *sim = run->sim;
  struct run_done done = {.end = end, .body = body, .reason = reason};
  loop_timer_drop(sim->loop, &run->timer);
  list_drop(&run->link);
  handle->worker = NULL;
  free(run);
  sim->ended++;
  handle->callbacks->done(handle, &done);
}

__attribute__((format(printf, 3, 4))) static void ask(struct sim_run *run, const char *effect,
                                                      const char *format, ...) {
  char payload[8192];
  va_list args;
  va_start(args, format);
  vsnprintf(payload, sizeof payload, format, args);
  va_end(args);
  run->waiting = true;
  run->handle->callbacks->effect(run->handle, run->step, bytes_str(effect), bytes_str(payload));
}

static const char *script_of(const struct sim_run *run) {
  const char *slash = strchr((const char *)run->handle->code->name.at, '/');
  return slash ? slash + 1 : "";
}

/* The next step of the script; false when it is over. */
static bool play(struct sim_run *run) {
  const char *script = script_of(run);
  unsigned step = run->step;
  if (strcmp(script, "count") == 0 && step == 1)
    ask(run, "state.increment", "{\"key\":\"n:%s\"}", run->event_id);
  else if (strcmp(script, "append") == 0 && step == 1)
    ask(run, "state.get", "{\"key\":\"log:%s\"}", run->key);
  else if (strcmp(script, "chain") == 0 && step == 1)
    ask(run, "state.increment", "{\"key\":\"n:%s\"}", run->event_id);
  else if (strcmp(script, "chain") == 0 && step == 2)
    ask(run, "emit", "{\"event\":{\"type\":\"sim.count\",\"id\":\"%s-c\"}}", run->event_id);
  else if (strcmp(script, "later") == 0 && step == 1)
    ask(run, "emit",
        "{\"event\":{\"type\":\"sim.count\",\"id\":\"%s-t\"},\"after\":500,\"key\":\"%s\"}",
        run->event_id, run->event_id);
  else
    return false;
  return true;
}

static void timer_fired(struct loop_timer *timer) {
  struct sim_run *run = (struct sim_run *)(void *)((char *)timer - offsetof(struct sim_run, timer));
  if (!run->started) {
    run->started = true;
    run->handle->callbacks->started(run->handle);
  }
  run->step++;
  if (strcmp(script_of(run), "fails") == 0 || run->doom == 1) {
    run_end(run, RUN_FAILED, "threw", BYTES("{\"errorMessage\":\"as told\"}"));
  } else if (run->doom == 2) {
    run_end(run, RUN_FAILED, "killed", BYTES("{\"errorMessage\":\"the worker died\"}"));
  } else if (run->doom == 3) {
    run->doom = 4; /* hangs until its deadline */
    loop_timer_after(run->sim->loop, &run->timer, run->handle->time_ms_max);
  } else if (run->doom == 4) {
    run_end(run, RUN_TIMED_OUT, "deadline", BYTES("{\"errorMessage\":\"too long\"}"));
  } else if (!play(run)) {
    run_end(run, RUN_SUCCEEDED, NULL, BYTES("null"));
  }
}

static void read_event(struct sim_run *run) {
  struct arena arena;
  const struct json *tree;
  struct err err;
  arena_init(&arena, SIM_ARENA_BYTES_MAX);
  must(json_parse(&arena, run->handle->input.event, &tree, &err));
  bytes_text(json_get_text(tree, "id"), run->event_id, sizeof run->event_id);
  bytes_text(json_get_text(json_get(tree, "data"), "key"), run->key, sizeof run->key);
  arena_fini(&arena);
}

static void sim_start(void *self, struct run_handle *handle) {
  struct sim_runtime *sim = self;
  struct sim_run *run = must_alloc(sizeof *run);
  run->sim = sim;
  run->handle = handle;
  run->timer.fire = timer_fired;
  list_init(&run->link);
  list_push(&sim->runs, &run->link);
  read_event(run);
  if (chance(sim, sim->faults.throws)) run->doom = 1;
  if (chance(sim, sim->faults.dies)) run->doom = 2;
  if (chance(sim, sim->faults.hangs)) run->doom = 3;
  handle->worker = run;
  sim->started++;
  again(run);
}

/* append's second half: the list with this event behind it. */
static void append_answer(struct sim_run *run, struct bytes body) {
  char list[8192];
  bool empty = body.len <= 2 || bytes_eq_str(body, "null");
  struct bytes inside = empty ? BYTES_NONE : bytes_sub(body, 1, body.len - 2);
  snprintf(list, sizeof list, "[%.*s%s\"%s\"]", BYTES_FMT(inside), empty ? "" : ",", run->event_id);
  run->step++;
  ask(run, "state.put", "{\"key\":\"log:%s\",\"value\":%s}", run->key, list);
}

static void sim_answer(void *self, struct run_handle *handle, uint64_t ordinal, bool ok,
                       struct bytes body) {
  struct sim_run *run = handle->worker;
  must(run && run->waiting && ordinal == run->step);
  run->waiting = false;
  if (!ok)
    run->doom = 1;
  else if (strcmp(script_of(run), "append") == 0 && run->step == 1) {
    append_answer(run, body);
    return;
  }
  again(run);
}

static void sim_cancel(void *self, struct run_handle *handle) {
  struct sim_run *run = handle->worker;
  loop_timer_drop(run->sim->loop, &run->timer);
  list_drop(&run->link);
  handle->worker = NULL;
  free(run);
}

static void sim_prepare(void *self, struct runtime_code *code,
                        void (*done)(void *arg, const struct err *err), void *arg) {
  done(arg, NULL);
}

static void sim_retire(void *self, struct runtime_code *code) {
}

static const struct runtime_ops ops = {.start = sim_start,
                                       .answer = sim_answer,
                                       .cancel = sim_cancel,
                                       .prepare = sim_prepare,
                                       .retire = sim_retire};

void sim_runtime_init(struct sim_runtime *sim, struct loop *loop, struct random_seeded *random) {
  *sim = (struct sim_runtime){.loop = loop, .random = random};
  sim->port = (struct runtime){&ops, sim};
  list_init(&sim->runs);
}

void sim_runtime_fini(struct sim_runtime *sim) {
  LIST_EACH (run, &sim->runs, struct sim_run, link) {
    loop_timer_drop(sim->loop, &run->timer);
    list_drop(&run->link);
    free(run);
  }
}

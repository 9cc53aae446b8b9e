/* store/store.c: the front of every store: takes commits, folds what waits into one transaction,
 * calls done in order on the loop.
 *
 *   submit -> waiting -> (store thread) executed -> durable -> settled -> (loop) done
 *
 * An inline store does each arrow in a post of its own on the loop, so that a simulated crash can
 * come between any two of them. */
#include "store/front.h"

#include "base/must.h"
#include "os/log.h"

#include <stdlib.h>
#include <time.h>

/* ---- Done callbacks (loop) ---- */

void front_finish(struct store *store, struct batch *batch) {
  for (struct store_commit *commit; (commit = batch_take(batch));) {
    store->pending--;
    store->pending_bytes -= commit_bytes(commit);
    if (commit->done) commit->done(commit->arg, &commit->result);
    commit_free(&commit);
  }
}

static void take_all(struct batch *to, struct batch *from) {
  *to = *from;
  *from = (struct batch){0};
}

static void finish_settled(struct store *store) {
  struct batch refused, settled;
  pthread_mutex_lock(&store->lock);
  take_all(&refused, &store->refused);
  take_all(&settled, &store->settled);
  pthread_mutex_unlock(&store->lock);
  front_finish(store, &settled);
  front_finish(store, &refused);
}

static void run_post(struct loop_post *post) {
  struct front_post *front_post = (struct front_post *)(void *)post;
  struct store *store = front_post->store;
  if (!store) {
    free(front_post);
    return;
  }
  pthread_mutex_lock(&store->lock);
  store->posted = false;
  pthread_mutex_unlock(&store->lock);
  if (store->options.inline_execution)
    front_inline_step(store);
  else
    finish_settled(store);
}

void front_wake(struct store *store) {
  if (store->posted) return;
  store->posted = true;
  loop_post(store->options.loop, &store->post->post);
}

/* ---- One batch ---- */

/* People hear of a disk that is full when it fills, and when there is room again. */
static void note_failing(struct store *store, enum err_code now, enum err_code before) {
  if (now == before) return;
  if (now != ERR_OK)
    LOG(STORE_FAILS, NULL, log_word("error", err_facts(now)->word));
  else
    LOG(STORE_GOES_ON, NULL);
}

static void note_settled(struct store *store, struct batch *batch, int64_t began_ns) {
  uint64_t position = store->engine->counters.position;
  uint64_t disk_bytes = store->engine->ops->disk_bytes(store->engine);
  int64_t took_us = (clock_mono_ns(store->options.clock) - began_ns) / 1000;
  pthread_mutex_lock(&store->lock);
  enum err_code before = store->failing;
  store->failing = batch->failed;
  if (batch->failed == ERR_OK) store->commits += batch->count;
  if (batch->failed == ERR_OK) store->transactions++;
  store->last_position = position;
  store->disk_bytes = disk_bytes;
  store->last_sync_us = took_us;
  pthread_mutex_unlock(&store->lock);
  note_failing(store, batch->failed, before);
}

static void settle(struct store *store, struct batch *batch) {
  int64_t began_ns = clock_mono_ns(store->options.clock);
  batch_settle(batch, &store->port);
  note_settled(store, batch, began_ns);
}

/* As many waiting commits as one transaction takes (call under `lock`). */
static void take_fold(struct store *store, struct batch *ret_batch) {
  *ret_batch = (struct batch){0};
  while (store->waiting.first && ret_batch->count < BATCH_COMMITS_MAX) {
    size_t bytes = commit_bytes(store->waiting.first);
    if (ret_batch->count && ret_batch->bytes + bytes > BATCH_BYTES_MAX) break;
    batch_add(ret_batch, batch_take(&store->waiting));
  }
}

static void append_settled(struct store *store, struct batch *batch) {
  for (struct store_commit *commit; (commit = batch_take(batch));)
    batch_add(&store->settled, commit);
}

/* ---- The store thread ---- */

/* Waits for more commits, when that lately paid (call under `lock`). */
static void gather(struct store *store) {
  struct timespec until;
  uint32_t before = store->waiting.count;
  if (!gather_wanted(&store->gather, before)) return;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += GATHER_NS;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  store->gathering = true;
  while (store->waiting.count < GATHER_ENOUGH && !store->stopping)
    if (pthread_cond_timedwait(&store->commit_waits, &store->lock, &until)) break;
  store->gathering = false;
  gather_note(&store->gather, before, store->waiting.count);
}

static void run_batch(struct store *store, struct batch *batch) {
  batch_execute(batch, &store->port);
  settle(store, batch);
}

void *front_writer(void *arg) {
  struct store *store = arg;
  struct batch batch;
  pthread_mutex_lock(&store->lock);
  for (;;) {
    while (!store->waiting.first && !store->stopping)
      pthread_cond_wait(&store->commit_waits, &store->lock);
    if (!store->waiting.first) break;
    if (!store->stopping) gather(store);
    take_fold(store, &batch);
    pthread_mutex_unlock(&store->lock);
    run_batch(store, &batch);
    pthread_mutex_lock(&store->lock);
    append_settled(store, &batch);
    front_wake(store);
    if (!store->engine->ops->tidy) continue;
    pthread_mutex_unlock(&store->lock);
    store->engine->ops->tidy(store->engine);
    pthread_mutex_lock(&store->lock);
  }
  pthread_mutex_unlock(&store->lock);
  return NULL;
}

/* ---- Inline: one arrow per post ---- */

static void inline_next(struct store *store) {
  pthread_mutex_lock(&store->lock);
  if (store->step == FRONT_IDLE && store->waiting.first) store->step = FRONT_EXECUTE;
  if (store->step != FRONT_IDLE || store->refused.first) front_wake(store);
  pthread_mutex_unlock(&store->lock);
}

static void inline_done(struct store *store) {
  store->step = FRONT_IDLE;
  append_settled(store, &store->inline_batch);
  finish_settled(store);
  if (store->engine->ops->tidy) store->engine->ops->tidy(store->engine);
}

void front_inline_step(struct store *store) {
  switch (store->step) {
  case FRONT_IDLE: finish_settled(store); break;
  case FRONT_EXECUTE:
    take_fold(store, &store->inline_batch);
    batch_execute(&store->inline_batch, &store->port);
    store->step = FRONT_SETTLE;
    break;
  case FRONT_SETTLE:
    settle(store, &store->inline_batch);
    store->step = FRONT_DONE;
    break;
  case FRONT_DONE: inline_done(store); break;
  }
  inline_next(store);
}

/* ---- Submitting (loop) ---- */

static bool admit(const struct store *store, const struct store_commit *commit, struct err *err) {
  if (store->closing)
    err_set(err, ERR_UNAVAILABLE, ERR_PLACE, ERR_OFFSET_NONE, "the store is closing");
  else if (commit->refused)
    err_set(err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE, "a commit exceeds %s", commit->refused);
  else if (store->pending >= STORE_PENDING_MAX)
    err_set(err, ERR_BUSY, ERR_PLACE, ERR_OFFSET_NONE, "STORE_PENDING_MAX commits are waiting");
  else if (store->pending_bytes + commit_bytes(commit) > FRONT_PENDING_BYTES_MAX)
    err_set(err, ERR_BUSY, ERR_PLACE, ERR_OFFSET_NONE, "FRONT_PENDING_BYTES_MAX are waiting");
  else
    return true;
  return false;
}

/* All that one round of the loop submits becomes one transaction: a thread woken by the first
 * commit would take it alone. */
static void run_kick(struct loop_post *post) {
  struct front_post *kick = (struct front_post *)(void *)post;
  struct store *store = kick->store;
  if (!store) {
    free(kick);
    return;
  }
  store->kicked = false;
  pthread_mutex_lock(&store->lock);
  bool enough = !store->gathering || store->waiting.count >= GATHER_ENOUGH;
  if (store->waiting.first && enough) pthread_cond_signal(&store->commit_waits);
  pthread_mutex_unlock(&store->lock);
}

static void kick_later(struct store *store) {
  if (store->kicked) return;
  store->kicked = true;
  loop_post(store->options.loop, &store->kick->post);
}

void store_submit(struct store *store, struct store_commit **commit_take, store_done *done,
                  void *arg) {
  struct store_commit *commit = *commit_take;
  *commit_take = NULL;
  commit->done = done;
  commit->arg = arg;
  err_clear(&commit->result.err);
  bool good = admit(store, commit, &commit->result.err);
  store->pending++;
  store->pending_bytes += commit_bytes(commit);
  pthread_mutex_lock(&store->lock);
  batch_add(good ? &store->waiting : &store->refused, commit);
  if (!good && !store->options.inline_execution) front_wake(store);
  pthread_mutex_unlock(&store->lock);
  if (store->options.inline_execution)
    inline_next(store);
  else if (good)
    kick_later(store);
}

void store_trim(struct store *store, enum store_table log, uint64_t before, uint32_t rows_max,
                store_done *done, void *arg) {
  struct store_commit *commit = commit_new();
  commit_trim(commit, log, before, rows_max);
  store_submit(store, &commit, done, arg);
}

struct store_load store_load(const struct store *store) {
  struct store *mutable_store = (struct store *)(uintptr_t)store;
  pthread_mutex_lock(&mutable_store->lock);
  struct store_load load = {.pending = store->pending,
                            .commits = store->commits,
                            .transactions = store->transactions,
                            .disk_bytes = store->disk_bytes,
                            .last_position = store->last_position,
                            .last_sync_us = store->last_sync_us,
                            .failing = store->failing};
  pthread_mutex_unlock(&mutable_store->lock);
  return load;
}

void store_fault(struct store *store, uint64_t nth_call, enum err_code code) {
  atomic_store(&store->fault.code, (int)code);
  atomic_store(&store->fault.nth_call, nth_call);
}

/* ---- Opening and closing (loop) ---- */

static void init_monotonic(pthread_cond_t *cond) {
  pthread_condattr_t how;
  must(pthread_condattr_init(&how) == 0);
  must(pthread_condattr_setclock(&how, CLOCK_MONOTONIC) == 0);
  must(pthread_cond_init(cond, &how) == 0);
  pthread_condattr_destroy(&how);
}

static struct store *store_new(const struct store_options *options, struct engine *engine,
                               struct index *index, struct file *folder_lock) {
  struct store *store = must_alloc(sizeof *store);
  store->options = *options;
  store->engine = engine;
  store->index = index;
  store->folder_lock = folder_lock;
  store->last_position = engine->counters.position;
  store->post = must_alloc(sizeof *store->post);
  store->post->post.run = run_post;
  store->post->store = store;
  store->kick = must_alloc(sizeof *store->kick);
  store->kick->post.run = run_kick;
  store->kick->store = store;
  list_init(&store->asks);
  must(pthread_mutex_init(&store->lock, NULL) == 0);
  init_monotonic(&store->commit_waits);
  must(pthread_cond_init(&store->ask_waits, NULL) == 0);
  size_t filter_bytes = options->inline_execution ? FILTER_BYTES_SMALL : FILTER_BYTES;
  unique_init(&store->unique, index, filter_bytes, random_u64(options->random));
  store->port = (struct batch_port){
      .engine = engine,
      .unique = &store->unique,
      .seal = options->seal ? options->seal : seal_identity(),
      .fault = &store->fault,
  };
  buf_init(&store->port.sealed, STORE_VALUE_BYTES_MAX + SEAL_GROWTH_BYTES);
  buf_init(&store->port.plain, STORE_VALUE_BYTES_MAX + SEAL_GROWTH_BYTES);
  return store;
}

/* `loop_goes_on`: the loop may still run the post, which then frees itself. */
static void post_release(struct front_post *post, bool posted, bool loop_goes_on) {
  if (posted && loop_goes_on)
    post->store = NULL;
  else
    free(post);
}

static void store_free(struct store *store, bool loop_goes_on) {
  front_reader_close(&store->here);
  unique_fini(&store->unique);
  index_close(&store->index);
  if (store->engine) store->engine->ops->close(&store->engine);
  file_close(&store->folder_lock);
  buf_fini(&store->port.sealed);
  buf_fini(&store->port.plain);
  pthread_mutex_destroy(&store->lock);
  pthread_cond_destroy(&store->commit_waits);
  pthread_cond_destroy(&store->ask_waits);
  post_release(store->post, store->posted, loop_goes_on);
  post_release(store->kick, store->kicked, loop_goes_on);
  free(store);
}

static bool start_threads(struct store *store, struct err *err) {
  if (store->options.inline_execution) return true;
  int number = pthread_create(&store->writer, NULL, front_writer, store);
  if (number) {
    err_set_errno(err, number, ERR_PLACE, "the store thread");
    return false;
  }
  store->writer_started = true;
  return front_readers_start(store, err);
}

static void stop_threads(struct store *store) {
  pthread_mutex_lock(&store->lock);
  store->stopping = true;
  pthread_cond_broadcast(&store->commit_waits);
  pthread_cond_broadcast(&store->ask_waits);
  pthread_mutex_unlock(&store->lock);
  if (store->writer_started) pthread_join(store->writer, NULL);
}

/* An inline store finishes what was submitted without waiting for its posts. */
static void drain_inline(struct store *store) {
  while (store->step != FRONT_IDLE || store->waiting.first || store->refused.first)
    front_inline_step(store);
}

bool front_open(const struct store_options *options, struct engine *engine, struct index *index,
                struct file *folder_lock, struct store **ret_store, struct err *err) {
  struct store *store = store_new(options, engine, index, folder_lock);
  bool good = unique_catch_up(&store->unique, engine, err) &&
              front_reader_open(store, &store->here, err) && start_threads(store, err);
  if (!good) {
    stop_threads(store);
    front_readers_stop(store);
    store_free(store, true);
    return false;
  }
  *ret_store = store;
  return true;
}

void store_close(struct store **at) {
  struct store *store = *at;
  if (!store) return;
  *at = NULL;
  if (store->options.inline_execution) drain_inline(store);
  stop_threads(store);
  store->closing = true;
  front_readers_stop(store);
  while (store->settled.first || store->refused.first) finish_settled(store);
  struct err err;
  /* A failing flush only means that the next opening reads more of the ledger. */
  if (!store->unique.behind && !index_flush(store->index, &err)) store->unique.behind = true;
  store_free(store, true);
}

bool store_open_memory(const struct store_options *options, struct store **ret_store,
                       struct err *err) {
  return front_open(options, engine_memory_new(), index_open_memory(), NULL, ret_store, err);
}

static void forget_commits(struct batch *batch) {
  for (struct store_commit *commit; (commit = batch_take(batch));) commit_free(&commit);
}

/* The loop of the crashed process is not run again, unless the new store uses it too. */
bool store_crash_memory(struct store **at, const struct store_options *options,
                        struct store **ret_store, struct err *err) {
  struct store *store = *at;
  bool loop_goes_on = store->options.loop == options->loop;
  must(store->options.inline_execution);
  *at = NULL;
  struct engine *engine = store->engine;
  if (store->inline_batch.open) engine->ops->rollback(engine);
  front_reader_close(&store->here);
  store->engine = NULL;
  forget_commits(&store->waiting);
  forget_commits(&store->settled);
  forget_commits(&store->refused);
  forget_commits(&store->inline_batch);
  front_asks_forget(store, loop_goes_on);
  store_free(store, loop_goes_on);
  return front_open(options, engine, index_open_memory(), NULL, ret_store, err);
}

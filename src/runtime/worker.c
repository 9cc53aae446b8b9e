/* runtime/worker.c: load what needs a file, confine, open the guest, then serve turns of the rings.
 *
 * Order matters. The translated module is our own compiler's output and must be loaded while there
 * are files; it runs nothing at load. The snapshot was written by a worker that ran foreign code,
 * so it is read only after the confinement: a hostile snapshot meets a confined reader.
 *
 * Waiting: spin a little when the core says a processor is free and spinning paid lately, then
 * sleep on a futex word in the rings. The core is woken by an eventfd, only when it sleeps.     */
#define _GNU_SOURCE /* the process's own set-up: signals, descriptors, the thread's clock */
#include "runtime/worker.h"

#include "base/must.h"
#include "os/futex.h"
#include "runtime/guest.h"
#include "runtime/ring_message.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
  WAKE_FD = LAUNCH_SOCKET_FD, /* takes the place of the launcher's socket */
  SNAPSHOT_FD,
  FIRST_FREE_FD,
  SPIN_LEAST = 32,
  SPINS_PER_YIELD = 16,
  SHORT_SLEEP_NS = 100000,
};
/* Besides linear memory: the engine's tables, buffers of one event and one result, the stack. */
#define OVERHEAD_BYTES (96ull << 20)
#define SNAPSHOT_BYTES_MAX (4ull << 30)
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_US 1000

struct worker {
  struct ring ring;
  struct buf input, body;
  struct guest *guest;
  uint32_t spin;
  int64_t effect_ns; /* waited for answers in this run */
};

static int64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t host_mono_ns(void *self) {
  return clock_ns(CLOCK_MONOTONIC);
}

/* Waiting. */

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

static bool anything_new(const struct ring *ring) {
  return atomic_load_explicit(&ring->shared->down_head, memory_order_relaxed) != ring->tail ||
         atomic_load_explicit(&ring->shared->turn, memory_order_relaxed) != ring->turn;
}

static void grow_spin(struct worker *worker) {
  worker->spin = worker->spin * 4 < RING_SPIN_MAX ? worker->spin * 4 : RING_SPIN_MAX;
}

/* The budget grows with each hit and each short sleep, which would have been a hit, and halves with
 * each miss: it spins only while that pays. */
static bool spin(struct worker *worker) {
  struct ring *ring = &worker->ring;
  uint32_t most = atomic_load_explicit(&ring->shared->spin_max, memory_order_relaxed);
  if (most > RING_SPIN_MAX) most = RING_SPIN_MAX;
  uint32_t budget = worker->spin < most ? worker->spin : most;
  for (uint32_t i = 0; i < budget; i++) {
    if (anything_new(ring)) {
      grow_spin(worker);
      return true;
    }
    if (i % SPINS_PER_YIELD == SPINS_PER_YIELD - 1)
      sched_yield(); /* whoever else wants this processor goes first */
    else
      relax();
  }
  if (budget) worker->spin = worker->spin / 2 > SPIN_LEAST ? worker->spin / 2 : SPIN_LEAST;
  return false;
}

/* Until there is something in the ring, a new turn, or room; false: the time is over. */
static bool sleep_for(struct worker *worker, uint32_t want, size_t room_bytes,
                      int64_t until_mono_ns) {
  if (want == RING_WANT_MESSAGE && spin(worker)) return true;
  if (!ring_arm(&worker->ring, want, room_bytes)) return true;
  int64_t from_ns = clock_ns(CLOCK_MONOTONIC);
  bool woken = futex_wait(&worker->ring.shared->worker_sleeps, want, until_mono_ns);
  if (clock_ns(CLOCK_MONOTONIC) - from_ns < SHORT_SLEEP_NS) grow_spin(worker);
  ring_disarm(&worker->ring);
  return woken;
}

static void wake_core(struct worker *worker, uint32_t what) {
  static const uint64_t one = 1;
  if (!ring_peer_sleeps(&worker->ring, what)) return;
  /* A full counter has woken the core already. */
  ssize_t written = write(WAKE_FD, &one, sizeof one);
  (void)written;
}

static void send(struct worker *worker, struct ring_out *out) {
  for (;;) {
    enum ring_result result = ring_push(&worker->ring, out);
    if (result == RING_BROKEN) _exit(WORKER_CORE_BROKEN);
    wake_core(worker, RING_WANT_MESSAGE);
    if (result == RING_DONE_ALL) return;
    sleep_for(worker, RING_WANT_ROOM, ring_out_room(out), INT64_MAX);
  }
}

static bool pull(struct worker *worker, struct ring_message *ret_message) {
  enum ring_result result = ring_pull(&worker->ring, ret_message);
  if (result == RING_BROKEN) _exit(WORKER_CORE_BROKEN);
  wake_core(worker, RING_WANT_ROOM);
  return result == RING_DONE_ALL;
}

/* What the guest may ask for. */

static void host_request(void *self, uint64_t ordinal, struct bytes effect, struct bytes payload) {
  uint32_t effect_bytes;
  struct ring_out out;
  ring_request_out(&out, ordinal, &effect_bytes, effect, payload);
  send(self, &out);
}

static bool host_wait(void *self, int64_t until_mono_ns, struct guest_answer *ret_answer) {
  struct worker *worker = self;
  struct ring_message message;
  int64_t from_ns = clock_ns(CLOCK_MONOTONIC);
  bool got = pull(worker, &message);
  while (!got && sleep_for(worker, RING_WANT_MESSAGE, 0, until_mono_ns))
    got = pull(worker, &message);
  worker->effect_ns += clock_ns(CLOCK_MONOTONIC) - from_ns;
  if (!got) return false;
  if (message.kind != RING_ANSWER || !ring_answer_read(&message, ret_answer))
    _exit(WORKER_CORE_BROKEN);
  return true;
}

static void host_log(void *self, enum guest_level level, struct bytes line) {
  uint32_t number;
  struct ring_out out;
  ring_log_out(&out, &number, level, bytes_sub(line, 0, GUEST_LOG_LINE_BYTES_MAX));
  send(self, &out);
}

/* Runs. */

static void run_once(struct worker *worker, const struct guest_input *input) {
  const struct guest_host host = {.self = worker,
                                  .request = host_request,
                                  .wait = host_wait,
                                  .log = host_log,
                                  .mono_ns = host_mono_ns};
  struct guest_output output = {.body = &worker->body};
  worker->effect_ns = 0;
  int64_t cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID), run_ns = clock_ns(CLOCK_MONOTONIC);
  guest_run(worker->guest, input, &host, &output);
  run_ns = clock_ns(CLOCK_MONOTONIC) - run_ns - output.restore_ns;
  cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
  struct ring_done done = {.result = output.result,
                           .reason = ring_reason_number(output.reason),
                           .requests = output.requests,
                           .dirty_pages = output.dirty_pages,
                           .memory_bytes = output.memory_bytes,
                           .restore_us = output.restore_ns / NS_PER_US,
                           .run_us = run_ns > 0 ? run_ns / NS_PER_US : 0,
                           .effect_us = worker->effect_ns / NS_PER_US,
                           .cpu_us = cpu_ns / NS_PER_US};
  bool fits = buf_ok(&worker->body);
  if (!fits) {
    done.result = GUEST_TRAPPED;
    done.reason = ring_reason_number("output");
  }
  struct ring_out out;
  ring_done_out(&out, &done, fits ? buf_bytes(&worker->body) : BYTES_NONE);
  send(worker, &out);
}

/* Nothing of a run stays in private memory either. */
static void forget(struct buf *buf, size_t bytes_max) {
  enum { KEEP_BYTES = 64 << 10 };
  if (buf->room > KEEP_BYTES || buf->overflow) {
    buf_fini(buf);
    buf_init(buf, bytes_max);
    return;
  }
  bytes_wipe(buf->at, buf->len);
  buf_reset(buf);
}

_Noreturn static void serve(struct worker *worker) {
  struct ring_message message;
  struct guest_input input;
  for (;;) {
    while (!ring_turn_next(&worker->ring)) sleep_for(worker, RING_WANT_MESSAGE, 0, INT64_MAX);
    while (!pull(worker, &message)) sleep_for(worker, RING_WANT_MESSAGE, 0, INT64_MAX);
    if (message.kind != RING_RUN || !ring_run_read(message.payload, &input))
      _exit(WORKER_CORE_BROKEN);
    ring_swap_in(&worker->ring, &worker->input); /* the slices of `input` live in there now */
    run_once(worker, &input);
    forget(&worker->input, RING_MESSAGE_BYTES_MAX + 1);
    forget(&worker->body, GUEST_OUTPUT_BYTES_MAX);
  }
}

/* Getting ready. */

_Noreturn static void not_ready(struct worker *worker, const struct err *why) {
  struct ring_ready ready = {.ok = 0, .code = why->code};
  struct ring_out out;
  ring_ready_out(&out, &ready, bytes_str(why->detail));
  send(worker, &out);
  _exit(WORKER_NOT_READY);
}

static void say_ready(struct worker *worker, const struct sandbox_ground *ground) {
  struct ring_ready ready = {.ok = 1, .level = ground->level};
  struct ring_out out;
  ring_ready_out(&out, &ready, BYTES_NONE);
  send(worker, &out);
}

static bool read_source(int fd, uint64_t bytes, char **ret_source, struct err *err) {
  if (bytes > LAUNCH_SOURCE_BYTES_MAX) FAIL(ERR_LIMIT, "the source is larger than 64 MiB");
  char *source = must_alloc(bytes + 1);
  for (uint64_t at = 0; at < bytes;) {
    ssize_t got = pread(fd, source + at, bytes - at, (off_t)at);
    if (got <= 0) FAIL(ERR_IO, "the source could not be read");
    at += (uint64_t)got;
  }
  *ret_source = source;
  return true;
}

/* Loading it now means that loading it again finds it without a file. It stays loaded. */
static bool load_module(const struct guest_code *code, struct err *err) {
  if (code->kind != GUEST_WASM) return true;
  if (dlopen(code->module_path, RTLD_NOW | RTLD_LOCAL)) return true;
  FAIL(ERR_NOT_FOUND, "the translated module cannot be loaded: %s", dlerror());
}

static void take_descriptors(const int fds[LAUNCH_FDS_MAX]) {
  if (dup2(fds[LAUNCH_WAKE], WAKE_FD) < 0 || dup2(fds[LAUNCH_SNAPSHOT], SNAPSHOT_FD) < 0)
    _exit(WORKER_NO_RING);
  close(0), close(1), close(2);
}

static void reset_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  signal(SIGCHLD, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn void worker_main(const struct launch_command *command, const int fds[LAUNCH_FDS_MAX],
                           const struct sandbox_ground *ground, int launcher_life) {
  static struct worker worker = {.spin = RING_SPIN_MAX};
  struct err err = {0};
  char *source = NULL;
  reset_signals();
  void *memory =
      mmap(NULL, RING_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fds[LAUNCH_RING], 0);
  if (memory == MAP_FAILED) _exit(WORKER_NO_RING);
  ring_init(&worker.ring, memory, false);
  buf_init(&worker.input, RING_MESSAGE_BYTES_MAX + 1);
  buf_init(&worker.body, GUEST_OUTPUT_BYTES_MAX);
  take_descriptors(fds);
  struct guest_code code = {.kind = (enum guest_kind)command->guest_kind,
                            .file_name = command->file_name,
                            .module = command->module,
                            .module_path = command->module_path,
                            .memory_bytes_max = command->memory_bytes_max};
  const struct sandbox_limits limits = {.memory_bytes_max =
                                            command->memory_bytes_max + OVERHEAD_BYTES,
                                        .file_bytes_max = command->prepare ? SNAPSHOT_BYTES_MAX : 0,
                                        .cpu_s_max = command->prepare_cpu_s_max,
                                        .wake_fd = WAKE_FD,
                                        .snapshot_fd = SNAPSHOT_FD,
                                        .life_fd = launcher_life,
                                        .keep_fds = FIRST_FREE_FD};
  if (!read_source(fds[LAUNCH_CODE], command->source_bytes, &source, &err) ||
      !load_module(&code, &err))
    not_ready(&worker, &err);
  code.source = bytes_of(source, command->source_bytes);
  if (!sandbox_confine(ground, &limits, &err)) not_ready(&worker, &err);
  if (command->prepare) {
    if (!guest_prepare(&code, SNAPSHOT_FD, &err)) not_ready(&worker, &err);
    say_ready(&worker, ground);
    _exit(WORKER_DONE);
  }
  if (!guest_open(&code, SNAPSHOT_FD, &worker.guest, &err)) not_ready(&worker, &err);
  say_ready(&worker, ground);
  serve(&worker);
}

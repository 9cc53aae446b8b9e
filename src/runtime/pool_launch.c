/* runtime/pool_launch.c: the core's end of the launcher's socket, and the launcher's life. */
#include "runtime/pool_parts.h"

#include "base/must.h"
#include "os/fdpass.h"
#include "os/log.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELLO_MS_MAX = 5000, REPORTS_PER_ROUND = 256 };

/* Made at once: the version may be gone when the socket has room. */
static struct launch_command *start_command(const struct pool_worker *worker) {
  struct launch_command *command = must_alloc(sizeof *command);
  const struct pool_code *pc = worker->code;
  const struct guest_code *code = &pc->code->code;
  *command = (struct launch_command){.magic = LAUNCH_MAGIC,
                                     .kind = LAUNCH_START,
                                     .worker = worker->number,
                                     .guest_kind = code->kind,
                                     .module = code->module,
                                     .prepare = worker->prepare,
                                     .memory_bytes_max = code->memory_bytes_max,
                                     .source_bytes = pc->source_bytes};
  if (worker->prepare)
    command->prepare_cpu_s_max = (uint32_t)(worker->pool->options.prepare_ms_max / 1000 + 1);
  bytes_text(bytes_str(code->file_name), command->file_name, sizeof command->file_name);
  bytes_text(bytes_str(code->module_path), command->module_path, sizeof command->module_path);
  return command;
}

/* False: no room in the socket now. Any other failure shows itself as the launcher's end. */
static bool send_command(struct pool *pool, const struct launch_command *command, const int *fds,
                         size_t fd_count) {
  struct err err;
  if (fdpass_send(pool->socket, bytes_of(command, sizeof *command), fds, fd_count, &err))
    return true;
  return err.code != ERR_BUSY;
}

static bool send_start(struct pool_worker *worker) {
  int snapshot = worker->prepare ? worker->snapshot_fd : worker->code->snapshot_fd;
  const int fds[LAUNCH_FDS_MAX] = {[LAUNCH_RING] = worker->memory_fd,
                                   [LAUNCH_WAKE] = worker->watch.fd,
                                   [LAUNCH_SNAPSHOT] = snapshot,
                                   [LAUNCH_CODE] = worker->code->code_fd};
  if (!send_command(worker->pool, worker->command, fds, LAUNCH_FDS_MAX)) return false;
  worker->sent = true;
  free(worker->command);
  worker->command = NULL;
  close(worker->memory_fd); /* both sides have it mapped, or will have */
  worker->memory_fd = -1;
  return true;
}

static void send_waiting(struct pool *pool) {
  if (!pool->launcher_greeted) return;
  LIST_EACH (worker, &pool->unsent, struct pool_worker, link) {
    if (!send_start(worker)) {
      loop_change(pool->loop, &pool->socket_watch, LOOP_READ | LOOP_WRITE);
      return;
    }
    list_drop(&worker->link);
  }
  loop_change(pool->loop, &pool->socket_watch, LOOP_READ);
}

void pool_launch_start(struct pool_worker *worker) {
  worker->command = start_command(worker);
  list_push(&worker->pool->unsent, &worker->link);
  send_waiting(worker->pool);
}

void pool_launch_kill(struct pool_worker *worker) {
  struct pool *pool = worker->pool;
  const struct launch_command command = {
      .magic = LAUNCH_MAGIC, .kind = LAUNCH_KILL, .worker = worker->number};
  pool->kills++;
  if (!pool->launcher_up) return; /* it takes its workers with it */
  /* A kill never waits behind starts: a full socket is emptied by a launcher that is alive. */
  struct pollfd room = {.fd = pool->socket, .events = POLLOUT};
  while (!send_command(pool, &command, NULL, 0))
    if (poll(&room, 1, HELLO_MS_MAX) <= 0) {
      process_kill(&pool->launcher, SIGKILL);
      return;
    }
}

static struct pool_worker *find(struct pool *pool, uint64_t number) {
  struct pool_worker *worker = &pool->workers[number % pool->slots];
  return worker->state != WORKER_FREE && worker->number == number ? worker : NULL;
}

static void hear(struct pool *pool, const struct launch_report *report) {
  struct pool_worker *worker = find(pool, report->worker);
  switch ((enum launch_report_kind)report->kind) {
  case LAUNCH_HELLO:
    pool->launcher_greeted = true;
    pool->level = (enum sandbox_level)report->level;
    bytes_text(bytes_of(report->text, strnlen(report->text, sizeof report->text)), pool->why_not,
               sizeof pool->why_not);
    send_waiting(pool);
    break;
  case LAUNCH_STARTED: break;
  case LAUNCH_FAILED:
    if (!worker) break;
    err_set_errno(&worker->start_err, report->status, ERR_PLACE, "a worker cannot be forked");
    pool_worker_ended(worker, report);
    break;
  case LAUNCH_EXITED:
    if (worker) pool_worker_ended(worker, report);
    break;
  }
}

static void socket_ready(struct loop_watch *watch, unsigned events) {
  struct pool *pool = LIST_OF(watch, struct pool, socket_watch);
  struct launch_report report;
  struct err err;
  size_t len, fd_count;
  for (int i = 0; i < REPORTS_PER_ROUND; i++) {
    int fds[1];
    if (!fdpass_receive(pool->socket, &report, sizeof report, &len, fds, 0, &fd_count, &err)) {
      if (err.code == ERR_BUSY) break;
      loop_change(pool->loop, watch, 0); /* its end is reported by the process watch */
      return;
    }
    if (len != sizeof report || report.magic != LAUNCH_MAGIC || report.kind > LAUNCH_EXITED ||
        report.level > SANDBOX_ISOLATED) {
      process_kill(&pool->launcher, SIGKILL);
      return;
    }
    hear(pool, &report);
  }
  if (events & LOOP_WRITE) send_waiting(pool);
}

static void disconnect(struct pool *pool) {
  if (pool->socket < 0) return;
  loop_drop(pool->loop, &pool->socket_watch);
  close(pool->socket);
  pool->socket = -1;
  pool->launcher_up = pool->launcher_greeted = false;
}

/* With the launcher its workers died; their runs fail, and the next launcher takes what waits. */
static void launcher_ended(struct process *process, struct process_end end) {
  struct pool *pool = LIST_OF(process, struct pool, launcher);
  const struct launch_report death = {.kind = LAUNCH_EXITED, .signal = SIGKILL};
  LOG(LAUNCHER_ENDED, NULL, log_int("signal", end.signal), log_int("exit", end.exit_code));
  disconnect(pool);
  for (uint32_t i = 0; i < pool->slots; i++) {
    struct pool_worker *worker = &pool->workers[i];
    if (worker->state == WORKER_FREE || !worker->sent) continue;
    err_set(&worker->start_err, ERR_UNAVAILABLE, ERR_PLACE, ERR_OFFSET_NONE,
            "the launcher ended and takes its workers with it");
    pool_worker_ended(worker, &death);
  }
  loop_timer_set(pool->loop, &pool->launcher_timer, pool_now(pool) + POOL_BACKOFF_NS / 10);
}

static bool connect_launcher(struct pool *pool, struct err *err) {
  int ends[2];
  TRY(fdpass_pair(ends, true, err));
  const char *const argv[] = {
      pool->options.launcher_path,
      sandbox_level_name(pool->options.namespaces_off ? SANDBOX_LANDLOCKED : SANDBOX_ISOLATED),
      NULL};
  const struct process_fd fds[] = {{STDERR_FILENO, STDERR_FILENO},
                                   {ends[1], LAUNCH_SOCKET_FD},
                                   {pool->deadlines_fd, LAUNCH_DEADLINES_FD}};
  const struct process_options options = {
      .path = pool->options.launcher_path, .argv = argv, .fds = fds, .fd_count = 3};
  pool->launcher.ended = launcher_ended;
  bool ok = process_start(pool->loop, &options, &pool->launcher, err);
  close(ends[1]);
  pool->socket = ends[0];
  pool->socket_watch =
      (struct loop_watch){.fd = ends[0], .interest = LOOP_READ, .ready = socket_ready};
  if (ok && !loop_add(pool->loop, &pool->socket_watch, err)) {
    process_forget(&pool->launcher);
    ok = false;
  }
  if (!ok) {
    close(pool->socket);
    pool->socket = -1;
  }
  pool->launcher_up = ok;
  return ok;
}

static void restart(struct loop_timer *timer) {
  struct pool *pool = LIST_OF(timer, struct pool, launcher_timer);
  struct err err;
  if (connect_launcher(pool, &err)) return;
  LOG(FAILED, NULL, log_word("part", "launcher"), log_err(&err));
  loop_timer_set(pool->loop, timer, pool_now(pool) + POOL_BACKOFF_NS);
}

bool pool_launch_open(struct pool *pool, struct err *err) {
  pool->socket = -1;
  pool->launcher_timer.fire = restart;
  TRY(connect_launcher(pool, err));
  struct pollfd greeting = {.fd = pool->socket, .events = POLLIN};
  if (poll(&greeting, 1, HELLO_MS_MAX) == 1) socket_ready(&pool->socket_watch, LOOP_READ);
  if (pool->launcher_greeted) return true;
  pool_launch_close(pool);
  FAIL(ERR_IO, "%s does not greet", pool->options.launcher_path);
}

void pool_launch_close(struct pool *pool) {
  loop_timer_drop(pool->loop, &pool->launcher_timer);
  if (!pool->launcher_up) return;
  disconnect(pool);
  process_forget(&pool->launcher);
}

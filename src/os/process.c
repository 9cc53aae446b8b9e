/* os/process.c: fork, arrange descriptors, exec.
 *
 * Between fork and exec only async-signal-safe calls: other threads may hold any lock. Whatever
 * fails there goes back as an errno through a pipe that exec closes. */
#define _GNU_SOURCE
#include "os/process.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "os/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static bool fail_errno(struct err *err, const char *place, const char *what) {
  err_set_errno(err, errno, place, what);
  return false;
}

/* Ours until exec: the listed descriptors, moved out of each other's way, and the error pipe. */
struct moved {
  int fds[PROCESS_FDS_MAX];
  int error_fd;
};

static bool move_up(const struct process_options *options, int error_fd, struct moved *moved) {
  int above = STDERR_FILENO;
  for (size_t i = 0; i < options->fd_count; i++)
    if (options->fds[i].at > above) above = options->fds[i].at;
  for (size_t i = 0; i < options->fd_count; i++) {
    moved->fds[i] = fcntl(options->fds[i].from, F_DUPFD_CLOEXEC, above + 1);
    if (moved->fds[i] < 0) return false;
  }
  int moved_error_fd = fcntl(error_fd, F_DUPFD_CLOEXEC, above + 1);
  if (moved_error_fd < 0) return false;
  moved->error_fd = moved_error_fd;
  return true;
}

/* All from 3 on end with exec; then the listed ones are put in place without that mark. */
static bool mark_all(void) {
  if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0) return true;
  /* Before Linux 5.11, or filtered. */
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return false;
  for (rlim_t fd = 3; fd < files.rlim_cur; fd++) (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
  return true;
}

static bool place_fds(const struct process_options *options, const struct moved *moved) {
  int null = open("/dev/null", O_RDWR);
  if (null < 0) return false;
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (null != fd && dup2(null, fd) < 0) return false;
  if (null > STDERR_FILENO) close(null);
  for (size_t i = 0; i < options->fd_count; i++)
    if (dup2(moved->fds[i], options->fds[i].at) < 0) return false;
  return true;
}

static bool reset_signals(void) {
  sigset_t none;
  for (int number = 1; number < NSIG; number++) (void)signal(number, SIG_DFL);
  return sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool tie_to(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  /* It may have ended before the call. */
  errno = ESRCH;
  return getppid() == parent;
}

static _Noreturn void become(const struct process_options *options, pid_t parent, int error_fd) {
  struct moved moved = {.error_fd = error_fd};
  static const char *const no_environment[] = {NULL};
  const char *const *envp = options->envp ? options->envp : no_environment;
  if (reset_signals() && (options->outlives_us || tie_to(parent)) &&
      move_up(options, error_fd, &moved) && mark_all() && place_fds(options, &moved))
    execve(options->path, (char *const *)(uintptr_t)options->argv, (char *const *)(uintptr_t)envp);
  int number = errno;
  (void)!write(moved.error_fd, &number, sizeof number);
  _exit(127);
}

/* Signals stay blocked from before fork until the child has default handlers: one of ours must
 * not run in it. */
static pid_t fork_quietly(const struct process_options *options, int error_fd) {
  sigset_t all, before;
  pid_t parent = getpid();
  sigfillset(&all);
  must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  pid_t pid = fork();
  if (pid == 0) become(options, parent, error_fd);
  int number = errno;
  must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
  errno = number;
  return pid;
}

static void reap(pid_t pid, int *ret_status) {
  while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR) continue;
}

static void ready(struct loop_watch *watch, unsigned events) {
  struct process *process = LIST_OF(watch, struct process, watch);
  int status = 0;
  loop_drop(process->loop, watch);
  pid_t pid = process->pid;
  reap(pid, &status);
  close(watch->fd);
  process->pid = 0;
  struct process_end end = {-1, 0};
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  LOG(PROCESS_ENDED, NULL, log_int("pid", pid), log_int("exit_code", end.exit_code),
      log_int("signal", end.signal));
  process->ended(process, end);
}

/* Waits for exec, or for what went wrong before it. */
static bool await_exec(int fd, const char *path, struct err *err) {
  int number = 0;
  ssize_t got;
  do {
    got = read(fd, &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return true;
  err_set_errno(err, number, ERR_PLACE, path);
  return false;
}

static bool watch_process(struct loop *loop, pid_t pid, struct process *process, struct err *err) {
  cleanup_fd int fd = pidfd_open(pid, 0);
  if (fd < 0) return fail_errno(err, ERR_PLACE, "pidfd_open");
  process->pid = pid;
  process->loop = loop;
  process->watch = (struct loop_watch){.fd = fd, .interest = LOOP_READ, .ready = ready};
  TRY(loop_add(loop, &process->watch, err));
  (void)steal_fd(&fd);
  return true;
}

bool process_start(struct loop *loop, const struct process_options *options,
                   struct process *process, struct err *err) {
  int ends[2];
  must(options->fd_count <= PROCESS_FDS_MAX && process->ended != NULL);
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno(err, ERR_PLACE, "pipe");
  pid_t pid = fork_quietly(options, ends[1]);
  int number = errno;
  close(ends[1]);
  cleanup_fd int read_end = ends[0];
  errno = number;
  if (pid < 0) return fail_errno(err, ERR_PLACE, "fork");
  if (await_exec(read_end, options->path, err) && watch_process(loop, pid, process, err)) {
    LOG(PROCESS_STARTED, NULL, log_int("pid", pid), log_word("path", options->path));
    return true;
  }
  (void)kill(pid, SIGKILL); /* ours and not yet reaped, so the number is still its own */
  reap(pid, &number);
  process->pid = 0;
  return false;
}

void process_kill(struct process *process, int signal) {
  if (process->pid > 0) (void)pidfd_send_signal(process->watch.fd, signal, NULL, 0);
}

void process_forget(struct process *process) {
  int status;
  if (process->pid <= 0) return;
  process_kill(process, SIGKILL);
  loop_drop(process->loop, &process->watch);
  reap(process->pid, &status);
  close(process->watch.fd);
  process->pid = 0;
}

uint64_t process_files_raise(uint64_t wanted) {
  struct rlimit files;
  must(getrlimit(RLIMIT_NOFILE, &files) == 0);
  if (files.rlim_cur < wanted) {
    struct rlimit raised = {wanted < files.rlim_max ? wanted : files.rlim_max, files.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  }
  return files.rlim_cur;
}

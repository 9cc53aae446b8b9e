/* os/process.h: child processes with nothing inherited but what is listed, watched by the loop.
 * Owns:    struct process is the caller's until `ended` was called, or process_forget.
 * Units:   none.
 * Errors:  process_start: NOT_FOUND, DENIED, LIMIT, BUSY, NO_MEMORY, IO; also what exec says.
 * Threads: the loop's. process_title, process_files_raise and signals_open: before there are
 *          threads.
 * Limits:  PROCESS_FDS_MAX.
 * Source:  pidfd_open(2), prctl(2), close_range(2), signalfd(2).                              */
#ifndef MEDULLA_OS_PROCESS_H
#define MEDULLA_OS_PROCESS_H

#include "base/err.h"
#include "os/loop.h"

#include <sys/types.h>

#define PROCESS_FDS_MAX 64

/* The descriptor `from` here is number `at` there. */
struct process_fd {
  int from, at;
};

struct process_options {
  const char *path;             /* Required: the program; PATH is not searched */
  const char *const *argv;      /* Required: NULL-terminated */
  const char *const *envp;      /* Optional: NULL-terminated; default: an empty environment */
  const struct process_fd *fds; /* Optional: 0, 1 and 2 are /dev/null unless listed */
  size_t fd_count;
  bool outlives_us; /* Optional: default: it is killed when the thread that started it ends */
};

struct process_end {
  int exit_code; /* -1 when a signal ended it */
  int signal;    /* 0 when it exited */
};

struct process {
  /* Set by the caller: called from the loop, once. */
  void (*ended)(struct process *process, struct process_end end);
  /* Read only. */
  pid_t pid;
  struct loop *loop;
  struct loop_watch watch; /* its fd is the pidfd */
};

/* True once the program runs: a failing exec is an error here. */
bool process_start(struct loop *loop, const struct process_options *options,
                   struct process *process, struct err *err) MUST_CHECK;
/* Harmless when it has ended; never hits another process. */
void process_kill(struct process *process, int signal);
/* Kills it, waits for its end and forgets it; `ended` is not called. */
void process_forget(struct process *process);

/* SIGTERM, SIGINT and SIGHUP through the loop; SIGPIPE is ignored. Children start without it. */
struct signals {
  void (*got)(struct signals *signals, int signal); /* set by the caller */
  struct loop *loop;
  struct loop_watch watch;
};
bool signals_open(struct loop *loop, struct signals *signals, struct err *err) MUST_CHECK;
void signals_close(struct signals *signals);

/* Raises the soft limit of descriptors towards `wanted`, as far as the hard limit goes. */
uint64_t process_files_raise(uint64_t wanted);
/* What ps shows. init keeps the place of main's argv; a title never holds a secret. */
void process_title_init(int argc, char **argv);
void process_title(const char *title);

#endif

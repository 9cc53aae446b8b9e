/* runtime/worker.h: the process that runs functions, one run at a time, confined for good.
 * Owns:    its rings and its guest; it ends with its process.
 * Errors:  what keeps it from getting ready is said in RING_READY; later, exits.
 * Threads: the only thread of a process forked by the launcher.
 * Limits:  those of the rings and of its command.                                          */
#ifndef MEDULLA_RUNTIME_WORKER_H
#define MEDULLA_RUNTIME_WORKER_H

#include "runtime/launch.h"
#include "runtime/sandbox.h"

/* How a worker exits by itself. */
enum worker_exit {
  WORKER_DONE,        /* prepared */
  WORKER_NOT_READY,   /* RING_READY says why */
  WORKER_NO_RING,     /* could not even map the rings */
  WORKER_CORE_BROKEN, /* the core's side of the rings makes no sense */
};

/* launcher_life: readable end of a pipe that hangs up when the launcher is gone. */
_Noreturn void worker_main(const struct launch_command *command, const int fds[LAUNCH_FDS_MAX],
                           const struct sandbox_ground *ground, int launcher_life);

#endif

/* runtime/launch.h: what the core and the launcher say to each other, over one seqpacket socket.
 * Owns:    nothing.
 * Units:   bytes.
 * Errors:  a message that is not exactly one of these structs ends the connection: both sides are
 *          our own binaries of the same build, so anything else is a broken promise.
 * Threads: one on each side.
 * Limits:  the sizes below; descriptors per message: LAUNCH_FDS_MAX.
 *
 * The core sends struct launch_command, the launcher struct launch_report. LAUNCH_START carries
 * descriptors in the order of enum launch_fd; a code without source passes an empty one.
 *
 * Deadlines are not messages: the core writes each worker's into a table that both have mapped, at
 * place worker % (number of places). The core kills on time; a launcher that finds a worker past
 * its deadline by LAUNCH_GRACE_MS kills it, so that a core that hangs or was stopped does not keep
 * a function alive. It puts LAUNCH_DEADLINE_OVERDUE in the deadline's place first, in one atomic
 * step: a core that takes its deadline back and finds that there gives the worker no other run.
 * Workers never have the table.                                                                */
#ifndef MEDULLA_RUNTIME_LAUNCH_H
#define MEDULLA_RUNTIME_LAUNCH_H

#include <stdint.h>

#define LAUNCH_MAGIC 0x4d6c6132u /* changes with the structs */
#define LAUNCH_PATH_BYTES 512
#define LAUNCH_NAME_BYTES 128
#define LAUNCH_SOURCE_BYTES_MAX (64u << 20)
#define LAUNCH_SOCKET_FD 3    /* in the launcher */
#define LAUNCH_DEADLINES_FD 4 /* int64_t, nanoseconds of the monotonic clock; 0: none */
#define LAUNCH_DEADLINE_OVERDUE (-1)
#define LAUNCH_GRACE_MS 250 /* past its deadline the launcher kills a worker by itself */
#define LAUNCH_LOOK_MS 50   /* how often it looks while there are workers */

enum launch_fd {
  LAUNCH_RING,     /* memory of the rings */
  LAUNCH_WAKE,     /* eventfd that wakes the core */
  LAUNCH_SNAPSHOT, /* to read; to write when preparing */
  LAUNCH_CODE,     /* source text */
  LAUNCH_FDS_MAX
};

enum launch_kind {
  LAUNCH_START, /* fork, confine and open one worker */
  LAUNCH_KILL,
};

struct launch_command {
  uint32_t magic;
  uint32_t kind;
  uint64_t worker; /* the core's number for it; never used twice */
  /* LAUNCH_START only. */
  uint32_t guest_kind;
  uint32_t module;
  uint32_t prepare; /* make the snapshot instead of serving runs */
  uint32_t prepare_cpu_s_max;
  uint64_t memory_bytes_max;
  uint64_t source_bytes;
  char file_name[LAUNCH_NAME_BYTES];
  char module_path[LAUNCH_PATH_BYTES];
};

enum launch_report_kind {
  LAUNCH_HELLO,   /* once: the level in force */
  LAUNCH_STARTED, /* pid */
  LAUNCH_FAILED,  /* could not fork: errno in status */
  LAUNCH_EXITED,  /* signal or status */
};

struct launch_report {
  uint32_t magic;
  uint32_t kind;
  uint64_t worker;
  int32_t pid;
  int32_t signal;        /* that ended it, or 0 */
  int32_t status;        /* exit status or errno */
  uint32_t level;        /* HELLO: enum sandbox_level */
  uint64_t memory_bytes; /* EXITED: largest resident size */
  char text[160];        /* HELLO: why not the highest level */
};

#endif

/* runtime/sandbox.h: what a worker process can no longer do, level by level.
 * Owns:    struct sandbox_ground owns its descriptors until sandbox_ground_close.
 * Units:   bytes, seconds as named.
 * Errors:  a step that was expected to work and did not: DENIED, IO; never a silent downgrade.
 * Threads: single-threaded processes only.
 * Limits:  see the tables in sandbox_confine.c and sandbox_filter.c.
 * Source:  seccomp(2), landlock(7), namespaces(7).
 *
 * The launcher lays the ground once (shared namespaces, an empty root, a Landlock rule set); every
 * worker confines itself on it. Step by step, each level with the steps above it:
 *
 *   filtered     own session, rlimits, no capabilities, no new privileges, seccomp (always last)
 *   landlocked   Landlock: no file, no TCP, no abstract socket, no signal outside
 *   isolated     network, ipc and uts namespaces shared by all workers; the mount namespace with
 *                the empty root; a pid namespace for each worker
 *
 * Root really leaves its uid; others make a user namespace to be allowed the others.            */
#ifndef MEDULLA_RUNTIME_SANDBOX_H
#define MEDULLA_RUNTIME_SANDBOX_H

#include "base/err.h"

/* Each level includes the ones before it. */
enum sandbox_level {
  SANDBOX_NONE,       /* never used for functions */
  SANDBOX_FILTERED,   /* seccomp, rlimits, no capabilities, no new privileges */
  SANDBOX_LANDLOCKED, /* + Landlock: no file system, no TCP */
  SANDBOX_ISOLATED,   /* + namespaces (user, mount, pid, net, ipc, uts) with an empty root */
};

struct sandbox_facts {
  enum sandbox_level level; /* the highest this host allows */
  unsigned landlock_abi;    /* 0: none */
  bool seccomp, user_namespaces, root, pagemap_scan, cgroup2_memory, cgroup2_pids;
  char kernel[64];
  char why_not[128]; /* why not the highest level; empty when it is */
};

/* Finds out by trying in a forked child; changes nothing in the caller. */
void sandbox_probe(struct sandbox_facts *ret_facts);
const char *sandbox_level_name(enum sandbox_level level); /* "isolated", ... */
bool sandbox_level_parse(const char *name, enum sandbox_level *ret_level);

struct sandbox_ground {
  enum sandbox_level level;
  bool root;
  int mount_ns_fd, landlock_fd; /* -1: none */
  unsigned landlock_abi;
  char why_not[128];
};

/* Enters the shared namespaces for good. Takes the highest level that works, at most `highest`. */
void sandbox_ground_open(enum sandbox_level highest, struct sandbox_ground *ret_ground);
void sandbox_ground_close(struct sandbox_ground *ground);
enum sandbox_right { SANDBOX_READ = 1, SANDBOX_EXECUTE = 2, SANDBOX_WRITE = 4 };
/* Lets tools use the file or all below the folder; before sandbox_confine. No Landlock: no rule. */
bool sandbox_allow(const struct sandbox_ground *ground, int path_fd, unsigned rights,
                   struct err *err) MUST_CHECK;
/* fork(), into a new pid namespace at level isolated. Give up with -1 and errno. */
int sandbox_fork(const struct sandbox_ground *ground);

struct sandbox_limits {
  uint64_t memory_bytes_max; /* private writable memory of the process, RLIMIT_DATA; 0: none */
  uint64_t file_bytes_max;   /* what it may write to the snapshot; 0: nothing */
  uint32_t cpu_s_max;        /* 0: none */
  int wake_fd;               /* may be written, 8 bytes at a time */
  int snapshot_fd;           /* may be read; written when file_bytes_max > 0; -1: none */
  int life_fd;               /* hangs up when the parent is gone; -1: not checked */
  int keep_fds;              /* descriptors from this number on are closed */
  bool no_filter;            /* tests of the layers below */
  /* A compiler instead of a worker: it sees what sandbox_allow let it see, opens files there and
   * starts programs; so without empty root, descriptor and process limits, and without filter. */
  bool tools;
};

/* The caller may do nothing more than the filter's table allows once this has returned true. */
bool sandbox_confine(const struct sandbox_ground *ground, const struct sandbox_limits *limits,
                     struct err *err) MUST_CHECK;
/* The last step alone (sandbox_filter.c). */
bool sandbox_filter(const struct sandbox_limits *limits, struct err *err) MUST_CHECK;

#endif

/* runtime/sandbox.h: what a worker process can no longer do, level by level.
 * Owns:    nothing.
 * Errors:  a step that was expected to work and did not: DENIED, IO; never a silent downgrade.
 * Threads: single-threaded processes only.
 * Limits:  see the table in sandbox.c.
 * Source:  seccomp(2), landlock(7), namespaces(7).                                         */
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

#endif

/* runtime/sandbox.c: which level this host allows, found out by trying.
 *
 * A memory limit needs no cgroup: RLIMIT_DATA counts every private writable page a worker maps,
 * and the filter refuses the other kinds. cgroup v2 is only looked at for the report.           */
#define _GNU_SOURCE /* looks at kernel features */
#include "runtime/sandbox.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static const char *const level_names[] = {"none", "filtered", "landlocked", "isolated"};

const char *sandbox_level_name(enum sandbox_level level) {
  return level <= SANDBOX_ISOLATED ? level_names[level] : "unknown";
}

bool sandbox_level_parse(const char *name, enum sandbox_level *ret_level) {
  for (unsigned i = 0; i <= SANDBOX_ISOLATED; i++) {
    if (strcmp(name, level_names[i]) != 0) continue;
    *ret_level = (enum sandbox_level)i;
    return true;
  }
  return false;
}

/* In a child, because the ground's namespaces are entered for good. */
static void probe_ground(struct sandbox_facts *facts) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return;
  pid_t pid = fork();
  if (pid == 0) {
    struct sandbox_ground ground;
    sandbox_ground_open(SANDBOX_ISOLATED, &ground);
    _exit(write(ends[1], &ground, sizeof ground) == (ssize_t)sizeof ground ? 0 : 1);
  }
  close(ends[1]);
  struct sandbox_ground ground;
  if (pid > 0 && read(ends[0], &ground, sizeof ground) == (ssize_t)sizeof ground) {
    facts->level = ground.level;
    facts->landlock_abi = ground.landlock_abi;
    facts->seccomp = ground.level >= SANDBOX_FILTERED;
    memcpy(facts->why_not, ground.why_not, sizeof facts->why_not);
  }
  close(ends[0]);
  if (pid > 0) waitpid(pid, NULL, 0);
}

static bool probe_user_namespaces(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 1;
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Linux 6.7; asked for an empty range. */
static bool probe_pagemap_scan(void) {
  struct {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t inverted, mask, any_mask, return_mask;
  } scan = {.size = sizeof scan};
  int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool works = ioctl(fd, _IOWR('f', 16, scan), &scan) >= 0;
  close(fd);
  return works;
}

static void probe_cgroup2(struct sandbox_facts *facts) {
  char text[256] = "";
  FILE *file = fopen("/sys/fs/cgroup/cgroup.controllers", "re");
  if (!file) return;
  size_t len = fread(text, 1, sizeof text - 1, file);
  text[len] = 0;
  facts->cgroup2_memory = strstr(text, "memory");
  facts->cgroup2_pids = strstr(text, "pids");
  fclose(file);
}

void sandbox_probe(struct sandbox_facts *ret_facts) {
  struct sandbox_facts facts = {.root = geteuid() == 0};
  struct utsname name;
  probe_ground(&facts);
  facts.user_namespaces = probe_user_namespaces();
  facts.pagemap_scan = probe_pagemap_scan();
  probe_cgroup2(&facts);
  if (uname(&name) == 0) snprintf(facts.kernel, sizeof facts.kernel, "%.63s", name.release);
  *ret_facts = facts;
}

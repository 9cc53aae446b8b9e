/* runtime/sandbox_confine.c: the ground laid once, and the steps every worker takes on it. */
#define _GNU_SOURCE /* namespaces, capabilities and Landlock are this file's whole job */
#include "runtime/sandbox.h"

#include "base/cleanup.h"
#include "runtime/sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Workers of root run as nobody: no file is theirs, and the uid exists everywhere. */
enum { WORKER_UID = 65534, CAPABILITY_MAX = 63 };

/* Landlock's later rights, which older headers do not name (linux/landlock.h). */
#define LANDLOCK_FS_ABI1 ((1ull << 13) - 1)
#define LANDLOCK_FS_REFER (1ull << 13)     /* ABI 2 */
#define LANDLOCK_FS_TRUNCATE (1ull << 14)  /* ABI 3 */
#define LANDLOCK_NET_TCP 3ull              /* ABI 4: bind and connect */
#define LANDLOCK_FS_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define LANDLOCK_SCOPES 3ull               /* ABI 6: abstract sockets and signals */

struct ruleset {
  uint64_t fs, net, scoped;
};

/* The empty root. */

static bool write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  return close(fd) == 0 && ok;
}

/* A mount namespace whose root is an empty, read-only tmpfs; nothing else is mounted in it. */
static bool make_empty_root(void) {
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return false;
  /* Any folder that is there will do as the mount point; it is left behind at once. */
  if (mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0555"))
    return false;
  if (chdir("/tmp") || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH)) return false;
  return mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ==
             0 &&
         chdir("/") == 0;
}

/* A helper makes it and waits until its namespace is held; no process needs to stay in it. */
static int open_empty_root(void) {
  int up[2], down[2];
  if (pipe2(up, O_CLOEXEC)) return -1;
  if (pipe2(down, O_CLOEXEC)) {
    close(up[0]), close(up[1]);
    return -1;
  }
  pid_t pid = fork();
  if (pid == 0) {
    close(down[1]);
    char byte = make_empty_root() ? 'y' : 'n';
    if (write(up[1], &byte, 1) == 1 && read(down[0], &byte, 1) < 0) _exit(1);
    _exit(0);
  }
  close(up[1]), close(down[0]);
  char byte = 'n', path[64];
  int fd = -1;
  if (pid > 0 && read(up[0], &byte, 1) == 1 && byte == 'y') {
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
  }
  close(up[0]), close(down[1]);
  if (pid > 0) waitpid(pid, NULL, 0);
  return fd;
}

static bool enter_user_namespace(void) {
  char map[64];
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER)) return false;
  if (!write_text("/proc/self/setgroups", "deny")) return false;
  snprintf(map, sizeof map, "%u %u 1", (unsigned)uid, (unsigned)uid);
  if (!write_text("/proc/self/uid_map", map)) return false;
  snprintf(map, sizeof map, "%u %u 1", (unsigned)gid, (unsigned)gid);
  return write_text("/proc/self/gid_map", map);
}

static int landlock_create(unsigned *ret_abi) {
  long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return -1;
  struct ruleset rules = {.fs = LANDLOCK_FS_ABI1};
  size_t len = sizeof rules.fs;
  if (abi >= 2) rules.fs |= LANDLOCK_FS_REFER;
  if (abi >= 3) rules.fs |= LANDLOCK_FS_TRUNCATE;
  if (abi >= 4) rules.net = LANDLOCK_NET_TCP, len = offsetof(struct ruleset, scoped);
  if (abi >= 5) rules.fs |= LANDLOCK_FS_IOCTL_DEV;
  if (abi >= 6) rules.scoped = LANDLOCK_SCOPES, len = sizeof rules;
  *ret_abi = (unsigned)abi;
  return (int)syscall(SYS_landlock_create_ruleset, &rules, len, 0);
}

static bool pid_namespace_works(void) {
  int pid = (int)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

static bool isolate(struct sandbox_ground *ground) {
  const char *step = "a user namespace";
  bool ok = ground->root || enter_user_namespace();
  if (ok) {
    step = "network, ipc and uts namespaces";
    ok = unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0;
  }
  if (ok) {
    step = "a mount namespace with an empty root";
    ok = (ground->mount_ns_fd = open_empty_root()) >= 0;
  }
  if (ok) {
    step = "a pid namespace";
    ok = pid_namespace_works();
  }
  if (!ok) {
    snprintf(ground->why_not, sizeof ground->why_not, "this host refuses %s (%s)", step,
             strerrordesc_np(errno));
    if (ground->mount_ns_fd >= 0) close(ground->mount_ns_fd);
    ground->mount_ns_fd = -1;
  }
  return ok;
}

static bool seccomp_works(void) {
  uint32_t action = 0x80000000u; /* SECCOMP_RET_KILL_PROCESS */
  return syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &action) == 0;
}

void sandbox_ground_open(enum sandbox_level highest, struct sandbox_ground *ret_ground) {
  struct sandbox_ground ground = {.mount_ns_fd = -1, .landlock_fd = -1, .root = geteuid() == 0};
  ground.landlock_fd = landlock_create(&ground.landlock_abi);
  if (!seccomp_works()) {
    ground.level = SANDBOX_NONE;
    snprintf(ground.why_not, sizeof ground.why_not, "this kernel has no seccomp filters");
  } else if (ground.landlock_fd < 0) {
    ground.level = SANDBOX_FILTERED;
    snprintf(ground.why_not, sizeof ground.why_not, "this kernel has no Landlock");
  } else {
    ground.level = SANDBOX_LANDLOCKED;
    if (highest < SANDBOX_ISOLATED)
      snprintf(ground.why_not, sizeof ground.why_not, "the configuration limits the level");
    else if (isolate(&ground))
      ground.level = SANDBOX_ISOLATED;
  }
  if (ground.level > highest) ground.level = highest;
  *ret_ground = ground;
}

void sandbox_ground_close(struct sandbox_ground *ground) {
  if (ground->mount_ns_fd >= 0) close(ground->mount_ns_fd);
  if (ground->landlock_fd >= 0) close(ground->landlock_fd);
  ground->mount_ns_fd = ground->landlock_fd = -1;
}

bool sandbox_allow(const struct sandbox_ground *ground, int path_fd, unsigned rights,
                   struct err *err) {
  const uint64_t file_writes = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE;
  const uint64_t folder_writes = LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
  struct stat facts;
  if (ground->level < SANDBOX_LANDLOCKED) return true;
  if (fstat(path_fd, &facts)) {
    err_set_errno(err, errno, ERR_PLACE, "fstat");
    return false;
  }
  bool folder = S_ISDIR(facts.st_mode);
  struct landlock_path_beneath_attr rule = {.parent_fd = path_fd};
  if (rights & SANDBOX_READ) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_FILE;
  if (rights & SANDBOX_READ && folder) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
  if (rights & SANDBOX_EXECUTE) rule.allowed_access |= LANDLOCK_ACCESS_FS_EXECUTE;
  if (rights & SANDBOX_WRITE) rule.allowed_access |= file_writes | (folder ? folder_writes : 0);
  if (ground->landlock_abi < 3) rule.allowed_access &= ~(uint64_t)LANDLOCK_FS_TRUNCATE;
  if (syscall(SYS_landlock_add_rule, ground->landlock_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ==
      0)
    return true;
  err_set_errno(err, errno, ERR_PLACE, "landlock_add_rule");
  return false;
}

int sandbox_fork(const struct sandbox_ground *ground) {
  if (ground->level < SANDBOX_ISOLATED) return fork();
  /* A process has one pid namespace for its children at a time: only clone makes many. */
  return (int)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
}

/* The steps of a worker. Each returns 0, or -1 with errno. */

static int limit(int resource, rlim_t value) {
  return setrlimit((__rlimit_resource_t)resource, &(struct rlimit){value, value});
}

static int step_limits(const struct sandbox_limits *limits) {
  /* Never RLIMIT_AS: guard regions reserve much more than is ever used. Sanitizers count their
   * shadow as data, so their builds go without that limit. */
  if (!RUNTIME_SANITIZER && limits->memory_bytes_max &&
      limit(RLIMIT_DATA, limits->memory_bytes_max))
    return -1;
  if (limits->cpu_s_max && limit(RLIMIT_CPU, limits->cpu_s_max)) return -1;
  if (limit(RLIMIT_FSIZE, limits->file_bytes_max)) return -1;
  if (!limits->tools && limit(RLIMIT_NPROC, 0)) return -1;
  return limit(RLIMIT_CORE, 0) || limit(RLIMIT_MEMLOCK, 0) || limit(RLIMIT_MSGQUEUE, 0) ? -1 : 0;
}

static int step_mounts(const struct sandbox_ground *ground, bool tools) {
  if (ground->level < SANDBOX_ISOLATED || tools) return 0;
  return setns(ground->mount_ns_fd, CLONE_NEWNS) || chdir("/") ? -1 : 0;
}

static int step_user(const struct sandbox_ground *ground) {
  if (!ground->root) return 0;
  gid_t gid = WORKER_UID;
  uid_t uid = WORKER_UID;
  return setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid) ? -1 : 0;
}

/* Bounding set first, it needs a capability itself; ends quietly at the kernel's last one. */
static int step_bounding(void) {
  for (unsigned long i = 0; i <= CAPABILITY_MAX; i++)
    if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) && errno == EINVAL) break;
  return 0;
}

static int step_capabilities(void) {
  struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) return -1;
  return (int)syscall(SYS_capset, &head, none);
}

static int step_privileges(int life_fd) {
  struct pollfd life = {.fd = life_fd};
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) return -1;
  /* After the uid: changing it takes the signal away again. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) return -1;
  /* The parent may have ended before. */
  if (life_fd >= 0 && poll(&life, 1, 0) > 0 && (life.revents & POLLHUP)) {
    errno = ESRCH;
    return -1;
  }
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int step_landlock(const struct sandbox_ground *ground) {
  if (ground->level < SANDBOX_LANDLOCKED) return 0;
  return (int)syscall(SYS_landlock_restrict_self, ground->landlock_fd, 0);
}

static int step_descriptors(int keep_fds) {
  if (syscall(SYS_close_range, (unsigned)keep_fds, ~0u, 0)) return -1;
  return limit(RLIMIT_NOFILE, 0);
}

static bool took(int result, const char *step, struct err *err) {
  if (result == 0) return true;
  err_set_errno(err, errno, ERR_PLACE, step);
  return false;
}

bool sandbox_confine(const struct sandbox_ground *ground, const struct sandbox_limits *limits,
                     struct err *err) {
  if (ground->level < SANDBOX_FILTERED) FAIL(ERR_DENIED, "no isolation level works here");
  setsid(); /* fails only for the leader of a group, which has no terminal either */
  umask(077);
  TRY(took(step_mounts(ground, limits->tools), "confine: empty root", err));
  TRY(took(step_limits(limits), "confine: limits", err));
  TRY(took(step_bounding(), "confine: bounding set", err));
  TRY(took(step_user(ground), "confine: user", err));
  TRY(took(step_capabilities(), "confine: capabilities", err));
  TRY(took(step_privileges(limits->life_fd), "confine: privileges", err));
  TRY(took(step_landlock(ground), "confine: Landlock", err));
  TRY(took(limits->tools ? 0 : step_descriptors(limits->keep_fds), "confine: descriptors", err));
  return limits->no_filter || limits->tools || sandbox_filter(limits, err);
}

/* egress/confine.c: the steps, in the order that lets each of them still work. */
#include "egress/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EGRESS_UID = 65534, EGRESS_FILES_MAX = 512 };

#define READ_RIGHTS \
  (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ALL_RIGHTS ((1ull << 13) - 1) /* of the first version; later rights stay unhandled */

/* Resolver and its modules, CA bundle, randomness. What is missing is left out. */
static const char *const readable[] = {"/etc", "/usr",         "/lib",     "/lib64",
                                       "/run", "/dev/urandom", "/dev/null"};

static bool took(bool ok, const char *step, struct err *err) {
  if (!ok) err_set_errno(err, errno, ERR_PLACE, step);
  return ok;
}

static bool limit(int resource, rlim_t value) {
  return setrlimit(resource, &(struct rlimit){value, value}) == 0;
}

/* Of root, both calls change the saved ids too: there is no way back. */
static bool leave_root(void) {
  gid_t gid = EGRESS_UID;
  uid_t uid = EGRESS_UID;
  if (geteuid() != 0) return true;
  return setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0;
}

static void allow_path(int rules, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  struct landlock_path_beneath_attr beneath = {.allowed_access = READ_RIGHTS, .parent_fd = fd};
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0) {
    /* A file and not a folder. */
    beneath.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
    (void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
  }
  close(fd);
}

/* True without Landlock, too: it is a second wall behind the user's rights. */
static bool restrict_files(void) {
  const uint64_t handled = ALL_RIGHTS;
  int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
  if (rules < 0) return errno == ENOSYS || errno == EOPNOTSUPP;
  for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) allow_path(rules, readable[i]);
  bool ok = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
  close(rules);
  return ok;
}

/* A resolver thread and a TLS library need much; what an intruder would need next is refused. */
static bool filter_calls(void) {
  static const int refused[] = {SCMP_SYS(execve),
                                SCMP_SYS(execveat),
                                SCMP_SYS(ptrace),
                                SCMP_SYS(listen),
                                SCMP_SYS(accept),
                                SCMP_SYS(accept4),
                                SCMP_SYS(mount),
                                SCMP_SYS(bpf),
                                SCMP_SYS(io_uring_setup),
                                SCMP_SYS(keyctl),
                                SCMP_SYS(add_key),
                                SCMP_SYS(process_vm_readv),
                                SCMP_SYS(unshare),
                                SCMP_SYS(setns),
                                SCMP_SYS(process_vm_writev),
                                SCMP_SYS(userfaultfd),
                                SCMP_SYS(perf_event_open),
                                SCMP_SYS(open_by_handle_at),
                                SCMP_SYS(pidfd_getfd),
                                SCMP_SYS(kexec_load),
                                SCMP_SYS(init_module),
                                SCMP_SYS(finit_module)};
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (!filter) return false;
  int result = 0;
  for (size_t i = 0; i < sizeof refused / sizeof *refused && result == 0; i++)
    result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
  if (result == 0) result = seccomp_load(filter);
  seccomp_release(filter);
  errno = -result;
  return result == 0;
}

bool confine(struct err *err) {
  TRY(took(limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_MEMLOCK, 0) &&
               limit(RLIMIT_NOFILE, EGRESS_FILES_MAX),
           "confine: limits", err));
  TRY(took(leave_root(), "confine: user", err));
  TRY(took(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "confine: dumps", err));
  TRY(took(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "confine: privileges", err));
  TRY(took(restrict_files(), "confine: Landlock", err));
  return took(filter_calls(), "confine: seccomp", err);
}

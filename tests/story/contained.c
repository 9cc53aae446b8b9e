/* tests/story/contained.c: a command in what containers give by default: no namespaces of its own.
 *
 *     contained [--user] COMMAND...        --user: as nobody, too, without any capability
 *
 * What a container engine's default profile refuses is refused here in the same way: EPERM, and
 * ENOSYS for clone3, whose flags a filter cannot see. Only the capabilities such an engine leaves
 * stay. Nothing else is changed: what works here works there. */
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/capability.h>

#define CLONE_NAMESPACES 0x7e020000 /* every CLONE_NEW flag */
#define NOBODY 65534

static const int refused[] = {
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(swapon),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(quotactl),
};

static const int left[] = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,     CAP_FOWNER,           CAP_MKNOD,
    CAP_SETGID, CAP_SETUID,       CAP_SETFCAP,    CAP_SETPCAP,          CAP_NET_RAW,
    CAP_KILL,   CAP_AUDIT_WRITE,  CAP_SYS_CHROOT, CAP_NET_BIND_SERVICE,
};

static int stays(int capability) {
  for (size_t i = 0; i < sizeof left / sizeof *left; i++)
    if (left[i] == capability) return 1;
  return 0;
}

/* Out of the bounding set, so that the exec below gives up what is not left. */
static int drop_capabilities(void) {
  for (int i = 0; i <= CAP_LAST_CAP; i++)
    if (!stays(i) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0 && errno != EINVAL) return -1;
  return 0;
}

static int filter(void) {
  scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
  int bad = ctx ? 0 : -1;
  for (size_t i = 0; !bad && i < sizeof refused / sizeof *refused; i++)
    bad = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
  for (int bit = 7; !bad && bit < 31; bit++) {
    unsigned flag = 1u << bit;
    if (!(CLONE_NAMESPACES & flag)) continue;
    bad = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
  }
  if (!bad) bad = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (!bad) bad = seccomp_load(ctx);
  if (ctx) seccomp_release(ctx);
  return bad;
}

static int fail(const char *what) {
  fprintf(stderr, "contained: %s: %s\n", what, strerror(errno));
  return 125;
}

int main(int argc, char **argv) {
  int user = argc > 1 && strcmp(argv[1], "--user") == 0;
  char **command = argv + 1 + user;
  if (argc < 2 + user) {
    fprintf(stderr, "usage: contained [--user] COMMAND...\n");
    return 2;
  }
  if (geteuid() == 0 && drop_capabilities() != 0) return fail("capabilities");
  if (user && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
    return fail("user");
  }
  if (filter() != 0) return fail("seccomp");
  execvp(command[0], command);
  return fail(command[0]);
}

/* runtime/sandbox_filter.c: the system calls a confined worker has left, as a BPF program.
 *
 * Policy is the table; mechanism is one loop that turns each row into comparisons. Anything else
 * kills the process: another architecture, the x32 numbers, a call that is not in the table, an
 * argument outside its bounds. Arguments are 64 bits wide and compared as such: where the kernel
 * reads 64 bits, the upper half must be zero (CVE-2019-7303 compared half of them).
 *
 * What is not there on purpose: anything that opens, connects, creates a process or thread, makes
 * memory executable, shares memory (which would not count against the memory limit), or waits on
 * anything but a futex.                                                                          */
#define _GNU_SOURCE /* the system call numbers and MAP_ flags are this file's whole job */
#include "runtime/sandbox.h"

#include "runtime/sanitizer.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "no system call filter for this architecture"
#endif

enum { FILTER_LEN_MAX = 512, X32_BIT = 0x40000000 };

enum check {
  ANY,
  WAKE_FD,        /* argument 0 is the wake descriptor */
  SNAPSHOT_READ,  /* argument 0 is the snapshot */
  SNAPSHOT_WRITE, /* likewise, only when preparing */
  WRITE,          /* wake descriptor, or snapshot when preparing */
  MAP,            /* argument 2: no PROT_EXEC; argument 3: private */
  PROTECT,        /* argument 2: no PROT_EXEC */
  FUTEX,          /* argument 1: wait and wake only */
  CLOCK,          /* argument 0: one of the own clocks */
};

/* The frequent ones first. */
static const struct {
  uint32_t number;
  enum check check;
} table[] = {
    {SYS_futex, FUTEX},
    {SYS_sched_yield, ANY},
    {SYS_write, WRITE},
    {SYS_clock_gettime, CLOCK},
    {SYS_madvise, ANY},
    {SYS_mprotect, PROTECT},
    {SYS_mmap, MAP},
    {SYS_munmap, ANY},
    {SYS_mremap, ANY},
    {SYS_brk, ANY},
    {SYS_rt_sigreturn, ANY},
    {SYS_rt_sigprocmask, ANY},
    {SYS_rt_sigaction, ANY},
    {SYS_sigaltstack, ANY},
    {SYS_restart_syscall, ANY},
    {SYS_exit_group, ANY},
    {SYS_exit, ANY},
    {SYS_read, SNAPSHOT_READ},
    {SYS_pread64, SNAPSHOT_READ},
    {SYS_lseek, SNAPSHOT_READ},
    {SYS_fstat, SNAPSHOT_READ},
    {SYS_pwrite64, SNAPSHOT_WRITE},
    {SYS_ftruncate, SNAPSHOT_WRITE},
#if RUNTIME_SANITIZER
    /* What the address sanitizer does by itself; never in a release. */
    {SYS_getpid, ANY},
    {SYS_gettid, ANY},
    {SYS_sched_yield, ANY},
    {SYS_gettimeofday, ANY},
#endif
};

struct program {
  struct sock_filter code[FILTER_LEN_MAX];
  unsigned short len;
};

static void emit(struct program *program, uint16_t code, uint32_t k, uint8_t yes, uint8_t no) {
  if (program->len < FILTER_LEN_MAX)
    program->code[program->len] = (struct sock_filter){code, yes, no, k};
  program->len++;
}

static void give(struct program *program, uint32_t action) {
  emit(program, BPF_RET | BPF_K, action, 0, 0);
}

static void load(struct program *program, size_t offset) {
  emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Both architectures are little-endian: the lower half comes first. */
static void load_low(struct program *program, unsigned argument) {
  load(program, offsetof(struct seccomp_data, args) + argument * 8);
}

/* Go on when the comparison gives `wanted`, else kill. */
static void need(struct program *program, uint16_t comparison, uint32_t k, bool wanted) {
  emit(program, (uint16_t)(BPF_JMP | comparison | BPF_K), k, wanted ? 1 : 0, wanted ? 0 : 1);
  give(program, SECCOMP_RET_KILL_PROCESS);
}

static void need_high_zero(struct program *program, unsigned argument) {
  load(program, offsetof(struct seccomp_data, args) + argument * 8 + 4);
  need(program, BPF_JEQ, 0, true);
}

static void need_only_bits(struct program *program, unsigned argument, uint32_t bits) {
  need_high_zero(program, argument);
  load_low(program, argument);
  need(program, BPF_JSET, ~bits, false);
}

static void need_one_of(struct program *program, uint32_t mask, const uint32_t *values,
                        unsigned count) {
  emit(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
  for (unsigned i = 0; i < count; i++)
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(count - i), 0);
  give(program, SECCOMP_RET_KILL_PROCESS);
}

static void need_map(struct program *program) {
  need_only_bits(program, 2, PROT_READ | PROT_WRITE);
  need_only_bits(program, 3,
                 MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE |
                     MAP_FIXED_NOREPLACE | MAP_STACK | MAP_POPULATE);
  /* Shared anonymous memory would not count against RLIMIT_DATA. */
  emit(program, BPF_ALU | BPF_AND | BPF_K, MAP_SHARED | MAP_ANONYMOUS, 0, 0);
  need(program, BPF_JEQ, MAP_SHARED | MAP_ANONYMOUS, false);
}

static void need_fd(struct program *program, int fd, int other_fd) {
  uint32_t fds[2] = {(uint32_t)fd, (uint32_t)other_fd};
  need_high_zero(program, 0);
  load_low(program, 0);
  need_one_of(program, UINT32_MAX, fds, other_fd < 0 ? 1 : 2);
}

static void need_check(struct program *program, enum check check,
                       const struct sandbox_limits *limits) {
  static const uint32_t futex_operations[] = {FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_BITSET};
  bool prepare = limits->file_bytes_max > 0;
  switch (check) {
  case ANY: break;
  case WAKE_FD: need_fd(program, limits->wake_fd, -1); break;
  case SNAPSHOT_READ:
  case SNAPSHOT_WRITE: need_fd(program, limits->snapshot_fd, -1); break;
  case WRITE: need_fd(program, limits->wake_fd, prepare ? limits->snapshot_fd : -1); break;
  case MAP: need_map(program); break;
  case PROTECT: need_only_bits(program, 2, PROT_READ | PROT_WRITE); break;
  case FUTEX:
    load_low(program, 1);
    need_one_of(program, ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), futex_operations,
                sizeof futex_operations / sizeof *futex_operations);
    break;
  case CLOCK:
    need_high_zero(program, 0);
    load_low(program, 0);
    need(program, BPF_JGT, CLOCK_THREAD_CPUTIME_ID, false);
    break;
  }
}

static void build(struct program *program, const struct sandbox_limits *limits) {
  load(program, offsetof(struct seccomp_data, arch));
  need(program, BPF_JEQ, FILTER_ARCH, true);
  load(program, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
  need(program, BPF_JGE, X32_BIT, false);
#endif
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    bool on_snapshot = table[i].check == SNAPSHOT_READ || table[i].check == SNAPSHOT_WRITE;
    if (on_snapshot && limits->snapshot_fd < 0) continue;
    if (table[i].check == SNAPSHOT_WRITE && limits->file_bytes_max == 0) continue;
    unsigned short jump = program->len;
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, table[i].number, 0, 0);
    need_check(program, table[i].check, limits);
    give(program, SECCOMP_RET_ALLOW);
    if (program->len <= FILTER_LEN_MAX) program->code[jump].jf = (uint8_t)(program->len - jump - 1);
  }
  give(program, SECCOMP_RET_KILL_PROCESS);
}

bool sandbox_filter(const struct sandbox_limits *limits, struct err *err) {
  struct program program = {.len = 0};
  build(&program, limits);
  if (program.len > FILTER_LEN_MAX) FAIL(ERR_INTERNAL, "the system call filter is too long");
  struct sock_fprog handle = {.len = program.len, .filter = program.code};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &handle, 0, 0) == 0) return true;
  err_set_errno(err, errno, ERR_PLACE, "seccomp");
  return false;
}

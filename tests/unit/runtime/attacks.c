/* tests/unit/runtime/attacks.c: one function per attempt. */
#define _GNU_SOURCE
#include "tests/unit/runtime/attacks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static long open_file(void) {
  return open("/etc/passwd", O_RDONLY);
}
static long write_outside(void) {
  return open("/tmp/medulla-escape", O_WRONLY | O_CREAT, 0600);
}
static long open_up(void) {
  return open("../../../../etc/passwd", O_RDONLY);
}
static long read_proc(void) {
  return open("/proc/self/exe", O_RDONLY);
}
static long read_parent_memory(void) {
  return open("/proc/1/mem", O_RDWR);
}
static long list_root(void) {
  return open("/usr", O_RDONLY | O_DIRECTORY);
}
static long make_folder(void) {
  return mkdirat(AT_FDCWD, "/tmp/medulla-escape-folder", 0700);
}
static long tcp_socket(void) {
  return socket(AF_INET, SOCK_STREAM, 0);
}
static long connect_out(void) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(0x7f000001)}};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  long result = connect(fd, (struct sockaddr *)&to, sizeof to);
  return result == 0 || errno == ECONNREFUSED ? 0 : -1; /* refused means it got there */
}
static long abstract_socket(void) {
  struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "\0medulla-escape"};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, 20);
}
static long packet_socket(void) {
  return socket(AF_PACKET, SOCK_RAW, 0);
}
static long netlink_socket(void) {
  return socket(AF_NETLINK, SOCK_RAW, 0);
}
static long do_fork(void) {
  long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  return pid;
}
static long do_clone3(void) {
  struct clone_args args = {.exit_signal = SIGCHLD};
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) _exit(0);
  return pid;
}
static long do_execve(void) {
  char *const words[] = {"/bin/true", NULL};
  return execve("/bin/true", words, NULL);
}
static long do_ptrace(void) {
  return ptrace(PTRACE_TRACEME, 0, 0, 0);
}
static long kill_parent(void) {
  return kill(getppid() > 1 ? getppid() : 1, 0);
}
static long kill_all(void) {
  return kill(-1, 0);
}
static long protect_exec(void) {
  void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mprotect(at, 4096, PROT_READ | PROT_EXEC);
}
static long map_exec(void) {
  return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                 MAP_FAILED
             ? -1
             : 0;
}
static long map_shared(void) {
  return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
             ? -1
             : 0;
}
/* The lower half of the argument is harmless, the upper half is not zero. */
static long protect_high_half(void) {
  void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return syscall(SYS_mprotect, at, 4096, (1ul << 32) | PROT_READ);
}
static long call_32_bit(void) {
#if defined(__x86_64__)
  long result;
  /* getpid of the 32-bit table, which is harmless: that it answers is the escape. */
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
  return result;
#else
  errno = ENOSYS;
  return -1;
#endif
}
static long call_x32(void) {
  return syscall(SYS_getppid | 0x40000000);
}
static long io_uring(void) {
  char parameters[120] = {0};
  return syscall(SYS_io_uring_setup, 1, parameters);
}
static long user_namespace(void) {
  return unshare(CLONE_NEWUSER);
}
static long do_mount(void) {
  return mount("none", "/", "tmpfs", 0, NULL);
}
static long do_chroot(void) {
  return chroot("/");
}
static long do_bpf(void) {
  return syscall(SYS_bpf, 0, NULL, 0);
}
static long do_keyctl(void) {
  return syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3, 1);
}
static long do_perf(void) {
  return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}
static long userfaultfd(void) {
  return syscall(SYS_userfaultfd, 0);
}
static long make_memfd(void) {
  return memfd_create("x", 0);
}
static long become_root(void) {
  return setuid(0) == 0 && geteuid() == 0 && open("/etc/shadow", O_RDONLY) >= 0 ? 0 : -1;
}
static long push_terminal(void) {
  return ioctl(0, TIOCSTI, "x");
}
static long read_other_memory(void) {
  char byte;
  struct iovec local = {&byte, 1}, remote = {(void *)&errno, 1};
  return syscall(SYS_process_vm_readv, getppid(), &local, 1, &remote, 1, 0);
}
static long write_any_descriptor(void) {
  for (int fd = 0; fd < 64; fd++)
    if (fd != 3 && fd != 4 && fcntl(fd, F_GETFD) >= 0) return 0;
  errno = EBADF;
  return -1;
}

#define ATTACKS(A) \
  A(open_file) \
  A(write_outside) \
  A(open_up) \
  A(read_proc) \
  A(read_parent_memory) \
  A(list_root) \
  A(make_folder) \
  A(tcp_socket) \
  A(connect_out) \
  A(abstract_socket) \
  A(packet_socket) \
  A(netlink_socket) \
  A(do_fork) \
  A(do_clone3) \
  A(do_execve) \
  A(do_ptrace) \
  A(kill_parent) \
  A(kill_all) \
  A(protect_exec) \
  A(map_exec) \
  A(map_shared) \
  A(protect_high_half) \
  A(call_32_bit) \
  A(call_x32) \
  A(io_uring) \
  A(user_namespace) \
  A(do_mount) \
  A(do_chroot) \
  A(do_bpf) \
  A(do_keyctl) \
  A(do_perf) \
  A(userfaultfd) \
  A(make_memfd) A(become_root) A(push_terminal) A(read_other_memory) A(write_any_descriptor)

#define NAME(name) #name,
const char *const attack_names[] = {ATTACKS(NAME) NULL};
#define ENTRY(name) {#name, name},
static const struct {
  const char *name;
  long (*try)(void);
} attacks[] = {ATTACKS(ENTRY)};

const char *attack(const char *name) {
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
    if (strcmp(name, attacks[i].name) != 0) continue;
    errno = 0;
    if (attacks[i].try() >= 0) return "escaped";
    return strerrorname_np(errno);
  }
  return "no such attack";
}

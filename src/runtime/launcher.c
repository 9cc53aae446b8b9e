/* runtime/launcher.c: medulla-launcher [LEVEL], the program that forks, kills and reaps workers.
 *
 * The core executes it with one socket as descriptor 3 and an empty environment. It has no store
 * descriptor, no key and no thread; it reads nothing but fixed structs from the core. It enters
 * the shared namespaces once, then only forks: a worker confines itself (runtime/worker.c).
 *
 * It ends when the core's end of the socket closes, and with it every worker (they asked the
 * kernel to be killed when their parent ends).                                                 */
#define _GNU_SOURCE /* a process's own set-up: signals, descriptors, control messages */
#include "base/digest.h"
#include "base/must.h"
#include "os/clock.h"
#include "runtime/guest.h"
#include "runtime/launch.h"
#include "runtime/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
  pid_t pid;
  uint64_t worker;
};

struct launcher {
  struct sandbox_ground ground;
  int signals;                /* a child ended */
  int life[2];                /* workers hold the reading end until they are confined */
  _Atomic int64_t *deadlines; /* the core writes them; launch.h */
  size_t places;
  struct child *children;
  size_t count, room;
};

static void report(const struct launch_report *facts) {
  struct launch_report message = *facts;
  message.magic = LAUNCH_MAGIC;
  ssize_t sent;
  do sent = send(LAUNCH_SOCKET_FD, &message, sizeof message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent != (ssize_t)sizeof message) _exit(0); /* the core is gone */
}

static void remember(struct launcher *launcher, pid_t pid, uint64_t worker) {
  if (launcher->count == launcher->room) {
    launcher->room = launcher->room ? launcher->room * 2 : 64;
    launcher->children =
        must_realloc(launcher->children, launcher->room * sizeof *launcher->children);
  }
  launcher->children[launcher->count++] = (struct child){pid, worker};
}

static void start_worker(struct launcher *launcher, const struct launch_command *command,
                         const int fds[LAUNCH_FDS_MAX]) {
  int pid = sandbox_fork(&launcher->ground);
  if (pid == 0) {
    close(launcher->life[1]);
    worker_main(command, fds, &launcher->ground, launcher->life[0]);
  }
  struct launch_report facts = {
      .kind = pid > 0 ? LAUNCH_STARTED : LAUNCH_FAILED, .worker = command->worker, .pid = pid};
  if (pid > 0)
    remember(launcher, pid, command->worker);
  else
    facts.status = errno;
  report(&facts);
}

/* A child that has ended is not reaped before its report, so its pid is still its own. */
static void kill_worker(struct launcher *launcher, uint64_t worker) {
  for (size_t i = 0; i < launcher->count; i++)
    if (launcher->children[i].worker == worker) kill(launcher->children[i].pid, SIGKILL);
}

static void report_exit(struct launcher *launcher, pid_t pid, int status,
                        const struct rusage *usage) {
  for (size_t i = 0; i < launcher->count; i++) {
    if (launcher->children[i].pid != pid) continue;
    report(&(struct launch_report){.kind = LAUNCH_EXITED,
                                   .worker = launcher->children[i].worker,
                                   .pid = pid,
                                   .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                                   .status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                                   .memory_bytes = (uint64_t)usage->ru_maxrss * 1024});
    launcher->children[i] = launcher->children[--launcher->count];
    return;
  }
}

/* A core that was stopped does not read: whoever ended then stays unreaped until it does. */
static bool core_has_room(void) {
  struct pollfd room = {LAUNCH_SOCKET_FD, POLLOUT, 0};
  return poll(&room, 1, 0) == 1;
}

static void reap(struct launcher *launcher) {
  struct signalfd_siginfo info[16];
  ssize_t got = read(launcher->signals, info, sizeof info);
  (void)got; /* only says that there is something to wait for */
  int status;
  struct rusage usage;
  for (pid_t pid; core_has_room() && (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
    report_exit(launcher, pid, status, &usage);
}

/* The core's own timers come first; this is for a core that hangs, or that somebody stopped. */
static void end_overdue(struct launcher *launcher) {
  int64_t past_ns = clock_mono_ns(clock_real()) - LAUNCH_GRACE_MS * INT64_C(1000000);
  for (size_t i = 0; i < launcher->count; i++) {
    _Atomic int64_t *deadline =
        &launcher->deadlines[launcher->children[i].worker % launcher->places];
    int64_t deadline_ns = atomic_load_explicit(deadline, memory_order_relaxed);
    if (deadline_ns <= 0 || deadline_ns >= past_ns) continue;
    /* Unless the core has freed the worker since: then this deadline is no longer its own. */
    if (atomic_compare_exchange_strong(deadline, &deadline_ns, LAUNCH_DEADLINE_OVERDUE))
      kill(launcher->children[i].pid, SIGKILL);
  }
}

/* Descriptors of one message; the count, or -1 when the message is not what it must be. */
static int receive_fds(struct msghdr *head, int fds[LAUNCH_FDS_MAX]) {
  int count = 0;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(head); part; part = CMSG_NXTHDR(head, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return -1;
    size_t bytes = part->cmsg_len - CMSG_LEN(0);
    if (count || bytes > LAUNCH_FDS_MAX * sizeof(int)) return -1;
    memcpy(fds, CMSG_DATA(part), bytes);
    count = (int)(bytes / sizeof(int));
  }
  return head->msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -1 : count;
}

static bool is_sound(const struct launch_command *command) {
  return command->magic == LAUNCH_MAGIC && memchr(command->file_name, 0, LAUNCH_NAME_BYTES) &&
         memchr(command->module_path, 0, LAUNCH_PATH_BYTES);
}

/* One command; false when the core is gone. */
static bool serve(struct launcher *launcher) {
  static struct launch_command command;
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(LAUNCH_FDS_MAX * sizeof(int))];
  struct iovec whole = {&command, sizeof command};
  struct msghdr head = {
      .msg_iov = &whole, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int fds[LAUNCH_FDS_MAX];
  ssize_t got = recvmsg(LAUNCH_SOCKET_FD, &head, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  int count = receive_fds(&head, fds);
  must(got == (ssize_t)sizeof command && is_sound(&command));
  if (command.kind == LAUNCH_START) {
    must(count == LAUNCH_FDS_MAX);
    start_worker(launcher, &command, fds);
  } else {
    must(command.kind == LAUNCH_KILL && count == 0);
    kill_worker(launcher, command.worker);
  }
  for (int i = 0; i < count; i++) close(fds[i]);
  return true;
}

/* Read by nobody else: a worker is forked without it. */
static void map_deadlines(struct launcher *launcher) {
  struct stat facts;
  must(fstat(LAUNCH_DEADLINES_FD, &facts) == 0 && facts.st_size > 0);
  size_t bytes = (size_t)facts.st_size;
  void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, LAUNCH_DEADLINES_FD, 0);
  must(at != MAP_FAILED && madvise(at, bytes, MADV_DONTFORK) == 0);
  launcher->deadlines = at;
  launcher->places = bytes / sizeof *launcher->deadlines;
}

static void prepare_process(struct launcher *launcher) {
  sigset_t ended;
  /* The socket's end of file says the same; this is for a launcher that could not read it. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  syscall(SYS_close_range, LAUNCH_SOCKET_FD + 1, ~0u, 0);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, SIG_IGN); /* the core drains first, then ends us */
  signal(SIGTERM, SIG_IGN);
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  must(sigprocmask(SIG_BLOCK, &ended, NULL) == 0);
  launcher->signals = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
  must(launcher->signals >= 0 && pipe2(launcher->life, O_CLOEXEC) == 0);
}

/* OpenSSL reads its configuration at first use, when workers no longer may. */
static void load_crypto(void) {
  uint8_t digest[SHA256_BYTES];
  sha256(BYTES("medulla"), digest);
}

static void say_hello(const struct launcher *launcher) {
  struct launch_report hello = {.kind = LAUNCH_HELLO, .level = launcher->ground.level};
  snprintf(hello.text, sizeof hello.text, "%s", launcher->ground.why_not);
  report(&hello);
}

int main(int count, char **words) {
  struct launcher launcher = {0};
  enum sandbox_level highest = SANDBOX_ISOLATED;
  int type = 0;
  socklen_t len = sizeof type;
  if (count > 2 || (count == 2 && !sandbox_level_parse(words[1], &highest)) ||
      getsockopt(LAUNCH_SOCKET_FD, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_SEQPACKET) {
    fprintf(stderr, "medulla-launcher is started by medulla serve, not by hand\n");
    return 2;
  }
  map_deadlines(&launcher);
  prepare_process(&launcher);
  load_crypto();
  guest_warm();
  sandbox_ground_open(highest, &launcher.ground);
  prctl(PR_SET_DUMPABLE, 0); /* not before: it owns /proc/self/uid_map until then */
  say_hello(&launcher);
  struct pollfd watched[2] = {{LAUNCH_SOCKET_FD, POLLIN, 0}, {launcher.signals, POLLIN, 0}};
  for (;;) {
    if (poll(watched, 2, launcher.count ? LAUNCH_LOOK_MS : -1) < 0) must(errno == EINTR);
    reap(&launcher);
    if (watched[0].revents && !serve(&launcher)) break;
    end_overdue(&launcher);
  }
  for (size_t i = 0; i < launcher.count; i++) kill(launcher.children[i].pid, SIGKILL);
  return 0;
}

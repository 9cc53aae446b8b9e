/* os/process_self.c: signals as events, and the title. */
#define _GNU_SOURCE
#include "os/process.h"

#include "base/bytes.h"
#include "base/must.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t signals_of_ours(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

static void signals_ready(struct loop_watch *watch, unsigned events) {
  struct signals *signals = LIST_OF(watch, struct signals, watch);
  struct signalfd_siginfo info;
  /* One at a time: `got` may close us; the loop comes again for the next. */
  if (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info)
    signals->got(signals, (int)info.ssi_signo);
}

bool signals_open(struct loop *loop, struct signals *signals, struct err *err) {
  sigset_t set = signals_of_ours();
  must(signals->got != NULL);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) {
    err_set_errno(err, errno, ERR_PLACE, "signalfd");
    return false;
  }
  signals->loop = loop;
  signals->watch = (struct loop_watch){.fd = fd, .interest = LOOP_READ, .ready = signals_ready};
  if (!loop_add(loop, &signals->watch, err)) {
    close(fd);
    return false;
  }
  must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
  must(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  return true;
}

void signals_close(struct signals *signals) {
  sigset_t set = signals_of_ours();
  loop_drop(signals->loop, &signals->watch);
  close(signals->watch.fd);
  must(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

/* ps reads the bytes where main's arguments were: they may be overwritten, not outgrown. */
static char *title_at;
static size_t title_bytes;

void process_title_init(int argc, char **argv) {
  if (argc < 1) return;
  char *end = argv[0] + strlen(argv[0]) + 1;
  for (int i = 1; i < argc && argv[i] == end; i++) end += strlen(end) + 1;
  title_at = argv[0];
  title_bytes = (size_t)(end - argv[0]);
}

void process_title(const char *title) {
  (void)prctl(PR_SET_NAME, title);
  if (!title_at) return;
  memset(title_at, 0, title_bytes);
  bytes_text(bytes_str(title), title_at, title_bytes);
}

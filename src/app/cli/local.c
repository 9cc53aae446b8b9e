/* app/cli/local.c: fork, exec ourselves, wait until /healthz answers. */
#include "app/cli/local.h"

#include "app/cli/client.h"
#include "app/cli/walk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP_MS = 20 };

pid_t local_spawn(const char *const *argv) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() == parent) execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
  _exit(127);
}

/* A port nobody has now; the server takes it a moment later. */
static bool free_port(const char *address, char ret_address[NET_ADDRESS_BYTES], struct err *err) {
  int fd;
  TRY(net_listen(address, &fd, err));
  net_address(fd, ret_address);
  close(fd);
  return true;
}

bool local_has_ended(const struct local *local) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)local->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid == local->pid;
}

static bool is_healthy(struct cli *cli) {
  struct client client;
  struct err err;
  struct client_answer reply = {0};
  const struct client_ask ask = {.method = "GET", .target = "/healthz"};
  if (!client_init(cli, &client, &err)) return false;
  bool healthy = client_ask(&client, &ask, &reply, &err) && reply.status == 200;
  client_answer_fini(&reply);
  client_fini(&client);
  return healthy;
}

static bool wait_until_ready(struct cli *cli, const struct local *local, struct err *err) {
  for (int waited_ms = 0; waited_ms < LOCAL_START_MS_MAX; waited_ms += STEP_MS) {
    if (local_has_ended(local))
      FAIL(ERR_UNAVAILABLE, "the server ended at once; medulla serve --data DIR says why");
    if (is_healthy(cli)) return true;
    poll(NULL, 0, STEP_MS);
  }
  FAIL(ERR_TIMEOUT, "the server was not ready within %d s", LOCAL_START_MS_MAX / 1000);
}

bool local_start(struct cli *cli, const char *address, struct local *ret_local, struct err *err) {
  struct local local = {.folder = "/tmp/medulla-XXXXXX"};
  char bound[NET_ADDRESS_BYTES];
  TRY(free_port(address, bound, err));
  if (!mkdtemp(local.folder)) {
    err_set_errno(err, errno, ERR_PLACE, "cannot make a temporary folder");
    return false;
  }
  snprintf(local.url, sizeof local.url, "http://%s", bound);
  const char *const argv[] = {"medulla",  "serve", "--data", local.folder,
                              "--listen", bound,   "--dev",  NULL};
  local.pid = local_spawn(argv);
  *ret_local = local;
  cli->url = ret_local->url;
  if (local.pid < 0) FAIL(ERR_IO, "the server cannot be started: %s", strerror(errno));
  char token[sizeof local.folder + 16];
  snprintf(token, sizeof token, "%s/admin.token", local.folder);
  if (wait_until_ready(cli, ret_local, err)) {
    if (access(token, R_OK) == 0) cli->data = ret_local->folder;
    return true;
  }
  local_stop(ret_local);
  return false;
}

static void remove_one(void *arg, const char *path, const struct stat *facts) {
  remove(path);
}

void local_stop(struct local *local) {
  if (local->pid > 0) {
    kill(local->pid, SIGTERM);
    for (int ms = 0; ms < LOCAL_STOP_MS_MAX && !local_has_ended(local); ms += STEP_MS)
      poll(NULL, 0, STEP_MS);
    if (!local_has_ended(local)) kill(local->pid, SIGKILL);
    waitpid(local->pid, NULL, 0);
  }
  struct walk walk = {.visit = remove_one};
  char key[sizeof local->folder + 8];
  snprintf(key, sizeof key, "%s.key", local->folder);
  if (local->folder[0]) {
    walk_tree(&walk, local->folder);
    remove(key); /* --dev made it beside the folder */
  }
  *local = (struct local){0};
}

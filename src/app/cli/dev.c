/* app/cli/dev.c: serve, deploy, watch, deploy again; runs are printed as they end. */
#include "app/cli/client.h"
#include "app/cli/folder.h"
#include "app/cli/local.h"
#include "app/cli/verbs.h"
#include "app/cli/walk.h"
#include "base/cleanup.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 150 };

static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static bool is_watched(const char *name) {
  return name[0] != '.' && strcmp(name, "node_modules") != 0;
}

/* A number that changes when a file does: order does not matter, so the parts are added. */
static void add_file(void *arg, const char *path, const struct stat *facts) {
  uint64_t *sum = arg;
  uint64_t parts[] = {(uint64_t)facts->st_mtim.tv_sec, (uint64_t)facts->st_mtim.tv_nsec,
                      (uint64_t)facts->st_size, (uint64_t)facts->st_ino};
  if (!S_ISREG(facts->st_mode)) return;
  *sum += bytes_hash(bytes_of(parts, sizeof parts), bytes_hash(bytes_str(path), 1));
}

static uint64_t look_around(const char *root) {
  uint64_t sum = 0;
  struct walk walk = {.wanted = is_watched, .visit = add_file, .arg = &sum};
  walk_tree(&walk, root);
  return sum;
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Mistakes are printed and waited out: the next save is the next try. */
static void deploy(struct cli *cli, const char *root) {
  struct folder folder;
  const struct json *answer;
  struct err err;
  int64_t begin_ms = now_ms();
  /* What earlier deploys left in the arena would add up over a day of saving. */
  struct arena kept = cli->arena;
  arena_init(&cli->arena, CLI_ARENA_BYTES_MAX);
  if (folder_open(cli, root, &folder, &err) &&
      folder_deploy(cli, &folder, NULL, "dev", &answer, &err))
    fprintf(cli->out, "live after %lld ms: %.*s\n", (long long)(now_ms() - begin_ms),
            BYTES_FMT(folder.manifest->app));
  else
    cli_fail(cli, &err);
  fflush(cli->out);
  arena_fini(&cli->arena);
  cli->arena = kept;
}

static void watch(struct cli *cli, const struct local *local, const char *root) {
  uint64_t seen = look_around(root);
  deploy(cli, root);
  while (!stopped && !local_has_ended(local)) {
    poll(NULL, 0, LOOK_MS);
    uint64_t now = look_around(root);
    if (now == seen) continue;
    seen = now;
    deploy(cli, root);
  }
}

static void end_child(pid_t pid) {
  if (pid <= 0) return;
  kill(pid, SIGTERM);
  waitpid(pid, NULL, 0);
}

int verb_dev(struct cli *cli) {
  struct err err;
  struct local local;
  const char *root = cli->arg_count ? cli->args[0] : ".";
  const char *listen = cli_flag(cli, "listen") ? cli_flag(cli, "listen") : "127.0.0.1:8080";
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  if (!local_start(cli, listen, &local, &err)) return cli_fail(cli, &err);
  fprintf(cli->out, "serving %s at %s; every save is deployed, Ctrl-C ends it\n", root, local.url);
  fflush(cli->out);
  const char *const runs[] = {"medulla", "runs",  "--follow", "--limit",
                              "0",       "--url", local.url,  cli->data ? "--data" : NULL,
                              cli->data, NULL};
  pid_t printer = local_spawn(runs);
  watch(cli, &local, root);
  bool ended = !stopped;
  end_child(printer);
  local_stop(&local);
  if (!ended) return CLI_OK;
  err_set(&err, ERR_UNAVAILABLE, ERR_PLACE, ERR_OFFSET_NONE, "the server ended");
  return cli_fail(cli, &err);
}

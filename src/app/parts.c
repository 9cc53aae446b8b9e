/* app/parts.c: versions of libraries and tools as they are, not as they were when we were built. */
#include "app/parts.h"

#include "app/cli/bundle.h"
#include "base/digest.h"
#include "effect/fetch_request.h"
#include "effect/object_store.h"
#include "effect/outbox.h"
#include "flow/catalog.h"
#include "flow/deploy.h"
#include "source/api/api.h"
#include "source/queue/queue.h"
#include "source/telemetry/batch.h"
#include "source/telemetry/telemetry.h"
#include "store/open.h"
#include "wire/cloudevents.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAPS_LINE_BYTES = 4096 };

/* Waits for output as long as there may be some. */
static size_t read_some(int fd, char *text, size_t bytes) {
  size_t got = 0;
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  while (got + 1 < bytes && poll(&ready, 1, PARTS_WAIT_MS_MAX) == 1) {
    ssize_t more = read(fd, text + got, bytes - 1 - got);
    if (more <= 0) break;
    got += (size_t)more;
  }
  return got;
}

static pid_t start(const char *path, int out) {
  static char *const environment[] = {"LC_ALL=C", "PATH=/usr/local/bin:/usr/bin:/bin", NULL};
  char *const argv[] = {(char *)(uintptr_t)path, "--version", NULL};
  posix_spawn_file_actions_t actions;
  pid_t pid = -1;
  if (posix_spawn_file_actions_init(&actions) != 0) return -1;
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  if (posix_spawn(&pid, path, &actions, NULL, argv, environment) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

/* The first line of PATH --version; empty when there is none. */
static void version_of(const char *path, char ret_version[PARTS_VERSION_BYTES]) {
  int ends[2];
  ret_version[0] = '\0';
  if (!path || pipe(ends) != 0) return;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  pid_t pid = start(path, ends[1]);
  close(ends[1]);
  if (pid > 0) {
    ret_version[read_some(ends[0], ret_version, PARTS_VERSION_BYTES)] = '\0';
    kill(pid, SIGKILL); /* it has said what we wanted */
    waitpid(pid, NULL, 0);
  }
  close(ends[0]);
  ret_version[strcspn(ret_version, "\r\n")] = '\0';
}

/* RocksDB's C interface does not tell its version; the name of the loaded file does. */
static void version_of_loaded(const char *library, char ret_version[PARTS_VERSION_BYTES]) {
  char line[MAPS_LINE_BYTES];
  FILE *maps = fopen("/proc/self/maps", "re");
  ret_version[0] = '\0';
  while (maps && !ret_version[0] && fgets(line, sizeof line, maps)) {
    const char *name = strstr(line, library);
    const char *so = name ? strstr(name, ".so.") : NULL;
    if (so) snprintf(ret_version, PARTS_VERSION_BYTES, "%.64s", so + 4);
    ret_version[strcspn(ret_version, "\r\n ")] = '\0';
  }
  if (maps) fclose(maps);
}

static void look(struct parts_facts *facts) {
  char esbuild[BUNDLE_PATH_BYTES];
  facts->known = true;
  version_of(facts->egress_path, facts->curl);
  version_of("/usr/bin/wasm2c", facts->wasm2c);
  version_of("/usr/bin/cc", facts->compiler);
  version_of(bundle_program(".", esbuild) ? esbuild : NULL, facts->esbuild);
  version_of_loaded("/librocksdb", facts->rocksdb);
}

static void dependency(struct json_out *out, const char *name, const char *version,
                       const char *what) {
  json_out_open(out, '{');
  json_out_member_str(out, "name", name);
  json_out_member_str(out, "version", version[0] ? version : "missing");
  json_out_member_bool(out, "found", version[0] != '\0');
  json_out_member_str(out, "what", what);
  json_out_close(out, '}');
}

void parts_write_dependencies(struct parts_facts *facts, struct json_out *out) {
  if (!facts->known) look(facts);
  json_out_name(out, "dependencies");
  json_out_open(out, '[');
  dependency(out, "SQLite", store_sqlite_version(), "the ledger");
  dependency(out, "RocksDB", facts->rocksdb, "the index");
  dependency(out, "OpenSSL", digest_library_version(), "digests, signatures");
  dependency(out, "libcurl", facts->curl, "what goes out: fetch, webhooks, mail");
  dependency(out, "wasm2c", facts->wasm2c, "WebAssembly functions");
  dependency(out, "C compiler", facts->compiler, "WebAssembly functions");
  dependency(out, "esbuild", facts->esbuild,
             "TypeScript and packages, where `medulla deploy` is called");
  json_out_close(out, ']');
}

static void limit(struct json_out *out, const char *name, int64_t value, const char *unit,
                  const char *what) {
  json_out_open(out, '{');
  json_out_member_str(out, "name", name);
  json_out_member_int(out, "value", value);
  json_out_member_str(out, "unit", unit);
  json_out_member_str(out, "what", what);
  json_out_close(out, '}');
}

void parts_write_limits(const struct parts_facts *facts, struct json_out *out) {
  json_out_name(out, "limits");
  json_out_open(out, '[');
#define LIMIT(name, value, unit, what) limit(out, name, (int64_t)(value), unit, what);
#include "app/limits.tbl.h"
#undef LIMIT
  json_out_close(out, ']');
}

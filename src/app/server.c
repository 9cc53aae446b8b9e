/* app/server.c: wiring and supervision of the core process.
 *
 *   disk → store → (launcher, builder) pool → flow → principals → api
 *                    egress → outbox ───────────┘                                           */
#include "app/server.h"

#include "app/facts.h"
#include "app/unlock.h"
#include "audit/sequencer.h"
#include "base/cleanup.h"
#include "base/must.h"
#include "effect/egress_client.h"
#include "effect/outbox.h"
#include "effect/sweep.h"
#include "flow/retention.h"
#include "model/zone.h"
#include "os/file.h"
#include "os/log.h"
#include "os/loop.h"
#include "os/process.h"
#include "os/random.h"
#include "os/secret.h"
#include "runtime/pool.h"
#include "runtime/sandbox.h"
#include "runtime/sanitizer.h"
#include "seal/disk.h"
#include "source/api/api.h"
#include "source/sources.h"
#include "store/open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  SERVER_FILES_WANTED = 1 << 20,
  SERVER_WORKERS_MAX = 2000,
  SERVER_DRAIN_MS_MAX = 30000,
  SERVER_PATH_BYTES_MAX = 4096,
  SERVER_SPIN_US = 50,
};

/* Kept as long as the parts that were opened with them. */
struct server_paths {
  char launcher[SERVER_PATH_BYTES_MAX], builder[SERVER_PATH_BYTES_MAX];
  char mark[SERVER_PATH_BYTES_MAX], include[SERVER_PATH_BYTES_MAX], egress[SERVER_PATH_BYTES_MAX];
};

struct server {
  struct server_paths paths;
  struct server_options options;
  struct loop *loop;
  struct disk *disk;
  struct disk *tzdata; /* or NULL */
  struct unlocked unlocked;
  struct disk *sealed; /* the same folder through the keys */
  struct store *store;
  struct builder *builder;
  struct egress_port *egress;
  struct outbox *outbox;
  struct sweep *sweep;
  struct runtime *runtime;
  struct flow *flow;
  struct principals *principals;
  struct sequencer *sequencer;
  struct retention *retention;
  struct tls_server *tls; /* or NULL */
  struct api *api;
  struct sources *sources;
  struct signals signals;
  struct loop_timer drain_timer;
  struct facts facts;
  struct parts_facts parts;
  int draining; /* parts that have not drained yet */
  bool stopping, signals_open;
};

/* ---- Callbacks of the flow ---- */

static void on_log(void *arg, const struct run_record *run, enum guest_level level, int64_t at_ms,
                   struct bytes line) {
  struct server *server = arg;
  if (server->api) api_publish_log(server->api, run, level, at_ms, line);
}

static void on_run(void *arg, const struct run_record *run) {
  struct server *server = arg;
  facts_run(&server->facts, run);
  if (server->api) api_publish_run(server->api, run);
}

static void on_catalog(void *arg) {
  struct server *server = arg;
  if (server->api) api_catalog_changed(server->api);
  if (server->sources) sources_catalog_changed(server->sources);
}

/* ---- Opening ---- */

/* Programs and headers of ours: beside this program in a build, or where they are installed. */
static bool find_beside(const char *const places[], size_t count, const char *name, int mode,
                        char path[SERVER_PATH_BYTES_MAX]) {
  char self[SERVER_PATH_BYTES_MAX];
  ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
  if (len < 0) return false;
  self[len] = 0;
  char *slash = strrchr(self, '/');
  if (slash) *slash = 0;
  for (size_t i = 0; i < count; i++) {
    snprintf(path, SERVER_PATH_BYTES_MAX, "%.3800s/%s/%.200s", self, places[i], name);
    if (access(path, mode) == 0) return true;
  }
  return false;
}

static bool find_program(const char *name, char path[SERVER_PATH_BYTES_MAX], struct err *err) {
  static const char *const places[] = {".", "src/egress", "src/runtime", "../libexec/medulla"};
  if (find_beside(places, 4, name, X_OK, path)) return true;
  FAIL(ERR_NOT_FOUND, "the program %s is missing beside this one", name);
}

/* The folder that holds runtime/module.h, which translated modules are compiled against. */
static bool find_headers(char path[SERVER_PATH_BYTES_MAX]) {
  static const char *const places[] = {"../src", "../include/medulla"};
  if (!find_beside(places, 2, "runtime/module.h", R_OK, path)) return false;
  path[strlen(path) - strlen("/runtime/module.h")] = 0;
  return true;
}

static bool is_loopback(const char *address) {
  return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0 ||
         strncmp(address, "localhost:", 10) == 0;
}

/* Said at once and by name, not by the first file that cannot be made. */
static bool open_folder(struct server *server, struct err *err) {
  const char *folder = server->options.data;
  TRY(disk_open_real(folder, &server->disk, err));
  if (access(folder, R_OK | W_OK | X_OK) == 0) return true;
  FAIL(ERR_IO, "the data folder %s cannot be written: %s; make it writable for this user", folder,
       strerror(errno));
}

static bool open_keys(struct server *server, struct err *err) {
  const struct unlock how = {.data = server->options.data,
                             .key = server->options.key,
                             .passphrase = server->options.passphrase,
                             .dev = server->options.dev,
                             .create = true};
  TRY(unlock(server->disk, &how, &server->unlocked, err));
  server->sealed = sealed_disk_new(server->disk, server->unlocked.keys, SEALED_OBJECT_CHUNK);
  return true;
}

static bool open_store(struct server *server, struct err *err) {
  struct store_options options = {.loop = server->loop,
                                  .disk = server->disk,
                                  .clock = clock_real(),
                                  .random = random_real(),
                                  .keys = server->unlocked.keys};
  return store_open_sqlite(&options, &server->store, err);
}

static bool open_runtime(struct server *server, struct err *err) {
  char *launcher = server->paths.launcher;
  TRY(find_program("medulla-launcher", launcher, err));
  server->parts.workers_max =
      server->options.workers_max ? server->options.workers_max : SERVER_WORKERS_MAX;
  struct pool_options options = {.loop = server->loop,
                                 .disk = server->sealed,
                                 .random = random_real(),
                                 .launcher_path = launcher,
                                 .workers_max = server->parts.workers_max,
                                 .fork_wait_us = server->options.fork_wait_us,
                                 .namespaces_off = server->options.namespaces_off};
  return runtime_open_pool(&options, &server->runtime, err);
}

/* Without its tools there is no WebAssembly here, and deploy says so; all else works. */
static bool open_builder(struct server *server, struct err *err) {
  struct server_paths *paths = &server->paths;
  struct err missing;
  struct builder_options options = {.loop = server->loop,
                                    .disk = server->disk,
                                    .builder_path = paths->builder,
                                    .mark_path = paths->mark,
                                    .include_path = paths->include};
  if (!find_program("medulla-builder", paths->builder, &missing) ||
      !find_program("wasm2c-mark", paths->mark, &missing) || !find_headers(paths->include))
    return true;
  return builder_open(&options, &server->builder, err);
}

/* The one process that connects outward, and what waits to be sent through it. */
static bool open_egress(struct server *server, struct err *err) {
  TRY(find_program("medulla-egress", server->paths.egress, err));
  server->parts.egress_path = server->paths.egress;
  TRY(egress_open(server->loop, server->paths.egress, &server->egress, err));
  struct outbox_options options = {.loop = server->loop,
                                   .store = server->store,
                                   .clock = clock_real(),
                                   .random = random_real(),
                                   .egress = server->egress};
  TRY(outbox_open(&options, &server->outbox, err));
  struct sweep_options sweep = {.loop = server->loop,
                                .store = server->store,
                                .clock = clock_real(),
                                .random = random_real(),
                                .disk = server->sealed};
  return sweep_open(&sweep, &server->sweep, err);
}

static bool open_flow(struct server *server, struct err *err) {
  struct pool_load load = runtime_pool_load(server->runtime);
  struct flow_options options = {.loop = server->loop,
                                 .store = server->store,
                                 .runtime = server->runtime,
                                 .clock = clock_real(),
                                 .random = random_real(),
                                 .egress = outbox_port(server->outbox),
                                 .builder = server->builder,
                                 .disk = server->sealed,
                                 .isolation =
                                     sandbox_level_name((enum sandbox_level)load.isolation),
                                 .limits = flow_limits_default,
                                 .on_log = on_log,
                                 .on_run = on_run,
                                 .on_catalog = on_catalog,
                                 .arg = server};
  struct err no_zones; /* then a schedule's zone is looked for when it is armed, and logged */
  if (!disk_open_real(ZONE_FOLDER, &server->tzdata, &no_zones)) server->tzdata = NULL;
  options.tzdata = server->tzdata;
  TRY(flow_open(&options, &server->flow, err));
  server->retention =
      retention_open(server->loop, server->store, clock_real(), server->options.keep_ms);
  return sequencer_open(server->loop, server->store, clock_real(), &server->sequencer, err) &&
         principals_open(server->flow, server->store, clock_real(), random_real(),
                         &server->principals, err);
}

static void metrics(void *arg, struct buf *out) {
  struct server *server = arg;
  facts_metrics(&server->facts, out, server->flow, server->runtime, server->store, server->api);
}

static void doctor(void *arg, struct json_out *out) {
  struct server *server = arg;
  facts_doctor(out, server->flow, server->runtime, server->store, server->disk, &server->parts);
}

static bool open_tls(struct server *server, struct err *err) {
  if (!server->options.tls.cert) return true;
  return tls_server_open(server->loop, &server->options.tls, &server->tls, err);
}

static bool open_api(struct server *server, struct err *err) {
  struct api_options options = {.loop = server->loop,
                                .flow = server->flow,
                                .store = server->store,
                                .disk = server->sealed,
                                .clock = clock_real(),
                                .random = random_real(),
                                .principals = server->principals,
                                .outbox = server->outbox,
                                .dev = server->options.dev,
                                .address = server->options.address,
                                .tls = server->tls,
                                .metrics = metrics,
                                .doctor = doctor,
                                .arg = server};
  TRY(api_open(&options, &server->api, err));
  return sources_open(server->api, &server->sources, err);
}

/* ---- The first token ---- */

struct first {
  struct server *server;
  bool done;
  struct err err;
};

static void first_made(void *arg, const struct err *err, const struct principal *principal,
                       const char *token) {
  struct first *first = arg;
  first->done = true;
  if (err) {
    first->err = *err;
    return;
  }
  cleanup_buf struct buf line = {0};
  buf_init(&line, 256);
  buf_printf(&line, "%s\n", token);
  if (disk_save(first->server->disk, "admin.token", buf_bytes(&line), &first->err))
    err_clear(&first->err);
}

/* The first start makes an administrator; its token is in DIR/admin.token, for its owner's eyes. */
static bool first_token(struct server *server, struct err *err) {
  struct first first = {.server = server};
  struct principal_request request = {
      .name = BYTES("admin"), .role = BYTES("admin"), .by = BYTES("first-start")};
  if (!principals_empty(server->principals)) return true;
  principal_create(server->principals, &request, first_made, &first);
  while (!first.done) loop_step(server->loop, -1);
  if (first.err.code == ERR_OK) return true;
  *err = first.err;
  return false;
}

/* ---- Stopping ---- */

static void drained(void *arg) {
  struct server *server = arg;
  if (--server->draining == 0) loop_stop(server->loop);
}

/* The last records get their checkpoint while there is time. */
static void flow_drained(void *arg) {
  struct server *server = arg;
  sequencer_checkpoint(server->sequencer, drained, server);
}

static void drain_late(struct loop_timer *timer) {
  struct server *server =
      (struct server *)(void *)((char *)timer - offsetof(struct server, drain_timer));
  loop_stop(server->loop);
}

/* SIGHUP: the certificate may be a new one. */
static void read_again(struct server *server) {
  struct err err;
  if (!server->tls) return;
  if (tls_server_reload(server->tls, &err))
    LOG(TLS_RELOADED, NULL);
  else
    LOG(TLS_KEPT, NULL, log_err(&err));
}

static void on_signal(struct signals *signals, int signal) {
  struct server *server =
      (struct server *)(void *)((char *)signals - offsetof(struct server, signals));
  if (signal == 1) {
    read_again(server);
    return;
  }
  if (server->stopping) {
    loop_stop(server->loop);
    return;
  }
  server->stopping = true;
  LOG(STOPPING, NULL);
  server->draining = 2;
  server->drain_timer.fire = drain_late;
  loop_timer_after(server->loop, &server->drain_timer, SERVER_DRAIN_MS_MAX);
  api_drain(server->api, drained, server);
  flow_drain(server->flow, flow_drained, server);
}

bool server_open(const struct server_options *options, struct server **ret_server,
                 struct err *err) {
  if (!is_loopback(options->address) && !options->insecure && !options->tls.cert)
    FAIL(ERR_USAGE,
         "%s is reachable from other machines and there is no TLS here; listen on "
         "127.0.0.1 behind a TLS proxy, or say --insecure",
         options->address);
  struct server *server = must_alloc(sizeof *server);
  server->options = *options;
  process_files_raise(SERVER_FILES_WANTED);
  if (!RUNTIME_SANITIZER) secret_process(); /* a leak checker wants to look at itself */
  server->signals.got = on_signal;
  bool ok = loop_new(clock_real(), &server->loop, err) &&
            (server->signals_open = signals_open(server->loop, &server->signals, err)) &&
            open_folder(server, err) && open_keys(server, err) && open_store(server, err) &&
            open_runtime(server, err) && open_builder(server, err) && open_egress(server, err) &&
            open_flow(server, err) && first_token(server, err) && open_tls(server, err) &&
            open_api(server, err);
  if (!ok) {
    server_close(&server);
    return false;
  }
  *ret_server = server;
  return true;
}

const char *server_key_place(const struct server *server, bool *ret_made) {
  *ret_made = server->unlocked.made;
  return server->unlocked.place;
}

const char *server_address(const struct server *server) {
  return api_address(server->api);
}

void server_run(struct server *server) {
  int64_t spin_us = server->options.spin_us;
  if (spin_us < 0) spin_us = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SERVER_SPIN_US : 0;
  loop_run(server->loop, spin_us * 1000);
}

void server_close(struct server **server) {
  struct server *s = *server;
  *server = NULL;
  if (!s) return;
  api_close(&s->api);
  tls_server_close(&s->tls);
  if (s->outbox) outbox_stop(s->outbox);
  if (s->egress) egress_close(&s->egress);
  sweep_close(&s->sweep);
  if (s->store) store_close(&s->store); /* its last callbacks still find the flow */
  sources_close(&s->sources);
  flow_close(&s->flow);
  outbox_close(&s->outbox); /* after the flow, which has its port */
  sequencer_close(&s->sequencer);
  retention_close(&s->retention);
  if (s->principals) principals_close(&s->principals);
  if (s->runtime) runtime_close_pool(&s->runtime);
  if (s->builder) builder_close(&s->builder);
  if (s->tzdata) disk_close(&s->tzdata);
  disk_close(&s->sealed);
  keyring_close(&s->unlocked.keys);
  if (s->disk) disk_close(&s->disk);
  if (s->signals_open) signals_close(&s->signals);
  if (s->loop) loop_free(&s->loop);
  free(s);
}

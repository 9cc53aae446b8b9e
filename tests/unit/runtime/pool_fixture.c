/* tests/unit/runtime/pool_fixture.c */
#define _XOPEN_SOURCE 700 /* nftw */
#define _DEFAULT_SOURCE
#include "tests/unit/runtime/pool_fixture.h"

#include <dirent.h>
#include <ftw.h>
#include <time.h>
#include <unistd.h>

static uint64_t ended_count;
static struct runtime *current; /* answers its own effects */
const char *world_launcher = FAKE_LAUNCHER;

int64_t now_ns(void) {
  return clock_mono_ns(clock_real());
}

struct world *world_new(uint32_t workers_max, int64_t fork_wait_us, bool namespaces_off) {
  struct world *world = calloc(1, sizeof *world);
  struct err err;
  strcpy(world->folder, "/tmp/medulla-pool-XXXXXX");
  assert_non_null(mkdtemp(world->folder));
  assert_ok(loop_new(clock_real(), &world->loop, &err), err);
  assert_ok(disk_open_real(world->folder, &world->disk, &err), err);
  const struct pool_options options = {.loop = world->loop,
                                       .disk = world->disk,
                                       .random = random_real(),
                                       .launcher_path = world_launcher,
                                       .workers_max = workers_max,
                                       .fork_wait_us = fork_wait_us,
                                       .prepare_ms_max = 1500,
                                       .namespaces_off = namespaces_off};
  assert_ok(runtime_open_pool(&options, &world->runtime, &err), err);
  return world;
}

static int remove_entry(const char *path, const struct stat *facts, int type, struct FTW *where) {
  return remove(path);
}

void world_free(struct world **at) {
  struct world *world = *at;
  *at = NULL;
  runtime_close_pool(&world->runtime);
  disk_close(&world->disk);
  loop_free(&world->loop);
  nftw(world->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  free(world);
}

struct runtime_code *code_new(const char *source) {
  static unsigned count;
  struct runtime_code *code = calloc(1, sizeof *code);
  code->name = BYTES("test/function");
  code->version = 1;
  code->code = (struct guest_code){.kind = GUEST_JS,
                                   .source = bytes_str(source),
                                   .file_name = "f.js",
                                   .memory_bytes_max = 64 << 20};
  snprintf(code->key, sizeof code->key, "%064u", ++count);
  code->idle_ms = 10000;
  return code;
}

static void effect(struct run_handle *handle, uint64_t ordinal, struct bytes name,
                   struct bytes payload) {
  struct test_run *run = (struct test_run *)handle;
  run->effects++;
  run->last_ordinal = ordinal;
  if (run->keep_effects) return;
  runtime_answer(current, handle, ordinal, true, payload);
}

static void log_line(struct run_handle *handle, enum guest_level level, int64_t at_ms,
                     struct bytes line) {
  ((struct test_run *)handle)->logs++;
}

static void started(struct run_handle *handle) {
  ((struct test_run *)handle)->started++;
}

static void done(struct run_handle *handle, const struct run_done *result) {
  struct test_run *run = (struct test_run *)handle;
  assert_false(run->done);
  run->done = true;
  run->end = result->end;
  snprintf(run->reason, sizeof run->reason, "%s", result->reason ? result->reason : "");
  bytes_text(result->body, run->body, sizeof run->body);
  run->body_bytes = result->body.len;
  run->meter = result->meter;
  run->order = ++ended_count;
  run->ended_ns = now_ns();
  if (run->then) run->then(run);
}

static const struct run_callbacks callbacks = {effect, log_line, started, done};

void code_free(struct world *world, struct runtime_code *code) {
  runtime_retire(world->runtime, code);
  free(code);
}

void run_init(struct test_run *run, struct runtime_code *code, const char *event) {
  *run = (struct test_run){
      .handle = {.code = code,
                 .input = {.event = bytes_str(event), .context = BYTES("{}"), .env = BYTES("{}")},
                 .time_ms_max = 5000,
                 .callbacks = &callbacks}};
}

void run_start(struct world *world, struct test_run *run) {
  current = world->runtime;
  runtime_start(world->runtime, &run->handle);
}

void run_wait(struct world *world, struct test_run *run, int ms) {
  int64_t until_ns = now_ns() + ms * MS;
  while (!run->done && now_ns() < until_ns) loop_step(world->loop, 5);
  assert_true(run->done);
}

void run_once(struct world *world, struct runtime_code *code, const char *event,
              struct test_run *ret_run) {
  run_init(ret_run, code, event);
  run_start(world, ret_run);
  assert_false(ret_run->done); /* never from within the call */
  run_wait(world, ret_run, 8000);
}

void step_ms(struct world *world, int ms) {
  int64_t until_ns = now_ns() + ms * MS;
  while (now_ns() < until_ns) loop_step(world->loop, 1);
}

void wait_workers(struct world *world, uint32_t workers, int ms) {
  int64_t until_ns = now_ns() + ms * MS;
  while (runtime_pool_load(world->runtime).workers != workers && now_ns() < until_ns)
    loop_step(world->loop, 1);
  assert_int_equal(runtime_pool_load(world->runtime).workers, workers);
}

static int count_entries(const char *path) {
  DIR *folder = opendir(path);
  int count = 0;
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

int count_fds(void) {
  return count_entries("/proc/self/fd");
}

struct asked {
  bool done, ok;
  struct err *err;
};

static void prepared(void *arg, const struct err *err) {
  struct asked *asked = arg;
  asked->done = true;
  asked->ok = !err;
  if (err) *asked->err = *err;
}

bool prepare_once(struct world *world, struct runtime_code *code, struct err *ret_err) {
  struct asked asked = {.err = ret_err};
  runtime_prepare(world->runtime, code, prepared, &asked);
  assert_false(asked.done);
  for (int i = 0; i < 4000 && !asked.done; i++) loop_step(world->loop, 5);
  assert_true(asked.done);
  return asked.ok;
}

/* bench/bench_pool.c LAUNCHER [WORKERS]: runs through pool and workers, without HTTP.
 *
 * Prints: pristine runs a second and p50 of one run at a time with one worker, the first run ever
 * of an idle function, and how long WORKERS runs of one function, each waiting 1 s, take from no
 * worker to all started.                                                                         */
#define _XOPEN_SOURCE 700 /* nftw */
#define _DEFAULT_SOURCE
#include "runtime/pool.h"

#include "base/must.h"
#include "runtime/sandbox.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS = 20000, COLD_STARTS = 200, WAIT_MS = 1000 };

static const char source[] =
    "export function handler(e){let sc=0;for(const o of e.obs){"
    "if(o.c=='hr')sc+=o.v>=131?3:o.v>=111?2:o.v>=91?1:o.v<=40?3:o.v<=50?1:0;"
    "if(o.c=='spo2')sc+=o.v<=91?3:o.v<=93?2:o.v<=95?1:0;}"
    "return {patient:e.patient,score:sc,alert:sc>=5};}"
    "export async function waits(e){await new Promise(r=>setTimeout(r,1000));return 1;}";
static const char event[] =
    "{\"patient\":\"p-17\",\"obs\":[{\"c\":\"hr\",\"v\":112},{\"c\":\"spo2\",\"v\":93},"
    "{\"c\":\"rr\",\"v\":21},{\"c\":\"temp\",\"v\":38.2},{\"c\":\"sbp\",\"v\":104}]}";

struct bench {
  struct loop *loop;
  struct disk *disk;
  struct runtime *runtime;
  uint32_t left, started, failed;
  int64_t all_started_ns;
  uint32_t goal;
  bool again; /* start the same run when it is done */
};
static struct bench bench;

static int64_t now_ns(void) {
  return clock_mono_ns(clock_real());
}

static void on_effect(struct run_handle *run, uint64_t ordinal, struct bytes effect,
                      struct bytes payload) {
  runtime_answer(bench.runtime, run, ordinal, true, BYTES("null"));
}

static void on_log(struct run_handle *run, enum guest_level level, int64_t at_ms,
                   struct bytes line) {
}

static void on_started(struct run_handle *run) {
  if (++bench.started == bench.goal) bench.all_started_ns = now_ns();
}

static void on_done(struct run_handle *run, const struct run_done *done) {
  if (done->end != RUN_SUCCEEDED && bench.failed++ == 0)
    fprintf(stderr, "%s: %.*s\n", done->reason, BYTES_FMT(done->body));
  if (--bench.left == 0)
    loop_stop(bench.loop);
  else if (bench.again)
    runtime_start(bench.runtime, run);
}

static const struct run_callbacks callbacks = {on_effect, on_log, on_started, on_done};

static struct run_handle run_of(struct runtime_code *code, const char *handler) {
  return (struct run_handle){.code = code,
                             .input = {.event = bytes_str(event),
                                       .context = BYTES("{\"awsRequestId\":\"bench\"}"),
                                       .env = BYTES("{}"),
                                       .clock_ms = 1,
                                       .handler = bytes_str(handler)},
                             .time_ms_max = 10000,
                             .callbacks = &callbacks};
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void one_at_a_time(struct runtime_code *code) {
  static int64_t took_ns[RUNS];
  struct run_handle run = run_of(code, "handler");
  for (int i = 0; i < RUNS; i++) {
    int64_t from_ns = now_ns();
    bench.left = 1;
    runtime_start(bench.runtime, &run);
    loop_run(bench.loop, 50000);
    took_ns[i] = now_ns() - from_ns;
  }
  qsort(took_ns, RUNS, sizeof *took_ns, compare);
  printf("pool: one at a time p50 %.1f us, p99 %.1f us\n", (double)took_ns[RUNS / 2] / 1e3,
         (double)took_ns[RUNS * 99 / 100] / 1e3);
}

static void throughput(struct runtime_code *code) {
  enum { AT_ONCE = 32 };
  struct run_handle runs[AT_ONCE];
  int64_t from_ns = now_ns();
  bench.left = RUNS * 4;
  bench.again = true;
  for (int i = 0; i < AT_ONCE; i++) {
    runs[i] = run_of(code, "handler");
    runtime_start(bench.runtime, &runs[i]);
  }
  /* The last ones are started once more and cancelled below. */
  loop_run(bench.loop, 50000);
  int64_t took_ns = now_ns() - from_ns;
  bench.again = false;
  for (int i = 0; i < AT_ONCE; i++) runtime_cancel(bench.runtime, &runs[i]);
  printf("pool: %.0f pristine runs/s, one worker, 32 waiting\n",
         RUNS * 4 / ((double)took_ns / 1e9));
}

static void first_ever(struct runtime_code *code) {
  static int64_t took_ns[COLD_STARTS];
  struct run_handle run = run_of(code, "handler");
  for (int i = 0; i < COLD_STARTS; i++) {
    runtime_retire(bench.runtime, code);
    while (runtime_pool_load(bench.runtime).workers > 0) loop_step(bench.loop, 1);
    int64_t from_ns = now_ns();
    bench.left = 1;
    runtime_start(bench.runtime, &run);
    loop_run(bench.loop, 50000);
    took_ns[i] = now_ns() - from_ns;
  }
  qsort(took_ns, COLD_STARTS, sizeof *took_ns, compare);
  printf("pool: first run without a process p50 %.2f ms, p99 %.2f ms\n",
         (double)took_ns[COLD_STARTS / 2] / 1e6, (double)took_ns[COLD_STARTS * 99 / 100] / 1e6);
}

static void many_waiting(struct runtime_code *code, uint32_t count) {
  struct run_handle *runs = must_alloc(count * sizeof *runs);
  runtime_retire(bench.runtime, code);
  while (runtime_pool_load(bench.runtime).workers > 0) loop_step(bench.loop, 1);
  code->concurrency_max = count;
  bench.started = 0;
  bench.goal = bench.left = count;
  int64_t from_ns = now_ns();
  for (uint32_t i = 0; i < count; i++) {
    runs[i] = run_of(code, "waits");
    runtime_start(bench.runtime, &runs[i]);
  }
  loop_run(bench.loop, 50000);
  printf("pool: 0 to %u workers, all started after %.0f ms, all done after %.0f ms, each waits %d "
         "ms\n",
         count, (double)(bench.all_started_ns - from_ns) / 1e6, (double)(now_ns() - from_ns) / 1e6,
         WAIT_MS);
  free(runs);
}

static void on_prepared(void *arg, const struct err *err) {
  if (err) fprintf(stderr, "prepare: %s\n", err->detail);
  must(!err);
  loop_stop(bench.loop);
}

static int remove_entry(const char *path, const struct stat *facts, int type, struct FTW *where) {
  return remove(path);
}

int main(int count, char **words) {
  char folder[] = "/tmp/medulla-bench-XXXXXX";
  struct err err;
  uint32_t workers = count > 2 ? (uint32_t)strtoul(words[2], NULL, 10) : 1000;
  struct runtime_code code = {.name = BYTES("bench/news2"),
                              .version = 1,
                              .code = {.kind = GUEST_JS,
                                       .source = bytes_str(source),
                                       .file_name = "news2.js",
                                       .module = true,
                                       .memory_bytes_max = 64 << 20},
                              .key = "bench",
                              .concurrency_max = 1,
                              .idle_ms = 10000,
                              .isolation_floor = SANDBOX_FILTERED};
  if (count < 2 || !mkdtemp(folder)) return 2;
  must(loop_new(clock_real(), &bench.loop, &err) && disk_open_real(folder, &bench.disk, &err));
  const struct pool_options options = {.loop = bench.loop,
                                       .disk = bench.disk,
                                       .random = random_real(),
                                       .launcher_path = words[1],
                                       .workers_max = workers,
                                       .fork_wait_us = 1000};
  must(runtime_open_pool(&options, &bench.runtime, &err));
  int64_t from_ns = now_ns();
  runtime_prepare(bench.runtime, &code, on_prepared, NULL);
  loop_run(bench.loop, 50000);
  printf("pool: prepared in %.2f ms, level %s\n", (double)(now_ns() - from_ns) / 1e6,
         sandbox_level_name((enum sandbox_level)runtime_pool_load(bench.runtime).isolation));
  one_at_a_time(&code);
  throughput(&code);
  first_ever(&code);
  many_waiting(&code, workers);
  runtime_close_pool(&bench.runtime);
  disk_close(&bench.disk);
  loop_free(&bench.loop);
  nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  return bench.failed > 0;
}

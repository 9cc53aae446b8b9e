/* bench/bench_store.c: durable commits per second, against a floor measured in the same run: how
 * often this disk syncs an append of 4 KiB, times how many rows were folded into one sync.
 *
 *   bench_store [FOLDER [SECONDS [ROWS]]]   ROWS: fill the ledger so far with batches, and print
 *                                           the rate of every tenth, which must stay flat. */
#include "base/err.h"
#include "base/must.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/random.h"
#include "store/index.h"
#include "store/open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { EVENT_BYTES = 800, BATCH_ROWS = 100, SUBMITTERS_MAX = 32 };
#define NS_PER_S 1e9

struct bench {
  struct disk *disk;
  struct loop *loop;
  struct store *store;
  uint8_t body[EVENT_BYTES];
  uint64_t rows, failed;
  bool stopping;
};

struct submitter {
  struct bench *bench;
  unsigned batch_rows;
  bool waits;
};

static int64_t now_ns(void) {
  return clock_mono_ns(clock_real());
}

static double seconds_since(int64_t began_ns) {
  return (double)(now_ns() - began_ns) / NS_PER_S;
}

/* Of all threads, user and system: what a row costs, also when the machine is busy. */
static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long resident_mb(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

static void check(bool good, const struct err *err) {
  if (good) return;
  fprintf(stderr, "bench_store: %s: %s\n", err_facts(err->code)->word, err->detail);
  exit(1);
}

/* ---- The floor ---- */

static double floor_syncs(struct disk *disk, double seconds) {
  static const uint8_t block[4096];
  struct file *file = NULL;
  struct err err;
  uint64_t count = 0;
  check(file_open(disk, "floor", FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file, &err), &err);
  int64_t began_ns = now_ns();
  for (; seconds_since(began_ns) < seconds; count++) {
    check(file_write(file, count * sizeof block, bytes_of(block, sizeof block), &err), &err);
    check(file_sync(file, &err), &err);
  }
  double rate = (double)count / seconds_since(began_ns);
  file_close(&file);
  check(disk_remove(disk, "floor", &err), &err);
  return rate;
}

/* ---- Commits like those of admitted events ---- */

static void submit(struct submitter *submitter);

static void settled(void *arg, const struct store_result *result) {
  struct submitter *submitter = arg;
  struct bench *bench = submitter->bench;
  submitter->waits = false;
  if (result->err.code != ERR_OK) {
    if (!bench->failed++) fprintf(stderr, "bench_store: %s\n", result->err.detail);
  } else {
    bench->rows += submitter->batch_rows;
  }
  if (!bench->stopping) submit(submitter);
}

static void submit(struct submitter *submitter) {
  struct bench *bench = submitter->bench;
  struct store_commit *commit = commit_new();
  int64_t now_ms = clock_wall_ms(clock_real());
  for (unsigned i = 0; i < submitter->batch_rows; i++) {
    struct id id = random_id(random_real(), clock_real()), mark;
    random_fill(random_real(), mark.at, sizeof mark.at);
    commit_unique(commit, mark.at, now_ms, id_bytes(&id));
    commit_append(commit, TABLE_event, id_bytes(&id), bytes_of(bench->body, EVENT_BYTES));
  }
  submitter->waits = true;
  store_submit(bench->store, &commit, settled, submitter);
}

static bool any_waits(const struct submitter *submitters, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    if (submitters[i].waits) return true;
  return false;
}

/* Until so many rows or seconds, whatever comes first; rows per second. */
static double run(struct bench *bench, unsigned count, unsigned batch_rows, double seconds,
                  uint64_t rows) {
  struct submitter submitters[SUBMITTERS_MAX] = {0};
  uint64_t rows_before = bench->rows;
  int64_t began_ns = now_ns();
  bench->stopping = false;
  for (unsigned i = 0; i < count; i++) {
    submitters[i] = (struct submitter){bench, batch_rows, false};
    submit(&submitters[i]);
  }
  while (seconds_since(began_ns) < seconds && bench->rows - rows_before < rows)
    loop_step(bench->loop, 100);
  bench->stopping = true;
  while (any_waits(submitters, count)) loop_step(bench->loop, 100);
  return (double)(bench->rows - rows_before) / seconds_since(began_ns);
}

static void run_and_print(struct bench *bench, const char *what, unsigned count,
                          unsigned batch_rows, double seconds, double floor) {
  struct store_load before = store_load(bench->store);
  uint64_t rows_before = bench->rows;
  double cpu_before = cpu_seconds();
  double rate = run(bench, count, batch_rows, seconds, UINT64_MAX);
  double cpu = (cpu_seconds() - cpu_before) / (double)(bench->rows - rows_before + 1);
  struct store_load after = store_load(bench->store);
  double fold = (double)(bench->rows - rows_before) /
                (double)(after.transactions - before.transactions + !after.transactions);
  printf("store %s: %.0f rows/s durable, %.1f us CPU each, mean fold %.1f rows, floor %.0f syncs/s "
         "x fold = %.0f,"
         " ratio %.2f\n",
         what, rate, cpu * 1e6, fold, floor, floor * fold, rate / (floor * fold));
}

static void fill(struct bench *bench, uint64_t rows) {
  for (unsigned part = 0; part < 10; part++) {
    double cpu_before = cpu_seconds();
    double rate = run(bench, 8, BATCH_ROWS, 1e9, rows / 10);
    double cpu = (cpu_seconds() - cpu_before) / (double)(rows / 10);
    struct store_load load = store_load(bench->store);
    printf(
        "store fill: %.2f million rows, %.0f rows/s, %.1f us CPU each, %.2f GB, %ld MB resident\n",
        (double)bench->rows / 1e6, rate, cpu * 1e6, (double)load.disk_bytes / 1e9, resident_mb());
    fflush(stdout);
  }
}

/* ---- The index alone: look, then mark ---- */

static void index_marks(const char *root, double seconds) {
  char path[4200];
  struct index *index = NULL;
  struct index_batch *batch = index_batch_new();
  struct buf value;
  struct err err;
  uint64_t marks = 0;
  bool found;
  snprintf(path, sizeof path, "%s/bench-index", root);
  check(index_open_rocksdb(&(struct index_place){.path = path}, &index, &err), &err);
  buf_init(&value, 256);
  int64_t began_ns = now_ns();
  for (uint64_t position = 1; seconds_since(began_ns) < seconds; position++) {
    for (unsigned i = 0; i < BATCH_ROWS; i++, marks++) {
      uint8_t key[21] = {'u'};
      random_fill(random_real(), key + 5, 16);
      check(index_get(index, bytes_of(key, 21), &value, &found, &err), &err);
      index_batch_put(batch, bytes_of(key, 21), bytes_of(key, 21));
    }
    check(index_apply(index, batch, position, &err), &err);
  }
  printf("store index: %.0f marks/s looked up and set\n", (double)marks / seconds_since(began_ns));
  buf_fini(&value);
  index_batch_free(&batch);
  index_close(&index);
}

int main(int argc, char **argv) {
  const char *root = argc > 1 ? argv[1] : "bench-store";
  double seconds = argc > 2 ? strtod(argv[2], NULL) : 3;
  uint64_t rows = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
  static struct bench bench;
  struct err err;
  random_fill(random_real(), bench.body, sizeof bench.body);
  check(disk_open_real(root, &bench.disk, &err), &err);
  check(loop_new(clock_real(), &bench.loop, &err), &err);
  struct store_options options = {
      .loop = bench.loop, .disk = bench.disk, .clock = clock_real(), .random = random_real()};
  check(store_open_sqlite(&options, &bench.store, &err), &err);
  double floor = floor_syncs(bench.disk, 1);
  run_and_print(&bench, "single, 32 submitters", 32, 1, seconds, floor);
  run_and_print(&bench, "batches of 100", 8, BATCH_ROWS, seconds, floor);
  if (rows) fill(&bench, rows);
  store_close(&bench.store);
  while (loop_step(bench.loop, 0)) continue;
  index_marks(disk_root(bench.disk), seconds);
  loop_free(&bench.loop);
  disk_close(&bench.disk);
  return bench.failed != 0;
}

/* bench/bench_seal.c: what sealing costs: the store and the index with keys against the same
 * without, in turns within one run. The floor is three quarters of the plain rate.
 *
 *   bench_seal [FOLDER [SECONDS]] */
#include "base/must.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/random.h"
#include "seal/keys.h"
#include "store/index.h"
#include "store/open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_BYTES = 800, SUBMITTERS = 32, BATCH_ROWS = 100, ROUNDS = 3, INDEX_ROWS = 600000 };
#define NS_PER_S 1e9

struct side {
  const char *name;
  struct disk *disk;
  const struct keyring *keys;
  struct loop *loop;
  struct store *store;
  struct index *index;
  uint64_t rows;
  bool stopping;
};

struct submitter {
  struct side *side;
  unsigned rows;
  bool waits;
};

static uint8_t body[EVENT_BYTES];

static void check(bool good, const struct err *err) {
  if (good) return;
  fprintf(stderr, "bench_seal: %s: %s\n", err_facts(err->code)->word, err->detail);
  exit(1);
}

static double since(int64_t began_ns) {
  return (double)(clock_mono_ns(clock_real()) - began_ns) / NS_PER_S;
}

/* ---- Durable commits ---- */

static void submit(struct submitter *submitter);

static void settled(void *arg, const struct store_result *result) {
  struct submitter *submitter = arg;
  submitter->waits = false;
  check(result->err.code == ERR_OK, &result->err);
  submitter->side->rows += submitter->rows;
  if (!submitter->side->stopping) submit(submitter);
}

static void submit(struct submitter *submitter) {
  struct store_commit *commit = commit_new();
  int64_t now_ms = clock_wall_ms(clock_real());
  for (unsigned i = 0; i < submitter->rows; i++) {
    struct id id = random_id(random_real(), clock_real()), mark;
    random_fill(random_real(), mark.at, sizeof mark.at);
    commit_unique(commit, mark.at, now_ms, id_bytes(&id));
    commit_append(commit, TABLE_event, id_bytes(&id), bytes_of(body, EVENT_BYTES));
  }
  submitter->waits = true;
  store_submit(submitter->side->store, &commit, settled, submitter);
}

static bool any_waits(const struct submitter *submitters, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    if (submitters[i].waits) return true;
  return false;
}

static double commits(struct side *side, unsigned count, unsigned rows, double seconds) {
  struct submitter submitters[SUBMITTERS] = {0};
  uint64_t before = side->rows;
  int64_t began_ns = clock_mono_ns(clock_real());
  side->stopping = false;
  for (unsigned i = 0; i < count; i++) {
    submitters[i] = (struct submitter){side, rows, false};
    submit(&submitters[i]);
  }
  while (since(began_ns) < seconds) loop_step(side->loop, 100);
  side->stopping = true;
  while (any_waits(submitters, count)) loop_step(side->loop, 100);
  return (double)(side->rows - before) / since(began_ns);
}

static double singles(struct side *side, double seconds) {
  return commits(side, SUBMITTERS, 1, seconds);
}

static double batches(struct side *side, double seconds) {
  return commits(side, 8, BATCH_ROWS, seconds);
}

/* ---- Index reads: keys that are there, more of them than the cache holds ---- */

static void index_key(uint64_t number, uint8_t key[16]) {
  uint64_t mixed = number * UINT64_C(0x9e3779b97f4a7c15);
  memcpy(key, &mixed, 8);
  memcpy(key + 8, &number, 8);
  if (key[0] == 0) key[0] = 1;
}

static void fill_index(struct side *side) {
  struct index_batch *batch = index_batch_new();
  struct err err;
  uint8_t key[16], value[100];
  for (uint64_t i = 0; i < INDEX_ROWS; i++) {
    index_key(i, key);
    random_fill(random_real(), value, sizeof value);
    index_batch_put(batch, bytes_of(key, 16), bytes_of(value, sizeof value));
    if (i % 1000 == 999) check(index_apply(side->index, batch, i, &err), &err);
  }
  check(index_flush(side->index, &err), &err);
  index_batch_free(&batch);
}

static double index_reads(struct side *side, double seconds) {
  struct buf value;
  struct err err;
  uint8_t key[16];
  uint64_t reads = 0;
  bool found;
  buf_init(&value, 256);
  int64_t began_ns = clock_mono_ns(clock_real());
  for (; since(began_ns) < seconds; reads++) {
    index_key(random_u64(random_real()) % INDEX_ROWS, key);
    check(index_get(side->index, bytes_of(key, 16), &value, &found, &err), &err);
    must(found);
  }
  buf_fini(&value);
  return (double)reads / since(began_ns);
}

/* ---- In turns ---- */

static void compare(const char *what, struct side sides[2], double seconds,
                    double (*rate)(struct side *side, double seconds)) {
  double sum[2] = {0, 0};
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < 2; i++) sum[(i + round) % 2] += rate(&sides[(i + round) % 2], seconds);
  printf("seal %s: sealed %.0f/s, plain %.0f/s, ratio %.2f (floor 0.75)\n", what, sum[1] / ROUNDS,
         sum[0] / ROUNDS, sum[1] / sum[0]);
  fflush(stdout);
}

static void open_side(struct side *side, const char *root) {
  char path[4200];
  struct err err;
  snprintf(path, sizeof path, "%s/%s", root, side->name);
  check(disk_open_real(path, &side->disk, &err), &err);
  check(loop_new(clock_real(), &side->loop, &err), &err);
  struct store_options options = {.loop = side->loop,
                                  .disk = side->disk,
                                  .clock = clock_real(),
                                  .random = random_real(),
                                  .keys = side->keys};
  check(store_open_sqlite(&options, &side->store, &err), &err);
  snprintf(path, sizeof path, "%s/%s/index-alone", root, side->name);
  struct index_place place = {
      .path = side->keys ? "index-alone" : path, .disk = side->disk, .keys = side->keys};
  check(index_open_rocksdb(&place, &side->index, &err), &err);
  fill_index(side);
}

static void close_side(struct side *side) {
  store_close(&side->store);
  while (loop_step(side->loop, 0)) continue;
  index_close(&side->index);
  loop_free(&side->loop);
  disk_close(&side->disk);
}

int main(int argc, char **argv) {
  const char *root = argc > 1 ? argv[1] : "bench-seal";
  double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
  struct disk *disk;
  struct keyring *keys;
  struct err err;
  struct root *key = root_random(random_real());
  random_fill(random_real(), body, sizeof body);
  check(disk_open_real(root, &disk, &err), &err);
  check(keyring_create(disk, key, clock_real(), &keys, &err), &err);
  root_free(&key);
  struct side sides[2] = {{.name = "plain"}, {.name = "sealed", .keys = keys}};
  for (int i = 0; i < 2; i++) open_side(&sides[i], root);
  compare("single commits", sides, seconds, singles);
  compare("commits of 100 rows", sides, seconds, batches);
  compare("index reads", sides, seconds, index_reads);
  for (int i = 0; i < 2; i++) close_side(&sides[i]);
  keyring_close(&keys);
  disk_close(&disk);
  return 0;
}

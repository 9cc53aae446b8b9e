/* The ledger against a disk that loses power: after any crash every commit whose done was called
 * is there whole, every other one is there whole or not at all, in order, without gaps. */
#include "tests/unit/store/rig.h"

#include "os/disk_sim.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMITS_MAX = 120, ROWS_PER_COMMIT = 5, CRASHES = 5 };

/* Commit i writes: a row c<i> = i, ROWS_PER_COMMIT events keyed by i, one addition, one mark. */
struct world {
  struct rig rig;
  uint64_t seed;
  unsigned commits;               /* submitted so far */
  bool acknowledged[COMMITS_MAX]; /* done said OK */
};

static uint64_t dice(struct world *world, uint64_t sides) {
  world->seed ^= world->seed << 13;
  world->seed ^= world->seed >> 7;
  world->seed ^= world->seed << 17;
  return world->seed % sides;
}

static void acknowledge(void *arg, const struct store_result *result) {
  *(bool *)arg = result->err.code == ERR_OK;
}

static void commit_key_of(unsigned number, char text[16]) {
  snprintf(text, 16, "c%05u", number);
}

static void submit(struct world *world) {
  unsigned number = world->commits++;
  char key[16];
  static uint8_t body[9000];
  uint8_t digest[16] = {(uint8_t)number, (uint8_t)(number >> 8)};
  struct store_commit *commit = commit_new();
  commit_key_of(number, key);
  memset(body, (int)number, sizeof body);
  commit_unique(commit, digest, 1000, bytes_str(key));
  commit_put(commit, TABLE_state, bytes_str(key), bytes_str(key));
  commit_add(commit, TABLE_state, BYTES("sum"), 1);
  commit_append(commit, TABLE_audit, BYTES_NONE, bytes_str(key));
  for (unsigned i = 0; i < ROWS_PER_COMMIT; i++)
    commit_append(commit, TABLE_event, bytes_str(key),
                  bytes_of(body, (size_t)dice(world, sizeof body)));
  store_submit(world->rig.store, &commit, acknowledge, &world->acknowledged[number]);
}

struct tally {
  unsigned rows[COMMITS_MAX];
  uint64_t last, positions;
  bool ascending;
};

static bool count_event(void *arg, const struct store_row *row) {
  struct tally *tally = arg;
  unsigned number = (unsigned)strtoul((const char *)row->key.at + 1, NULL, 10);
  if (row->version < tally->last) tally->ascending = false;
  if (row->version != tally->last) tally->positions++;
  tally->last = row->version;
  tally->rows[number]++;
  for (size_t i = 0; i < row->value.len; i++)
    if (row->value.at[i] != (uint8_t)number) tally->ascending = false;
  return true;
}

static bool marked(struct world *world, unsigned number) {
  uint8_t digest[16] = {(uint8_t)number, (uint8_t)(number >> 8)};
  struct store_commit *commit = commit_new();
  /* The check fails after the mark was looked at, so looking changes nothing. */
  commit_unique(commit, digest, 1000, BYTES_NONE);
  commit_check(commit, TABLE_app, BYTES("none"), 1, ERR_CONFLICT);
  struct answer answer = rig_commit(&world->rig, commit);
  if (answer.result.err.code == ERR_EXISTS) {
    char key[16];
    commit_key_of(number, key);
    assert_memory_equal(answer.note, key, strlen(key));
    return true;
  }
  assert_int_equal(answer.result.err.code, ERR_CONFLICT);
  return false;
}

/* What is there is remembered as acknowledged: it must survive the next crash as well. */
static void verify(struct world *world) {
  static struct tally tally;
  struct err err;
  struct rig *rig = &world->rig;
  tally = (struct tally){.ascending = true};
  char key[16];
  unsigned there = 0;
  assert_ok(store_tail(store_reader(rig->store), TABLE_event, 0, false, count_event, &tally, &err),
            err);
  assert_true(tally.ascending);
  for (unsigned i = 0; i < world->commits; i++) {
    commit_key_of(i, key);
    bool whole = rig_get(rig, TABLE_state, key, NULL) != NULL;
    if (world->acknowledged[i] && !whole) fail_msg("commit %u was acknowledged and is lost", i);
    if (tally.rows[i] != (whole ? ROWS_PER_COMMIT : 0))
      fail_msg("commit %u has %u rows", i, tally.rows[i]);
    if (marked(world, i) != whole) fail_msg("commit %u and its mark differ", i);
    world->acknowledged[i] = whole;
    there += whole;
  }
  assert_int_equal(tally.positions, there);
  assert_int_equal(store_last_position(store_reader(rig->store)), there);
  const char *sum = rig_get(rig, TABLE_state, "sum", NULL);
  assert_int_equal(sum ? strtoul(sum, NULL, 10) : 0, there);
}

static void open_world(struct world *world, uint64_t seed) {
  *world = (struct world){.seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
  rig_init(&world->rig, false, store_open_sqlite);
  world->rig.disk = disk_new_simulated(seed);
  world->rig.options.disk = world->rig.disk;
}

static void close_world(struct world *world) {
  rig_fini(&world->rig);
  disk_close(&world->rig.disk);
}

static void drop_store(struct world *world) {
  store_close(&world->rig.store); /* on a dead disk: nothing of it arrives */
  while (loop_step(world->rig.loop, 0)) continue;
}

static void one_crash(struct world *world) {
  struct err err;
  struct rig *rig = &world->rig;
  rig->options.checkpoint_pages = 1 + (uint32_t)dice(world, 60);
  disk_sim_power_off(rig->disk, dice(world, 3) ? dice(world, 60) : dice(world, 600));
  /* Opening may meet the end of power as well. */
  if (store_open_sqlite(&rig->options, &rig->store, &err)) {
    unsigned most = world->commits + (unsigned)dice(world, COMMITS_MAX / CRASHES);
    while (world->commits < most) {
      submit(world);
      if (dice(world, 3) == 0)
        for (uint64_t i = dice(world, 5); i > 0; i--) loop_step(rig->loop, 0);
    }
    for (uint64_t i = dice(world, 12); i > 0; i--) loop_step(rig->loop, 0);
    /* Cut it here at the latest, so that what is still on its way fails too. */
    disk_sim_power_off(rig->disk, 0);
    drop_store(world);
  } else if (err.code != ERR_IO && err.code != ERR_DENIED) {
    fail_msg("opening without power: %s", err.detail);
  }
  disk_sim_crash(rig->disk);
  assert_ok(store_open_sqlite(&rig->options, &rig->store, &err), err);
  verify(world);
  store_close(&rig->store);
  while (loop_step(rig->loop, 0)) continue;
}

/* MEDULLA_SEEDS=N runs more, MEDULLA_SEED=N that one alone. */
static void crashes_keep_every_promise(void **state) {
  const char *seeds = getenv("MEDULLA_SEEDS"), *one = getenv("MEDULLA_SEED");
  uint64_t first = one ? strtoull(one, NULL, 10) : 1;
  uint64_t last = one ? first : seeds ? strtoull(seeds, NULL, 10) : 300;
  static struct world world;
  for (uint64_t seed = first; seed <= last; seed++) {
    open_world(&world, seed);
    for (int i = 0; i < CRASHES; i++) one_crash(&world);
    close_world(&world);
    if (seed % 100 == 0) print_message("# %d seeds\n", (int)seed);
  }
}

/* The Nth call to the disk fails once, for every N: each commit tells the truth, then and after. */
static void every_failing_call_is_told(void **state) {
  static struct world world;
  struct err err;
  unsigned failed = 0, opened = 0;
  for (uint64_t nth = 1; nth < 160; nth++) {
    open_world(&world, nth);
    struct rig *rig = &world.rig;
    disk_sim_fail(rig->disk, nth, nth % 2 ? ERR_IO : ERR_FULL);
    if (store_open_sqlite(&rig->options, &rig->store, &err)) {
      opened++;
      for (int i = 0; i < 12; i++) {
        submit(&world);
        for (int step = 0; step < 3; step++) loop_step(rig->loop, 0);
        failed += !world.acknowledged[world.commits - 1];
      }
      drop_store(&world);
    }
    disk_sim_fail(rig->disk, 0, ERR_OK);
    if (nth % 3 == 0) disk_sim_crash(rig->disk);
    assert_ok(store_open_sqlite(&rig->options, &rig->store, &err), err);
    verify(&world);
    close_world(&world);
  }
  assert_true(opened > 20 && failed > 20);
}

/* Without space commits fail as FULL and leave nothing; with space again they go on. */
static void a_full_disk_recovers(void **state) {
  static struct world world;
  struct err err;
  open_world(&world, 5);
  struct rig *rig = &world.rig;
  assert_ok(store_open_sqlite(&rig->options, &rig->store, &err), err);
  disk_sim_quota(rig->disk, disk_sim_bytes(rig->disk) + (1u << 20));
  unsigned good = 0, full = 0;
  for (int i = 0; i < 80; i++) {
    struct store_commit *commit = commit_new();
    static const uint8_t body[50000];
    commit_append(commit, TABLE_event, BYTES("c00000"), bytes_of(body, sizeof body));
    struct answer answer = rig_commit(rig, commit);
    good += answer.result.err.code == ERR_OK;
    full += answer.result.err.code == ERR_FULL;
  }
  assert_true(good > 5 && full > 5);
  assert_int_equal(good + full, 80);
  assert_int_equal(store_last_position(store_reader(rig->store)), good);
  disk_sim_quota(rig->disk, 0);
  assert_int_equal(rig_append(rig, TABLE_event, "c00000", "").result.position, good + 1);
  drop_store(&world);
  assert_ok(store_open_sqlite(&rig->options, &rig->store, &err), err);
  assert_int_equal(store_last_position(store_reader(rig->store)), good + 1);
  close_world(&world);
}

/* The same on a real file system of 6 MB, with RocksDB; needs the right to mount. */
static void a_full_file_system_recovers(void **state) {
  char root[64] = "/tmp/medulla-full-XXXXXX", command[128];
  static const uint8_t body[50000];
  struct err err;
  unsigned good = 0, full = 0;
  assert_non_null(mkdtemp(root));
  snprintf(command, sizeof command, "mount -t tmpfs -o size=6m none %s 2>/dev/null", root);
  if (system(command) != 0) {
    rmdir(root);
    skip();
  }
  struct rig rig;
  rig_init(&rig, true, store_open_sqlite);
  rig.options.index_memory = false;
  assert_ok(disk_open_real(root, &rig.disk, &err), err);
  rig_open(&rig);
  for (int i = 0; i < 200; i++) {
    uint8_t digest[16] = {(uint8_t)i};
    struct store_commit *commit = commit_new();
    commit_unique(commit, digest, 1000, BYTES_NONE);
    commit_append(commit, TABLE_event, BYTES("key"), bytes_of(body, sizeof body));
    struct answer answer = rig_commit(&rig, commit);
    good += answer.result.err.code == ERR_OK;
    full += answer.result.err.code == ERR_FULL;
  }
  assert_true(good > 5 && full > 5);
  assert_int_equal(good + full, 200);
  snprintf(command, sizeof command, "mount -o remount,size=60m %s", root);
  assert_int_equal(system(command), 0);
  assert_int_equal(rig_append(&rig, TABLE_event, "key", "").result.position, good + 1);
  rig_fini(&rig);
  disk_close(&rig.disk);
  snprintf(command, sizeof command, "umount %s && rmdir %s", root, root);
  assert_int_equal(system(command), 0);
}

/* ---- kill -9 on the real disk ---- */

static void child_acknowledges(void *arg, const struct store_result *result) {
  uint64_t position = result->err.code == ERR_OK ? result->position : 0;
  if (write(*(int *)arg, &position, sizeof position) != sizeof position) _exit(1);
}

/* Commits as fast as it can and tells every position that became durable. */
static void child_runs(const char *root, int fd) {
  struct rig rig;
  struct err err;
  rig_init(&rig, true, store_open_sqlite);
  rig.options.index_memory = false;
  if (!disk_open_real(root, &rig.disk, &err)) _exit(2);
  rig_keys_on(&rig, rig.disk);
  rig.options.disk = rig.disk;
  if (!store_open_sqlite(&rig.options, &rig.store, &err)) _exit(3);
  for (;;) {
    for (int i = 0; i < 20; i++) {
      struct store_commit *commit = commit_new();
      commit_append(commit, TABLE_event, BYTES("key"), BYTES("an event of a child"));
      commit_add(commit, TABLE_usage, BYTES("sum"), 1);
      store_submit(rig.store, &commit, child_acknowledges, &fd);
    }
    while (store_load(rig.store).pending > 40) loop_step(rig.loop, 100);
  }
}

static void a_killed_process_loses_nothing(void **state) {
  char root[64] = "/tmp/medulla-kill-XXXXXX", command[96];
  uint64_t acknowledged = 0, position;
  struct err err;
  assert_non_null(mkdtemp(root));
  for (int round = 0; round < 6; round++) {
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      close(fds[0]);
      child_runs(root, fds[1]);
    }
    close(fds[1]);
    usleep(60000 + 50000 * (unsigned)round);
    kill(child, SIGKILL);
    while (read(fds[0], &position, sizeof position) == sizeof position)
      if (position > acknowledged) acknowledged = position;
    close(fds[0]);
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
  }
  struct rig rig;
  rig_init(&rig, true, store_open_sqlite);
  assert_ok(disk_open_real(root, &rig.disk, &err), err);
  rig_keys_on(&rig, rig.disk);
  rig_open(&rig);
  uint64_t there = store_last_position(store_reader(rig.store));
  assert_true(acknowledged > 100 && there >= acknowledged);
  char sum[24];
  snprintf(sum, sizeof sum, "%llu", (unsigned long long)there);
  assert_string_equal(rig_get(&rig, TABLE_usage, "sum", NULL), sum);
  print_message("# %llu acknowledged, %llu there\n", (unsigned long long)acknowledged,
                (unsigned long long)there);
  rig_fini(&rig);
  disk_close(&rig.disk);
  snprintf(command, sizeof command, "rm -rf %s", root);
  assert_int_equal(system(command), 0);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(crashes_keep_every_promise),
      cmocka_unit_test(every_failing_call_is_told),
      cmocka_unit_test(a_full_disk_recovers),
      cmocka_unit_test(a_full_file_system_recovers),
      cmocka_unit_test(a_killed_process_loses_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

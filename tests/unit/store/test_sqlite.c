/* The SQLite store on the simulated and the real disk: the common behaviour, then what only a disk
 * can do to it. */
#include "tests/unit/store/behaviour.h"

#include "os/disk_sim.h"
#include "store/sqlite_impl.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

/* Threads and RocksDB on the real disk, inline and alone on the simulated one. */
static void prepare(struct rig *rig, bool real) {
  struct err err;
  rig_init(rig, real, store_open_sqlite);
  rig->options.index_memory = !real;
  if (real) {
    snprintf(root, sizeof root, "/tmp/medulla-store-XXXXXX");
    if (!mkdtemp(root)) fail_msg("mkdtemp");
    assert_ok(disk_open_real(root, &rig->disk, &err), err);
  } else {
    rig->disk = disk_new_simulated(42);
  }
  rig->options.disk = rig->disk;
}

static void dispose(struct rig *rig) {
  char command[96];
  disk_close(&rig->disk);
  if (!rig->real) return;
  snprintf(command, sizeof command, "rm -rf %s", root);
  if (system(command) != 0) fail_msg("%s", command);
}

static void reopen(struct rig *rig) {
  store_close(&rig->store);
  while (loop_step(rig->loop, 0)) continue;
  rig_open(rig);
}

static struct answer mark(struct rig *rig, uint8_t what) {
  uint8_t digest[16] = {what};
  struct store_commit *commit = commit_new();
  commit_unique(commit, digest, 1000, BYTES("note"));
  return rig_commit(rig, commit);
}

static void all_is_there_after_reopening_on(bool real) {
  struct rig rig;
  prepare(&rig, real);
  rig_open(&rig);
  rig_put(&rig, TABLE_state, "k", "v");
  rig_append(&rig, TABLE_audit, "", "leaf");
  for (uint8_t i = 0; i < 20; i++) assert_int_equal(mark(&rig, i).result.err.code, ERR_OK);
  reopen(&rig);
  assert_string_equal(rig_get(&rig, TABLE_state, "k", NULL), "v");
  struct answer again = mark(&rig, 7);
  assert_int_equal(again.result.err.code, ERR_EXISTS);
  assert_int_equal(again.result.seen_position, 10);
  assert_memory_equal(again.note, "note", 4);
  struct answer next = rig_append(&rig, TABLE_audit, "", "leaf");
  assert_int_equal(next.result.position, 23);
  assert_int_equal(next.result.audit_index, 1);
  rig_fini(&rig);
  dispose(&rig);
}

static void all_is_there_after_reopening(void **state) {
  all_is_there_after_reopening_on(false);
  all_is_there_after_reopening_on(true);
}

static void a_damaged_index_is_rebuilt(void **state) {
  struct rig rig;
  char command[160];
  prepare(&rig, true);
  rig_open(&rig);
  for (uint8_t i = 0; i < 20; i++) mark(&rig, i);
  store_close(&rig.store);
  snprintf(command, sizeof command, "for f in %s/index/*; do echo damaged > $f; done", root);
  assert_int_equal(system(command), 0);
  rig_open(&rig);
  assert_int_equal(mark(&rig, 3).result.err.code, ERR_EXISTS);
  store_close(&rig.store);
  snprintf(command, sizeof command, "rm -rf %s/index", root);
  assert_int_equal(system(command), 0);
  rig_open(&rig);
  assert_int_equal(mark(&rig, 19).result.err.code, ERR_EXISTS);
  assert_int_equal(mark(&rig, 20).result.err.code, ERR_OK);
  rig_fini(&rig);
  dispose(&rig);
}

static void a_second_opener_is_refused(void **state) {
  for (int real = 0; real < 2; real++) {
    struct rig rig;
    struct err err;
    struct store *second = NULL;
    prepare(&rig, real);
    rig_open(&rig);
    assert_fails(store_open_sqlite(&rig.options, &second, &err), err, ERR_EXISTS);
    assert_non_null(strstr(err.detail, "pid"));
    rig_put(&rig, TABLE_state, "k", "v");
    rig_fini(&rig);
    dispose(&rig);
  }
}

/* Large values over many pages: spills, overflow pages, checkpoints, a log that starts again. */
static void large_commits_and_checkpoints(void **state) {
  struct rig rig;
  prepare(&rig, false);
  rig_open(&rig);
  size_t bytes = 5u << 20;
  uint8_t *value = malloc(bytes);
  for (size_t i = 0; i < bytes; i++) value[i] = (uint8_t)(i * 31 >> 3);
  for (int round = 0; round < 12; round++) {
    struct store_commit *commit = commit_new();
    char key[8];
    snprintf(key, sizeof key, "k%d", round % 4);
    for (int i = 0; i < (round == 5 ? 10 : 1); i++) {
      value[i] = (uint8_t)round;
      commit_put(commit, TABLE_code, bytes_str(key), bytes_of(value, bytes));
    }
    assert_int_equal(rig_commit(&rig, commit).result.err.code, ERR_OK);
  }
  reopen(&rig);
  struct buf got;
  struct err err;
  uint64_t version;
  buf_init(&got, bytes);
  assert_ok(store_get(store_reader(rig.store), TABLE_code, BYTES("k3"), &got, &version, &err), err);
  assert_int_equal(version, 12);
  assert_int_equal(got.len, bytes);
  assert_memory_equal(got.at + 16, value + 16, bytes - 16);
  buf_fini(&got);
  free(value);
  rig_fini(&rig);
  dispose(&rig);
}

/* One bit anywhere in the database: found and named, or harmless; never a wrong answer. */
static void a_flipped_bit_is_found(void **state) {
  unsigned found = 0;
  for (uint64_t seed = 1; seed < 60; seed++) {
    struct rig rig;
    struct err err;
    char key[16];
    prepare(&rig, false);
    rig_open(&rig);
    struct store_commit *commit = commit_new();
    for (int i = 0; i < 300; i++) {
      snprintf(key, sizeof key, "%d", i);
      commit_put(commit, TABLE_state, bytes_str(key), BYTES("a value of some length, the same"));
    }
    rig_commit(&rig, commit);
    store_close(&rig.store);
    uint64_t page = seed * 7919 % (disk_sim_bytes(rig.disk) / 8192);
    if (!disk_sim_flip(rig.disk, "ledger/ledger.db", page * 8192 + seed * 131 % 8192,
                       (unsigned)seed))
      fail_msg("no such page");
    if (!store_open_sqlite(&rig.options, &rig.store, &err)) {
      assert_int_equal(err.code, ERR_CORRUPT);
      assert_non_null(strstr(err.detail, "restore"));
      found++;
    }
    for (int i = 0; rig.store && i < 300; i++) {
      struct buf value;
      uint64_t version;
      buf_init(&value, 100);
      snprintf(key, sizeof key, "%d", i);
      bool good =
          store_get(store_reader(rig.store), TABLE_state, bytes_str(key), &value, &version, &err);
      if (good) assert_bytes(buf_bytes(&value), "a value of some length, the same");
      if (!good) assert_int_equal(err.code, ERR_CORRUPT);
      found += !good;
      buf_fini(&value);
      if (!good) break;
    }
    rig_fini(&rig);
    dispose(&rig);
  }
  assert_true(found >= 5);
}

static void a_newer_page_format_is_refused(void **state) {
  struct rig rig;
  struct err err;
  prepare(&rig, false);
  rig_open(&rig);
  store_close(&rig.store);
  struct buf text;
  buf_init(&text, 300);
  assert_ok(disk_load(rig.disk, "ledger/identity", 300, &text, &err), err);
  text.at[strlen("medulla-ledger ")] = '9';
  assert_ok(disk_save(rig.disk, "ledger/identity", buf_bytes(&text), &err), err);
  assert_fails(store_open_sqlite(&rig.options, &rig.store, &err), err, ERR_NEWER);
  assert_non_null(strstr(err.detail, "format 9"));
  assert_ok(disk_save(rig.disk, "ledger/identity", BYTES("rubbish"), &err), err);
  assert_fails(store_open_sqlite(&rig.options, &rig.store, &err), err, ERR_CORRUPT);
  assert_ok(disk_remove(rig.disk, "ledger/identity", &err), err);
  assert_fails(store_open_sqlite(&rig.options, &rig.store, &err), err, ERR_CORRUPT);
  buf_fini(&text);
  rig_fini(&rig);
  dispose(&rig);
}

static void a_newer_schema_is_refused(void **state) {
  struct rig rig;
  struct err err;
  struct page_key key;
  struct sql_link link;
  prepare(&rig, false);
  rig_open(&rig);
  store_close(&rig.store);
  bool fresh;
  assert_ok(sql_identity(&rig.options, &key, &fresh, &err), err);
  assert_false(fresh);
  struct vfs *vfs = vfs_new(rig.disk, &key);
  assert_ok(sql_link_open(vfs, true, &link, &err), err);
  assert_ok(sql_exec(&link, "PRAGMA user_version=99", &err), err);
  sql_link_close(&link);
  vfs_free(&vfs);
  assert_fails(store_open_sqlite(&rig.options, &rig.store, &err), err, ERR_NEWER);
  assert_non_null(strstr(err.detail, "99"));
  assert_non_null(strstr(err.detail, "knows 1"));
  rig_fini(&rig);
  dispose(&rig);
}

static void a_read_only_folder_is_denied(void **state) {
  struct rig rig;
  prepare(&rig, true);
  pid_t child = fork();
  if (child == 0) {
    /* Root may write anywhere; nobody may not. */
    struct err err;
    bool denied = chmod(root, 0755) == 0 && (getuid() != 0 || setuid(65534) == 0) &&
                  !store_open_sqlite(&rig.options, &rig.store, &err) && err.code == ERR_DENIED;
    _exit(!denied);
  }
  int status;
  waitpid(child, &status, 0);
  /* Without root the folder is our own, and writable. */
  if (getuid() == 0) assert_int_equal(status, 0);
  rig_fini(&rig);
  dispose(&rig);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_is_there_after_reopening),
      cmocka_unit_test(a_damaged_index_is_rebuilt),
      cmocka_unit_test(a_second_opener_is_refused),
      cmocka_unit_test(large_commits_and_checkpoints),
      cmocka_unit_test(a_flipped_bit_is_found),
      cmocka_unit_test(a_newer_page_format_is_refused),
      cmocka_unit_test(a_newer_schema_is_refused),
      cmocka_unit_test(a_read_only_folder_is_denied),
  };
  behaviour_prepare = prepare;
  behaviour_dispose = dispose;
  struct CMUnitTest all[64];
  size_t count = sizeof tests / sizeof *tests;
  memcpy(all, behaviour_tests, behaviour_tests_count * sizeof *all);
  memcpy(all + behaviour_tests_count, tests, sizeof tests);
  return _cmocka_run_group_tests("sqlite", all, count + behaviour_tests_count, NULL, NULL);
}

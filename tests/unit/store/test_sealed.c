/* The sealed ledger on the real disk: nothing written shows in its files, and whoever changes,
 * cuts, swaps or replaces one of them is found out, by name. */
#include "tests/unit/store/rig.h"

#include "store/sqlite_impl.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CANARY "canary-7f3a"
enum { VALUES = 200, FILE_BYTES_MAX = 8 << 20, LOG_HEAD = 32, FRAME = PAGE_BYTES + 24 };

static struct rig rig;
static char root[64], copy[80];

static void shell(const char *format, ...) {
  char command[512];
  va_list args;
  va_start(args, format);
  vsnprintf(command, sizeof command, format, args);
  va_end(args);
  if (system(command) != 0) fail_msg("%s", command);
}

static int set_up(void **state) {
  struct err err;
  snprintf(root, sizeof root, "/tmp/medulla-sealed-XXXXXX");
  if (!mkdtemp(root)) return 1;
  snprintf(copy, sizeof copy, "%s.copy", root);
  rig_init(&rig, true, store_open_sqlite);
  assert_ok(disk_open_real(root, &rig.disk, &err), err);
  rig.options.checkpoint_pages = 1u << 20; /* what is written stays in the log */
  return 0;
}

static int tear_down(void **state) {
  rig_fini(&rig);
  disk_close(&rig.disk);
  shell("rm -rf %s %s", root, copy);
  return 0;
}

/* Values with the canary in every table's kind, long ones too. */
static void fill(unsigned from) {
  static char value[20000];
  for (unsigned i = from; i < from + VALUES / 10; i++) {
    struct store_commit *commit = commit_new();
    char key[64];
    snprintf(key, sizeof key, CANARY "-%u", i);
    for (size_t at = 0; at + 16 < sizeof value; at += 16) memcpy(value + at, "==" CANARY "===", 16);
    commit_put(commit, TABLE_state, bytes_str(key), BYTES(CANARY));
    commit_put(commit, TABLE_app, bytes_str(key), BYTES(CANARY));
    commit_append(commit, TABLE_event, bytes_str(key), bytes_of(value, sizeof value));
    assert_int_equal(rig_commit(&rig, commit).result.err.code, ERR_OK);
  }
}

/* A crash without a crash: the files as they are now, put in the place of what closing leaves. */
static void keep_copy(void) {
  shell("rm -rf %s && cp -a %s %s", copy, root, copy);
}

static void put_back(void) {
  shell("rm -rf %s/ledger && cp -a %s/ledger %s/ledger", root, copy, root);
}

static void close_store(void) {
  store_close(&rig.store);
  while (loop_step(rig.loop, 0)) continue;
}

static size_t load(const char *name, uint8_t *at) {
  char path[160];
  snprintf(path, sizeof path, "%s/ledger/%s", root, name);
  FILE *file = fopen(path, "rb");
  size_t len = file ? fread(at, 1, FILE_BYTES_MAX, file) : 0;
  if (file) fclose(file);
  if (strcmp(name, "ledger.db-wal") != 0 || len <= LOG_HEAD) return len;
  /* Behind its last frame the log is zeros. */
  while (len > LOG_HEAD && at[len - 1] == 0) len--;
  return LOG_HEAD + (len - LOG_HEAD + FRAME - 1) / FRAME * FRAME;
}

static void save(const char *name, const uint8_t *at, size_t len) {
  char path[160];
  snprintf(path, sizeof path, "%s/ledger/%s", root, name);
  FILE *file = fopen(path, "wb");
  assert_int_equal(fwrite(at, 1, len, file), len);
  fclose(file);
}

static bool take_row(void *arg, const struct store_row *row) {
  ++*(unsigned *)arg;
  return true;
}

/* Whether every page of the database is what was sealed, read or not. */
static bool every_page_is_sound(void) {
  static uint8_t bytes[FILE_BYTES_MAX];
  struct page_key key;
  struct err err;
  bool fresh;
  assert_ok(sql_identity(&rig.options, &key, &fresh, &err), err);
  size_t len = load("ledger.db", bytes);
  for (uint32_t i = 0; i < len / PAGE_BYTES; i++)
    if (!page_decode(&key, &(struct page_place){.number = i + 1}, bytes + (size_t)i * PAGE_BYTES))
      return false;
  return true;
}

/* True: opens, and every row is there and right; else what was said is in *err. */
static bool all_is_well(struct err *err) {
  unsigned rows = 0;
  char key[64];
  struct buf value;
  uint64_t version;
  rig.options.disk = rig.disk;
  if (!store_open_sqlite(&rig.options, &rig.store, err)) return false;
  buf_init(&value, 100);
  bool good = store_tail(store_reader(rig.store), TABLE_event, 0, false, take_row, &rows, err);
  for (unsigned i = 0; good && i < VALUES / 10; i++) {
    snprintf(key, sizeof key, CANARY "-%u", i);
    good = store_get(store_reader(rig.store), TABLE_state, bytes_str(key), &value, &version, err) &&
           store_get(store_reader(rig.store), TABLE_app, bytes_str(key), &value, &version, err);
    if (good && !version) fail_msg("row %u is missing and nobody says so", i);
  }
  if (good) assert_true(rows >= VALUES / 10);
  buf_fini(&value);
  close_store();
  return good;
}

static void expect_damage(const char *name) {
  struct err err;
  if (all_is_well(&err)) {
    /* A page that nothing reads harms nothing; it is refused all the same. */
    if (every_page_is_sound()) fail_msg("%s: not found", name);
    return;
  }
  assert_int_equal(err.code, ERR_CORRUPT);
  if (!strstr(err.detail, "ledger/")) fail_msg("%s: says only: %s", name, err.detail);
}

static void nothing_shows(void **state) {
  rig_open(&rig);
  fill(0);
  shell("! grep -r -a -q -e %s -e kv_state -e 'CREATE TABLE' %s", CANARY, root);
  close_store();
  shell("! grep -r -a -q -e %s -e kv_state -e 'CREATE TABLE' -e 'SQLite format' %s", CANARY, root);
}

static void every_file_is_guarded_bit_by_bit(void **state) {
  static const char *const names[] = {"ledger.db", "ledger.db-wal", "identity", "reach"};
  static uint8_t bytes[FILE_BYTES_MAX];
  struct err err;
  rig_open(&rig);
  fill(0);
  keep_copy();
  close_store();
  put_back();
  if (!all_is_well(&err)) fail_msg("%s", err.detail);
  /* As a crash left it, then as a clean end left it. */
  for (int clean = 0; clean < 2; clean++) {
    put_back();
    if (clean && !all_is_well(&err)) fail_msg("%s", err.detail);
    if (clean) keep_copy();
    /* After a crash the log has the database's pages, and puts them right. */
    for (size_t n = clean ? 0 : 1; n < sizeof names / sizeof *names; n++) {
      put_back();
      size_t len = load(names[n], bytes), step = len / 40 + 1;
      for (size_t at = 0; at < len; at += step) {
        put_back();
        bytes[at] ^= (uint8_t)(1u << at % 8);
        save(names[n], bytes, len);
        bool log_head = strcmp(names[n], "ledger.db-wal") == 0 && at < LOG_HEAD;
        if (!log_head || at >= 24 || at < 4) expect_damage(names[n]);
        bytes[at] ^= (uint8_t)(1u << at % 8);
      }
    }
  }
  put_back();
  if (!all_is_well(&err)) fail_msg("%s", err.detail);
}

static void what_is_cut_is_found(void **state) {
  static const char *const names[] = {"ledger.db", "ledger.db-wal", "identity", "reach"};
  static uint8_t bytes[FILE_BYTES_MAX];
  rig_open(&rig);
  fill(0);
  close_store(); /* some of it in the database */
  rig_open(&rig);
  fill(VALUES / 10);
  keep_copy();
  close_store();
  for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
    put_back();
    size_t len = load(names[n], bytes);
    size_t cuts[] = {0,
                     1,
                     len / 2,
                     len - 1,
                     len > FRAME ? len - FRAME : 0,
                     len > PAGE_BYTES ? (len / PAGE_BYTES - 1) * PAGE_BYTES : 0};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
      put_back();
      save(names[n], bytes, cuts[i]);
      expect_damage(names[n]);
    }
    put_back();
    shell("rm %s/ledger/%s", root, names[n]);
    expect_damage(names[n]);
  }
}

static void swapped_and_old_pages_are_found(void **state) {
  static uint8_t bytes[FILE_BYTES_MAX], old[FILE_BYTES_MAX], page[PAGE_BYTES];
  rig_open(&rig);
  fill(0);
  close_store();
  load("ledger.db", old);
  keep_copy();
  size_t len = load("ledger.db", bytes), pages = len / PAGE_BYTES;
  for (size_t i = 1; i + 1 < pages; i += 7) {
    put_back();
    memcpy(page, bytes + i * PAGE_BYTES, PAGE_BYTES);
    memcpy(bytes + i * PAGE_BYTES, bytes + (i + 1) * PAGE_BYTES, PAGE_BYTES);
    memcpy(bytes + (i + 1) * PAGE_BYTES, page, PAGE_BYTES);
    save("ledger.db", bytes, len);
    expect_damage("swapped");
    memcpy(bytes, old, len);
    memset(bytes + i * PAGE_BYTES, 0, PAGE_BYTES);
    save("ledger.db", bytes, len);
    expect_damage("zeros");
    memcpy(bytes, old, len);
  }
  /* An older copy of the database alone. */
  put_back();
  rig_open(&rig);
  fill(VALUES / 10);
  close_store();
  save("ledger.db", old, len);
  expect_damage("older");
}

/* The log's frames belong to their place: two of the same page may not change places. */
static void swapped_frames_are_found(void **state) {
  static uint8_t bytes[FILE_BYTES_MAX], frame[FRAME];
  rig_open(&rig);
  fill(0);
  keep_copy();
  close_store();
  put_back();
  size_t len = load("ledger.db-wal", bytes), frames = (len - LOG_HEAD) / FRAME;
  assert_true(frames > 40);
  for (size_t i = 1; i + 20 < frames; i += frames / 6) {
    uint8_t *a = bytes + LOG_HEAD + i * FRAME, *b = a + (size_t)15 * FRAME;
    put_back();
    memcpy(frame, a, FRAME), memcpy(a, b, FRAME), memcpy(b, frame, FRAME);
    save("ledger.db-wal", bytes, len);
    expect_damage("frames");
    memcpy(frame, a, FRAME), memcpy(a, b, FRAME), memcpy(b, frame, FRAME);
  }
}

static void other_keys_open_nothing(void **state) {
  struct err err;
  rig_open(&rig);
  fill(0);
  close_store();
  struct rig other;
  rig_init(&other, true, store_open_sqlite);
  rig.options.keys = other.keys;
  assert_fails(store_open_sqlite(&rig.options, &rig.store, &err), err, ERR_CORRUPT);
  rig.options.keys = NULL;
  assert_fails(store_open_sqlite(&rig.options, &rig.store, &err), err, ERR_DENIED);
  rig.options.keys = rig.keys;
  if (!all_is_well(&err)) fail_msg("%s", err.detail);
  rig_fini(&other);
}

static void a_plain_ledger_is_refused(void **state) {
  struct err err;
  rig.options.keys = NULL;
  rig_open(&rig);
  close_store();
  rig.options.keys = rig.keys;
  assert_fails(store_open_sqlite(&rig.options, &rig.store, &err), err, ERR_UNSUPPORTED);
}

/* SQLite would play a journal back into the database, through the keys. */
static void a_planted_journal_is_not_played(void **state) {
  struct err err;
  static uint8_t journal[512 + 4 + PAGE_BYTES + 4] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1,
                                                      0x63, 0xd7, 0,    0,    0,    1};
  rig_open(&rig);
  fill(0);
  close_store();
  journal[19] = 1;               /* pages before */
  journal[22] = 2;               /* sector size 512 */
  journal[26] = PAGE_BYTES >> 8; /* page size */
  journal[512 + 3] = 2;          /* page 2 is to be overwritten with zeros */
  save("ledger.db-journal", journal, sizeof journal);
  if (!all_is_well(&err)) fail_msg("%s", err.detail);
}

static void rotation_reads_both_epochs(void **state) {
  struct err err;
  rig_open(&rig);
  fill(0);
  assert_ok(keyring_rotate(rig.keys, &err), err);
  fill(VALUES / 10);
  keep_copy();
  close_store();
  if (!all_is_well(&err)) fail_msg("%s", err.detail);
  put_back();
  if (!all_is_well(&err)) fail_msg("%s", err.detail);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  static const struct CMUnitTest tests[] = {
      TEST(nothing_shows),
      TEST(every_file_is_guarded_bit_by_bit),
      TEST(what_is_cut_is_found),
      TEST(swapped_and_old_pages_are_found),
      TEST(swapped_frames_are_found),
      TEST(other_keys_open_nothing),
      TEST(a_plain_ledger_is_refused),
      TEST(a_planted_journal_is_not_played),
      TEST(rotation_reads_both_epochs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

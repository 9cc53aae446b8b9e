/* The derived index, in memory and on RocksDB: the same behaviour. */
#include "tests/unit/test.h"

#include "os/disk_sim.h"
#include "seal/keys.h"
#include "store/index.h"

#include <unistd.h>

static char root[64];
static char path[96];
static struct index_place place;
static struct disk *disk, *keys_disk;
static struct keyring *ring;

static int memory_setup(void **state) {
  *state = index_open_memory();
  return 0;
}

static int rocks_setup(void **state) {
  struct err err;
  snprintf(root, sizeof root, "/tmp/medulla-index-XXXXXX");
  if (!mkdtemp(root)) return 1;
  snprintf(path, sizeof path, "%s/index", root);
  place = (struct index_place){.path = path};
  return !index_open_rocksdb(&place, (struct index **)state, &err);
}

static int sealed_setup(void **state) {
  struct err err;
  struct root *key = root_random(random_real());
  snprintf(root, sizeof root, "/tmp/medulla-index-XXXXXX");
  if (!mkdtemp(root)) return 1;
  snprintf(path, sizeof path, "%s/index", root);
  keys_disk = disk_new_simulated(1);
  assert_ok(keyring_create(keys_disk, key, clock_real(), &ring, &err), err);
  assert_ok(disk_open_real(root, &disk, &err), err);
  root_free(&key);
  place = (struct index_place){.path = "index", .disk = disk, .keys = ring};
  return !index_open_rocksdb(&place, (struct index **)state, &err);
}

static int memory_teardown(void **state) {
  index_close((struct index **)state);
  return 0;
}

static int rocks_teardown(void **state) {
  char command[96];
  index_close((struct index **)state);
  snprintf(command, sizeof command, "rm -rf %s", root);
  return system(command);
}

static int sealed_teardown(void **state) {
  int code = rocks_teardown(state);
  disk_close(&disk);
  keyring_close(&ring);
  disk_close(&keys_disk);
  return code;
}

static void put(struct index *index, const char *const keys[], uint64_t position) {
  struct index_batch *batch = index_batch_new();
  struct err err;
  for (; *keys; keys++) index_batch_put(batch, bytes_str(*keys), bytes_str(*keys));
  assert_ok(index_apply(index, batch, position, &err), err);
  index_batch_free(&batch);
}

static bool join(void *arg, struct bytes key, struct bytes value) {
  char *text = arg;
  assert_true(bytes_eq(key, value));
  size_t len = strlen(text);
  snprintf(text + len, 200 - len, "%.*s ", BYTES_FMT(key));
  return strlen(text) < 100;
}

static const char *scan(struct index *index, const char *prefix, const char *from, bool reverse) {
  static char text[200];
  struct err err;
  text[0] = '\0';
  assert_ok(index_scan(index, bytes_str(prefix), bytes_str(from), reverse, join, text, &err), err);
  return text;
}

static void finds_and_scans(void **state) {
  struct index *index = *state;
  put(index, (const char *const[]){"a", "b", "b1", "b2", "b\xff", "c", NULL}, 1);
  assert_string_equal(scan(index, "b", "", false), "b b1 b2 b\xff ");
  assert_string_equal(scan(index, "b", "b1", false), "b1 b2 b\xff ");
  assert_string_equal(scan(index, "b", "", true), "b\xff b2 b1 b ");
  assert_string_equal(scan(index, "b", "b1z", true), "b1 b ");
  assert_string_equal(scan(index, "", "", false), "a b b1 b2 b\xff c ");
  assert_string_equal(scan(index, "", "", true), "c b\xff b2 b1 b a ");
  assert_string_equal(scan(index, "z", "", false), "");
  struct buf value;
  struct err err;
  bool found;
  buf_init(&value, 10);
  assert_ok(index_get(index, BYTES("b1"), &value, &found, &err), err);
  assert_true(found);
  assert_bytes(buf_bytes(&value), "b1");
  assert_ok(index_get(index, BYTES("b3"), &value, &found, &err), err);
  assert_false(found);
  buf_fini(&value);
  buf_init(&value, 1);
  assert_fails(index_get(index, BYTES("b1"), &value, &found, &err), err, ERR_LIMIT);
  buf_fini(&value);
}

static void removes_one_and_ranges(void **state) {
  struct index *index = *state;
  struct index_batch *batch = index_batch_new();
  struct err err;
  put(index, (const char *const[]){"a", "b1", "b2", "b3", "c", NULL}, 1);
  index_batch_remove(batch, BYTES("a"));
  index_batch_remove_range(batch, BYTES("b2"), BYTES("c"));
  index_batch_put(batch, BYTES("b3"), BYTES("b3")); /* after the range, in the same batch */
  assert_ok(index_apply(index, batch, 2, &err), err);
  assert_string_equal(scan(index, "", "", false), "b1 b3 c ");
  assert_ok(index_apply(index, batch, 3, &err), err); /* it was emptied */
  index_batch_free(&batch);
}

static void position_counts_once_flushed(void **state) {
  struct index *index = *state;
  struct err err;
  put(index, (const char *const[]){"a", NULL}, 7);
  assert_ok(index_flush(index, &err), err);
  assert_int_equal(index_position(index), 7);
}

static void reopening_keeps_rows_and_position(void **state) {
  struct err err;
  put(*state, (const char *const[]){"a", NULL}, 7);
  assert_ok(index_flush(*state, &err), err);
  put(*state, (const char *const[]){"lost", NULL}, 8);
  index_close((struct index **)state);
  assert_ok(index_open_rocksdb(&place, (struct index **)state, &err), err);
  /* Closing may flush: then both the row and the position are there, never one of them. */
  bool kept = index_position(*state) == 8;
  assert_string_equal(scan(*state, "", "", false), kept ? "a lost " : "a ");
}

static void flushes_by_position(void **state) {
  bool flushed = false;
  for (uint64_t i = 1; i <= 3 * INDEX_FLUSH_POSITIONS; i += INDEX_FLUSH_POSITIONS / 10) {
    put(*state, (const char *const[]){"a", "b", NULL}, i);
    usleep(2000);
    if (index_position(*state) > 0) flushed = true;
  }
  assert_true(flushed);
}

static void what_cannot_be_used_starts_empty(void **state) {
  struct err err;
  char command[160];
  put(*state, (const char *const[]){"a", NULL}, 7);
  assert_ok(index_flush(*state, &err), err);
  index_close((struct index **)state);
  assert_ok(index_open_or_rebuild(&place, 7, (struct index **)state, &err), err);
  assert_string_equal(scan(*state, "", "", false), "a ");
  index_close((struct index **)state);
  /* Ahead of the ledger: of another one, or the ledger was restored. */
  assert_ok(index_open_or_rebuild(&place, 6, (struct index **)state, &err), err);
  assert_string_equal(scan(*state, "", "", false), "");
  put(*state, (const char *const[]){"b", NULL}, 6);
  index_close((struct index **)state);
  snprintf(command, sizeof command, "for f in %s/*; do echo damaged > $f; done", path);
  assert_int_equal(system(command), 0);
  struct index *index = NULL;
  assert_false(index_open_rocksdb(&place, &index, &err));
  assert_ok(index_open_or_rebuild(&place, 6, (struct index **)state, &err), err);
  assert_int_equal(index_position(*state), 0);
}

/* Keys, values and their order stay out of sight; a changed bit is found. */
static void its_files_are_sealed(void **state) {
  struct err err;
  char command[200];
  put(*state, (const char *const[]){"canary-7f3a", NULL}, 7);
  assert_ok(index_flush(*state, &err), err);
  index_close((struct index **)state);
  snprintf(command, sizeof command, "! grep -raq -e canary-7f3a -e rocksdb -e bloom %s", path);
  assert_int_equal(system(command), 0);
  snprintf(command, sizeof command,
           "for f in %s/*.sst; do printf X | dd of=$f bs=1 seek=200 conv=notrunc 2>/dev/null; done",
           path);
  assert_int_equal(system(command), 0);
  struct index *index = NULL;
  struct buf value;
  bool found = false;
  buf_init(&value, 100);
  bool good = index_open_rocksdb(&place, &index, &err) &&
              index_get(index, BYTES("canary-7f3a"), &value, &found, &err);
  assert_false(good);
  assert_int_equal(err.code, ERR_CORRUPT);
  assert_non_null(strstr(err.detail, ".sst"));
  index_close(&index);
  buf_fini(&value);
}

#define SEALED(f) \
  { #f " on sealed RocksDB", f, sealed_setup, sealed_teardown, NULL }
#define MEMORY(f) \
  { #f " in memory", f, memory_setup, memory_teardown, NULL }
#define ROCKS(f) \
  { #f " on RocksDB", f, rocks_setup, rocks_teardown, NULL }

int main(void) {
  static const struct CMUnitTest tests[] = {
      MEMORY(finds_and_scans),
      ROCKS(finds_and_scans),
      MEMORY(removes_one_and_ranges),
      ROCKS(removes_one_and_ranges),
      MEMORY(position_counts_once_flushed),
      ROCKS(position_counts_once_flushed),
      ROCKS(reopening_keeps_rows_and_position),
      ROCKS(flushes_by_position),
      ROCKS(what_cannot_be_used_starts_empty),
      SEALED(finds_and_scans),
      SEALED(removes_one_and_ranges),
      SEALED(position_counts_once_flushed),
      SEALED(reopening_keeps_rows_and_position),
      SEALED(flushes_by_position),
      SEALED(what_cannot_be_used_starts_empty),
      SEALED(its_files_are_sealed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

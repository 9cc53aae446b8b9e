/* The simulated disk keeps its few promises and breaks everything else. */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "os/disk_sim.h"

enum { SECTORS = 4, BYTES_ALL = SECTORS * DISK_SIM_SECTOR_BYTES };

static struct file *make(struct disk *disk, const char *path, uint8_t fill) {
  static uint8_t data[BYTES_ALL];
  struct file *file = NULL;
  struct err err;
  memset(data, fill, sizeof data);
  assert_ok(file_open(disk, path, FILE_WRITE | FILE_CREATE, &file, &err), err);
  assert_ok(file_write(file, 0, bytes_of(data, sizeof data), &err), err);
  return file;
}

static size_t load(struct disk *disk, const char *path, uint8_t ret_data[BYTES_ALL]) {
  struct file *file = NULL;
  struct err err;
  size_t len = 0;
  memset(ret_data, 0, BYTES_ALL);
  if (!file_open(disk, path, FILE_READ, &file, &err)) return SIZE_MAX;
  assert_ok(file_read(file, 0, ret_data, BYTES_ALL, &len, &err), err);
  file_close(&file);
  return len;
}

static void what_is_synced_stays(void **state) {
  for (uint64_t seed = 1; seed < 100; seed++) {
    uint8_t data[BYTES_ALL];
    struct disk *disk = disk_new_simulated(seed);
    struct file *file = make(disk, "f", 'a');
    struct err err;
    assert_ok(file_sync(file, &err), err);
    assert_ok(disk_sync_dir(disk, "", &err), err);
    disk_sim_crash(disk);
    assert_false(file_sync(file, &err)); /* opened before the crash */
    file_close(&file);
    assert_int_equal(load(disk, "f", data), BYTES_ALL);
    for (size_t i = 0; i < BYTES_ALL; i++) assert_int_equal(data[i], 'a');
    disk_close(&disk);
  }
}

/* Over many seeds every outcome is met: old, new, torn between sectors, never within one. */
static void what_is_not_synced_may_tear(void **state) {
  unsigned old = 0, new = 0, torn = 0;
  for (uint64_t seed = 1; seed < 200; seed++) {
    uint8_t data[BYTES_ALL];
    struct disk *disk = disk_new_simulated(seed);
    struct file *file = make(disk, "f", 'a');
    struct err err;
    assert_ok(file_sync(file, &err), err);
    assert_ok(disk_sync_dir(disk, "", &err), err);
    file_close(&file);
    file = make(disk, "f", 'b');
    file_close(&file);
    disk_sim_crash(disk);
    assert_int_equal(load(disk, "f", data), BYTES_ALL);
    unsigned fresh = 0;
    for (size_t i = 0; i < SECTORS; i++) {
      uint8_t first = data[i * DISK_SIM_SECTOR_BYTES];
      assert_memory_equal(data + i * DISK_SIM_SECTOR_BYTES + 1, data + i * DISK_SIM_SECTOR_BYTES,
                          DISK_SIM_SECTOR_BYTES - 1);
      fresh += first == 'b';
    }
    old += fresh == 0;
    new += fresh == SECTORS;
    torn += fresh > 0 && fresh < SECTORS;
    disk_close(&disk);
  }
  assert_true(old > 20 && new > 20 && torn > 20);
}

static void a_name_needs_its_folder_synced(void **state) {
  unsigned lost = 0, kept = 0;
  for (uint64_t seed = 1; seed < 100; seed++) {
    uint8_t data[BYTES_ALL];
    struct disk *disk = disk_new_simulated(seed);
    struct file *file = make(disk, "f", 'a');
    struct err err;
    assert_ok(file_sync(file, &err), err);
    file_close(&file);
    disk_sim_crash(disk);
    if (load(disk, "f", data) == SIZE_MAX)
      lost++;
    else
      kept++;
    disk_close(&disk);
  }
  assert_true(lost > 20 && kept > 20);
}

/* Saving a small file over another: after any crash one of the two is there, whole. */
static void saving_is_atomic(void **state) {
  unsigned first = 0, second = 0;
  for (uint64_t seed = 1; seed < 300; seed++) {
    struct disk *disk = disk_new_simulated(seed);
    struct err err;
    cleanup_buf struct buf data;
    buf_init(&data, 100);
    assert_ok(disk_save(disk, "k", BYTES("first"), &err), err);
    disk_sim_power_off(disk, seed % 8);
    bool saved = disk_save(disk, "k", BYTES("second"), &err);
    disk_sim_crash(disk);
    assert_ok(disk_load(disk, "k", 100, &data, &err), err);
    bool is_second = bytes_eq_str(buf_bytes(&data), "second");
    assert_true(is_second || bytes_eq_str(buf_bytes(&data), "first"));
    assert_true(is_second || !saved);
    first += !is_second;
    second += is_second;
    disk_close(&disk);
  }
  assert_true(first > 20 && second > 20);
}

static void a_full_disk_takes_what_fits(void **state) {
  struct disk *disk = disk_new_simulated(1);
  struct file *file = make(disk, "f", 'a');
  struct err err;
  uint64_t size;
  static const uint8_t more[1000];
  disk_sim_quota(disk, BYTES_ALL + 100);
  assert_fails(file_write(file, BYTES_ALL, bytes_of(more, 1000), &err), err, ERR_FULL);
  assert_ok(file_size(file, &size, &err), err);
  assert_int_equal(size, BYTES_ALL + 100);
  assert_ok(file_write(file, 0, bytes_of(more, 1000), &err), err); /* over what is there */
  assert_ok(file_truncate(file, 10, &err), err);
  assert_ok(file_write(file, 10, bytes_of(more, 1000), &err), err);
  assert_int_equal(disk_sim_bytes(disk), 1010);
  file_close(&file);
  disk_close(&disk);
}

static void one_call_fails_when_told(void **state) {
  struct disk *disk = disk_new_simulated(1);
  struct file *file = make(disk, "f", 'a');
  struct err err;
  disk_sim_fail(disk, 2, ERR_IO);
  assert_ok(file_write(file, 0, BYTES("x"), &err), err);
  assert_fails(file_write(file, 0, BYTES("x"), &err), err, ERR_IO);
  assert_ok(file_write(file, 0, BYTES("x"), &err), err);
  file_close(&file);
  disk_close(&disk);
}

/* A failed sync is not made good by the next one. */
static void a_failed_sync_is_not_repeated(void **state) {
  unsigned lost = 0;
  for (uint64_t seed = 1; seed < 50; seed++) {
    uint8_t data[BYTES_ALL];
    struct disk *disk = disk_new_simulated(seed);
    struct file *file = make(disk, "f", 'a');
    struct err err;
    assert_ok(disk_sync_dir(disk, "", &err), err);
    disk_sim_fail(disk, 1, ERR_IO);
    assert_fails(file_sync(file, &err), err, ERR_IO);
    assert_ok(file_sync(file, &err), err);
    file_close(&file);
    disk_sim_crash(disk);
    size_t len = load(disk, "f", data);
    lost += len != BYTES_ALL || memchr(data, 0, BYTES_ALL) != NULL;
    disk_close(&disk);
  }
  assert_true(lost > 10);
}

static void one_bit_turns_over(void **state) {
  uint8_t data[BYTES_ALL];
  struct disk *disk = disk_new_simulated(1);
  struct file *file = make(disk, "f", 'a');
  file_close(&file);
  assert_true(disk_sim_flip(disk, "f", 600, 3));
  assert_false(disk_sim_flip(disk, "f", BYTES_ALL, 0));
  assert_false(disk_sim_flip(disk, "g", 0, 0));
  load(disk, "f", data);
  assert_int_equal(data[600], 'a' ^ 8);
  assert_int_equal(data[601], 'a');
  disk_close(&disk);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_synced_stays),
      cmocka_unit_test(what_is_not_synced_may_tear),
      cmocka_unit_test(a_name_needs_its_folder_synced),
      cmocka_unit_test(saving_is_atomic),
      cmocka_unit_test(a_full_disk_takes_what_fits),
      cmocka_unit_test(one_call_fails_when_told),
      cmocka_unit_test(a_failed_sync_is_not_repeated),
      cmocka_unit_test(one_bit_turns_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

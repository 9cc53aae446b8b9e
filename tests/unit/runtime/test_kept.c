/* What workers make is kept through the disk port and comes back as memory of a fixed size. */
#include "tests/unit/test.h"

#include "os/disk_sim.h"
#include "os/shm.h"
#include "runtime/kept.h"
#include "seal/disk.h"

#include <unistd.h>

static struct disk *below, *keys_disk, *disk;
static struct keyring *keys;

static int set_up(void **state) {
  struct err err;
  struct root *root = root_random(random_real());
  below = disk_new_simulated(1);
  keys_disk = disk_new_simulated(2);
  assert_ok(keyring_create(keys_disk, root, clock_real(), &keys, &err), err);
  root_free(&root);
  disk = sealed_disk_new(below, keys, SEALED_OBJECT_CHUNK);
  return 0;
}

static int tear_down(void **state) {
  disk_close(&disk);
  keyring_close(&keys);
  disk_close(&keys_disk);
  disk_close(&below);
  return 0;
}

static void it_comes_back(void **state) {
  static uint8_t text[200000], back[200000];
  struct err err;
  int made, kept;
  for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 7 >> 3);
  assert_ok(shm_create_growing("test", &made, &err), err);
  assert_int_equal(write(made, text, sizeof text), sizeof text);
  assert_ok(kept_save(disk, "a", made, &err), err);
  assert_ok(kept_save(disk, "a", made, &err), err);
  assert_false(disk_exists(disk, "a.new"));
  assert_ok(kept_load(disk, "a", &kept, &err), err);
  assert_int_equal(pread(kept, back, sizeof back, 0), sizeof back);
  assert_memory_equal(back, text, sizeof text);
  assert_int_not_equal(ftruncate(kept, 10), 0);
  close(kept);
  close(made);
}

static void what_is_lost_or_damaged_is_told(void **state) {
  struct err err;
  int made, kept;
  assert_fails(kept_load(disk, "a", &kept, &err), err, ERR_NOT_FOUND);
  assert_ok(shm_create_growing("test", &made, &err), err);
  assert_ok(kept_save(disk, "empty", made, &err), err);
  assert_fails(kept_load(disk, "empty", &kept, &err), err, ERR_CORRUPT);
  assert_int_equal(write(made, "text", 4), 4);
  assert_ok(kept_save(disk, "a", made, &err), err);
  assert_true(disk_sim_flip(below, "a", 100, 1));
  assert_fails(kept_load(disk, "a", &kept, &err), err, ERR_CORRUPT);
  for (uint64_t nth = 1; nth < 8; nth++) {
    disk_sim_fail(below, nth, ERR_FULL);
    bool good = kept_save(disk, "b", made, &err);
    disk_sim_fail(below, 0, ERR_OK);
    if (good) assert_ok(kept_load(disk, "b", &kept, &err), err);
    if (good) close(kept);
  }
  close(made);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  static const struct CMUnitTest tests[] = {
      TEST(it_comes_back),
      TEST(what_is_lost_or_damaged_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

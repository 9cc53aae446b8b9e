/* Sealed files: what is written comes back, in any pieces; what is changed, cut, moved or swapped
 * is found and named; nothing plain reaches the disk below. */
#include "tests/unit/test.h"

#include "os/disk_sim.h"
#include "seal/disk.h"

#include <stdlib.h>

enum { CHUNK = 1024, HEAD = 72, SEALED_CHUNK = CHUNK + AEAD_EXTRA_BYTES };

static struct disk *below, *keys_disk, *disk;
static struct keyring *keys;
static uint8_t text[20000];

static int set_up(void **state) {
  struct err err;
  struct root *root = root_random(random_real());
  below = disk_new_simulated(1);
  keys_disk = disk_new_simulated(2);
  assert_ok(keyring_create(keys_disk, root, clock_real(), &keys, &err), err);
  root_free(&root);
  disk = sealed_disk_new(below, keys, CHUNK);
  for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 13 >> 2);
  return 0;
}

static int tear_down(void **state) {
  disk_close(&disk);
  keyring_close(&keys);
  disk_close(&keys_disk);
  disk_close(&below);
  return 0;
}

static void write_in_pieces(const char *path, size_t len, size_t piece) {
  struct file *file;
  struct err err;
  assert_ok(file_open(disk, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file, &err), err);
  for (size_t at = 0; at < len; at += piece) {
    size_t part = len - at < piece ? len - at : piece;
    assert_ok(file_write(file, at, bytes_of(text + at, part), &err), err);
    if (at % 3 == 0) assert_ok(file_sync(file, &err), err); /* an end that is written over */
  }
  assert_ok(file_sync(file, &err), err);
  file_close(&file);
}

static bool reads_back(const char *path, size_t len, struct err *err) {
  struct buf back;
  buf_init(&back, sizeof text);
  bool good = disk_load(disk, path, sizeof text, &back, err);
  if (good) {
    assert_int_equal(back.len, len);
    if (len) assert_memory_equal(back.at, text, len);
  }
  buf_fini(&back);
  return good;
}

static void it_comes_back_in_any_pieces(void **state) {
  static const size_t sizes[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 20000};
  static const size_t pieces[] = {1, 100, CHUNK, 5000};
  struct err err;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
      write_in_pieces("file", sizes[i], pieces[j]);
      if (!reads_back("file", sizes[i], &err)) fail_msg("%s", err.detail);
    }
  struct file *file;
  uint8_t part[3000];
  size_t len;
  assert_ok(file_open(disk, "file", FILE_READ, &file, &err), err);
  for (uint64_t at = 0; at < 20000; at += 777) {
    assert_ok(file_read(file, at, part, sizeof part, &len, &err), err);
    assert_int_equal(len, at + sizeof part > 20000 ? 20000 - at : sizeof part);
    assert_memory_equal(part, text + at, len);
  }
  assert_fails(file_write(file, 20000, BYTES("x"), &err), err, ERR_DENIED);
  file_close(&file);
}

static void a_writer_reads_and_goes_on(void **state) {
  struct file *file;
  struct err err;
  size_t len;
  uint8_t part[2000];
  write_in_pieces("file", 1500, 1500);
  assert_ok(file_open(disk, "file", FILE_WRITE, &file, &err), err);
  assert_fails(file_write(file, 10, BYTES("x"), &err), err, ERR_UNSUPPORTED);
  assert_ok(file_write(file, 1500, bytes_of(text + 1500, 500), &err), err);
  assert_ok(file_read(file, 0, part, sizeof part, &len, &err), err);
  assert_int_equal(len, 2000);
  assert_memory_equal(part, text, 2000);
  file_close(&file);
  assert_true(reads_back("file", 2000, &err));
}

static void nothing_shows_below(void **state) {
  struct buf raw;
  struct err err;
  memcpy(text + 5000, "canary-7f3a", 11);
  write_in_pieces("file", 20000, 5000);
  buf_init(&raw, 1 << 20);
  assert_ok(disk_load(below, "file", 1 << 20, &raw, &err), err);
  assert_int_equal(bytes_find_bytes(buf_bytes(&raw), BYTES("canary-7f3a")), raw.len);
  assert_int_equal(bytes_find_bytes(buf_bytes(&raw), bytes_of(text, 16)), raw.len);
  buf_fini(&raw);
}

static void every_flipped_bit_is_found(void **state) {
  struct err err;
  write_in_pieces("file", 2500, 2500);
  uint64_t bytes = HEAD + 2 * SEALED_CHUNK + 2500 - 2 * CHUNK + AEAD_EXTRA_BYTES;
  for (uint64_t at = 0; at < bytes; at++) {
    assert_true(disk_sim_flip(below, "file", at, at % 8));
    if (reads_back("file", 2500, &err)) fail_msg("byte %d", (int)at);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.detail, "file"));
    assert_true(disk_sim_flip(below, "file", at, at % 8));
  }
  assert_true(reads_back("file", 2500, &err));
}

static void cut_swapped_and_replaced_files_are_found(void **state) {
  struct file *file;
  struct err err;
  write_in_pieces("one", 4000, 4000);
  write_in_pieces("two", 4000, 4000);
  for (uint64_t bytes = 0; bytes < HEAD + 4 * SEALED_CHUNK; bytes += 52) {
    write_in_pieces("cut", 4000, 4000);
    assert_ok(file_open(below, "cut", FILE_WRITE, &file, &err), err);
    uint64_t whole;
    assert_ok(file_size(file, &whole, &err), err);
    if (bytes < whole) assert_ok(file_truncate(file, bytes, &err), err);
    file_close(&file);
    if (bytes < whole && reads_back("cut", 4000, &err)) fail_msg("cut to %d", (int)bytes);
  }
  /* Chunks change places. */
  static uint8_t a[SEALED_CHUNK], b[SEALED_CHUNK];
  size_t len;
  assert_ok(file_open(below, "one", FILE_WRITE, &file, &err), err);
  assert_ok(file_read(file, HEAD, a, sizeof a, &len, &err), err);
  assert_ok(file_read(file, HEAD + SEALED_CHUNK, b, sizeof b, &len, &err), err);
  assert_ok(file_write(file, HEAD, bytes_of(b, sizeof b), &err), err);
  assert_ok(file_write(file, HEAD + SEALED_CHUNK, bytes_of(a, sizeof a), &err), err);
  file_close(&file);
  assert_false(reads_back("one", 4000, &err));
  /* One file takes another's place, past the port. */
  assert_ok(disk_rename(below, "two", "three", &err), err);
  assert_fails(reads_back("three", 4000, &err), err, ERR_CORRUPT);
}

static void renames_bind_anew(void **state) {
  struct err err;
  write_in_pieces("000005.dbtmp", 100, 100);
  assert_ok(disk_rename(disk, "000005.dbtmp", "CURRENT", &err), err);
  assert_true(reads_back("CURRENT", 100, &err));
  assert_ok(disk_save(disk, "folder", bytes_of(text, 3000), &err), err);
  assert_true(reads_back("folder", 3000, &err));
}

static void epochs_are_told_and_needed(void **state) {
  struct err err;
  write_in_pieces("old", 100, 100);
  assert_ok(keyring_rotate(keys, &err), err);
  write_in_pieces("new", 100, 100);
  assert_int_equal(sealed_epoch(below, "old"), 1);
  assert_int_equal(sealed_epoch(below, "new"), 2);
  assert_true(reads_back("old", 100, &err));
  assert_ok(keyring_retire(keys, 2, &err), err);
  assert_fails(reads_back("old", 100, &err), err, ERR_CORRUPT);
  assert_true(reads_back("new", 100, &err));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  static const struct CMUnitTest tests[] = {
      TEST(it_comes_back_in_any_pieces), TEST(a_writer_reads_and_goes_on),
      TEST(nothing_shows_below),         TEST(every_flipped_bit_is_found),
      TEST(renames_bind_anew),           TEST(cut_swapped_and_replaced_files_are_found),
      TEST(epochs_are_told_and_needed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

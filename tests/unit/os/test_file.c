/* Files on the real disk, and the same behaviour on the simulated one. */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "os/disk_sim.h"

#include <sys/stat.h>
#include <sys/wait.h>

static char root[64];

static int real_setup(void **state) {
  struct err err;
  snprintf(root, sizeof root, "/tmp/medulla-file-XXXXXX");
  if (!mkdtemp(root)) return 1;
  char path[96];
  snprintf(path, sizeof path, "%s/a/b", root);
  return !disk_open_real(path, (struct disk **)state, &err);
}

static int real_teardown(void **state) {
  char command[128];
  disk_close((struct disk **)state);
  snprintf(command, sizeof command, "rm -rf %s", root);
  return system(command);
}

static int sim_setup(void **state) {
  *state = disk_new_simulated(1);
  return 0;
}

static int sim_teardown(void **state) {
  disk_close((struct disk **)state);
  return 0;
}

static void reads_what_was_written(void **state) {
  struct disk *disk = *state;
  struct file *file = NULL;
  struct err err;
  uint8_t at[16];
  size_t len;
  uint64_t size;
  assert_fails(file_open(disk, "x", FILE_READ, &file, &err), err, ERR_NOT_FOUND);
  assert_ok(file_open(disk, "x", FILE_WRITE | FILE_CREATE, &file, &err), err);
  assert_ok(file_write(file, 3, BYTES("defg"), &err), err);
  assert_ok(file_read(file, 0, at, sizeof at, &len, &err), err);
  assert_int_equal(len, 7);
  assert_memory_equal(at, "\0\0\0defg", 7);
  assert_ok(file_read(file, 100, at, sizeof at, &len, &err), err);
  assert_int_equal(len, 0);
  assert_ok(file_truncate(file, 4, &err), err);
  assert_ok(file_size(file, &size, &err), err);
  assert_int_equal(size, 4);
  assert_ok(file_sync(file, &err), err);
  file_close(&file);
  assert_null(file);
  assert_fails(file_open(disk, "x", FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE, &file, &err), err,
               ERR_EXISTS);
  assert_ok(file_open(disk, "x", FILE_WRITE | FILE_TRUNCATE, &file, &err), err);
  assert_ok(file_size(file, &size, &err), err);
  assert_int_equal(size, 0);
  file_close(&file);
  assert_ok(file_open(disk, "x", FILE_READ, &file, &err), err);
  assert_false(file_write(file, 0, BYTES("no"), &err));
  file_close(&file);
}

static void paths_stay_within(void **state) {
  static const char *const bad[] = {"../x", "a/../x", "/etc/passwd", "a//b", "./x", "a/", "a/.."};
  char long_path[DISK_PATH_BYTES_MAX + 2];
  struct file *file = NULL;
  struct err err;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_fails(file_open(*state, bad[i], FILE_WRITE | FILE_CREATE, &file, &err), err, ERR_DENIED);
    assert_fails(disk_mkdir(*state, bad[i], &err), err, ERR_DENIED);
    assert_false(disk_exists(*state, bad[i]));
    assert_fails(disk_rename(*state, "x", bad[i], &err), err, ERR_DENIED);
  }
  memset(long_path, 'x', sizeof long_path - 1);
  long_path[sizeof long_path - 1] = '\0';
  assert_fails(disk_remove(*state, long_path, &err), err, ERR_LIMIT);
}

static bool count_name(void *arg, const char *name) {
  ++*(unsigned *)arg;
  return strcmp(name, "stop") != 0;
}

static void names_come_and_go(void **state) {
  struct disk *disk = *state;
  struct err err;
  unsigned names = 0;
  assert_ok(disk_mkdir(disk, "d/e", &err), err);
  assert_ok(disk_mkdir(disk, "d/e", &err), err);
  assert_ok(disk_save(disk, "d/e/one", BYTES("1"), &err), err);
  assert_ok(disk_save(disk, "d/e/two", BYTES("2"), &err), err);
  assert_ok(disk_rename(disk, "d/e/two", "d/e/one", &err), err);
  assert_false(disk_exists(disk, "d/e/two"));
  assert_ok(disk_list(disk, "d/e", count_name, &names, &err), err);
  assert_int_equal(names, 1);
  assert_ok(disk_remove(disk, "d/e/one", &err), err);
  assert_fails(disk_remove(disk, "d/e/one", &err), err, ERR_NOT_FOUND);
  assert_ok(disk_sync_dir(disk, "d/e", &err), err);
  assert_fails(disk_sync_dir(disk, "none", &err), err, ERR_NOT_FOUND);
  struct file *file = NULL;
  assert_fails(file_open(disk, "none/x", FILE_WRITE | FILE_CREATE, &file, &err), err,
               ERR_NOT_FOUND);
}

static void small_files_are_saved_whole(void **state) {
  struct disk *disk = *state;
  struct err err;
  cleanup_buf struct buf data;
  buf_init(&data, 100);
  assert_ok(disk_save(disk, "k", BYTES("first"), &err), err);
  assert_ok(disk_save(disk, "k", BYTES("second"), &err), err);
  assert_ok(disk_load(disk, "k", 100, &data, &err), err);
  assert_bytes(buf_bytes(&data), "second");
  assert_fails(disk_load(disk, "k", 5, &data, &err), err, ERR_LIMIT);
  assert_fails(disk_load(disk, "none", 5, &data, &err), err, ERR_NOT_FOUND);
  assert_false(disk_exists(disk, "k.new"));
}

static void a_folder_has_one_owner(void **state) {
  struct file *lock = NULL, *second = NULL;
  struct err err;
  assert_ok(disk_lock(*state, "lock", &lock, &err), err);
  assert_fails(disk_lock(*state, "lock", &second, &err), err, ERR_EXISTS);
  assert_non_null(strstr(err.detail, "pid"));
  file_close(&lock);
  assert_ok(disk_lock(*state, "lock", &lock, &err), err);
  file_close(&lock);
}

static void a_lock_names_its_holder_and_ends_with_it(void **state) {
  int ready[2], end[2];
  char byte;
  struct file *lock = NULL;
  struct err err;
  assert_int_equal(pipe(ready) | pipe(end), 0);
  pid_t child = fork();
  if (child == 0) {
    close(end[1]);
    bool good = disk_lock(*state, "lock", &lock, &err) && write(ready[1], "r", 1) == 1;
    if (read(end[0], &byte, 1) != 0) good = false;
    _exit(!good);
  }
  close(end[0]);
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_fails(disk_lock(*state, "lock", &lock, &err), err, ERR_EXISTS);
  char pid[32];
  snprintf(pid, sizeof pid, "(pid %d)", (int)child);
  assert_non_null(strstr(err.detail, pid));
  close(end[1]);
  waitpid(child, NULL, 0);
  assert_ok(disk_lock(*state, "lock", &lock, &err), err);
  file_close(&lock);
  close(ready[0]);
  close(ready[1]);
}

static void files_are_private(void **state) {
  struct err err;
  struct stat facts;
  char path[160];
  assert_ok(disk_save(*state, "k", BYTES("x"), &err), err);
  snprintf(path, sizeof path, "%s/k", disk_root(*state));
  assert_int_equal(stat(path, &facts), 0);
  assert_int_equal(facts.st_mode & 0777, 0600);
  assert_int_equal(stat(disk_root(*state), &facts), 0);
  assert_int_equal(facts.st_mode & 0777, 0700);
}

#define REAL(f) \
  { #f " on the real disk", f, real_setup, real_teardown, NULL }
#define SIM(f) \
  { #f " on the simulated disk", f, sim_setup, sim_teardown, NULL }

int main(void) {
  static const struct CMUnitTest tests[] = {
      REAL(reads_what_was_written),
      SIM(reads_what_was_written),
      REAL(paths_stay_within),
      SIM(paths_stay_within),
      REAL(names_come_and_go),
      SIM(names_come_and_go),
      REAL(small_files_are_saved_whole),
      SIM(small_files_are_saved_whole),
      REAL(a_folder_has_one_owner),
      SIM(a_folder_has_one_owner),
      REAL(a_lock_names_its_holder_and_ends_with_it),
      REAL(files_are_private),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which key opens a data folder: made where it does not lie in it, found again, missed in words. */
#include "tests/unit/test.h"

#include "app/unlock.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], data[96], path[4200];
static struct disk *disk;

static int set_up(void **state) {
  struct err err;
  snprintf(folder, sizeof folder, "/tmp/medulla-unlock-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  snprintf(data, sizeof data, "%s/data", folder);
  assert_ok(disk_open_real(data, &disk, &err), err);
  snprintf(path, sizeof path, "%s/config", folder);
  setenv("XDG_CONFIG_HOME", path, 1);
  unsetenv("CREDENTIALS_DIRECTORY");
  return 0;
}

static int tear_down(void **state) {
  char command[128];
  disk_close(&disk);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command);
}

static struct unlocked open_with(const struct unlock *how) {
  struct unlocked unlocked;
  struct err err;
  assert_ok(unlock(disk, how, &unlocked, &err), err);
  return unlocked;
}

static void a_new_folder_gets_a_key_in_the_configuration(void **state) {
  struct unlock how = {.data = data, .create = true};
  struct unlocked first = open_with(&how);
  struct stat facts;
  struct err err;
  assert_true(first.made);
  snprintf(path, sizeof path, "%s/config/medulla/%s.key", folder,
           keyring_facts(first.keys)->root_id);
  assert_string_equal(first.place, path);
  assert_int_equal(stat(path, &facts), 0);
  assert_int_equal(facts.st_mode & 0777, 0600);
  keyring_close(&first.keys);
  struct unlocked again = open_with(&how);
  assert_false(again.made);
  keyring_close(&again.keys);
  /* A lost key is told, with where it was looked for; nothing is made anew. */
  assert_int_equal(unlink(path), 0);
  assert_fails(unlock(disk, &how, &again, &err), err, ERR_NOT_FOUND);
  assert_non_null(strstr(err.detail, "--key"));
  assert_non_null(strstr(err.detail, "Nothing was touched"));
  assert_int_not_equal(access(path, F_OK), 0);
}

static void dev_puts_it_beside_the_folder(void **state) {
  struct unlock how = {.data = data, .create = true, .dev = true};
  struct unlocked first = open_with(&how);
  snprintf(path, sizeof path, "%s.key", data);
  assert_string_equal(first.place, path);
  keyring_close(&first.keys);
  how.dev = false; /* found without it, too */
  struct unlocked again = open_with(&how);
  keyring_close(&again.keys);
}

static void without_a_home_it_is_beside_the_folder(void **state) {
  char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
  unsetenv("XDG_CONFIG_HOME");
  unsetenv("HOME");
  struct unlock how = {.data = data, .create = true};
  struct unlocked first = open_with(&how);
  snprintf(path, sizeof path, "%s.key", data);
  assert_string_equal(first.place, path);
  keyring_close(&first.keys);
  if (home) setenv("HOME", home, 1);
  free(home);
}

static void a_named_key_must_fit_and_lie_outside(void **state) {
  struct unlock how = {.data = data, .key = path, .create = true};
  struct root *root = root_random(random_real()), *other = root_random(random_real());
  struct unlocked unlocked;
  struct err err;
  snprintf(path, sizeof path, "%s/one.key", folder);
  assert_fails(unlock(disk, &how, &unlocked, &err), err, ERR_NOT_FOUND);
  assert_ok(root_save(root, path, &err), err);
  unlocked = open_with(&how);
  assert_false(unlocked.made);
  keyring_close(&unlocked.keys);
  snprintf(path, sizeof path, "%s/two.key", folder);
  assert_ok(root_save(other, path, &err), err);
  assert_fails(unlock(disk, &how, &unlocked, &err), err, ERR_INVALID);
  snprintf(path, sizeof path, "%s/in.key", data);
  assert_ok(root_save(root, path, &err), err);
  assert_fails(unlock(disk, &how, &unlocked, &err), err, ERR_INVALID);
  root_free(&root);
  root_free(&other);
}

static void credentials_and_passphrases(void **state) {
  struct unlock how = {.data = data, .create = true};
  struct unlocked unlocked;
  struct err err;
  snprintf(path, sizeof path, "%s/medulla.passphrase", folder);
  FILE *file = fopen(path, "w");
  fprintf(file, "correct horse battery staple\n");
  fclose(file);
  setenv("CREDENTIALS_DIRECTORY", folder, 1);
  unlocked = open_with(&how);
  assert_string_equal(unlocked.place, "a passphrase");
  keyring_close(&unlocked.keys);
  unsetenv("CREDENTIALS_DIRECTORY");
  assert_fails(unlock(disk, &how, &unlocked, &err), err, ERR_NOT_FOUND);
  assert_non_null(strstr(err.detail, "--passphrase"));
  how.passphrase = path;
  unlocked = open_with(&how);
  keyring_close(&unlocked.keys);
  file = fopen(path, "w");
  fprintf(file, "a passphrase of another kind\n");
  fclose(file);
  assert_fails(unlock(disk, &how, &unlocked, &err), err, ERR_INVALID);
  how.key = path;
  assert_fails(unlock(disk, &how, &unlocked, &err), err, ERR_USAGE);
}

static void a_folder_from_before_is_left_alone(void **state) {
  struct unlock how = {.data = data, .create = true};
  struct unlocked unlocked;
  struct err err;
  assert_ok(disk_mkdir(disk, "ledger", &err), err);
  assert_fails(unlock(disk, &how, &unlocked, &err), err, ERR_UNSUPPORTED);
  assert_false(disk_exists(disk, KEYRING_PATH));
  how.create = false;
  assert_false(unlock(disk, &how, &unlocked, &err));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  static const struct CMUnitTest tests[] = {
      TEST(a_new_folder_gets_a_key_in_the_configuration),
      TEST(dev_puts_it_beside_the_folder),
      TEST(without_a_home_it_is_beside_the_folder),
      TEST(a_named_key_must_fit_and_lie_outside),
      TEST(credentials_and_passphrases),
      TEST(a_folder_from_before_is_left_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Key files: made once, for their owner alone, never in the data folder; damage is told. */
#include "tests/unit/test.h"

#include "seal/root.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static int set_up(void **state) {
  snprintf(folder, sizeof folder, "/tmp/medulla-root-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/root.key", folder);
  return 0;
}

static int tear_down(void **state) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command);
}

static void a_file_is_made_once(void **state) {
  struct root *root = root_random(random_real()), *back;
  struct stat facts;
  struct err err;
  assert_ok(root_save(root, path, &err), err);
  assert_int_equal(stat(path, &facts), 0);
  assert_int_equal(facts.st_mode & 0777, 0600);
  assert_fails(root_save(root, path, &err), err, ERR_EXISTS);
  assert_ok(root_load(path, &back, &err), err);
  assert_memory_equal(back->key, root->key, ROOT_KEY_BYTES);
  assert_string_equal(back->id, root->id);
  root_free(&root);
  root_free(&back);
}

static void damage_is_told(void **state) {
  struct root *root = root_random(random_real()), *back;
  struct err err;
  char text[ROOT_FILE_BYTES_MAX];
  assert_ok(root_save(root, path, &err), err);
  FILE *file = fopen(path, "r+");
  size_t len = fread(text, 1, sizeof text, file);
  for (size_t i = 0; i < len; i++) {
    text[i] ^= 2;
    rewind(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fflush(file);
    if (root_load(path, &back, &err)) fail_msg("byte %zu", i);
    assert_int_equal(err.code, ERR_MALFORMED);
    text[i] ^= 2;
  }
  fclose(file);
  assert_int_equal(truncate(path, 20), 0);
  assert_fails(root_load(path, &back, &err), err, ERR_MALFORMED);
  root_free(&root);
}

static void others_may_not_read_it(void **state) {
  struct root *root = root_random(random_real()), *back;
  struct err err;
  assert_ok(root_save(root, path, &err), err);
  assert_int_equal(chmod(path, 0644), 0);
  assert_fails(root_load(path, &back, &err), err, ERR_DENIED);
  assert_non_null(strstr(err.detail, "chmod"));
  /* systemd's credentials are guarded by their folder. */
  setenv("CREDENTIALS_DIRECTORY", folder, 1);
  assert_ok(root_load(path, &back, &err), err);
  unsetenv("CREDENTIALS_DIRECTORY");
  assert_int_equal(unlink(path), 0);
  root_free(&back);
  assert_fails(root_load(path, &back, &err), err, ERR_NOT_FOUND);
  root_free(&root);
}

static void it_never_lies_in_the_data_folder(void **state) {
  struct err err;
  char within[192], link[192];
  assert_fails(root_check_place(path, folder, &err), err, ERR_INVALID);
  snprintf(within, sizeof within, "%s/a", folder);
  assert_int_equal(mkdir(within, 0700), 0);
  snprintf(within, sizeof within, "%s/a/../a/k", folder);
  assert_fails(root_check_place(within, folder, &err), err, ERR_INVALID);
  snprintf(link, sizeof link, "%s.link", folder);
  assert_int_equal(symlink(folder, link), 0);
  snprintf(within, sizeof within, "%s.link/k", folder);
  assert_fails(root_check_place(within, folder, &err), err, ERR_INVALID);
  assert_int_equal(unlink(link), 0);
  snprintf(within, sizeof within, "%s.key", folder);
  assert_ok(root_check_place(within, folder, &err), err);
  assert_ok(root_check_place("/etc/medulla.key", folder, &err), err);
}

static void passphrases(void **state) {
  struct root *root, *again, *other;
  struct err err;
  char text[ROOT_PASSPHRASE_BYTES_MAX];
  struct bytes words = BYTES("correct horse battery staple");
  assert_fails(root_from_passphrase(BYTES("short"), NULL, 4, &root, &err), err, ERR_INVALID);
  assert_ok(root_from_passphrase(words, NULL, 4, &root, &err), err);
  assert_ok(root_from_passphrase(words, root->salt, 4, &again, &err), err);
  assert_ok(root_from_passphrase(words, NULL, 4, &other, &err), err);
  assert_string_equal(root->id, again->id);
  assert_string_not_equal(root->id, other->id);
  root_free(&root);
  root_free(&again);
  root_free(&other);
  FILE *file = fopen(path, "w");
  fprintf(file, "one line\nanother\n");
  fclose(file);
  assert_ok(root_read_passphrase(path, text, &err), err);
  assert_string_equal(text, "one line");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  static const struct CMUnitTest tests[] = {
      TEST(a_file_is_made_once),
      TEST(damage_is_told),
      TEST(others_may_not_read_it),
      TEST(it_never_lies_in_the_data_folder),
      TEST(passphrases),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

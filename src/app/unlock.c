/* app/unlock.c: looks for the root key, tells where it looked. */
#include "app/unlock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSPHRASE_PLACE "a passphrase"

/* ---- Places ---- */

static bool is_there(const char *path) {
  return access(path, F_OK) == 0;
}

/* A credential that systemd hands over. */
static bool credential(const char *name, char ret_path[ROOT_PATH_BYTES]) {
  const char *folder = getenv("CREDENTIALS_DIRECTORY");
  if (!folder || !*folder) return false;
  snprintf(ret_path, ROOT_PATH_BYTES, "%.3800s/%s", folder, name);
  return is_there(ret_path);
}

/* False: this user has no home. */
static bool config_folder(char ret_path[ROOT_PATH_BYTES]) {
  const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  if (config && config[0] == '/')
    snprintf(ret_path, ROOT_PATH_BYTES, "%.3800s/medulla", config);
  else if (home && home[0] == '/' && home[1])
    snprintf(ret_path, ROOT_PATH_BYTES, "%.3800s/.config/medulla", home);
  else
    return false;
  return true;
}

static bool config_path(const char *id, char ret_path[ROOT_PATH_BYTES]) {
  char folder[ROOT_PATH_BYTES];
  if (!config_folder(folder)) return false;
  snprintf(ret_path, ROOT_PATH_BYTES, "%.4000s/%s.key", folder, id);
  return true;
}

static void beside_path(const char *data, char ret_path[ROOT_PATH_BYTES]) {
  size_t len = strlen(data);
  while (len > 1 && data[len - 1] == '/') len--;
  snprintf(ret_path, ROOT_PATH_BYTES, "%.*s.key", (int)(len < 4000 ? len : 4000), data);
}

/* ---- A key that exists ---- */

/* The key that Medulla made for this folder. */
static bool find_made(const struct unlock *how, const struct keyring_facts *facts,
                      char ret_path[ROOT_PATH_BYTES], struct err *err) {
  char config[ROOT_PATH_BYTES] = "", beside[ROOT_PATH_BYTES];
  if (facts->root_kind == ROOT_PASSPHRASE)
    FAIL(ERR_NOT_FOUND, "this data folder opens with a passphrase: say --passphrase FILE, or - for "
                        "standard input");
  beside_path(how->data, beside);
  bool has_config = config_path(facts->root_id, config);
  const char *found = has_config && is_there(config) ? config : is_there(beside) ? beside : NULL;
  if (!found)
    FAIL(ERR_NOT_FOUND,
         "the root key %s is neither at %.80s nor at %.60s: say --key FILE. Nothing was touched",
         facts->root_id, has_config ? config : "(no home)", beside);
  snprintf(ret_path, ROOT_PATH_BYTES, "%s", found);
  return true;
}

static bool from_passphrase(const char *path, const struct keyring_facts *facts,
                            struct root **ret_root, struct err *err) {
  char text[ROOT_PASSPHRASE_BYTES_MAX];
  bool salted = facts && facts->root_kind == ROOT_PASSPHRASE;
  TRY(root_read_passphrase(path, text, err));
  bool good = root_from_passphrase(bytes_str(text), salted ? facts->salt : NULL,
                                   salted ? facts->cost_log : ROOT_COST_LOG, ret_root, err);
  bytes_wipe(text, sizeof text);
  return good;
}

/* What was said, or handed over. *ret_path stays empty when there is nothing of the kind. */
static void given(const struct unlock *how, char ret_path[ROOT_PATH_BYTES],
                  bool *ret_is_passphrase) {
  const char *said = how->passphrase ? how->passphrase : how->key;
  ret_path[0] = '\0';
  *ret_is_passphrase = how->passphrase != NULL;
  if (said)
    snprintf(ret_path, ROOT_PATH_BYTES, "%.4000s", said);
  else if (!credential("medulla.key", ret_path) &&
           !(*ret_is_passphrase = credential("medulla.passphrase", ret_path)))
    ret_path[0] = '\0';
}

/* facts NULL: a new folder; then *ret_root stays NULL when no key is given. */
static bool find_root(const struct unlock *how, const struct keyring_facts *facts,
                      struct root **ret_root, char ret_place[ROOT_PATH_BYTES], struct err *err) {
  bool is_passphrase;
  if (how->key && how->passphrase) FAIL(ERR_USAGE, "say --key or --passphrase, not both");
  given(how, ret_place, &is_passphrase);
  if (!ret_place[0] && !facts) return true;
  if (!ret_place[0]) TRY(find_made(how, facts, ret_place, err));
  TRY(root_check_place(ret_place, how->data, err));
  if (!is_passphrase) return root_load(ret_place, ret_root, err);
  TRY(from_passphrase(ret_place, facts, ret_root, err));
  snprintf(ret_place, ROOT_PATH_BYTES, "%s", PASSPHRASE_PLACE);
  return true;
}

/* ---- A new key ---- */

static bool make_folder(const char *path, struct err *err) {
  struct disk *top;
  TRY(disk_open_real("/", &top, err));
  bool good = disk_mkdir(top, path + 1, err);
  disk_close(&top);
  return good;
}

static bool make_root(const struct unlock *how, struct root **ret_root,
                      char ret_place[ROOT_PATH_BYTES], struct err *err) {
  char folder[ROOT_PATH_BYTES];
  struct root *root = root_random(random_real());
  bool good = true;
  if (how->dev || !config_path(root->id, ret_place)) {
    beside_path(how->data, ret_place);
  } else {
    (void)config_folder(folder);
    good = make_folder(folder, err);
  }
  good = good && root_check_place(ret_place, how->data, err) && root_save(root, ret_place, err);
  if (!good) {
    root_free(&root);
    return false;
  }
  *ret_root = root;
  return true;
}

static bool open_new(struct disk *disk, const struct unlock *how, struct unlocked *unlocked,
                     struct err *err) {
  struct root *root = NULL;
  if (disk_exists(disk, "ledger"))
    FAIL(ERR_UNSUPPORTED,
         "%.60s has a ledger but no %s: it is from before data were sealed (begin with a new "
         "folder), or the ring was lost (restore it). Nothing was touched",
         how->data, KEYRING_PATH);
  if (!how->create) FAIL(ERR_NOT_FOUND, "%.100s has no keys yet", how->data);
  TRY(find_root(how, NULL, &root, unlocked->place, err));
  unlocked->made = root == NULL;
  if (!root) TRY(make_root(how, &root, unlocked->place, err));
  bool good = keyring_create(disk, root, clock_real(), &unlocked->keys, err);
  root_free(&root);
  return good;
}

bool unlock_root(struct disk *disk, const struct unlock *how, struct root **ret_root,
                 char ret_place[ROOT_PATH_BYTES], struct err *err) {
  struct keyring_facts facts;
  TRY(keyring_peek(disk, &facts, err));
  return find_root(how, &facts, ret_root, ret_place, err);
}

bool unlock(struct disk *disk, const struct unlock *how, struct unlocked *ret_unlocked,
            struct err *err) {
  struct unlocked unlocked = {0};
  struct root *root = NULL;
  bool good;
  if (!disk_exists(disk, KEYRING_PATH)) {
    good = open_new(disk, how, &unlocked, err);
  } else {
    good = unlock_root(disk, how, &root, unlocked.place, err) &&
           keyring_open(disk, root, &unlocked.keys, err);
    root_free(&root);
  }
  if (good) *ret_unlocked = unlocked;
  return good;
}

/* seal/root.c: key files and passphrases. */
#include "seal/root.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "os/file.h"
#include "os/secret.h"
#include "seal/aead.h"
#include "wire/codec.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { ID_DIGITS = ROOT_ID_BYTES - 1, KEY_DIGITS = 2 * ROOT_KEY_BYTES };

#define cleanup_file __attribute__((cleanup(file_close)))
#define cleanup_disk __attribute__((cleanup(disk_close)))

struct root *root_new(const uint8_t key[ROOT_KEY_BYTES]) {
  uint8_t id[AEAD_KEY_BYTES];
  struct root *root = secret_alloc(sizeof *root);
  memcpy(root->key, key, ROOT_KEY_BYTES);
  key_derive(key, "root id", BYTES_NONE, id);
  for (int i = 0; i < ID_DIGITS / 2; i++) snprintf(root->id + (size_t)i * 2, 3, "%02x", id[i]);
  return root;
}

struct root *root_random(const struct random_port *random) {
  uint8_t key[ROOT_KEY_BYTES];
  random_fill(random, key, sizeof key);
  struct root *root = root_new(key);
  bytes_wipe(key, sizeof key);
  return root;
}

void root_free(struct root **root) {
  secret_free((void **)root, sizeof **root);
}

/* ---- Files ---- */

/* The disk port of the file's folder, and the file's name in it. */
static bool open_folder(const char *path, struct disk **ret_disk, const char **ret_name,
                        struct err *err) {
  char folder[ROOT_PATH_BYTES];
  const char *slash = strrchr(path, '/');
  *ret_name = slash ? slash + 1 : path;
  if (!**ret_name || strlen(path) >= sizeof folder) FAIL(ERR_INVALID, "%.100s is no file", path);
  int len = slash ? (int)(slash - path) : 1;
  snprintf(folder, sizeof folder, "%.*s", len ? len : 1, slash ? (len ? path : "/") : ".");
  return disk_open_real(folder, ret_disk, err);
}

bool root_save(const struct root *root, const char *path, struct err *err) {
  cleanup_disk struct disk *disk = NULL;
  cleanup_file struct file *file = NULL;
  cleanup_buf struct buf text;
  const char *name;
  buf_init(&text, ROOT_FILE_BYTES_MAX);
  TRY(open_folder(path, &disk, &name, err));
  if (disk_exists(disk, name)) FAIL(ERR_EXISTS, "%.200s is there already", path);
  TRY(file_open(disk, name, FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE, &file, err));
  buf_printf(&text, "medulla-root-key 1\nid %s\nkey ", root->id);
  hex_encode(&text, bytes_of(root->key, ROOT_KEY_BYTES));
  buf_char(&text, '\n');
  bool good = file_write(file, 0, buf_bytes(&text), err) && file_sync(file, err) &&
              disk_sync_dir(disk, "", err);
  return good;
}

static bool parse(struct bytes text, uint8_t ret_key[ROOT_KEY_BYTES], char ret_id[ROOT_ID_BYTES]) {
  struct err err;
  struct buf key;
  struct bytes rest = text;
  struct bytes head = bytes_cut(rest, '\n', &rest), id = bytes_cut(rest, '\n', &rest);
  struct bytes digits = bytes_cut(rest, '\n', &rest);
  if (!bytes_eq_str(head, "medulla-root-key 1") || !bytes_starts(id, BYTES("id ")) ||
      id.len != 3 + ID_DIGITS || !bytes_starts(digits, BYTES("key ")) ||
      digits.len != 4 + KEY_DIGITS || rest.len)
    return false;
  bytes_text(bytes_from(id, 3), ret_id, ROOT_ID_BYTES);
  buf_init(&key, ROOT_KEY_BYTES);
  bool good = hex_decode(&key, bytes_from(digits, 4), &err) && key.len == ROOT_KEY_BYTES;
  if (good) memcpy(ret_key, key.at, ROOT_KEY_BYTES);
  buf_fini(&key);
  return good;
}

/* What systemd hands over is guarded by its folder. */
static bool check_mode(const struct file *file, const char *path, struct err *err) {
  const char *credentials = getenv("CREDENTIALS_DIRECTORY");
  struct stat facts;
  if (credentials && strncmp(path, credentials, strlen(credentials)) == 0) return true;
  if (fstat(file_fd(file), &facts) == 0 && (facts.st_mode & (S_IROTH | S_IWOTH)) == 0) return true;
  FAIL(ERR_DENIED, "%.150s may be read or written by everybody: chmod 600 it", path);
}

static bool read_root(const char *path, struct buf *text, struct err *err) {
  cleanup_disk struct disk *disk = NULL;
  cleanup_file struct file *file = NULL;
  const char *name;
  size_t len;
  struct stat facts;
  if (stat(path, &facts) != 0) FAIL(ERR_NOT_FOUND, "there is no key file %.200s", path);
  TRY(open_folder(path, &disk, &name, err));
  TRY(file_open(disk, name, FILE_READ, &file, err));
  TRY(check_mode(file, path, err));
  TRY(file_read(file, 0, buf_room(text, ROOT_FILE_BYTES_MAX), ROOT_FILE_BYTES_MAX, &len, err));
  buf_grew(text, len);
  return true;
}

bool root_load(const char *path, struct root **ret_root, struct err *err) {
  struct buf text;
  uint8_t key[ROOT_KEY_BYTES] = {0};
  char id[ROOT_ID_BYTES] = "";
  buf_init(&text, ROOT_FILE_BYTES_MAX);
  bool good = read_root(path, &text, err);
  if (good && !parse(buf_bytes(&text), key, id)) {
    good = false;
    err_set(err, ERR_MALFORMED, ERR_PLACE, ERR_OFFSET_NONE, "%.200s is not a root key", path);
  }
  struct root *root = good ? root_new(key) : NULL;
  if (root && strcmp(root->id, id) != 0) {
    root_free(&root);
    err_set(err, ERR_MALFORMED, ERR_PLACE, ERR_OFFSET_NONE, "%.200s is damaged", path);
  }
  bytes_wipe(key, sizeof key);
  buf_fini(&text);
  if (root) *ret_root = root;
  return root != NULL;
}

/* ---- Passphrases ---- */

bool root_from_passphrase(struct bytes passphrase, const uint8_t *salt, unsigned cost_log,
                          struct root **ret_root, struct err *err) {
  uint8_t key[ROOT_KEY_BYTES], own[ROOT_SALT_BYTES];
  if (passphrase.len < ROOT_PASSPHRASE_BYTES_MIN)
    FAIL(ERR_INVALID, "a passphrase has at least %d characters", ROOT_PASSPHRASE_BYTES_MIN);
  if (salt)
    memcpy(own, salt, sizeof own);
  else
    random_fill(random_real(), own, sizeof own);
  TRY(key_from_passphrase(passphrase, bytes_of(own, sizeof own), cost_log, key, err));
  struct root *root = root_new(key);
  bytes_wipe(key, sizeof key);
  root->kind = ROOT_PASSPHRASE;
  root->cost_log = cost_log;
  memcpy(root->salt, own, sizeof own);
  *ret_root = root;
  return true;
}

bool root_read_passphrase(const char *path, char ret_text[ROOT_PASSPHRASE_BYTES_MAX],
                          struct err *err) {
  bool standard = strcmp(path, "-") == 0;
  FILE *file = standard ? stdin : fopen(path, "re");
  if (!file) {
    err_set_errno(err, errno, ERR_PLACE, "the passphrase's file");
    return false;
  }
  char *line = fgets(ret_text, ROOT_PASSPHRASE_BYTES_MAX, file);
  if (!standard) fclose(file);
  if (!line) FAIL(ERR_MALFORMED, "there is no passphrase in %.200s", path);
  line[strcspn(line, "\n")] = '\0';
  return true;
}

/* ---- Its place ---- */

/* Absolute, without links, as far as it exists; the rest is taken as it stands. */
static bool resolve(const char *path, char ret_path[PATH_MAX]) {
  char part[PATH_MAX];
  if (realpath(path, ret_path)) return true;
  const char *slash = strrchr(path, '/');
  int len = slash ? (int)(slash - path) : 0;
  snprintf(part, sizeof part, "%.*s", len, path);
  return realpath(len ? part : slash ? "/" : ".", ret_path) != NULL;
}

bool root_check_place(const char *path, const char *folder, struct err *err) {
  char file[PATH_MAX], within[PATH_MAX];
  if (!resolve(path, file) || !realpath(folder, within)) return true; /* opening it will tell */
  size_t len = strlen(within);
  if (strncmp(file, within, len) == 0 && (file[len] == '/' || file[len] == '\0'))
    FAIL(ERR_INVALID, "the key %.100s lies in the data folder it opens; move it elsewhere", path);
  return true;
}

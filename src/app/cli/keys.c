/* app/cli/keys.c: the keys of a data folder, on the folder itself: no server is asked. */
#include "app/cli/verbs.h"
#include "app/unlock.h"
#include "base/cleanup.h"
#include "seal/share.h"
#include "wire/codec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define cleanup_disk __attribute__((cleanup(disk_close)))
#define cleanup_keys __attribute__((cleanup(keyring_close)))
#define cleanup_root __attribute__((cleanup(root_free)))

static bool open_data(struct cli *cli, bool make, struct disk **ret_disk, struct unlock *ret_how,
                      struct err *err) {
  const char *data = cli_flag(cli, "data") ? cli_flag(cli, "data") : cli->data;
  if (!data) FAIL(ERR_USAGE, "--data DIR is missing");
  if (!make && access(data, F_OK) != 0) FAIL(ERR_NOT_FOUND, "there is no folder %.150s", data);
  *ret_how = (struct unlock){.data = data,
                             .key = cli_flag(cli, "key"),
                             .passphrase = cli_flag(cli, "passphrase"),
                             .create = make};
  return disk_open_real(data, ret_disk, err);
}

static void print_facts(struct cli *cli, const struct keyring_facts *facts) {
  char tenant[ID_TEXT_BYTES], made[RFC3339_BYTES];
  bool passphrase = facts->root_kind == ROOT_PASSPHRASE;
  id_text(facts->tenant, tenant);
  if (cli->json) {
    fprintf(cli->out, "{\"root\":\"%s\",\"kind\":\"%s\",\"tenant\":\"%s\",\"epochs\":[",
            facts->root_id, passphrase ? "passphrase" : "file", tenant);
  } else {
    fprintf(cli->out, "root key  %s (%s)\ntenant    %s\n", facts->root_id,
            passphrase ? "of a passphrase" : "a file", tenant);
  }
  for (uint32_t i = 0; i < facts->count; i++) {
    rfc3339_format(facts->epochs[i].made_ms, made);
    if (cli->json)
      fprintf(cli->out, "%s{\"epoch\":%u,\"made\":\"%s\"}", i ? "," : "", facts->epochs[i].number,
              made);
    else
      fprintf(cli->out, "epoch     %u, made %s%s\n", facts->epochs[i].number, made,
              i + 1 == facts->count ? ", in use for all that is written" : "");
  }
  if (cli->json) fputs("]}\n", cli->out);
}

/* ---- init ---- */

/* The named key file is made when it is missing. */
static bool make_named(const struct unlock *how, struct err *err) {
  if (!how->key || access(how->key, F_OK) == 0) return true;
  TRY(root_check_place(how->key, how->data, err));
  cleanup_root struct root *root = root_random(random_real());
  return root_save(root, how->key, err);
}

int verb_keys_init(struct cli *cli) {
  cleanup_disk struct disk *disk = NULL;
  struct unlock how;
  struct unlocked unlocked = {0};
  struct err err;
  bool good = open_data(cli, true, &disk, &how, &err);
  if (good && disk_exists(disk, KEYRING_PATH)) {
    err_set(&err, ERR_EXISTS, ERR_PLACE, ERR_OFFSET_NONE, "%.150s has its keys already", how.data);
    good = false;
  }
  good = good && make_named(&how, &err) && unlock(disk, &how, &unlocked, &err);
  if (!good) return cli_fail(cli, &err);
  print_facts(cli, keyring_facts(unlocked.keys));
  if (!cli->json)
    fprintf(cli->out,
            "its root key is in %s\nwithout it nobody can read the data: keep a copy "
            "elsewhere, or shares of it (medulla keys escrow)\n",
            unlocked.place);
  keyring_close(&unlocked.keys);
  return CLI_OK;
}

/* ---- status ---- */

int verb_keys_status(struct cli *cli) {
  cleanup_disk struct disk *disk = NULL;
  struct unlock how;
  struct keyring_facts facts;
  struct unlocked unlocked = {0};
  struct err err;
  if (!open_data(cli, false, &disk, &how, &err) || !keyring_peek(disk, &facts, &err))
    return cli_fail(cli, &err);
  print_facts(cli, &facts);
  /* With a passphrase nobody asks unless it is given. */
  if (facts.root_kind == ROOT_PASSPHRASE && !how.passphrase) return CLI_OK;
  if (!unlock(disk, &how, &unlocked, &err)) return cli_fail(cli, &err);
  if (!cli->json) fprintf(cli->out, "opens     with %s\n", unlocked.place);
  keyring_close(&unlocked.keys);
  return CLI_OK;
}

/* ---- rotate ---- */

static bool lock_folder(struct disk *disk, struct file **ret_lock, struct err *err) {
  TRY(disk_mkdir(disk, "ledger", err));
  return disk_lock(disk, "ledger/lock", ret_lock, err);
}

static bool new_root(struct cli *cli, const struct unlock *how, struct root **ret_root,
                     struct err *err) {
  const char *path = cli_flag(cli, "to");
  TRY(root_check_place(path, how->data, err));
  if (access(path, F_OK) == 0) return root_load(path, ret_root, err);
  struct root *root = root_random(random_real());
  if (!root_save(root, path, err)) {
    root_free(&root);
    return false;
  }
  *ret_root = root;
  return true;
}

static bool rotate(struct cli *cli, struct disk *disk, const struct unlock *how, struct err *err) {
  cleanup_root struct root *root = NULL;
  struct unlocked unlocked = {0};
  TRY(unlock(disk, how, &unlocked, err));
  cleanup_keys struct keyring *keys = unlocked.keys;
  if (!cli_flag(cli, "to")) {
    TRY(keyring_rotate(keys, err));
  } else {
    TRY(new_root(cli, how, &root, err));
    TRY(keyring_rewrap(keys, root, err));
  }
  print_facts(cli, keyring_facts(keys));
  return true;
}

int verb_keys_rotate(struct cli *cli) {
  cleanup_disk struct disk *disk = NULL;
  struct file *lock = NULL;
  struct unlock how;
  struct err err;
  bool good = open_data(cli, false, &disk, &how, &err) && lock_folder(disk, &lock, &err) &&
              rotate(cli, disk, &how, &err);
  file_close(&lock);
  return good ? CLI_OK : cli_fail(cli, &err);
}

/* ---- escrow, combine ---- */

int verb_keys_escrow(struct cli *cli) {
  cleanup_disk struct disk *disk = NULL;
  cleanup_root struct root *root = NULL;
  struct share shares[SHARES_MAX];
  struct unlock how;
  struct err err;
  char place[ROOT_PATH_BYTES], text[SHARE_TEXT_BYTES];
  int64_t count, needed;
  if (!cli_flag_number(cli, "shares", 5, 2, SHARES_MAX, &count) ||
      !cli_flag_number(cli, "needed", 3, 2, SHARES_MAX, &needed))
    return CLI_USAGE;
  if (!open_data(cli, false, &disk, &how, &err) || !unlock_root(disk, &how, &root, place, &err) ||
      !share_split(root, random_real(), (unsigned)needed, (unsigned)count, shares, &err))
    return cli_fail(cli, &err);
  for (int64_t i = 0; i < count; i++) {
    share_write(&shares[i], text);
    fprintf(cli->out, "%s\n", text);
  }
  bytes_wipe(shares, sizeof shares);
  bytes_wipe(text, sizeof text);
  fprintf(cli->errors,
          "any %lld of these %lld lines give the root key back (medulla keys combine); "
          "give each to somebody else, on paper\n",
          (long long)needed, (long long)count);
  return CLI_OK;
}

static bool read_shares(FILE *in, struct share shares[SHARES_MAX], unsigned *ret_count,
                        struct err *err) {
  char line[SHARE_TEXT_BYTES + 2];
  unsigned count = 0;
  while (count < SHARES_MAX && fgets(line, sizeof line, in)) {
    line[strcspn(line, "\r\n")] = '\0';
    if (!line[0]) continue;
    TRY(share_read(bytes_str(line), &shares[count], err));
    count++;
  }
  bytes_wipe(line, sizeof line);
  *ret_count = count;
  return true;
}

int verb_keys_combine(struct cli *cli) {
  cleanup_root struct root *root = NULL;
  struct share shares[SHARES_MAX];
  unsigned count = 0;
  struct err err;
  bool good = read_shares(cli->in, shares, &count, &err) &&
              share_join(shares, count, &root, &err) && root_save(root, cli->args[0], &err);
  bytes_wipe(shares, sizeof shares);
  if (!good) return cli_fail(cli, &err);
  fprintf(cli->out, "root key %s is in %s\n", root->id, cli->args[0]);
  return CLI_OK;
}

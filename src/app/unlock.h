/* app/unlock.h: which root key opens a data folder, and where a new folder's key is put.
 * Owns:    the ring is the caller's.
 * Errors:  USAGE, NOT_FOUND (with where the key was looked for), INVALID (another key, or one in
 *          the data folder), CORRUPT, and those of seal/root.h. Nothing is touched then.
 * Threads: one.
 *
 * In this order: --key FILE or --passphrase FILE; medulla.key or medulla.passphrase of systemd's
 * $CREDENTIALS_DIRECTORY; a key that Medulla made: $XDG_CONFIG_HOME/medulla/ID.key (by default
 * ~/.config), or DIR.key beside the data folder DIR. A new folder gets a new key: beside it with
 * --dev, or where there is no home; else in the user's configuration. */
#ifndef MEDULLA_APP_UNLOCK_H
#define MEDULLA_APP_UNLOCK_H

#include "seal/keys.h"

struct unlock {
  const char *data;       /* Required: the folder */
  const char *key;        /* Optional: --key */
  const char *passphrase; /* Optional: --passphrase; "-" is standard input */
  bool dev;
  bool create; /* make a ring when there is none */
};

struct unlocked {
  struct keyring *keys;
  char place[ROOT_PATH_BYTES]; /* where the root key is; "a passphrase" */
  bool made;                   /* just now */
};

bool unlock(struct disk *disk, const struct unlock *how, struct unlocked *ret_unlocked,
            struct err *err) MUST_CHECK;
/* The root key alone, for acts on it. */
bool unlock_root(struct disk *disk, const struct unlock *how, struct root **ret_root,
                 char ret_place[ROOT_PATH_BYTES], struct err *err) MUST_CHECK;

#endif

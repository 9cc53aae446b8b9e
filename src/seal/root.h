/* seal/root.h: the root key, which opens a data folder and must never lie in it.
 * Owns:    struct root is secret memory: root_new to root_free.
 * Errors:  NOT_FOUND, EXISTS, DENIED (it may be read by others), MALFORMED, INVALID (in the data
 *          folder), NO_MEMORY, IO.
 * Threads: one.
 * Limits:  ROOT_PASSPHRASE_BYTES_MAX, ROOT_FILE_BYTES_MAX.
 *
 * A key file is text: "medulla-root-key 1", "id <16 hex digits>", "key <64 hex digits>". The id is
 * derived from the key, so that a wrong file is told by its name, not by damage. A passphrase goes
 * through scrypt; its salt stands in the ring it opens.                                         */
#ifndef MEDULLA_SEAL_ROOT_H
#define MEDULLA_SEAL_ROOT_H

#include "base/bytes.h"
#include "base/err.h"
#include "os/random.h"

#define ROOT_KEY_BYTES 32
#define ROOT_ID_BYTES 17 /* with NUL */
#define ROOT_SALT_BYTES 16
#define ROOT_PATH_BYTES 4096
#define ROOT_FILE_BYTES_MAX 512
#define ROOT_PASSPHRASE_BYTES_MAX 1024
#define ROOT_PASSPHRASE_BYTES_MIN 12
#define ROOT_COST_LOG 17 /* 128 MiB, about half a second */

enum root_kind { ROOT_FILE, ROOT_PASSPHRASE };

struct root {
  uint8_t key[ROOT_KEY_BYTES];
  char id[ROOT_ID_BYTES];
  enum root_kind kind;
  uint8_t salt[ROOT_SALT_BYTES]; /* of a passphrase */
  unsigned cost_log;
};

struct root *root_new(const uint8_t key[ROOT_KEY_BYTES]);
struct root *root_random(const struct random_port *random);
void root_free(struct root **root);

/* Makes the file, for its owner alone; EXISTS when there is one. */
bool root_save(const struct root *root, const char *path, struct err *err) MUST_CHECK;
bool root_load(const char *path, struct root **ret_root, struct err *err) MUST_CHECK;
/* salt NULL: a new one. */
bool root_from_passphrase(struct bytes passphrase, const uint8_t *salt, unsigned cost_log,
                          struct root **ret_root, struct err *err) MUST_CHECK;
/* The first line of a file, or of standard input for "-". */
bool root_read_passphrase(const char *path, char ret_text[ROOT_PASSPHRASE_BYTES_MAX],
                          struct err *err) MUST_CHECK;
/* INVALID when the file is, or would be, in the folder or below. */
bool root_check_place(const char *path, const char *folder, struct err *err) MUST_CHECK;

#endif

/* seal/keys.h: the ring of a data folder: its keys, by epoch and purpose, under one root key.
 * Owns:    a ring, in secret memory, from create or open to close; the disk is the caller's.
 * Units:   epochs count from 1; UTC milliseconds.
 * Errors:  NOT_FOUND (no ring), EXISTS, INVALID (another root key), CORRUPT, NEWER, LIMIT.
 * Threads: keyring_key and keyring_epoch: any; the rest: one.
 * Limits:  KEYRING_EPOCHS_MAX at a time.
 *
 *   root key --"tenant"--> wraps a random master key per epoch --purpose--> keys that seal
 *
 * "keys/ring" is text: format, tenant, the root key's id, a line per epoch with its wrapped key,
 * and a MAC under the root key over all of it. It may be read without a key; nothing in it is
 * secret. A new root key wraps the masters anew; a new epoch seals what is written from then on. */
#ifndef MEDULLA_SEAL_KEYS_H
#define MEDULLA_SEAL_KEYS_H

#include "os/clock.h"
#include "os/file.h"
#include "seal/aead.h"
#include "seal/root.h"

#define KEYRING_PATH "keys/ring"
#define KEYRING_EPOCHS_MAX 16

enum key_purpose {
  KEY_PAGE,    /* pages of the ledger and of its log */
  KEY_FILE,    /* objects, snapshots, modules, index */
  KEY_MARK,    /* small facts beside the ledger: its identity, how far it has come */
  KEY_SUBJECT, /* wraps keys of people */
  KEY_PURPOSES
};

struct keyring;

struct keyring_facts {
  struct id tenant;
  char root_id[ROOT_ID_BYTES];
  enum root_kind root_kind;
  uint8_t salt[ROOT_SALT_BYTES]; /* of a passphrase */
  unsigned cost_log;
  uint32_t count; /* epochs, the newest last */
  struct {
    uint32_t number;
    int64_t made_ms;
  } epochs[KEYRING_EPOCHS_MAX];
};

bool keyring_create(struct disk *disk, const struct root *root, const struct clock_port *clock,
                    struct keyring **ret_ring, struct err *err) MUST_CHECK;
bool keyring_open(struct disk *disk, const struct root *root, struct keyring **ret_ring,
                  struct err *err) MUST_CHECK;
void keyring_close(struct keyring **ring);
/* What the file says, unchecked: no key is needed. */
bool keyring_peek(struct disk *disk, struct keyring_facts *ret_facts, struct err *err) MUST_CHECK;
const struct keyring_facts *keyring_facts(const struct keyring *ring);

uint32_t keyring_epoch(const struct keyring *ring);
/* NULL: no such epoch. Valid until the ring closes. */
const struct aead_key *keyring_key(const struct keyring *ring, uint32_t epoch,
                                   enum key_purpose purpose);

/* Durable before they return. */
bool keyring_rotate(struct keyring *ring, struct err *err) MUST_CHECK;
/* Forgets epochs before this one: nothing may be sealed with them any more. */
bool keyring_retire(struct keyring *ring, uint32_t before, struct err *err) MUST_CHECK;
bool keyring_rewrap(struct keyring *ring, const struct root *root, struct err *err) MUST_CHECK;

/* A small fact as one sealed text: "epoch nonce cipher tag", bound to its name. */
#define KEYRING_FACT_EXTRA_BYTES (4 + AEAD_EXTRA_BYTES)
void keyring_seal_fact(const struct keyring *ring, struct bytes name, struct bytes plain,
                       uint8_t *ret_sealed);
/* sealed.len - KEYRING_FACT_EXTRA_BYTES bytes come out. */
bool keyring_open_fact(const struct keyring *ring, struct bytes name, struct bytes sealed,
                       uint8_t *ret_plain) MUST_CHECK;

#endif

/* seal/ring.h: the ring's file: text to values and back.
 * Owns:    nothing.
 * Errors:  NOT_FOUND, CORRUPT (with the file's name), NEWER, LIMIT.
 * Threads: pure but for the disk.
 * Limits:  RING_FILE_BYTES_MAX, KEYRING_EPOCHS_MAX.
 *
 *   medulla-keys 1
 *   tenant <id>
 *   root file <root id>            or: root passphrase <root id> <cost> <salt>
 *   epoch <number> <made, UTC ms> <wrapped key>      one or more, ascending
 *   mac <HMAC-SHA-256 of all before it>                                                       */
#ifndef MEDULLA_SEAL_RING_H
#define MEDULLA_SEAL_RING_H

#include "base/digest.h"
#include "seal/keys.h"

#define RING_FILE_BYTES_MAX 8192
#define RING_WRAPPED_BYTES (AEAD_NONCE_BYTES + AEAD_KEY_BYTES + AEAD_TAG_BYTES)

struct ring {
  struct keyring_facts facts;
  uint8_t wrapped[KEYRING_EPOCHS_MAX][RING_WRAPPED_BYTES];
  uint8_t mac[SHA256_BYTES]; /* as it stood in the file */
};

bool ring_load(struct disk *disk, struct ring *ret_ring, struct err *err) MUST_CHECK;
bool ring_parse(struct bytes text, struct ring *ret_ring, struct err *err) MUST_CHECK;
/* Whether the mac is what this key makes of the rest. */
bool ring_is_genuine(const struct ring *ring, const uint8_t key[AEAD_KEY_BYTES]) MUST_CHECK;
bool ring_save(struct disk *disk, const struct ring *ring, const uint8_t key[AEAD_KEY_BYTES],
               struct err *err) MUST_CHECK;

#endif

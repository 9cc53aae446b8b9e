/* seal/aead.h: authenticated encryption with a key for each write, and keys from keys, on OpenSSL.
 * Owns:    struct aead_key is the caller's; keep it in secret memory and wipe it.
 * Units:   bytes.
 * Errors:  aead_open is false when anything is not what was sealed; a failing primitive is a broken
 *          promise (must); scrypt_sha256: LIMIT, NO_MEMORY.
 * Threads: any; cipher contexts are per thread.
 * Limits:  AEAD_PLAIN_BYTES_MAX per call; one key seals 2^80 times.
 * Source:  C2SP XAES-256-GCM; NIST SP 800-38D; RFC 5869; RFC 7914.
 *
 * AES-256-GCM allows 2^32 random nonces of 96 bits per key: ten days of writing. So a nonce has 24
 * bytes: 12 of them derive a key with two AES blocks (SP 800-108 with CMAC), 12 are GCM's nonce. */
#ifndef MEDULLA_SEAL_AEAD_H
#define MEDULLA_SEAL_AEAD_H

#include "base/bytes.h"
#include "base/err.h"

#define AEAD_KEY_BYTES 32
#define AEAD_NONCE_BYTES 24
#define AEAD_TAG_BYTES 16
#define AEAD_EXTRA_BYTES (AEAD_NONCE_BYTES + AEAD_TAG_BYTES)
#define AEAD_PLAIN_BYTES_MAX (1u << 30)
#define AEAD_BLOCK_BYTES 16

struct aead_key {
  uint8_t key[AEAD_KEY_BYTES];
  uint8_t mask[AEAD_BLOCK_BYTES]; /* CMAC's K1 */
};

void aead_key_init(struct aead_key *key, const uint8_t bytes[AEAD_KEY_BYTES]);
/* ret_cipher has plain.len bytes and may be plain itself; the nonce is drawn here. */
void aead_seal(const struct aead_key *key, struct bytes ad, struct bytes plain, uint8_t *ret_cipher,
               uint8_t ret_nonce[AEAD_NONCE_BYTES], uint8_t ret_tag[AEAD_TAG_BYTES]);
/* What ret_plain holds after false is nobody's business: it is zeroed. */
bool aead_open(const struct aead_key *key, struct bytes ad, struct bytes cipher,
               const uint8_t nonce[AEAD_NONCE_BYTES], const uint8_t tag[AEAD_TAG_BYTES],
               uint8_t *ret_plain) MUST_CHECK;
/* With this nonce: for the published vectors. */
void aead_seal_with(const struct aead_key *key, struct bytes ad, struct bytes plain,
                    const uint8_t nonce[AEAD_NONCE_BYTES], uint8_t *ret_cipher,
                    uint8_t ret_tag[AEAD_TAG_BYTES]);

/* One block in place, without a nonce: for 16 bytes that never come twice. */
void aead_block(const struct aead_key *key, bool decrypt, uint8_t block[AEAD_BLOCK_BYTES]);

/* HKDF-SHA-256 of one key with a label and what it is for. */
void key_derive(const uint8_t from[AEAD_KEY_BYTES], const char *label, struct bytes context,
                uint8_t ret_key[AEAD_KEY_BYTES]);
/* 2^cost_log rounds over blocks of 8 * 128 bytes. */
bool key_from_passphrase(struct bytes passphrase, struct bytes salt, unsigned cost_log,
                         uint8_t ret_key[AEAD_KEY_BYTES], struct err *err) MUST_CHECK;

#endif

/* seal/aead.c: XAES-256-GCM on EVP. A thread keeps its contexts, and which key the block cipher was
 * last set to: sealing many pages under one key sets it once. */
#include "seal/aead.h"

#include "base/digest.h"
#include "base/must.h"
#include "os/random.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { DERIVE_BYTES = 12, DERIVE_INFO_BYTES = 128, SCRYPT_BLOCKS = 8, SCRYPT_COST_LOG_MAX = 20 };

struct ciphers {
  EVP_CIPHER_CTX *derive, *inverse, *gcm;
  uint8_t derive_key[AEAD_KEY_BYTES], inverse_key[AEAD_KEY_BYTES];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static _Thread_local struct ciphers *mine;

static void drop_ciphers(void *at) {
  struct ciphers *ciphers = at;
  EVP_CIPHER_CTX_free(ciphers->derive);
  EVP_CIPHER_CTX_free(ciphers->inverse);
  EVP_CIPHER_CTX_free(ciphers->gcm);
  bytes_wipe(ciphers, sizeof *ciphers);
  free(ciphers);
}

static void make_at_exit(void) {
  must(pthread_key_create(&at_exit, drop_ciphers) == 0);
}

static EVP_CIPHER_CTX *context_of(const EVP_CIPHER *cipher, bool encrypt) {
  static const uint8_t none[AEAD_KEY_BYTES];
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  must(context && EVP_CipherInit_ex(context, cipher, NULL, none, NULL, encrypt) == 1);
  EVP_CIPHER_CTX_set_padding(context, 0);
  return context;
}

static struct ciphers *my_ciphers(void) {
  if (mine) return mine;
  must(pthread_once(&once, make_at_exit) == 0);
  mine = must_alloc(sizeof *mine);
  mine->derive = context_of(EVP_aes_256_ecb(), true);
  mine->inverse = context_of(EVP_aes_256_ecb(), false);
  mine->gcm = context_of(EVP_aes_256_gcm(), true);
  must(pthread_setspecific(at_exit, mine) == 0);
  return mine;
}

/* Whole blocks under this key. */
static void blocks(EVP_CIPHER_CTX *context, uint8_t kept[AEAD_KEY_BYTES],
                   const uint8_t key[AEAD_KEY_BYTES], uint8_t *at, int len) {
  int got = 0;
  if (!bytes_eq_secret(bytes_of(kept, AEAD_KEY_BYTES), bytes_of(key, AEAD_KEY_BYTES))) {
    must(EVP_CipherInit_ex(context, NULL, NULL, key, NULL, -1) == 1);
    memcpy(kept, key, AEAD_KEY_BYTES);
  }
  must(EVP_CipherUpdate(context, at, &got, at, len) == 1 && got == len);
}

void aead_block(const struct aead_key *key, bool decrypt, uint8_t block[AEAD_BLOCK_BYTES]) {
  struct ciphers *ciphers = my_ciphers();
  if (decrypt)
    blocks(ciphers->inverse, ciphers->inverse_key, key->key, block, AEAD_BLOCK_BYTES);
  else
    blocks(ciphers->derive, ciphers->derive_key, key->key, block, AEAD_BLOCK_BYTES);
}

/* CMAC's first subkey: the encrypted zero block, doubled in GF(2^128). */
void aead_key_init(struct aead_key *key, const uint8_t bytes[AEAD_KEY_BYTES]) {
  uint8_t block[AEAD_BLOCK_BYTES] = {0};
  memcpy(key->key, bytes, AEAD_KEY_BYTES);
  aead_block(key, false, block);
  for (int i = 0; i < AEAD_BLOCK_BYTES; i++) {
    uint8_t next = i + 1 < AEAD_BLOCK_BYTES ? block[i + 1] >> 7 : 0;
    key->mask[i] = (uint8_t)(block[i] << 1 | next);
  }
  if (block[0] >> 7) key->mask[AEAD_BLOCK_BYTES - 1] ^= 0x87;
}

/* Two CMACs of one block each: counter, 'X', and half of the nonce. */
static void derive(struct ciphers *ciphers, const struct aead_key *key,
                   const uint8_t nonce[AEAD_NONCE_BYTES], uint8_t ret_key[AEAD_KEY_BYTES]) {
  for (uint8_t half = 0; half < 2; half++) {
    uint8_t *block = ret_key + (size_t)half * AEAD_BLOCK_BYTES;
    const uint8_t head[4] = {0, (uint8_t)(half + 1), 'X', 0};
    memcpy(block, head, 4);
    memcpy(block + 4, nonce, DERIVE_BYTES);
    for (int i = 0; i < AEAD_BLOCK_BYTES; i++) block[i] ^= key->mask[i];
  }
  blocks(ciphers->derive, ciphers->derive_key, key->key, ret_key, AEAD_KEY_BYTES);
}

/* Sets GCM up for this nonce and gives it the associated data. */
static EVP_CIPHER_CTX *begin(const struct aead_key *key, const uint8_t nonce[AEAD_NONCE_BYTES],
                             struct bytes ad, bool encrypt) {
  struct ciphers *ciphers = my_ciphers();
  uint8_t once_key[AEAD_KEY_BYTES];
  int got;
  derive(ciphers, key, nonce, once_key);
  must(EVP_CipherInit_ex(ciphers->gcm, NULL, NULL, once_key, nonce + DERIVE_BYTES, encrypt) == 1);
  bytes_wipe(once_key, sizeof once_key);
  if (ad.len) must(EVP_CipherUpdate(ciphers->gcm, NULL, &got, ad.at, (int)ad.len) == 1);
  return ciphers->gcm;
}

static void crypt(EVP_CIPHER_CTX *gcm, struct bytes from, uint8_t *to) {
  int got = 0;
  must(from.len <= AEAD_PLAIN_BYTES_MAX);
  if (from.len) must(EVP_CipherUpdate(gcm, to, &got, from.at, (int)from.len) == 1);
  must((size_t)got == from.len);
}

void aead_seal_with(const struct aead_key *key, struct bytes ad, struct bytes plain,
                    const uint8_t nonce[AEAD_NONCE_BYTES], uint8_t *ret_cipher,
                    uint8_t ret_tag[AEAD_TAG_BYTES]) {
  uint8_t rest[AEAD_BLOCK_BYTES];
  int got;
  EVP_CIPHER_CTX *gcm = begin(key, nonce, ad, true);
  crypt(gcm, plain, ret_cipher);
  must(EVP_CipherFinal_ex(gcm, rest, &got) == 1 && got == 0);
  must(EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, ret_tag) == 1);
}

void aead_seal(const struct aead_key *key, struct bytes ad, struct bytes plain, uint8_t *ret_cipher,
               uint8_t ret_nonce[AEAD_NONCE_BYTES], uint8_t ret_tag[AEAD_TAG_BYTES]) {
  random_fill(random_real(), ret_nonce, AEAD_NONCE_BYTES);
  aead_seal_with(key, ad, plain, ret_nonce, ret_cipher, ret_tag);
}

bool aead_open(const struct aead_key *key, struct bytes ad, struct bytes cipher,
               const uint8_t nonce[AEAD_NONCE_BYTES], const uint8_t tag[AEAD_TAG_BYTES],
               uint8_t *ret_plain) {
  uint8_t rest[AEAD_BLOCK_BYTES], expected[AEAD_TAG_BYTES];
  int got;
  EVP_CIPHER_CTX *gcm = begin(key, nonce, ad, false);
  memcpy(expected, tag, AEAD_TAG_BYTES);
  must(EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, expected) == 1);
  crypt(gcm, cipher, ret_plain);
  if (EVP_CipherFinal_ex(gcm, rest, &got) == 1) return true;
  bytes_wipe(ret_plain, cipher.len);
  return false;
}

/* ---- Keys from keys ---- */

/* Extract with a salt of our own; expand to one block of label, NUL, context, 1. */
void key_derive(const uint8_t from[AEAD_KEY_BYTES], const char *label, struct bytes context,
                uint8_t ret_key[AEAD_KEY_BYTES]) {
  uint8_t extracted[SHA256_BYTES], info[DERIVE_INFO_BYTES];
  size_t len = strlen(label) + 1;
  must(len + context.len + 1 <= sizeof info);
  memcpy(info, label, len);
  if (context.len) memcpy(info + len, context.at, context.len);
  info[len + context.len] = 1;
  hmac_sha256(BYTES("medulla seal 1"), bytes_of(from, AEAD_KEY_BYTES), extracted);
  hmac_sha256(bytes_of(extracted, SHA256_BYTES), bytes_of(info, len + context.len + 1), ret_key);
  bytes_wipe(extracted, sizeof extracted);
}

bool key_from_passphrase(struct bytes passphrase, struct bytes salt, unsigned cost_log,
                         uint8_t ret_key[AEAD_KEY_BYTES], struct err *err) {
  if (cost_log < 4 || cost_log > SCRYPT_COST_LOG_MAX)
    FAIL(ERR_LIMIT, "a passphrase's cost is from 4 to %d", SCRYPT_COST_LOG_MAX);
  uint64_t rounds = UINT64_C(1) << cost_log;
  uint64_t room = rounds * 128 * SCRYPT_BLOCKS + (1u << 20);
  if (EVP_PBE_scrypt((const char *)passphrase.at, passphrase.len, salt.at, salt.len, rounds,
                     SCRYPT_BLOCKS, 1, room, ret_key, AEAD_KEY_BYTES) == 1)
    return true;
  FAIL(ERR_NO_MEMORY, "the passphrase's key needs %llu MiB of memory",
       (unsigned long long)(room >> 20));
}

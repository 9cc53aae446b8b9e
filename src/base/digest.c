/* base/digest.c: OpenSSL's EVP, fetched once. */
#include "base/digest.h"

#include "base/must.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

static EVP_MD *sha256_kind;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void) {
  sha256_kind = EVP_MD_fetch(NULL, "SHA256", NULL);
  must(sha256_kind != NULL);
}

/* The short forms look the algorithm up, under a lock, at every call. */
void sha256(struct bytes input, uint8_t ret_digest[SHA256_BYTES]) {
  must(pthread_once(&sha256_once, fetch_sha256) == 0);
  must(EVP_Digest(input.at, input.len, ret_digest, NULL, sha256_kind, NULL) == 1);
}

void hmac_sha256(struct bytes key, struct bytes input, uint8_t ret_mac[SHA256_BYTES]) {
  unsigned len = SHA256_BYTES;
  static const uint8_t empty[1];
  must(HMAC(EVP_sha256(), key.len ? key.at : empty, (int)key.len, input.at, input.len, ret_mac,
            &len) != NULL);
}

void md5(struct bytes input, uint8_t ret_digest[MD5_BYTES]) {
  must(EVP_Digest(input.at, input.len, ret_digest, NULL, EVP_md5(), NULL) == 1);
}

void digest_init(struct digest *digest, enum digest_kind kind) {
  digest->ctx = EVP_MD_CTX_new();
  must(digest->ctx != NULL);
  must(EVP_DigestInit_ex(digest->ctx, kind == DIGEST_MD5 ? EVP_md5() : EVP_sha256(), NULL) == 1);
}

void digest_add(struct digest *digest, struct bytes input) {
  must(EVP_DigestUpdate(digest->ctx, input.at, input.len) == 1);
}

void digest_final(struct digest *digest, uint8_t *ret_digest) {
  must(EVP_DigestFinal_ex(digest->ctx, ret_digest, NULL) == 1);
  digest_fini(digest);
}

void digest_fini(struct digest *digest) {
  EVP_MD_CTX_free(digest->ctx);
  digest->ctx = NULL;
}

const char *digest_library_version(void) {
  return OpenSSL_version(OPENSSL_VERSION_STRING);
}

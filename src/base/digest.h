/* base/digest.h: SHA-256, HMAC-SHA-256 and MD5 (S3 ETags only) on OpenSSL.
 * Owns:    struct digest holds an OpenSSL context until final or fini.
 * Errors:  a failing primitive is a broken promise (must).
 * Threads: pure; any thread.
 * Source:  FIPS 180-4, RFC 2104, RFC 1321.                                 */
#ifndef MEDULLA_BASE_DIGEST_H
#define MEDULLA_BASE_DIGEST_H

#include "base/bytes.h"

#define SHA256_BYTES 32
#define MD5_BYTES 16

void sha256(struct bytes input, uint8_t ret_digest[SHA256_BYTES]);
void hmac_sha256(struct bytes key, struct bytes input, uint8_t ret_mac[SHA256_BYTES]);
void md5(struct bytes input, uint8_t ret_digest[MD5_BYTES]);

enum digest_kind { DIGEST_SHA256, DIGEST_MD5 };
struct digest {
  void *ctx;
};
void digest_init(struct digest *digest, enum digest_kind kind);
void digest_add(struct digest *digest, struct bytes input);
/* Writes SHA256_BYTES or MD5_BYTES and ends the digest. */
void digest_final(struct digest *digest, uint8_t *ret_digest);
void digest_fini(struct digest *digest); /* harmless after final */

/* The library behind it, as loaded. */
const char *digest_library_version(void);

#endif

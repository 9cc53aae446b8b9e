/* runtime/js_digest.h: the digests of crypto.subtle, over guest bytes.
 * Owns:    OpenSSL's algorithm handles, fetched once by js_digest_init.
 * Errors:  js_digest: 0 for an unknown algorithm.
 * Threads: one at a time.
 * Source:  FIPS 180-4.                                              */
#ifndef MEDULLA_RUNTIME_JS_DIGEST_H
#define MEDULLA_RUNTIME_JS_DIGEST_H

#include "base/bytes.h"

#define JS_DIGEST_BYTES_MAX 64

/* Before confinement: fetching an algorithm can open files. */
void js_digest_init(void);
/* which: 1, 256, 384 or 512. Returns the digest's length. */
size_t js_digest(int which, struct bytes content, uint8_t ret_digest[JS_DIGEST_BYTES_MAX]);

#endif

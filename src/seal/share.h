/* seal/share.h: a root key cut into shares of which any k give it back, and fewer tell nothing.
 * Owns:    nothing; shares are secrets of their holders.
 * Errors:  share_split: LIMIT; share_join: MALFORMED, INVALID (of different keys, too few, or they
 *          do not fit together).
 * Threads: pure but for randomness.
 * Limits:  2 <= k <= n <= SHARES_MAX.
 * Source:  Shamir, "How to share a secret", 1979, over GF(256) with the polynomial of AES.
 *
 * A share is one line: "medulla-share-1", the root key's id, k, number, 64 hex digits, and four
 * bytes of SHA-256 over what stands before, so that a slip of the pen is told. */
#ifndef MEDULLA_SEAL_SHARE_H
#define MEDULLA_SEAL_SHARE_H

#include "base/buf.h"
#include "seal/root.h"

#define SHARES_MAX 32
#define SHARE_TEXT_BYTES 160 /* with NUL */

struct share {
  char root_id[ROOT_ID_BYTES];
  uint8_t needed, number;
  uint8_t bytes[ROOT_KEY_BYTES];
};

bool share_split(const struct root *root, const struct random_port *random, unsigned needed,
                 unsigned count, struct share *ret_shares, struct err *err) MUST_CHECK;
bool share_join(const struct share *shares, unsigned count, struct root **ret_root,
                struct err *err) MUST_CHECK;
void share_write(const struct share *share, char ret_text[SHARE_TEXT_BYTES]);
bool share_read(struct bytes line, struct share *ret_share, struct err *err) MUST_CHECK;

#endif

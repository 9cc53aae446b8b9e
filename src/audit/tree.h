/* audit/tree.h: the Merkle tree over audit leaves, grown one leaf at a time.
 * Owns:    nothing; a tree is at most 64 hashes, copied freely.
 * Errors:  none.
 * Threads: pure; any thread.
 * Limits:  2^64 - 1 leaves.
 * Source:  RFC 6962 §2.1: leaf SHA-256(0x00, leaf), node SHA-256(0x01, left, right); the root of no
 *          leaves is SHA-256 of nothing.                                                        */
#ifndef MEDULLA_AUDIT_TREE_H
#define MEDULLA_AUDIT_TREE_H

#include "base/digest.h"

#define AUDIT_TREE_LEVELS 64

/* The perfect subtrees of a tree of `size` leaves, one per bit set in size, the largest first. */
struct audit_tree {
  uint64_t size;
  uint8_t peak[AUDIT_TREE_LEVELS][SHA256_BYTES]; /* by level; valid where size has the bit */
};

void audit_tree_init(struct audit_tree *tree);
void audit_tree_add(struct audit_tree *tree, const uint8_t leaf_hash[SHA256_BYTES]);
void audit_tree_root(const struct audit_tree *tree, uint8_t ret_root[SHA256_BYTES]);

#endif

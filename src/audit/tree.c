/* audit/tree.c: adding a leaf is adding one in binary: equal subtrees join, the carry moves up. */
#include "audit/tree.h"

#include <stdbool.h>
#include <string.h>

static void join(const uint8_t left[SHA256_BYTES], const uint8_t right[SHA256_BYTES],
                 uint8_t ret[SHA256_BYTES]) {
  struct digest digest;
  digest_init(&digest, DIGEST_SHA256);
  digest_add(&digest, BYTES("\x01"));
  digest_add(&digest, bytes_of(left, SHA256_BYTES));
  digest_add(&digest, bytes_of(right, SHA256_BYTES));
  digest_final(&digest, ret);
}

void audit_tree_init(struct audit_tree *tree) {
  memset(tree, 0, sizeof *tree);
}

void audit_tree_add(struct audit_tree *tree, const uint8_t leaf_hash[SHA256_BYTES]) {
  uint8_t carry[SHA256_BYTES];
  int level = 0;
  memcpy(carry, leaf_hash, SHA256_BYTES);
  for (uint64_t bits = tree->size; bits & 1; bits >>= 1, level++)
    join(tree->peak[level], carry, carry);
  memcpy(tree->peak[level], carry, SHA256_BYTES);
  tree->size++;
}

void audit_tree_root(const struct audit_tree *tree, uint8_t ret_root[SHA256_BYTES]) {
  uint8_t root[SHA256_BYTES];
  bool any = false;
  if (tree->size == 0) sha256(BYTES(""), root);
  for (int level = 0; level < AUDIT_TREE_LEVELS; level++) { /* from the smallest, on the right */
    if (!(tree->size >> level & 1)) continue;
    if (any)
      join(tree->peak[level], root, root);
    else
      memcpy(root, tree->peak[level], SHA256_BYTES);
    any = true;
  }
  memcpy(ret_root, root, SHA256_BYTES);
}

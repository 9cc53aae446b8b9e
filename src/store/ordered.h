/* store/ordered.h: keys in byte order with small rows, in memory: a skip list.
 * Owns:    copies of keys and values; wiped and freed with their node.
 * Errors:  none; memory is must_alloc's.
 * Threads: one writer, or any readers; never both.
 * Limits:  none of its own; for tests, simulation and the overlay of one transaction.          */
#ifndef MEDULLA_STORE_ORDERED_H
#define MEDULLA_STORE_ORDERED_H

#include "base/bytes.h"

#define ORDERED_LEVELS 20

struct ordered_node {
  struct bytes key, value;
  uint64_t version;
  bool tombstone; /* for overlays: the row below is gone */
  struct ordered_node *prev;
  unsigned levels;
  struct ordered_node *next[]; /* levels of them */
};

struct ordered {
  struct ordered_node *head; /* keyless, full height */
  size_t count;
  uint64_t dice;
};

void ordered_init(struct ordered *ordered);
void ordered_fini(struct ordered *ordered);
void ordered_clear(struct ordered *ordered);
/* The row with this key, or NULL. */
struct ordered_node *ordered_get(const struct ordered *ordered, struct bytes key);
/* Sets or replaces. */
struct ordered_node *ordered_put(struct ordered *ordered, struct bytes key, struct bytes value,
                                 uint64_t version);
void ordered_drop(struct ordered *ordered, struct bytes key); /* harmless when not there */
/* The first row with a key >= this one, or NULL. */
struct ordered_node *ordered_seek(const struct ordered *ordered, struct bytes key);
/* The last row with a key <= this one, or NULL. */
struct ordered_node *ordered_seek_back(const struct ordered *ordered, struct bytes key);
struct ordered_node *ordered_first(const struct ordered *ordered);
struct ordered_node *ordered_last(const struct ordered *ordered);
struct ordered_node *ordered_next(const struct ordered_node *node);
struct ordered_node *ordered_prev(const struct ordered *ordered, const struct ordered_node *node);

#endif

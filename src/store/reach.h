/* store/reach.h: how far the ledger has come, noted beside it: a log that was cut, or a database
 * that was replaced by an older copy, ends before this place.
 * Owns:    its file, from open to close.
 * Units:   positions.
 * Errors:  CORRUPT (missing, or not what was noted), IO.
 * Threads: the store thread.
 *
 * "ledger/reach" is one sealed fact. It is written after each transaction is durable and not synced
 * itself: a power cut may leave an older note, never one that is ahead of the ledger. Whoever puts
 * back an older copy of the whole folder is not found out here.                               */
#ifndef MEDULLA_STORE_REACH_H
#define MEDULLA_STORE_REACH_H

#include "store/page.h"

#define REACH_PATH "ledger/reach"

struct reach {
  struct file *file;
  struct page_key key;
  uint64_t position; /* as noted last */
};

/* `fresh`: there is no ledger yet, and the note is made. Without keys nothing is noted. */
bool reach_open(struct disk *disk, const struct page_key *key, bool fresh, struct reach *ret_reach,
                struct err *err) MUST_CHECK;
/* Best effort: an older note is a true one. */
void reach_note(struct reach *reach, uint64_t position);
void reach_close(struct reach *reach);

#endif

/* store/page.h: the transform every page of the ledger passes on its way to and from the disk. The
 * database and its log hold whole pages, so both pass here; encryption will sit in this place.
 * Owns:    nothing.
 * Units:   bytes.
 * Errors:  page_decode is false when the page is not what was encoded.
 * Threads: pure; any thread.
 * Limits:  PAGE_RESERVE_BYTES at the end of every page, which SQLite leaves alone.
 *
 * Reserve: check (4), format (1), zero (3), epoch (8), zero (32: room for nonce and tag).
 * The check covers store id, page number, the page and its epoch, so a page in the wrong place
 * or of another store fails too. In memory the reserve is zero: SQLite's own checksums over log
 * frames are made of the page as it stands there.                                             */
#ifndef MEDULLA_STORE_PAGE_H
#define MEDULLA_STORE_PAGE_H

#include "base/bytes.h"

#define PAGE_BYTES 8192
#define PAGE_RESERVE_BYTES 48

struct page_key {
  uint8_t store_id[16];
  uint64_t epoch; /* counts openings; kept with each page it writes */
};

/* From `plain` (PAGE_BYTES, reserve zero) to `ret_coded`. */
void page_encode(const struct page_key *key, uint32_t number, const uint8_t *plain,
                 uint8_t *ret_coded);
/* In place. */
bool page_decode(const struct page_key *key, uint32_t number, uint8_t *page);

#endif

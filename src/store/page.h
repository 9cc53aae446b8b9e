/* store/page.h: the transform every page of the ledger passes on its way to and from the disk. The
 * database and its log hold whole pages, so both pass here.
 * Owns:    nothing; the ring of keys outlives what is made with it.
 * Units:   bytes.
 * Errors:  page_decode is false when the page is not what was encoded.
 * Threads: any.
 * Limits:  PAGE_RESERVE_BYTES at the end of every page, which SQLite leaves alone.
 *
 * Sealed: cipher (8144), nonce (24), tag (16), key epoch (4), zero (4). The associated data are the
 * store's id, the page's number and epoch; in the log also where the frame stands and its header,
 * so a page in the wrong place, of another store or of the log's earlier round fails. In memory the
 * reserve is zero: SQLite's own checksums over log frames are made of the page as it stands there.
 *
 * Without a ring (tests, the plain side of benchmarks) a page stays plain behind a check (4),
 * format (1), zero (3), epoch of openings (8), zero (32), which finds damage but no malice. */
#ifndef MEDULLA_STORE_PAGE_H
#define MEDULLA_STORE_PAGE_H

#include "base/bytes.h"
#include "seal/keys.h"

#define PAGE_BYTES 8192
#define PAGE_RESERVE_BYTES 48
#define PAGE_FRAME_HEAD_BYTES 24
#define PAGE_FRAME_BOUND_BYTES 16 /* of a frame's header: number, size at commit, two salts */

struct page_key {
  uint8_t store_id[16];
  uint64_t epoch;             /* counts openings */
  const struct keyring *keys; /* NULL: plain pages behind a check */
  struct aead_key frame;      /* the store's own, for headers of frames: it hides checksums only */
};

struct page_place {
  uint32_t number;
  /* In the log: */
  const uint8_t *frame_head; /* its header, opened; NULL: in the database */
  uint64_t offset;           /* of the frame */
};

/* From `plain` (PAGE_BYTES, reserve zero) to `ret_coded`. */
void page_encode(const struct page_key *key, const struct page_place *place, const uint8_t *plain,
                 uint8_t *ret_coded);
/* In place. */
bool page_decode(const struct page_key *key, const struct page_place *place,
                 uint8_t *page) MUST_CHECK;
/* The epoch of keys a sealed page was written in. */
uint32_t page_epoch(const uint8_t *coded);

/* A frame's header in place: its salts and checksums, which are made of plain pages, become one
 * block of cipher; number and size stay readable. */
void page_head_encode(const struct page_key *key, uint8_t head[PAGE_FRAME_HEAD_BYTES]);
void page_head_decode(const struct page_key *key, uint8_t head[PAGE_FRAME_HEAD_BYTES]);

#endif

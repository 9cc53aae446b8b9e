/* effect/outbox_scan.c: reads rows in the order of their keys (deliveries, as they were admitted).
 *
 * Rows that end while the scan is under way are remembered until it is done: the scan saw an older
 * state and must not bring them back.                                                          */
#include "effect/outbox_scan.h"

#include "base/must.h"
#include "effect/outbox_parts.h"

#include <stdlib.h>
#include <string.h>

enum { SCAN_ROWS_MAX = 1000 };

struct found {
  struct list link;
  uint8_t key[OUTBOX_KEY_BYTES];
  struct buf value;
};

struct scan {
  struct outbox *outbox;
  struct list found;
  size_t bytes;
  uint32_t count;
  bool cut; /* there are more */
  bool ok;
  struct err err;
};

static bool scan_row(void *arg, const struct store_row *row) {
  struct scan *scan = arg;
  struct outbox_row decoded;
  struct err err;
  if (row->key.len != OUTBOX_KEY_BYTES || !outbox_row_decode(row->value, &decoded, &err) ||
      decoded.state == OUTBOX_DEAD)
    return true;
  if (scan->count == SCAN_ROWS_MAX || scan->bytes > OUTBOX_BYTES_MAX) {
    scan->cut = true;
    return false;
  }
  struct found *found = must_alloc(sizeof *found);
  memcpy(found->key, row->key.at, sizeof found->key);
  buf_init(&found->value, STORE_VALUE_BYTES_MAX);
  buf_put(&found->value, row->value);
  list_init(&found->link);
  list_push(&scan->found, &found->link);
  scan->count++;
  scan->bytes += row->value.len;
  return true;
}

static void scan_query(void *arg, struct store_reader *reader) {
  struct scan *scan = arg;
  const struct store_range range = {.table = TABLE_outbox};
  scan->ok = store_scan(reader, &range, scan_row, scan, &scan->err);
}

static bool is_gone(const struct outbox *outbox, const uint8_t *key) {
  LIST_EACH (send, &outbox->gone, struct send, link)
    if (memcmp(send->key, key, OUTBOX_KEY_BYTES) == 0) return true;
  return false;
}

static void scan_done(void *arg) {
  struct scan *scan = arg;
  struct outbox *outbox = scan->outbox;
  bool alive = outbox_called(outbox);
  if (alive) {
    outbox->scanning = false;
    if (!scan->ok || scan->cut) outbox->spilled = true;
  }
  LIST_EACH (found, &scan->found, struct found, link) {
    if (alive && !is_gone(outbox, found->key))
      outbox_add(outbox, bytes_of(found->key, sizeof found->key), buf_bytes(&found->value));
    buf_fini(&found->value);
    free(found);
  }
  free(scan);
  if (!alive) return;
  while (!list_empty(&outbox->gone)) send_free(LIST_FIRST(&outbox->gone, struct send, link));
  lines_start(outbox);
}

void outbox_scan_more(struct outbox *outbox) {
  if (!outbox->spilled || outbox->scanning || outbox->stopped) return;
  if (outbox->sends.count > SCAN_ROWS_MAX / 2 || outbox->bytes > OUTBOX_BYTES_MAX / 2) return;
  struct scan *scan = must_alloc(sizeof *scan);
  scan->outbox = outbox;
  list_init(&scan->found);
  outbox->scanning = true;
  outbox->spilled = false; /* rows that do not fit meanwhile set it again */
  outbox->calls++;
  store_ask(outbox->options.store, scan_query, scan_done, scan);
}

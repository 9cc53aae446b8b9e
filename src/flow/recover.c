/* flow/recover.c: from the ledger back into memory: at start, and when there is room again.
 *
 * Owed deliveries are read in the order of their ids, which is the order of admission. Past
 * deliveries_max they stay in the store and are read from spill_from on as room comes free.     */
#include "base/must.h"
#include "flow/world.h"

#include <stdlib.h>
#include <string.h>

enum { REFILL_ROWS_MAX = 10000 };

struct refilling {
  struct flow *flow;
  struct id from;
  uint32_t room;
  struct list found; /* struct found */
  bool full, ok, clean;
  struct id last; /* row read last */
  struct err err;
};

struct found {
  struct list link;
  struct delivery delivery;
  uint64_t version;
  char text[]; /* function, key */
};

static struct id id_after(struct id id) {
  for (int i = ID_BYTES; i-- > 0 && ++id.at[i] == 0;) continue;
  return id;
}

static bool visit_row(void *arg, const struct store_row *row) {
  struct refilling *r = arg;
  struct delivery d;
  if (r->room == 0) {
    r->full = true;
    return false;
  }
  if (!delivery_decode(row->value, &d, &r->err)) return false;
  r->last = d.id;
  if (d.state == DELIVERY_DEAD) return true;
  struct found *found = must_alloc(sizeof *found + d.function.len + d.key.len);
  memcpy(found->text, d.function.at, d.function.len);
  if (d.key.len) memcpy(found->text + d.function.len, d.key.at, d.key.len);
  found->delivery = d;
  found->delivery.function = bytes_of(found->text, d.function.len);
  found->delivery.key = bytes_of(found->text + d.function.len, d.key.len);
  found->version = row->version;
  list_init(&found->link);
  list_push(&r->found, &found->link);
  r->room--;
  return true;
}

static void read_rows(void *arg, struct store_reader *reader) {
  struct refilling *r = arg;
  struct store_range range = {.table = TABLE_delivery};
  if (!id_is_none(r->from)) range.from = id_bytes(&r->from);
  r->err.code = ERR_OK;
  r->ok = store_scan(reader, &range, visit_row, r, &r->err) && r->err.code == ERR_OK;
}

/* All into their lines first, then entered, so that the first in line is the head. */
static void enter_all(struct refilling *r) {
  struct flow *flow = r->flow;
  struct list entered;
  list_init(&entered);
  LIST_EACH (found, &r->found, struct found, link) {
    struct function *function;
    struct err err;
    if (catalog_find(flow->catalog, found->delivery.function, &function, &err)) {
      struct owed *owed = owed_new(flow, function, &found->delivery, NULL);
      owed->row_version = found->version;
      if (owed->line && !owed->passed) list_push(&owed->line->owed, &owed->in_line);
      list_push(&entered, &owed->link);
    }
    list_drop(&found->link);
    free(found);
  }
  LIST_EACH (owed, &entered, struct owed, link) {
    list_drop(&owed->link);
    owed_enter(owed);
  }
}

static bool visit_last(void *arg, const struct store_row *row) {
  struct flow *flow = arg;
  if (row->key.len == ID_BYTES) memcpy(flow->last_id.at, row->key.at, ID_BYTES);
  return false;
}

bool recover(struct flow *flow, struct err *err) {
  /* The clock may have gone back while we were down: new ids still have to follow the old ones. */
  struct store_range last = {.table = TABLE_delivery, .reverse = true};
  TRY(store_scan(store_reader(flow->options.store), &last, visit_last, flow, err));
  struct refilling r = {.flow = flow, .room = flow->options.limits.deliveries_max};
  list_init(&r.found);
  read_rows(&r, store_reader(flow->options.store));
  if (!r.ok) {
    *err = r.err;
    return false;
  }
  enter_all(&r);
  flow->spilling = r.full;
  flow->spill_from = id_after(r.last);
  return true;
}

/* Nothing is left behind when the read met the end, no spilled row was under way when it began, and
 * none was made since. Else the next read goes on behind the last row: rows come in id order. */
static void refilled(void *arg) {
  struct refilling *r = arg;
  struct flow *flow = r->flow;
  flow->refilling = false;
  if (r->ok) {
    enter_all(r);
    if (!r->full && r->clean && !flow->spill_new) flow->spilling = false;
    if (!id_is_none(r->last)) flow->spill_from = id_after(r->last);
    if (flow->spill_pending == 0) refill(flow);
  }
  free(r);
}

void refill(struct flow *flow) {
  uint32_t max = flow->options.limits.deliveries_max;
  if (!flow->spilling || flow->refilling || flow->closing || flow->owed_count > max / 2) return;
  struct refilling *r = must_alloc(sizeof *r);
  r->flow = flow;
  r->from = flow->spill_from;
  r->room = max - flow->owed_count < REFILL_ROWS_MAX ? max - flow->owed_count : REFILL_ROWS_MAX;
  list_init(&r->found);
  r->clean = flow->spill_pending == 0;
  flow->spill_new = false;
  flow->refilling = true;
  store_ask(flow->options.store, read_rows, refilled, r);
}

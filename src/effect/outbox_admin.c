/* effect/outbox_admin.c: what an administrator can do about dead messages. */
#include "base/must.h"
#include "effect/outbox_parts.h"

#include <stdlib.h>
#include <string.h>

struct listing {
  bool dead_only;
  struct bytes after;
  outbox_visit *visit;
  void *arg;
};

static bool list_row(void *arg, const struct store_row *row) {
  struct listing *listing = arg;
  struct outbox_row decoded;
  struct err err;
  if (bytes_cmp(row->key, listing->after) <= 0) return true;
  if (!outbox_row_decode(row->value, &decoded, &err)) return true;
  if (listing->dead_only && decoded.state != OUTBOX_DEAD) return true;
  return listing->visit(listing->arg, row->key, &decoded);
}

bool outbox_list(struct store_reader *reader, struct bytes after, bool dead_only,
                 outbox_visit *visit, void *arg, struct err *err) {
  struct listing listing = {dead_only, after, visit, arg};
  const struct store_range range = {.table = TABLE_outbox, .from = after};
  return store_scan(reader, &range, list_row, &listing, err);
}

/* One act on one dead row. */
struct act {
  struct outbox *outbox;
  bool redrive;
  uint8_t key[OUTBOX_KEY_BYTES];
  struct buf value, after;
  struct buf principal;
  uint64_t version;
  bool ok;
  struct err err;
  outbox_acted *done;
  void *arg;
};

static void end_act(struct act *act) {
  act->done(act->arg, &act->err);
  buf_fini(&act->value);
  buf_fini(&act->after);
  buf_fini(&act->principal);
  free(act);
}

static void act_settled(void *arg, const struct store_result *result) {
  struct act *act = arg;
  act->err = result->err;
  if (outbox_called(act->outbox) && act->err.code == ERR_OK) {
    act->outbox->load.dead--;
    if (act->redrive) {
      outbox_add(act->outbox, bytes_of(act->key, sizeof act->key), buf_bytes(&act->after));
      lines_start(act->outbox);
    }
  }
  end_act(act);
}

static void submit_act(struct act *act, const struct outbox_row *row) {
  struct store_commit *commit = commit_new();
  struct bytes key = bytes_of(act->key, sizeof act->key);
  struct outbox_row after = *row;
  after.state = OUTBOX_OWED;
  after.attempts = 0;
  after.next_ms = 0;
  after.created_ms = outbox_now_ms(act->outbox);
  outbox_row_encode(&act->after, &after);
  commit_check(commit, TABLE_outbox, key, act->version, ERR_CONFLICT);
  if (act->redrive)
    commit_put(commit, TABLE_outbox, key, buf_bytes(&act->after));
  else
    commit_remove(commit, TABLE_outbox, key);
  struct outbox_row by = *row;
  by.function = buf_bytes(&act->principal); /* the actor */
  outbox_audit(act->outbox, commit, &by, "ok", act->redrive ? "redriven" : "discarded");
  act->outbox->calls++;
  store_submit(act->outbox->options.store, &commit, act_settled, act);
}

static void act_query(void *arg, struct store_reader *reader) {
  struct act *act = arg;
  act->ok = store_get(reader, TABLE_outbox, bytes_of(act->key, sizeof act->key), &act->value,
                      &act->version, &act->err);
}

static void act_read(void *arg) {
  struct act *act = arg;
  struct outbox_row row;
  bool alive = outbox_called(act->outbox);
  if (act->ok && act->version == 0)
    err_set(&act->err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "there is no such message");
  else if (act->ok && outbox_row_decode(buf_bytes(&act->value), &row, &act->err)) {
    if (alive && row.state == OUTBOX_DEAD) {
      submit_act(act, &row);
      return;
    }
    err_set(&act->err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "the message is not dead");
  }
  end_act(act);
}

static void act_start(struct outbox *outbox, bool redrive, struct bytes key, struct bytes principal,
                      outbox_acted *done, void *arg) {
  struct act *act = must_alloc(sizeof *act);
  act->outbox = outbox;
  act->redrive = redrive;
  act->done = done;
  act->arg = arg;
  err_clear(&act->err);
  memcpy(act->key, key.at, key.len < sizeof act->key ? key.len : sizeof act->key);
  buf_init(&act->value, STORE_VALUE_BYTES_MAX);
  buf_init(&act->after, STORE_VALUE_BYTES_MAX);
  buf_init(&act->principal, STORE_KEY_BYTES_MAX);
  buf_put(&act->principal, principal);
  outbox->calls++;
  store_ask(outbox->options.store, act_query, act_read, act);
}

void outbox_redrive(struct outbox *outbox, struct bytes key, struct bytes principal,
                    outbox_acted *done, void *arg) {
  act_start(outbox, true, key, principal, done, arg);
}

void outbox_discard(struct outbox *outbox, struct bytes key, struct bytes principal,
                    outbox_acted *done, void *arg) {
  act_start(outbox, false, key, principal, done, arg);
}

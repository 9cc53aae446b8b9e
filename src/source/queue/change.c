/* source/queue/change.c: a receipt given back: the message is done with, or shown again later. */
#include "base/must.h"
#include "source/queue/parts.h"

#include <string.h>

enum { QUEUE_CHANGE_BYTES_MAX = 32 << 20 };

static void change_end(struct queue_change *change, const struct err *err) {
  buf_fini(&change->row);
  change->done(change, err);
}

static void changed(void *arg, const struct store_result *result) {
  struct queue_change *change = arg;
  struct err err = result->err;
  if (err.code == ERR_OK && change->visibility_ms >= 0) queue_kick(change->queues, change->queue);
  change_end(change, err.code == ERR_OK ? NULL : &err);
}

static void query(void *arg, struct store_reader *reader) {
  struct queue_change *change = arg;
  change->ok = store_get(reader, TABLE_queue, bytes_of(change->key, change->key_bytes),
                         &change->row, &change->version, &change->err);
}

static bool found_row(struct queue_change *change, struct queued *ret_queued, struct err *err) {
  *err = change->err;
  if (!change->ok) return false;
  if (change->version == 0) FAIL(ERR_NOT_FOUND, "there is no such message any more");
  TRY(queued_decode(buf_bytes(&change->row), ret_queued, err));
  if (ret_queued->receives != change->receives)
    FAIL(ERR_NOT_FOUND, "the receipt is no longer valid: the message was received again");
  return true;
}

static void found(void *arg) {
  struct queue_change *change = arg;
  struct bytes key = bytes_of(change->key, change->key_bytes);
  struct queued queued;
  struct err err;
  if (!found_row(change, &queued, &err)) {
    change_end(change, &err);
    return;
  }
  struct store_commit *commit = commit_new();
  commit_check(commit, TABLE_queue, key, change->version, ERR_CONFLICT);
  if (change->visibility_ms < 0) {
    commit_remove(commit, TABLE_queue, key);
  } else {
    struct buf value;
    queued.visible_ms = queues_now_ms(change->queues) + change->visibility_ms;
    buf_init(&value, QUEUE_CHANGE_BYTES_MAX);
    queued_encode(&value, &queued);
    must(buf_ok(&value));
    commit_put(commit, TABLE_queue, key, buf_bytes(&value));
    buf_fini(&value);
  }
  store_submit(change->queues->store, &commit, changed, change);
}

static bool parse_receipt(struct queue_change *change, struct err *err) {
  struct bytes number;
  struct id id;
  uint64_t receives;
  TRY(queue_name_check(change->queue, err));
  if (change->visibility_ms > QUEUE_VISIBILITY_MS_MAX)
    FAIL(ERR_INVALID, "QUEUE_VISIBILITY_MS_MAX: invisible for at most 12 hours");
  if (!id_parse(bytes_cut(change->receipt, '.', &number), &id, err) ||
      !bytes_u64(number, &receives) || receives > UINT32_MAX)
    FAIL(ERR_INVALID, "this is no receipt");
  change->receives = (uint32_t)receives;
  change->key_bytes = queued_key(change->queue, id, change->key).len;
  return true;
}

void queue_change(struct queue_change *change) {
  struct err err;
  buf_init(&change->row, QUEUE_CHANGE_BYTES_MAX);
  if (parse_receipt(change, &err))
    store_ask(change->queues->store, query, found, change);
  else
    change_end(change, &err);
}

/* flow/dead.c: dead letters: redriven out of order, or discarded; both are on record. */
#include "base/must.h"
#include "flow/world.h"

#include <stdlib.h>

enum { DEAD_ROW_BYTES_MAX = 16 << 10 };

struct dead {
  struct flow *flow;
  struct flow_reply *reply;
  struct id id;
  bool redrive;
  char *principal;
  struct buf row;
  uint64_t version;
  bool ok;
  struct err err;
  struct delivery delivery;
  struct function *function;
};

static void dead_end(struct dead *dead, const struct err *err) {
  struct flow_answer answer = {.accepted = err ? 0 : 1};
  if (err) answer.err = *err;
  dead->reply->answer(dead->reply, &answer);
  buf_fini(&dead->row);
  free(dead->principal);
  free(dead);
}

static void dead_durable(void *arg, const struct store_result *result) {
  struct dead *dead = arg;
  if (result->err.code != ERR_OK) {
    dead_end(dead, &result->err);
    return;
  }
  if (dead->redrive) {
    struct owed *owed = owed_new(dead->flow, dead->function, &dead->delivery, NULL);
    owed->row_version = result->position;
    owed_enter(owed);
  }
  dead_end(dead, NULL);
}

static bool dead_commit(struct dead *dead, struct err *err) {
  struct flow *flow = dead->flow;
  struct delivery *delivery = &dead->delivery;
  if (!dead->ok) {
    *err = dead->err;
    return false;
  }
  if (dead->version == 0) FAIL(ERR_NOT_FOUND, "there is no such dead letter");
  TRY(delivery_decode(buf_bytes(&dead->row), delivery, err));
  if (delivery->state != DELIVERY_DEAD)
    FAIL(ERR_PRECONDITION, "this delivery is not dead: it is still being tried");
  if (dead->redrive) TRY(catalog_find(flow->catalog, delivery->function, &dead->function, err));
  struct store_commit *commit = commit_new();
  commit_check(commit, TABLE_delivery, id_bytes(&dead->id), dead->version, ERR_CONFLICT);
  if (dead->redrive) {
    delivery->state = DELIVERY_OWED;
    delivery->attempts = 0;
    delivery->next_ms = 0;
    delivery->redrives++;
    delivery->created_ms = flow_now_ms(flow); /* its age counts anew */
    delivery->reason = BYTES_NONE;
    owed_put(commit, delivery);
  } else {
    commit_remove(commit, TABLE_delivery, id_bytes(&dead->id));
  }
  flow_audit(flow, commit, bytes_str(dead->principal),
             dead->redrive ? "dead.redrive" : "dead.discard", delivery->function, "ok", NULL);
  store_submit(flow->options.store, &commit, dead_durable, dead);
  return true;
}

static void dead_read(void *arg, struct store_reader *reader) {
  struct dead *dead = arg;
  dead->ok = store_get(reader, TABLE_delivery, id_bytes(&dead->id), &dead->row, &dead->version,
                       &dead->err);
}

static void dead_found(void *arg) {
  struct dead *dead = arg;
  struct err err;
  if (!dead_commit(dead, &err)) dead_end(dead, &err);
}

static void dead_begin(struct flow *flow, struct id delivery, struct bytes principal, bool redrive,
                       struct flow_reply *reply) {
  struct dead *dead = must_alloc(sizeof *dead);
  dead->flow = flow;
  dead->reply = reply;
  dead->id = delivery;
  dead->redrive = redrive;
  dead->principal = bytes_dup(principal);
  buf_init(&dead->row, DEAD_ROW_BYTES_MAX);
  store_ask(flow->options.store, dead_read, dead_found, dead);
}

void flow_redrive(struct flow *flow, struct id delivery, struct bytes principal,
                  struct flow_reply *reply) {
  dead_begin(flow, delivery, principal, true, reply);
}

void flow_discard(struct flow *flow, struct id delivery, struct bytes principal,
                  struct flow_reply *reply) {
  dead_begin(flow, delivery, principal, false, reply);
}

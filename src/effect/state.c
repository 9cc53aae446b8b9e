/* effect/state.c: the app's transactional key-value state.
 *
 * Reads by key see the run's own staged writes first and are validated at settle; a list sees only
 * what is committed. Increments commute: they validate nothing and cannot conflict.             */
#include "effect/call.h"

#include <stdio.h>
#include <string.h>

enum {
  STATE_KEY_BYTES_MAX = 1024,
  STATE_VALUE_BYTES_MAX = 1 << 20,
  STATE_LIST_MAX = 1000,
  STATE_ANSWER_BYTES_MAX = 4 << 20,
};

struct state_read {
  struct bytes key; /* row key, or prefix of rows */
  struct bytes from;
  size_t app_bytes; /* of the row key: the app and its NUL */
  int64_t limit;
  int64_t count;
  struct buf answer;
  uint64_t version;
  int64_t delta; /* of the run's own increments on top of what is committed */
  bool ok;
  struct err err;
};

static bool state_key(struct effect_call *call, const char *action, struct bytes *ret_key) {
  if (!effect_granted(call, "state", action, BYTES_NONE)) return false;
  if (!effect_text(call, "key", STATE_KEY_BYTES_MAX, ret_key)) return false;
  *ret_key = effect_app_key(call, *ret_key);
  return true;
}

static void get_query(void *arg, struct store_reader *reader) {
  struct state_read *read = ((struct effect_call *)arg)->own;
  read->ok = store_get(reader, TABLE_state, read->key, &read->answer, &read->version, &read->err);
}

/* Answers with a counter's value; null counts as 0. */
static void answer_sum(struct effect_call *call, struct bytes json, int64_t delta) {
  char text[32];
  uint64_t magnitude = 0;
  bool negative = json.len && json.at[0] == '-';
  if (json.len && !bytes_eq_str(json, "null") &&
      !bytes_u64(bytes_from(json, negative ? 1 : 0), &magnitude)) {
    effect_fail(call, ERR_INVALID,
                "state.get: an increment was staged on a value that is no counter");
    return;
  }
  int64_t value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
  snprintf(text, sizeof text, "%lld", (long long)(value + delta));
  effect_answer(call, bytes_str(text));
}

static void get_done(void *arg) {
  struct effect_call *call = arg;
  struct state_read *read = call->own;
  struct buf answer = read->answer;
  if (!read->ok) {
    effect_fail_err(call, &read->err);
  } else {
    if (call->run) stage_read(&call->run->stage, TABLE_state, read->key, read->version);
    struct bytes value = read->version ? buf_bytes(&answer) : BYTES("null");
    if (read->delta)
      answer_sum(call, value, read->delta);
    else
      effect_answer(call, value);
  }
  buf_fini(&answer);
}

static struct state_read *read_new(struct effect_call *call, struct bytes key) {
  if (!effect_own(call, sizeof(struct state_read))) return NULL;
  struct state_read *read = call->own;
  read->key = key;
  buf_init(&read->answer, STATE_ANSWER_BYTES_MAX);
  return read;
}

void effect_state_get(struct effect_call *call) {
  struct bytes key;
  if (!state_key(call, "read", &key)) return;
  const struct stage_op *own = NULL; /* the newest write of the run that is no increment */
  int64_t delta = 0;
  for (const struct stage_op *op = call->run->stage.ops; op; op = op->next) {
    if (op->table != TABLE_state || !bytes_eq(op->key, key)) continue;
    if (op->kind != STAGE_ADD) own = op;
    delta = op->kind == STAGE_ADD ? delta + op->delta : 0;
  }
  effect_audit(call, BYTES("state"), "ok", NULL, key);
  struct bytes value = own && own->kind == STAGE_PUT ? own->value : BYTES("null");
  if (!own) {
    struct state_read *read = read_new(call, key);
    if (!read) return;
    read->delta = delta;
    effect_ask(call, get_query, get_done);
  } else if (delta) {
    answer_sum(call, value, delta);
  } else {
    effect_answer(call, value);
  }
}

static bool list_row(void *arg, const struct store_row *row) {
  struct state_read *read = arg;
  struct json_out out;
  if (read->count == read->limit) return false;
  json_out_init(&out, &read->answer);
  out.comma = read->count++ > 0;
  json_out_open(&out, '{');
  json_out_member(&out, "key", bytes_from(row->key, read->app_bytes));
  json_out_member_raw(&out, "value", row->value);
  json_out_close(&out, '}');
  return buf_ok(&read->answer);
}

static void list_query(void *arg, struct store_reader *reader) {
  struct state_read *read = ((struct effect_call *)arg)->own;
  struct store_range range = {.table = TABLE_state, .prefix = read->key, .from = read->from};
  buf_char(&read->answer, '[');
  read->ok = store_scan(reader, &range, list_row, read, &read->err);
  buf_char(&read->answer, ']');
}

static void list_done(void *arg) {
  struct effect_call *call = arg;
  struct state_read *read = call->own;
  struct buf answer = read->answer;
  if (!read->ok)
    effect_fail_err(call, &read->err);
  else if (!buf_ok(&answer))
    effect_fail(call, ERR_LIMIT, "state.list: the answer has more than 4 MiB; ask for fewer");
  else
    effect_answer(call, buf_bytes(&answer));
  buf_fini(&answer);
}

void effect_state_list(struct effect_call *call) {
  if (!effect_granted(call, "state", "read", BYTES_NONE)) return;
  struct bytes prefix = json_get_text(call->payload, "prefix");
  struct bytes after = json_get_text(call->payload, "after");
  int64_t limit = STATE_LIST_MAX;
  if (json_get(call->payload, "limit") && !json_int(json_get(call->payload, "limit"), &limit))
    limit = 0;
  if (limit < 1 || limit > STATE_LIST_MAX) {
    effect_fail(call, ERR_INVALID, "state.list: \"limit\" is a whole number from 1 to %d",
                STATE_LIST_MAX);
    return;
  }
  effect_audit(call, BYTES("state"), "ok", NULL, prefix);
  struct state_read *read = read_new(call, effect_app_key(call, prefix));
  if (!read) return;
  read->app_bytes = call->run->app.len + 1;
  read->limit = limit;
  if (after.len) {
    /* The first key greater than `after`: itself and one NUL. */
    struct bytes from = effect_app_key(call, after);
    uint8_t *next = arena_alloc(&call->arena, from.len + 1);
    if (next && from.len) memcpy(next, from.at, from.len);
    read->from = next ? bytes_of(next, from.len + 1) : BYTES_NONE;
  }
  effect_ask(call, list_query, list_done);
}

void effect_state_put(struct effect_call *call) {
  struct bytes key;
  if (!state_key(call, "write", &key)) return;
  const struct json *value = json_get(call->payload, "value");
  struct buf text;
  struct json_out out;
  if (!value) {
    effect_fail(call, ERR_INVALID, "state.put needs a \"value\"");
    return;
  }
  buf_init(&text, STATE_VALUE_BYTES_MAX);
  json_out_init(&out, &text);
  json_out_value(&out, value);
  if (!buf_ok(&text)) {
    effect_fail(call, ERR_LIMIT, "state.put: a value has at most 1 MiB");
  } else {
    stage_put(&call->run->stage, TABLE_state, key, buf_bytes(&text));
    effect_audit(call, BYTES("state"), "ok", NULL, key);
    effect_answer(call, BYTES("null"));
  }
  buf_fini(&text);
}

void effect_state_delete(struct effect_call *call) {
  struct bytes key;
  if (!state_key(call, "write", &key)) return;
  stage_remove(&call->run->stage, TABLE_state, key);
  effect_audit(call, BYTES("state"), "ok", NULL, key);
  effect_answer(call, BYTES("null"));
}

void effect_state_increment(struct effect_call *call) {
  struct bytes key;
  int64_t by = 1;
  if (!state_key(call, "write", &key)) return;
  const struct json *given = json_get(call->payload, "by");
  if (given && !json_int(given, &by)) {
    effect_fail(call, ERR_INVALID, "state.increment: \"by\" is a whole number");
    return;
  }
  stage_add(&call->run->stage, TABLE_state, key, by);
  effect_audit(call, BYTES("state"), "ok", NULL, key);
  effect_answer(call, BYTES("null"));
}

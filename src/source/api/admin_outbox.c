/* source/api/admin_outbox.c: messages to contacts: those owed, and the dead ones that a person
 * redrives or discards. What a message says is shown to administrators alone, on record. */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/api/parts.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 32 << 20, MESSAGES_MAX = 10000 };

struct outbox_asking {
  struct api_call *call;
  struct bytes function; /* filter, or empty */
  struct bytes after;    /* the last one of the page before */
  uint8_t key[OUTBOX_KEY_BYTES];
  bool dead_only, found, more, ok, redrive;
  struct buf body;
  struct json_out out;
  uint8_t (*keys)[OUTBOX_KEY_BYTES]; /* to act on */
  size_t count, room, waiting, done;
  struct err err, first_err;
};

static struct outbox_asking *asking_new(struct api_call *call) {
  struct outbox_asking *asking = must_alloc(sizeof *asking);
  asking->call = call;
  asking->function = api_query(call, "function");
  buf_init(&asking->body, LIST_BYTES_MAX);
  json_out_init(&asking->out, &asking->body);
  return asking;
}

static void asking_free(struct outbox_asking *asking) {
  buf_fini(&asking->body);
  free(asking->keys);
  free(asking);
}

static void asking_end(struct outbox_asking *asking) {
  if (!asking->ok)
    api_fail_err(asking->call, &asking->err, 0);
  else if (!buf_ok(&asking->body))
    api_fail(asking->call, ERR_LIMIT, "the answer is larger than 32 MiB; ask for one function");
  else
    api_json(asking->call, 200, buf_bytes(&asking->body));
  asking_free(asking);
}

static void write_message(struct json_out *out, struct bytes key, const struct outbox_row *row) {
  char text[OUTBOX_KEY_TEXT_BYTES];
  outbox_key_text(key, text);
  json_out_member_str(out, "message", text);
  json_out_member(out, "contact", row->contact);
  json_out_member(out, "function", row->function);
  json_out_member_str(out, "state", row->state == OUTBOX_DEAD ? "dead" : "owed");
  json_out_member_int(out, "attempts", row->attempts);
  json_out_member_int(out, "created_ms", row->created_ms);
  if (row->state == OUTBOX_OWED && row->attempts) json_out_member_int(out, "next_ms", row->next_ms);
  id_text(row->run, text);
  json_out_member_str(out, "run", text);
  json_out_member(out, "reason", row->reason);
}

static bool wanted(const struct principal *principal, struct bytes filter,
                   const struct outbox_row *row) {
  struct bytes function;
  struct bytes app = bytes_cut(row->function, '/', &function);
  return principal_may_app(principal, row->function) && api_wants(filter, app, function);
}

/* ---- GET /admin/outbox, and the messages of GET /admin/dead ---- */

static bool list_message(void *arg, struct bytes key, const struct outbox_row *row) {
  struct outbox_asking *asking = arg;
  if (!wanted(asking->call->principal, asking->function, row)) return true;
  if (asking->count == MESSAGES_MAX) {
    asking->more = true;
    return false;
  }
  asking->count++;
  json_out_open(&asking->out, '{');
  write_message(&asking->out, key, row);
  json_out_close(&asking->out, '}');
  return buf_ok(&asking->body);
}

static void list_query(void *arg, struct store_reader *reader) {
  struct outbox_asking *asking = arg;
  asking->ok =
      outbox_list(reader, asking->after, asking->dead_only, list_message, asking, &asking->err);
}

static void list_done(void *arg) {
  struct outbox_asking *asking = arg;
  json_out_close(&asking->out, ']');
  json_out_member_bool(&asking->out, "more", asking->more);
  json_out_close(&asking->out, '}');
  asking_end(asking);
}

static bool read_filter(struct outbox_asking *asking, struct err *err) {
  struct bytes state = api_query(asking->call, "state");
  struct bytes after = api_query(asking->call, "after");
  asking->dead_only = bytes_eq_str(state, "dead");
  if (state.len && !asking->dead_only) FAIL(ERR_INVALID, "\"state\" is dead, or left out");
  if (after.len == 0) return true;
  TRY(outbox_key_parse(after, asking->key, err));
  asking->after = bytes_of(asking->key, sizeof asking->key);
  return true;
}

static void get_outbox(struct api_call *call) {
  struct outbox_asking *asking = asking_new(call);
  if (!read_filter(asking, &asking->err)) {
    asking_end(asking);
    return;
  }
  json_out_open(&asking->out, '{');
  json_out_name(&asking->out, "messages");
  json_out_open(&asking->out, '[');
  store_ask(call->api->options.store, list_query, list_done, asking);
}

struct dead_listing {
  const struct principal *principal;
  struct bytes function;
  struct json_out *out;
  size_t count;
};

static bool list_dead(void *arg, struct bytes key, const struct outbox_row *row) {
  struct dead_listing *listing = arg;
  if (!wanted(listing->principal, listing->function, row)) return true;
  json_out_open(listing->out, '{');
  write_message(listing->out, key, row);
  json_out_close(listing->out, '}');
  return ++listing->count < MESSAGES_MAX;
}

bool admin_outbox_dead(struct store_reader *reader, const struct principal *principal,
                       struct bytes function, struct json_out *out, struct err *err) {
  struct dead_listing listing = {principal, function, out, 0};
  json_out_name(out, "messages");
  json_out_open(out, '[');
  TRY(outbox_list(reader, BYTES_NONE, true, list_dead, &listing, err));
  json_out_close(out, ']');
  return true;
}

/* ---- GET /admin/outbox/ID ---- */

static void show_query(void *arg, struct store_reader *reader) {
  struct outbox_asking *asking = arg;
  cleanup_buf struct buf stored = {0};
  struct outbox_row row;
  uint64_t version;
  struct bytes key = bytes_of(asking->key, sizeof asking->key);
  buf_init(&stored, STORE_VALUE_BYTES_MAX);
  asking->ok = store_get(reader, TABLE_outbox, key, &stored, &version, &asking->err);
  if (!asking->ok || version == 0) return;
  asking->ok = outbox_row_decode(buf_bytes(&stored), &row, &asking->err);
  if (!asking->ok || !principal_may_app(asking->call->principal, row.function)) return;
  asking->found = true;
  json_out_open(&asking->out, '{');
  write_message(&asking->out, key, &row);
  json_out_member_raw(&asking->out, "to", row.spec);
  json_out_member_raw(&asking->out, "payload", row.payload);
  json_out_close(&asking->out, '}');
}

/* What was shown is on record before it is shown. */
static void shown_durable(void *arg, const struct store_result *result) {
  struct outbox_asking *asking = arg;
  asking->ok = result->err.code == ERR_OK;
  asking->err = result->err;
  asking_end(asking);
}

static void show_done(void *arg) {
  struct outbox_asking *asking = arg;
  struct api *api = asking->call->api;
  if (asking->ok && !asking->found) {
    err_set(&asking->err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "there is no such message");
    asking->ok = false;
  }
  if (!asking->ok) {
    asking_end(asking);
    return;
  }
  struct store_commit *commit = commit_new();
  flow_audit(api->options.flow, commit, asking->call->principal->name, "outbox.show",
             asking->call->captures[0], "ok", NULL);
  store_submit(api->options.store, &commit, shown_durable, asking);
}

static void get_outbox_one(struct api_call *call) {
  struct outbox_asking *asking = asking_new(call);
  if (outbox_key_parse(call->captures[0], asking->key, &asking->err))
    store_ask(call->api->options.store, show_query, show_done, asking);
  else
    asking_end(asking);
}

/* ---- POST /admin/outbox: redrive or discard, some or all ---- */

static void act_end(struct outbox_asking *asking) {
  if (--asking->waiting) return;
  asking->ok = asking->done > 0 || asking->first_err.code == ERR_OK;
  asking->err = asking->first_err;
  json_out_open(&asking->out, '{');
  json_out_member_int(&asking->out, "count", (int64_t)asking->done);
  json_out_close(&asking->out, '}');
  asking_end(asking);
}

static void on_acted(void *arg, const struct err *err) {
  struct outbox_asking *asking = arg;
  if (err->code == ERR_OK)
    asking->done++;
  else if (asking->first_err.code == ERR_OK)
    asking->first_err = *err;
  act_end(asking);
}

static void act_on_all(void *arg) {
  struct outbox_asking *asking = arg;
  struct api_call *call = asking->call;
  struct outbox *outbox = call->api->options.outbox;
  if (!asking->ok && asking->first_err.code == ERR_OK) asking->first_err = asking->err;
  asking->waiting = asking->count + 1;
  for (size_t i = 0; i < asking->count; i++) {
    struct bytes key = bytes_of(asking->keys[i], OUTBOX_KEY_BYTES);
    if (asking->redrive)
      outbox_redrive(outbox, key, call->principal->name, on_acted, asking);
    else
      outbox_discard(outbox, key, call->principal->name, on_acted, asking);
  }
  act_end(asking);
}

static void add_key(struct outbox_asking *asking, struct bytes key) {
  if (asking->count == asking->room) {
    asking->room = asking->room ? asking->room * 2 : 16;
    asking->keys = must_realloc(asking->keys, asking->room * sizeof *asking->keys);
  }
  memcpy(asking->keys[asking->count++], key.at, OUTBOX_KEY_BYTES);
}

static bool collect_message(void *arg, struct bytes key, const struct outbox_row *row) {
  struct outbox_asking *asking = arg;
  if (wanted(asking->call->principal, asking->function, row)) add_key(asking, key);
  return asking->count < MESSAGES_MAX;
}

static void collect_query(void *arg, struct store_reader *reader) {
  struct outbox_asking *asking = arg;
  asking->ok = outbox_list(reader, BYTES_NONE, true, collect_message, asking, &asking->err);
}

/* Named ones: those of other apps are as if they were not there. */
static void check_query(void *arg, struct store_reader *reader) {
  struct outbox_asking *asking = arg;
  size_t kept = 0;
  for (size_t i = 0; i < asking->count; i++) {
    cleanup_buf struct buf stored = {0};
    struct outbox_row row;
    uint64_t version = 0;
    struct bytes key = bytes_of(asking->keys[i], OUTBOX_KEY_BYTES);
    buf_init(&stored, STORE_VALUE_BYTES_MAX);
    if (store_get(reader, TABLE_outbox, key, &stored, &version, &asking->err) && version &&
        outbox_row_decode(buf_bytes(&stored), &row, &asking->err) &&
        principal_may_app(asking->call->principal, row.function))
      memmove(asking->keys[kept++], asking->keys[i], OUTBOX_KEY_BYTES);
  }
  asking->ok = kept == asking->count;
  asking->count = kept;
  if (!asking->ok && asking->err.code == ERR_OK)
    err_set(&asking->err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "there is no such message");
}

static bool read_keys(struct outbox_asking *asking, const struct json *ids, struct err *err) {
  for (const struct json *item = ids ? ids->first : NULL; item; item = item->next) {
    uint8_t key[OUTBOX_KEY_BYTES];
    TRY(outbox_key_parse(item->text, key, err));
    if (asking->count == MESSAGES_MAX)
      FAIL(ERR_LIMIT, "MESSAGES_MAX: at most %d at once", MESSAGES_MAX);
    add_key(asking, bytes_of(key, sizeof key));
  }
  return true;
}

static bool read_act(struct outbox_asking *asking, const struct json *tree, bool *ret_all,
                     struct err *err) {
  struct bytes act = json_get_text(tree, "act");
  *ret_all = json_is_true(json_get(tree, "all"));
  asking->redrive = bytes_eq_str(act, "redrive");
  asking->function = json_get_text(tree, "function");
  if (!asking->call->api->options.outbox) FAIL(ERR_UNSUPPORTED, "this server sends no messages");
  if (!asking->redrive && (!bytes_eq_str(act, "discard") || *ret_all))
    FAIL(ERR_INVALID, "\"act\" is redrive or discard; all at once can only be redriven");
  return read_keys(asking, json_get(tree, "ids"), err);
}

static void post_outbox(struct api_call *call) {
  const struct json *tree;
  bool all;
  if (!api_body_json(call, &tree)) return;
  struct outbox_asking *asking = asking_new(call);
  if (read_act(asking, tree, &all, &asking->err))
    store_ask(call->api->options.store, all ? collect_query : check_query, act_on_all, asking);
  else
    asking_end(asking);
}

const struct api_route admin_outbox_routes[] = {
    {"GET", "/admin/outbox", ACT_READ, get_outbox, 0},
    {"GET", "/admin/outbox/{id}", ACT_ADMIN, get_outbox_one, 0},
    {"POST", "/admin/outbox", ACT_ADMIN, post_outbox, 0},
};
API_ROUTE_COUNT(admin_outbox)

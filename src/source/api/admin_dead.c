/* source/api/admin_dead.c: dead letters: listed, shown (an access, on record), redriven,
 * discarded. */
#include "base/cleanup.h"
#include "base/must.h"
#include "model/delivery.h"
#include "source/api/parts.h"
#include "wire/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 32 << 20, DEAD_ROWS_MAX = 10000, DEAD_RUNS_MAX = 100 };

struct dead_asking {
  struct api_call *call;
  struct bytes function; /* filter, or empty */
  struct id id;          /* to show */
  struct buf body;
  struct json_out out;
  char *runs[DEAD_RUNS_MAX]; /* JSON, the newest first */
  size_t run_count;
  int64_t since_ms;
  struct id *ids; /* to act on */
  size_t count, room, waiting, done;
  bool redrive, found, ok;
  struct err err, first_err;
};

static struct dead_asking *asking_new(struct api_call *call) {
  struct dead_asking *asking = must_alloc(sizeof *asking);
  asking->call = call;
  buf_init(&asking->body, LIST_BYTES_MAX);
  json_out_init(&asking->out, &asking->body);
  return asking;
}

static void asking_free(struct dead_asking *asking) {
  buf_fini(&asking->body);
  free(asking->ids);
  free(asking);
}

static void write_delivery(struct json_out *out, const struct delivery *delivery) {
  char id[ID_TEXT_BYTES];
  id_text(delivery->id, id);
  json_out_member_str(out, "delivery", id);
  id_text(delivery->event, id);
  json_out_member_str(out, "event", id);
  json_out_member(out, "function", delivery->function);
  json_out_member_int(out, "attempts", delivery->attempts);
  json_out_member_int(out, "created_ms", delivery->created_ms);
  json_out_member_int(out, "redrives", delivery->redrives);
  json_out_member(out, "reason", delivery->reason);
}

static bool wanted(const struct dead_asking *asking, const struct store_row *row,
                   struct delivery *ret_delivery) {
  struct err err;
  if (!delivery_decode(row->value, ret_delivery, &err)) return false;
  if (ret_delivery->state != DELIVERY_DEAD) return false;
  if (!principal_may_app(asking->call->principal, ret_delivery->function)) return false;
  struct bytes function;
  struct bytes app = bytes_cut(ret_delivery->function, '/', &function);
  return api_wants(asking->function, app, function);
}

/* ---- GET /admin/dead ---- */

static bool list_row(void *arg, const struct store_row *row) {
  struct dead_asking *asking = arg;
  struct delivery delivery;
  if (!wanted(asking, row, &delivery)) return true;
  json_out_open(&asking->out, '{');
  write_delivery(&asking->out, &delivery);
  json_out_close(&asking->out, '}');
  return ++asking->count < DEAD_ROWS_MAX && buf_ok(&asking->body);
}

static void list_query(void *arg, struct store_reader *reader) {
  struct dead_asking *asking = arg;
  struct store_range range = {.table = TABLE_delivery};
  asking->ok = store_scan(reader, &range, list_row, asking, &asking->err);
  json_out_close(&asking->out, ']');
  asking->ok = asking->ok && admin_outbox_dead(reader, asking->call->principal, asking->function,
                                               &asking->out, &asking->err);
}

static void list_done(void *arg) {
  struct dead_asking *asking = arg;
  json_out_close(&asking->out, '}');
  if (asking->ok)
    api_json(asking->call, 200, buf_bytes(&asking->body));
  else
    api_fail_err(asking->call, &asking->err, 0);
  asking_free(asking);
}

static void get_dead(struct api_call *call) {
  struct dead_asking *asking = asking_new(call);
  asking->function = api_query(call, "function");
  json_out_open(&asking->out, '{');
  json_out_name(&asking->out, "dead");
  json_out_open(&asking->out, '[');
  store_ask(call->api->options.store, list_query, list_done, asking);
}

/* ---- GET /admin/dead/ID ---- */

/* Runs of one delivery, the newest first. */
static bool show_page(void *arg, const struct store_row *row) {
  struct dead_asking *asking = arg;
  int64_t settled_ms = INT64_MAX;
  for (struct cursor in = cursor_of(row->value); fields_more(&in);) {
    struct run_record run;
    struct err err;
    if (!run_decode(fields_get_bytes(&in), &run, &err)) continue;
    settled_ms = run.settled_ms;
    if (!id_eq(run.delivery, asking->id)) continue;
    cleanup_buf struct buf text = {0};
    buf_init(&text, LIST_BYTES_MAX);
    run_write_json(&text, &run, false);
    asking->runs[asking->run_count++] = bytes_dup(buf_bytes(&text));
    if (asking->run_count == DEAD_RUNS_MAX) return false;
  }
  return settled_ms >= asking->since_ms;
}

static bool write_runs(struct dead_asking *asking, struct store_reader *reader) {
  asking->since_ms = id_time_ms(asking->id);
  bool ok = store_tail(reader, TABLE_run, 0, true, show_page, asking, &asking->err);
  json_out_name(&asking->out, "runs");
  json_out_open(&asking->out, '[');
  for (size_t i = asking->run_count; i > 0; i--) {
    json_out_raw(&asking->out, bytes_str(asking->runs[i - 1]));
    free(asking->runs[i - 1]);
  }
  json_out_close(&asking->out, ']');
  return ok;
}

static void show_query(void *arg, struct store_reader *reader) {
  struct dead_asking *asking = arg;
  cleanup_buf struct buf row = {0};
  cleanup_buf struct buf stored = {0};
  struct delivery delivery;
  struct event event;
  uint64_t version;
  buf_init(&row, 64 << 10);
  buf_init(&stored, STORE_VALUE_BYTES_MAX);
  asking->ok =
      store_get(reader, TABLE_delivery, id_bytes(&asking->id), &row, &version, &asking->err);
  if (!asking->ok || version == 0) return;
  asking->ok =
      delivery_decode(buf_bytes(&row), &delivery, &asking->err) &&
      store_find(reader, TABLE_event, id_bytes(&delivery.event), &stored, &version, &asking->err) &&
      event_decode(buf_bytes(&stored), &event, &asking->err);
  if (!asking->ok || !principal_may_app(asking->call->principal, delivery.function)) return;
  asking->found = true;
  json_out_open(&asking->out, '{');
  write_delivery(&asking->out, &delivery);
  json_out_member(&asking->out, "key", delivery.key);
  json_out_member_raw(&asking->out, "envelope", event.envelope);
  asking->ok = write_runs(asking, reader);
  json_out_close(&asking->out, '}');
}

/* What was shown is on record before it is shown. */
static void shown_durable(void *arg, const struct store_result *result) {
  struct dead_asking *asking = arg;
  if (result->err.code == ERR_OK)
    api_json(asking->call, 200, buf_bytes(&asking->body));
  else
    api_fail_err(asking->call, &result->err, 0);
  asking_free(asking);
}

static void show_done(void *arg) {
  struct dead_asking *asking = arg;
  struct api *api = asking->call->api;
  if (!asking->ok) {
    api_fail_err(asking->call, &asking->err, 0);
    asking_free(asking);
    return;
  }
  if (!asking->found) {
    api_fail(asking->call, ERR_NOT_FOUND, "there is no such dead letter");
    asking_free(asking);
    return;
  }
  struct store_commit *commit = commit_new();
  flow_audit(api->options.flow, commit, asking->call->principal->name, "dead.show",
             asking->call->captures[0], "ok", NULL);
  store_submit(api->options.store, &commit, shown_durable, asking);
}

static void get_dead_one(struct api_call *call) {
  struct id id;
  if (!api_capture_id(call, &id)) return;
  struct dead_asking *asking = asking_new(call);
  asking->id = id;
  store_ask(call->api->options.store, show_query, show_done, asking);
}

/* ---- POST /admin/dead: redrive or discard, some or all ---- */

static void act_end(struct dead_asking *asking) {
  char body[64];
  if (--asking->waiting) return;
  snprintf(body, sizeof body, "{\"count\":%zu}", asking->done);
  if (asking->done == 0 && asking->first_err.code != ERR_OK)
    api_fail_err(asking->call, &asking->first_err, 0);
  else
    api_json(asking->call, 200, bytes_str(body));
  asking_free(asking);
}

struct act_reply {
  struct flow_reply reply;
  struct dead_asking *asking;
};

static void on_acted(struct flow_reply *reply, const struct flow_answer *answer) {
  struct act_reply *act = LIST_OF(reply, struct act_reply, reply);
  struct dead_asking *asking = act->asking;
  if (answer->err.code == ERR_OK)
    asking->done++;
  else if (asking->first_err.code == ERR_OK)
    asking->first_err = answer->err;
  act_end(asking);
}

static void act_on_all(struct dead_asking *asking) {
  struct api_call *call = asking->call;
  struct act_reply *replies =
      ARENA_ARRAY(api_arena(call), struct act_reply, asking->count ? asking->count : 1);
  asking->waiting = asking->count + 1;
  for (size_t i = 0; replies && i < asking->count; i++) {
    replies[i] = (struct act_reply){{on_acted}, asking};
    if (asking->redrive)
      flow_redrive(call->api->options.flow, asking->ids[i], call->principal->name,
                   &replies[i].reply);
    else
      flow_discard(call->api->options.flow, asking->ids[i], call->principal->name,
                   &replies[i].reply);
  }
  act_end(asking);
}

static void add_id(struct dead_asking *asking, struct id id) {
  if (asking->count == asking->room) {
    asking->room = asking->room ? asking->room * 2 : 16;
    asking->ids = must_realloc(asking->ids, asking->room * sizeof *asking->ids);
  }
  asking->ids[asking->count++] = id;
}

static bool collect_row(void *arg, const struct store_row *row) {
  struct dead_asking *asking = arg;
  struct delivery delivery;
  if (wanted(asking, row, &delivery)) add_id(asking, delivery.id);
  return asking->count < DEAD_ROWS_MAX;
}

static void collect_query(void *arg, struct store_reader *reader) {
  struct dead_asking *asking = arg;
  struct store_range range = {.table = TABLE_delivery};
  asking->ok = store_scan(reader, &range, collect_row, asking, &asking->err);
}

/* Named ones: those of other apps are as if they were not there. */
static void check_query(void *arg, struct store_reader *reader) {
  struct dead_asking *asking = arg;
  size_t kept = 0;
  for (size_t i = 0; i < asking->count; i++) {
    cleanup_buf struct buf row = {0};
    struct delivery delivery;
    uint64_t version = 0;
    buf_init(&row, STORE_VALUE_BYTES_MAX);
    if (store_get(reader, TABLE_delivery, id_bytes(&asking->ids[i]), &row, &version,
                  &asking->err) &&
        version && delivery_decode(buf_bytes(&row), &delivery, &asking->err) &&
        principal_may_app(asking->call->principal, delivery.function))
      asking->ids[kept++] = asking->ids[i];
  }
  if (kept < asking->count)
    err_set(&asking->first_err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE,
            "there is no such dead letter");
  asking->count = kept;
}

static void collect_done(void *arg) {
  act_on_all(arg);
}

static bool read_ids(struct dead_asking *asking, const struct json *ids, struct err *err) {
  for (const struct json *item = ids ? ids->first : NULL; item; item = item->next) {
    struct id id;
    TRY(id_parse(item->text, &id, err));
    if (asking->count == DEAD_ROWS_MAX)
      FAIL(ERR_LIMIT, "DEAD_ROWS_MAX: at most %d at once", DEAD_ROWS_MAX);
    add_id(asking, id);
  }
  return true;
}

static void post_dead(struct api_call *call) {
  const struct json *tree;
  struct err err;
  if (!api_body_json(call, &tree)) return;
  struct bytes act = json_get_text(tree, "act");
  bool all = json_is_true(json_get(tree, "all"));
  struct dead_asking *asking = asking_new(call);
  asking->redrive = bytes_eq_str(act, "redrive");
  asking->function = json_get_text(tree, "function");
  err_set(&err, ERR_INVALID, ERR_PLACE, ERR_OFFSET_NONE,
          "\"act\" is redrive or discard; all at once can only be redriven");
  if ((!asking->redrive && (!bytes_eq_str(act, "discard") || all)) ||
      !read_ids(asking, json_get(tree, "ids"), &err)) {
    api_fail_err(call, &err, 0);
    asking_free(asking);
  } else {
    store_ask(call->api->options.store, all ? collect_query : check_query, collect_done, asking);
  }
}

const struct api_route admin_dead_routes[] = {
    {"GET", "/admin/dead", ACT_READ, get_dead, 0},
    {"GET", "/admin/dead/{id}", ACT_ADMIN, get_dead_one, 0},
    {"POST", "/admin/dead", ACT_ADMIN, post_dead, 0},
};
API_ROUTE_COUNT(admin_dead)

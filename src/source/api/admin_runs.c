/* source/api/admin_runs.c: what ran, what it came to, what is dead. */
#include "base/cleanup.h"
#include "base/must.h"
#include "flow/usage.h"
#include "model/delivery.h"
#include "source/api/parts.h"
#include "wire/fields.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 32 << 20, RUNS_LIMIT = 100, RUNS_LIMIT_MAX = 10000, PAGES_MAX = 1000000 };

struct asking {
  struct api_call *call;
  struct bytes function; /* filter, or empty */
  struct bytes outcome;
  struct id id;
  int64_t limit;
  uint64_t pages;
  struct buf body;
  struct json_out out;
  bool found, ok;
  struct err err;
};

static struct asking *asking_new(struct api_call *call) {
  struct asking *asking = must_alloc(sizeof *asking);
  asking->call = call;
  buf_init(&asking->body, LIST_BYTES_MAX);
  json_out_init(&asking->out, &asking->body);
  return asking;
}

static void asking_end(struct asking *asking, struct bytes content_type) {
  struct http_answer answer = {.status = 200, .content_type = content_type};
  if (!asking->ok)
    api_fail_err(asking->call, &asking->err, 0);
  else if (!buf_ok(&asking->body))
    api_fail(asking->call, ERR_LIMIT, "the answer is larger than 32 MiB; ask for fewer");
  else
    exchange_reply(asking->call->x, &answer, buf_bytes(&asking->body));
  buf_fini(&asking->body);
  free(asking);
}

/* ---- Runs, newest first ---- */

static bool run_wanted(const struct asking *asking, const struct run_record *run) {
  struct bytes app = asking->call->principal->app;
  struct bytes wanted = asking->function;
  if (app.len && !bytes_eq(app, run->app)) return false;
  if (asking->outcome.len && !bytes_eq(asking->outcome, run->outcome)) return false;
  if (wanted.len == 0) return true;
  size_t slash = bytes_find(wanted, '/');
  if (slash == wanted.len) return bytes_eq(wanted, run->function) || bytes_eq(wanted, run->app);
  return bytes_eq(bytes_sub(wanted, 0, slash), run->app) &&
         bytes_eq(bytes_from(wanted, slash + 1), run->function);
}

/* A page's records are in the order they ended; the newest comes first here. */
static bool page_visit(void *arg, const struct store_row *row) {
  struct asking *asking = arg;
  struct run_record records[512];
  size_t count = 0;
  struct cursor in = cursor_of(row->value);
  if (++asking->pages > PAGES_MAX) return false;
  while (fields_more(&in)) {
    struct run_record run;
    struct bytes record = fields_get_bytes(&in);
    if (!run_decode(record, &run, &asking->err)) continue;
    if (!run_wanted(asking, &run)) continue;
    memmove(records + 1, records, (count < 511 ? count : 511) * sizeof *records);
    records[0] = run;
    if (count < 512) count++;
  }
  for (size_t i = 0; i < count && asking->limit > 0; i++, asking->limit--) {
    run_write_json(&asking->body, &records[i], false);
    buf_char(&asking->body, '\n');
  }
  return asking->limit > 0 && buf_ok(&asking->body);
}

static void runs_query(void *arg, struct store_reader *reader) {
  struct asking *asking = arg;
  asking->ok = store_tail(reader, TABLE_run, 0, true, page_visit, asking, &asking->err);
}

static void runs_done(void *arg) {
  asking_end(arg, BYTES("application/x-ndjson"));
}

static void get_runs(struct api_call *call) {
  struct asking *asking = asking_new(call);
  uint64_t limit = RUNS_LIMIT;
  struct bytes given = api_query(call, "limit");
  if (given.len && (!bytes_u64(given, &limit) || limit < 1 || limit > RUNS_LIMIT_MAX)) {
    buf_fini(&asking->body);
    free(asking);
    api_fail(call, ERR_INVALID, "\"limit\" is from 1 to %d", RUNS_LIMIT_MAX);
    return;
  }
  asking->limit = (int64_t)limit;
  asking->function = api_query(call, "function");
  asking->outcome = api_query(call, "outcome");
  store_ask(call->api->options.store, runs_query, runs_done, asking);
}

/* ---- One run ---- */

static bool find_visit(void *arg, const struct store_row *row) {
  struct asking *asking = arg;
  if (++asking->pages > PAGES_MAX) return false;
  for (struct cursor in = cursor_of(row->value); fields_more(&in) && !asking->found;) {
    struct run_record run;
    if (!run_decode(fields_get_bytes(&in), &run, &asking->err) || !id_eq(run.id, asking->id))
      continue;
    if (asking->call->principal->app.len && !bytes_eq(asking->call->principal->app, run.app))
      continue;
    asking->found = true;
    run_write_json(&asking->body, &run, true);
  }
  return !asking->found;
}

static void find_query(void *arg, struct store_reader *reader) {
  struct asking *asking = arg;
  asking->ok = store_tail(reader, TABLE_run, 0, true, find_visit, asking, &asking->err);
}

static void find_done(void *arg) {
  struct asking *asking = arg;
  if (asking->ok && !asking->found) {
    err_set(&asking->err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "there is no such run");
    asking->ok = false;
  }
  asking_end(asking, BYTES("application/json"));
}

static bool capture_id(struct api_call *call, struct id *ret_id) {
  struct err err;
  if (id_parse(call->captures[0], ret_id, &err)) return true;
  api_fail_err(call, &err, 0);
  return false;
}

static void get_run(struct api_call *call) {
  struct id id;
  if (!capture_id(call, &id)) return;
  struct asking *asking = asking_new(call);
  asking->id = id;
  store_ask(call->api->options.store, find_query, find_done, asking);
}

/* ---- Usage ---- */

static bool usage_visit(void *arg, const struct store_row *row) {
  struct asking *asking = arg;
  struct usage_totals totals;
  size_t nul = bytes_find(row->key, 0);
  struct bytes function = bytes_from(row->key, nul + 1);
  size_t slash = bytes_find(function, '/');
  if (!principal_may_app(asking->call->principal, function)) return true;
  if (!usage_unpack(row->value, &totals, &asking->err)) return true;
  struct json_out out;
  json_out_init(&out, &asking->body);
  json_out_open(&out, '{');
  json_out_member(&out, "day", bytes_sub(row->key, 0, nul));
  json_out_member(&out, "app", bytes_sub(function, 0, slash));
  json_out_member(&out, "function", bytes_from(function, slash + 1));
#define USAGE_FIELD(name) json_out_member_int(&out, #name, totals.name);
  USAGE_FIELDS(USAGE_FIELD)
#undef USAGE_FIELD
  json_out_close(&out, '}');
  buf_char(&asking->body, '\n');
  return buf_ok(&asking->body);
}

static void usage_query(void *arg, struct store_reader *reader) {
  struct asking *asking = arg;
  struct store_range range = {.table = TABLE_usage};
  asking->ok = store_scan(reader, &range, usage_visit, asking, &asking->err);
}

static void get_usage(struct api_call *call) {
  store_ask(call->api->options.store, usage_query, runs_done, asking_new(call));
}

/* ---- Dead letters ---- */

static void write_delivery(struct asking *asking, const struct delivery *delivery) {
  char id[ID_TEXT_BYTES];
  struct json_out out;
  json_out_init(&out, &asking->body);
  json_out_open(&out, '{');
  id_text(delivery->id, id);
  json_out_member_str(&out, "delivery", id);
  id_text(delivery->event, id);
  json_out_member_str(&out, "event", id);
  json_out_member(&out, "function", delivery->function);
  json_out_member_int(&out, "attempts", delivery->attempts);
  json_out_member_int(&out, "created_ms", delivery->created_ms);
  json_out_member_int(&out, "redrives", delivery->redrives);
  json_out_member(&out, "reason", delivery->reason);
  json_out_member(&out, "key", delivery->key);
  json_out_close(&out, '}');
  buf_char(&asking->body, '\n');
}

static bool dead_visit(void *arg, const struct store_row *row) {
  struct asking *asking = arg;
  struct delivery delivery;
  if (!delivery_decode(row->value, &delivery, &asking->err)) return true;
  if (delivery.state != DELIVERY_DEAD) return true;
  if (!principal_may_app(asking->call->principal, delivery.function)) return true;
  if (asking->function.len && !bytes_eq(asking->function, delivery.function)) return true;
  write_delivery(asking, &delivery);
  return --asking->limit > 0 && buf_ok(&asking->body);
}

static void dead_query(void *arg, struct store_reader *reader) {
  struct asking *asking = arg;
  struct store_range range = {.table = TABLE_delivery};
  asking->ok = store_scan(reader, &range, dead_visit, asking, &asking->err);
}

static void get_dead(struct api_call *call) {
  struct asking *asking = asking_new(call);
  asking->limit = RUNS_LIMIT_MAX;
  asking->function = api_query(call, "function");
  store_ask(call->api->options.store, dead_query, runs_done, asking);
}

/* With its event: reading it is an access and on record. */
static void dead_show_query(void *arg, struct store_reader *reader) {
  struct asking *asking = arg;
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
  write_delivery(asking, &delivery);
  buf_consume(&asking->body, 0);
  asking->body.len -= 2; /* "}\n" */
  buf_str(&asking->body, ",\"envelope\":");
  buf_put(&asking->body, event.envelope);
  buf_str(&asking->body, "}\n");
}

static void shown_durable(void *arg, const struct store_result *result) {
  struct asking *asking = arg;
  if (result->err.code != ERR_OK) {
    asking->ok = false;
    asking->err = result->err;
  }
  asking_end(asking, BYTES("application/json"));
}

static void dead_show_done(void *arg) {
  struct asking *asking = arg;
  struct api *api = asking->call->api;
  if (!asking->ok || !asking->found) {
    find_done(asking);
    return;
  }
  struct store_commit *commit = commit_new();
  flow_audit(api->options.flow, commit, asking->call->principal->name, "dead.show",
             asking->call->captures[0], "ok", NULL);
  store_submit(api->options.store, &commit, shown_durable, asking);
}

static void get_dead_one(struct api_call *call) {
  struct id id;
  if (!capture_id(call, &id)) return;
  struct asking *asking = asking_new(call);
  asking->id = id;
  store_ask(call->api->options.store, dead_show_query, dead_show_done, asking);
}

static void on_changed(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  if (answer->err.code == ERR_OK)
    api_json(call, 200, BYTES("{\"ok\":true}"));
  else
    api_fail_err(call, &answer->err, 0);
}

static void post_redrive(struct api_call *call) {
  struct id id;
  if (!capture_id(call, &id)) return;
  call->reply.answer = on_changed;
  flow_redrive(call->api->options.flow, id, call->principal->name, &call->reply);
}

static void post_discard(struct api_call *call) {
  struct id id;
  if (!capture_id(call, &id)) return;
  call->reply.answer = on_changed;
  flow_discard(call->api->options.flow, id, call->principal->name, &call->reply);
}

const struct api_route admin_runs_routes[] = {
    {"GET", "/admin/runs", ACT_READ, get_runs, 0},
    {"GET", "/admin/runs/{id}", ACT_READ, get_run, 0},
    {"GET", "/admin/usage", ACT_READ, get_usage, 0},
    {"GET", "/admin/dead", ACT_READ, get_dead, 0},
    {"GET", "/admin/dead/{id}", ACT_ADMIN, get_dead_one, 0},
    {"POST", "/admin/dead/{id}/redrive", ACT_ADMIN, post_redrive, 0},
    {"POST", "/admin/dead/{id}/discard", ACT_ADMIN, post_discard, 0},
};
API_ROUTE_COUNT(admin_runs)

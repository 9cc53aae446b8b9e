/* source/api/admin_runs.c: what ran. */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/api/follow.h"
#include "wire/fields.h"

#include <stdlib.h>
#include <string.h>

enum {
  LIST_BYTES_MAX = 32 << 20,
  RUNS_LIMIT = 100,
  RUNS_LIMIT_MAX = 10000,
  PAGES_MAX = 1000000,
  PAGE_RECORDS_MAX = 16384,
};

struct asking {
  struct api_call *call;
  struct bytes function; /* filter, or empty */
  struct bytes outcome;
  struct id id;
  int64_t limit;
  uint64_t pages;
  struct buf body, starts;
  struct json_out out;
  bool found, ok, follow;
  struct err err;
};

static struct asking *asking_new(struct api_call *call) {
  struct asking *asking = must_alloc(sizeof *asking);
  asking->call = call;
  buf_init(&asking->body, LIST_BYTES_MAX);
  buf_init(&asking->starts, LIST_BYTES_MAX);
  json_out_init(&asking->out, &asking->body);
  return asking;
}

static void asking_free(struct asking *asking) {
  buf_fini(&asking->body);
  buf_fini(&asking->starts);
  free(asking);
}

static void asking_end(struct asking *asking, struct bytes content_type) {
  struct http_answer answer = {.status = 200, .content_type = content_type};
  if (!asking->ok)
    api_fail_err(asking->call, &asking->err, 0);
  else if (!buf_ok(&asking->body))
    api_fail(asking->call, ERR_LIMIT, "the answer is larger than 32 MiB; ask for fewer");
  else
    exchange_reply(asking->call->x, &answer, buf_bytes(&asking->body));
  asking_free(asking);
}

/* ---- Runs: the newest `limit`, told oldest first ---- */

static bool run_wanted(const struct asking *asking, const struct run_record *run) {
  if (asking->outcome.len && !bytes_eq(asking->outcome, run->outcome)) return false;
  return follow_wants(asking->call->principal, asking->function, run);
}

/* Where each wanted record of the page starts, in the order they ended. */
static size_t page_records(struct asking *asking, struct bytes page,
                           struct bytes records[PAGE_RECORDS_MAX]) {
  size_t count = 0;
  for (struct cursor in = cursor_of(page); fields_more(&in);) {
    struct run_record run;
    struct bytes record = fields_get_bytes(&in);
    if (!run_decode(record, &run, &asking->err) || !run_wanted(asking, &run)) continue;
    records[count++ % PAGE_RECORDS_MAX] = record;
  }
  return count;
}

/* Read backwards; each line's start is kept, so that runs_done can turn them round. */
static bool page_visit(void *arg, const struct store_row *row) {
  struct asking *asking = arg;
  static _Thread_local struct bytes records[PAGE_RECORDS_MAX];
  if (++asking->pages > PAGES_MAX) return false;
  size_t count = page_records(asking, row->value, records);
  size_t kept = count < PAGE_RECORDS_MAX ? count : PAGE_RECORDS_MAX;
  for (size_t i = 1; i <= kept && asking->limit > 0; i++, asking->limit--) {
    struct run_record run;
    if (!run_decode(records[(count - i) % PAGE_RECORDS_MAX], &run, &asking->err)) continue;
    uint32_t start = (uint32_t)asking->body.len;
    buf_put(&asking->starts, bytes_of(&start, sizeof start));
    run_write_json(&asking->body, &run, false);
    buf_char(&asking->body, '\n');
  }
  return asking->limit > 0 && buf_ok(&asking->body);
}

static void runs_query(void *arg, struct store_reader *reader) {
  struct asking *asking = arg;
  asking->ok = store_tail(reader, TABLE_run, 0, true, page_visit, asking, &asking->err);
}

static void runs_done(void *arg) {
  struct asking *asking = arg;
  struct buf turned;
  buf_init(&turned, LIST_BYTES_MAX);
  size_t end = asking->body.len;
  for (size_t i = asking->starts.len; i > 0 && buf_ok(&asking->body); i -= sizeof(uint32_t)) {
    uint32_t start;
    memcpy(&start, asking->starts.at + i - sizeof start, sizeof start);
    buf_put(&turned, bytes_sub(buf_bytes(&asking->body), start, end - start));
    end = start;
  }
  bool overflow = asking->body.overflow;
  buf_fini(&asking->body);
  asking->body = turned;
  asking->body.overflow |= overflow;
  if (asking->follow && asking->ok && buf_ok(&asking->body)) {
    follow_start(asking->call, false, asking->function, buf_bytes(&asking->body));
    asking_free(asking);
    return;
  }
  asking_end(asking, BYTES("application/x-ndjson"));
}

static void get_runs(struct api_call *call) {
  struct asking *asking = asking_new(call);
  uint64_t limit = RUNS_LIMIT;
  struct bytes given = api_query(call, "limit");
  if (given.len && (!bytes_u64(given, &limit) || limit < 1 || limit > RUNS_LIMIT_MAX)) {
    asking_free(asking);
    api_fail(call, ERR_INVALID, "\"limit\" is from 1 to %d", RUNS_LIMIT_MAX);
    return;
  }
  asking->limit = (int64_t)limit;
  asking->function = api_query(call, "function");
  asking->outcome = api_query(call, "outcome");
  asking->follow = follow_asked(call);
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

static void get_run(struct api_call *call) {
  struct id id;
  if (!api_capture_id(call, &id)) return;
  struct asking *asking = asking_new(call);
  asking->id = id;
  store_ask(call->api->options.store, find_query, find_done, asking);
}

const struct api_route admin_runs_routes[] = {
    {"GET", "/admin/runs", ACT_READ, get_runs, 0},
    {"GET", "/admin/runs/{id}", ACT_READ, get_run, 0},
};
API_ROUTE_COUNT(admin_runs)

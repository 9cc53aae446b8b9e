/* source/api/admin_usage.c: what was used, what it cost, and what an always-on machine would cost.
 *
 * Cost = runs at the price of a million, plus memory times time at the price of a GiB second;
 * prices are the app's (medulla.yaml), else the defaults below, list prices of a large cloud.
 * Totals are the flow's own, in memory: a run counts from the moment it has settled.           */
#include "base/cleanup.h"
#include "base/must.h"
#include "flow/catalog.h"
#include "flow/usage.h"
#include "source/api/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 32 << 20, USAGE_DAYS = 7, USAGE_DAYS_MAX = 3660, DAY_TEXT_BYTES = 10 };

struct prices {
  double million_runs, gib_second, machine_hour;
  struct bytes currency;
};
static const struct prices prices_default = {.million_runs = 0.20,
                                             .gib_second = 0.0000166667,
                                             .machine_hour = 0.0416,
                                             .currency = BYTES_INIT("USD")};

struct usage_asking {
  struct api_call *call;
  char first_day[DAY_TEXT_BYTES + 1];
  char last_seen[DAY_TEXT_BYTES + 1];
  struct bytes function; /* filter, or empty */
  struct buf rows;       /* of struct usage_row */
  size_t row_count;
  struct buf body;
  struct json_out out;
  double cost;
  int64_t runs, days;
  struct prices prices;
};
struct usage_row { /* slices of what the flow holds */
  struct bytes key;
  const struct usage_totals *totals;
};

static void read_price(const struct json *prices, const char *name, double *price) {
  json_double(json_get(prices, name), price);
}

/* The app's own prices, on the loop's thread. */
static struct prices prices_of(struct api *api, struct bytes function_name) {
  struct prices prices = prices_default;
  struct function *function;
  struct err err;
  if (!catalog_find(flow_catalog(api->options.flow), function_name, &function, &err)) return prices;
  const struct json *given = function->live->manifest->prices;
  read_price(given, "million_runs", &prices.million_runs);
  read_price(given, "gib_second", &prices.gib_second);
  read_price(given, "machine_hour", &prices.machine_hour);
  if (json_get_text(given, "currency").len) prices.currency = json_get_text(given, "currency");
  return prices;
}

/* Plain decimals, whatever the size: never an exponent. */
static void member_decimal(struct json_out *out, const char *name, double value) {
  char text[64];
  int len = snprintf(text, sizeof text, "%.12f", value < 1e30 ? value : 1e30);
  while (len > 2 && text[len - 1] == '0' && text[len - 2] != '.') len--;
  json_out_name(out, name);
  json_out_raw(out, bytes_of(text, (size_t)len));
}

static void write_row(struct usage_asking *asking, struct bytes key, const struct usage_totals *t) {
  struct bytes day = bytes_sub(key, 0, DAY_TEXT_BYTES);
  struct bytes function = bytes_from(key, DAY_TEXT_BYTES + 1);
  struct prices prices = prices_of(asking->call->api, function);
  double gib_seconds = (double)t->memory_mib_us / 1024.0 / 1e6;
  double cost = (double)t->runs / 1e6 * prices.million_runs + gib_seconds * prices.gib_second;
  if (!bytes_eq_str(day, asking->last_seen)) asking->days++;
  bytes_text(day, asking->last_seen, sizeof asking->last_seen);
  asking->prices = prices;
  asking->cost += cost;
  asking->runs += t->runs;
  json_out_open(&asking->out, '{');
  json_out_member(&asking->out, "day", day);
  json_out_member(&asking->out, "app", bytes_sub(function, 0, bytes_find(function, '/')));
  json_out_member(&asking->out, "function", function);
  json_out_member_int(&asking->out, "runs", t->runs);
  json_out_member_int(&asking->out, "failed", t->failures);
  json_out_member_int(&asking->out, "cold", t->cold);
  json_out_member_int(&asking->out, "billed_ms", t->billed_ms);
  json_out_member_int(&asking->out, "run_us", t->run_us);
  json_out_member_int(&asking->out, "wait_us", t->wait_us);
  json_out_member_int(&asking->out, "effect_us", t->effect_us);
  json_out_member_int(&asking->out, "restore_us", t->restore_us);
  json_out_member_int(&asking->out, "cpu_us", t->cpu_us);
  json_out_member_int(&asking->out, "effects", t->effects);
  json_out_member_int(&asking->out, "in_bytes", t->in_bytes);
  json_out_member_int(&asking->out, "out_bytes", t->out_bytes);
  member_decimal(&asking->out, "gib_seconds", gib_seconds);
  member_decimal(&asking->out, "cost", cost);
  json_out_close(&asking->out, '}');
}

static int by_key(const void *a, const void *b) {
  return bytes_cmp(((const struct usage_row *)a)->key, ((const struct usage_row *)b)->key);
}

/* What is asked for, by day and function. */
static void collect_rows(struct usage_asking *asking) {
  struct flow *flow = asking->call->api->options.flow;
  struct usage_row row;
  for (size_t at = 0; usage_next(flow, &at, &row.key, &row.totals);) {
    struct bytes rest;
    struct bytes name = bytes_from(row.key, DAY_TEXT_BYTES + 1);
    struct bytes app = bytes_cut(name, '/', &rest);
    if (bytes_cmp(bytes_sub(row.key, 0, DAY_TEXT_BYTES), bytes_str(asking->first_day)) < 0)
      continue;
    if (!principal_may_app(asking->call->principal, name)) continue;
    if (api_wants(asking->function, app, rest)) buf_put(&asking->rows, bytes_of(&row, sizeof row));
  }
  asking->row_count = asking->rows.len / sizeof row;
  if (asking->row_count) qsort(asking->rows.at, asking->row_count, sizeof row, by_key);
}

static void write_total(struct usage_asking *asking) {
  struct json_out *out = &asking->out;
  json_out_name(out, "total");
  json_out_open(out, '{');
  json_out_member_int(out, "runs", asking->runs);
  member_decimal(out, "cost", asking->cost);
  json_out_member(out, "currency", asking->prices.currency);
  member_decimal(out, "always_on", asking->prices.machine_hour * 24.0 * (double)asking->days);
  json_out_close(out, '}');
}

static void answer_usage(struct usage_asking *asking) {
  struct json_out *out = &asking->out;
  json_out_open(out, '{');
  json_out_name(out, "usage");
  json_out_open(out, '[');
  for (size_t i = 0; i < asking->row_count; i++) {
    struct usage_row row;
    memcpy(&row, asking->rows.at + i * sizeof row, sizeof row);
    write_row(asking, row.key, row.totals);
  }
  json_out_close(out, ']');
  write_total(asking);
  json_out_close(out, '}');
  if (buf_ok(&asking->rows) && buf_ok(&asking->body))
    api_json(asking->call, 200, buf_bytes(&asking->body));
  else
    api_fail(asking->call, ERR_LIMIT, "the answer is larger than 32 MiB; ask for fewer days");
}

static void get_usage(struct api_call *call) {
  uint64_t days = USAGE_DAYS;
  struct bytes given = api_query(call, "days");
  char first[RFC3339_BYTES];
  if (given.len && (!bytes_u64(given, &days) || days < 1 || days > USAGE_DAYS_MAX)) {
    api_fail(call, ERR_INVALID, "\"days\" is from 1 to %d", USAGE_DAYS_MAX);
    return;
  }
  struct usage_asking asking = {
      .call = call, .prices = prices_default, .function = api_query(call, "function")};
  rfc3339_format(clock_wall_ms(call->api->options.clock) - (int64_t)(days - 1) * 86400000, first);
  bytes_text(bytes_sub(bytes_str(first), 0, DAY_TEXT_BYTES), asking.first_day,
             sizeof asking.first_day);
  buf_init(&asking.rows, LIST_BYTES_MAX);
  buf_init(&asking.body, LIST_BYTES_MAX);
  json_out_init(&asking.out, &asking.body);
  collect_rows(&asking);
  answer_usage(&asking);
  buf_fini(&asking.rows);
  buf_fini(&asking.body);
}

const struct api_route admin_usage_routes[] = {
    {"GET", "/admin/usage", ACT_READ, get_usage, 0},
};
API_ROUTE_COUNT(admin_usage)

/* source/api/admin_usage.c: what was used, what it cost, and what an always-on machine would cost.
 *
 * Cost = runs at the price of a million, plus memory times time at the price of a GiB second;
 * prices
 * are the app's (medulla.yaml), else the defaults below, which are list prices of a large cloud. */
#include "base/cleanup.h"
#include "base/must.h"
#include "flow/catalog.h"
#include "flow/usage.h"
#include "source/api/parts.h"

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
  struct buf rows; /* copies: key, packed totals */
  struct buf body;
  struct json_out out;
  double cost;
  int64_t runs, days;
  struct prices prices;
  bool ok;
  struct err err;
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

static bool copy_row(void *arg, const struct store_row *row) {
  struct usage_asking *asking = arg;
  struct bytes day = bytes_sub(row->key, 0, DAY_TEXT_BYTES);
  if (bytes_cmp(day, bytes_str(asking->first_day)) < 0) return true;
  uint32_t lengths[2] = {(uint32_t)row->key.len, (uint32_t)row->value.len};
  buf_put(&asking->rows, bytes_of(lengths, sizeof lengths));
  buf_put(&asking->rows, row->key);
  buf_put(&asking->rows, row->value);
  return buf_ok(&asking->rows);
}

static void usage_query(void *arg, struct store_reader *reader) {
  struct usage_asking *asking = arg;
  struct store_range range = {.table = TABLE_usage};
  asking->ok = store_scan(reader, &range, copy_row, asking, &asking->err);
}

static void write_row(struct usage_asking *asking, struct bytes key, struct bytes value) {
  struct usage_totals t;
  struct bytes day = bytes_sub(key, 0, DAY_TEXT_BYTES);
  struct bytes function = bytes_from(key, DAY_TEXT_BYTES + 1);
  if (!principal_may_app(asking->call->principal, function)) return;
  if (!usage_unpack(value, &t, &asking->err)) return;
  struct prices prices = prices_of(asking->call->api, function);
  double gib_seconds = (double)t.memory_mib_us / 1024.0 / 1e6;
  double cost = (double)t.runs / 1e6 * prices.million_runs + gib_seconds * prices.gib_second;
  if (!bytes_eq_str(day, asking->last_seen)) asking->days++;
  bytes_text(day, asking->last_seen, sizeof asking->last_seen);
  asking->prices = prices;
  asking->cost += cost;
  asking->runs += t.runs;
  json_out_open(&asking->out, '{');
  json_out_member(&asking->out, "day", day);
  json_out_member(&asking->out, "function", function);
  json_out_member_int(&asking->out, "runs", t.runs);
  json_out_member_int(&asking->out, "failed", t.failures);
  json_out_member_int(&asking->out, "cold", t.cold);
  json_out_member_int(&asking->out, "billed_ms", t.billed_ms);
  json_out_member_int(&asking->out, "run_us", t.run_us);
  json_out_member_int(&asking->out, "wait_us", t.wait_us);
  json_out_member_int(&asking->out, "effect_us", t.effect_us);
  json_out_member_int(&asking->out, "restore_us", t.restore_us);
  json_out_member_int(&asking->out, "cpu_us", t.cpu_us);
  json_out_member_int(&asking->out, "effects", t.effects);
  json_out_member_int(&asking->out, "in_bytes", t.in_bytes);
  json_out_member_int(&asking->out, "out_bytes", t.out_bytes);
  json_out_name(&asking->out, "gib_seconds");
  json_out_double(&asking->out, gib_seconds);
  json_out_name(&asking->out, "cost");
  json_out_double(&asking->out, cost);
  json_out_close(&asking->out, '}');
}

static void write_rows(struct usage_asking *asking) {
  struct bytes rest = buf_bytes(&asking->rows);
  while (rest.len) {
    uint32_t lengths[2];
    memcpy(lengths, rest.at, sizeof lengths);
    struct bytes key = bytes_sub(rest, sizeof lengths, lengths[0]);
    struct bytes value = bytes_sub(rest, sizeof lengths + lengths[0], lengths[1]);
    write_row(asking, key, value);
    rest = bytes_from(rest, sizeof lengths + lengths[0] + lengths[1]);
  }
}

static void usage_done(void *arg) {
  struct usage_asking *asking = arg;
  struct json_out *out = &asking->out;
  json_out_open(out, '{');
  json_out_name(out, "usage");
  json_out_open(out, '[');
  if (asking->ok) write_rows(asking);
  json_out_close(out, ']');
  json_out_name(out, "total");
  json_out_open(out, '{');
  json_out_member_int(out, "runs", asking->runs);
  json_out_name(out, "cost");
  json_out_double(out, asking->cost);
  json_out_member(out, "currency", asking->prices.currency);
  json_out_name(out, "always_on");
  json_out_double(out, asking->prices.machine_hour * 24.0 * (double)asking->days);
  json_out_close(out, '}');
  json_out_close(out, '}');
  if (asking->ok)
    api_json(asking->call, 200, buf_bytes(&asking->body));
  else
    api_fail_err(asking->call, &asking->err, 0);
  buf_fini(&asking->rows);
  buf_fini(&asking->body);
  free(asking);
}

static void get_usage(struct api_call *call) {
  uint64_t days = USAGE_DAYS;
  struct bytes given = api_query(call, "days");
  char first[RFC3339_BYTES];
  if (given.len && (!bytes_u64(given, &days) || days < 1 || days > USAGE_DAYS_MAX)) {
    api_fail(call, ERR_INVALID, "\"days\" is from 1 to %d", USAGE_DAYS_MAX);
    return;
  }
  struct usage_asking *asking = must_alloc(sizeof *asking);
  asking->call = call;
  asking->prices = prices_default;
  rfc3339_format(clock_wall_ms(call->api->options.clock) - (int64_t)(days - 1) * 86400000, first);
  bytes_text(bytes_sub(bytes_str(first), 0, DAY_TEXT_BYTES), asking->first_day,
             sizeof asking->first_day);
  buf_init(&asking->rows, LIST_BYTES_MAX);
  buf_init(&asking->body, LIST_BYTES_MAX);
  json_out_init(&asking->out, &asking->body);
  store_ask(call->api->options.store, usage_query, usage_done, asking);
}

const struct api_route admin_usage_routes[] = {
    {"GET", "/admin/usage", ACT_READ, get_usage, 0},
};
API_ROUTE_COUNT(admin_usage)

/* source/api/follow.c: runs and logs as they happen, to whoever follows them.
 *
 * A follower costs nothing to those who run: once its client is FOLLOW_BEHIND_BYTES_MAX behind it
 * ends, with a last line that says so. */
#include "source/api/follow.h"
#include "base/cleanup.h"
#include "base/must.h"
#include "wire/fields.h"

#include <stdlib.h>

enum {
  FOLLOWERS_MAX = 256,
  FOLLOW_LINE_BYTES_MAX = 1 << 20,
  FOLLOW_BEHIND_BYTES_MAX = 1 << 20,
  FOLLOW_PAST_BYTES_MAX = 8 << 20, /* well below HTTP_REPLY_BYTES_MAX */
  LOGS_LIMIT = 100,
  LOGS_LIMIT_MAX = 100000,
  LOGS_BYTES_MAX = 8 << 20,
  LOGS_PAGES_MAX = 1000000,
};

/* In its exchange's arena. */
struct follower {
  struct list link; /* in api->followers */
  struct api_call *call;
  struct bytes function;
  bool logs;
  bool full;     /* what was written waits for the client */
  size_t behind; /* written since */
};

bool follow_wants(const struct principal *principal, struct bytes wanted,
                  const struct run_record *run) {
  if (principal->app.len && !bytes_eq(principal->app, run->app)) return false;
  if (wanted.len == 0) return true;
  size_t slash = bytes_find(wanted, '/');
  if (slash == wanted.len) return bytes_eq(wanted, run->function) || bytes_eq(wanted, run->app);
  return bytes_eq(bytes_sub(wanted, 0, slash), run->app) &&
         bytes_eq(bytes_from(wanted, slash + 1), run->function);
}

static void follower_end(struct follower *follower) {
  list_drop(&follower->link);
  exchange_reply_end(follower->call->x);
}

static void on_gone(struct http_exchange *x) {
  struct api_call *call = exchange_owner(x);
  follower_end(call->own);
}

static void on_writable(struct http_exchange *x) {
  struct api_call *call = exchange_owner(x);
  struct follower *follower = call->own;
  follower->full = false;
  follower->behind = 0;
}

void follow_start(struct api_call *call, bool logs, struct bytes function, struct bytes past) {
  struct http_answer answer = {.status = 200, .content_type = BYTES("application/x-ndjson")};
  struct follower *follower = ARENA_NEW(api_arena(call), struct follower);
  size_t count = 0;
  LIST_EACH (other, &call->api->followers, struct follower, link) count++;
  if (past.len > FOLLOW_PAST_BYTES_MAX) {
    api_fail(call, ERR_LIMIT, "what was before is larger than 8 MiB; ask for less of it");
    return;
  }
  if (!follower || count >= FOLLOWERS_MAX) {
    api_fail(call, ERR_BUSY, "FOLLOWERS_MAX: %d are following already", FOLLOWERS_MAX);
    return;
  }
  *follower = (struct follower){.call = call, .function = function, .logs = logs};
  call->own = follower;
  list_init(&follower->link);
  list_push(&call->api->followers, &follower->link);
  exchange_reply_start(call->x, &answer, HTTP_LENGTH_UNKNOWN);
  if (exchange_is_gone(call->x)) {
    follower_end(follower);
    return;
  }
  exchange_on_gone(call->x, on_gone);
  exchange_on_writable(call->x, on_writable);
  if (past.len) follower->full = !exchange_write(call->x, past);
}

void follow_end_all(struct api *api) {
  LIST_EACH (follower, &api->followers, struct follower, link) follower_end(follower);
}

static void tell(struct follower *follower, struct bytes line) {
  static const char last[] = "{\"dropped\":\"this follower is too slow; ask again\"}\n";
  follower->full = !exchange_write(follower->call->x, line);
  if (follower->full) follower->behind += line.len;
  if (follower->behind <= FOLLOW_BEHIND_BYTES_MAX) return;
  (void)exchange_write(follower->call->x, bytes_of(last, sizeof last - 1));
  follower_end(follower);
}

static void publish(struct api *api, bool logs, const struct run_record *run, struct bytes line) {
  LIST_EACH (follower, &api->followers, struct follower, link) {
    if (follower->logs != logs) continue;
    if (follow_wants(follower->call->principal, follower->function, run)) tell(follower, line);
  }
}

void api_publish_run(struct api *api, const struct run_record *run) {
  if (list_empty(&api->followers)) return;
  cleanup_buf struct buf line = {0};
  buf_init(&line, FOLLOW_LINE_BYTES_MAX);
  run_write_json(&line, run, false);
  buf_char(&line, '\n');
  if (buf_ok(&line)) publish(api, false, run, buf_bytes(&line));
}

static void write_log(struct buf *out, const struct run_record *run, const char *level,
                      int64_t at_ms, struct bytes text) {
  struct json_out json;
  char id[ID_TEXT_BYTES];
  cleanup_buf struct buf function = {0};
  id_text(run->id, id);
  buf_init(&function, 1024);
  buf_printf(&function, "%.*s/%.*s", BYTES_FMT(run->app), BYTES_FMT(run->function));
  json_out_init(&json, out);
  json_out_open(&json, '{');
  json_out_member_int(&json, "at_ms", at_ms);
  json_out_member_str(&json, "level", level);
  json_out_member(&json, "function", buf_bytes(&function));
  json_out_member_str(&json, "run", id);
  json_out_member(&json, "line", text);
  json_out_close(&json, '}');
  buf_char(out, '\n');
}

static const char *level_word(enum guest_level level) {
  switch (level) {
  case GUEST_LOG_DEBUG: return "debug";
  case GUEST_LOG_INFO: return "info";
  case GUEST_LOG_WARN: return "warn";
  case GUEST_LOG_ERROR: return "error";
  }
  return "info";
}

void api_publish_log(struct api *api, const struct run_record *run, enum guest_level level,
                     int64_t at_ms, struct bytes line) {
  if (list_empty(&api->followers)) return;
  cleanup_buf struct buf out = {0};
  buf_init(&out, FOLLOW_LINE_BYTES_MAX);
  write_log(&out, run, level_word(level), at_ms, line);
  if (buf_ok(&out)) publish(api, true, run, buf_bytes(&out));
}

/* ---- GET /admin/logs: the newest lines that runs left on record, then what comes ---- */

static const char *level_of_letter(char letter) {
  switch (letter) {
  case 'd': return "debug";
  case 'w': return "warn";
  case 'e': return "error";
  default: return "info";
  }
}

struct logs {
  struct api_call *call;
  struct bytes function;
  size_t limit, pages;
  bool follow, ok;
  struct buf lines; /* turned: each run's block is put before the others */
  size_t count;
  struct err err;
};

/* A run keeps its last lines as one text, without their times. */
static void add_run(struct logs *logs, const struct run_record *run) {
  cleanup_buf struct buf block = {0};
  struct bytes rest = run->log;
  buf_init(&block, LOGS_BYTES_MAX);
  for (size_t i = 0; rest.len; i++) {
    char letter = i < run->log_levels.len ? (char)run->log_levels.at[i] : 'i';
    write_log(&block, run, level_of_letter(letter), run->settled_ms, bytes_cut(rest, '\n', &rest));
    logs->count++;
  }
  buf_put(&block, buf_bytes(&logs->lines));
  struct buf before = logs->lines;
  logs->lines = block;
  block = before;
}

static bool visit_page(void *arg, const struct store_row *row) {
  struct logs *logs = arg;
  for (struct cursor in = cursor_of(row->value); fields_more(&in);) {
    struct run_record run;
    struct bytes record = fields_get_bytes(&in);
    if (!run_decode(record, &run, &logs->err) || run.log.len == 0) continue;
    if (follow_wants(logs->call->principal, logs->function, &run)) add_run(logs, &run);
  }
  return ++logs->pages < LOGS_PAGES_MAX && logs->count < logs->limit && buf_ok(&logs->lines);
}

static void logs_query(void *arg, struct store_reader *reader) {
  struct logs *logs = arg;
  logs->ok =
      logs->limit == 0 || store_tail(reader, TABLE_run, 0, true, visit_page, logs, &logs->err);
}

/* Whole runs were read; the oldest lines beyond the limit go. */
static struct bytes newest(const struct logs *logs) {
  struct bytes lines = buf_bytes(&logs->lines);
  for (size_t over = logs->count > logs->limit ? logs->count - logs->limit : 0; over > 0; over--)
    lines = bytes_from(lines, bytes_find(lines, '\n') + 1);
  return lines;
}

static void logs_done(void *arg) {
  struct logs *logs = arg;
  struct http_answer answer = {.status = 200, .content_type = BYTES("application/x-ndjson")};
  if (!logs->ok)
    api_fail_err(logs->call, &logs->err, 0);
  else if (!buf_ok(&logs->lines))
    api_fail(logs->call, ERR_LIMIT, "the answer is larger than 8 MiB; ask for fewer");
  else if (logs->follow)
    follow_start(logs->call, true, logs->function, newest(logs));
  else
    exchange_reply(logs->call->x, &answer, newest(logs));
  buf_fini(&logs->lines);
  free(logs);
}

static void get_logs(struct api_call *call) {
  struct bytes given = api_query(call, "limit");
  uint64_t limit = LOGS_LIMIT;
  if (given.len && (!bytes_u64(given, &limit) || limit > LOGS_LIMIT_MAX)) {
    api_fail(call, ERR_INVALID, "\"limit\" is from 0 to %d", LOGS_LIMIT_MAX);
    return;
  }
  struct logs *logs = must_alloc(sizeof *logs);
  logs->call = call;
  logs->limit = (size_t)limit;
  logs->function = api_query(call, "function");
  logs->follow = follow_asked(call);
  buf_init(&logs->lines, LOGS_BYTES_MAX);
  store_ask(call->api->options.store, logs_query, logs_done, logs);
}

bool follow_asked(struct api_call *call) {
  struct bytes given = api_query(call, "follow");
  return bytes_eq_str(given, "true") || bytes_eq_str(given, "1");
}

const struct api_route follow_routes[] = {
    {"GET", "/admin/logs", ACT_READ, get_logs, 0},
};
API_ROUTE_COUNT(follow)

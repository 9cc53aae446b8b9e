/* app/cli/emit.c: events in batches. The same source and id are accepted once, so that a batch
 * whose answer got lost can be sent again. */
#include "app/cli/client.h"
#include "app/cli/input.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
  TRIES_MAX = 20,
  WAIT_S_MAX = 30,
  EVENT_BYTES_MAX = 1 << 20,
  BATCH_BYTES_MAX = 4 << 20,
  LINE_TREE_BYTES_MAX = 64 << 20,
};

struct emission {
  struct cli *cli;
  struct client client;
  struct buf batch;
  struct arena line;
  int64_t batch_max, in_batch;
  uint64_t first_place; /* line or index of the batch's first event, from 1 */
  uint64_t place;
  uint64_t accepted, duplicates, deliveries;
  bool by_line, progress;
};

static void count_answer(struct emission *e, const struct client_answer *answer) {
  cleanup_arena struct arena arena;
  arena_init(&arena, EVENT_BYTES_MAX);
  const struct json *body;
  struct err err;
  int64_t number;
  if (!json_parse(&arena, buf_bytes(&answer->body), &body, &err)) return;
  if (json_int(json_get(body, "accepted"), &number)) e->accepted += (uint64_t)number;
  if (json_int(json_get(body, "duplicates"), &number)) e->duplicates += (uint64_t)number;
  if (json_int(json_get(body, "deliveries"), &number)) e->deliveries += (uint64_t)number;
}

/* Seconds the server asks us to wait, within bounds. */
static unsigned retry_after(const struct client_answer *answer, unsigned tried) {
  uint64_t seconds;
  if (!bytes_u64(http_header_get(&answer->response.head, "Retry-After"), &seconds)) seconds = tried;
  if (seconds < 1) seconds = 1;
  return seconds < WAIT_S_MAX ? (unsigned)seconds : WAIT_S_MAX;
}

/* "line 7: ...": the server counts from 0 within the batch ("event 3: ..."), people from 1 in the
 * file. What is wrong with none of them in particular is told with where the batch began. */
static void place_error(const struct emission *e, struct err *err) {
  char detail[sizeof err->detail];
  const char *unit = e->by_line ? "line" : "event";
  struct bytes rest, why = bytes_str(err->detail);
  uint64_t index;
  bool one = bytes_starts(why, BYTES("event ")) &&
             bytes_u64(bytes_cut(bytes_from(why, 6), ':', &rest), &index);
  unsigned long long first = e->first_place, last = first + (uint64_t)e->in_batch - 1;
  if (one)
    snprintf(detail, sizeof detail, "%s %llu:%.200s", unit, first + (unsigned long long)index,
             (const char *)rest.at);
  else if (first == last)
    snprintf(detail, sizeof detail, "%s %llu: %.200s", unit, first, err->detail);
  else
    snprintf(detail, sizeof detail, "%ss %llu to %llu: %.200s", unit, first, last, err->detail);
  snprintf(err->detail, sizeof err->detail, "%s", detail);
}

static bool send_batch(struct emission *e, struct err *err) {
  if (e->in_batch == 0) return true;
  buf_char(&e->batch, ']');
  const struct client_ask ask = {.method = "POST",
                                 .target = "/events",
                                 .type = "application/cloudevents-batch+json",
                                 .body = buf_bytes(&e->batch)};
  for (unsigned tried = 1;; tried++) {
    struct client_answer answer;
    bool asked = client_ask(&e->client, &ask, &answer, err);
    bool busy = asked && (answer.status == 429 || answer.status == 503);
    bool good = asked && client_ok(&answer, err);
    unsigned wait_s = busy ? retry_after(&answer, tried) : 0;
    if (good) count_answer(e, &answer);
    client_answer_fini(&answer);
    if (good) break;
    if (!busy || tried == TRIES_MAX) {
      place_error(e, err);
      return false;
    }
    sleep(wait_s);
  }
  if (e->progress)
    fprintf(e->cli->errors, "\r%llu accepted, %llu seen before", (unsigned long long)e->accepted,
            (unsigned long long)e->duplicates);
  buf_reset(&e->batch);
  e->in_batch = 0;
  return true;
}

static bool add_event(struct emission *e, struct bytes event, struct err *err) {
  if (event.len > EVENT_BYTES_MAX)
    FAIL(ERR_LIMIT, "%s %llu is larger than %d bytes", e->by_line ? "line" : "event",
         (unsigned long long)e->place, EVENT_BYTES_MAX);
  if (e->batch.len + event.len > BATCH_BYTES_MAX - 2) TRY(send_batch(e, err));
  if (e->in_batch == 0) e->first_place = e->place;
  buf_char(&e->batch, e->in_batch++ ? ',' : '[');
  buf_put(&e->batch, event);
  return e->in_batch < e->batch_max || send_batch(e, err);
}

/* One line that is no JSON would spoil its whole batch, and nobody could say which it is. */
static bool check_line(struct emission *e, struct bytes line, struct err *err) {
  const struct json *value;
  struct err why;
  arena_reset(&e->line);
  if (line.len > EVENT_BYTES_MAX || json_parse(&e->line, line, &value, &why)) return true;
  TRY(send_batch(e, err)); /* what came before it is good */
  FAIL(ERR_MALFORMED, "line %llu: %s", (unsigned long long)e->place, why.detail);
}

/* One event per line; read as they come, so that a long feed needs no memory. */
static bool emit_lines(struct emission *e, FILE *file, struct err *err) {
  char *line = NULL;
  size_t room = 0;
  bool good = true;
  e->by_line = true;
  for (ssize_t len; good && (len = getline(&line, &room, file)) > 0;) {
    e->place++;
    struct bytes event = bytes_trim(bytes_of(line, (size_t)len));
    while (event.len && (event.at[event.len - 1] == '\n' || event.at[event.len - 1] == '\r'))
      event.len--;
    /* A blank line would shift the server's index: the batch ends before it. */
    good = event.len ? check_line(e, event, err) && add_event(e, event, err) : send_batch(e, err);
  }
  free(line);
  return good && send_batch(e, err);
}

/* An array, or one event that spans lines. */
static bool emit_tree(struct emission *e, struct bytes text, struct err *err) {
  const struct json *value;
  struct err why;
  if (!json_parse(&e->cli->arena, text, &value, &why)) {
    size_t line = 1;
    for (size_t i = 0; i < why.offset && i < text.len; i++) line += text.at[i] == '\n';
    FAIL(ERR_MALFORMED, "line %zu: %s", line, why.detail);
  }
  if (value->kind != JSON_ARRAY) {
    e->place = 1;
    return add_event(e, text, err) && send_batch(e, err);
  }
  for (const struct json *event = value->first; event; event = event->next) {
    e->place++;
    struct bytes source = event->kind == JSON_OBJECT ? event->text : BYTES_NONE;
    if (!source.len) FAIL(ERR_INVALID, "event %llu is no object", (unsigned long long)e->place);
    TRY(add_event(e, source, err));
  }
  return send_batch(e, err);
}

/* An object that ends on its own line is the first of many; else the whole is one tree. */
static bool is_by_line(FILE *file, struct buf *first, struct err *err, struct arena *arena) {
  char *line = NULL;
  size_t room = 0;
  const struct json *value;
  ssize_t len = getline(&line, &room, file);
  if (len > 0) buf_put(first, bytes_of(line, (size_t)len));
  free(line);
  return len > 0 && json_parse(arena, buf_bytes(first), &value, err) && value->kind == JSON_OBJECT;
}

static bool emit_file(struct emission *e, FILE *file, struct err *err) {
  cleanup_buf struct buf text;
  buf_init(&text, INPUT_BYTES_MAX);
  struct err why;
  if (is_by_line(file, &text, &why, &e->cli->arena)) {
    e->by_line = true;
    e->place = 1;
    struct bytes event = buf_bytes(&text);
    while (event.len && (event.at[event.len - 1] == '\n' || event.at[event.len - 1] == '\r'))
      event.len--;
    return add_event(e, event, err) && emit_lines(e, file, err);
  }
  char chunk[1 << 16];
  for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
    buf_put(&text, bytes_of(chunk, got));
  if (ferror(file)) FAIL(ERR_IO, "cannot read %s: %s", e->cli->args[0], strerror(errno));
  if (bytes_trim(buf_bytes(&text)).len == 0) return true; /* a feed may have nothing to say */
  if (!buf_ok(&text))
    FAIL(ERR_LIMIT, "an array may have %u bytes; write one event per line instead",
         INPUT_BYTES_MAX);
  return emit_tree(e, buf_bytes(&text), err);
}

int verb_emit(struct cli *cli) {
  struct err err;
  struct emission e = {.cli = cli};
  bool from_input = strcmp(cli->args[0], "-") == 0;
  if (!cli_flag_number(cli, "batch", 100, 1, 1000, &e.batch_max)) return CLI_USAGE;
  FILE *file = from_input ? cli->in : fopen(cli->args[0], "re");
  if (!file) {
    err_set(&err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "cannot read %s: %s", cli->args[0],
            strerror(errno));
    return cli_fail(cli, &err);
  }
  buf_init(&e.batch, BATCH_BYTES_MAX);
  arena_init(&e.line, LINE_TREE_BYTES_MAX);
  e.progress = !cli->json && fileno(cli->errors) >= 0 && isatty(fileno(cli->errors));
  bool good = client_init(cli, &e.client, &err);
  if (good) {
    good = emit_file(&e, file, &err);
    client_fini(&e.client);
  }
  buf_fini(&e.batch);
  arena_fini(&e.line);
  if (!from_input) fclose(file);
  if (e.progress) fputc('\n', cli->errors);
  if (good || e.accepted || e.duplicates)
    fprintf(cli->out,
            cli->json ? "{\"accepted\":%llu,\"duplicates\":%llu,\"deliveries\":%llu}\n"
                      : "%llu accepted, %llu seen before, %llu deliveries\n",
            (unsigned long long)e.accepted, (unsigned long long)e.duplicates,
            (unsigned long long)e.deliveries);
  return good ? CLI_OK : cli_fail(cli, &err);
}

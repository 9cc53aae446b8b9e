/* source/queue/receive.c: one receive of a queue is served at a time; the others wait in line.
 *
 *   waiting --> scanning --> taking (a commit per row) --> answered
 *      ^                        | nothing, and time is left
 *      +------------------------+                                                             */
#include "base/must.h"
#include "source/queue/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_TAKEN_BYTES_MAX = 32 << 20 };

struct queue_line {
  struct queues *queues;
  struct list waiting; /* struct queue_receive */
  struct loop_timer timer;
  char *name;
  bool busy;
};

static void serve(struct queue_line *line);

static void line_due(struct loop_timer *timer) {
  serve((struct queue_line *)(void *)((char *)timer - offsetof(struct queue_line, timer)));
}

static struct queue_line *line_of(struct queues *queues, struct bytes queue) {
  struct queue_line *line = map_get(&queues->lines, queue);
  if (line) return line;
  line = must_alloc(sizeof *line);
  line->queues = queues;
  line->timer.fire = line_due;
  line->name = bytes_dup(queue);
  list_init(&line->waiting);
  map_put(&queues->lines, queue, line);
  return line;
}

static void line_end(struct queue_line *line) {
  if (line->busy || !list_empty(&line->waiting)) return;
  loop_timer_drop(line->queues->loop, &line->timer);
  map_drop(&line->queues->lines, bytes_str(line->name));
  free(line->name);
  free(line);
}

void queue_lines_close(struct queues *queues) {
  struct bytes key;
  void *value;
  for (size_t at = 0; map_next(&queues->lines, &at, &key, &value);) {
    struct queue_line *line = value;
    loop_timer_drop(queues->loop, &line->timer);
    free(line->name);
    free(line);
  }
  map_fini(&queues->lines);
}

static void answer(struct queue_receive *receive) {
  list_drop(&receive->link);
  receive->queues->waiting--;
  receive->done(receive);
}

static void scan_free(struct queue_receive *receive) {
  queue_scan_end(receive->scan);
  free(receive->scan);
  receive->scan = NULL;
}

/* The head has got what there was: it is answered, or waits on. */
static void served(struct queue_receive *receive) {
  struct queue_line *line = receive->line;
  struct queues *queues = line->queues;
  int64_t now_ms = queues_now_ms(queues);
  int64_t next_ms = receive->scan->next_ms;
  scan_free(receive);
  line->busy = false;
  if (receive->got_count || receive->gone || receive->until_ms <= now_ms) {
    answer(receive);
    serve(line);
    return;
  }
  int64_t wait_ms = receive->until_ms - now_ms;
  if (wait_ms > QUEUE_POLL_MS) wait_ms = QUEUE_POLL_MS;
  if (next_ms > now_ms && next_ms - now_ms < wait_ms) wait_ms = next_ms - now_ms;
  loop_timer_after(queues->loop, &line->timer, wait_ms);
}

static void one_done(struct queue_receive *receive) {
  if (--receive->pending == 0) served(receive);
}

/* ---- Taking ---- */

struct taking {
  struct queue_receive *receive;
  struct queue_row *row;
};

static void note(struct queue_receive *receive, const struct queue_row *row) {
  struct arena *arena = api_arena(receive->call);
  struct queue_received *got = &receive->got[receive->got_count];
  struct event event;
  struct err err;
  if (!event_decode(row->queued.event, &event, &err)) return;
  struct bytes data = arena_copy(arena, event_for_handler(&event));
  got->id = arena_copy(arena, event.ce_id);
  got->receives = row->queued.receives + 1;
  struct id id;
  char text[ID_TEXT_BYTES];
  memcpy(id.at, row->key + row->key_bytes - ID_BYTES, ID_BYTES);
  id_text(id, text);
  got->receipt = arena_printf(arena, "%s.%u", text, got->receives);
  if (!json_parse(arena, data, &got->record, &err)) return;
  const struct json *body = json_get(got->record, "body");
  got->body = body && body->kind == JSON_STRING ? body->text : data;
  receive->got_count++;
}

static void row_taken(void *arg, const struct store_result *result) {
  struct taking *taking = arg;
  struct queue_receive *receive = taking->receive;
  if (result->err.code == ERR_OK) note(receive, taking->row);
  free(taking);
  one_done(receive);
}

static void take(struct queue_receive *receive, struct queue_row *row, int64_t now_ms) {
  struct taking *taking = must_alloc(sizeof *taking);
  struct store_commit *commit = commit_new();
  struct bytes key = bytes_of(row->key, row->key_bytes);
  struct queued after = row->queued;
  struct buf value;
  after.visible_ms = now_ms + receive->visibility_ms;
  after.receives++;
  buf_init(&value, QUEUE_TAKEN_BYTES_MAX);
  queued_encode(&value, &after);
  must(buf_ok(&value));
  commit_check(commit, TABLE_queue, key, row->version, ERR_CONFLICT);
  commit_put(commit, TABLE_queue, key, buf_bytes(&value));
  buf_fini(&value);
  *taking = (struct taking){receive, row};
  store_submit(receive->queues->store, &commit, row_taken, taking);
}

static void moved(void *arg, bool ok) {
  one_done(arg);
}

/* Received too often without being deleted: nobody can handle it. */
static void bury(struct queue_receive *receive, struct queue_row *row) {
  char dead[QUEUE_NAME_BYTES_MAX + sizeof QUEUE_DEAD_SUFFIX];
  snprintf(dead, sizeof dead, "%s" QUEUE_DEAD_SUFFIX, receive->scan->queue);
  queue_move(receive->queues, row, bytes_str(dead), 0, moved, receive);
}

static bool is_spent(const struct queue_receive *receive, const struct queue_row *row) {
  struct bytes queue = bytes_str(receive->scan->queue);
  return row->queued.receives >= QUEUE_RECEIVES_MAX &&
         !bytes_ends(queue, BYTES(QUEUE_DEAD_SUFFIX)) &&
         queue.len + sizeof QUEUE_DEAD_SUFFIX <= QUEUE_NAME_BYTES_MAX;
}

static void scanned(void *arg) {
  struct queue_receive *receive = arg;
  struct queue_scan *scan = receive->scan;
  int64_t now_ms = queues_now_ms(receive->queues);
  receive->pending = 1; /* this */
  for (size_t i = 0; scan->ok && !receive->gone && i < scan->count; i++) {
    receive->pending++;
    if (is_spent(receive, &scan->rows[i]))
      bury(receive, &scan->rows[i]);
    else
      take(receive, &scan->rows[i], now_ms);
  }
  one_done(receive);
}

static void scan_query(void *arg, struct store_reader *reader) {
  queue_scan_query(((struct queue_receive *)arg)->scan, reader);
}

static void serve(struct queue_line *line) {
  struct queue_receive *receive = LIST_FIRST(&line->waiting, struct queue_receive, link);
  if (line->busy) return;
  if (!receive) {
    line_end(line);
    return;
  }
  loop_timer_drop(line->queues->loop, &line->timer);
  line->busy = true;
  receive->scan = must_alloc(sizeof *receive->scan);
  queue_scan_begin(receive->scan, bytes_str(line->name), queues_now_ms(line->queues), receive->max);
  store_ask(line->queues->store, scan_query, scanned, receive);
}

static void on_gone(struct http_exchange *x) {
  struct api_call *call = exchange_owner(x);
  struct queue_receive *receive = call->own;
  struct queue_line *line = receive->line;
  receive->gone = true;
  if (receive->scan) return;
  answer(receive);
  serve(line);
}

void queue_receive(struct queue_receive *receive, struct bytes queue) {
  receive->line = line_of(receive->queues, queue);
  receive->call->own = receive;
  list_init(&receive->link);
  list_push(&receive->line->waiting, &receive->link);
  receive->queues->waiting++;
  exchange_on_gone(receive->call->x, on_gone);
  serve(receive->line);
}

void queue_kick(struct queues *queues, struct bytes queue) {
  struct queue_line *line = map_get(&queues->lines, queue);
  if (line) serve(line);
}

/* flow/owe.c: deliveries: their rows, their lines, and when they may run.
 *
 *            owing_add (rows in a commit)
 *                 | durable
 *                 v
 *   owed_enter: line (not the head) --> ready --> running --> gone (done, dead)
 *                       ^                 ^          |
 *                       |                 +-- due <--+ retry
 *                       +-- the next in line when the head leaves or lets it pass              */
#include "base/must.h"
#include "flow/world.h"
#include "model/queued.h"

#include <stdlib.h>

enum { OUTCOME_BYTES_MAX = 1 << 20 };

void owing_init(struct owing *owing, struct flow *flow) {
  *owing = (struct owing){.flow = flow};
  list_init(&owing->owed);
}

void owed_put(struct store_commit *commit, const struct delivery *delivery) {
  struct buf value;
  buf_init(&value, 4096);
  delivery_encode(&value, delivery);
  must(buf_ok(&value));
  commit_put(commit, TABLE_delivery, id_bytes(&delivery->id), buf_bytes(&value));
  buf_fini(&value);
}

static struct line *line_of(struct function *function, struct bytes key) {
  struct line *line = map_get(&function->lines, key);
  if (line) return line;
  line = must_alloc(sizeof *line);
  list_init(&line->owed);
  line->function = function;
  line->text = bytes_dup(key);
  line->key = bytes_of(line->text, key.len);
  map_put(&function->lines, key, line);
  return line;
}

static void line_unref(struct line *line) {
  if (--line->refs) return;
  map_drop(&line->function->lines, line->key);
  free(line->text);
  free(line);
}

static void owed_due(struct loop_timer *timer) {
  struct owed *owed = (struct owed *)(void *)((char *)timer - offsetof(struct owed, due));
  owed->delivery.next_ms = 0;
  owed_enter(owed);
}

struct owed *owed_new(struct flow *flow, struct function *function, const struct delivery *delivery,
                      struct body *body) {
  struct owed *owed = must_alloc(sizeof *owed);
  owed->flow = flow;
  owed->function = function;
  owed->delivery = *delivery;
  owed->delivery.function = bytes_str(function->name);
  owed->delivery.reason = BYTES_NONE;
  owed->body = body;
  owed->due.fire = owed_due;
  owed->passed = delivery->redrives > 0;
  list_init(&owed->link);
  list_init(&owed->in_line);
  list_init(&owed->all);
  list_push(&flow->owed, &owed->all);
  if (delivery->key.len) {
    owed->line = line_of(function, delivery->key);
    owed->line->refs++;
    owed->delivery.key = owed->line->key;
  }
  flow->owed_count++;
  function->owed++;
  return owed;
}

void owed_free(struct owed *owed) {
  list_drop(&owed->link);
  list_drop(&owed->in_line);
  list_drop(&owed->all);
  loop_timer_drop(owed->flow->options.loop, &owed->due);
  owed->flow->owed_count--;
  owed->function->owed--;
  body_unref(owed->flow, &owed->body);
  if (owed->line) line_unref(owed->line);
  free(owed);
}

struct adding {
  struct owing *owing;
  struct store_commit *commit;
  struct body *body;
  const struct event *event;
};

static void add_delivery(void *arg, struct function *function, struct bytes key) {
  struct adding *adding = arg;
  struct flow *flow = adding->owing->flow;
  struct delivery delivery = {.id = flow_id(flow),
                              .event = adding->event->id,
                              .function = bytes_str(function->name),
                              .key = key,
                              .created_ms = flow_now_ms(flow),
                              .next_ms = adding->owing->not_before_ms};
  owed_put(adding->commit, &delivery);
  adding->owing->count++;
  if (flow->owed_count >= flow->options.limits.deliveries_max && !flow->spilling) {
    flow->spilling = true;
    flow->spill_from = delivery.id;
  }
  if (flow->spilling) { /* refill() brings it in when there is room */
    adding->owing->spilled++;
    flow->spill_pending++;
    flow->spill_new = true;
    return;
  }
  if (!adding->body && flow->cached_bytes < flow->options.limits.event_cache_bytes)
    adding->body = body_new(flow, adding->event);
  struct body *body = adding->body ? body_ref(adding->body) : NULL;
  struct owed *owed = owed_new(flow, function, &delivery, body);
  list_push(&adding->owing->owed, &owed->link);
}

/* No function has a trigger for it: it waits to be received, or for such a function. */
static bool put_queued(struct owing *owing, struct store_commit *commit, const struct event *event,
                       struct err *err) {
  uint8_t key[QUEUE_KEY_BYTES_MAX];
  struct queued queued = {.visible_ms = owing->not_before_ms};
  struct buf encoded, row;
  TRY(queue_name_check(event->ce_source, err));
  buf_init(&encoded, 2 * event->envelope.len + 4096);
  buf_init(&row, 2 * event->envelope.len + 8192);
  event_encode(&encoded, event);
  queued.event = buf_bytes(&encoded);
  queued_encode(&row, &queued);
  must(buf_ok(&encoded) && buf_ok(&row));
  commit_put(commit, TABLE_queue, queued_key(event->ce_source, event->id, key), buf_bytes(&row));
  buf_fini(&encoded);
  buf_fini(&row);
  return true;
}

bool owing_add(struct owing *owing, struct store_commit *commit, const struct event *event,
               const struct json *tree, struct function *function, struct err *err) {
  struct adding adding = {.owing = owing, .commit = commit, .event = event};
  struct buf value;
  bool matched = true;
  uint32_t before = owing->count;
  if (event->depth > EVENT_DEPTH_MAX)
    FAIL(ERR_LIMIT, "EVENT_DEPTH_MAX: %u events caused one another; this is a loop",
         (unsigned)event->depth);
  if (function)
    add_delivery(&adding, function, BYTES_NONE);
  else
    matched = match_event(owing->flow, event, tree, add_delivery, &adding, err);
  body_unref(owing->flow, &adding.body);
  if (!matched) return false;
  if (owing->count == before && bytes_eq_str(event->ce_type, EVENT_TYPE_QUEUE))
    return put_queued(owing, commit, event, err);
  buf_init(&value, 2 * event->envelope.len + 4096);
  event_encode(&value, event);
  must(buf_ok(&value));
  commit_append(commit, TABLE_event, id_bytes(&event->id), buf_bytes(&value));
  buf_fini(&value);
  return true;
}

static void spilled_ended(struct owing *owing) {
  owing->flow->spill_pending -= owing->spilled;
  if (owing->spilled) refill(owing->flow);
  owing->spilled = 0;
}

void owing_settled(struct owing *owing, uint64_t position) {
  LIST_EACH (owed, &owing->owed, struct owed, link) {
    list_drop(&owed->link);
    owed->row_version = position;
    if (owed->line) list_push(&owed->line->owed, &owed->in_line);
    owed_enter(owed);
  }
  spilled_ended(owing);
}

void owing_dropped(struct owing *owing) {
  LIST_EACH (owed, &owing->owed, struct owed, link) owed_free(owed);
  spilled_ended(owing);
}

/* {"requestPayload","responsePayload","condition"}: what Lambda's destinations carry, in short. */
static void write_outcome(struct buf *data, struct bytes request, struct bytes response,
                          const char *outcome) {
  struct json_out out;
  json_out_init(&out, data);
  json_out_open(&out, '{');
  json_out_member_str(&out, "condition", outcome);
  json_out_member_raw(&out, "requestPayload", request.len ? request : BYTES("null"));
  json_out_member_raw(&out, "responsePayload", response.len ? response : BYTES("null"));
  json_out_close(&out, '}');
}

/* A queue's message has it as the body of a record like any other's. */
static void write_destination(struct buf *data, const struct manifest_destination *to,
                              const struct event *event, struct bytes request,
                              struct bytes response, const char *outcome) {
  struct buf body;
  if (to->queue.len == 0) {
    write_outcome(data, request, response, outcome);
    return;
  }
  buf_init(&body, QUEUE_BODY_BYTES_MAX);
  write_outcome(&body, request, response, outcome);
  data->overflow |= body.overflow;
  queue_record_write(data, &(struct queue_message){.queue = to->queue,
                                                   .body = buf_bytes(&body),
                                                   .sender = event->principal,
                                                   .id = event->id,
                                                   .sent_ms = event->received_ms});
  buf_fini(&body);
}

bool owing_add_outcome(struct owing *owing, struct store_commit *commit,
                       const struct manifest_destination *to, const struct event *about,
                       struct bytes request, struct bytes response, const char *outcome,
                       struct err *err) {
  struct event event = *about;
  struct buf data;
  struct buf envelope;
  char id[ID_TEXT_BYTES];
  id_text(event.id, id);
  event.ce_id = bytes_str(id);
  event.ce_type = to->emit.len ? to->emit : BYTES(EVENT_TYPE_QUEUE);
  if (to->queue.len) {
    event.ce_source = to->queue;
    event.shape = EVENT_DATA;
  }
  buf_init(&data, OUTCOME_BYTES_MAX);
  buf_init(&envelope, 2 * OUTCOME_BYTES_MAX);
  write_destination(&data, to, &event, request, response, outcome);
  if (!buf_ok(&data)) {
    buf_reset(&data);
    write_destination(&data, to, &event, BYTES_NONE, BYTES_NONE, outcome);
  }
  event_write_envelope(&envelope, &event, buf_bytes(&data));
  event.envelope = buf_bytes(&envelope);
  event.data = bytes_sub(event.envelope, event.envelope.len - 1 - data.len, data.len);
  bool added = owing_add(owing, commit, &event, NULL, NULL, err);
  buf_fini(&data);
  buf_fini(&envelope);
  return added;
}

static bool is_head(const struct owed *owed) {
  return owed->line->owed.next == &owed->in_line;
}

void owed_enter(struct owed *owed) {
  int64_t wait_ms = owed->delivery.next_ms - flow_now_ms(owed->flow);
  if (wait_ms > 0) {
    loop_timer_after(owed->flow->options.loop, &owed->due, wait_ms);
  } else if (!owed->line || owed->passed || is_head(owed)) {
    list_push(&owed->function->ready, &owed->link);
    dispatch_ready(owed->flow, owed->function);
  } /* else it waits until those before it have left the line */
}

void owed_leave(struct owed *owed) {
  if (!owed->line || owed->passed) return;
  bool was_head = is_head(owed);
  owed->passed = true;
  owed->line->held_since_ns = 0;
  list_drop(&owed->in_line);
  struct owed *next = LIST_FIRST(&owed->line->owed, struct owed, in_line);
  if (next && was_head) owed_enter(next);
}

void owed_hold(struct owed *owed, int64_t hold_max_ms) {
  struct line *line = owed->line;
  int64_t now_ns = flow_now_ns(owed->flow);
  if (!line || owed->passed) return;
  if (line->held_since_ns == 0) line->held_since_ns = now_ns;
  int64_t next_ns = now_ns + (owed->delivery.next_ms - flow_now_ms(owed->flow)) * 1000000;
  if (next_ns > line->held_since_ns + hold_max_ms * 1000000) owed_leave(owed);
}

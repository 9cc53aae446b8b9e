/* source/schedule.c: entries in a heap by their next tick, one timer for them all.
 *
 *   resting (in the heap) -- due --> ticks owed -- admitted, one after the other --> resting
 *
 * The row follows the tick: a crash between them has the tick admitted again, as a duplicate. */
#include "source/schedule.h"

#include "base/heap.h"
#include "base/must.h"
#include "flow/catalog.h"
#include "os/log.h"
#include "wire/codec.h"
#include "wire/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SCHEDULE_ROW_BYTES_MAX = 1024,
  SCHEDULE_EVENT_BYTES_MAX = 8192,
  SCHEDULE_STEPS_MAX = 1000000,
  SCHEDULE_RETRY_MS = 1000,
};

struct entry {
  struct heap_node node; /* first member: the next tick */
  struct schedule *schedule;
  char *key; /* "app/function NUL index" */
  size_t key_bytes;
  char *function;
  uint32_t index;
  char *expression; /* cron, blank, zone: another one begins anew */
  struct cron cron;
  struct zone *zone;
  enum manifest_missed missed;
  int64_t last_ms; /* ticks up to here are done with */
  int64_t *ticks;  /* owed now, oldest first */
  size_t tick_count, tick_at;
  struct tick *tick;
  struct loop_timer again;
  bool wanted;
  struct entry *next_gone;
};

/* A tick on its way; outlives its entry. */
struct tick {
  struct flow_reply reply; /* first member */
  struct entry *entry;     /* NULL: nobody waits */
};

struct schedule {
  struct schedule_options options;
  struct map entries;
  struct heap heap;
  struct loop_timer timer;
  int64_t seen_ms;
};

static int64_t now_ms(const struct schedule *schedule) {
  return clock_wall_ms(schedule->options.clock);
}

static struct bytes key_of(const struct entry *entry) {
  return bytes_of(entry->key, entry->key_bytes);
}

/* ---- Rows ---- */

static void row_durable(void *arg, const struct store_result *result) {
}

static void save(struct entry *entry) {
  struct store_commit *commit = commit_new();
  struct buf row;
  buf_init(&row, SCHEDULE_ROW_BYTES_MAX);
  fields_put_i64(&row, entry->last_ms);
  fields_put_str(&row, entry->expression);
  must(buf_ok(&row));
  commit_put(commit, TABLE_schedule, key_of(entry), buf_bytes(&row));
  buf_fini(&row);
  store_submit(entry->schedule->options.store, &commit, row_durable, NULL);
}

static void forget(struct schedule *schedule, struct bytes key) {
  struct store_commit *commit = commit_new();
  commit_remove(commit, TABLE_schedule, key);
  store_submit(schedule->options.store, &commit, row_durable, NULL);
}

/* ---- Which ticks are owed ---- */

static void owe(struct entry *entry, int64_t tick_ms) {
  if (entry->tick_count == 0) {
    entry->ticks =
        must_alloc((SCHEDULE_MISSED_MAX + SCHEDULE_LATE_MS_MAX / 1000 + 1) * sizeof *entry->ticks);
  }
  entry->ticks[entry->tick_count++] = tick_ms;
}

/* How many ticks after `from` up to `to`, and the last of them. */
static size_t count_ticks(const struct entry *entry, int64_t from, int64_t to, int64_t *ret_last) {
  size_t count = 0;
  for (int64_t at = from; count < SCHEDULE_STEPS_MAX; count++) {
    if (!cron_next(&entry->cron, entry->zone, at, &at) || at > to) break;
    *ret_last = at;
  }
  return count;
}

static void owe_missed(struct entry *entry, int64_t from, int64_t to) {
  int64_t newest = to - SCHEDULE_MISSED_MS_MAX > from ? to - SCHEDULE_MISSED_MS_MAX : from;
  int64_t last = 0;
  if (entry->missed == MISSED_SKIP) return;
  size_t count = count_ticks(entry, newest, to, &last);
  if (entry->missed == MISSED_ONCE) {
    if (count || count_ticks(entry, from, newest, &last)) owe(entry, last);
    return;
  }
  for (int64_t at = newest; count > 0; count--) {
    if (!cron_next(&entry->cron, entry->zone, at, &at)) return;
    if (count <= SCHEDULE_MISSED_MAX) owe(entry, at);
  }
}

/* What is owed up to now; and when the next is due. */
static void advance(struct entry *entry, int64_t late_ms_max) {
  int64_t now = now_ms(entry->schedule);
  int64_t late = now - late_ms_max;
  int64_t at;
  if (entry->last_ms > now) entry->last_ms = now; /* the clock went back; ids guard from doubles */
  if (entry->last_ms < late) {
    owe_missed(entry, entry->last_ms, late);
    entry->last_ms = late;
  }
  heap_drop(&entry->schedule->heap, &entry->node);
  while (cron_next(&entry->cron, entry->zone, entry->last_ms, &at)) {
    if (at > now) {
      if (entry->tick_count == 0) heap_set(&entry->schedule->heap, &entry->node, at);
      return;
    }
    owe(entry, at);
    entry->last_ms = at;
  }
}

/* ---- A tick ---- */

/* The shape of an EventBridge scheduled event. */
static void write_data(const struct entry *entry, int64_t tick_ms, const char *resource,
                       struct buf *data) {
  struct json_out out;
  char id[ID_TEXT_BYTES];
  char time[RFC3339_BYTES];
  id_text(id_derive(key_of(entry), (uint64_t)tick_ms), id);
  rfc3339_format(tick_ms, time);
  json_out_init(&out, data);
  json_out_open(&out, '{');
  json_out_member_str(&out, "version", "0");
  json_out_member_str(&out, "id", id);
  json_out_member_str(&out, "detail-type", "Scheduled Event");
  json_out_member_str(&out, "source", "aws.events");
  json_out_member_str(&out, "account", "000000000000");
  memcpy(time + 19, "Z", 2); /* EventBridge counts seconds: "2026-01-01T07:00:00Z" */
  json_out_member_str(&out, "time", time);
  json_out_member_str(&out, "region", "local");
  json_out_name(&out, "resources");
  json_out_open(&out, '[');
  json_out_str(&out, resource);
  json_out_close(&out, ']');
  json_out_member_raw(&out, "detail", BYTES("{}"));
  json_out_close(&out, '}');
  must(buf_ok(data));
}

static void on_admitted(struct flow_reply *reply, const struct flow_answer *answer);

static void fire(struct entry *entry) {
  int64_t tick_ms = entry->ticks[entry->tick_at];
  struct buf data, envelope;
  char resource[CRON_TEXT_BYTES_MAX + 512];
  char time[RFC3339_BYTES];
  char id[sizeof resource + RFC3339_BYTES + 1];
  snprintf(resource, sizeof resource, "%s#%u", entry->function, entry->index);
  rfc3339_format(tick_ms, time);
  snprintf(id, sizeof id, "%s@%s", resource, time);
  struct event event = {.received_ms = tick_ms,
                        .shape = EVENT_DATA,
                        .ce_id = bytes_str(id),
                        .ce_source = BYTES("schedule"),
                        .ce_type = BYTES(EVENT_TYPE_SCHEDULE),
                        .ce_subject = bytes_str(resource),
                        .principal = BYTES("schedule")};
  buf_init(&data, SCHEDULE_EVENT_BYTES_MAX);
  buf_init(&envelope, 2 * SCHEDULE_EVENT_BYTES_MAX);
  write_data(entry, tick_ms, resource, &data);
  event_write_envelope(&envelope, &event, buf_bytes(&data));
  event.envelope = buf_bytes(&envelope);
  event.data = bytes_sub(event.envelope, envelope.len - 1 - data.len, data.len);
  struct flow_incoming incoming = {.event = event};
  struct flow_admission admission = {
      .incoming = &incoming, .count = 1, .unique = true, .function = bytes_str(entry->function)};
  struct tick *tick = entry->tick = must_alloc(sizeof *tick);
  tick->entry = entry;
  tick->reply.answer = on_admitted;
  flow_admit(entry->schedule->options.flow, &admission, &tick->reply);
  buf_fini(&data);
  buf_fini(&envelope);
}

/* The oldest owed tick goes; when there is none, the entry rests until the next. */
static void go_on(struct entry *entry) {
  if (entry->tick) return;
  if (entry->tick_at == entry->tick_count) {
    free(entry->ticks);
    entry->ticks = NULL;
    entry->tick_count = entry->tick_at = 0;
    advance(entry, SCHEDULE_LATE_MS_MAX);
  }
  if (entry->tick_at < entry->tick_count) fire(entry);
}

static void arm(struct schedule *schedule);

static void again(struct loop_timer *timer) {
  struct entry *entry = (struct entry *)(void *)((char *)timer - offsetof(struct entry, again));
  go_on(entry);
  arm(entry->schedule);
}

/* Not from within flow_admit: the next step waits for the loop. */
static void on_admitted(struct flow_reply *reply, const struct flow_answer *answer) {
  struct tick *tick = (struct tick *)(void *)reply;
  struct entry *entry = tick->entry;
  bool later = err_facts(answer->err.code)->retry == ERR_RETRY_LATER;
  free(tick);
  if (!entry) return;
  entry->tick = NULL;
  if (!later) entry->tick_at++;
  if (answer->err.code == ERR_OK && entry->tick_at == entry->tick_count) save(entry);
  loop_timer_after(entry->schedule->options.loop, &entry->again, later ? SCHEDULE_RETRY_MS : 0);
}

/* ---- The timer ---- */

static void due(struct loop_timer *timer) {
  struct schedule *schedule =
      (struct schedule *)(void *)((char *)timer - offsetof(struct schedule, timer));
  int64_t now = now_ms(schedule);
  size_t at = 0;
  struct bytes key;
  void *value;
  if (now < schedule->seen_ms)
    while (map_next(&schedule->entries, &at, &key, &value))
      if (((struct entry *)value)->zone) go_on(value);
  schedule->seen_ms = now;
  struct heap_node *first;
  while ((first = heap_first(&schedule->heap)) && first->key <= now) {
    heap_drop(&schedule->heap, first);
    go_on((struct entry *)(void *)first);
  }
  arm(schedule);
}

static void arm(struct schedule *schedule) {
  struct heap_node *first = heap_first(&schedule->heap);
  int64_t wait_ms = first ? first->key - now_ms(schedule) : SCHEDULE_CHECK_MS;
  if (wait_ms > SCHEDULE_CHECK_MS) wait_ms = SCHEDULE_CHECK_MS;
  schedule->timer.fire = due;
  loop_timer_after(schedule->options.loop, &schedule->timer, wait_ms > 0 ? wait_ms : 0);
}

/* ---- Entries ---- */

static void entry_free(struct entry *entry) {
  heap_drop(&entry->schedule->heap, &entry->node);
  loop_timer_drop(entry->schedule->options.loop, &entry->again);
  if (entry->tick) entry->tick->entry = NULL;
  zone_free(&entry->zone);
  free(entry->ticks);
  free(entry->key);
  free(entry->function);
  free(entry->expression);
  free(entry);
}

static bool entry_clock(struct entry *entry, const struct manifest_trigger *trigger,
                        struct err *err) {
  struct disk *tzdata = entry->schedule->options.tzdata;
  TRY(cron_parse(trigger->cron, &entry->cron, err));
  struct bytes zone = trigger->zone.len && tzdata ? trigger->zone : BYTES("UTC");
  if (!tzdata && trigger->zone.len && !bytes_eq_str(trigger->zone, "UTC"))
    FAIL(ERR_NOT_FOUND, "there is no tzdata on this machine");
  return zone_load(tzdata, zone, &entry->zone, err);
}

static struct entry *entry_new(struct schedule *schedule, struct bytes key,
                               const struct function *function,
                               const struct manifest_trigger *trigger) {
  struct entry *entry = must_alloc(sizeof *entry);
  char expression[CRON_TEXT_BYTES_MAX + ZONE_NAME_BYTES_MAX + 8];
  struct err err;
  snprintf(expression, sizeof expression, "%.*s %.*s", BYTES_FMT(trigger->cron),
           BYTES_FMT(trigger->zone));
  entry->schedule = schedule;
  entry->key = bytes_dup(key);
  entry->key_bytes = key.len;
  entry->function = bytes_dup(bytes_str(function->name));
  entry->index = trigger->index;
  entry->expression = bytes_dup(bytes_str(expression));
  entry->again.fire = again;
  entry->last_ms = now_ms(schedule);
  map_put(&schedule->entries, key, entry);
  if (!entry_clock(entry, trigger, &err))
    LOG(SCHEDULE_RESTS, NULL, log_word("function", function->name), log_err(&err));
  return entry;
}

static bool same_expression(const struct entry *entry, const struct manifest_trigger *trigger) {
  struct bytes rest, text = bytes_str(entry->expression);
  if (!bytes_starts(text, trigger->cron)) return false;
  rest = bytes_from(text, trigger->cron.len);
  return rest.len && rest.at[0] == ' ' && bytes_eq(bytes_from(rest, 1), trigger->zone);
}

static void want(struct schedule *schedule, const struct function *function,
                 const struct manifest_trigger *trigger, bool opening) {
  char text[1024];
  int len = snprintf(text, sizeof text, "%.1000s%c%u", function->name, 0, trigger->index);
  struct bytes key = bytes_of(text, (size_t)len);
  struct entry *entry = map_get(&schedule->entries, key);
  if (entry && !same_expression(entry, trigger)) {
    map_drop(&schedule->entries, key);
    entry_free(entry);
    entry = NULL;
  }
  bool fresh = !entry;
  if (fresh) entry = entry_new(schedule, key, function, trigger);
  entry->wanted = true;
  entry->missed = trigger->missed;
  if (!fresh || !entry->zone) return;
  if (!opening) save(entry);
  if (!opening) go_on(entry);
}

static void drop_unwanted(struct schedule *schedule) {
  struct entry *gone = NULL;
  struct bytes key;
  void *value;
  for (size_t at = 0; map_next(&schedule->entries, &at, &key, &value);) {
    struct entry *entry = value;
    if (entry->wanted) continue;
    entry->next_gone = gone;
    gone = entry;
  }
  while (gone) {
    struct entry *entry = gone;
    gone = entry->next_gone;
    forget(schedule, key_of(entry));
    map_drop(&schedule->entries, key_of(entry));
    entry_free(entry);
  }
}

static void gather(struct schedule *schedule, bool opening) {
  struct catalog *catalog = flow_catalog(schedule->options.flow);
  struct function *function;
  struct bytes key;
  void *value;
  for (size_t at = 0; map_next(&schedule->entries, &at, &key, &value);)
    ((struct entry *)value)->wanted = false;
  for (size_t at = 0; catalog_next(catalog, &at, &function);) {
    if (function->removed || !function->live) continue;
    const struct manifest_trigger *trigger = function->live->spec->triggers;
    for (; trigger; trigger = trigger->next)
      if (trigger->kind == TRIGGER_SCHEDULE) want(schedule, function, trigger, opening);
  }
  drop_unwanted(schedule);
}

void schedule_catalog_changed(struct schedule *schedule) {
  gather(schedule, false);
  arm(schedule);
}

/* The last tick from before; a row of another expression or of no trigger counts for nothing. */
static bool load_row(void *arg, const struct store_row *row) {
  struct schedule *schedule = arg;
  struct cursor in = cursor_of(row->value);
  struct err err;
  int64_t last_ms = fields_get_i64(&in);
  struct bytes expression = fields_get_bytes(&in);
  struct entry *entry = map_get(&schedule->entries, row->key);
  if (!fields_end(&in, "schedule", &err)) return true;
  if (entry && bytes_eq_str(expression, entry->expression)) entry->last_ms = last_ms;
  return true;
}

bool schedule_open(const struct schedule_options *options, struct schedule **ret_schedule,
                   struct err *err) {
  struct schedule *schedule = must_alloc(sizeof *schedule);
  struct store_range all = {.table = TABLE_schedule};
  struct bytes key;
  void *value;
  schedule->options = *options;
  schedule->seen_ms = now_ms(schedule);
  map_init(&schedule->entries, (uint64_t)clock_mono_ns(options->clock));
  gather(schedule, true);
  if (!store_scan(store_reader(options->store), &all, load_row, schedule, err)) {
    schedule_close(&schedule);
    return false;
  }
  for (size_t at = 0; map_next(&schedule->entries, &at, &key, &value);) {
    struct entry *entry = value;
    if (!entry->zone) continue;
    advance(entry, 0); /* what fell into the downtime was missed, however short it was */
    if (entry->tick_count == 0) save(entry);
    go_on(entry);
  }
  arm(schedule);
  *ret_schedule = schedule;
  return true;
}

void schedule_close(struct schedule **schedule) {
  struct schedule *s = *schedule;
  struct bytes key;
  void *value;
  *schedule = NULL;
  if (!s) return;
  loop_timer_drop(s->options.loop, &s->timer);
  for (size_t at = 0; map_next(&s->entries, &at, &key, &value);) entry_free(value);
  map_fini(&s->entries);
  heap_fini(&s->heap);
  free(s);
}

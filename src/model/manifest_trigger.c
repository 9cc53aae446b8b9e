/* model/manifest_trigger.c: what stands under `on`: one source each, said in one or two lines. */
#include "model/event.h"
#include "model/manifest_check.h"
#include "wire/uri.h"

#include <string.h>

struct reading {
  struct manifest_function *function;
  struct manifest_trigger *trigger;
};

static struct json text_node(const char *name, struct bytes text, const struct json *place) {
  return (struct json){
      .kind = JSON_STRING, .name = bytes_str(name), .text = text, .offset = place->offset};
}

static void put_escaped(struct buf *buf, struct bytes text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.at[i] == '*' || text.at[i] == '?' || text.at[i] == '\\') buf_char(buf, '\\');
    buf_char(buf, text.at[i]);
  }
}

/* type and, when they are there, source and subject as patterns. */
static void fix_filter(struct check *check, const struct check_at *at, const struct json *value,
                       struct manifest_trigger *trigger, const char *type, struct bytes source,
                       struct bytes subject) {
  struct json nodes[3];
  size_t count = 0;
  nodes[count++] = text_node("type", bytes_str(type), value);
  if (source.len) nodes[count++] = text_node("source", source, value);
  if (subject.len) nodes[count++] = text_node("subject", subject, value);
  for (size_t i = 0; i + 1 < count; i++) nodes[i].next = &nodes[i + 1];
  struct json object = {.kind = JSON_OBJECT, .count = (uint32_t)count, .first = nodes};
  struct err err;
  if (!filter_parse(check->arena, &object, &trigger->filter, &err))
    check_err(check, at, value, &err);
}

static void read_event(struct check *check, const struct check_at *at, const struct json *value,
                       void *into) {
  struct manifest_trigger *trigger = ((struct reading *)into)->trigger;
  struct err err;
  trigger->kind = TRIGGER_EVENT;
  if (value->kind == JSON_STRING)
    check_problem(check, at, value->offset, "write it as event: {type: %.*s}",
                  BYTES_FMT(bytes_sub(value->text, 0, 80)));
  else if (!filter_parse(check->arena, value, &trigger->filter, &err))
    check_err(check, at, value, &err);
}

static void read_method(struct check *check, const struct check_at *at, const struct json *value,
                        void *into) {
  static const char *const methods[] = {"GET",   "POST", "PUT",     "DELETE",
                                        "PATCH", "HEAD", "OPTIONS", "ANY"};
  unsigned method;
  if (check_word(check, at, value, methods, sizeof methods / sizeof *methods, &method))
    ((struct manifest_trigger *)into)->method = bytes_str(methods[method]);
}

static void read_path(struct check *check, const struct check_at *at, const struct json *value,
                      void *into) {
  struct bytes path;
  struct route *route = ARENA_NEW(check->arena, struct route);
  struct err err;
  if (!route || !check_text(check, at, value, &path)) return;
  if (!bytes_starts(path, BYTES("/fn/")) || path.len == 4)
    check_problem(check, at, value->offset, "a function's path begins with /fn/");
  else if (!route_parse(check->arena, path, route, &err))
    check_problem(check, at, value->offset, "%s", err.detail);
  else
    ((struct manifest_trigger *)into)->path = path;
}

static void read_http(struct check *check, const struct check_at *at, const struct json *value,
                      void *into) {
  static const struct check_key keys[] = {{"method", read_method, false},
                                          {"path", read_path, true}};
  struct manifest_trigger *trigger = ((struct reading *)into)->trigger;
  trigger->kind = TRIGGER_HTTP;
  trigger->method = BYTES("ANY");
  if (value->kind == JSON_STRING)
    read_path(check, at, value, trigger);
  else
    CHECK_MAP(check, at, value, keys, trigger);
}

static void read_cron(struct check *check, const struct check_at *at, const struct json *value,
                      void *into) {
  struct cron cron;
  struct bytes text;
  struct err err;
  if (!check_text(check, at, value, &text)) return;
  if (!cron_parse(text, &cron, &err))
    check_problem(check, at, value->offset, "%s", err.detail);
  else
    ((struct manifest_trigger *)into)->cron = text;
}

static void read_zone(struct check *check, const struct check_at *at, const struct json *value,
                      void *into) {
  struct bytes zone;
  if (!check_text(check, at, value, &zone)) return;
  for (size_t i = 0; i < zone.len; i++) {
    uint8_t c = zone.at[i] | 32;
    if ((c >= 'a' && c <= 'z') || (zone.at[i] >= '0' && zone.at[i] <= '9') ||
        strchr("/_+-", zone.at[i]))
      continue;
    check_problem(check, at, value->offset, "a time zone is called like Europe/Zurich");
    return;
  }
  ((struct manifest_trigger *)into)->zone = zone;
}

static void read_missed(struct check *check, const struct check_at *at, const struct json *value,
                        void *into) {
  static const char *const words[] = {
      [MISSED_SKIP] = "skip", [MISSED_ONCE] = "once", [MISSED_ALL] = "all"};
  unsigned missed;
  if (check_word(check, at, value, words, 3, &missed))
    ((struct manifest_trigger *)into)->missed = (enum manifest_missed)missed;
}

static void read_schedule(struct check *check, const struct check_at *at, const struct json *value,
                          void *into) {
  static const struct check_key keys[] = {
      {"cron", read_cron, true}, {"zone", read_zone, false}, {"missed", read_missed, false}};
  struct manifest_trigger *trigger = ((struct reading *)into)->trigger;
  trigger->kind = TRIGGER_SCHEDULE;
  trigger->zone = BYTES("UTC");
  if (value->kind == JSON_STRING)
    read_cron(check, at, value, trigger);
  else
    CHECK_MAP(check, at, value, keys, trigger);
}

#define NUMBER_BATCH(key, field, unit, first, min, max, what) \
  static void read_batch_##key(struct check *check, const struct check_at *at, \
                               const struct json *value, void *into) { \
    int64_t number; \
    if (check_number(check, at, value, unit, min, max, &number)) \
      ((struct manifest_function *)into)->field = number; \
  }
#include "model/manifest.tbl.h"

static void read_batch(struct check *check, const struct check_at *at, const struct json *value,
                       void *into) {
  static const struct check_key keys[] = {
#define NUMBER_BATCH(key, ...) {#key, read_batch_##key, false},
#include "model/manifest.tbl.h"
  };
  struct manifest_function *function = ((struct reading *)into)->function;
  if (function->batch_size > 1)
    check_problem(check, at, value->offset, "one trigger of a function may say how it batches");
  CHECK_MAP(check, at, value, keys, function);
}

static void read_queue_name(struct check *check, const struct check_at *at,
                            const struct json *value, void *into) {
  struct manifest_trigger *trigger = ((struct reading *)into)->trigger;
  if (check_name(check, at, value, &trigger->queue))
    fix_filter(check, at, value, trigger, EVENT_TYPE_QUEUE, trigger->queue, BYTES_NONE);
}

static void read_queue(struct check *check, const struct check_at *at, const struct json *value,
                       void *into) {
  static const struct check_key keys[] = {{"name", read_queue_name, true},
                                          {"batch", read_batch, false}};
  ((struct reading *)into)->trigger->kind = TRIGGER_QUEUE;
  if (value->kind == JSON_OBJECT)
    CHECK_MAP(check, at, value, keys, into);
  else
    read_queue_name(check, at, value, into);
}

static void read_bucket(struct check *check, const struct check_at *at, const struct json *value,
                        void *into) {
  check_name(check, at, value, &((struct manifest_trigger *)into)->bucket);
}

static void read_prefix(struct check *check, const struct check_at *at, const struct json *value,
                        void *into) {
  check_text(check, at, value, &((struct manifest_trigger *)into)->prefix);
}

static void read_suffix(struct check *check, const struct check_at *at, const struct json *value,
                        void *into) {
  check_text(check, at, value, &((struct manifest_trigger *)into)->suffix);
}

static void read_object(struct check *check, const struct check_at *at, const struct json *value,
                        void *into) {
  static const struct check_key keys[] = {{"bucket", read_bucket, true},
                                          {"prefix", read_prefix, false},
                                          {"suffix", read_suffix, false}};
  struct manifest_trigger *trigger = ((struct reading *)into)->trigger;
  trigger->kind = TRIGGER_OBJECT;
  if (value->kind == JSON_STRING)
    read_bucket(check, at, value, trigger);
  else
    CHECK_MAP(check, at, value, keys, trigger);
  if (!trigger->bucket.len) return;
  struct buf subject;
  buf_init(&subject, 1 << 16);
  put_escaped(&subject, trigger->prefix);
  buf_char(&subject, '*');
  put_escaped(&subject, trigger->suffix);
  bool any = !trigger->prefix.len && !trigger->suffix.len;
  fix_filter(check, at, value, trigger, EVENT_TYPE_OBJECT, trigger->bucket,
             any ? BYTES_NONE : buf_bytes(&subject));
  buf_fini(&subject);
}

static void read_device(struct check *check, const struct check_at *at, const struct json *value,
                        void *into) {
  struct manifest_trigger *trigger = ((struct reading *)into)->trigger;
  struct bytes source;
  if (check_text(check, at, value, &source))
    fix_filter(check, at, value, trigger, EVENT_TYPE_TELEMETRY, source, BYTES_NONE);
}

static void read_telemetry(struct check *check, const struct check_at *at, const struct json *value,
                           void *into) {
  static const struct check_key keys[] = {{"source", read_device, false},
                                          {"batch", read_batch, false}};
  struct manifest_trigger *trigger = ((struct reading *)into)->trigger;
  trigger->kind = TRIGGER_TELEMETRY;
  CHECK_MAP(check, at, value, keys, into);
  if (!trigger->filter)
    fix_filter(check, at, value, trigger, EVENT_TYPE_TELEMETRY, BYTES_NONE, BYTES_NONE);
}

/* Well formed so far; manifest_is_supported has the last word. */
static void read_fhir(struct check *check, const struct check_at *at, const struct json *value,
                      void *into) {
  ((struct reading *)into)->trigger->kind = TRIGGER_FHIR;
}

static void read_hl7(struct check *check, const struct check_at *at, const struct json *value,
                     void *into) {
  ((struct reading *)into)->trigger->kind = TRIGGER_HL7;
}

static void read_dicom(struct check *check, const struct check_at *at, const struct json *value,
                       void *into) {
  ((struct reading *)into)->trigger->kind = TRIGGER_DICOM;
}

static const struct check_key trigger_keys[] = {
    {"event", read_event, false},       {"http", read_http, false},
    {"schedule", read_schedule, false}, {"queue", read_queue, false},
    {"object", read_object, false},     {"telemetry", read_telemetry, false},
    {"fhir", read_fhir, false},         {"hl7", read_hl7, false},
    {"dicom", read_dicom, false},
};

static void read_trigger(struct check *check, const struct check_at *at, const struct json *value,
                         void *into) {
  struct manifest_function *function = into;
  struct manifest_trigger *trigger = ARENA_NEW(check->arena, struct manifest_trigger);
  if (!trigger) return;
  trigger->index = at->index;
  const struct manifest_trigger **end = &function->triggers;
  while (*end) end = (const struct manifest_trigger **)&(*end)->next;
  *end = trigger;
  if (value->kind == JSON_OBJECT && value->count != 1) {
    check_problem(check, at, value->offset,
                  "one source per entry: begin each with \"- \", as in - queue: orders");
    return;
  }
  struct reading reading = {function, trigger};
  CHECK_MAP(check, at, value, trigger_keys, &reading);
}

void manifest_read_triggers(struct check *check, const struct check_at *at,
                            const struct json *value, void *function) {
  check_list(check, at, value, MANIFEST_TRIGGERS_MAX, read_trigger, function);
}

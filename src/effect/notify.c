/* effect/notify.c: a message to a contact of the app: committed with the run, sent by the outbox.
 *
 * With a key, a second message under the same key to the same contact within the window is not
 * sent: the row in TABLE_notice is read and written by the run, so that two runs at once conflict
 * and only one of them sends. */
#include "effect/call.h"
#include "effect/mail.h"
#include "effect/notice.h"
#include "effect/outbox_message.h"
#include "model/manifest.h"

#include <stdio.h>
#include <string.h>

enum {
  NOTIFY_TEXT_BYTES_MAX = 64 << 10,
  NOTIFY_DATA_BYTES_MAX = 256 << 10,
  NOTIFY_KEY_BYTES_MAX = 512,
  NOTIFY_ROW_BYTES_MAX = 512 << 10,
};

struct notify {
  const struct manifest_contact *contact;
  struct bytes key; /* row of TABLE_notice; empty: none */
  int64_t window_ms;
  struct buf seen;
  uint64_t version;
  bool ok;
  struct err err;
};

/* {subject, text, data}, as far as they are there. */
static bool write_payload(struct effect_call *call, struct buf *buf) {
  static const char *const members[] = {"subject", "text", "data"};
  struct json_out out;
  json_out_init(&out, buf);
  json_out_open(&out, '{');
  for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
    const struct json *value = json_get(call->payload, members[i]);
    if (!value || value->kind == JSON_NULL) continue;
    json_out_name(&out, members[i]);
    json_out_value(&out, value);
  }
  json_out_close(&out, '}');
  return buf_ok(buf);
}

static struct bytes json_copy(struct arena *arena, const struct json *value) {
  struct buf text;
  struct json_out out;
  buf_init(&text, NOTIFY_ROW_BYTES_MAX);
  json_out_init(&out, &text);
  json_out_value(&out, value);
  struct bytes copy = arena_copy(arena, buf_bytes(&text));
  buf_fini(&text);
  return copy;
}

/* Built once at the call for its errors: what can never be sent throws there. */
static bool can_be_sent(struct effect_call *call, const struct outbox_row *row) {
  struct egress_request request;
  struct err err;
  if (outbox_message(&call->arena, row, BYTES_NONE, row->created_ms, &request, &err)) return true;
  effect_fail(call, err.code, "notify \"%.*s\": %s", BYTES_FMT(row->contact), err.detail);
  return false;
}

static void answer(struct effect_call *call, struct id id, bool duplicate) {
  char text[ID_TEXT_BYTES];
  char json[ID_TEXT_BYTES + 40];
  id_text(id, text);
  snprintf(json, sizeof json, "{\"id\":\"%s\",\"duplicate\":%s}", text,
           duplicate ? "true" : "false");
  effect_answer(call, bytes_str(json));
}

/* What a person reads comes one after the other. The receiver of a webhook has ids and times: only
 * what was ordered stays in order there, by the function's key, or within the run. */
static uint64_t lane_of(const struct gate_run *run, const struct manifest_contact *contact) {
  if (!json_get(contact->spec, "webhook")) return 0;
  uint64_t lane = run->order_key.len ? bytes_hash(run->order_key, bytes_hash(run->function, 0))
                                     : bytes_hash(id_bytes(&run->tenant_delivery), 0);
  return lane ? lane : 1;
}

static void stage_message(struct effect_call *call) {
  struct notify *notify = call->own;
  struct gate_run *run = call->run;
  struct buf payload, value;
  uint8_t key[OUTBOX_KEY_BYTES];
  int64_t now_ms = clock_wall_ms(call->gate->clock);
  buf_init(&payload, NOTIFY_ROW_BYTES_MAX);
  buf_init(&value, 2 * NOTIFY_ROW_BYTES_MAX);
  bool fits = write_payload(call, &payload);
  struct outbox_row row = {.app = run->app,
                           .function = run->function,
                           .contact = notify->contact->name,
                           .spec = json_copy(&call->arena, notify->contact->spec),
                           .payload = arena_copy(&call->arena, buf_bytes(&payload)),
                           .key = effect_idempotency(call),
                           .run = run->run,
                           .event = run->event,
                           .delivery = run->delivery,
                           .lane = lane_of(run, notify->contact),
                           .created_ms = now_ms};
  outbox_key(run->tenant_delivery, call->ordinal, key);
  outbox_row_encode(&value, &row);
  if (!fits || !buf_ok(&value)) {
    effect_fail(call, ERR_LIMIT, "notify: a message has at most 256 KiB");
  } else if (can_be_sent(call, &row)) {
    stage_put(&run->stage, TABLE_outbox, bytes_of(key, sizeof key), buf_bytes(&value));
    run->stage.outbox_count++;
    if (notify->key.len) notice_stage(&run->stage, notify->key, now_ms + notify->window_ms);
    effect_audit(call, row.contact, "ok", "queued", BYTES_NONE);
    answer(call, row.key, false);
  }
  buf_fini(&payload);
  buf_fini(&value);
}

static void seen_query(void *arg, struct store_reader *reader) {
  struct notify *notify = ((struct effect_call *)arg)->own;
  notify->ok =
      store_get(reader, TABLE_notice, notify->key, &notify->seen, &notify->version, &notify->err);
}

static void seen_done(void *arg) {
  struct effect_call *call = arg;
  struct notify *notify = call->own;
  int64_t until_ms = 0;
  bool seen = notify->ok && notify->version && notice_decode(buf_bytes(&notify->seen), &until_ms) &&
              until_ms > clock_wall_ms(call->gate->clock);
  buf_fini(&notify->seen);
  if (!call->run) {
    effect_answer(call, BYTES_NONE);
  } else if (!notify->ok) {
    effect_fail_err(call, &notify->err);
  } else {
    stage_read(&call->run->stage, TABLE_notice, notify->key, notify->version);
    /* Another call of this run may have come first while the store was asked. */
    if (seen || notice_staged(&call->run->stage, notify->key)) {
      effect_audit(call, notify->contact->name, "ok", "duplicate", BYTES_NONE);
      answer(call, effect_idempotency(call), true);
    } else {
      stage_message(call);
    }
  }
}

static bool read_limits(struct effect_call *call, struct notify *notify) {
  const struct json *data = json_get(call->payload, "data");
  const struct json *window = json_get(call->payload, "window");
  const struct json *subject = json_get(call->payload, "subject");
  notify->window_ms = NOTICE_WINDOW_MS;
  if (subject && subject->kind != JSON_STRING && subject->kind != JSON_NULL) {
    effect_fail(call, ERR_INVALID, "notify: \"subject\" is a text");
    return false;
  }
  if (data && data->text.len > NOTIFY_DATA_BYTES_MAX) {
    effect_fail(call, ERR_LIMIT, "notify: \"data\" has at most 256 KiB");
    return false;
  }
  if (window && (!json_int(window, &notify->window_ms) || notify->window_ms < 1 ||
                 notify->window_ms > NOTICE_WINDOW_MS_MAX)) {
    effect_fail(call, ERR_INVALID, "notify: \"window\" is milliseconds, at most 7 days");
    return false;
  }
  return true;
}

/* app NUL contact NUL key */
static struct bytes notice_key(struct effect_call *call, struct bytes contact, struct bytes key) {
  uint8_t *at = arena_alloc(&call->arena, contact.len + 1 + key.len);
  if (!at) return BYTES_NONE;
  memcpy(at, contact.at, contact.len);
  memcpy(at + contact.len + 1, key.at, key.len);
  return effect_app_key(call, bytes_of(at, contact.len + 1 + key.len));
}

void effect_notify(struct effect_call *call) {
  struct bytes name, text;
  struct bytes key = json_get_text(call->payload, "key");
  if (!effect_text(call, "contact", GRANT_TEXT_BYTES, &name)) return;
  if (!effect_granted(call, "notify", "notify", name)) return;
  if (!effect_text(call, "text", NOTIFY_TEXT_BYTES_MAX, &text)) return;
  if (!effect_own(call, sizeof(struct notify))) return;
  struct notify *notify = call->own;
  notify->contact = call->run->manifest ? manifest_contact(call->run->manifest, name) : NULL;
  if (!notify->contact) {
    effect_fail(call, ERR_NOT_FOUND, "notify: the app has no contact \"%.*s\"", BYTES_FMT(name));
  } else if (!call->gate->egress) {
    effect_fail(call, ERR_UNAVAILABLE, "notify: this server sends nothing: it has no egress");
  } else if (key.len > NOTIFY_KEY_BYTES_MAX) {
    effect_fail(call, ERR_LIMIT, "notify: a \"key\" has at most 512 bytes");
  } else if (read_limits(call, notify)) {
    if (!key.len) {
      stage_message(call);
      return;
    }
    notify->key = notice_key(call, name, key);
    buf_init(&notify->seen, 64);
    effect_ask(call, seen_query, seen_done);
  }
}

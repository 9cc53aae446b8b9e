/* effect/object_write.c: object.put and object.delete: the body at once, the row with the run.
 *
 * A run that fails leaves a body without a row, and a put leaves the body it replaced: the sweep
 * takes both. Each write is an event of the bucket, so that triggers see it like S3's.        */
#include "effect/object_call.h"

#include <stdio.h>

enum { BODY_BYTES_MAX = 8 << 20 };

struct object_write {
  struct bytes bucket, key, content_type, metadata;
};

/* The event's id derives from the call: a retried run changes the object once. */
static bool stage_change(struct effect_call *call, const char *name,
                         const struct object_write *write, const struct object_facts *facts,
                         struct err *err) {
  struct object_store objects = object_store_of(call);
  struct event event;
  const struct object_change change = {.name = name,
                                       .bucket = write->bucket,
                                       .key = write->key,
                                       .facts = facts,
                                       .id = effect_idempotency(call)};
  TRY(object_event(&objects, call->run->stage.arena, &change, &event, err));
  event.principal = arena_copy(call->run->stage.arena, call->run->function);
  event.traceparent = call->run->traceparent;
  event.cause = call->run->run;
  event.depth = call->run->depth + 1;
  stage_event(&call->run->stage, &event, 0, BYTES_NONE);
  return true;
}

/* ---- put ---- */

static void answer_put(struct effect_call *call, const struct object_facts *facts) {
  char etag[OBJECT_ETAG_BYTES];
  char json[OBJECT_ETAG_BYTES + 48];
  object_etag(facts, etag);
  snprintf(json, sizeof json, "{\"etag\":\"%s\",\"size\":%llu}", etag,
           (unsigned long long)facts->bytes);
  effect_answer(call, bytes_str(json));
}

static void on_durable(void *arg, const struct object_facts *facts, const struct err *err) {
  struct effect_call *call = arg;
  struct object_write *write = call->own;
  struct object_facts all;
  struct err failed = *err;
  struct buf row;
  if (!call->run) {
    effect_answer(call, BYTES_NONE);
    return;
  }
  bool ok = facts != NULL;
  buf_init(&row, OBJECT_ROW_BYTES_MAX);
  if (ok) {
    all = *facts;
    all.content_type = write->content_type;
    all.metadata = write->metadata;
    object_encode(&row, &all);
    stage_put(&call->run->stage, TABLE_object,
              object_row_key(&call->arena, write->bucket, write->key), buf_bytes(&row));
    effect_audit(call, write->bucket, "ok", NULL, write->key);
    ok = stage_change(call, "ObjectCreated:Put", write, &all, &failed);
  }
  buf_fini(&row);
  if (ok)
    answer_put(call, &all);
  else
    effect_fail(call, failed.code, "object.put: %s", failed.detail);
}

static bool read_metadata(struct effect_call *call, struct object_write *write, struct err *err) {
  const struct json *given = json_get(call->payload, "metadata");
  write->content_type = json_get_text(call->payload, "contentType");
  if (write->content_type.len > OBJECT_TYPE_BYTES_MAX)
    FAIL(ERR_LIMIT, "a content type has at most 256 bytes");
  if (!given || given->kind == JSON_NULL) return true;
  if (given->kind != JSON_OBJECT) FAIL(ERR_INVALID, "\"metadata\" is an object of texts");
  if (given->text.len > OBJECT_META_BYTES_MAX)
    FAIL(ERR_LIMIT, "OBJECT_META_BYTES_MAX: metadata has at most 2 KiB");
  for (const struct json *item = given->first; item; item = item->next)
    if (item->kind != JSON_STRING) FAIL(ERR_INVALID, "\"metadata\" is an object of texts");
  write->metadata = given->text;
  return true;
}

static bool write_body(struct effect_call *call, struct object_put *put, struct err *err) {
  struct bytes body = json_get_text(call->payload, "body");
  struct buf decoded;
  if (!bytes_eq_str(json_get_text(call->payload, "encoding"), "base64"))
    return object_put_write(put, body, err);
  buf_init(&decoded, BODY_BYTES_MAX);
  bool ok =
      base64_decode(&decoded, body, 0, err) && object_put_write(put, buf_bytes(&decoded), err);
  buf_fini(&decoded);
  return ok;
}

void effect_object_put(struct effect_call *call) {
  struct object_store objects = object_store_of(call);
  struct object_put *put = NULL;
  struct err err;
  if (!effect_own(call, sizeof(struct object_write))) return;
  struct object_write *write = call->own;
  if (!object_named(call, "put", &write->bucket, &write->key)) return;
  if (read_metadata(call, write, &err) && object_put_begin(&objects, &put, &err) &&
      write_body(call, put, &err)) {
    object_put_finish(&put, on_durable, call);
    return;
  }
  object_put_cancel(&put);
  effect_fail(call, err.code, "object.put: %s", err.detail);
}

/* ---- delete ---- */

void effect_object_delete(struct effect_call *call) {
  struct object_write write = {0};
  struct err err;
  if (!object_named(call, "delete", &write.bucket, &write.key)) return;
  struct bytes row_key = object_row_key(&call->arena, write.bucket, write.key);
  if (!arena_ok(&call->arena)) {
    effect_fail(call, ERR_LIMIT, "object.delete: the call needs too much memory");
    return;
  }
  stage_remove(&call->run->stage, TABLE_object, row_key);
  effect_audit(call, write.bucket, "ok", NULL, write.key);
  if (stage_change(call, "ObjectRemoved:Delete", &write, NULL, &err))
    effect_answer(call, BYTES("null"));
  else
    effect_fail_err(call, &err);
}

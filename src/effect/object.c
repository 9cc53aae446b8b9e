/* effect/object.c: reading objects: get, head and list. Writing is in object_write.c.
 *
 * By key, a run sees its own staged writes first; what it read must still hold at settle. A list
 * sees only what is committed.                                                               */
#include "effect/object_call.h"

#include "base/must.h"
#include "wire/utf8.h"

#include <string.h>

enum {
  BODY_BYTES_MAX = 8 << 20,   /* larger objects are for those who read them by S3 */
  ANSWER_BYTES_MAX = 12 << 20 /* the body in base64, and the rest */
};

struct object_read {
  struct object_store objects;
  struct bytes bucket, key;
  bool with_body;
  bool own; /* the row is the run's own, in `row` */
  struct buf row, body, answer;
  struct object_facts facts;
  uint64_t version;
  struct object_list list;
  uint32_t count;
  bool ok;
  struct err err;
};

struct object_store object_store_of(const struct effect_call *call) {
  return (struct object_store){call->gate->store, call->gate->disk, call->gate->clock,
                               call->gate->random};
}

bool object_named(struct effect_call *call, const char *action, struct bytes *ret_bucket,
                  struct bytes *ret_key) {
  struct bytes bucket = json_get_text(call->payload, "bucket");
  struct bytes key = json_get_text(call->payload, "key");
  struct err err;
  struct bytes resource =
      arena_printf(&call->arena, "%.*s/%.*s", BYTES_FMT(bucket), BYTES_FMT(key));
  if (!effect_granted(call, "object", action, resource)) return false;
  if (!object_name_check(bucket, key, &err)) {
    effect_fail(call, err.code, "%s: %s", call->name, err.detail);
  } else if (!call->gate->disk) {
    effect_fail(call, ERR_UNAVAILABLE, "%s: this server keeps no objects", call->name);
  } else {
    *ret_bucket = bucket;
    *ret_key = key;
    return true;
  }
  return false;
}

static struct object_read *read_new(struct effect_call *call) {
  if (!effect_own(call, sizeof(struct object_read))) return NULL;
  struct object_read *read = call->own;
  read->objects = object_store_of(call);
  buf_init(&read->row, OBJECT_ROW_BYTES_MAX);
  buf_init(&read->body, BODY_BYTES_MAX);
  buf_init(&read->answer, ANSWER_BYTES_MAX);
  return read;
}

static void read_end(struct object_read *read) {
  buf_fini(&read->row);
  buf_fini(&read->body);
  buf_fini(&read->answer);
}

/* ---- get, head ---- */

static bool read_body(struct object_read *read, struct err *err) {
  struct file *file;
  size_t len = 0;
  if (read->facts.bytes > BODY_BYTES_MAX)
    FAIL(ERR_LIMIT, "object.get reads objects of at most 8 MiB");
  TRY(object_open(&read->objects, read->facts.body, &file, err));
  uint8_t *at = buf_room(&read->body, (size_t)read->facts.bytes + 1);
  bool ok = at == NULL || file_read(file, 0, at, (size_t)read->facts.bytes, &len, err);
  if (ok) buf_grew(&read->body, len);
  file_close(&file);
  if (ok && len != read->facts.bytes)
    FAIL(ERR_CORRUPT, "the object's file is shorter than its row says");
  return ok;
}

static void get_query(void *arg, struct store_reader *reader) {
  struct object_read *read = ((struct effect_call *)arg)->own;
  struct bytes rest;
  if (read->own)
    read->ok = object_decode(buf_bytes(&read->row), &read->facts, &rest, &read->err);
  else
    read->ok = object_stat(reader, read->bucket, read->key, &read->row, &read->facts,
                           &read->version, &read->err);
  bool there = read->own || read->version;
  if (read->ok && there && read->with_body) read->ok = read_body(read, &read->err);
}

static void write_facts(struct json_out *out, struct bytes key, const struct object_facts *facts) {
  char text[OBJECT_ETAG_BYTES];
  json_out_member(out, "key", key);
  json_out_member_int(out, "size", (int64_t)facts->bytes);
  object_etag(facts, text);
  json_out_member_str(out, "etag", text);
  rfc3339_format(facts->modified_ms, text);
  json_out_member_str(out, "lastModified", text);
  if (facts->content_type.len) json_out_member(out, "contentType", facts->content_type);
  if (facts->metadata.len) json_out_member_raw(out, "metadata", facts->metadata);
}

static void write_body(struct json_out *out, struct bytes body, bool text) {
  json_out_name(out, "body");
  if (text) {
    json_out_string(out, body);
    return;
  }
  buf_char(out->buf, '"');
  base64_encode(out->buf, body, 0);
  buf_char(out->buf, '"');
  out->comma = true;
  json_out_member_str(out, "encoding", "base64");
}

static void write_object(struct object_read *read, bool text) {
  struct json_out out;
  buf_reset(&read->answer);
  json_out_init(&out, &read->answer);
  json_out_open(&out, '{');
  write_facts(&out, read->key, &read->facts);
  if (read->with_body) write_body(&out, buf_bytes(&read->body), text);
  json_out_close(&out, '}');
}

static void get_done(void *arg) {
  struct effect_call *call = arg;
  struct object_read *read = call->own;
  struct object_read kept = *read;
  if (call->run && !read->own && read->ok) {
    struct bytes key = object_row_key(&call->arena, read->bucket, read->key);
    stage_read(&call->run->stage, TABLE_object, key, read->version);
  }
  if (!read->ok) {
    effect_fail(call, read->err.code, "%s: %s", call->name, read->err.detail);
  } else if (!read->own && !read->version) {
    effect_answer(call, BYTES("null"));
  } else {
    write_object(read, utf8_valid(buf_bytes(&read->body)));
    if (!buf_ok(&read->answer)) write_object(read, false); /* its escapes made it too long */
    kept.answer = read->answer;
    effect_answer(call, buf_bytes(&kept.answer));
  }
  read_end(&kept);
}

/* The run's newest own write of the object; false: there is none. */
static bool own_write(struct effect_call *call, struct bytes row_key, const struct stage_op **ret) {
  bool found = false;
  for (const struct stage_op *op = call->run->stage.ops; op; op = op->next) {
    if (op->table != TABLE_object || !bytes_eq(op->key, row_key)) continue;
    *ret = op;
    found = true;
  }
  return found;
}

static void get(struct effect_call *call, bool with_body) {
  struct bytes bucket, key;
  const struct stage_op *own = NULL;
  if (!object_named(call, "get", &bucket, &key)) return;
  effect_audit(call, bucket, "ok", NULL, key);
  if (own_write(call, object_row_key(&call->arena, bucket, key), &own) &&
      own->kind == STAGE_REMOVE) {
    effect_answer(call, BYTES("null"));
    return;
  }
  struct object_read *read = read_new(call);
  if (!read) return;
  read->bucket = bucket;
  read->key = key;
  read->with_body = with_body;
  read->own = own != NULL;
  if (own) buf_put(&read->row, own->value);
  effect_ask(call, get_query, get_done);
}

void effect_object_get(struct effect_call *call) {
  get(call, true);
}

void effect_object_head(struct effect_call *call) {
  get(call, false);
}

/* ---- list ---- */

struct listing {
  struct json_out objects, prefixes;
};

static void on_listed(void *arg, const struct object_listed *listed) {
  struct listing *listing = arg;
  if (!listed->facts) {
    json_out_string(&listing->prefixes, listed->key);
    return;
  }
  json_out_open(&listing->objects, '{');
  write_facts(&listing->objects, listed->key, listed->facts);
  json_out_close(&listing->objects, '}');
}

/* {objects: [...], prefixes: [...], next}: next goes into `after`. */
static void list_query(void *arg, struct store_reader *reader) {
  struct object_read *read = ((struct effect_call *)arg)->own;
  struct listing listing;
  struct json_out out;
  struct buf next;
  buf_init(&next, 2 * OBJECT_KEY_BYTES_MAX);
  json_out_init(&listing.objects, &read->answer);
  json_out_init(&listing.prefixes, &read->body);
  buf_str(&read->answer, "{\"objects\":[");
  read->ok = object_list(reader, &read->list, on_listed, &listing, &next, &read->err);
  buf_str(&read->answer, "],\"prefixes\":[");
  buf_put(&read->answer, buf_bytes(&read->body));
  buf_char(&read->answer, ']');
  json_out_init(&out, &read->answer);
  out.comma = true;
  if (next.len) json_out_member(&out, "next", buf_bytes(&next));
  buf_char(&read->answer, '}');
  buf_fini(&next);
}

static void list_done(void *arg) {
  struct effect_call *call = arg;
  struct object_read kept = *(struct object_read *)call->own;
  if (!kept.ok)
    effect_fail(call, kept.err.code, "object.list: %s", kept.err.detail);
  else if (!buf_ok(&kept.answer) || !buf_ok(&kept.body))
    effect_fail(call, ERR_LIMIT, "object.list: the answer is too large; ask for fewer");
  else
    effect_answer(call, buf_bytes(&kept.answer));
  read_end(&kept);
}

void effect_object_list(struct effect_call *call) {
  struct bytes bucket = json_get_text(call->payload, "bucket");
  struct bytes prefix = json_get_text(call->payload, "prefix");
  const struct json *limit = json_get(call->payload, "limit");
  int64_t max = OBJECT_LIST_MAX;
  struct err err;
  struct bytes resource =
      arena_printf(&call->arena, "%.*s/%.*s", BYTES_FMT(bucket), BYTES_FMT(prefix));
  if (!effect_granted(call, "object", "list", resource)) return;
  if (!object_name_check(bucket, BYTES("any"), &err)) {
    effect_fail(call, err.code, "object.list: %s", err.detail);
    return;
  }
  if (limit && (!json_int(limit, &max) || max < 1 || max > OBJECT_LIST_MAX)) {
    effect_fail(call, ERR_INVALID, "object.list: \"limit\" is a whole number from 1 to 1000");
    return;
  }
  effect_audit(call, bucket, "ok", NULL, prefix);
  struct object_read *read = read_new(call);
  if (!read) return;
  read->list = (struct object_list){.bucket = bucket,
                                    .prefix = prefix,
                                    .delimiter = json_get_text(call->payload, "delimiter"),
                                    .after = json_get_text(call->payload, "after"),
                                    .max = (uint32_t)max};
  effect_ask(call, list_query, list_done);
}

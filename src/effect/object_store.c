/* effect/object_store.c: rows of objects: names, encoding, lists, and the event of a change. */
#include "effect/object_store.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "wire/codec.h"
#include "wire/fields.h"
#include "wire/json.h"
#include "wire/utf8.h"

#include <stdio.h>
#include <string.h>

enum {
  ROW_FORMAT = 1,
  BUCKET_BYTES_MIN = 3,
  ROW_KEY_BYTES_MAX = OBJECT_BUCKET_BYTES_MAX + 1 + OBJECT_KEY_BYTES_MAX,
  EVENT_BYTES_MAX = 16 << 10,
};

/* ---- Names ---- */

static bool bucket_char(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool object_name_check(struct bytes bucket, struct bytes key, struct err *err) {
  bool fits = bucket.len >= BUCKET_BYTES_MIN && bucket.len <= OBJECT_BUCKET_BYTES_MAX;
  for (size_t i = 0; fits && i < bucket.len; i++) fits = bucket_char(bucket.at[i]);
  if (!fits) FAIL(ERR_INVALID, "a bucket's name is 3 to 63 of a-z, 0-9, '-' and '.'");
  if (key.len == 0 || key.len > OBJECT_KEY_BYTES_MAX)
    FAIL(ERR_INVALID, "an object's key has 1 to 1024 bytes");
  if (!utf8_valid(key) || bytes_find(key, 0) < key.len)
    FAIL(ERR_INVALID, "an object's key is UTF-8 without NUL");
  return true;
}

struct bytes object_row_key(struct arena *arena, struct bytes bucket, struct bytes key) {
  uint8_t *at = arena_alloc(arena, bucket.len + 1 + key.len);
  if (!at) return BYTES_NONE;
  memcpy(at, bucket.at, bucket.len);
  if (key.len) memcpy(at + bucket.len + 1, key.at, key.len);
  return bytes_of(at, bucket.len + 1 + key.len);
}

static void put_row_key(struct buf *buf, struct bytes bucket, struct bytes key) {
  buf_put(buf, bucket);
  buf_char(buf, 0);
  buf_put(buf, key);
}

/* ---- Rows ---- */

void object_encode(struct buf *buf, const struct object_facts *facts) {
  buf_char(buf, ROW_FORMAT);
  fields_put_id(buf, facts->body);
  fields_put_u64(buf, facts->bytes);
  fields_put_i64(buf, facts->modified_ms);
  buf_put(buf, bytes_of(facts->sha256, SHA256_BYTES));
  buf_put(buf, bytes_of(facts->md5, MD5_BYTES));
  fields_put_u64(buf, facts->parts);
  fields_put_bytes(buf, facts->content_type);
  fields_put_bytes(buf, facts->metadata);
}

bool object_decode(struct bytes input, struct object_facts *ret_facts, struct bytes *ret_rest,
                   struct err *err) {
  struct cursor in = cursor_of(input);
  struct object_facts facts = {0};
  uint8_t format = cursor_u8(&in);
  facts.body = fields_get_id(&in);
  facts.bytes = fields_get_u64(&in);
  facts.modified_ms = fields_get_i64(&in);
  struct bytes sha = cursor_take(&in, SHA256_BYTES);
  struct bytes md5 = cursor_take(&in, MD5_BYTES);
  uint64_t parts = fields_get_u64(&in);
  facts.content_type = fields_get_bytes(&in);
  facts.metadata = fields_get_bytes(&in);
  if (!cursor_ok(&in) || format != ROW_FORMAT || parts > UINT32_MAX)
    FAIL(ERR_CORRUPT, "an object's row is damaged");
  memcpy(facts.sha256, sha.at, SHA256_BYTES);
  memcpy(facts.md5, md5.at, MD5_BYTES);
  facts.parts = (uint32_t)parts;
  *ret_facts = facts;
  *ret_rest = bytes_from(input, in.at);
  return true;
}

void object_etag(const struct object_facts *facts, char ret_text[OBJECT_ETAG_BYTES]) {
  struct buf text;
  buf_init(&text, OBJECT_ETAG_BYTES - 1);
  hex_encode(&text, bytes_of(facts->md5, MD5_BYTES));
  if (facts->parts) buf_printf(&text, "-%u", (unsigned)facts->parts);
  bytes_text(buf_bytes(&text), ret_text, OBJECT_ETAG_BYTES);
  buf_fini(&text);
}

void object_commit_put(struct store_commit *commit, struct bytes bucket, struct bytes key,
                       const struct object_facts *facts) {
  cleanup_buf struct buf row_key;
  cleanup_buf struct buf row;
  buf_init(&row_key, ROW_KEY_BYTES_MAX);
  buf_init(&row, OBJECT_ROW_BYTES_MAX);
  put_row_key(&row_key, bucket, key);
  object_encode(&row, facts);
  must(buf_ok(&row_key) && buf_ok(&row));
  commit_put(commit, TABLE_object, buf_bytes(&row_key), buf_bytes(&row));
}

void object_commit_remove(struct store_commit *commit, struct bytes bucket, struct bytes key) {
  cleanup_buf struct buf row_key;
  buf_init(&row_key, ROW_KEY_BYTES_MAX);
  put_row_key(&row_key, bucket, key);
  commit_remove(commit, TABLE_object, buf_bytes(&row_key));
}

bool object_stat(struct store_reader *reader, struct bytes bucket, struct bytes key,
                 struct buf *ret_row, struct object_facts *ret_facts, uint64_t *ret_version,
                 struct err *err) {
  cleanup_buf struct buf row_key;
  struct bytes rest;
  buf_init(&row_key, ROW_KEY_BYTES_MAX);
  put_row_key(&row_key, bucket, key);
  if (!buf_ok(&row_key)) FAIL(ERR_LIMIT, "an object's key has 1 to 1024 bytes");
  TRY(store_get(reader, TABLE_object, buf_bytes(&row_key), ret_row, ret_version, err));
  return *ret_version == 0 || object_decode(buf_bytes(ret_row), ret_facts, &rest, err);
}

/* ---- Lists ---- */

struct listing {
  const struct object_list *list;
  object_visit *visit;
  void *arg;
  struct buf last; /* key or rolled up prefix that was given last */
  struct buf from; /* where the scan goes on */
  uint32_t count;
  bool jump; /* the scan stopped to pass over a prefix */
  bool cut;  /* there is more than `max` */
  bool ok;
  struct err err;
};

/* The rolled up prefix of this key, or empty. */
static struct bytes rolled_up(const struct object_list *list, struct bytes key) {
  struct bytes behind = bytes_from(key, list->prefix.len);
  size_t at = list->delimiter.len ? bytes_find_bytes(behind, list->delimiter) : behind.len;
  if (at == behind.len) return BYTES_NONE;
  return bytes_sub(key, 0, list->prefix.len + at + list->delimiter.len);
}

/* The first row key behind all that begin with this prefix; keys are UTF-8, so no byte is 0xff. */
static void jump_over(struct listing *listing, struct bytes prefix) {
  buf_reset(&listing->from);
  put_row_key(&listing->from, listing->list->bucket, prefix);
  buf_char(&listing->from, 0xff);
  listing->jump = true;
}

static bool list_row(void *arg, const struct store_row *row) {
  struct listing *listing = arg;
  const struct object_list *list = listing->list;
  struct bytes key = bytes_from(row->key, list->bucket.len + 1), rest;
  struct object_facts facts;
  struct object_listed listed = {.key = rolled_up(list, key)};
  if (key.len == 0) return true; /* the bucket itself */
  if (listed.key.len == 0) {
    listed.key = key;
    listed.facts = &facts;
    listing->ok = object_decode(row->value, &facts, &rest, &listing->err);
    if (!listing->ok) return false;
  }
  if (!listed.facts && bytes_eq(list->after, listed.key)) { /* given on the page before */
    jump_over(listing, listed.key);
    return false;
  }
  if (listing->count == list->max) {
    listing->cut = true;
    return false;
  }
  listing->count++;
  listing->visit(listing->arg, &listed);
  buf_reset(&listing->last);
  buf_put(&listing->last, listed.key);
  if (!listed.facts) jump_over(listing, listed.key);
  return !listing->jump;
}

static void start_after(struct listing *listing) {
  const struct object_list *list = listing->list;
  if (!list->after.len) return;
  put_row_key(&listing->from, list->bucket, list->after);
  buf_char(&listing->from, 0); /* the first key that is greater */
}

bool object_list(struct store_reader *reader, const struct object_list *list, object_visit *visit,
                 void *arg, struct buf *ret_next, struct err *err) {
  struct listing listing = {.list = list, .visit = visit, .arg = arg, .ok = true};
  cleanup_buf struct buf prefix;
  must(list->max > 0 && list->max <= OBJECT_LIST_MAX);
  buf_init(&prefix, ROW_KEY_BYTES_MAX);
  buf_init(&listing.last, ROW_KEY_BYTES_MAX);
  buf_init(&listing.from, ROW_KEY_BYTES_MAX + 2);
  put_row_key(&prefix, list->bucket, list->prefix);
  start_after(&listing);
  bool ok = buf_ok(&prefix) && buf_ok(&listing.from);
  if (!ok) err_set(err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE, "a key has at most 1024 bytes");
  do {
    const struct store_range range = {
        .table = TABLE_object, .prefix = buf_bytes(&prefix), .from = buf_bytes(&listing.from)};
    listing.jump = false;
    ok = ok && store_scan(reader, &range, list_row, &listing, err);
  } while (ok && listing.ok &&
           listing.jump); /* each turn passes over one prefix, at most max + 1 */
  if (ok && !listing.ok && err) *err = listing.err;
  if (listing.cut) buf_put(ret_next, buf_bytes(&listing.last));
  buf_fini(&listing.last);
  buf_fini(&listing.from);
  return ok && listing.ok;
}

/* ---- Events ---- */

static void write_object(struct json_out *out, const struct object_change *change,
                         const struct id *id) {
  cleanup_buf struct buf key;
  char text[OBJECT_ETAG_BYTES];
  buf_init(&key, 3 * OBJECT_KEY_BYTES_MAX);
  percent_encode(&key, change->key, "/"); /* as S3 has it in events */
  json_out_name(out, "object");
  json_out_open(out, '{');
  json_out_member(out, "key", buf_bytes(&key));
  if (change->facts) {
    object_etag(change->facts, text);
    json_out_member_int(out, "size", (int64_t)change->facts->bytes);
    json_out_member_str(out, "eTag", text);
  }
  id_text(*id, text);
  json_out_member_str(out, "sequencer", text);
  json_out_close(out, '}');
}

static void write_record(struct json_out *out, const struct object_change *change,
                         const struct event *event) {
  char time[RFC3339_BYTES];
  rfc3339_format(event->received_ms, time);
  json_out_open(out, '{');
  json_out_name(out, "Records");
  json_out_open(out, '[');
  json_out_open(out, '{');
  json_out_member_str(out, "eventVersion", "2.1");
  json_out_member_str(out, "eventSource", "aws:s3");
  json_out_member_str(out, "awsRegion", "local");
  json_out_member_str(out, "eventTime", time);
  json_out_member_str(out, "eventName", change->name);
  json_out_name(out, "s3");
  json_out_open(out, '{');
  json_out_member_str(out, "s3SchemaVersion", "1.0");
  json_out_name(out, "bucket");
  json_out_open(out, '{');
  json_out_member(out, "name", change->bucket);
  json_out_name(out, "arn");
  buf_printf(out->buf, "\"arn:aws:s3:::%.*s\"", BYTES_FMT(change->bucket));
  out->comma = true;
  json_out_close(out, '}');
  write_object(out, change, &event->id);
  json_out_close(out, '}');
  json_out_close(out, '}');
  json_out_close(out, ']');
  json_out_close(out, '}');
}

bool object_event(const struct object_store *objects, struct arena *arena,
                  const struct object_change *change, struct event *ret_event, struct err *err) {
  cleanup_buf struct buf data;
  cleanup_buf struct buf envelope;
  struct json_out out;
  char id[ID_TEXT_BYTES];
  struct event event = {.id = change->id, .shape = EVENT_DATA, .ce_type = BYTES(EVENT_TYPE_OBJECT)};
  if (id_is_none(event.id)) event.id = random_id(objects->random, objects->clock);
  event.received_ms = clock_wall_ms(objects->clock);
  id_text(event.id, id);
  event.ce_id = arena_copy(arena, bytes_str(id));
  event.ce_source = arena_copy(arena, change->bucket);
  event.ce_subject = arena_copy(arena, change->key);
  buf_init(&data, EVENT_BYTES_MAX);
  buf_init(&envelope, 2 * EVENT_BYTES_MAX);
  json_out_init(&out, &data);
  write_record(&out, change, &event);
  event_write_envelope(&envelope, &event, buf_bytes(&data));
  event.envelope = arena_copy(arena, buf_bytes(&envelope));
  if (!buf_ok(&data) || !buf_ok(&envelope) || !arena_ok(arena))
    FAIL(ERR_LIMIT, "the event of an object's change is too large");
  /* data is the last member */
  event.data = bytes_sub(event.envelope, event.envelope.len - 1 - data.len, data.len);
  *ret_event = event;
  return true;
}

/* source/object/show.c: what there is beside objects: buckets, uploads under way, their parts.
 * Source: Amazon S3 API Reference, ListBuckets, ListMultipartUploads, ListParts.              */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/object/upload.h"
#include "wire/codec.h"
#include "wire/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MAX = 10000 };

/* Filled in by a reader thread. */
struct showing {
  struct objects *objects;
  struct api_call *call;
  struct bytes prefix;   /* of the uploads' keys */
  struct buf body, seen; /* seen: the bucket that was written last */
  size_t count;
  bool full, ok;
  struct err err;
};

static struct showing *showing_new(struct api_call *call) {
  struct showing *showing = must_alloc(sizeof *showing);
  showing->objects = call->source;
  showing->call = call;
  buf_init(&showing->body, S3_ANSWER_BYTES_MAX);
  buf_init(&showing->seen, OBJECT_BUCKET_BYTES_MAX);
  xml_write_start(&showing->body);
  return showing;
}

static void showing_end(struct showing *showing) {
  if (showing->ok)
    s3_xml(showing->call, &showing->body);
  else
    api_fail_err(showing->call, &showing->err, 1000);
  buf_fini(&showing->body);
  buf_fini(&showing->seen);
  free(showing);
}

static void write_time(struct buf *out, const char *name, int64_t ms) {
  char time[RFC3339_BYTES];
  rfc3339_format(ms, time);
  xml_write_element(out, name, bytes_str(time));
}

/* ---- Buckets: the first object of each tells of it, the next is found behind its last ---- */

static bool first_of_bucket(void *arg, const struct store_row *row) {
  struct showing *showing = arg;
  struct object_facts facts;
  struct bytes rest;
  struct bytes bucket = bytes_sub(row->key, 0, bytes_find(row->key, 0));
  buf_reset(&showing->seen);
  buf_put(&showing->seen, bucket);
  showing->count++;
  showing->ok = object_decode(row->value, &facts, &rest, &showing->err);
  xml_write_open(&showing->body, "Bucket", NULL);
  xml_write_element(&showing->body, "Name", bucket);
  write_time(&showing->body, "CreationDate", showing->ok ? facts.modified_ms : 0);
  xml_write_close(&showing->body, "Bucket");
  return false;
}

static void buckets_query(void *arg, struct store_reader *reader) {
  struct showing *showing = arg;
  uint8_t key[OBJECT_BUCKET_BYTES_MAX + 1];
  struct store_range range = {.table = TABLE_object};
  showing->ok = true;
  for (size_t before = SIZE_MAX; showing->ok && showing->count != before;) {
    before = showing->count;
    if (showing->count == BUCKETS_MAX) break;
    if (!store_scan(reader, &range, first_of_bucket, showing, &showing->err)) showing->ok = false;
    if (showing->seen.len) memcpy(key, showing->seen.at, showing->seen.len);
    key[showing->seen.len] = 1; /* behind every key of it, which has a 0 here */
    range.from = bytes_of(key, showing->seen.len + 1);
  }
}

static void buckets_done(void *arg) {
  struct showing *showing = arg;
  xml_write_close(&showing->body, "Buckets");
  xml_write_close(&showing->body, "ListAllMyBucketsResult");
  showing_end(showing);
}

void s3_list_buckets(struct api_call *call) {
  struct showing *showing = showing_new(call);
  xml_write_open(&showing->body, "ListAllMyBucketsResult", S3_NAMESPACE);
  xml_write_open(&showing->body, "Owner", NULL);
  xml_write_element(&showing->body, "ID", BYTES("medulla"));
  xml_write_close(&showing->body, "Owner");
  xml_write_open(&showing->body, "Buckets", NULL);
  store_ask(showing->objects->store.store, buckets_query, buckets_done, showing);
}

/* ---- Uploads under way of one bucket ---- */

static bool show_upload(void *arg, const struct store_row *row) {
  struct showing *showing = arg;
  struct object_facts facts;
  struct bytes rest;
  struct id id;
  char text[ID_TEXT_BYTES];
  if (row->key.len != UPLOAD_KEY_BYTES) return true;
  struct cursor number = cursor_of(bytes_from(row->key, ID_BYTES));
  if (cursor_u32_be(&number) != 0) return true;
  if (!object_decode(row->value, &facts, &rest, &showing->err)) return true;
  struct cursor in = cursor_of(rest);
  struct bytes bucket = fields_get_bytes(&in);
  struct bytes key = fields_get_bytes(&in);
  if (!bytes_eq(bucket, showing->call->captures[0]) || !bytes_starts(key, showing->prefix))
    return true;
  if (showing->count++ == OBJECT_LIST_MAX) {
    showing->full = true;
    return false;
  }
  memcpy(id.at, row->key.at, ID_BYTES);
  id_text(id, text);
  xml_write_open(&showing->body, "Upload", NULL);
  xml_write_element(&showing->body, "Key", key);
  xml_write_element(&showing->body, "UploadId", bytes_str(text));
  write_time(&showing->body, "Initiated", id_time_ms(id));
  xml_write_element(&showing->body, "StorageClass", BYTES("STANDARD"));
  xml_write_close(&showing->body, "Upload");
  return true;
}

static void uploads_query(void *arg, struct store_reader *reader) {
  struct showing *showing = arg;
  struct store_range range = {.table = TABLE_upload};
  showing->ok = store_scan(reader, &range, show_upload, showing, &showing->err);
}

static void uploads_done(void *arg) {
  struct showing *showing = arg;
  xml_write_element(&showing->body, "IsTruncated", showing->full ? BYTES("true") : BYTES("false"));
  xml_write_close(&showing->body, "ListMultipartUploadsResult");
  showing_end(showing);
}

void s3_list_uploads(struct api_call *call) {
  struct err err;
  if (!object_name_check(call->captures[0], BYTES("key"), &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  struct showing *showing = showing_new(call);
  showing->prefix = api_query(call, "prefix");
  xml_write_open(&showing->body, "ListMultipartUploadsResult", S3_NAMESPACE);
  xml_write_element(&showing->body, "Bucket", call->captures[0]);
  xml_write_element(&showing->body, "Prefix", showing->prefix);
  xml_write_number(&showing->body, "MaxUploads", OBJECT_LIST_MAX);
  store_ask(showing->objects->store.store, uploads_query, uploads_done, showing);
}

/* ---- Parts of one upload ---- */

static void show_part(struct buf *out, const struct upload_part *part) {
  struct object_facts facts = {0};
  char etag[OBJECT_ETAG_BYTES], quoted[OBJECT_ETAG_BYTES + 2];
  memcpy(facts.md5, part->md5, MD5_BYTES);
  object_etag(&facts, etag);
  snprintf(quoted, sizeof quoted, "\"%s\"", etag);
  xml_write_open(out, "Part", NULL);
  xml_write_number(out, "PartNumber", part->number);
  write_time(out, "LastModified", part->modified_ms);
  xml_write_element(out, "ETag", bytes_str(quoted));
  xml_write_number(out, "Size", part->bytes);
  xml_write_close(out, "Part");
}

static void write_parts(const struct upload *upload, struct buf *out, uint64_t after,
                        uint64_t max) {
  char id[ID_TEXT_BYTES];
  size_t count = 0, i = 0;
  id_text(upload->id, id);
  xml_write_start(out);
  xml_write_open(out, "ListPartsResult", S3_NAMESPACE);
  xml_write_element(out, "Bucket", upload->bucket);
  xml_write_element(out, "Key", upload->key);
  xml_write_element(out, "UploadId", bytes_str(id));
  xml_write_number(out, "PartNumberMarker", after);
  xml_write_number(out, "MaxParts", max);
  while (i < upload->count && upload->parts[i].number <= after) i++;
  for (; i < upload->count && count < max; i++, count++) show_part(out, &upload->parts[i]);
  if (i < upload->count && i > 0)
    xml_write_number(out, "NextPartNumberMarker", upload->parts[i - 1].number);
  xml_write_element(out, "IsTruncated", i < upload->count ? BYTES("true") : BYTES("false"));
  xml_write_close(out, "ListPartsResult");
}

static void parts_found(void *arg) {
  struct upload *upload = arg;
  struct api_call *call = upload->call;
  cleanup_buf struct buf body = {0};
  uint64_t after = 0, max = OBJECT_LIST_MAX;
  if (!upload->ok) {
    upload_fini(upload);
    upload_fail(call, &upload->err);
    return;
  }
  buf_init(&body, S3_ANSWER_BYTES_MAX);
  if (!bytes_u64(api_query(call, "part-number-marker"), &after)) after = 0;
  if (!bytes_u64(api_query(call, "max-parts"), &max) || max > OBJECT_LIST_MAX)
    max = OBJECT_LIST_MAX;
  write_parts(upload, &body, after, max);
  upload_fini(upload);
  s3_xml(call, &body);
}

static void parts_query(void *arg, struct store_reader *reader) {
  upload_query(arg, reader);
}

void s3_list_parts(struct api_call *call) {
  struct upload *upload = ARENA_NEW(api_arena(call), struct upload);
  struct id id;
  must(upload != NULL);
  if (!upload_id(call, &id)) return;
  upload_init(upload, call, id);
  store_ask(upload->objects->store.store, parts_query, parts_found, upload);
}

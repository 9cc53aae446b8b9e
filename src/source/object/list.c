/* source/object/list.c: ListObjectsV2.
 * Source: Amazon S3 API Reference, ListObjectsV2.                                             */
#include "base/must.h"
#include "source/object/parts.h"
#include "wire/codec.h"

#include <stdio.h>
#include <stdlib.h>

/* Filled in by a reader thread. */
struct listing {
  struct objects *objects;
  struct api_call *call;
  struct object_list list;
  bool encoded; /* encoding-type=url */
  struct bytes start_after, token;
  struct buf contents, prefixes, next;
  uint64_t count;
  bool ok;
  struct err err;
};

static void write_key(const struct listing *listing, struct buf *out, const char *name,
                      struct bytes key) {
  struct buf text;
  if (!listing->encoded) {
    xml_write_element(out, name, key);
    return;
  }
  buf_init(&text, 3 * OBJECT_KEY_BYTES_MAX + 1);
  percent_encode(&text, key, "/");
  xml_write_element(out, name, buf_bytes(&text));
  buf_fini(&text);
}

static void visit(void *arg, const struct object_listed *listed) {
  struct listing *listing = arg;
  listing->count++;
  if (!listed->facts) {
    xml_write_open(&listing->prefixes, "CommonPrefixes", NULL);
    write_key(listing, &listing->prefixes, "Prefix", listed->key);
    xml_write_close(&listing->prefixes, "CommonPrefixes");
    return;
  }
  struct buf *out = &listing->contents;
  char etag[OBJECT_ETAG_BYTES], quoted[OBJECT_ETAG_BYTES + 2], time[RFC3339_BYTES];
  object_etag(listed->facts, etag);
  snprintf(quoted, sizeof quoted, "\"%s\"", etag);
  rfc3339_format(listed->facts->modified_ms, time);
  xml_write_open(out, "Contents", NULL);
  write_key(listing, out, "Key", listed->key);
  xml_write_element(out, "LastModified", bytes_str(time));
  xml_write_element(out, "ETag", bytes_str(quoted));
  xml_write_number(out, "Size", listed->facts->bytes);
  xml_write_element(out, "StorageClass", BYTES("STANDARD"));
  xml_write_close(out, "Contents");
}

static void query(void *arg, struct store_reader *reader) {
  struct listing *listing = arg;
  listing->ok = listing->list.max == 0 ||
                object_list(reader, &listing->list, visit, listing, &listing->next, &listing->err);
}

static void write_answer(struct listing *listing, struct buf *body) {
  xml_write_start(body);
  xml_write_open(body, "ListBucketResult", S3_NAMESPACE);
  xml_write_element(body, "Name", listing->list.bucket);
  write_key(listing, body, "Prefix", listing->list.prefix);
  if (listing->list.delimiter.len) write_key(listing, body, "Delimiter", listing->list.delimiter);
  if (listing->start_after.len) write_key(listing, body, "StartAfter", listing->start_after);
  if (listing->token.len) xml_write_element(body, "ContinuationToken", listing->token);
  if (listing->encoded) xml_write_element(body, "EncodingType", BYTES("url"));
  xml_write_number(body, "MaxKeys", listing->list.max);
  xml_write_number(body, "KeyCount", listing->count);
  xml_write_element(body, "IsTruncated", listing->next.len ? BYTES("true") : BYTES("false"));
  if (listing->next.len) {
    struct buf token;
    buf_init(&token, 2 * OBJECT_KEY_BYTES_MAX);
    base64_encode(&token, buf_bytes(&listing->next), BASE64_URL | BASE64_NO_PAD);
    xml_write_element(body, "NextContinuationToken", buf_bytes(&token));
    buf_fini(&token);
  }
  buf_put(body, buf_bytes(&listing->contents));
  buf_put(body, buf_bytes(&listing->prefixes));
  xml_write_close(body, "ListBucketResult");
}

static void listed(void *arg) {
  struct listing *listing = arg;
  struct buf body;
  buf_init(&body, S3_ANSWER_BYTES_MAX);
  if (listing->ok) {
    write_answer(listing, &body);
    s3_xml(listing->call, &body);
  } else {
    api_fail_err(listing->call, &listing->err, 1000);
  }
  buf_fini(&body);
  buf_fini(&listing->contents);
  buf_fini(&listing->prefixes);
  buf_fini(&listing->next);
  free(listing);
}

static bool read_query(struct listing *listing, struct err *err) {
  struct api_call *call = listing->call;
  struct bytes max = api_query(call, "max-keys");
  struct bytes encoding = api_query(call, "encoding-type");
  struct buf after;
  uint64_t keys = OBJECT_LIST_MAX;
  listing->list.bucket = call->captures[0];
  listing->list.prefix = api_query(call, "prefix");
  listing->list.delimiter = api_query(call, "delimiter");
  listing->start_after = api_query(call, "start-after");
  listing->token = api_query(call, "continuation-token");
  listing->encoded = bytes_eq_str(encoding, "url");
  TRY(object_name_check(listing->list.bucket, BYTES("key"), err));
  if (encoding.len && !listing->encoded) FAIL(ERR_INVALID, "encoding-type is url");
  if (max.len && !bytes_u64(max, &keys)) FAIL(ERR_INVALID, "max-keys is a number");
  listing->list.max = keys < OBJECT_LIST_MAX ? (uint32_t)keys : OBJECT_LIST_MAX;
  if (listing->list.prefix.len > OBJECT_KEY_BYTES_MAX ||
      listing->list.delimiter.len > OBJECT_KEY_BYTES_MAX)
    FAIL(ERR_INVALID, "OBJECT_KEY_BYTES_MAX: no key is as long as that");
  listing->list.after = listing->start_after;
  if (!listing->token.len) return true;
  buf_init(&after, 2 * OBJECT_KEY_BYTES_MAX);
  bool ok = base64_decode(&after, listing->token, BASE64_URL | BASE64_NO_PAD, err);
  listing->list.after = arena_copy(api_arena(call), buf_bytes(&after));
  buf_fini(&after);
  if (!ok) FAIL(ERR_INVALID, "the continuation token is none of ours");
  return true;
}

void s3_list_objects(struct api_call *call) {
  if (s3_query_has(call, "uploads")) {
    s3_list_uploads(call);
    return;
  }
  struct listing *listing = must_alloc(sizeof *listing);
  struct err err;
  listing->objects = call->source;
  listing->call = call;
  buf_init(&listing->contents, S3_ANSWER_BYTES_MAX);
  buf_init(&listing->prefixes, S3_ANSWER_BYTES_MAX);
  buf_init(&listing->next, 2 * OBJECT_KEY_BYTES_MAX);
  if (read_query(listing, &err)) {
    store_ask(listing->objects->store.store, query, listed, listing);
    return;
  }
  api_fail_err(call, &err, 0);
  free(listing);
}

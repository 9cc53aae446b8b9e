/* source/object/copy.c: CopyObject: another object's body, read a slice a turn into a new file.
 * Source: Amazon S3 API Reference, CopyObject.                                                */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/object/parts.h"
#include "wire/codec.h"

#include <stdio.h>

struct copying {
  struct objects *objects;
  struct api_call *call;
  struct bytes bucket, key; /* of the source */
  struct buf row;           /* the source's, which its facts point into */
  struct object_facts source, facts;
  uint64_t version, offset;
  bool replace; /* content type and metadata are the request's */
  bool ok;
  struct err err;
  struct file *file;
  struct object_put *put;
  struct loop_timer turn;
  struct object_write write;
};

static void fini(struct copying *copying) {
  if (copying->file) file_close(&copying->file);
  if (copying->put) object_put_cancel(&copying->put);
  buf_fini(&copying->row);
}

static void fail(struct copying *copying, const struct err *err) {
  fini(copying);
  api_fail_err(copying->call, err, 1000);
}

static void written(struct object_write *write, const struct err *err) {
  struct copying *copying = LIST_OF(write, struct copying, write);
  cleanup_buf struct buf body = {0};
  char etag[OBJECT_ETAG_BYTES], quoted[OBJECT_ETAG_BYTES + 2], time[RFC3339_BYTES];
  if (err) {
    object_drop(&copying->objects->store, copying->facts.body);
    fail(copying, err);
    return;
  }
  object_etag(&copying->facts, etag);
  snprintf(quoted, sizeof quoted, "\"%s\"", etag);
  rfc3339_format(copying->facts.modified_ms, time);
  buf_init(&body, S3_ANSWER_BYTES_MAX);
  xml_write_start(&body);
  xml_write_open(&body, "CopyObjectResult", S3_NAMESPACE);
  xml_write_element(&body, "LastModified", bytes_str(time));
  xml_write_element(&body, "ETag", bytes_str(quoted));
  xml_write_close(&body, "CopyObjectResult");
  fini(copying);
  s3_xml(copying->call, &body);
}

static void durable(void *arg, const struct object_facts *facts, const struct err *err) {
  struct copying *copying = arg;
  if (!facts) {
    fail(copying, err);
    return;
  }
  const struct object_facts *kept = copying->replace ? &copying->facts : &copying->source;
  struct bytes type = kept->content_type, metadata = kept->metadata;
  copying->facts = *facts;
  copying->facts.content_type = type;
  copying->facts.metadata = metadata;
  object_write(&copying->write);
}

static bool copy_slice(struct copying *copying, bool *ret_more, struct err *err) {
  cleanup_free uint8_t *slice = must_alloc(OBJECT_COPY_BYTES);
  size_t len;
  TRY(file_read(copying->file, copying->offset, slice, OBJECT_COPY_BYTES, &len, err));
  TRY(object_put_write(copying->put, bytes_of(slice, len), err));
  bytes_wipe(slice, len);
  copying->offset += len;
  *ret_more = len == OBJECT_COPY_BYTES && copying->offset < copying->source.bytes;
  if (!*ret_more && copying->offset != copying->source.bytes)
    FAIL(ERR_CORRUPT, "the body is not as long as its row says");
  return true;
}

static void turn(struct loop_timer *timer) {
  struct copying *copying =
      (struct copying *)(void *)((char *)timer - offsetof(struct copying, turn));
  struct err err;
  bool more;
  if (!copy_slice(copying, &more, &err))
    fail(copying, &err);
  else if (more)
    loop_timer_after(copying->objects->loop, &copying->turn, 0);
  else
    object_put_finish(&copying->put, durable, copying);
}

static void found(void *arg) {
  struct copying *copying = arg;
  struct object_store *store = &copying->objects->store;
  struct err err = copying->err;
  if (copying->ok && copying->version == 0) {
    fini(copying);
    s3_fail_as(copying->call, 404, "NoSuchKey", "there is no such object to copy");
    return;
  }
  if (!copying->ok || !object_open(store, copying->source.body, &copying->file, &err) ||
      !object_put_begin(store, &copying->put, &err)) {
    fail(copying, &err);
    return;
  }
  copying->turn.fire = turn;
  loop_timer_after(copying->objects->loop, &copying->turn, 0);
}

static void query(void *arg, struct store_reader *reader) {
  struct copying *copying = arg;
  copying->ok = object_stat(reader, copying->bucket, copying->key, &copying->row, &copying->source,
                            &copying->version, &copying->err);
}

/* "/bucket/key" or "bucket/key", percent-encoded. */
static bool read_source(struct copying *copying, struct err *err) {
  cleanup_buf struct buf text = {0};
  struct bytes given = exchange_header(copying->call->x, "x-amz-copy-source");
  if (bytes_find(given, '?') < given.len)
    FAIL(ERR_UNSUPPORTED, "objects have no versions here: x-amz-copy-source is BUCKET/KEY");
  if (bytes_starts(given, BYTES("/"))) given = bytes_from(given, 1);
  buf_init(&text, HTTP_HEAD_BYTES_MAX);
  TRY(percent_decode(&text, given, false, err));
  struct bytes whole = arena_copy(api_arena(copying->call), buf_bytes(&text));
  copying->bucket = bytes_cut(whole, '/', &copying->key);
  return object_name_check(copying->bucket, copying->key, err);
}

static bool read_request(struct copying *copying, struct err *err) {
  static const char *const conditions[] = {
      "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match",
      "x-amz-copy-source-if-modified-since", "x-amz-copy-source-if-unmodified-since"};
  struct api_call *call = copying->call;
  struct bytes directive = exchange_header(call->x, "x-amz-metadata-directive");
  for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
    if (exchange_header(call->x, conditions[i]).len)
      FAIL(ERR_UNSUPPORTED, "%s is not supported", conditions[i]);
  copying->replace = bytes_eq_str(directive, "REPLACE");
  if (directive.len && !copying->replace && !bytes_eq_str(directive, "COPY"))
    FAIL(ERR_INVALID, "x-amz-metadata-directive is COPY or REPLACE");
  TRY(object_name_check(call->captures[0], call->captures[1], err));
  TRY(read_source(copying, err));
  if (!copying->replace && bytes_eq(copying->bucket, call->captures[0]) &&
      bytes_eq(copying->key, call->captures[1]))
    FAIL(ERR_INVALID, "an object is copied to itself only to replace its metadata");
  return true;
}

void s3_copy_object(struct api_call *call) {
  struct copying *copying = ARENA_NEW(api_arena(call), struct copying);
  struct err err;
  must(copying != NULL);
  copying->objects = call->source;
  copying->call = call;
  if (!read_request(copying, &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  if (copying->replace && !s3_metadata(call, &copying->facts)) return;
  copying->write =
      (struct object_write){.objects = call->source,
                            .call = call,
                            .bucket = call->captures[0],
                            .key = call->captures[1],
                            .facts = &copying->facts,
                            .name = "ObjectCreated:Copy",
                            .only_new = exchange_header(call->x, "if-none-match").len > 0,
                            .match = exchange_header(call->x, "if-match"),
                            .done = written};
  buf_init(&copying->row, OBJECT_ROW_BYTES_MAX);
  store_ask(copying->objects->store.store, query, found, copying);
}

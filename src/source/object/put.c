/* source/object/put.c: PutObject.
 * Source: Amazon S3 API Reference, PutObject.                                                 */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/object/parts.h"

struct putting {
  struct object_receive receive;
  struct object_write write;
  struct object_facts facts;
};

bool s3_metadata(struct api_call *call, struct object_facts *ret_facts) {
  const struct http_head *head = &exchange_request(call->x)->head;
  struct bytes prefix = BYTES("x-amz-meta-");
  cleanup_buf struct buf text = {0};
  struct json_out out;
  size_t count = 0;
  buf_init(&text, OBJECT_META_BYTES_MAX);
  json_out_init(&out, &text);
  json_out_open(&out, '{');
  for (size_t i = 0; i < head->header_count; i++) {
    struct bytes name = arena_lower(api_arena(call), head->headers[i].name);
    if (!bytes_starts(name, prefix) || name.len == prefix.len) continue;
    json_out_name_bytes(&out, bytes_from(name, prefix.len));
    json_out_string(&out, head->headers[i].value);
    count++;
  }
  json_out_close(&out, '}');
  struct bytes type = exchange_header(call->x, "content-type");
  if (!buf_ok(&text) || type.len > OBJECT_TYPE_BYTES_MAX) {
    s3_fail_as(call, 400, "MetadataTooLarge", "metadata are at most 2 KiB, a content type 256 B");
    return false;
  }
  if (count) ret_facts->metadata = arena_copy(api_arena(call), buf_bytes(&text));
  ret_facts->content_type = type;
  return true;
}

static void written(struct object_write *write, const struct err *err) {
  struct api_call *call = write->call;
  char etag[OBJECT_ETAG_BYTES];
  if (err) {
    object_drop(&write->objects->store, write->facts->body);
    api_fail_err(call, err, 1000);
    return;
  }
  object_etag(write->facts, etag);
  struct http_header header = {BYTES("etag"), arena_printf(api_arena(call), "\"%s\"", etag)};
  struct http_answer answer = {.status = 200, .headers = &header, .header_count = 1};
  exchange_reply(call->x, &answer, BYTES_NONE);
}

static void received(struct object_receive *receive, const struct object_facts *facts,
                     const struct err *err) {
  struct putting *putting = receive->arg;
  if (err) {
    api_fail_err(receive->call, err, 1000);
    return;
  }
  struct object_facts given = putting->facts;
  putting->facts = *facts;
  putting->facts.content_type = given.content_type;
  putting->facts.metadata = given.metadata;
  object_write(&putting->write);
}

void s3_put_object(struct api_call *call) {
  struct bytes only_new = exchange_header(call->x, "if-none-match");
  struct err err;
  bool copy = exchange_header(call->x, "x-amz-copy-source").len > 0;
  if (s3_query_has(call, "partNumber") && copy) {
    s3_fail_as(call, 501, "NotImplemented", "a part cannot be copied from an object");
    return;
  }
  if (s3_query_has(call, "partNumber")) {
    s3_upload_part(call);
    return;
  }
  if (only_new.len && !bytes_eq_str(only_new, "*")) {
    s3_fail_as(call, 501, "NotImplemented", "If-None-Match takes * alone here");
    return;
  }
  if (copy) {
    s3_copy_object(call);
    return;
  }
  struct putting *putting = ARENA_NEW(api_arena(call), struct putting);
  must(putting != NULL);
  if (!object_name_check(call->captures[0], call->captures[1], &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  if (!s3_metadata(call, &putting->facts)) return;
  putting->write = (struct object_write){.objects = call->source,
                                         .call = call,
                                         .bucket = call->captures[0],
                                         .key = call->captures[1],
                                         .facts = &putting->facts,
                                         .name = "ObjectCreated:Put",
                                         .only_new = only_new.len > 0,
                                         .match = exchange_header(call->x, "if-match"),
                                         .done = written};
  putting->receive = (struct object_receive){
      .objects = call->source, .call = call, .done = received, .arg = putting};
  object_receive(&putting->receive);
}

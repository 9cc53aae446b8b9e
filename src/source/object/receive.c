/* source/object/receive.c: bytes come, go to the file, and are counted into whatever was promised:
 * the signature's hash or chunks, Content-MD5, an x-amz-checksum. Nothing is taken on trust: the
 * row that makes the body an object is only written when all of it held. */
#include "base/must.h"
#include "source/object/parts.h"
#include "wire/awschunked.h"
#include "wire/codec.h"

#include <string.h>

static void clean(struct object_receive *receive) {
  digest_fini(&receive->sha);
  checksum_fini(&receive->checksum);
  if (receive->chunked) awschunked_fini(receive->chunked);
  receive->chunked = NULL;
}

static void give_up(struct object_receive *receive, const struct err *err) {
  clean(receive);
  if (receive->put) object_put_cancel(&receive->put);
  receive->done(receive, NULL, err);
}

static bool take(struct object_receive *receive, struct bytes data, struct err *err) {
  if (data.len == 0) return true;
  if (receive->sha_wanted) digest_add(&receive->sha, data);
  if (receive->checksum_sent[0]) checksum_add(&receive->checksum, data);
  return object_put_write(receive->put, data, err);
}

static bool take_chunks(struct object_receive *receive, struct bytes input, struct err *err) {
  while (input.len) {
    size_t used;
    struct bytes data;
    enum http_step step = awschunked_next(receive->chunked, input, &used, &data, err);
    if (step == HTTP_BAD) return false;
    TRY(take(receive, data, err));
    input = bytes_from(input, used);
    if (step == HTTP_DONE && input.len) FAIL(ERR_MALFORMED, "something follows the last chunk");
    if (step == HTTP_DONE) receive->chunks_done = true;
  }
  return true;
}

static void on_data(struct http_exchange *x, struct bytes data) {
  struct object_receive *receive = ((struct api_call *)exchange_owner(x))->own;
  struct err err;
  bool ok = receive->chunked ? take_chunks(receive, data, &err) : take(receive, data, &err);
  if (!ok) give_up(receive, &err);
}

static void durable(void *arg, const struct object_facts *facts, const struct err *err) {
  struct object_receive *receive = arg;
  struct err wrong;
  if (!facts || !receive->md5_wanted || memcmp(facts->md5, receive->md5, MD5_BYTES) == 0) {
    receive->done(receive, facts, facts ? NULL : err);
    return;
  }
  err_set(&wrong, ERR_INVALID, ERR_PLACE, ERR_OFFSET_NONE, "Content-MD5 is not the body's MD5");
  object_drop(&receive->objects->store, facts->body);
  receive->done(receive, NULL, &wrong);
}

static bool promises_held(struct object_receive *receive, struct err *err) {
  char text[CHECKSUM_TEXT_BYTES];
  uint8_t sha[SHA256_BYTES];
  const struct api_aws *aws = receive->call->aws;
  if (receive->chunked && !receive->chunks_done)
    FAIL(ERR_MALFORMED, "the body ends before its last chunk");
  if (receive->sha_wanted) {
    digest_final(&receive->sha, sha);
    if (memcmp(sha, aws->claim.payload_sha256, SHA256_BYTES) != 0)
      FAIL(ERR_INVALID, "x-amz-content-sha256 is not the body's SHA-256");
  }
  if (!receive->checksum_sent[0]) return true;
  checksum_text(&receive->checksum, text);
  if (strcmp(text, receive->checksum_sent) != 0)
    FAIL(ERR_INVALID, "the x-amz-checksum is not the body's");
  return true;
}

static void finish(struct object_receive *receive) {
  struct err err;
  if (!promises_held(receive, &err)) {
    give_up(receive, &err);
    return;
  }
  clean(receive);
  object_put_finish(&receive->put, durable, receive);
}

static void on_end(struct http_exchange *x, const struct err *err) {
  struct object_receive *receive = ((struct api_call *)exchange_owner(x))->own;
  if (err)
    give_up(receive, err);
  else
    finish(receive);
}

static bool read_md5(struct object_receive *receive, struct err *err) {
  struct bytes given = exchange_header(receive->call->x, "content-md5");
  struct buf digest;
  if (!given.len) return true;
  buf_init(&digest, HTTP_HEAD_BYTES_MAX);
  bool ok = base64_decode(&digest, given, 0, err) && digest.len == MD5_BYTES;
  if (ok) memcpy(receive->md5, digest.at, MD5_BYTES);
  receive->md5_wanted = true;
  buf_fini(&digest);
  if (!ok) FAIL(ERR_INVALID, "Content-MD5 is the base64 of 16 bytes");
  return true;
}

static void read_checksum(struct object_receive *receive) {
  const struct http_head *head = &exchange_request(receive->call->x)->head;
  for (size_t i = 0; i < head->header_count; i++) {
    enum checksum_kind kind = checksum_of_header(head->headers[i].name);
    if (kind == CHECKSUM_NONE || receive->checksum_sent[0]) continue;
    bytes_text(head->headers[i].value, receive->checksum_sent, sizeof receive->checksum_sent);
    checksum_init(&receive->checksum, kind);
  }
}

static bool begin(struct object_receive *receive, struct err *err) {
  struct api_call *call = receive->call;
  const struct api_aws *aws = call->aws;
  const struct http_head *head = &exchange_request(call->x)->head;
  bool chunked =
      aws && (aws->claim.payload == SIGV4_STREAM || aws->claim.payload == SIGV4_STREAM_TRAILER ||
              aws->claim.payload == SIGV4_UNSIGNED_TRAILER);
  TRY(read_md5(receive, err));
  read_checksum(receive);
  receive->sha_wanted = aws && aws->claim.payload == SIGV4_HASH;
  if (receive->sha_wanted) digest_init(&receive->sha, DIGEST_SHA256);
  if (chunked) {
    struct awschunked *decoder = ARENA_NEW(api_arena(call), struct awschunked);
    must(decoder != NULL);
    TRY(awschunked_init(decoder, &aws->claim, aws->key, head, err));
    receive->chunked = decoder;
  }
  return object_put_begin(&receive->objects->store, &receive->put, err);
}

void object_receive(struct object_receive *receive) {
  static const struct http_sink sink = {OBJECT_BYTES_MAX, on_data, on_end};
  const struct http_head *head = &exchange_request(receive->call->x)->head;
  struct err err;
  receive->call->own = receive;
  if (!begin(receive, &err))
    give_up(receive, &err);
  else if (head->body == HTTP_BODY_NONE ||
           (head->body == HTTP_BODY_LENGTH && head->content_length == 0))
    finish(receive);
  else
    exchange_stream_body(receive->call->x, &sink);
}

/* source/object/multipart.c: an object in parts: create, parts in any order, abort. complete.c puts
 * them together.
 * Source: Amazon S3 API Reference, CreateMultipartUpload, UploadPart, AbortMultipartUpload.   */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/object/upload.h"
#include "wire/fields.h"

/* ---- Create ---- */

struct creating {
  struct api_call *call;
  struct id id;
};

static void created(void *arg, const struct store_result *result) {
  struct creating *creating = arg;
  struct api_call *call = creating->call;
  cleanup_buf struct buf body = {0};
  char id[ID_TEXT_BYTES];
  if (result->err.code != ERR_OK) {
    api_fail_err(call, &result->err, 1000);
    return;
  }
  id_text(creating->id, id);
  buf_init(&body, S3_ANSWER_BYTES_MAX);
  xml_write_start(&body);
  xml_write_open(&body, "InitiateMultipartUploadResult", S3_NAMESPACE);
  xml_write_element(&body, "Bucket", call->captures[0]);
  xml_write_element(&body, "Key", call->captures[1]);
  xml_write_element(&body, "UploadId", bytes_str(id));
  xml_write_close(&body, "InitiateMultipartUploadResult");
  s3_xml(call, &body);
}

void s3_upload_create(struct api_call *call) {
  const struct objects *objects = call->source;
  struct creating *creating = ARENA_NEW(api_arena(call), struct creating);
  struct object_facts facts = {0};
  uint8_t key[UPLOAD_KEY_BYTES];
  cleanup_buf struct buf row = {0};
  struct err err;
  must(creating != NULL);
  if (s3_query_has(call, "uploadId")) {
    s3_upload_complete(call);
    return;
  }
  if (!s3_query_has(call, "uploads")) {
    s3_fail_as(call, 405, "MethodNotAllowed", "POST on an object is for multipart uploads");
    return;
  }
  if (!object_name_check(call->captures[0], call->captures[1], &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  if (!s3_metadata(call, &facts)) return;
  creating->call = call;
  creating->id = random_id(objects->store.random, objects->store.clock);
  buf_init(&row, UPLOAD_ROW_BYTES_MAX);
  object_encode(&row, &facts);
  fields_put_bytes(&row, call->captures[0]);
  fields_put_bytes(&row, call->captures[1]);
  must(buf_ok(&row));
  struct store_commit *commit = commit_new();
  commit_put(commit, TABLE_upload, upload_row_key(creating->id, 0, key), buf_bytes(&row));
  store_submit(objects->store.store, &commit, created, creating);
}

/* ---- A part ---- */

struct part {
  struct object_receive receive;
  struct upload upload;
  struct object_facts facts;
  uint32_t number;
};

static void part_end(struct part *part, const struct err *err) {
  struct api_call *call = part->receive.call;
  char etag[OBJECT_ETAG_BYTES];
  upload_fini(&part->upload);
  if (err) {
    object_drop(&part->upload.objects->store, part->facts.body);
    upload_fail(call, err);
    return;
  }
  object_etag(&part->facts, etag);
  struct http_header header = {BYTES("etag"), arena_printf(api_arena(call), "\"%s\"", etag)};
  struct http_answer answer = {.status = 200, .headers = &header, .header_count = 1};
  exchange_reply(call->x, &answer, BYTES_NONE);
}

static void part_durable(void *arg, const struct store_result *result) {
  struct part *part = arg;
  const struct upload_part *before = upload_part_of(&part->upload, part->number);
  bool ok = result->err.code == ERR_OK;
  struct err err = result->err;
  if (ok && before) object_drop(&part->upload.objects->store, before->body);
  part_end(part, ok ? NULL : &err);
}

static void part_found(void *arg) {
  struct part *part = arg;
  struct upload *upload = &part->upload;
  const struct upload_part *before = upload_part_of(upload, part->number);
  uint8_t key[UPLOAD_KEY_BYTES];
  if (!upload->ok) {
    part_end(part, &upload->err);
    return;
  }
  struct store_commit *commit = commit_new();
  struct buf row;
  buf_init(&row, OBJECT_ROW_BYTES_MAX);
  object_encode(&row, &part->facts);
  must(buf_ok(&row));
  commit_check(commit, TABLE_upload, upload_row_key(upload->id, 0, key), upload->head_version,
               ERR_NOT_FOUND);
  struct bytes part_key = upload_row_key(upload->id, part->number, key);
  commit_check(commit, TABLE_upload, part_key, before ? before->version : 0, ERR_CONFLICT);
  commit_put(commit, TABLE_upload, part_key, buf_bytes(&row));
  buf_fini(&row);
  store_submit(upload->objects->store.store, &commit, part_durable, part);
}

static void part_query(void *arg, struct store_reader *reader) {
  upload_query(&((struct part *)arg)->upload, reader);
}

static void part_received(struct object_receive *receive, const struct object_facts *facts,
                          const struct err *err) {
  struct part *part = receive->arg;
  if (err) {
    upload_fini(&part->upload);
    api_fail_err(receive->call, err, 1000);
    return;
  }
  part->facts = *facts;
  store_ask(receive->objects->store.store, part_query, part_found, part);
}

void s3_upload_part(struct api_call *call) {
  struct part *part = ARENA_NEW(api_arena(call), struct part);
  uint64_t number;
  struct id id;
  must(part != NULL);
  if (!bytes_u64(api_query(call, "partNumber"), &number) || number < 1 ||
      number > OBJECT_PART_MAX) {
    s3_fail_as(call, 400, "InvalidArgument", "partNumber is 1 to 10000");
    return;
  }
  if (!upload_id(call, &id)) return;
  part->number = (uint32_t)number;
  upload_init(&part->upload, call, id);
  part->receive = (struct object_receive){
      .objects = call->source, .call = call, .done = part_received, .arg = part};
  object_receive(&part->receive);
}

/* ---- Abort ---- */

static void aborted(void *arg, const struct store_result *result) {
  struct upload *upload = arg;
  bool ok = result->err.code == ERR_OK;
  if (ok) upload_drop_bodies(upload);
  upload_fini(upload);
  if (ok)
    exchange_reply(upload->call->x, &(struct http_answer){.status = 204}, BYTES_NONE);
  else
    upload_fail(upload->call, &result->err);
}

static void abort_found(void *arg) {
  struct upload *upload = arg;
  if (!upload->ok) {
    upload_fini(upload);
    upload_fail(upload->call, &upload->err);
    return;
  }
  struct store_commit *commit = commit_new();
  upload_commit_remove(upload, commit);
  store_submit(upload->objects->store.store, &commit, aborted, upload);
}

static void abort_query(void *arg, struct store_reader *reader) {
  upload_query(arg, reader);
}

void s3_upload_abort(struct api_call *call) {
  struct upload *upload = ARENA_NEW(api_arena(call), struct upload);
  struct id id;
  must(upload != NULL);
  if (!upload_id(call, &id)) return;
  upload_init(upload, call, id);
  store_ask(upload->objects->store.store, abort_query, abort_found, upload);
}

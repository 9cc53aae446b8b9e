/* source/object/upload.c: read the rows of a multipart upload, and remove them. */
#include "source/object/upload.h"

#include "base/must.h"
#include "wire/fields.h"

#include <stdlib.h>
#include <string.h>

struct bytes upload_row_key(struct id id, uint32_t number, uint8_t ret_key[UPLOAD_KEY_BYTES]) {
  memcpy(ret_key, id.at, ID_BYTES);
  for (int i = 0; i < 4; i++) ret_key[ID_BYTES + i] = (uint8_t)(number >> (24 - 8 * i));
  return bytes_of(ret_key, UPLOAD_KEY_BYTES);
}

void upload_fail(struct api_call *call, const struct err *err) {
  if (err->code == ERR_NOT_FOUND)
    s3_fail_as(call, 404, "NoSuchUpload", "there is no such upload of this object");
  else
    api_fail_err(call, err, 1000);
}

bool upload_id(struct api_call *call, struct id *ret_id) {
  struct err err;
  if (id_parse(api_query(call, "uploadId"), ret_id, &err)) return true;
  err.code = ERR_NOT_FOUND;
  upload_fail(call, &err);
  return false;
}

void upload_init(struct upload *upload, struct api_call *call, struct id id) {
  *upload = (struct upload){.objects = call->source, .call = call, .id = id};
  upload->bucket = call->captures[0];
  upload->key = call->captures[1];
  buf_init(&upload->head, UPLOAD_ROW_BYTES_MAX);
}

void upload_fini(struct upload *upload) {
  buf_fini(&upload->head);
  free(upload->parts);
  upload->parts = NULL;
}

static bool read_head(struct upload *upload, struct err *err) {
  struct bytes rest;
  TRY(object_decode(buf_bytes(&upload->head), &upload->facts, &rest, err));
  struct cursor in = cursor_of(rest);
  struct bytes bucket = fields_get_bytes(&in);
  struct bytes key = fields_get_bytes(&in);
  TRY(fields_end(&in, "upload", err));
  if (!bytes_eq(bucket, upload->bucket) || !bytes_eq(key, upload->key))
    FAIL(ERR_NOT_FOUND, "the upload is of another object");
  return true;
}

static bool visit(void *arg, const struct store_row *row) {
  struct upload *upload = arg;
  struct object_facts facts;
  struct bytes rest;
  uint32_t number = 0;
  if (row->key.len != UPLOAD_KEY_BYTES) return true;
  for (int i = 0; i < 4; i++) number = number << 8 | row->key.at[ID_BYTES + i];
  if (number == 0) {
    buf_put(&upload->head, row->value);
    upload->head_version = row->version;
    return true;
  }
  upload->ok = object_decode(row->value, &facts, &rest, &upload->err);
  if (!upload->ok) return false;
  if (upload->count == upload->room) {
    upload->room = upload->room ? 2 * upload->room : 64;
    upload->parts = must_realloc(upload->parts, upload->room * sizeof *upload->parts);
  }
  struct upload_part *part = &upload->parts[upload->count++];
  *part =
      (struct upload_part){number, row->version, facts.body, facts.bytes, facts.modified_ms, {0}};
  memcpy(part->md5, facts.md5, MD5_BYTES);
  return upload->count < OBJECT_PART_MAX;
}

void upload_query(struct upload *upload, struct store_reader *reader) {
  struct store_range range = {.table = TABLE_upload, .prefix = id_bytes(&upload->id)};
  upload->ok = true;
  bool read = store_scan(reader, &range, visit, upload, &upload->err);
  if (!read || !upload->ok) {
    upload->ok = false;
    return;
  }
  upload->ok = upload->head_version != 0;
  if (!upload->ok)
    err_set(&upload->err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "there is no such upload");
  upload->ok = upload->ok && read_head(upload, &upload->err);
}

const struct upload_part *upload_part_of(const struct upload *upload, uint64_t number) {
  size_t from = 0, to = upload->count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (upload->parts[middle].number == number) return &upload->parts[middle];
    if (upload->parts[middle].number < number)
      from = middle + 1;
    else
      to = middle;
  }
  return NULL;
}

void upload_commit_remove(const struct upload *upload, struct store_commit *commit) {
  uint8_t key[UPLOAD_KEY_BYTES];
  struct bytes head = upload_row_key(upload->id, 0, key);
  commit_check(commit, TABLE_upload, head, upload->head_version, ERR_NOT_FOUND);
  commit_remove(commit, TABLE_upload, head);
  for (size_t i = 0; i < upload->count; i++)
    commit_remove(commit, TABLE_upload, upload_row_key(upload->id, upload->parts[i].number, key));
}

void upload_drop_bodies(const struct upload *upload) {
  for (size_t i = 0; i < upload->count; i++)
    object_drop(&upload->objects->store, upload->parts[i].body);
}

/* source/object/complete.c: the parts become one body, a slice in each turn of the loop; then one
 * commit: the object's row, its event, and the upload's rows gone.
 * Source: Amazon S3 API Reference, CompleteMultipartUpload.                                   */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/object/upload.h"

#include <stdlib.h>
#include <string.h>

struct completing {
  struct upload upload;
  struct object_write write;
  struct object_facts facts;
  const struct xml *root;
  const struct upload_part **parts; /* as the client lists them */
  size_t count, at;
  struct digest md5s;
  struct object_put *put;
  struct file *file; /* of the part that is copied */
  uint64_t offset;
  struct loop_timer turn;
};

static void end(struct completing *completing, const struct err *err) {
  struct upload *upload = &completing->upload;
  struct api_call *call = upload->call;
  if (completing->file) file_close(&completing->file);
  if (completing->put) object_put_cancel(&completing->put);
  digest_fini(&completing->md5s);
  upload_fini(upload);
  if (err) upload_fail(call, err); /* last: with the answer all of this is gone */
}

static void write_answer(struct completing *completing) {
  struct api_call *call = completing->upload.call;
  cleanup_buf struct buf body = {0};
  char etag[OBJECT_ETAG_BYTES];
  object_etag(&completing->facts, etag);
  buf_init(&body, S3_ANSWER_BYTES_MAX);
  xml_write_start(&body);
  xml_write_open(&body, "CompleteMultipartUploadResult", S3_NAMESPACE);
  xml_write_element(&body, "Location", call->path);
  xml_write_element(&body, "Bucket", call->captures[0]);
  xml_write_element(&body, "Key", call->captures[1]);
  xml_write_element(&body, "ETag", arena_printf(api_arena(call), "\"%s\"", etag));
  xml_write_close(&body, "CompleteMultipartUploadResult");
  upload_drop_bodies(&completing->upload);
  end(completing, NULL);
  s3_xml(call, &body);
}

static void written(struct object_write *write, const struct err *err) {
  struct completing *completing = write->arg;
  if (!err) {
    write_answer(completing);
    return;
  }
  object_drop(&completing->upload.objects->store, completing->facts.body);
  end(completing, err);
}

static void remove_upload(void *arg, struct store_commit *commit) {
  upload_commit_remove(&((struct completing *)arg)->upload, commit);
}

/* S3's ETag of parts: the MD5 of their MD5s, and how many they are. */
static void durable(void *arg, const struct object_facts *facts, const struct err *err) {
  struct completing *completing = arg;
  struct upload *upload = &completing->upload;
  if (!facts) {
    end(completing, err);
    return;
  }
  completing->facts = *facts;
  completing->facts.parts = (uint32_t)completing->count;
  digest_final(&completing->md5s, completing->facts.md5);
  completing->facts.content_type = upload->facts.content_type;
  completing->facts.metadata = upload->facts.metadata;
  completing->write = (struct object_write){.objects = upload->objects,
                                            .call = upload->call,
                                            .bucket = upload->bucket,
                                            .key = upload->key,
                                            .facts = &completing->facts,
                                            .name = "ObjectCreated:CompleteMultipartUpload",
                                            .with = remove_upload,
                                            .arg = completing,
                                            .done = written};
  object_write(&completing->write);
}

/* ---- Copying ---- */

static bool copy_slice(struct completing *completing, struct err *err) {
  const struct upload_part *part = completing->parts[completing->at];
  cleanup_free uint8_t *slice = must_alloc(OBJECT_COPY_BYTES);
  size_t len;
  if (!completing->file)
    TRY(object_open(&completing->upload.objects->store, part->body, &completing->file, err));
  TRY(file_read(completing->file, completing->offset, slice, OBJECT_COPY_BYTES, &len, err));
  TRY(object_put_write(completing->put, bytes_of(slice, len), err));
  bytes_wipe(slice, len);
  completing->offset += len;
  if (len == OBJECT_COPY_BYTES && completing->offset < part->bytes) return true;
  if (completing->offset != part->bytes)
    FAIL(ERR_CORRUPT, "a part's body is not as long as its row says");
  file_close(&completing->file);
  completing->offset = 0;
  completing->at++;
  return true;
}

static void turn(struct loop_timer *timer) {
  struct completing *completing =
      (struct completing *)(void *)((char *)timer - offsetof(struct completing, turn));
  struct err err;
  if (completing->at == completing->count) {
    object_put_finish(&completing->put, durable, completing);
    return;
  }
  if (copy_slice(completing, &err))
    loop_timer_after(completing->upload.objects->loop, &completing->turn, 0);
  else
    end(completing, &err);
}

/* ---- What the client lists ---- */

static bool etag_is(struct bytes given, const struct upload_part *part) {
  struct object_facts facts = {0};
  char etag[OBJECT_ETAG_BYTES];
  memcpy(facts.md5, part->md5, MD5_BYTES);
  object_etag(&facts, etag);
  if (given.len && given.at[0] == '"') given = bytes_sub(given, 1, given.len - 2);
  return bytes_eq_str(given, etag);
}

static const char *choose(struct completing *completing) {
  const struct xml *given = xml_child(completing->root, "Part");
  uint64_t last = 0, number, bytes = 0;
  for (; given; given = xml_again(given)) {
    if (!bytes_u64(xml_child_text(given, "PartNumber"), &number)) return "InvalidPart";
    if (number <= last) return "InvalidPartOrder";
    const struct upload_part *part = upload_part_of(&completing->upload, number);
    if (!part || !etag_is(xml_child_text(given, "ETag"), part)) return "InvalidPart";
    if (completing->count == OBJECT_PART_MAX) return "InvalidPart";
    completing->parts[completing->count++] = part;
    digest_add(&completing->md5s, bytes_of(part->md5, MD5_BYTES));
    bytes += part->bytes;
    last = number;
  }
  if (bytes > OBJECT_BYTES_MAX) return "EntityTooLarge";
  return completing->count ? NULL : "InvalidPart";
}

static void found(void *arg) {
  struct completing *completing = arg;
  struct upload *upload = &completing->upload;
  struct err err;
  if (!upload->ok) {
    end(completing, &upload->err);
    return;
  }
  digest_init(&completing->md5s, DIGEST_MD5);
  const char *wrong = choose(completing);
  if (wrong) {
    struct api_call *call = upload->call;
    end(completing, NULL);
    s3_fail_as(call, 400, wrong, "the parts listed are not those that were uploaded");
    return;
  }
  completing->turn.fire = turn;
  if (object_put_begin(&upload->objects->store, &completing->put, &err))
    loop_timer_after(upload->objects->loop, &completing->turn, 0);
  else
    end(completing, &err);
}

static void query(void *arg, struct store_reader *reader) {
  upload_query(&((struct completing *)arg)->upload, reader);
}

void s3_upload_complete(struct api_call *call) {
  struct arena *arena = api_arena(call);
  struct completing *completing = ARENA_NEW(arena, struct completing);
  struct err err;
  struct id id;
  must(completing != NULL);
  if (!upload_id(call, &id)) return;
  completing->parts =
      (const struct upload_part **)arena_alloc(arena, OBJECT_PART_MAX * sizeof *completing->parts);
  if (!completing->parts || !xml_parse(arena, exchange_body(call->x), &completing->root, &err)) {
    s3_fail_as(call, 400, "MalformedXML", "the list of parts cannot be read");
    return;
  }
  upload_init(&completing->upload, call, id);
  store_ask(completing->upload.objects->store.store, query, found, completing);
}

/* source/object/remove.c: DeleteObject and DeleteObjects. What is not there is gone, too.
 * Source: Amazon S3 API Reference, DeleteObject, DeleteObjects.                               */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/object/parts.h"

enum { REMOVE_AT_ONCE = 32 };

static void removed(struct object_write *write, const struct err *err) {
  if (err)
    api_fail_err(write->call, err, 1000);
  else
    exchange_reply(write->call->x, &(struct http_answer){.status = 204}, BYTES_NONE);
}

void s3_delete_object(struct api_call *call) {
  struct err err;
  if (s3_query_has(call, "uploadId")) {
    s3_upload_abort(call);
    return;
  }
  if (!object_name_check(call->captures[0], call->captures[1], &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  struct object_write *write = ARENA_NEW(api_arena(call), struct object_write);
  must(write != NULL);
  *write = (struct object_write){.objects = call->source,
                                 .call = call,
                                 .bucket = call->captures[0],
                                 .key = call->captures[1],
                                 .name = "ObjectRemoved:Delete",
                                 .done = removed};
  object_write(write);
}

/* ---- Many ---- */

struct removing {
  struct objects *objects;
  struct api_call *call;
  const struct xml *next;
  bool quiet;
  unsigned pending;
  struct buf body;
};

struct removing_one {
  struct object_write write; /* first member */
  struct removing *removing;
};

static void step(struct removing *removing);

static void one_removed(struct object_write *write, const struct err *err) {
  struct removing *removing = ((struct removing_one *)(void *)write)->removing;
  struct buf *body = &removing->body;
  if (err) {
    xml_write_open(body, "Error", NULL);
    xml_write_element(body, "Key", write->key);
    xml_write_element(body, "Code", BYTES("InternalError"));
    xml_write_element(body, "Message", bytes_str(err->detail));
    xml_write_close(body, "Error");
  } else if (!removing->quiet) {
    xml_write_open(body, "Deleted", NULL);
    xml_write_element(body, "Key", write->key);
    xml_write_close(body, "Deleted");
  }
  removing->pending--;
  step(removing);
}

static void remove_one(struct removing *removing, struct bytes key) {
  struct api_call *call = removing->call;
  struct removing_one *one = ARENA_NEW(api_arena(call), struct removing_one);
  if (!one) {
    xml_write_open(&removing->body, "Error", NULL);
    xml_write_element(&removing->body, "Key", key);
    xml_write_element(&removing->body, "Code", BYTES("InternalError"));
    xml_write_element(&removing->body, "Message", BYTES("too many keys at once; ask again"));
    xml_write_close(&removing->body, "Error");
    return;
  }
  one->removing = removing;
  one->write = (struct object_write){.objects = removing->objects,
                                     .call = call,
                                     .bucket = call->captures[0],
                                     .key = key,
                                     .name = "ObjectRemoved:Delete",
                                     .done = one_removed};
  removing->pending++;
  object_write(&one->write);
}

/* A few under way at a time. */
static void step(struct removing *removing) {
  while (removing->next && removing->pending < REMOVE_AT_ONCE) {
    struct bytes key = xml_child_text(removing->next, "Key");
    removing->next = xml_again(removing->next);
    remove_one(removing, key);
  }
  if (removing->pending) return;
  xml_write_close(&removing->body, "DeleteResult");
  struct buf body = removing->body;
  s3_xml(removing->call, &body);
  buf_fini(&body);
}

static bool read_keys(struct api_call *call, const struct xml **ret_root, struct err *err) {
  size_t count = 0;
  TRY(xml_parse(api_arena(call), exchange_body(call->x), ret_root, err));
  const struct xml *object = xml_child(*ret_root, "Object");
  for (; object; object = xml_again(object), count++)
    TRY(object_name_check(call->captures[0], xml_child_text(object, "Key"), err));
  if (count == 0) FAIL(ERR_INVALID, "there is no Object in it");
  if (count > OBJECT_DELETE_MAX)
    FAIL(ERR_INVALID, "OBJECT_DELETE_MAX: at most %d keys at once", OBJECT_DELETE_MAX);
  return true;
}

void s3_delete_objects(struct api_call *call) {
  const struct xml *root;
  struct err err;
  if (!s3_query_has(call, "delete")) {
    s3_fail_as(call, 405, "MethodNotAllowed", "POST on a bucket is DeleteObjects (?delete) alone");
    return;
  }
  if (!read_keys(call, &root, &err)) {
    if (err.code == ERR_MALFORMED)
      s3_fail_as(call, 400, "MalformedXML", err.detail);
    else
      api_fail_err(call, &err, 0);
    return;
  }
  struct removing *removing = ARENA_NEW(api_arena(call), struct removing);
  must(removing != NULL);
  removing->objects = call->source;
  removing->call = call;
  removing->next = xml_child(root, "Object");
  removing->quiet = bytes_eq_str(xml_child_text(root, "Quiet"), "true");
  buf_init(&removing->body, S3_ANSWER_BYTES_MAX);
  xml_write_start(&removing->body);
  xml_write_open(&removing->body, "DeleteResult", S3_NAMESPACE);
  step(removing);
}

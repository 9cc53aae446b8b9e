/* source/object/object.c: the routes of objects. */
#include "source/object/object.h"

#include "base/must.h"
#include "source/object/parts.h"

#include <stdlib.h>

enum { OBJECT_XML_BYTES_MAX = 4 << 20 };

/* Buckets are there as soon as they are named. */
static void make_bucket(struct api_call *call) {
  struct err err;
  if (object_name_check(call->captures[0], BYTES("key"), &err))
    exchange_reply(call->x, &(struct http_answer){.status = 200}, BYTES_NONE);
  else
    s3_fail_as(call, 400, "InvalidBucketName", err.detail);
}

static const struct api_route routes[] = {
    {"PUT", "/s3/{bucket}/{key+}", ACT_DATA, s3_put_object, HTTP_BODY_STREAMED, true, s3_fail},
    {"GET", "/s3/{bucket}/{key+}", ACT_DATA, s3_get_object, 0, false, s3_fail},
    {"DELETE", "/s3/{bucket}/{key+}", ACT_DATA, s3_delete_object, 0, false, s3_fail},
    {"POST", "/s3/{bucket}/{key+}", ACT_DATA, s3_upload_create, OBJECT_XML_BYTES_MAX, false,
     s3_fail},
    {"GET", "/s3", ACT_DATA, s3_list_buckets, 0, false, s3_fail},
    {"GET", "/s3/{bucket}", ACT_DATA, s3_list_objects, 0, false, s3_fail},
    {"PUT", "/s3/{bucket}", ACT_DATA, make_bucket, 0, false, s3_fail},
    {"POST", "/s3/{bucket}", ACT_DATA, s3_delete_objects, OBJECT_XML_BYTES_MAX, false, s3_fail},
    /* As some clients write it. */
    {"GET", "/s3/", ACT_DATA, s3_list_buckets, 0, false, s3_fail},
    {"GET", "/s3/{bucket}/", ACT_DATA, s3_list_objects, 0, false, s3_fail},
    {"PUT", "/s3/{bucket}/", ACT_DATA, make_bucket, 0, false, s3_fail},
    {"POST", "/s3/{bucket}/", ACT_DATA, s3_delete_objects, OBJECT_XML_BYTES_MAX, false, s3_fail},
};

void objects_open(struct api *api, struct objects **ret_objects) {
  const struct api_options *options = api_options(api);
  struct objects *objects = must_alloc(sizeof *objects);
  *objects = (struct objects){.api = api,
                              .flow = options->flow,
                              .loop = options->loop,
                              .store = {.store = options->store,
                                        .disk = options->disk,
                                        .clock = options->clock,
                                        .random = options->random}};
  api_add(api, routes, sizeof routes / sizeof *routes, objects);
  *ret_objects = objects;
}

void objects_close(struct objects **objects) {
  free(*objects);
  *objects = NULL;
}

/* source/object/parts.h: what the object source's own files share.
 * Owns:    see each struct; all but struct objects live in their exchange's arena.
 * Errors:  see object.h.
 * Threads: the loop's thread.                                                            */
#ifndef MEDULLA_SOURCE_OBJECT_PARTS_H
#define MEDULLA_SOURCE_OBJECT_PARTS_H

#include "effect/object_store.h"
#include "source/object/object.h"
#include "wire/checksum.h"
#include "wire/xml.h"

#define S3_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"
#define S3_ANSWER_BYTES_MAX (16u << 20)

struct objects {
  struct api *api;
  struct flow *flow;
  struct loop *loop;
  struct object_store store;
};

/* error.c: S3's XML for an error; the `fail` of every route. */
void s3_fail(struct api_call *call, const struct err *err, int64_t retry_after_ms);
void s3_fail_as(struct api_call *call, int status, const char *code, const char *message);
void s3_xml(struct api_call *call, struct buf *body);

/* change.c: a row of an object, written or removed together with its event. */
struct object_write {
  struct objects *objects;
  struct api_call *call;
  struct bytes bucket, key;
  const struct object_facts *facts; /* NULL: remove */
  const char *name;                 /* of the event: "ObjectCreated:Put" */
  bool only_new;                    /* PRECONDITION when it is there */
  struct bytes match;               /* Optional: If-Match; PRECONDITION unless it is this one */
  /* Optional: more for the same commit. */
  void (*with)(void *arg, struct store_commit *commit);
  void *arg;
  /* err NULL: durable. The body it replaced is dropped. */
  void (*done)(struct object_write *write, const struct err *err);
  /* inside */
  struct flow_reply reply;
  struct buf row;
  struct object_facts before;
  uint64_t version;
  unsigned conflicts;
  bool ok;
  struct err err;
};
void object_write(struct object_write *write);

/* receive.c: a request's body into a file, held to whatever the client said of it. */
struct object_receive {
  struct objects *objects;
  struct api_call *call;
  /* err NULL: facts hold; the body is durable and nobody's yet. */
  void (*done)(struct object_receive *receive, const struct object_facts *facts,
               const struct err *err);
  void *arg;
  /* inside */
  struct object_put *put;
  struct awschunked *chunked;
  bool chunks_done;
  struct digest sha;
  bool sha_wanted, md5_wanted;
  uint8_t md5[MD5_BYTES];
  struct checksum checksum;
  char checksum_sent[CHECKSUM_TEXT_BYTES];
};
void object_receive(struct object_receive *receive);

/* The routes' handlers, one file each. */
void s3_put_object(struct api_call *call);
void s3_copy_object(struct api_call *call);
void s3_get_object(struct api_call *call);
void s3_delete_object(struct api_call *call);
void s3_list_objects(struct api_call *call);
void s3_delete_objects(struct api_call *call);
/* show.c */
void s3_list_buckets(struct api_call *call);
void s3_list_uploads(struct api_call *call);
void s3_list_parts(struct api_call *call);
/* multipart.c */
void s3_upload_create(struct api_call *call);
void s3_upload_part(struct api_call *call);
void s3_upload_complete(struct api_call *call);
void s3_upload_abort(struct api_call *call);

/* x-amz-meta-*: a JSON object of texts in the arena; false: answered. */
bool s3_metadata(struct api_call *call, struct object_facts *ret_facts) MUST_CHECK;
/* Whether a list as in If-Match names this ETag, given in quotes. */
bool s3_etag_listed(struct bytes list, const char *quoted);
/* Whether the query has this name at all, with or without a value. */
bool s3_query_has(struct api_call *call, const char *name);

#endif

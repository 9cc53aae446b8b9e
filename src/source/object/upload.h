/* source/object/upload.h: the rows of a multipart upload.
 * Owns:    struct upload holds copies of its rows; upload_free.
 * Errors:  NOT_FOUND: no such upload, or not of this bucket and key.
 * Threads: upload_query: a reader's; the rest: the loop's.
 *
 * TABLE_upload, "upload id, part number": object_encode() of the part. Number 0 is the upload
 * itself: content type and metadata of what it will be, then bucket and key. */
#ifndef MEDULLA_SOURCE_OBJECT_UPLOAD_H
#define MEDULLA_SOURCE_OBJECT_UPLOAD_H

#include "source/object/parts.h"

#define UPLOAD_KEY_BYTES (ID_BYTES + 4)
#define UPLOAD_ROW_BYTES_MAX (OBJECT_ROW_BYTES_MAX + OBJECT_KEY_BYTES_MAX + 128)

struct upload_part {
  uint32_t number;
  uint64_t version;
  struct id body;
  uint64_t bytes;
  int64_t modified_ms;
  uint8_t md5[MD5_BYTES];
};

/* All rows of one. Asked for with call, id and objects filled in. */
struct upload {
  struct objects *objects;
  struct api_call *call;
  struct id id;
  struct bytes bucket, key;
  struct buf head; /* the row of number 0; facts point into it */
  struct object_facts facts;
  uint64_t head_version;
  struct upload_part *parts; /* by number */
  size_t count, room;
  bool ok;
  struct err err;
};

struct bytes upload_row_key(struct id id, uint32_t number, uint8_t ret_key[UPLOAD_KEY_BYTES]);
/* The id from the query; false: answered. */
bool upload_id(struct api_call *call, struct id *ret_id) MUST_CHECK;
void upload_init(struct upload *upload, struct api_call *call, struct id id);
void upload_query(struct upload *upload, struct store_reader *reader);
/* NULL, or the part of this number. */
const struct upload_part *upload_part_of(const struct upload *upload, uint64_t number);
/* Every row goes in this commit. */
void upload_commit_remove(const struct upload *upload, struct store_commit *commit);
/* The bodies of its parts: when the rows are gone. */
void upload_drop_bodies(const struct upload *upload);
void upload_fini(struct upload *upload);
void upload_fail(struct api_call *call, const struct err *err);

#endif

/* effect/object_store.h: objects: rows that name bodies, bodies as files. For effects and S3.
 * Owns:    a put owns its half-written file until finish, cancel or the sweep.
 * Units:   bytes; UTC milliseconds.
 * Errors:  FULL, IO, LIMIT, INVALID, NOT_FOUND (the body went with a newer put: look again).
 * Threads: the loop's, but what takes a store_reader: where the reader is.
 * Limits:  OBJECT_BYTES_MAX, OBJECT_BUCKET_BYTES_MAX, OBJECT_KEY_BYTES_MAX, OBJECT_LIST_MAX.
 * Source:  Amazon S3 API: ListObjectsV2, ETag of simple and multipart uploads.
 *
 *   begin -> write ... -> finish (the body is durable, and nobody's) -> commit (row names it)
 *
 * The row is TABLE_object, "bucket NUL key" -> object_encode(); the body is "object/xx/<id>". A
 * body without a row is an orphan: what a crash leaves between finish and commit, or a replaced
 * body that nobody dropped. object_sweep() removes orphans. Parts of multipart uploads are rows of
 * TABLE_upload whose value begins with object_encode(), so the sweep knows them. A bucket that was
 * made without objects is a row with the empty key; lists leave it out.                        */
#ifndef MEDULLA_EFFECT_OBJECT_STORE_H
#define MEDULLA_EFFECT_OBJECT_STORE_H

#include "base/digest.h"
#include "model/event.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"
#include "store/store.h"

#define OBJECT_BYTES_MAX (5ull << 30)
#define OBJECT_BUCKET_BYTES_MAX 63
#define OBJECT_KEY_BYTES_MAX 1024
#define OBJECT_META_BYTES_MAX 2048
#define OBJECT_TYPE_BYTES_MAX 256
#define OBJECT_LIST_MAX 1000
#define OBJECT_ROW_BYTES_MAX 4096
#define OBJECT_ETAG_BYTES 48 /* with NUL, without quotes: 32 hex digits and "-<parts>" */

/* What it stands on; a value, made wherever it is needed. */
struct object_store {
  struct store *store;
  struct disk *disk;
  const struct clock_port *clock;
  const struct random_port *random;
};

struct object_facts {
  struct id body; /* its file */
  uint64_t bytes;
  int64_t modified_ms;
  uint8_t sha256[SHA256_BYTES];
  uint8_t md5[MD5_BYTES];    /* of the body; of the parts' MD5s when `parts` is set */
  uint32_t parts;            /* 0: not a multipart upload */
  struct bytes content_type; /* may be empty */
  struct bytes metadata;     /* x-amz-meta-*: a JSON object of texts, or empty */
};

/* Bucket names as S3 has them: 3 to 63 of a-z, 0-9, '-' and '.'; keys: 1 to 1024 bytes of UTF-8
 * without NUL. */
bool object_name_check(struct bytes bucket, struct bytes key, struct err *err) MUST_CHECK;
/* "bucket NUL key", in the arena. */
struct bytes object_row_key(struct arena *arena, struct bytes bucket, struct bytes key);
void object_encode(struct buf *buf, const struct object_facts *facts);
/* Slices point into the input. Bytes after the record are left for the caller (upload rows). */
bool object_decode(struct bytes input, struct object_facts *ret_facts, struct bytes *ret_rest,
                   struct err *err) MUST_CHECK;
void object_etag(const struct object_facts *facts, char ret_text[OBJECT_ETAG_BYTES]);

/* ---- Writing a body ---- */
struct object_put;
bool object_put_begin(const struct object_store *objects, struct object_put **ret_put,
                      struct err *err) MUST_CHECK;
/* Into the page cache; does not wait for the disk. */
bool object_put_write(struct object_put *put, struct bytes data, struct err *err) MUST_CHECK;
uint64_t object_put_bytes(const struct object_put *put);
/* Makes the body durable off the loop, then calls done on it with body, bytes, digests and time;
 * the rest is the caller's to fill in and commit. On an error the file is gone. Takes the put. */
typedef void object_put_done(void *arg, const struct object_facts *facts, const struct err *err);
void object_put_finish(struct object_put **put_take, object_put_done *done, void *arg);
void object_put_cancel(struct object_put **put);

/* The row of an object in a commit. Drop the body it replaces (object_drop) once that is durable.
 */
void object_commit_put(struct store_commit *commit, struct bytes bucket, struct bytes key,
                       const struct object_facts *facts);
void object_commit_remove(struct store_commit *commit, struct bytes bucket, struct bytes key);
/* Removes a body no row names any more. Best effort: the sweep does what it could not. */
void object_drop(const struct object_store *objects, struct id body);

/* ---- Reading ---- */
/* *ret_version 0: there is none. The row stays in ret_row, which facts point into. */
bool object_stat(struct store_reader *reader, struct bytes bucket, struct bytes key,
                 struct buf *ret_row, struct object_facts *ret_facts, uint64_t *ret_version,
                 struct err *err) MUST_CHECK;
/* The body; close it with file_close. An open body stays readable when it is dropped. */
bool object_open(const struct object_store *objects, struct id body, struct file **ret_file,
                 struct err *err) MUST_CHECK;

struct object_list {
  struct bytes bucket, prefix;
  struct bytes delimiter; /* Optional: keys with it behind the prefix are rolled up */
  struct bytes after;     /* Optional: keys greater than this (start-after, or the last `next`) */
  uint32_t max;           /* at most OBJECT_LIST_MAX keys and prefixes */
};
struct object_listed {
  struct bytes key;                 /* or the rolled up prefix, delimiter included */
  const struct object_facts *facts; /* NULL: a rolled up prefix */
};
typedef void object_visit(void *arg, const struct object_listed *listed);
/* In byte order of keys. ret_next: empty when that was all; else what `after` takes next time. */
bool object_list(struct store_reader *reader, const struct object_list *list, object_visit *visit,
                 void *arg, struct buf *ret_next, struct err *err) MUST_CHECK;

/* ---- Events and house-keeping ---- */
/* The event of a change, in S3's shape ({"Records": [...]}) with bucket as source and key as
 * subject: everything in the arena. name: "ObjectCreated:Put", "ObjectRemoved:Delete", ... facts
 * may be NULL. Fill in cause, depth and principal. */
struct object_change {
  const char *name;
  struct bytes bucket, key;
  const struct object_facts *facts;
  struct id id; /* of the event; none: a new one */
};
bool object_event(const struct object_store *objects, struct arena *arena,
                  const struct object_change *change, struct event *ret_event,
                  struct err *err) MUST_CHECK;
/* Removes bodies made before this time that no row names: at start with now, later with a day. */
bool object_sweep(const struct object_store *objects, struct store_reader *reader,
                  int64_t before_ms, uint32_t *ret_removed, struct err *err) MUST_CHECK;

#endif

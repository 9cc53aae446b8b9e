/* source/object/object.h: objects over S3's API, path style under /s3/; each change is an event.
 * Owns:    uploads under way; objects are the store's and the disk's.
 * Units:   bytes.
 * Errors:  answered as S3's XML with its codes.
 * Threads: the loop's; scans on a reader's.
 * Limits:  OBJECT_* here and in effect/object_store.h.
 * Source:  Amazon S3 API Reference.
 *
 *   PUT: body to a file while it comes -> checked and durable -> one commit: row, event, deliveries
 *
 * Buckets need not be made. Objects have no versions, and no access lists: a principal that may
 * touch data may touch all of them. */
#ifndef MEDULLA_SOURCE_OBJECT_OBJECT_H
#define MEDULLA_SOURCE_OBJECT_OBJECT_H

#include "source/api/api.h"

#define OBJECT_PART_MAX 10000        /* of a multipart upload */
#define OBJECT_DELETE_MAX 1000       /* keys in one DeleteObjects */
#define OBJECT_CONFLICTS_MAX 8       /* writers of one key in each other's way; then 409 */
#define OBJECT_COPY_BYTES (1u << 20) /* of a part, in one turn of the loop */

struct objects;
void objects_open(struct api *api, struct objects **ret_objects);
void objects_close(struct objects **objects);

#endif

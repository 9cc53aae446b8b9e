/* source/telemetry/telemetry.h: POST /telemetry: device samples in, 202 when durable.
 * Owns:    nothing; a request owns its batch.
 * Errors:  see batch.h; 400 names the first bad line, and nothing of the request is stored.
 * Threads: the loop's thread.
 * Limits:  TELEMETRY_BYTES_MAX a request, TELEMETRY_BATCH_ID_BYTES_MAX.
 *
 * The samples become events of type EVENT_TYPE_TELEMETRY, one for each part of batch.h, whose
 * subject is the shard. With the header Medulla-Batch-Id a request can be sent again: a part that
 * was accepted before is not accepted twice.                                                   */
#ifndef MEDULLA_SOURCE_TELEMETRY_TELEMETRY_H
#define MEDULLA_SOURCE_TELEMETRY_TELEMETRY_H

#include "source/api/api.h"

#define TELEMETRY_BYTES_MAX (64u << 20)
#define TELEMETRY_BATCH_ID_BYTES_MAX 128

void telemetry_add(struct api *api);

#endif

/* effect/egress_wire.h: what the core and the egress process say to each other.
 * Owns:    nothing; slices read point into the input.
 * Units:   bytes, milliseconds.
 * Errors:  reading: CORRUPT; LIMIT for a frame larger than EGRESS_FRAME_BYTES_MAX.
 * Threads: pure; any thread.
 * Limits:  EGRESS_FRAME_BYTES_MAX.
 *
 *   frame:   length of the rest (4 bytes, big-endian), the fields below (wire/fields.h)
 *   request: number, kind, timeout_ms, allow_private, url, method, headers, body, mail_from,
 *            mail_to, user, password
 *   answer:  number, error code, detail, status, headers, redirect, body                        */
#ifndef MEDULLA_EFFECT_EGRESS_WIRE_H
#define MEDULLA_EFFECT_EGRESS_WIRE_H

#include "base/buf.h"
#include "effect/egress.h"

#define EGRESS_SOCKET_FD 3 /* in the egress process */
#define EGRESS_HEADER_BYTES_MAX (64u << 10)
#define EGRESS_FRAME_BYTES_MAX (EGRESS_BODY_BYTES_MAX + (256u << 10))
#define EGRESS_BUSY_MAX 64 /* requests under way at once in the process */

/* The first frame in the input: EGRESS_MORE when it is not there whole. */
enum egress_frame { EGRESS_MORE, EGRESS_FRAME, EGRESS_BAD };
enum egress_frame egress_frame_next(struct bytes input, struct bytes *ret_frame,
                                    size_t *ret_consumed);

void egress_put_request(struct buf *buf, uint64_t number, const struct egress_request *request);
bool egress_get_request(struct bytes frame, uint64_t *ret_number,
                        struct egress_request *ret_request, struct err *err) MUST_CHECK;
void egress_put_answer(struct buf *buf, uint64_t number, const struct egress_answer *answer);
bool egress_get_answer(struct bytes frame, uint64_t *ret_number, struct egress_answer *ret_answer,
                       struct err *err) MUST_CHECK;

#endif

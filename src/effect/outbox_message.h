/* effect/outbox_message.h: from an outbox row to the request that sends it.
 * Owns:    the request's slices live in the arena, the row and the secret.
 * Units:   UTC milliseconds.
 * Errors:  INVALID: the contact or text cannot be sent, ever. LIMIT.
 * Threads: pure; any thread.
 * Limits:  the arena's.
 * Source:  Standard Webhooks 1.0 (webhook-id, webhook-timestamp, webhook-signature);
 *          draft-ietf-httpapi-idempotency-key-header; RFC 5322.                             */
#ifndef MEDULLA_EFFECT_OUTBOX_MESSAGE_H
#define MEDULLA_EFFECT_OUTBOX_MESSAGE_H

#include "base/arena.h"
#include "effect/egress.h"
#include "effect/outbox_row.h"

/* The name of the app's secret the contact needs, or empty. */
bool outbox_secret_name(struct arena *arena, const struct outbox_row *row, struct bytes *ret_name,
                        struct err *err) MUST_CHECK;
bool outbox_message(struct arena *arena, const struct outbox_row *row, struct bytes secret,
                    int64_t now_ms, struct egress_request *ret_request, struct err *err) MUST_CHECK;

#endif

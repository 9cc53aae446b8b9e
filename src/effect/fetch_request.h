/* effect/fetch_request.h: from the guest's payload to an HTTP request, and back.
 * Owns:    a request lives in the call's arena.
 * Units:   milliseconds, bytes.
 * Errors:  INVALID, LIMIT, MALFORMED: what is wrong with the payload or a redirect.
 * Threads: the loop's.
 * Limits:  FETCH_ANSWER_BYTES_MAX, FETCH_TIMEOUT_MS, EGRESS_BODY_BYTES_MAX, 64 KiB of headers.
 * Source:  Fetch Standard §2.2 (forbidden names, redirects); runtime/js/fetch.js.             */
#ifndef MEDULLA_EFFECT_FETCH_REQUEST_H
#define MEDULLA_EFFECT_FETCH_REQUEST_H

#include "effect/call.h"
#include "effect/egress.h"

#define FETCH_ANSWER_BYTES_MAX (12u << 20)
#define FETCH_TIMEOUT_MS 30000

struct fetch_request {
  struct bytes url;    /* without fragment */
  struct bytes origin; /* scheme://host:port: no path, which may be personal */
  struct bytes method, headers, body;
  int64_t timeout_ms;
};

bool fetch_request_read(struct effect_call *call, struct fetch_request *ret_request,
                        struct err *err) MUST_CHECK;
bool fetch_is_redirect(const struct egress_answer *answer);
/* Turns the request into that of the next hop. Credentials do not follow to another origin. */
bool fetch_request_hop(struct effect_call *call, struct fetch_request *request, int status,
                       struct bytes url, struct err *err) MUST_CHECK;
/* What fetch.js reads: {status, statusText, url, redirected, headers, body, encoding}. */
void fetch_answer_write(struct buf *buf, const struct egress_answer *answer, struct bytes url,
                        bool redirected);

#endif

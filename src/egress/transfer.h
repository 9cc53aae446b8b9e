/* egress/transfer.h: one request on its way: from a decoded egress_request to an egress_answer.
 * Owns:    a transfer owns its copy of the request, its easy handle and what was received.
 * Units:   bytes, milliseconds.
 * Errors:  in the answer: DENIED (address), UNREACHABLE, TIMEOUT, LIMIT, CLOSED, INVALID.
 * Threads: the process's one thread.
 * Limits:  EGRESS_BODY_BYTES_MAX, EGRESS_HEADER_BYTES_MAX, CONNECT_MS_MAX.
 *
 * libcurl resolves once for each connection and asks us about every address before it connects, and
 * again before a request goes out on a connection it kept: a name that points somewhere else the
 * next time gains nothing. Nothing is followed, no proxy or file of credentials is looked at.   */
#ifndef MEDULLA_EGRESS_TRANSFER_H
#define MEDULLA_EGRESS_TRANSFER_H

#include "base/arena.h"
#include "base/list.h"
#include "effect/egress_wire.h"

#include <curl/curl.h>

struct transfer {
  struct list link;
  uint64_t number;
  bool allow_private;
  bool denied;    /* an address was refused */
  bool too_large; /* the answer was cut */
  bool typed;     /* the request names its content type */
  CURL *easy;
  struct curl_slist *headers, *recipients;
  struct bytes upload; /* of a mail; into `frame` */
  struct buf frame;    /* the request, copied */
  struct buf head, body;
  struct arena arena;
};

/* False: the answer says why, and there is no transfer. */
bool transfer_new(struct bytes frame, uint64_t *ret_number, struct transfer **ret_transfer,
                  struct err *err) MUST_CHECK;
/* After libcurl is done with it. The answer's slices live as long as the transfer. */
void transfer_answer(struct transfer *transfer, CURLcode code, struct egress_answer *ret_answer);
void transfer_free(struct transfer **transfer);

#endif

/* effect/egress.h: the port to the one process that connects outward.
 * Owns:    the port's implementer owns its process; a request is copied.
 * Units:   milliseconds, bytes.
 * Errors:  in the answer: DENIED (address not allowed), UNREACHABLE, TIMEOUT, LIMIT, CLOSED.
 * Threads: the loop's thread.
 * Limits:  EGRESS_BODY_BYTES_MAX each way.
 *
 * Real: effect/egress_client.c in front of build/medulla-egress. Simulated: tests/sim has its own.
 */
#ifndef MEDULLA_EFFECT_EGRESS_H
#define MEDULLA_EFFECT_EGRESS_H

#include "base/bytes.h"
#include "base/err.h"

#define EGRESS_BODY_BYTES_MAX (8u << 20)

enum egress_kind { EGRESS_HTTP, EGRESS_SMTP };

struct egress_request {
  enum egress_kind kind;
  struct bytes url;       /* http(s)://…, smtp(s)://… */
  struct bytes method;    /* http */
  struct bytes headers;   /* "Name: value\r\n" lines */
  struct bytes body;      /* http body; the whole RFC 5322 message for smtp */
  struct bytes mail_from; /* smtp envelope */
  struct bytes mail_to;   /* smtp envelope, comma-separated */
  int64_t timeout_ms;
  bool allow_private;    /* a granted private or loopback address may be connected to */
  bool follow_redirects; /* every hop is checked like the first; only to `origin` */
};

struct egress_answer {
  struct err err;
  int status;           /* http */
  struct bytes headers; /* likewise lines; valid during the call */
  struct bytes body;
};
typedef void egress_done(void *arg, const struct egress_answer *answer);

struct egress_ops {
  void (*request)(void *self, const struct egress_request *request, egress_done *done, void *arg);
  /* Rows were added to TABLE_outbox: send what is due. */
  void (*outbox)(void *self);
};
struct egress_port {
  const struct egress_ops *ops;
  void *self;
};

#endif

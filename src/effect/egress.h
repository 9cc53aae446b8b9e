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
#define EGRESS_TIMEOUT_MS_MAX 120000

struct stage;

enum egress_kind { EGRESS_HTTP, EGRESS_SMTP };

struct egress_request {
  enum egress_kind kind;
  struct bytes url;            /* http(s)://…, smtp(s)://… */
  struct bytes method;         /* http */
  struct bytes headers;        /* "Name: value\r\n" lines */
  struct bytes body;           /* http body; the whole RFC 5322 message for smtp */
  struct bytes mail_from;      /* smtp envelope */
  struct bytes mail_to;        /* smtp envelope, comma-separated */
  struct bytes user, password; /* smtp; empty: no login */
  int64_t timeout_ms;
  bool allow_private; /* a granted private or loopback address may be connected to */
};

struct egress_answer {
  struct err err;
  int status;            /* http; smtp: the server's last reply code, 0: none */
  struct bytes headers;  /* likewise lines; valid during the call */
  struct bytes body;     /* likewise */
  struct bytes redirect; /* where it points, absolute; nothing is followed: whoever asked checks its
                          * grant for the next hop and asks again */
};
typedef void egress_done(void *arg, const struct egress_answer *answer);

struct egress_ops {
  void (*request)(void *self, const struct egress_request *request, egress_done *done, void *arg);
  /* This stage's rows of TABLE_outbox are durable: send what is due. */
  void (*outbox)(void *self, const struct stage *stage);
};
struct egress_port {
  const struct egress_ops *ops;
  void *self;
};

#endif

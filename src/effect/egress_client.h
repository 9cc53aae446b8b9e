/* effect/egress_client.h: the core's end of the egress process.
 * Owns:    the process and its socket; requests are copied, `done` is called once for each.
 * Units:   milliseconds.
 * Errors:  egress_open: what starting it says. In answers: CLOSED (the process ended with the
 *          request under way), UNAVAILABLE (it is not up), BUSY, TIMEOUT.
 * Threads: the loop's.
 * Limits:  EGRESS_PENDING_MAX requests, EGRESS_UNSENT_BYTES_MAX waiting for the socket.
 *
 * A process that ends is started again, at first at once, then ever later (RESTART_MS_MAX).     */
#ifndef MEDULLA_EFFECT_EGRESS_CLIENT_H
#define MEDULLA_EFFECT_EGRESS_CLIENT_H

#include "effect/egress.h"
#include "os/loop.h"

#define EGRESS_PENDING_MAX 1024
#define EGRESS_UNSENT_BYTES_MAX (64u << 20)

/* path: the medulla-egress program. */
bool egress_open(struct loop *loop, const char *path, struct egress_port **ret_port,
                 struct err *err) MUST_CHECK;
/* Ends the process; what is under way is answered with CLOSED first. */
void egress_close(struct egress_port **port);

/* For metrics and tests. */
struct egress_load {
  int pid; /* 0: not up */
  uint32_t pending;
  uint64_t requests, restarts;
};
struct egress_load egress_load(const struct egress_port *port);

#endif

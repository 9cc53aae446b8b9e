/* wire/traceparent.h: where a request stands in a distributed trace.
 * Owns:    nothing.
 * Errors:  traceparent_parse: MALFORMED; the caller then starts a trace of its own.
 * Threads: pure; any thread (randomness is handed in).
 * Source:  W3C Trace Context, §3.2 (traceparent) and §4 (versions to come).        */
#ifndef MEDULLA_WIRE_TRACEPARENT_H
#define MEDULLA_WIRE_TRACEPARENT_H

#include "base/bytes.h"
#include "base/err.h"

#define TRACEPARENT_BYTES 56 /* with NUL */
#define TRACEPARENT_SAMPLED 1

struct traceparent {
  uint8_t trace[16], span[8];
  uint8_t flags;
};

bool traceparent_parse(struct bytes text, struct traceparent *ret_trace,
                       struct err *err) MUST_CHECK;
void traceparent_format(const struct traceparent *trace, char ret_text[TRACEPARENT_BYTES]);
/* A new trace, or, with a parent, a new span in its trace; an all-zero id is never made. */
struct traceparent traceparent_make(const struct traceparent *parent, const uint8_t random[24]);

#endif

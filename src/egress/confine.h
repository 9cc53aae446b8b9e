/* egress/confine.h: what the egress process gives up before it hears its first request.
 * Owns:    nothing.
 * Errors:  DENIED, IO: a step that must work did not. Landlock may be missing on the host.
 * Threads: before there are threads.
 * Source:  landlock(7), seccomp(2), prctl(2).                                              */
#ifndef MEDULLA_EGRESS_CONFINE_H
#define MEDULLA_EGRESS_CONFINE_H

#include "base/err.h"

/* No core dumps, no new privileges, no root, files only to read and only where resolver, CA bundle
 * and libraries are; no programs, no listening, no looking into other processes. */
bool confine(struct err *err) MUST_CHECK;

#endif

/* os/wake.h: wake another thread or process that sleeps in its loop: an eventfd.
 * Owns:    the descriptor, close(2) it; it may be inherited or passed on.
 * Errors:  wake_open: BUSY (no descriptor left), IO, NO_MEMORY.
 * Threads: any; any process that holds the descriptor.
 * Source:  eventfd(2).                                                          */
#ifndef MEDULLA_OS_WAKE_H
#define MEDULLA_OS_WAKE_H

#include "base/err.h"

/* Non-blocking, closed on exec; readable from a signal until it is drained. */
bool wake_open(int *ret_fd, struct err *err) MUST_CHECK;
/* Never blocks; many signals before a drain count as one. */
void wake_signal(int fd);
/* True when there was a signal since the last drain. */
bool wake_drain(int fd);

#endif

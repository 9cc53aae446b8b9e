/* os/secret.h: memory for keys: locked where the kernel allows it, in no core dump, in no child.
 * Owns:    secret_alloc's memory until secret_free, which wipes it.
 * Units:   bytes.
 * Errors:  none: no memory is a broken promise (must).
 * Threads: any.
 * Limits:  whole pages; RLIMIT_MEMLOCK decides what is locked.
 * Source:  mlock(2), madvise(2), prctl(2) PR_SET_DUMPABLE.                                      */
#ifndef MEDULLA_OS_SECRET_H
#define MEDULLA_OS_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed. */
void *secret_alloc(size_t bytes);
void secret_free(void **at, size_t bytes);
/* Whether all of it so far could be locked: else it may reach the swap. */
bool secret_is_locked(void);
/* No core file and no debugger for this process from now on. */
void secret_process(void);

#endif

/* os/futex.h: sleep on a word in shared memory until another process changes it.
 * Owns:    nothing.
 * Units:   nanoseconds on the monotonic clock.
 * Errors:  none: a sleeper looks again at what it waits for; it may wake for no reason.
 * Threads: any, across processes.
 * Source:  futex(2).                                                                 */
#ifndef MEDULLA_OS_FUTEX_H
#define MEDULLA_OS_FUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sleeps while *at is `value`, at most until until_mono_ns (INT64_MAX: no limit). False: timed out.
 */
bool futex_wait(_Atomic uint32_t *at, uint32_t value, int64_t until_mono_ns);
void futex_wake_one(_Atomic uint32_t *at);

#endif

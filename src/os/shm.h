/* os/shm.h: shared memory between processes: a memfd whose size is sealed.
 * Owns:    the descriptor: close(2); the mapping: shm_unmap.
 * Units:   bytes.
 * Errors:  NO_MEMORY, BUSY, IO; shm_map: MALFORMED (not sealed, or of another size).
 * Threads: any.
 * Limits:  SHM_BYTES_MAX.
 * Source:  memfd_create(2), fcntl(2) F_ADD_SEALS.
 *
 * A sealed size is what makes mapping a foreign descriptor safe: nobody can shrink it under us.  */
#ifndef MEDULLA_OS_SHM_H
#define MEDULLA_OS_SHM_H

#include "base/err.h"

#define SHM_BYTES_MAX (1ull << 32)

/* Zeroed, closed on exec. `name` shows in /proc only. */
bool shm_create(const char *name, size_t bytes, int *ret_fd, struct err *err) MUST_CHECK;
/* Empty, of no fixed size: for a file that is made where no file may lie. */
bool shm_create_growing(const char *name, int *ret_fd, struct err *err) MUST_CHECK;
/* Maps all of it, after checking that it is sealed and exactly `bytes` long. */
bool shm_map(int fd, size_t bytes, bool writable, void **ret_at, struct err *err) MUST_CHECK;
/* From now on nobody can make a new writable mapping; the ones that exist stay. */
bool shm_seal_future_writes(int fd, struct err *err) MUST_CHECK;
void shm_unmap(void **at, size_t bytes);

#endif

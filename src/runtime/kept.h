/* runtime/kept.h: files that workers read or write by descriptor, kept on a disk port that may be
 * sealed: workers get a copy in memory.
 * Owns:    the descriptor is the caller's: close(2).
 * Units:   bytes.
 * Errors:  NOT_FOUND, CORRUPT, FULL, NO_MEMORY, IO.
 * Threads: any.
 * Limits:  SHM_BYTES_MAX.                                                                        */
#ifndef MEDULLA_RUNTIME_KEPT_H
#define MEDULLA_RUNTIME_KEPT_H

#include "os/file.h"

/* A copy of the file; nobody can change its size. */
bool kept_load(struct disk *disk, const char *path, int *ret_fd, struct err *err) MUST_CHECK;
/* What the descriptor holds becomes the file; not synced. */
bool kept_save(struct disk *disk, const char *path, int fd, struct err *err) MUST_CHECK;
/* Leaves -1; harmless then. */
void kept_close(int *fd);

#endif

/* store/vfs.h: SQLite's view of the disk port: the same code on a real and a simulated disk.
 * Owns:    itself, registered under its name until vfs_free; connections must be closed before.
 * Errors:  none of its own; SQLite's codes inside.
 * Threads: any; one connection per thread at a time.
 * Limits:  pages of PAGE_BYTES; VFS_SHM_REGIONS_MAX regions of log index.
 *
 * All connections are in this process (a lock on the folder keeps others out), so locks and the
 * log's index live in its memory: nothing is mapped, nothing is shared through the disk.       */
#ifndef MEDULLA_STORE_VFS_H
#define MEDULLA_STORE_VFS_H

#include "os/file.h"
#include "os/random.h"
#include "store/page.h"

#include <stdatomic.h>

#define VFS_NAME_BYTES 40
#define VFS_SHM_REGIONS_MAX 4096

struct vfs;

struct vfs *vfs_new(struct disk *disk, const struct page_key *key);
void vfs_free(struct vfs **vfs);
const char *vfs_name(const struct vfs *vfs);
/* A sync of the log failed: nobody knows what the disk holds until it is opened again. */
bool vfs_sync_failed(const struct vfs *vfs);
/* The page that last failed its check, or 0. */
uint32_t vfs_bad_page(const struct vfs *vfs);

#endif

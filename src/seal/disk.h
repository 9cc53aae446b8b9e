/* seal/disk.h: a disk port whose files are sealed on the disk below it.
 * Owns:    the port, until disk_close; the disk below and the ring outlive it.
 * Units:   bytes.
 * Errors:  as os/file.h; CORRUPT names the file that is not what was sealed; UNSUPPORTED for a
 *          write anywhere but at the end.
 * Threads: as os/file.h.
 * Limits:  chunks of 1 KiB to 1 MiB.
 *
 *   header   "MEDSEAL1", bytes of a chunk (4), epoch of keys (4), id (16), nonce (24), tag (16)
 *   chunks   nonce (24), cipher, tag (16); all but the last are full
 *
 * The header is bound to the file's folder and its name up to the first dot, so that a save
 * through a temporary name stays one write; a rename to another name binds it anew. A chunk is
 * bound to the id, its index, and whether it is the last: what is moved, swapped or cut is found.
 * An end is written by file_sync, by file_truncate to the size it has, and by file_close.        */
#ifndef MEDULLA_SEAL_DISK_H
#define MEDULLA_SEAL_DISK_H

#include "os/file.h"
#include "seal/keys.h"

#define SEALED_OBJECT_CHUNK 65536
#define SEALED_INDEX_CHUNK 4096

struct disk *sealed_disk_new(struct disk *below, const struct keyring *keys, uint32_t chunk_bytes);
/* The epoch a file below was sealed in; 0: it is no sealed file. */
uint32_t sealed_epoch(struct disk *below, const char *path);

#endif

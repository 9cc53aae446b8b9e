/* os/disk_sim.h: a simulated disk: loses, tears and reorders what was not synced, fills, fails.
 * Owns:    everything on it, until disk_close.
 * Units:   bytes; calls: every call that could fail, counted from the start.
 * Errors:  FULL past the quota; the code asked for at the chosen call; IO without power.
 * Threads: any; one lock.
 * Limits:  the quota; content lives in memory.
 *
 * The promises are those of a journaling file system on an honest drive, and no more:
 * - A write is durable once file_sync returned; before, a crash keeps any subset of its 512-byte
 *   sectors, whatever the order of writes.
 * - A name is durable once disk_sync_dir of its folder returned; before, a crash keeps a prefix of
 *   the folder's changes.
 * - After a sync that failed nothing is known, and a later sync does not repeat it. */
#ifndef MEDULLA_OS_DISK_SIM_H
#define MEDULLA_OS_DISK_SIM_H

#include "os/file.h"

#define DISK_SIM_SECTOR_BYTES 512

struct disk *disk_new_simulated(uint64_t seed);
/* At most so many bytes of content; 0: no quota. */
void disk_sim_quota(struct disk *disk, uint64_t bytes);
/* The Nth call from now fails with this code, the next ones work again; 0: none. */
void disk_sim_fail(struct disk *disk, uint64_t nth_call, enum err_code code);
/* After so many more calls there is no power: every call fails until disk_sim_crash. */
void disk_sim_power_off(struct disk *disk, uint64_t after_calls);
/* The machine stops and starts again: decides what survived. Open files fail from now on. */
void disk_sim_crash(struct disk *disk);
uint64_t disk_sim_calls(struct disk *disk);
uint64_t disk_sim_bytes(struct disk *disk);
/* Turns one bit over, durably. False when there is no such byte. */
bool disk_sim_flip(struct disk *disk, const char *path, uint64_t offset, unsigned bit);

#endif

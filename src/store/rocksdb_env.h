/* store/rocksdb_env.h: RocksDB's files through a disk port, which may be sealed.
 * Owns:    the environment until rocksdb_env_close; the disk outlives it, the database does not.
 * Errors:  RocksDB's, as texts: "Corruption", "No space left", and so on.
 * Threads: RocksDB's own; the disk port takes them all.
 *
 * C++ is needed because RocksDB's C interface has no environment of one's own.                */
#ifndef MEDULLA_STORE_ROCKSDB_ENV_H
#define MEDULLA_STORE_ROCKSDB_ENV_H

struct disk;
struct rocksdb_env_t;

#ifdef __cplusplus
extern "C" {
#endif

struct rocksdb_env_t *rocksdb_env_open(struct disk *disk);
void rocksdb_env_close(struct rocksdb_env_t **env);

#ifdef __cplusplus
}
#endif

#endif

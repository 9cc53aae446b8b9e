/* os/file.h: files behind a port: real, or a simulated disk that tears, reorders, fills and fails.
 * Owns:    struct file until file_close; struct disk is a port with its owner's lifetime.
 * Units:   bytes; offsets from the start of the file.
 * Errors:  FULL, IO, DENIED, NOT_FOUND, EXISTS, LIMIT.
 * Threads: the real disk: any, one thread per file at a time for writes; reads may overlap.
 * Limits:  DISK_PATH_BYTES_MAX. Paths are relative to the disk's root; ".." is refused.        */
#ifndef MEDULLA_OS_FILE_H
#define MEDULLA_OS_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define DISK_PATH_BYTES_MAX 512

struct disk;
struct file;

enum file_mode {
  FILE_READ = 1,
  FILE_WRITE = 2,
  FILE_CREATE = 4,
  FILE_EXCLUSIVE = 8, /* with CREATE: EXISTS when it is there */
  FILE_TRUNCATE = 16,
};

/* The real disk under a root folder, which is made (0700) when missing. */
bool disk_open_real(const char *root, struct disk **ret_disk, struct err *err) MUST_CHECK;
void disk_close(struct disk **disk);
/* Absolute path of the root on a real disk; NULL on a simulated one. */
const char *disk_root(const struct disk *disk);

bool file_open(struct disk *disk, const char *path, unsigned mode, struct file **ret_file,
               struct err *err) MUST_CHECK;
void file_close(struct file **file);
/* Reads up to len at offset; *ret_len is shorter only at the end of the file. */
bool file_read(struct file *file, uint64_t offset, void *at, size_t len, size_t *ret_len,
               struct err *err) MUST_CHECK;
bool file_write(struct file *file, uint64_t offset, struct bytes data, struct err *err) MUST_CHECK;
bool file_sync(struct file *file, struct err *err) MUST_CHECK; /* data and size are durable */
bool file_truncate(struct file *file, uint64_t bytes, struct err *err) MUST_CHECK;
bool file_size(struct file *file, uint64_t *ret_bytes, struct err *err) MUST_CHECK;
/* The descriptor of a real file (for passing on), or -1. */
int file_fd(const struct file *file);

bool disk_exists(struct disk *disk, const char *path);
bool disk_remove(struct disk *disk, const char *path, struct err *err) MUST_CHECK;
bool disk_rename(struct disk *disk, const char *from, const char *to, struct err *err) MUST_CHECK;
bool disk_mkdir(struct disk *disk, const char *path, struct err *err) MUST_CHECK; /* with parents */
bool disk_sync_dir(struct disk *disk, const char *path, struct err *err) MUST_CHECK;
/* Names in a folder, one call each; stops when visit returns false. */
bool disk_list(struct disk *disk, const char *path, bool (*visit)(void *arg, const char *name),
               void *arg, struct err *err) MUST_CHECK;

/* Whole small files: written to a temporary name, synced, renamed, folder synced. */
bool disk_save(struct disk *disk, const char *path, struct bytes data, struct err *err) MUST_CHECK;
bool disk_load(struct disk *disk, const char *path, size_t bytes_max, struct buf *ret_data,
               struct err *err) MUST_CHECK;

/* One process per folder: a lock that ends with the process. EXISTS says who holds it. */
bool disk_lock(struct disk *disk, const char *path, struct file **ret_lock,
               struct err *err) MUST_CHECK;

/* A disk port, for other implementations (simulated, encrypted). */
struct disk_ops;

#endif

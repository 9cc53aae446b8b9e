/* os/disk_ops.h: the port behind file.h, for disks of any kind (real, simulated, encrypted).
 * Owns:    see file.h; an implementation puts struct disk and struct file first in its own.
 * Errors:  as file.h.
 * Threads: as file.h.
 * Limits:  paths reach an implementation checked: relative, no "..", DISK_PATH_BYTES_MAX.       */
#ifndef MEDULLA_OS_DISK_OPS_H
#define MEDULLA_OS_DISK_OPS_H

#include "os/file.h"

struct disk_ops {
  void (*close)(struct disk *disk);
  const char *(*root)(const struct disk *disk);
  bool (*open)(struct disk *disk, const char *path, unsigned mode, struct file **ret_file,
               struct err *err);
  bool (*exists)(struct disk *disk, const char *path);
  bool (*remove)(struct disk *disk, const char *path, struct err *err);
  bool (*rename)(struct disk *disk, const char *from, const char *to, struct err *err);
  bool (*mkdir)(struct disk *disk, const char *path, struct err *err);
  bool (*sync_dir)(struct disk *disk, const char *path, struct err *err);
  bool (*list)(struct disk *disk, const char *path, bool (*visit)(void *arg, const char *name),
               void *arg, struct err *err);
  bool (*lock)(struct disk *disk, const char *path, struct file **ret_lock, struct err *err);

  void (*file_close)(struct file *file);
  bool (*file_read)(struct file *file, uint64_t offset, void *at, size_t len, size_t *ret_len,
                    struct err *err);
  bool (*file_write)(struct file *file, uint64_t offset, struct bytes data, struct err *err);
  bool (*file_sync)(struct file *file, struct err *err);
  bool (*file_truncate)(struct file *file, uint64_t bytes, struct err *err);
  bool (*file_size)(struct file *file, uint64_t *ret_bytes, struct err *err);
  int (*file_fd)(const struct file *file);
};

struct disk {
  const struct disk_ops *ops;
};

struct file {
  const struct disk_ops *ops;
};

#endif

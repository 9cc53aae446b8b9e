/* os/file.c: the calls through the disk port, the check of paths, and whole small files. */
#include "base/cleanup.h"
#include "os/disk_ops.h"

#include <stdio.h>
#include <string.h>

/* A path stays under the root: relative, without an empty, "." or ".." part. "" is the root. */
static bool check_path(const char *path, struct err *err) {
  struct bytes rest = bytes_str(path);
  if (rest.len > DISK_PATH_BYTES_MAX) FAIL(ERR_LIMIT, "a path exceeds DISK_PATH_BYTES_MAX");
  while (rest.len) {
    bool more = bytes_find(rest, '/') < rest.len;
    struct bytes part = bytes_cut(rest, '/', &rest);
    bool bad = part.len == 0 || bytes_eq_str(part, ".") || bytes_eq_str(part, "..");
    if (bad || (more && rest.len == 0)) FAIL(ERR_DENIED, "a path must stay within its folder");
  }
  return true;
}

void disk_close(struct disk **disk) {
  if (!*disk) return;
  (*disk)->ops->close(*disk);
  *disk = NULL;
}

const char *disk_root(const struct disk *disk) {
  return disk->ops->root(disk);
}

bool file_open(struct disk *disk, const char *path, unsigned mode, struct file **ret_file,
               struct err *err) {
  TRY(check_path(path, err));
  return disk->ops->open(disk, path, mode, ret_file, err);
}

void file_close(struct file **file) {
  if (!*file) return;
  (*file)->ops->file_close(*file);
  *file = NULL;
}

bool file_read(struct file *file, uint64_t offset, void *at, size_t len, size_t *ret_len,
               struct err *err) {
  return file->ops->file_read(file, offset, at, len, ret_len, err);
}

bool file_write(struct file *file, uint64_t offset, struct bytes data, struct err *err) {
  return file->ops->file_write(file, offset, data, err);
}

bool file_sync(struct file *file, struct err *err) {
  return file->ops->file_sync(file, err);
}

bool file_truncate(struct file *file, uint64_t bytes, struct err *err) {
  return file->ops->file_truncate(file, bytes, err);
}

bool file_size(struct file *file, uint64_t *ret_bytes, struct err *err) {
  return file->ops->file_size(file, ret_bytes, err);
}

int file_fd(const struct file *file) {
  return file->ops->file_fd(file);
}

bool disk_exists(struct disk *disk, const char *path) {
  struct err err;
  return check_path(path, &err) && disk->ops->exists(disk, path);
}

bool disk_remove(struct disk *disk, const char *path, struct err *err) {
  TRY(check_path(path, err));
  return disk->ops->remove(disk, path, err);
}

bool disk_rename(struct disk *disk, const char *from, const char *to, struct err *err) {
  TRY(check_path(from, err));
  TRY(check_path(to, err));
  return disk->ops->rename(disk, from, to, err);
}

bool disk_mkdir(struct disk *disk, const char *path, struct err *err) {
  TRY(check_path(path, err));
  return disk->ops->mkdir(disk, path, err);
}

bool disk_sync_dir(struct disk *disk, const char *path, struct err *err) {
  TRY(check_path(path, err));
  return disk->ops->sync_dir(disk, path, err);
}

bool disk_list(struct disk *disk, const char *path, bool (*visit)(void *arg, const char *name),
               void *arg, struct err *err) {
  TRY(check_path(path, err));
  return disk->ops->list(disk, path, visit, arg, err);
}

bool disk_lock(struct disk *disk, const char *path, struct file **ret_lock, struct err *err) {
  TRY(check_path(path, err));
  return disk->ops->lock(disk, path, ret_lock, err);
}

/* ---- Whole small files ---- */

#define cleanup_file __attribute__((cleanup(file_close)))

static bool write_new(struct disk *disk, const char *path, struct bytes data, struct err *err) {
  cleanup_file struct file *file = NULL;
  TRY(file_open(disk, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file, err));
  TRY(file_write(file, 0, data, err));
  return file_sync(file, err);
}

bool disk_save(struct disk *disk, const char *path, struct bytes data, struct err *err) {
  char temporary[DISK_PATH_BYTES_MAX + 8], folder[DISK_PATH_BYTES_MAX + 1];
  TRY(check_path(path, err));
  snprintf(temporary, sizeof temporary, "%s.new", path);
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash)
    *slash = '\0';
  else
    folder[0] = '\0';
  bool good = write_new(disk, temporary, data, err) && disk_rename(disk, temporary, path, err);
  if (!good) {
    struct err ignored; /* the first error is the one to tell */
    if (!disk_remove(disk, temporary, &ignored)) return false;
    return false;
  }
  return disk_sync_dir(disk, folder, err);
}

bool disk_load(struct disk *disk, const char *path, size_t bytes_max, struct buf *ret_data,
               struct err *err) {
  cleanup_file struct file *file = NULL;
  uint64_t bytes;
  size_t len;
  TRY(file_open(disk, path, FILE_READ, &file, err));
  TRY(file_size(file, &bytes, err));
  if (bytes > bytes_max) FAIL(ERR_LIMIT, "a file is larger than %zu bytes", bytes_max);
  uint8_t *at = buf_room(ret_data, (size_t)bytes);
  if (!at && bytes) FAIL(ERR_LIMIT, "a file does not fit its buffer");
  if (!bytes) return true;
  TRY(file_read(file, 0, at, (size_t)bytes, &len, err));
  buf_grew(ret_data, len);
  return true;
}

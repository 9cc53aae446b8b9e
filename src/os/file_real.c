/* os/file_real.c: the real disk: every path is opened relative to the root's descriptor.
 *
 * A folder's lock is an open-file-description lock: the kernel drops it with the process, it does
 * not depend on which thread closes what, and the holder's pid stands in the file for people. */
#define _GNU_SOURCE
#include "base/cleanup.h"
#include "base/must.h"
#include "os/disk_ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDER_MODE = 0700, FILE_MODE = 0600 };

struct real_disk {
  struct disk disk;
  int root_fd;
  char root[PATH_MAX];
};

struct real_file {
  struct file file;
  int fd;
};

static int root_of(struct disk *disk) {
  return ((struct real_disk *)disk)->root_fd;
}

static int fd_of(const struct file *file) {
  return ((const struct real_file *)file)->fd;
}

#define FAIL_ERRNO(what) \
  do { \
    err_set_errno(err, errno, ERR_PLACE, what); \
    return false; \
  } while (0)

static void real_close(struct disk *disk) {
  close(root_of(disk));
  free(disk);
}

static const char *real_root(const struct disk *disk) {
  return ((const struct real_disk *)disk)->root;
}

static bool real_open(struct disk *disk, const char *path, unsigned mode, struct file **ret_file,
                      struct err *err) {
  int flags = O_CLOEXEC | O_NOFOLLOW;
  flags |= mode & FILE_WRITE ? O_RDWR : O_RDONLY;
  if (mode & FILE_CREATE) flags |= O_CREAT;
  if (mode & FILE_EXCLUSIVE) flags |= O_EXCL;
  if (mode & FILE_TRUNCATE) flags |= O_TRUNC;
  int fd = openat(root_of(disk), path, flags, FILE_MODE);
  if (fd < 0) FAIL_ERRNO("open");
  struct real_file *file = must_alloc(sizeof *file);
  file->file.ops = disk->ops;
  file->fd = fd;
  *ret_file = &file->file;
  return true;
}

static bool real_exists(struct disk *disk, const char *path) {
  return faccessat(root_of(disk), path, F_OK, 0) == 0;
}

static bool real_remove(struct disk *disk, const char *path, struct err *err) {
  if (unlinkat(root_of(disk), path, 0) == 0) return true;
  if (errno == EISDIR && unlinkat(root_of(disk), path, AT_REMOVEDIR) == 0) return true;
  FAIL_ERRNO("remove");
}

static bool real_rename(struct disk *disk, const char *from, const char *to, struct err *err) {
  if (renameat(root_of(disk), from, root_of(disk), to) != 0) FAIL_ERRNO("rename");
  return true;
}

static bool real_mkdir(struct disk *disk, const char *path, struct err *err) {
  char part[DISK_PATH_BYTES_MAX + 1];
  for (size_t at = 0, len = strlen(path); at < len; at++) {
    if (path[at + 1] != '/' && path[at + 1] != '\0') continue;
    memcpy(part, path, at + 1);
    part[at + 1] = '\0';
    if (mkdirat(root_of(disk), part, FOLDER_MODE) != 0 && errno != EEXIST) FAIL_ERRNO("mkdir");
  }
  return true;
}

static bool real_sync_dir(struct disk *disk, const char *path, struct err *err) {
  cleanup_fd int fd =
      openat(root_of(disk), *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) FAIL_ERRNO("open folder");
  if (fsync(fd) != 0) FAIL_ERRNO("sync folder");
  return true;
}

static bool real_list(struct disk *disk, const char *path,
                      bool (*visit)(void *arg, const char *name), void *arg, struct err *err) {
  int fd =
      openat(root_of(disk), *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) FAIL_ERRNO("open folder");
  DIR *folder = fdopendir(fd);
  if (!folder) {
    close(fd);
    FAIL(ERR_NO_MEMORY, "a folder cannot be read");
  }
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (!visit(arg, entry->d_name)) break;
  }
  closedir(folder);
  return true;
}

static bool refuse_locked(struct disk *disk, int fd, struct err *err) {
  char pid[24] = "";
  ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
  pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
  FAIL(ERR_EXISTS, "another server has the folder %.120s (pid %s)", real_root(disk),
       *pid ? pid : "unknown");
}

static bool real_lock(struct disk *disk, const char *path, struct file **ret_lock,
                      struct err *err) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  struct file *file = NULL;
  TRY(real_open(disk, path, FILE_WRITE | FILE_CREATE, &file, err));
  int fd = fd_of(file);
  if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    bool held = errno == EAGAIN || errno == EACCES;
    if (held)
      refuse_locked(disk, fd, err);
    else
      err_set_errno(err, errno, ERR_PLACE, "lock");
    file_close(&file);
    return false;
  }
  /* For people only; the lock itself is the kernel's. */
  char pid[24];
  int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len) {
    err_set_errno(err, errno, ERR_PLACE, "write the lock file");
    file_close(&file);
    return false;
  }
  *ret_lock = file;
  return true;
}

static void real_file_close(struct file *file) {
  close(fd_of(file));
  free(file);
}

static bool real_file_read(struct file *file, uint64_t offset, void *at, size_t len,
                           size_t *ret_len, struct err *err) {
  size_t have = 0;
  while (have < len) {
    ssize_t got = pread(fd_of(file), (uint8_t *)at + have, len - have, (off_t)(offset + have));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) FAIL_ERRNO("read");
    have += (size_t)got;
  }
  *ret_len = have;
  return true;
}

static bool real_file_write(struct file *file, uint64_t offset, struct bytes data,
                            struct err *err) {
  size_t done = 0;
  while (done < data.len) {
    ssize_t put = pwrite(fd_of(file), data.at + done, data.len - done, (off_t)(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) FAIL_ERRNO("write");
    done += (size_t)put;
  }
  return true;
}

static bool real_file_sync(struct file *file, struct err *err) {
  if (fdatasync(fd_of(file)) != 0) FAIL_ERRNO("sync");
  return true;
}

static bool real_file_truncate(struct file *file, uint64_t bytes, struct err *err) {
  if (ftruncate(fd_of(file), (off_t)bytes) != 0) FAIL_ERRNO("truncate");
  return true;
}

static bool real_file_size(struct file *file, uint64_t *ret_bytes, struct err *err) {
  struct stat facts;
  if (fstat(fd_of(file), &facts) != 0) FAIL_ERRNO("size");
  *ret_bytes = (uint64_t)facts.st_size;
  return true;
}

static int real_file_fd(const struct file *file) {
  return fd_of(file);
}

static const struct disk_ops real_ops = {
    .close = real_close,
    .root = real_root,
    .open = real_open,
    .exists = real_exists,
    .remove = real_remove,
    .rename = real_rename,
    .mkdir = real_mkdir,
    .sync_dir = real_sync_dir,
    .list = real_list,
    .lock = real_lock,
    .file_close = real_file_close,
    .file_read = real_file_read,
    .file_write = real_file_write,
    .file_sync = real_file_sync,
    .file_truncate = real_file_truncate,
    .file_size = real_file_size,
    .file_fd = real_file_fd,
};

/* The root and its missing parents. */
static bool make_root(const char *root, struct err *err) {
  char part[PATH_MAX];
  size_t len = strlen(root);
  if (len == 0 || len >= sizeof part) FAIL(ERR_LIMIT, "the folder's path is empty or too long");
  for (size_t at = 1; at <= len; at++) {
    if (root[at] != '/' && root[at] != '\0') continue;
    memcpy(part, root, at);
    part[at] = '\0';
    if (mkdir(part, FOLDER_MODE) == 0 || errno == EEXIST) continue;
    if (root[at] == '\0') FAIL_ERRNO("make the folder");
  }
  return true;
}

bool disk_open_real(const char *root, struct disk **ret_disk, struct err *err) {
  TRY(make_root(root, err));
  cleanup_fd int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) FAIL_ERRNO("open the data folder");
  cleanup_free struct real_disk *disk = must_alloc(sizeof *disk);
  if (!realpath(root, disk->root)) FAIL_ERRNO("find the folder");
  disk->disk.ops = &real_ops;
  disk->root_fd = steal_fd(&fd);
  *ret_disk = &((struct real_disk *)steal(disk))->disk;
  return true;
}

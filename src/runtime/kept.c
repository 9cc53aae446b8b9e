/* runtime/kept.c: copies in pieces. */
#include "runtime/kept.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "os/shm.h"

#include <errno.h>
#include <stdio.h>

enum { PIECE_BYTES = 1 << 16 };

#define cleanup_file __attribute__((cleanup(file_close)))

bool kept_load(struct disk *disk, const char *path, int *ret_fd, struct err *err) {
  cleanup_file struct file *file = NULL;
  uint64_t bytes;
  size_t len = 0;
  void *at = NULL;
  TRY(file_open(disk, path, FILE_READ, &file, err));
  TRY(file_size(file, &bytes, err));
  if (bytes == 0 || bytes > SHM_BYTES_MAX) FAIL(ERR_CORRUPT, "%.150s is damaged", path);
  cleanup_fd int fd = -1;
  TRY(shm_create("medulla-kept", (size_t)bytes, &fd, err));
  TRY(shm_map(fd, (size_t)bytes, true, &at, err));
  bool good = file_read(file, 0, at, (size_t)bytes, &len, err);
  shm_unmap(&at, (size_t)bytes);
  if (!good) return false;
  if (len != bytes) FAIL(ERR_CORRUPT, "%.150s is damaged", path);
  *ret_fd = steal_fd(&fd);
  return true;
}

static bool copy_out(int fd, struct file *file, struct err *err) {
  uint8_t piece[PIECE_BYTES];
  uint64_t at = 0;
  for (ssize_t got; (got = pread(fd, piece, sizeof piece, (off_t)at)) != 0; at += (uint64_t)got) {
    if (got < 0) {
      err_set_errno(err, errno, ERR_PLACE, "what a worker made");
      return false;
    }
    TRY(file_write(file, at, bytes_of(piece, (size_t)got), err));
  }
  return file_truncate(file, at, err);
}

bool kept_save(struct disk *disk, const char *path, int fd, struct err *err) {
  char making[DISK_PATH_BYTES_MAX + 8];
  struct file *file = NULL;
  struct err ignored;
  snprintf(making, sizeof making, "%.500s.new", path);
  bool good = file_open(disk, making, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file, err) &&
              copy_out(fd, file, err);
  file_close(&file);
  if (good && disk_rename(disk, making, path, err)) return true;
  (void)!disk_remove(disk, making, &ignored); /* a leftover is written over the next time */
  return false;
}

void kept_close(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

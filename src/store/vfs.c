/* store/vfs.c: reads and writes of database and log pass the page transform here.
 *
 * Database: pages at multiples of PAGE_BYTES. A shorter read is of the header of page 1, which
 *           SQLite looks at before it knows of the log; it goes unchecked, because a crash may have
 *           torn a page that the log still has whole.
 * Log:      header (32), then frames of header (24, page number first) and page.
 * Others (the journal of the very first transaction) pass unchanged.
 *
 * Writes to the log are gathered and reach the disk in one call when it is synced. The log grows
 * by LOG_GROW_BYTES of zeros: a sync then writes data in place, and no change of the file's size,
 * which costs most of an append's sync. SQLite takes zeros behind the last frame for no frame. */
#include "store/vfs.h"

#include "base/must.h"
#include "store/pack.h"
#include "store/vfs_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  LOG_HEAD_BYTES = 32,
  FRAME_HEAD_BYTES = 24,
  FRAME_BYTES = FRAME_HEAD_BYTES + PAGE_BYTES,
  GATHER_BYTES = 128 * FRAME_BYTES,
  LOG_GROW_BYTES = 4 << 20,
};

struct vfs {
  sqlite3_vfs base; /* first member */
  char name[VFS_NAME_BYTES];
  struct disk *disk;
  struct page_key key;
  struct vfs_nodes nodes;
  atomic_bool sync_failed;
  atomic_uint bad_page;
};

enum vfs_kind { VFS_OTHER, VFS_DATABASE, VFS_LOG };

struct vfs_file {
  sqlite3_file base; /* first member */
  struct vfs *vfs;
  struct file *file;
  char *path;
  enum vfs_kind kind;
  bool created; /* its name is not durable yet */
  bool delete_on_close;
  struct vfs_hold hold; /* database */
  uint8_t *scratch;     /* database, log: one frame */
  /* Log: what was written and has not reached the disk. */
  uint8_t *gathered;
  size_t gathered_bytes;
  uint64_t gathered_at;
  uint64_t grown; /* the log's size, as far as it was grown here */
};

static struct vfs *vfs_of(sqlite3_vfs *base) {
  return (struct vfs *)base;
}

static struct vfs_file *file_of(sqlite3_file *base) {
  return (struct vfs_file *)base;
}

static int code_of(const struct err *err, int code) {
  if (err->code == ERR_FULL) return SQLITE_FULL;
  return err->code == ERR_NO_MEMORY ? SQLITE_NOMEM : code;
}

static int bad_page(struct vfs *vfs, uint32_t number) {
  atomic_store(&vfs->bad_page, number);
  return SQLITE_IOERR_DATA;
}

/* ---- The log's writes, gathered ---- */

/* A disk without room for the zeros may have it for the frames. */
static void grow(struct vfs_file *file, uint64_t end) {
  struct err err;
  uint64_t bytes = 0;
  if (end <= file->grown) return;
  if (!file_size(file->file, &bytes, &err)) return;
  file->grown = bytes;
  if (end <= bytes) return;
  uint8_t *zeros = must_alloc(LOG_GROW_BYTES);
  if (file_write(file->file, bytes, bytes_of(zeros, LOG_GROW_BYTES), &err))
    file->grown = bytes + LOG_GROW_BYTES;
  free(zeros);
}

static int flush(struct vfs_file *file) {
  struct err err;
  if (!file->gathered_bytes) return SQLITE_OK;
  grow(file, file->gathered_at + file->gathered_bytes);
  struct bytes data = bytes_of(file->gathered, file->gathered_bytes);
  file->gathered_bytes = 0;
  if (!file_write(file->file, file->gathered_at, data, &err))
    return code_of(&err, SQLITE_IOERR_WRITE);
  return SQLITE_OK;
}

/* Room for `bytes` at `offset`, next to what is gathered already. */
static int gather(struct vfs_file *file, uint64_t offset, size_t bytes, uint8_t **ret_at) {
  bool next_to = offset == file->gathered_at + file->gathered_bytes;
  if (!next_to || file->gathered_bytes + bytes > GATHER_BYTES) {
    int code = flush(file);
    if (code) return code;
    file->gathered_at = offset;
  }
  *ret_at = file->gathered + file->gathered_bytes;
  file->gathered_bytes += bytes;
  return SQLITE_OK;
}

/* The number of the page whose frame starts at `offset`: its header is gathered or on the disk. */
static int frame_number(struct vfs_file *file, uint64_t offset, uint32_t *ret_number) {
  uint8_t head[4];
  size_t len;
  struct err err;
  bool here = file->gathered_bytes && offset >= file->gathered_at &&
              offset + 4 <= file->gathered_at + file->gathered_bytes;
  if (here)
    memcpy(head, file->gathered + (offset - file->gathered_at), 4);
  else if (!file_read(file->file, offset, head, 4, &len, &err) || len < 4)
    return SQLITE_IOERR_READ;
  *ret_number = unpack_u32(head);
  return SQLITE_OK;
}

static int write_log(struct vfs_file *file, const uint8_t *data, size_t len, uint64_t offset) {
  uint8_t *at;
  uint32_t number = 0;
  bool page = len == PAGE_BYTES;
  /* Everything but a page goes as it is: headers only. */
  must(page || len <= LOG_HEAD_BYTES);
  if (page) {
    int code = frame_number(file, offset - FRAME_HEAD_BYTES, &number);
    if (code) return code;
  }
  int code = gather(file, offset, len, &at);
  if (code) return code;
  if (page)
    page_encode(&file->vfs->key, number, data, at);
  else
    memcpy(at, data, len);
  return SQLITE_OK;
}

/* ---- Reading ---- */

static int read_plain(struct vfs_file *file, uint64_t offset, void *at, size_t len) {
  size_t have = 0;
  struct err err;
  if (!file_read(file->file, offset, at, len, &have, &err)) return code_of(&err, SQLITE_IOERR_READ);
  if (have == len) return SQLITE_OK;
  memset((uint8_t *)at + have, 0, len - have);
  return SQLITE_IOERR_SHORT_READ;
}

static bool all_zero(const uint8_t *page) {
  return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

/* A page of zeros was never written (a free page in a hole); SQLite refuses it where it matters. */
static int read_database(struct vfs_file *file, uint64_t offset, uint8_t *at, size_t len) {
  if (len != PAGE_BYTES) return read_plain(file, offset, at, len);
  int code = read_plain(file, offset, at, len);
  uint32_t number = (uint32_t)(offset / PAGE_BYTES) + 1;
  if (code || all_zero(at) || page_decode(&file->vfs->key, number, at)) return code;
  return bad_page(file->vfs, number);
}

/* Whole frames are read by recovery, which expects damage at the log's end and has a check of its
 * own: what does not decode is handed over as it is. A page alone must be good. */
static int read_log(struct vfs_file *file, uint64_t offset, uint8_t *at, size_t len) {
  int code = flush(file);
  if (code) return code;
  if (len == FRAME_BYTES) {
    code = read_plain(file, offset, at, len);
    if (!code) (void)page_decode(&file->vfs->key, unpack_u32(at), at + FRAME_HEAD_BYTES);
    return code;
  }
  if (len != PAGE_BYTES) return read_plain(file, offset, at, len);
  code = read_plain(file, offset - FRAME_HEAD_BYTES, file->scratch, FRAME_BYTES);
  if (code) return code;
  uint32_t number = unpack_u32(file->scratch);
  if (!page_decode(&file->vfs->key, number, file->scratch + FRAME_HEAD_BYTES))
    return bad_page(file->vfs, number);
  memcpy(at, file->scratch + FRAME_HEAD_BYTES, PAGE_BYTES);
  return SQLITE_OK;
}

/* ---- The methods of a file ---- */

static int vfs_close(sqlite3_file *base) {
  struct vfs_file *file = file_of(base);
  struct err err;
  int code = flush(file);
  file_close(&file->file);
  if (file->delete_on_close) (void)!disk_remove(file->vfs->disk, file->path, &err);
  vfs_hold_fini(&file->vfs->nodes, &file->hold);
  free(file->scratch);
  free(file->gathered);
  free(file->path);
  return code;
}

static int vfs_read(sqlite3_file *base, void *at, int len, sqlite3_int64 offset) {
  struct vfs_file *file = file_of(base);
  switch (file->kind) {
  case VFS_DATABASE: return read_database(file, (uint64_t)offset, at, (size_t)len);
  case VFS_LOG: return read_log(file, (uint64_t)offset, at, (size_t)len);
  case VFS_OTHER: break;
  }
  return read_plain(file, (uint64_t)offset, at, (size_t)len);
}

static int vfs_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 offset) {
  struct vfs_file *file = file_of(base);
  struct bytes bytes = bytes_of(data, (size_t)len);
  struct err err;
  if (file->kind == VFS_LOG) return write_log(file, data, (size_t)len, (uint64_t)offset);
  if (file->kind == VFS_DATABASE) {
    must(len == PAGE_BYTES);
    page_encode(&file->vfs->key, (uint32_t)(offset / PAGE_BYTES) + 1, data, file->scratch);
    bytes.at = file->scratch;
  }
  if (file_write(file->file, (uint64_t)offset, bytes, &err)) return SQLITE_OK;
  return code_of(&err, SQLITE_IOERR_WRITE);
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 bytes) {
  struct vfs_file *file = file_of(base);
  struct err err;
  int code = flush(file);
  if (code) return code;
  file->grown = 0;
  if (file_truncate(file->file, (uint64_t)bytes, &err)) return SQLITE_OK;
  return code_of(&err, SQLITE_IOERR_TRUNCATE);
}

static bool sync_name(struct vfs_file *file, struct err *err) {
  char folder[DISK_PATH_BYTES_MAX + 1];
  const char *slash = strrchr(file->path, '/');
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file->path) : 0, file->path);
  return disk_sync_dir(file->vfs->disk, folder, err);
}

static int vfs_sync(sqlite3_file *base, int flags) {
  struct vfs_file *file = file_of(base);
  struct err err;
  int code = flush(file);
  if (code) return code;
  if (!file_sync(file->file, &err) || (file->created && !sync_name(file, &err))) {
    /* For want of space the next transaction writes over what this one left. */
    if (file->kind == VFS_LOG && err.code != ERR_FULL) atomic_store(&file->vfs->sync_failed, true);
    return code_of(&err, SQLITE_IOERR_FSYNC);
  }
  file->created = false;
  return SQLITE_OK;
}

static int vfs_size(sqlite3_file *base, sqlite3_int64 *ret_bytes) {
  struct vfs_file *file = file_of(base);
  uint64_t bytes;
  struct err err;
  int code = flush(file);
  if (code) return code;
  if (!file_size(file->file, &bytes, &err)) return SQLITE_IOERR_FSTAT;
  *ret_bytes = (sqlite3_int64)bytes;
  return SQLITE_OK;
}

static int vfs_lock(sqlite3_file *base, int level) {
  struct vfs_file *file = file_of(base);
  return file->hold.node ? vfs_hold_lock(&file->vfs->nodes, &file->hold, level) : SQLITE_OK;
}

static int vfs_unlock(sqlite3_file *base, int level) {
  struct vfs_file *file = file_of(base);
  if (file->hold.node) vfs_hold_unlock(&file->vfs->nodes, &file->hold, level);
  return SQLITE_OK;
}

static int vfs_reserved(sqlite3_file *base, int *ret_reserved) {
  struct vfs_file *file = file_of(base);
  *ret_reserved = file->hold.node && vfs_hold_reserved(&file->vfs->nodes, &file->hold);
  return SQLITE_OK;
}

static int vfs_control(sqlite3_file *base, int op, void *arg) {
  return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *base) {
  return 512;
}

/* A write changes no byte beside its own, torn or not: the log needs no padding. */
static int vfs_traits(sqlite3_file *base) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int vfs_map(sqlite3_file *base, int region, int bytes, int extend, void volatile **ret_at) {
  struct vfs_file *file = file_of(base);
  return vfs_shm_map(&file->vfs->nodes, &file->hold, region, bytes, extend != 0, ret_at);
}

static int vfs_map_lock(sqlite3_file *base, int offset, int count, int flags) {
  struct vfs_file *file = file_of(base);
  return vfs_shm_lock(&file->vfs->nodes, &file->hold, offset, count, flags);
}

static void vfs_barrier(sqlite3_file *base) {
  atomic_thread_fence(memory_order_seq_cst);
}

static int vfs_unmap(sqlite3_file *base, int drop) {
  struct vfs_file *file = file_of(base);
  vfs_shm_unmap(&file->vfs->nodes, &file->hold);
  return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_reserved,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector,
    .xDeviceCharacteristics = vfs_traits,
    .xShmMap = vfs_map,
    .xShmLock = vfs_map_lock,
    .xShmBarrier = vfs_barrier,
    .xShmUnmap = vfs_unmap,
};

/* ---- The methods of the file system ---- */

static void make_file(struct vfs_file *file, struct vfs *vfs, const char *path, int flags) {
  file->vfs = vfs;
  file->path = bytes_dup(bytes_str(path));
  file->delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
  file->base.pMethods = &methods;
  if (flags & SQLITE_OPEN_MAIN_DB) file->kind = VFS_DATABASE;
  if (flags & SQLITE_OPEN_WAL) file->kind = VFS_LOG;
  if (file->kind != VFS_OTHER) file->scratch = must_alloc(FRAME_BYTES);
  if (file->kind == VFS_LOG) file->gathered = must_alloc(GATHER_BYTES);
  if (file->kind == VFS_DATABASE) vfs_hold_init(&vfs->nodes, &file->hold, path);
}

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *at, int flags,
                    int *ret_flags) {
  struct vfs *vfs = vfs_of(base);
  struct vfs_file *file = file_of(at);
  struct err err;
  memset(file, 0, sizeof *file);
  /* Temporary files would be patient data outside of the ledger; temp_store keeps them away. */
  if (!path) return SQLITE_CANTOPEN;
  unsigned mode = FILE_READ;
  if (flags & SQLITE_OPEN_READWRITE) mode |= FILE_WRITE;
  if (flags & SQLITE_OPEN_CREATE) mode |= FILE_CREATE;
  if (flags & SQLITE_OPEN_EXCLUSIVE) mode |= FILE_EXCLUSIVE;
  bool existed = disk_exists(vfs->disk, path);
  if (!file_open(vfs->disk, path, mode, &file->file, &err)) return code_of(&err, SQLITE_CANTOPEN);
  make_file(file, vfs, path, flags);
  file->created = !existed;
  if (ret_flags) *ret_flags = flags;
  return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync) {
  struct vfs *vfs = vfs_of(base);
  struct vfs_file file = {.vfs = vfs, .path = (char *)(uintptr_t)path};
  struct err err;
  if (!disk_remove(vfs->disk, path, &err))
    return err.code == ERR_NOT_FOUND ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
  return sync && !sync_name(&file, &err) ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *ret_there) {
  *ret_there = disk_exists(vfs_of(base)->disk, path);
  return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *base, const char *path, int room, char *ret_path) {
  return snprintf(ret_path, (size_t)room, "%s", path) < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *base, int len, char *at) {
  random_fill(random_real(), at, (size_t)len);
  return len;
}

static int vfs_sleep(sqlite3_vfs *base, int us) {
  struct timespec wait = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&wait, NULL);
  return us;
}

/* No statement of ours asks for the time; SQLite wants a clock all the same. */
static int vfs_time(sqlite3_vfs *base, double *ret_days) {
  *ret_days = 2440587.5;
  return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *base, int room, char *ret_text) {
  return 0;
}

struct vfs *vfs_new(struct disk *disk, const struct page_key *key) {
  struct vfs *vfs = must_alloc(sizeof *vfs);
  vfs->disk = disk;
  vfs->key = *key;
  vfs_nodes_init(&vfs->nodes);
  snprintf(vfs->name, sizeof vfs->name, "medulla-%p", (void *)vfs);
  vfs->base = (sqlite3_vfs){
      .iVersion = 1,
      .szOsFile = sizeof(struct vfs_file),
      .mxPathname = DISK_PATH_BYTES_MAX,
      .zName = vfs->name,
      .xOpen = vfs_open,
      .xDelete = vfs_delete,
      .xAccess = vfs_access,
      .xFullPathname = vfs_full_path,
      .xRandomness = vfs_randomness,
      .xSleep = vfs_sleep,
      .xCurrentTime = vfs_time,
      .xGetLastError = vfs_last_error,
  };
  must(sqlite3_vfs_register(&vfs->base, 0) == SQLITE_OK);
  return vfs;
}

void vfs_free(struct vfs **vfs) {
  if (!*vfs) return;
  sqlite3_vfs_unregister(&(*vfs)->base);
  vfs_nodes_fini(&(*vfs)->nodes);
  free(*vfs);
  *vfs = NULL;
}

const char *vfs_name(const struct vfs *vfs) {
  return vfs->name;
}

bool vfs_sync_failed(const struct vfs *vfs) {
  return atomic_load(&vfs->sync_failed);
}

uint32_t vfs_bad_page(const struct vfs *vfs) {
  return atomic_load(&vfs->bad_page);
}

/* store/vfs.c: reads and writes of database and log pass the page transform here.
 *
 * Database: pages at multiples of PAGE_BYTES, without gaps: what SQLite leaves out is filled with
 *           sealed zeros, so that a page of zeros is damage. A shorter read is of the header of
 *           page 1, which SQLite looks at before it knows of the log. A crash may have torn that
 *           page while the log has it whole: then the header is made up from what never changes.
 * Log:      header (32), then frames of header (24, page number first) and page.
 * Journal:  there is one only until page 1 of an empty database is written; later ones are not
 *           ours, and are not seen.
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
  FRAME_HEAD_BYTES = PAGE_FRAME_HEAD_BYTES,
  FILE_HEAD_BYTES = 100,
  JOURNAL_BYTES_MAX = 2 * PAGE_BYTES,
  FRAME_BYTES = FRAME_HEAD_BYTES + PAGE_BYTES,
  GATHER_BYTES = 128 * FRAME_BYTES,
  LOG_GROW_BYTES = 4 << 20,
};

#define JOURNAL_ENDING "-journal"

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
  uint32_t pages;       /* database: in the file, as far as we wrote; 0: to be counted */
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

/* The opened header of the frame at `offset`: it is gathered or on the disk. */
static int frame_head(struct vfs_file *file, uint64_t offset, uint8_t head[FRAME_HEAD_BYTES]) {
  size_t len;
  struct err err;
  bool here = file->gathered_bytes && offset >= file->gathered_at &&
              offset + FRAME_HEAD_BYTES <= file->gathered_at + file->gathered_bytes;
  if (here)
    memcpy(head, file->gathered + (offset - file->gathered_at), FRAME_HEAD_BYTES);
  else if (!file_read(file->file, offset, head, FRAME_HEAD_BYTES, &len, &err) ||
           len < FRAME_HEAD_BYTES)
    return SQLITE_IOERR_READ;
  page_head_decode(&file->vfs->key, head);
  return SQLITE_OK;
}

static struct page_place frame_place(const uint8_t *head, uint64_t offset) {
  return (struct page_place){.number = unpack_u32(head), .frame_head = head, .offset = offset};
}

/* A page, a frame's header, or the log's: nothing else is ever written. */
static int write_log(struct vfs_file *file, const uint8_t *data, size_t len, uint64_t offset) {
  uint8_t *at, head[FRAME_HEAD_BYTES];
  uint64_t frame = offset - FRAME_HEAD_BYTES;
  bool page = len == PAGE_BYTES;
  must(page || len == FRAME_HEAD_BYTES || (len == LOG_HEAD_BYTES && offset == 0));
  if (page) {
    int code = frame_head(file, frame, head);
    if (code) return code;
  }
  int code = gather(file, offset, len, &at);
  if (code) return code;
  if (page) {
    struct page_place place = frame_place(head, frame);
    page_encode(&file->vfs->key, &place, data, at);
    return SQLITE_OK;
  }
  memcpy(at, data, len);
  if (len == FRAME_HEAD_BYTES) page_head_encode(&file->vfs->key, at);
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

/* Freed before it was ever written, then taken again in one transaction: SQLite reads such a page
 * and overwrites it. Only who holds the write lock can meet one. */
static bool may_be_unwritten(const struct vfs_file *file, int code, const uint8_t *page) {
  bool writes = file->hold.shm_exclusive & 1u || file->hold.level >= SQLITE_LOCK_RESERVED;
  return writes && (code == SQLITE_IOERR_SHORT_READ || all_zero(page));
}

static int read_page(struct vfs_file *file, uint32_t number, uint8_t *at) {
  struct page_place place = {.number = number};
  int code = read_plain(file, (uint64_t)(number - 1) * PAGE_BYTES, at, PAGE_BYTES);
  if (code && code != SQLITE_IOERR_SHORT_READ) return code;
  /* No file yet: SQLite asks for the first page to see that there is none. */
  if (code && number == 1 && all_zero(at)) return code;
  if (may_be_unwritten(file, code, at)) return code;
  if (!code && page_decode(&file->vfs->key, &place, at)) return SQLITE_OK;
  return bad_page(file->vfs, number);
}

/* What SQLite must know before it reads the first page: sizes, and that there is a log. */
static void make_up_head(uint8_t head[FILE_HEAD_BYTES]) {
  memset(head, 0, FILE_HEAD_BYTES);
  memcpy(head, "SQLite format 3", 16);
  head[16] = PAGE_BYTES >> 8;
  head[18] = head[19] = 2; /* the log's formats */
  head[20] = PAGE_RESERVE_BYTES;
  head[21] = 64, head[22] = 32, head[23] = 32;
}

static int read_head(struct vfs_file *file, uint64_t offset, uint8_t *at, size_t len) {
  uint8_t *page = file->scratch;
  struct page_place place = {.number = 1};
  must(offset + len <= FILE_HEAD_BYTES);
  int code = read_plain(file, 0, page, PAGE_BYTES);
  bool empty = code == SQLITE_IOERR_SHORT_READ && all_zero(page);
  if (code && code != SQLITE_IOERR_SHORT_READ) return code;
  if (!empty && (code || !page_decode(&file->vfs->key, &place, page))) make_up_head(page);
  memcpy(at, page + offset, len);
  return empty ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int read_database(struct vfs_file *file, uint64_t offset, uint8_t *at, size_t len) {
  if (len != PAGE_BYTES) return read_head(file, offset, at, len);
  return read_page(file, (uint32_t)(offset / PAGE_BYTES) + 1, at);
}

/* A part of a frame's header, or of the log's, which has nothing to hide. */
static int read_log_head(struct vfs_file *file, uint64_t offset, uint8_t *at, size_t len) {
  uint8_t head[FRAME_HEAD_BYTES];
  if (offset < LOG_HEAD_BYTES) return read_plain(file, offset, at, len);
  uint64_t within = (offset - LOG_HEAD_BYTES) % FRAME_BYTES;
  must(within + len <= FRAME_HEAD_BYTES);
  int code = frame_head(file, offset - within, head);
  if (!code) memcpy(at, head + within, len);
  return code;
}

/* Whole frames are read by recovery, which expects damage at the log's end and has a check of its
 * own: what does not decode is handed over as it is. A page alone must be good. */
static int read_log(struct vfs_file *file, uint64_t offset, uint8_t *at, size_t len) {
  int code = flush(file);
  if (code) return code;
  if (len != FRAME_BYTES && len != PAGE_BYTES) return read_log_head(file, offset, at, len);
  bool whole = len == FRAME_BYTES;
  uint8_t *frame = whole ? at : file->scratch;
  if (!whole) offset -= FRAME_HEAD_BYTES;
  code = read_plain(file, offset, frame, FRAME_BYTES);
  if (code) return code;
  page_head_decode(&file->vfs->key, frame);
  struct page_place place = frame_place(frame, offset);
  bool good = page_decode(&file->vfs->key, &place, frame + FRAME_HEAD_BYTES);
  if (whole) return SQLITE_OK;
  if (!good) return bad_page(file->vfs, place.number);
  memcpy(at, frame + FRAME_HEAD_BYTES, PAGE_BYTES);
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

static int write_page(struct vfs_file *file, uint32_t number, const uint8_t *plain) {
  struct page_place place = {.number = number};
  struct err err;
  page_encode(&file->vfs->key, &place, plain, file->scratch);
  struct bytes coded = bytes_of(file->scratch, PAGE_BYTES);
  if (!file_write(file->file, (uint64_t)(number - 1) * PAGE_BYTES, coded, &err))
    return code_of(&err, SQLITE_IOERR_WRITE);
  if (number > file->pages) file->pages = number;
  return SQLITE_OK;
}

/* How many pages there are: the one connection that writes keeps count. */
static int count_pages(struct vfs_file *file) {
  uint64_t bytes;
  struct err err;
  if (file->pages) return SQLITE_OK;
  if (!file_size(file->file, &bytes, &err)) return SQLITE_IOERR_FSTAT;
  file->pages = (uint32_t)(bytes / PAGE_BYTES);
  return SQLITE_OK;
}

static int write_database(struct vfs_file *file, uint32_t number, const uint8_t *plain) {
  static const uint8_t zeros[PAGE_BYTES];
  int code = count_pages(file);
  for (uint32_t gap = file->pages + 1; !code && gap < number; gap++)
    code = write_page(file, gap, zeros);
  return code ? code : write_page(file, number, plain);
}

static int vfs_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 offset) {
  struct vfs_file *file = file_of(base);
  struct err err;
  if (file->kind == VFS_LOG) return write_log(file, data, (size_t)len, (uint64_t)offset);
  if (file->kind == VFS_DATABASE) {
    must(len == PAGE_BYTES);
    return write_database(file, (uint32_t)(offset / PAGE_BYTES) + 1, data);
  }
  if (file_write(file->file, (uint64_t)offset, bytes_of(data, (size_t)len), &err)) return SQLITE_OK;
  return code_of(&err, SQLITE_IOERR_WRITE);
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 bytes) {
  struct vfs_file *file = file_of(base);
  struct err err;
  int code = flush(file);
  if (code) return code;
  file->grown = 0;
  file->pages = 0;
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

static uint64_t file_bytes(struct disk *disk, const char *path) {
  struct file *file = NULL;
  struct err err;
  uint64_t bytes = 0;
  if (!disk_exists(disk, path) || !file_open(disk, path, FILE_READ, &file, &err)) return 0;
  if (!file_size(file, &bytes, &err)) bytes = UINT64_MAX;
  file_close(&file);
  return bytes;
}

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

/* A planted journal would be played back into the database. Ours holds one page at most, and the
 * database has no second one. */
static bool journal_is_ours(struct vfs *vfs, const char *path) {
  char database[DISK_PATH_BYTES_MAX];
  snprintf(database, sizeof database, "%.*s", (int)(strlen(path) - strlen(JOURNAL_ENDING)), path);
  return file_bytes(vfs->disk, database) <= PAGE_BYTES &&
         file_bytes(vfs->disk, path) <= JOURNAL_BYTES_MAX;
}

static bool is_journal(const char *path) {
  return bytes_ends(bytes_str(path), BYTES(JOURNAL_ENDING));
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
  if (is_journal(path) && !journal_is_ours(vfs, path)) return SQLITE_CANTOPEN;
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
  struct vfs *vfs = vfs_of(base);
  *ret_there = disk_exists(vfs->disk, path) && (!is_journal(path) || journal_is_ours(vfs, path));
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
  bytes_wipe(&(*vfs)->key, sizeof(*vfs)->key);
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

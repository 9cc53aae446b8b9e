/* os/disk_sim.c: content twice: live (what reads see) and durable (what a crash starts from), and
 * between them the changes that were not synced. Names likewise. */
#include "os/disk_sim.h"

#include "base/must.h"
#include "os/disk_ops.h"
#include "os/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A write, or (data NULL) a truncation to `offset`. */
struct sim_change {
  struct sim_change *next;
  uint64_t offset;
  size_t len;
  uint8_t *data;
};

struct sim_inode {
  unsigned refs; /* names (live or durable) and open files */
  bool locked;
  struct buf live, durable;
  struct sim_change *first, **last;
};

struct sim_name {
  struct sim_name *next;
  char *path;
  struct sim_inode *inode; /* NULL: a folder */
};

/* A change of names: `path` is added (inode), or removed, or moved to `to`. */
struct sim_move {
  struct sim_move *next;
  char *path, *to;
  struct sim_inode *inode;
  bool added;
};

struct sim_disk {
  struct disk disk;
  pthread_mutex_t lock;
  struct random_seeded random;
  struct sim_name *live, *durable;
  struct sim_move *moves, **moves_last;
  uint64_t quota, calls, fail_at, power_until;
  enum err_code fail_code;
  unsigned epoch; /* crashes so far; older files are dead */
};

struct sim_file {
  struct file file;
  struct sim_disk *disk;
  struct sim_inode *inode;
  unsigned epoch;
  bool writes, locks;
};

static struct sim_disk *sim_of(struct disk *disk) {
  return (struct sim_disk *)disk;
}

static uint64_t dice(struct sim_disk *sim, uint64_t sides) {
  return random_u64(&sim->random.port) % sides;
}

/* Every call passes here, under the lock. */
static bool call(struct sim_disk *sim, struct err *err) {
  sim->calls++;
  if (sim->power_until && sim->calls > sim->power_until) FAIL(ERR_IO, "the disk has no power");
  if (sim->fail_at != sim->calls) return true;
  sim->fail_at = 0;
  FAIL(sim->fail_code, "the disk was made to fail");
}

/* ---- Content ---- */

static void put_at(struct buf *buf, uint64_t offset, const uint8_t *data, size_t len) {
  uint64_t end = offset + len;
  if (end > buf->len) {
    size_t more = (size_t)end - buf->len;
    uint8_t *at = buf_room(buf, more);
    must(at != NULL);
    memset(at, 0, more);
    buf_grew(buf, more);
  }
  if (len) memcpy(buf->at + offset, data, len);
}

static void cut_at(struct buf *buf, uint64_t bytes) {
  if (bytes < buf->len)
    buf->len = (size_t)bytes;
  else
    put_at(buf, bytes, NULL, 0);
}

static void apply(struct buf *buf, const struct sim_change *change) {
  if (change->data)
    put_at(buf, change->offset, change->data, change->len);
  else
    cut_at(buf, change->offset);
}

static void drop_changes(struct sim_inode *inode) {
  for (struct sim_change *change = inode->first; change;) {
    struct sim_change *next = change->next;
    free(change->data);
    free(change);
    change = next;
  }
  inode->first = NULL;
  inode->last = &inode->first;
}

static void remember(struct sim_inode *inode, uint64_t offset, struct bytes data) {
  struct sim_change *change = must_alloc(sizeof *change);
  change->offset = offset;
  if (data.at) {
    change->data = must_alloc(data.len);
    change->len = data.len;
    if (data.len) memcpy(change->data, data.at, data.len);
  }
  apply(&inode->live, change);
  *inode->last = change;
  inode->last = &change->next;
}

/* Each sector of a write for itself: the drive has no idea which belong together. */
static void apply_torn(struct sim_disk *sim, struct buf *buf, const struct sim_change *change) {
  for (size_t at = 0; at < change->len;) {
    size_t step = DISK_SIM_SECTOR_BYTES - (change->offset + at) % DISK_SIM_SECTOR_BYTES;
    if (step > change->len - at) step = change->len - at;
    if (dice(sim, 2)) put_at(buf, change->offset + at, change->data + at, step);
    at += step;
  }
}

/* What was not synced is decided on: kept whole, torn, or lost. Usually mixed, sometimes all or
 * nothing, so that both ends are met too. */
static void decide(struct sim_disk *sim, struct sim_inode *inode) {
  unsigned mood = (unsigned)dice(sim, 4);
  for (struct sim_change *change = inode->first; change; change = change->next) {
    unsigned fate = mood == 0 ? 0 : mood == 1 ? 1 : (unsigned)dice(sim, 3);
    if (fate == 1) apply(&inode->durable, change);
    if (fate == 2 && change->data) apply_torn(sim, &inode->durable, change);
  }
  drop_changes(inode);
}

static void make_durable(struct sim_inode *inode) {
  for (struct sim_change *change = inode->first; change; change = change->next)
    apply(&inode->durable, change);
  drop_changes(inode);
}

static struct sim_inode *inode_new(void) {
  struct sim_inode *inode = must_alloc(sizeof *inode);
  buf_init(&inode->live, SIZE_MAX);
  buf_init(&inode->durable, SIZE_MAX);
  inode->last = &inode->first;
  return inode;
}

static void inode_drop(struct sim_inode *inode) {
  if (!inode || --inode->refs) return;
  drop_changes(inode);
  buf_fini(&inode->live);
  buf_fini(&inode->durable);
  free(inode);
}

/* ---- Names ---- */

static struct sim_name **find(struct sim_name **names, const char *path) {
  while (*names && strcmp((*names)->path, path) != 0) names = &(*names)->next;
  return names;
}

static void name_add(struct sim_name **names, const char *path, struct sim_inode *inode) {
  struct sim_name *name = must_alloc(sizeof *name);
  name->path = bytes_dup(bytes_str(path));
  name->inode = inode;
  if (inode) inode->refs++;
  name->next = *names;
  *names = name;
}

static void name_drop(struct sim_name **names, const char *path) {
  struct sim_name **at = find(names, path), *name = *at;
  if (!name) return;
  *at = name->next;
  inode_drop(name->inode);
  free(name->path);
  free(name);
}

static void move_apply(struct sim_name **names, const struct sim_move *move) {
  if (move->added) {
    name_drop(names, move->path);
    name_add(names, move->path, move->inode);
  } else if (!move->to) {
    name_drop(names, move->path);
  } else {
    struct sim_name *from = *find(names, move->path);
    if (!from) return;
    name_drop(names, move->to);
    name_add(names, move->to, from->inode);
    name_drop(names, move->path);
  }
}

static void move_free(struct sim_move *move) {
  inode_drop(move->inode);
  free(move->path);
  free(move->to);
  free(move);
}

static void move_add(struct sim_disk *sim, const char *path, const char *to,
                     struct sim_inode *inode, bool added) {
  struct sim_move *move = must_alloc(sizeof *move);
  move->path = bytes_dup(bytes_str(path));
  move->to = to ? bytes_dup(bytes_str(to)) : NULL;
  move->inode = inode;
  move->added = added;
  if (inode) inode->refs++;
  move_apply(&sim->live, move);
  *sim->moves_last = move;
  sim->moves_last = &move->next;
}

static struct bytes folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? bytes_of(path, (size_t)(slash - path)) : BYTES_NONE;
}

/* Takes the moves of one folder (NULL: of all, at most `most`) over into the durable names. */
static void settle_moves(struct sim_disk *sim, const struct bytes *folder, uint64_t most) {
  for (struct sim_move **at = &sim->moves; *at && most;) {
    struct sim_move *move = *at;
    if (folder && !bytes_eq(folder_of(move->path), *folder)) {
      at = &move->next;
      continue;
    }
    move_apply(&sim->durable, move);
    *at = move->next;
    move_free(move);
    most--;
  }
  sim->moves_last = &sim->moves;
  while (*sim->moves_last) sim->moves_last = &(*sim->moves_last)->next;
}

static bool is_folder(struct sim_disk *sim, struct bytes path) {
  if (!path.len) return true;
  char *text = bytes_dup(path);
  struct sim_name *name = *find(&sim->live, text);
  free(text);
  return name && !name->inode;
}

/* ---- The disk port ---- */

#define LOCKED(sim) \
  pthread_mutex_t *locked __attribute__((cleanup(unlock_at))) = &(sim)->lock; \
  pthread_mutex_lock(locked)

static void unlock_at(pthread_mutex_t **lock) {
  pthread_mutex_unlock(*lock);
}

static void names_free(struct sim_name **names) {
  while (*names) name_drop(names, (*names)->path);
}

static void sim_close(struct disk *disk) {
  struct sim_disk *sim = sim_of(disk);
  settle_moves(sim, NULL, UINT64_MAX);
  names_free(&sim->live);
  names_free(&sim->durable);
  pthread_mutex_destroy(&sim->lock);
  free(sim);
}

static const char *sim_root(const struct disk *disk) {
  return NULL;
}

static bool sim_open(struct disk *disk, const char *path, unsigned mode, struct file **ret_file,
                     struct err *err) {
  struct sim_disk *sim = sim_of(disk);
  LOCKED(sim);
  TRY(call(sim, err));
  struct sim_name *name = *find(&sim->live, path);
  if (name && !name->inode) FAIL(ERR_DENIED, "a folder is not a file");
  if (name && mode & FILE_EXCLUSIVE) FAIL(ERR_EXISTS, "the file exists");
  if (!name && !(mode & FILE_CREATE)) FAIL(ERR_NOT_FOUND, "there is no such file");
  if (!is_folder(sim, folder_of(path))) FAIL(ERR_NOT_FOUND, "there is no such folder");
  if (!name) move_add(sim, path, NULL, inode_new(), true);
  struct sim_inode *inode = (*find(&sim->live, path))->inode;
  if (mode & FILE_TRUNCATE && inode->live.len) remember(inode, 0, BYTES_NONE);
  struct sim_file *file = must_alloc(sizeof *file);
  *file = (struct sim_file){{disk->ops}, sim, inode, sim->epoch, mode & FILE_WRITE, false};
  inode->refs++;
  *ret_file = &file->file;
  return true;
}

static bool sim_exists(struct disk *disk, const char *path) {
  LOCKED(sim_of(disk));
  return *find(&sim_of(disk)->live, path) != NULL;
}

static bool sim_remove(struct disk *disk, const char *path, struct err *err) {
  struct sim_disk *sim = sim_of(disk);
  LOCKED(sim);
  TRY(call(sim, err));
  if (!*find(&sim->live, path)) FAIL(ERR_NOT_FOUND, "there is no such file");
  move_add(sim, path, NULL, NULL, false);
  return true;
}

static bool sim_rename(struct disk *disk, const char *from, const char *to, struct err *err) {
  struct sim_disk *sim = sim_of(disk);
  LOCKED(sim);
  TRY(call(sim, err));
  if (!*find(&sim->live, from)) FAIL(ERR_NOT_FOUND, "there is no such file");
  if (strcmp(from, to) != 0) move_add(sim, from, to, NULL, false);
  return true;
}

/* Folders are durable at once: nobody's promise hangs on them. */
static bool sim_mkdir(struct disk *disk, const char *path, struct err *err) {
  struct sim_disk *sim = sim_of(disk);
  LOCKED(sim);
  TRY(call(sim, err));
  for (size_t at = 1, len = strlen(path); at <= len; at++) {
    if (path[at] != '/' && path[at] != '\0') continue;
    char *part = bytes_dup(bytes_of(path, at));
    if (!*find(&sim->live, part)) {
      name_add(&sim->live, part, NULL);
      name_add(&sim->durable, part, NULL);
    }
    free(part);
  }
  return true;
}

static bool sim_sync_dir(struct disk *disk, const char *path, struct err *err) {
  struct sim_disk *sim = sim_of(disk);
  struct bytes folder = bytes_str(path);
  LOCKED(sim);
  TRY(call(sim, err));
  if (!is_folder(sim, folder)) FAIL(ERR_NOT_FOUND, "there is no such folder");
  settle_moves(sim, &folder, UINT64_MAX);
  return true;
}

/* The names are copied first: a visit may open or remove them. */
static bool sim_list(struct disk *disk, const char *path,
                     bool (*visit)(void *arg, const char *name), void *arg, struct err *err) {
  struct sim_disk *sim = sim_of(disk);
  struct bytes folder = bytes_str(path);
  struct buf names;
  buf_init(&names, SIZE_MAX);
  pthread_mutex_lock(&sim->lock);
  bool good = call(sim, err);
  for (struct sim_name *name = sim->live; good && name; name = name->next) {
    if (!bytes_eq(folder_of(name->path), folder)) continue;
    buf_str(&names, name->path + (folder.len ? folder.len + 1 : 0));
    buf_char(&names, '\0');
  }
  pthread_mutex_unlock(&sim->lock);
  for (size_t at = 0; at < names.len; at += strlen((char *)names.at + at) + 1)
    if (!visit(arg, (char *)names.at + at)) break;
  buf_fini(&names);
  return good;
}

static bool sim_lock(struct disk *disk, const char *path, struct file **ret_lock, struct err *err) {
  struct file *file = NULL;
  TRY(sim_open(disk, path, FILE_WRITE | FILE_CREATE, &file, err));
  struct sim_file *sim_file = (struct sim_file *)file;
  if (sim_file->inode->locked) {
    file_close(&file);
    FAIL(ERR_EXISTS, "another server has the folder (pid simulated)");
  }
  sim_file->inode->locked = sim_file->locks = true;
  *ret_lock = file;
  return true;
}

/* ---- The file port ---- */

static bool enter(struct sim_file *file, struct err *err) {
  TRY(call(file->disk, err));
  if (file->epoch != file->disk->epoch) FAIL(ERR_IO, "the file was open before the crash");
  return true;
}

static void sim_file_close(struct file *at) {
  struct sim_file *file = (struct sim_file *)at;
  LOCKED(file->disk);
  if (file->locks && file->epoch == file->disk->epoch) file->inode->locked = false;
  inode_drop(file->inode);
  free(file);
}

static bool sim_file_read(struct file *at, uint64_t offset, void *to, size_t len, size_t *ret_len,
                          struct err *err) {
  struct sim_file *file = (struct sim_file *)at;
  LOCKED(file->disk);
  TRY(enter(file, err));
  struct bytes live = buf_bytes(&file->inode->live);
  struct bytes part = offset > live.len ? BYTES_NONE : bytes_sub(live, (size_t)offset, len);
  if (part.len) memcpy(to, part.at, part.len);
  *ret_len = part.len;
  return true;
}

static uint64_t used(const struct sim_disk *sim) {
  uint64_t bytes = 0;
  for (const struct sim_name *name = sim->live; name; name = name->next)
    if (name->inode) bytes += name->inode->live.len;
  return bytes;
}

/* A full disk takes the part that still fits, as a real one does. */
static bool sim_file_write(struct file *at, uint64_t offset, struct bytes data, struct err *err) {
  struct sim_file *file = (struct sim_file *)at;
  struct sim_disk *sim = file->disk;
  LOCKED(sim);
  TRY(enter(file, err));
  if (!file->writes) FAIL(ERR_DENIED, "the file was opened for reading");
  uint64_t end = offset + data.len, have = file->inode->live.len;
  uint64_t room = sim->quota ? sim->quota - (used(sim) < sim->quota ? used(sim) : sim->quota) : 0;
  if (sim->quota && end > have && end - have > room) {
    uint64_t fits = have + room > offset ? have + room - offset : 0;
    if (fits) remember(file->inode, offset, bytes_sub(data, 0, (size_t)fits));
    FAIL(ERR_FULL, "the simulated disk is full");
  }
  if (data.len) remember(file->inode, offset, data);
  return true;
}

static bool sim_file_sync(struct file *at, struct err *err) {
  struct sim_file *file = (struct sim_file *)at;
  LOCKED(file->disk);
  if (!enter(file, err)) {
    if (file->epoch == file->disk->epoch) decide(file->disk, file->inode);
    return false;
  }
  make_durable(file->inode);
  return true;
}

static bool sim_file_truncate(struct file *at, uint64_t bytes, struct err *err) {
  struct sim_file *file = (struct sim_file *)at;
  LOCKED(file->disk);
  TRY(enter(file, err));
  if (!file->writes) FAIL(ERR_DENIED, "the file was opened for reading");
  remember(file->inode, bytes, BYTES_NONE);
  return true;
}

static bool sim_file_size(struct file *at, uint64_t *ret_bytes, struct err *err) {
  struct sim_file *file = (struct sim_file *)at;
  LOCKED(file->disk);
  TRY(enter(file, err));
  *ret_bytes = file->inode->live.len;
  return true;
}

static int sim_file_fd(const struct file *file) {
  return -1;
}

struct disk *disk_new_simulated(uint64_t seed) {
  static const struct disk_ops ops = {
      .close = sim_close,
      .root = sim_root,
      .open = sim_open,
      .exists = sim_exists,
      .remove = sim_remove,
      .rename = sim_rename,
      .mkdir = sim_mkdir,
      .sync_dir = sim_sync_dir,
      .list = sim_list,
      .lock = sim_lock,
      .file_close = sim_file_close,
      .file_read = sim_file_read,
      .file_write = sim_file_write,
      .file_sync = sim_file_sync,
      .file_truncate = sim_file_truncate,
      .file_size = sim_file_size,
      .file_fd = sim_file_fd,
  };
  struct sim_disk *sim = must_alloc(sizeof *sim);
  sim->disk.ops = &ops;
  sim->moves_last = &sim->moves;
  random_seeded_init(&sim->random, seed);
  must(pthread_mutex_init(&sim->lock, NULL) == 0);
  return &sim->disk;
}

/* ---- The simulator's side ---- */

void disk_sim_quota(struct disk *disk, uint64_t bytes) {
  LOCKED(sim_of(disk));
  sim_of(disk)->quota = bytes;
}

void disk_sim_fail(struct disk *disk, uint64_t nth_call, enum err_code code) {
  struct sim_disk *sim = sim_of(disk);
  LOCKED(sim);
  sim->fail_at = nth_call ? sim->calls + nth_call : 0;
  sim->fail_code = code;
}

void disk_sim_power_off(struct disk *disk, uint64_t after_calls) {
  struct sim_disk *sim = sim_of(disk);
  LOCKED(sim);
  sim->power_until = sim->calls + after_calls;
  if (!sim->power_until) sim->power_until = 1; /* 0 would mean: forever on */
}

static void start_again(struct sim_name *name) {
  struct sim_inode *inode = name->inode;
  if (!inode) return;
  buf_reset(&inode->live);
  buf_put(&inode->live, buf_bytes(&inode->durable));
  inode->locked = false;
}

void disk_sim_crash(struct disk *disk) {
  struct sim_disk *sim = sim_of(disk);
  LOCKED(sim);
  uint64_t moves = 0;
  for (struct sim_move *move = sim->moves; move; move = move->next) moves++;
  settle_moves(sim, NULL, dice(sim, moves + 1));
  while (sim->moves) {
    struct sim_move *move = sim->moves;
    sim->moves = move->next;
    move_free(move);
  }
  sim->moves_last = &sim->moves;
  for (struct sim_name *name = sim->durable; name; name = name->next)
    if (name->inode) decide(sim, name->inode);
  names_free(&sim->live);
  for (struct sim_name *name = sim->durable; name; name = name->next) {
    start_again(name);
    name_add(&sim->live, name->path, name->inode);
  }
  sim->power_until = sim->fail_at = 0;
  sim->epoch++;
}

uint64_t disk_sim_calls(struct disk *disk) {
  LOCKED(sim_of(disk));
  return sim_of(disk)->calls;
}

uint64_t disk_sim_bytes(struct disk *disk) {
  LOCKED(sim_of(disk));
  return used(sim_of(disk));
}

bool disk_sim_flip(struct disk *disk, const char *path, uint64_t offset, unsigned bit) {
  LOCKED(sim_of(disk));
  struct sim_name *name = *find(&sim_of(disk)->live, path);
  if (!name || !name->inode || offset >= name->inode->live.len) return false;
  make_durable(name->inode);
  name->inode->live.at[offset] ^= (uint8_t)(1u << bit % 8);
  name->inode->durable.at[offset] ^= (uint8_t)(1u << bit % 8);
  return true;
}

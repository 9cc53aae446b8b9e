/* seal/disk.c: files of chunks. The last chunk stays in memory until it is known whether it is the
 * last; what is appended to a written end writes that chunk again, under a nonce of its own. */
#include "seal/disk.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "os/disk_ops.h"

#include <stdio.h>
#include <string.h>

enum {
  MAGIC_BYTES = 8,
  ID_AT = 16,
  NONCE_AT = ID_AT + 16,
  TAG_AT = NONCE_AT + AEAD_NONCE_BYTES,
  HEAD_BYTES = TAG_AT + AEAD_TAG_BYTES,
  CHUNK_MIN = 1024,
  CHUNK_MAX = 1 << 20,
  RUN_BYTES = 1 << 17, /* read at once */
  SMALL_RUN_BYTES = 3 * (SEALED_INDEX_CHUNK + AEAD_EXTRA_BYTES),
  AD_BYTES = 16 + 8 + 1,
};
static const char magic[] = "MEDSEAL1";

struct sealed_disk {
  struct disk disk; /* first member */
  struct disk *below;
  const struct keyring *keys;
  uint32_t chunk_bytes;
};

struct sealed_file {
  struct file file; /* first member */
  struct file *below;
  const struct aead_key *key;
  char *path;
  uint8_t id[16];
  uint32_t chunk_bytes;
  uint64_t bytes; /* plain */
  /* Writing: */
  bool writes, dirty;
  uint8_t *tail; /* the last chunk, plain: bytes % chunk_bytes, or a full one */
  size_t tail_bytes;
};

static struct sealed_disk *disk_of(const struct disk *disk) {
  return (struct sealed_disk *)(uintptr_t)disk;
}

static struct sealed_file *file_of(const struct file *file) {
  return (struct sealed_file *)(uintptr_t)file;
}

static void put_u32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool damaged(const char *path, struct err *err) {
  FAIL(ERR_CORRUPT, "%.180s is damaged or was replaced", path);
}

/* ---- The header ---- */

/* What a file's name may not change by itself. */
static struct bytes bound_name(const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dot = strchr(name, '.');
  return bytes_of(path, dot ? (size_t)(dot - path) : strlen(path));
}

static struct bytes head_ad(const uint8_t head[HEAD_BYTES], const char *path, struct buf *ad) {
  buf_init(ad, NONCE_AT + DISK_PATH_BYTES_MAX);
  buf_put(ad, bytes_of(head, NONCE_AT));
  buf_put(ad, bound_name(path));
  return buf_bytes(ad);
}

static void seal_head(const struct aead_key *key, const char *path, uint8_t head[HEAD_BYTES]) {
  cleanup_buf struct buf ad;
  uint8_t none[1];
  aead_seal(key, head_ad(head, path, &ad), BYTES_NONE, none, head + NONCE_AT, head + TAG_AT);
}

/* False without an error told: it is none of ours. */
static bool open_head(const struct sealed_disk *disk, const char *path,
                      const uint8_t head[HEAD_BYTES], const struct aead_key **ret_key) {
  cleanup_buf struct buf ad = {0};
  uint8_t none[1];
  uint32_t chunk = get_u32(head + MAGIC_BYTES);
  const struct aead_key *key = keyring_key(disk->keys, get_u32(head + MAGIC_BYTES + 4), KEY_FILE);
  if (memcmp(head, magic, MAGIC_BYTES) != 0 || chunk < CHUNK_MIN || chunk > CHUNK_MAX || !key)
    return false;
  *ret_key = key;
  return aead_open(key, head_ad(head, path, &ad), BYTES_NONE, head + NONCE_AT, head + TAG_AT, none);
}

static bool read_head(struct file *below, uint8_t head[HEAD_BYTES], bool *ret_whole,
                      struct err *err) {
  size_t len = 0;
  TRY(file_read(below, 0, head, HEAD_BYTES, &len, err));
  *ret_whole = len == HEAD_BYTES;
  return true;
}

uint32_t sealed_epoch(struct disk *below, const char *path) {
  struct file *file = NULL;
  struct err err;
  uint8_t head[HEAD_BYTES];
  bool whole = false;
  if (!file_open(below, path, FILE_READ, &file, &err)) return 0;
  bool good = read_head(file, head, &whole, &err) && whole && memcmp(head, magic, MAGIC_BYTES) == 0;
  file_close(&file);
  return good ? get_u32(head + MAGIC_BYTES + 4) : 0;
}

/* ---- Chunks ---- */

static uint64_t chunk_at(const struct sealed_file *file, uint64_t index) {
  return HEAD_BYTES + index * (file->chunk_bytes + (uint64_t)AEAD_EXTRA_BYTES);
}

static uint64_t last_chunk(const struct sealed_file *file) {
  return file->bytes ? (file->bytes - 1) / file->chunk_bytes : 0;
}

static struct bytes chunk_ad(const struct sealed_file *file, uint64_t index, bool end,
                             uint8_t ad[AD_BYTES]) {
  memcpy(ad, file->id, 16);
  put_u32(ad + 16, (uint32_t)(index >> 32));
  put_u32(ad + 20, (uint32_t)index);
  ad[24] = end;
  return bytes_of(ad, AD_BYTES);
}

/* Plain bytes of the file below: its chunks have one length but the last. */
static bool plain_size(struct sealed_file *file, struct err *err) {
  uint64_t below, chunk = file->chunk_bytes + (uint64_t)AEAD_EXTRA_BYTES;
  TRY(file_size(file->below, &below, err));
  if (below < HEAD_BYTES + AEAD_EXTRA_BYTES) return damaged(file->path, err);
  uint64_t whole = (below - HEAD_BYTES) / chunk, rest = (below - HEAD_BYTES) % chunk;
  if (rest && rest <= AEAD_EXTRA_BYTES && (whole || rest < AEAD_EXTRA_BYTES))
    return damaged(file->path, err);
  file->bytes = whole * file->chunk_bytes + (rest ? rest - AEAD_EXTRA_BYTES : 0);
  return true;
}

/* In place: `len` sealed bytes at `room`, whose plain ones come out at room + AEAD_NONCE_BYTES. */
static bool open_chunk(const struct sealed_file *file, uint64_t index, uint8_t *room, size_t len,
                       size_t *ret_len, struct err *err) {
  uint8_t ad[AD_BYTES], *cipher = room + AEAD_NONCE_BYTES;
  if (len < AEAD_EXTRA_BYTES) return damaged(file->path, err);
  size_t plain = len - AEAD_EXTRA_BYTES;
  bool end = index == last_chunk(file);
  if (!aead_open(file->key, chunk_ad(file, index, end, ad), bytes_of(cipher, plain), room,
                 cipher + plain, cipher))
    return damaged(file->path, err);
  *ret_len = plain;
  return true;
}

static bool read_chunk(struct sealed_file *file, uint64_t index, uint8_t *room, size_t *ret_len,
                       struct err *err) {
  size_t len = 0;
  TRY(file_read(file->below, chunk_at(file, index), room, file->chunk_bytes + AEAD_EXTRA_BYTES,
                &len, err));
  return open_chunk(file, index, room, len, ret_len, err);
}

static void seal_chunk(const struct sealed_file *file, uint64_t index, bool end, struct bytes plain,
                       uint8_t *ret_sealed) {
  uint8_t ad[AD_BYTES], *cipher = ret_sealed + AEAD_NONCE_BYTES;
  aead_seal(file->key, chunk_ad(file, index, end, ad), plain, cipher, ret_sealed,
            cipher + plain.len);
}

/* ---- Reading ---- */

/* What is left to give of what was asked for. */
struct span {
  uint8_t *to;
  uint64_t offset;
  size_t left;
};

/* Gives what of one plain chunk falls into the wanted part. */
static bool give(const struct sealed_file *file, struct span *span, struct bytes plain,
                 struct err *err) {
  size_t within = (size_t)(span->offset % file->chunk_bytes);
  if (plain.len <= within) return damaged(file->path, err);
  struct bytes part = bytes_sub(plain, within, span->left);
  memcpy(span->to, part.at, part.len);
  span->to += part.len;
  span->offset += part.len;
  span->left -= part.len;
  return true;
}

/* Some chunks in one call to the disk. */
static bool read_run(const struct sealed_file *file, struct span *span, uint8_t *room,
                     size_t chunks, struct err *err) {
  size_t sealed = file->chunk_bytes + (size_t)AEAD_EXTRA_BYTES, have = 0, len = 0;
  uint64_t index = span->offset / file->chunk_bytes;
  TRY(file_read(file->below, chunk_at(file, index), room, chunks * sealed, &have, err));
  for (size_t i = 0; i < chunks && span->left; i++) {
    size_t rest = have > i * sealed ? have - i * sealed : 0;
    uint8_t *chunk = room + i * sealed;
    TRY(open_chunk(file, index + i, chunk, rest < sealed ? rest : sealed, &len, err));
    TRY(give(file, span, bytes_of(chunk + AEAD_NONCE_BYTES, len), err));
  }
  return true;
}

static bool read_span(const struct sealed_file *file, struct span *span, struct err *err) {
  uint64_t first = span->offset / file->chunk_bytes;
  uint64_t last = (span->offset + span->left - 1) / file->chunk_bytes;
  bool in_tail = file->writes && last == last_chunk(file);
  size_t most = RUN_BYTES / file->chunk_bytes, wanted = (size_t)(last - first) + !in_tail;
  if (most == 0) most = 1;
  size_t chunks = wanted < most ? wanted : most, room_bytes;
  room_bytes = chunks * (file->chunk_bytes + (size_t)AEAD_EXTRA_BYTES);
  /* A block of the index fits here; asking the heap for it would cost a tenth of the read. */
  uint8_t here[SMALL_RUN_BYTES], *there = NULL, *room = here;
  if (room_bytes > sizeof here) room = there = must_realloc(NULL, room_bytes);
  bool good = true;
  for (; good && wanted; wanted -= chunks) {
    if (chunks > wanted) chunks = wanted;
    good = read_run(file, span, room, chunks, err);
  }
  if (good && span->left) good = give(file, span, bytes_of(file->tail, file->tail_bytes), err);
  free(there);
  return good;
}

static bool sealed_read(struct file *base, uint64_t offset, void *at, size_t len, size_t *ret_len,
                        struct err *err) {
  const struct sealed_file *file = file_of(base);
  *ret_len = 0;
  if (offset >= file->bytes || len == 0) return true;
  if (len > file->bytes - offset) len = (size_t)(file->bytes - offset);
  struct span span = {at, offset, len};
  TRY(read_span(file, &span, err));
  *ret_len = len;
  return true;
}

/* ---- Writing ---- */

/* `end`: it is the file's last. */
static bool write_tail(struct sealed_file *file, bool end, struct err *err) {
  uint8_t *room = must_alloc(file->chunk_bytes + AEAD_EXTRA_BYTES);
  uint64_t index = last_chunk(file);
  seal_chunk(file, index, end, bytes_of(file->tail, file->tail_bytes), room);
  bool good = file_write(file->below, chunk_at(file, index),
                         bytes_of(room, file->tail_bytes + AEAD_EXTRA_BYTES), err);
  free(room);
  return good;
}

static bool sealed_write(struct file *base, uint64_t offset, struct bytes data, struct err *err) {
  struct sealed_file *file = file_of(base);
  if (!file->writes) FAIL(ERR_DENIED, "%.180s is open for reading", file->path);
  if (offset != file->bytes) FAIL(ERR_UNSUPPORTED, "a sealed file is written at its end");
  while (data.len) {
    if (file->tail_bytes == file->chunk_bytes) {
      TRY(write_tail(file, false, err));
      file->tail_bytes = 0;
    }
    size_t part = file->chunk_bytes - file->tail_bytes;
    if (part > data.len) part = data.len;
    memcpy(file->tail + file->tail_bytes, data.at, part);
    file->tail_bytes += part;
    file->bytes += part;
    file->dirty = true;
    data = bytes_from(data, part);
  }
  return true;
}

static bool write_end(struct sealed_file *file, struct err *err) {
  if (!file->dirty) return true;
  TRY(write_tail(file, true, err));
  file->dirty = false;
  return true;
}

static bool sealed_sync(struct file *base, struct err *err) {
  struct sealed_file *file = file_of(base);
  return write_end(file, err) && file_sync(file->below, err);
}

static bool sealed_truncate(struct file *base, uint64_t bytes, struct err *err) {
  struct sealed_file *file = file_of(base);
  if (bytes != file->bytes) FAIL(ERR_UNSUPPORTED, "a sealed file is not cut");
  return write_end(file, err);
}

static bool sealed_size(struct file *base, uint64_t *ret_bytes, struct err *err) {
  *ret_bytes = file_of(base)->bytes;
  return true;
}

static int sealed_fd(const struct file *base) {
  return -1;
}

static void sealed_file_close(struct file *base) {
  struct sealed_file *file = file_of(base);
  struct err err;
  (void)!write_end(file, &err); /* who needs to know has synced */
  file_close(&file->below);
  if (file->tail) bytes_wipe(file->tail, file->chunk_bytes);
  free(file->tail);
  free(file->path);
  free(file);
}

/* ---- Opening ---- */

static bool start_file(struct sealed_disk *disk, struct sealed_file *file, struct err *err) {
  uint8_t head[HEAD_BYTES];
  uint32_t epoch = keyring_epoch(disk->keys);
  memcpy(head, magic, MAGIC_BYTES);
  put_u32(head + MAGIC_BYTES, disk->chunk_bytes);
  put_u32(head + MAGIC_BYTES + 4, epoch);
  random_fill(random_real(), head + ID_AT, 16);
  memcpy(file->id, head + ID_AT, 16);
  file->key = keyring_key(disk->keys, epoch, KEY_FILE);
  file->chunk_bytes = disk->chunk_bytes;
  file->dirty = true;
  file->tail = must_alloc(file->chunk_bytes);
  seal_head(file->key, file->path, head);
  return file_write(file->below, 0, bytes_of(head, HEAD_BYTES), err);
}

static bool resume_file(struct sealed_disk *disk, struct sealed_file *file,
                        const uint8_t head[HEAD_BYTES], struct err *err) {
  size_t len = 0;
  if (!open_head(disk, file->path, head, &file->key)) return damaged(file->path, err);
  memcpy(file->id, head + ID_AT, 16);
  file->chunk_bytes = get_u32(head + MAGIC_BYTES);
  TRY(plain_size(file, err));
  /* The last chunk is looked at in any case: it says that nothing behind it is missing. */
  uint8_t *room = must_alloc(file->chunk_bytes + AEAD_EXTRA_BYTES);
  bool good = read_chunk(file, last_chunk(file), room, &len, err);
  if (good && file->writes) {
    file->tail = must_alloc(file->chunk_bytes);
    memcpy(file->tail, room + AEAD_NONCE_BYTES, len);
    file->tail_bytes = len;
  }
  bytes_wipe(room, file->chunk_bytes + AEAD_EXTRA_BYTES);
  free(room);
  return good;
}

static bool begin_file(struct sealed_disk *disk, struct sealed_file *file, unsigned mode,
                       struct err *err) {
  uint8_t head[HEAD_BYTES] = {0};
  bool whole = false;
  uint64_t below;
  TRY(file_size(file->below, &below, err));
  if (below == 0 && mode & FILE_CREATE) return start_file(disk, file, err);
  TRY(read_head(file->below, head, &whole, err));
  if (!whole) return damaged(file->path, err);
  return resume_file(disk, file, head, err);
}

static bool sealed_open(struct disk *base, const char *path, unsigned mode, struct file **ret_file,
                        struct err *err) {
  struct sealed_disk *disk = disk_of(base);
  struct file *below;
  TRY(file_open(disk->below, path, mode, &below, err));
  struct sealed_file *file = must_alloc(sizeof *file);
  struct file *opened = &file->file;
  *file = (struct sealed_file){.file.ops = base->ops,
                               .below = below,
                               .path = bytes_dup(bytes_str(path)),
                               .writes = mode & FILE_WRITE,
                               .chunk_bytes = disk->chunk_bytes};
  if (!begin_file(disk, file, mode, err)) {
    file->dirty = false;
    file_close(&opened);
    return false;
  }
  *ret_file = opened;
  return true;
}

/* ---- The folder's calls ---- */

static bool bind_anew(struct sealed_disk *disk, const char *from, const char *to, struct err *err) {
  struct file *file = NULL;
  const struct aead_key *key;
  uint8_t head[HEAD_BYTES] = {0};
  bool whole = false;
  if (bytes_eq(bound_name(from), bound_name(to))) return true;
  TRY(file_open(disk->below, from, FILE_WRITE, &file, err));
  bool good = read_head(file, head, &whole, err);
  if (good && (!whole || !open_head(disk, from, head, &key))) good = damaged(from, err);
  if (good) {
    seal_head(key, to, head);
    good = file_write(file, 0, bytes_of(head, HEAD_BYTES), err) && file_sync(file, err);
  }
  file_close(&file);
  return good;
}

static bool sealed_rename(struct disk *base, const char *from, const char *to, struct err *err) {
  struct sealed_disk *disk = disk_of(base);
  return bind_anew(disk, from, to, err) && disk_rename(disk->below, from, to, err);
}

static void sealed_close(struct disk *base) {
  free(base);
}

static const char *sealed_root(const struct disk *base) {
  return disk_root(disk_of(base)->below);
}

static bool sealed_exists(struct disk *base, const char *path) {
  return disk_exists(disk_of(base)->below, path);
}

static bool sealed_remove(struct disk *base, const char *path, struct err *err) {
  return disk_remove(disk_of(base)->below, path, err);
}

static bool sealed_mkdir(struct disk *base, const char *path, struct err *err) {
  return disk_mkdir(disk_of(base)->below, path, err);
}

static bool sealed_sync_dir(struct disk *base, const char *path, struct err *err) {
  return disk_sync_dir(disk_of(base)->below, path, err);
}

static bool sealed_list(struct disk *base, const char *path,
                        bool (*visit)(void *arg, const char *name), void *arg, struct err *err) {
  return disk_list(disk_of(base)->below, path, visit, arg, err);
}

static bool sealed_lock(struct disk *base, const char *path, struct file **ret_lock,
                        struct err *err) {
  return disk_lock(disk_of(base)->below, path, ret_lock, err);
}

struct disk *sealed_disk_new(struct disk *below, const struct keyring *keys, uint32_t chunk_bytes) {
  static const struct disk_ops ops = {
      .close = sealed_close,
      .root = sealed_root,
      .open = sealed_open,
      .exists = sealed_exists,
      .remove = sealed_remove,
      .rename = sealed_rename,
      .mkdir = sealed_mkdir,
      .sync_dir = sealed_sync_dir,
      .list = sealed_list,
      .lock = sealed_lock,
      .file_close = sealed_file_close,
      .file_read = sealed_read,
      .file_write = sealed_write,
      .file_sync = sealed_sync,
      .file_truncate = sealed_truncate,
      .file_size = sealed_size,
      .file_fd = sealed_fd,
  };
  must(chunk_bytes >= CHUNK_MIN && chunk_bytes <= CHUNK_MAX);
  struct sealed_disk *disk = must_alloc(sizeof *disk);
  *disk = (struct sealed_disk){{&ops}, below, keys, chunk_bytes};
  return &disk->disk;
}

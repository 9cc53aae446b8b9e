/* runtime/snapshot.c: write, check and apply the format that runtime/snapshot.h describes. */
#include "runtime/snapshot.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/must.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BYTES (112 + 4 * SNAPSHOT_WORDS)
#define BLOCK_IS_ZERO (1u << 31)
static const char magic[8] = {'M', 'E', 'D', 'S', 'N', 'A', 'P', '\n'};
static const uint8_t zero_block[MODULE_BLOCK_BYTES];

/* ---- numbers ---- */

static void put_number(struct buf *buf, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) buf_char(buf, (uint8_t)(value >> (8 * i)));
}

static uint64_t number_at(struct bytes image, size_t at, size_t bytes) {
  uint64_t value = 0;
  must(at <= image.len && bytes <= image.len - at);
  for (size_t i = bytes; i > 0; i--) value = value << 8 | image.at[at + i - 1];
  return value;
}

static uint32_t u32_at(struct bytes image, size_t at) {
  return (uint32_t)number_at(image, at, 4);
}

/* ---- blocks of a snapshot ---- */

/* Sets blocks[n] for every block that the snapshot lists. */
static void spread_blocks(const struct snapshot *snapshot, const uint8_t **blocks, size_t count) {
  const uint8_t *content = snapshot->image.at + snapshot->content_at;
  for (uint32_t i = 0; i < snapshot->block_count; i++) {
    uint32_t entry = u32_at(snapshot->image, snapshot->blocks_at + 4 * (size_t)i);
    uint32_t block = entry & ~BLOCK_IS_ZERO;
    const uint8_t *at = NULL;
    if (!(entry & BLOCK_IS_ZERO)) {
      at = content;
      content += MODULE_BLOCK_BYTES;
    }
    if (block < count) blocks[block] = at;
  }
}

static const uint8_t **make_blocks(uint64_t memory_bytes, const struct snapshot *base,
                                   const struct snapshot *snapshot) {
  size_t count = memory_bytes >> MODULE_BLOCK_SHIFT;
  const uint8_t **blocks = must_alloc((count + 1) * sizeof *blocks);
  memset(blocks, 0, (count + 1) * sizeof *blocks);
  if (base) spread_blocks(base, blocks, count);
  if (snapshot) spread_blocks(snapshot, blocks, count);
  return blocks;
}

/* ---- writing ---- */

static uint32_t list_blocks(const struct instance *instance, const uint8_t *const *base,
                            struct buf *list, struct buf *content) {
  uint32_t count = 0;
  for (uint32_t b = 0; b < instance->memory->size >> MODULE_BLOCK_SHIFT; b++) {
    const uint8_t *at = instance->data + ((size_t)b << MODULE_BLOCK_SHIFT);
    const uint8_t *was = base[b] ? base[b] : zero_block;
    if (memcmp(at, was, MODULE_BLOCK_BYTES) == 0) continue;
    bool is_zero = memcmp(at, zero_block, MODULE_BLOCK_BYTES) == 0;
    put_number(list, is_zero ? b | BLOCK_IS_ZERO : b, 4);
    if (!is_zero) buf_put(content, bytes_of(at, MODULE_BLOCK_BYTES));
    count++;
  }
  return count;
}

static void put_fields(const struct instance *instance, struct buf *out) {
  for (uint32_t i = 0; i < instance->shape->field_count; i++) {
    const struct module_field *field = &instance->shape->fields[i];
    uint64_t value = 0;
    must(field->bytes <= sizeof value);
    memcpy(&value, (const uint8_t *)instance->at + field->offset, field->bytes);
    put_number(out, value, 8);
  }
}

static bool put_tables(const struct instance *instance, struct buf *out, struct err *err) {
  for (uint32_t t = 0; t < instance->shape->table_count; t++) {
    const wasm_rt_funcref_table_t *table = instance_table(instance, t);
    put_number(out, table->size, 4);
    for (uint32_t i = 0; i < table->size; i++) {
      uint32_t number = instance_table_number(instance, &table->data[i]);
      if (number == UINT32_MAX)
        FAIL(ERR_UNSUPPORTED, "table %u holds a function that no element segment names", t);
      put_number(out, number, 4);
    }
  }
  return true;
}

static bool write_whole(int fd, struct bytes all, struct err *err) {
  while (all.len > 0) {
    ssize_t wrote = write(fd, all.at, all.len);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      err_set_errno(err, errno, ERR_PLACE, "writing the snapshot");
      return false;
    }
    all = bytes_from(all, (size_t)wrote);
  }
  return true;
}

static void put_head(const struct instance *instance, enum guest_kind kind, const char *hash,
                     const uint32_t *words, bool based, uint32_t blocks, struct buf *out) {
  must(strlen(hash) == SNAPSHOT_HASH_DIGITS);
  buf_put(out, bytes_of(magic, sizeof magic));
  put_number(out, SNAPSHOT_FORMAT, 4);
  put_number(out, kind, 4);
  buf_str(out, hash);
  put_number(out, 0, 8); /* bytes of the file, filled in when they are known */
  put_number(out, instance->memory->size, 8);
  put_number(out, based, 4);
  put_number(out, blocks, 4);
  put_number(out, instance->shape->field_count, 4);
  put_number(out, instance->shape->table_count, 4);
  for (size_t i = 0; i < SNAPSHOT_WORDS; i++) put_number(out, words[i], 4);
}

bool snapshot_write(const struct instance *instance, enum guest_kind kind, const char *hash,
                    const uint32_t words[SNAPSHOT_WORDS], const struct snapshot *base, int fd,
                    struct err *err) {
  cleanup_buf struct buf out, list, content;
  buf_init(&out, SNAPSHOT_BYTES_MAX);
  buf_init(&list, SNAPSHOT_BYTES_MAX);
  buf_init(&content, SNAPSHOT_BYTES_MAX);
  const uint8_t **was = make_blocks(instance->memory->size, base, NULL);
  uint32_t blocks = list_blocks(instance, was, &list, &content);
  free(was);
  put_head(instance, kind, hash, words, base != NULL, blocks, &out);
  put_fields(instance, &out);
  TRY(put_tables(instance, &out, err));
  buf_put(&out, buf_bytes(&list));
  size_t pad = (MODULE_BLOCK_BYTES - out.len % MODULE_BLOCK_BYTES) % MODULE_BLOCK_BYTES;
  buf_put(&out, bytes_of(zero_block, pad));
  buf_put(&out, buf_bytes(&content));
  if (!buf_ok(&out) || !buf_ok(&list) || !buf_ok(&content))
    FAIL(ERR_LIMIT, "the snapshot is larger than %llu bytes", SNAPSHOT_BYTES_MAX);
  uint64_t total = out.len + SHA256_BYTES;
  for (size_t i = 0; i < 8; i++) out.at[80 + i] = (uint8_t)(total >> (8 * i));
  uint8_t digest[SHA256_BYTES];
  sha256(buf_bytes(&out), digest);
  buf_put(&out, bytes_of(digest, sizeof digest));
  return write_whole(fd, buf_bytes(&out), err);
}

/* ---- reading ---- */

static bool read_head(struct snapshot *s, enum guest_kind kind, const char *hash, struct err *err) {
  struct bytes image = s->image;
  if (image.len < HEAD_BYTES + SHA256_BYTES || memcmp(image.at, magic, sizeof magic) != 0)
    FAIL_AT(ERR_CORRUPT, 0, "not a snapshot");
  if (u32_at(image, 8) != SNAPSHOT_FORMAT)
    FAIL_AT(ERR_NEWER, 8, "snapshot format %u, this program reads %u", u32_at(image, 8),
            SNAPSHOT_FORMAT);
  if (number_at(image, 80, 8) != image.len)
    FAIL_AT(ERR_CORRUPT, 80, "%zu bytes instead of the %llu it was written with", image.len,
            (unsigned long long)number_at(image, 80, 8));
  uint8_t digest[SHA256_BYTES];
  size_t body = image.len - SHA256_BYTES;
  sha256(bytes_sub(image, 0, body), digest);
  if (memcmp(digest, image.at + body, sizeof digest) != 0)
    FAIL_AT(ERR_CORRUPT, body, "the snapshot's checksum does not match");
  s->kind = u32_at(image, 12);
  if (s->kind != kind) FAIL_AT(ERR_CORRUPT, 12, "the snapshot is of another kind of function");
  if (memcmp(image.at + 16, hash, SNAPSHOT_HASH_DIGITS) != 0)
    FAIL_AT(ERR_UNSUPPORTED, 16, "the snapshot was made by another engine; prepare it again");
  s->memory_bytes = number_at(image, 88, 8);
  s->based = u32_at(image, 96);
  s->block_count = u32_at(image, 100);
  s->field_count = u32_at(image, 104);
  s->table_count = u32_at(image, 108);
  for (size_t i = 0; i < SNAPSHOT_WORDS; i++) s->words[i] = u32_at(image, 112 + 4 * i);
  if (s->memory_bytes % WASM_PAGE_BYTES != 0 || s->memory_bytes > INSTANCE_BYTES_MAX)
    FAIL_AT(ERR_CORRUPT, 88, "an impossible memory size");
  return true;
}

/* Moves *at over `count` items of `bytes` each, inside the body. */
static bool skip(struct bytes body, size_t *at, uint64_t count, size_t bytes, struct err *err) {
  if (count > (body.len - *at) / bytes) FAIL_AT(ERR_CORRUPT, *at, "it ends too early");
  *at += count * bytes;
  return true;
}

static bool read_blocks(struct snapshot *s, struct bytes body, size_t *at, struct err *err) {
  uint64_t next = 0, content = 0;
  s->blocks_at = *at;
  TRY(skip(body, at, s->block_count, 4, err));
  for (uint32_t i = 0; i < s->block_count; i++) {
    uint32_t entry = u32_at(body, s->blocks_at + 4 * (size_t)i);
    uint64_t block = entry & ~BLOCK_IS_ZERO;
    if (block < next || block >= s->memory_bytes >> MODULE_BLOCK_SHIFT)
      FAIL_AT(ERR_CORRUPT, s->blocks_at + 4 * (size_t)i, "block out of order or of memory");
    next = block + 1;
    content += !(entry & BLOCK_IS_ZERO);
  }
  size_t pad = (MODULE_BLOCK_BYTES - *at % MODULE_BLOCK_BYTES) % MODULE_BLOCK_BYTES;
  TRY(skip(body, at, pad, 1, err));
  s->content_at = *at;
  TRY(skip(body, at, content, MODULE_BLOCK_BYTES, err));
  if (*at != body.len) FAIL_AT(ERR_CORRUPT, *at, "bytes left over");
  return true;
}

bool snapshot_read(struct bytes image, enum guest_kind kind, const char *hash,
                   struct snapshot *ret_snapshot, struct err *err) {
  struct snapshot s = {.image = image};
  TRY(read_head(&s, kind, hash, err));
  struct bytes body = bytes_sub(image, 0, image.len - SHA256_BYTES);
  size_t at = HEAD_BYTES;
  s.fields_at = at;
  TRY(skip(body, &at, s.field_count, 8, err));
  for (uint32_t t = 0; t < s.table_count; t++) {
    size_t count_at = at;
    TRY(skip(body, &at, 1, 4, err));
    TRY(skip(body, &at, u32_at(body, count_at), 4, err));
  }
  TRY(read_blocks(&s, body, &at, err));
  *ret_snapshot = s;
  return true;
}

static bool apply_tables(const struct snapshot *s, struct instance *instance, struct err *err) {
  size_t at = s->fields_at + 8 * (size_t)s->field_count;
  for (uint32_t t = 0; t < s->table_count; t++) {
    wasm_rt_funcref_table_t *table = instance_table(instance, t);
    if (u32_at(s->image, at) != table->size)
      FAIL_AT(ERR_CORRUPT, at, "table %u has another size than the module's", t);
    at += 4;
    for (uint32_t i = 0; i < table->size; i++, at += 4) {
      uint32_t number = u32_at(s->image, at);
      table->data[i] = instance_table_entry(instance, number);
      if (number != 0 && !table->data[i].func)
        FAIL_AT(ERR_CORRUPT, at, "table %u names a function that is not there", t);
    }
  }
  return true;
}

bool snapshot_apply(const struct snapshot *snapshot, const struct snapshot *base,
                    struct instance *instance, struct err *err) {
  const struct module_shape *shape = instance->shape;
  if (snapshot->field_count != shape->field_count || snapshot->table_count != shape->table_count)
    FAIL(ERR_CORRUPT, "the snapshot is of another module");
  if (snapshot->based && !base) FAIL(ERR_UNSUPPORTED, "the snapshot needs a base");
  TRY(instance_resize(instance, snapshot->memory_bytes, err));
  TRY(apply_tables(snapshot, instance, err));
  for (uint32_t i = 0; i < shape->field_count; i++) {
    uint64_t value = number_at(snapshot->image, snapshot->fields_at + 8 * (size_t)i, 8);
    memcpy((uint8_t *)instance->at + shape->fields[i].offset, &value, shape->fields[i].bytes);
  }
  instance_pristine(instance,
                    make_blocks(snapshot->memory_bytes, snapshot->based ? base : NULL, snapshot));
  return true;
}

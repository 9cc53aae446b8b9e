/* effect/object_store_body.c: bodies as files: written, made durable off the loop, swept.
 *
 * A file's folder is the last byte of its id, which is random, so that folders stay even.       */
#include "base/cleanup.h"
#include "base/map.h"
#include "base/must.h"
#include "effect/object_store.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 64, FOLDERS = 256, SWEEP_ROUND_MAX = 100000 };

struct object_put {
  struct object_store objects;
  struct file *file;
  struct object_facts facts;
  struct digest sha256, md5;
  char path[PATH_BYTES];
  /* finish */
  object_put_done *done;
  void *arg;
  bool ok;
  struct err err;
};

static void body_folder(struct id body, char ret_path[PATH_BYTES]) {
  snprintf(ret_path, PATH_BYTES, "object/%02x", body.at[ID_BYTES - 1]);
}

static void body_path(struct id body, char ret_path[PATH_BYTES]) {
  char id[ID_TEXT_BYTES];
  id_text(body, id);
  snprintf(ret_path, PATH_BYTES, "object/%02x/%s", body.at[ID_BYTES - 1], id);
}

bool object_put_begin(const struct object_store *objects, struct object_put **ret_put,
                      struct err *err) {
  char folder[PATH_BYTES], path[PATH_BYTES];
  struct file *file;
  if (!objects->disk) FAIL(ERR_UNAVAILABLE, "this server keeps no objects");
  struct id body = random_id(objects->random, objects->clock);
  body_folder(body, folder);
  body_path(body, path);
  TRY(disk_mkdir(objects->disk, folder, err));
  TRY(file_open(objects->disk, path, FILE_READ | FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE, &file,
                err));
  struct object_put *put = must_alloc(sizeof *put);
  put->objects = *objects;
  put->file = file;
  put->facts.body = body;
  memcpy(put->path, path, sizeof path);
  digest_init(&put->sha256, DIGEST_SHA256);
  digest_init(&put->md5, DIGEST_MD5);
  *ret_put = put;
  return true;
}

bool object_put_write(struct object_put *put, struct bytes data, struct err *err) {
  if (put->facts.bytes + data.len > OBJECT_BYTES_MAX)
    FAIL(ERR_LIMIT, "OBJECT_BYTES_MAX: an object has at most 5 GiB");
  TRY(file_write(put->file, put->facts.bytes, data, err));
  put->facts.bytes += data.len;
  digest_add(&put->sha256, data);
  digest_add(&put->md5, data);
  return true;
}

uint64_t object_put_bytes(const struct object_put *put) {
  return put->facts.bytes;
}

static void put_free(struct object_put *put) {
  if (put->file) file_close(&put->file);
  digest_fini(&put->sha256);
  digest_fini(&put->md5);
  free(put);
}

void object_put_cancel(struct object_put **put_take) {
  struct object_put *put = *put_take;
  struct err err;
  *put_take = NULL;
  if (!put) return;
  file_close(&put->file);
  (void)!disk_remove(put->objects.disk, put->path, &err);
  put_free(put);
}

/* On a reader's thread: waiting for a disk is its trade. */
static void sync_query(void *arg, struct store_reader *reader) {
  struct object_put *put = arg;
  char folder[PATH_BYTES];
  (void)reader;
  body_folder(put->facts.body, folder);
  put->ok = file_sync(put->file, &put->err) && disk_sync_dir(put->objects.disk, folder, &put->err);
}

static void sync_done(void *arg) {
  struct object_put *put = arg;
  if (!put->ok) {
    put->done(put->arg, NULL, &put->err);
    object_put_cancel(&put);
    return;
  }
  digest_final(&put->sha256, put->facts.sha256);
  digest_final(&put->md5, put->facts.md5);
  put->facts.modified_ms = clock_wall_ms(put->objects.clock);
  err_clear(&put->err);
  put->done(put->arg, &put->facts, &put->err);
  put_free(put);
}

void object_put_finish(struct object_put **put_take, object_put_done *done, void *arg) {
  struct object_put *put = *put_take;
  *put_take = NULL;
  put->done = done;
  put->arg = arg;
  store_ask(put->objects.store, sync_query, sync_done, put);
}

void object_drop(const struct object_store *objects, struct id body) {
  char path[PATH_BYTES];
  struct err err;
  body_path(body, path);
  (void)!disk_remove(objects->disk, path, &err);
}

bool object_open(const struct object_store *objects, struct id body, struct file **ret_file,
                 struct err *err) {
  char path[PATH_BYTES];
  if (!objects->disk) FAIL(ERR_UNAVAILABLE, "this server keeps no objects");
  body_path(body, path);
  return file_open(objects->disk, path, FILE_READ, ret_file, err);
}

/* ---- The sweep: every file is looked up among the bodies that rows name ---- */

struct sweep {
  const struct object_store *objects;
  struct map named; /* body id -> itself */
  int64_t before_ms;
  uint32_t removed;
  char folder[PATH_BYTES];
};

static bool name_body(void *arg, const struct store_row *row) {
  struct sweep *sweep = arg;
  struct object_facts facts;
  struct bytes rest;
  struct err err;
  if (object_decode(row->value, &facts, &rest, &err) && !id_is_none(facts.body))
    map_put(&sweep->named, id_bytes(&facts.body), sweep);
  return true;
}

static int64_t made_ms(struct id id) {
  int64_t ms = 0;
  for (size_t i = 0; i < 6; i++) ms = ms << 8 | id.at[i]; /* RFC 9562 §5.7 */
  return ms;
}

static bool sweep_file(void *arg, const char *name) {
  struct sweep *sweep = arg;
  struct id id;
  struct err err;
  if (!id_parse(bytes_str(name), &id, &err) || made_ms(id) >= sweep->before_ms ||
      map_get(&sweep->named, id_bytes(&id)))
    return true;
  object_drop(sweep->objects, id);
  return ++sweep->removed < SWEEP_ROUND_MAX;
}

bool object_sweep(const struct object_store *objects, struct store_reader *reader,
                  int64_t before_ms, uint32_t *ret_removed, struct err *err) {
  static const enum store_table tables[] = {TABLE_object, TABLE_upload};
  struct sweep sweep = {.objects = objects, .before_ms = before_ms};
  bool ok = true;
  map_init(&sweep.named, random_u64(objects->random));
  for (size_t i = 0; ok && i < sizeof tables / sizeof *tables; i++) {
    const struct store_range all = {.table = tables[i]};
    ok = store_scan(reader, &all, name_body, &sweep, err);
  }
  for (int i = 0; ok && i < FOLDERS; i++) {
    snprintf(sweep.folder, sizeof sweep.folder, "object/%02x", i);
    if (disk_exists(objects->disk, sweep.folder))
      ok = disk_list(objects->disk, sweep.folder, sweep_file, &sweep, err);
  }
  map_fini(&sweep.named);
  if (ok) *ret_removed = sweep.removed;
  return ok;
}

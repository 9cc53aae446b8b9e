/* Objects: bodies, rows, lists page by page, and the sweep of what nobody names. */
#include "tests/unit/effect/rig.h"

#include "effect/object_store.h"

static const char yaml[] = "app: ward\nfunctions:\n  news2: {code: a.js}\n";

struct finished {
  bool done;
  struct object_facts facts;
  enum err_code code;
};

static void on_finished(void *arg, const struct object_facts *facts, const struct err *err) {
  struct finished *finished = arg;
  finished->done = true;
  finished->code = err->code;
  if (facts) finished->facts = *facts;
}

static void committed(void *arg, const struct store_result *result) {
  (void)arg;
  assert_int_equal(result->err.code, ERR_OK);
}

static struct object_facts put(struct rig *rig, const struct object_store *objects, const char *key,
                               const char *body, bool commit_it) {
  struct object_put *put;
  struct finished finished = {0};
  struct err err;
  assert_ok(object_put_begin(objects, &put, &err), err);
  assert_ok(object_put_write(put, bytes_sub(bytes_str(body), 0, 2), &err), err);
  assert_ok(object_put_write(put, bytes_from(bytes_str(body), 2), &err), err);
  object_put_finish(&put, on_finished, &finished);
  rig_turn(rig);
  assert_true(finished.done);
  assert_int_equal(finished.code, ERR_OK);
  if (commit_it) {
    struct store_commit *commit = commit_new();
    finished.facts.content_type = BYTES("text/plain");
    object_commit_put(commit, BYTES("uploads"), bytes_str(key), &finished.facts);
    store_submit(rig->store, &commit, committed, NULL);
    rig_turn(rig);
  }
  return finished.facts;
}

static struct object_store open_objects(struct rig *rig, char *folder) {
  struct err err;
  struct disk *disk;
  rig_open(rig, yaml);
  assert_non_null(mkdtemp(folder));
  assert_ok(disk_open_real(folder, &disk, &err), err);
  return (struct object_store){
      .store = rig->store, .disk = disk, .clock = &rig->clock.port, .random = &rig->random.port};
}

static void close_objects(struct rig *rig, struct object_store *objects, const char *folder) {
  char command[256];
  disk_close(&objects->disk);
  rig_close(rig);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  assert_int_equal(system(command), 0);
}

static void test_body_and_row(void **state) {
  struct rig rig;
  char folder[] = "/tmp/medulla-object-XXXXXX", etag[OBJECT_ETAG_BYTES], text[64] = {0};
  struct object_store objects = open_objects(&rig, folder);
  struct object_facts facts;
  struct file *file;
  struct buf row;
  struct err err;
  uint64_t version;
  size_t len;
  (void)state;
  put(&rig, &objects, "in/a.txt", "hello", true);
  buf_init(&row, OBJECT_ROW_BYTES_MAX);
  assert_ok(object_stat(store_reader(rig.store), BYTES("uploads"), BYTES("in/a.txt"), &row, &facts,
                        &version, &err),
            err);
  assert_true(version > 0);
  assert_int_equal(facts.bytes, 5);
  assert_bytes(facts.content_type, "text/plain");
  object_etag(&facts, etag);
  assert_string_equal(etag, "5d41402abc4b2a76b9719d911017c592"); /* RFC 1321 over "hello" */
  assert_ok(object_open(&objects, facts.body, &file, &err), err);
  assert_ok(file_read(file, 0, text, sizeof text, &len, &err), err);
  assert_string_equal(text, "hello");
  file_close(&file);
  assert_ok(object_stat(store_reader(rig.store), BYTES("uploads"), BYTES("in/b"), &row, &facts,
                        &version, &err),
            err);
  assert_int_equal(version, 0);
  buf_fini(&row);
  close_objects(&rig, &objects, folder);
}

struct names {
  char text[512];
};

static void on_listed(void *arg, const struct object_listed *listed) {
  struct names *names = arg;
  size_t len = strlen(names->text);
  snprintf(names->text + len, sizeof names->text - len, "%.*s%s ", BYTES_FMT(listed->key),
           listed->facts ? "" : "*");
}

static void test_list(void **state) {
  static const char *const keys[] = {"a/1", "a/2", "b", "c/d/1", "c/d/2", "c/e", "z"};
  struct rig rig;
  char folder[] = "/tmp/medulla-object-XXXXXX", after[64] = "";
  struct object_store objects = open_objects(&rig, folder);
  struct buf next;
  struct err err;
  struct names names = {""};
  (void)state;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    put(&rig, &objects, keys[i], "body", true);
  buf_init(&next, 2048);
  struct object_list list = {.bucket = BYTES("uploads"), .max = 10, .delimiter = BYTES("/")};
  assert_ok(object_list(store_reader(rig.store), &list, on_listed, &names, &next, &err), err);
  assert_string_equal(names.text, "a/* b c/* z ");
  assert_int_equal(next.len, 0);
  names.text[0] = 0;
  list.max = 1; /* one at a time */
  do {
    list.after = bytes_str(after);
    buf_reset(&next);
    assert_ok(object_list(store_reader(rig.store), &list, on_listed, &names, &next, &err), err);
    bytes_text(buf_bytes(&next), after, sizeof after);
  } while (next.len);
  assert_string_equal(names.text, "a/* b c/* z ");
  names.text[0] = 0;
  list = (struct object_list){.bucket = BYTES("uploads"), .prefix = BYTES("c/"), .max = 10};
  assert_ok(object_list(store_reader(rig.store), &list, on_listed, &names, &next, &err), err);
  assert_string_equal(names.text, "c/d/1 c/d/2 c/e ");
  list.bucket = BYTES("upload"); /* no other bucket's */
  names.text[0] = 0;
  assert_ok(object_list(store_reader(rig.store), &list, on_listed, &names, &next, &err), err);
  assert_string_equal(names.text, "");
  buf_fini(&next);
  close_objects(&rig, &objects, folder);
}

static void test_sweep(void **state) {
  struct rig rig;
  char folder[] = "/tmp/medulla-object-XXXXXX";
  struct object_store objects = open_objects(&rig, folder);
  struct file *file;
  struct err err;
  uint32_t removed = 0;
  (void)state;
  struct object_facts kept = put(&rig, &objects, "k", "kept", true);
  struct object_facts orphan = put(&rig, &objects, "o", "orphan", false);
  int64_t made_ms = clock_wall_ms(&rig.clock.port);
  struct store_reader *reader = store_reader(rig.store);
  assert_ok(object_sweep(&objects, reader, made_ms, &removed, &err), err);
  assert_int_equal(removed, 0); /* too young: its commit may be on its way */
  assert_ok(object_sweep(&objects, reader, made_ms + 1, &removed, &err), err);
  assert_int_equal(removed, 1);
  assert_fails(object_open(&objects, orphan.body, &file, &err), err, ERR_NOT_FOUND);
  assert_ok(object_open(&objects, kept.body, &file, &err), err);
  file_close(&file);
  close_objects(&rig, &objects, folder);
}

static void test_names(void **state) {
  struct err err;
  (void)state;
  assert_ok(object_name_check(BYTES("a-b.c"), BYTES("x"), &err), err);
  assert_fails(object_name_check(BYTES("ab"), BYTES("x"), &err), err, ERR_INVALID);
  assert_fails(object_name_check(BYTES("aB-"), BYTES("x"), &err), err, ERR_INVALID);
  assert_fails(object_name_check(BYTES("a/../b"), BYTES("x"), &err), err, ERR_INVALID);
  assert_fails(object_name_check(BYTES("abc"), BYTES(""), &err), err, ERR_INVALID);
  assert_fails(object_name_check(BYTES("abc"), BYTES("a\0b"), &err), err, ERR_INVALID);
  assert_fails(object_name_check(BYTES("abc"), BYTES("\xff"), &err), err, ERR_INVALID);
}

static void test_damaged_row(void **state) {
  struct object_facts facts = {.content_type = BYTES("a/b")};
  struct buf row;
  struct bytes rest;
  struct err err;
  (void)state;
  buf_init(&row, OBJECT_ROW_BYTES_MAX);
  object_encode(&row, &facts);
  for (size_t len = 0; len < row.len; len++)
    assert_fails(object_decode(bytes_sub(buf_bytes(&row), 0, len), &facts, &rest, &err), err,
                 ERR_CORRUPT);
  buf_str(&row, "more");
  assert_ok(object_decode(buf_bytes(&row), &facts, &rest, &err), err);
  assert_bytes(rest, "more");
  buf_fini(&row);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_body_and_row), cmocka_unit_test(test_list),
      cmocka_unit_test(test_sweep),        cmocka_unit_test(test_names),
      cmocka_unit_test(test_damaged_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/store/rig.c: the rig of the store's tests. */
#include "tests/unit/store/rig.h"

#include "os/disk_sim.h"

void rig_init(struct rig *rig, bool real,
              bool (*open)(const struct store_options *, struct store **, struct err *)) {
  struct err err;
  *rig = (struct rig){.real = real, .open = open};
  sim_clock_init(&rig->clock, 1700000000000);
  random_seeded_init(&rig->random, 7);
  if (real)
    assert_ok(loop_new(clock_real(), &rig->loop, &err), err);
  else
    rig->loop = loop_new_simulated(&rig->clock.port);
  rig->options = (struct store_options){.loop = rig->loop,
                                        .clock = real ? clock_real() : &rig->clock.port,
                                        .random = real ? random_real() : &rig->random.port,
                                        .inline_execution = !real,
                                        .index_memory = true};
  rig->keys_disk = disk_new_simulated(1);
  rig_keys_on(rig, rig->keys_disk);
}

void rig_keys_on(struct rig *rig, struct disk *disk) {
  static const uint8_t key[ROOT_KEY_BYTES] = {1, 2, 3};
  struct err err;
  struct root *root = root_new(key);
  keyring_close(&rig->keys);
  if (disk_exists(disk, KEYRING_PATH))
    assert_ok(keyring_open(disk, root, &rig->keys, &err), err);
  else
    assert_ok(keyring_create(disk, root, clock_real(), &rig->keys, &err), err);
  root_free(&root);
  rig->options.keys = rig->keys;
}

void rig_fini(struct rig *rig) {
  store_close(&rig->store);
  while (loop_step(rig->loop, 0)) continue;
  loop_free(&rig->loop);
  keyring_close(&rig->keys);
  disk_close(&rig->keys_disk);
}

void rig_open(struct rig *rig) {
  struct err err;
  rig->options.disk = rig->disk;
  assert_ok(rig->open(&rig->options, &rig->store, &err), err);
}

void rig_until(struct rig *rig, const bool *flag) {
  for (int i = 0; i < 100000 && !*flag; i++) loop_step(rig->loop, 100);
  if (!*flag) fail_msg("no answer came");
}

static unsigned answers;

void rig_answer(void *arg, const struct store_result *result) {
  struct answer *answer = arg;
  assert_false(answer->done);
  answer->done = true;
  answer->order = answers++;
  answer->result = *result;
  answer->note_bytes = result->seen_note.len;
  if (result->seen_note.len) memcpy(answer->note, result->seen_note.at, result->seen_note.len);
  answer->result.seen_note = BYTES_NONE;
}

struct answer rig_commit(struct rig *rig, struct store_commit *commit) {
  struct answer answer = {0};
  store_submit(rig->store, &commit, rig_answer, &answer);
  assert_null(commit);
  assert_false(answer.done); /* never from within submit */
  rig_until(rig, &answer.done);
  return answer;
}

struct answer rig_put(struct rig *rig, enum store_table table, const char *key, const char *value) {
  struct store_commit *commit = commit_new();
  commit_put(commit, table, bytes_str(key), bytes_str(value));
  return rig_commit(rig, commit);
}

struct answer rig_append(struct rig *rig, enum store_table log, const char *key,
                         const char *value) {
  struct store_commit *commit = commit_new();
  commit_append(commit, log, bytes_str(key), bytes_str(value));
  return rig_commit(rig, commit);
}

const char *rig_get(struct rig *rig, enum store_table table, const char *key,
                    uint64_t *ret_version) {
  static char text[256];
  struct buf value;
  struct err err;
  uint64_t version;
  buf_init(&value, sizeof text - 1);
  assert_ok(store_get(store_reader(rig->store), table, bytes_str(key), &value, &version, &err),
            err);
  bytes_text(buf_bytes(&value), text, sizeof text);
  buf_fini(&value);
  if (ret_version) *ret_version = version;
  return version ? text : NULL;
}

/* The audit tree against known roots, and a log that was tampered with: changed, missing, moved. */
#include "tests/unit/test.h"

#include "audit/record.h"
#include "audit/sequencer.h"
#include "base/cleanup.h"
#include "os/sim_clock.h"
#include "store/open.h"
#include "wire/codec.h"

static void hex_root(const struct audit_tree *tree, char ret_text[65]) {
  uint8_t root[SHA256_BYTES];
  cleanup_buf struct buf hex;
  audit_tree_root(tree, root);
  buf_init(&hex, 64);
  hex_encode(&hex, bytes_of(root, sizeof root));
  bytes_text(buf_bytes(&hex), ret_text, 65);
}

/* The reference data of certificate transparency's own tests: these eight leaves. */
static void roots_are_those_of_rfc_6962(void **state) {
  static const struct {
    const char *leaf;
    size_t len;
  } leaves[] = {{"", 0},
                {"\x00", 1},
                {"\x10", 1},
                {"\x20\x21", 2},
                {"\x30\x31", 2},
                {"\x40\x41\x42\x43", 4},
                {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
                {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
  struct audit_tree tree;
  char text[65];
  audit_tree_init(&tree);
  hex_root(&tree, text);
  assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (size_t i = 0; i < 8; i++) {
    uint8_t hash[SHA256_BYTES];
    uint8_t leaf[32] = {0};
    memcpy(leaf + 1, leaves[i].leaf, leaves[i].len);
    sha256(bytes_of(leaf, leaves[i].len + 1), hash);
    audit_tree_add(&tree, hash);
    hex_root(&tree, text);
    if (i == 0)
      assert_string_equal(text, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    if (i == 1)
      assert_string_equal(text, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
  }
  assert_string_equal(text, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

struct rig {
  struct sim_clock clock;
  struct loop *loop;
  struct random_seeded random;
  struct store *store;
  struct sequencer *sequencer;
  unsigned done;
};

static void count_done(void *arg, const struct store_result *result) {
  struct rig *rig = arg;
  assert_int_equal(result->err.code, ERR_OK);
  rig->done++;
}

static void append(struct rig *rig, const char *action) {
  struct store_commit *commit = commit_new();
  struct audit_record record = {.at_ms = 1,
                                .actor = BYTES("nurse"),
                                .action = bytes_str(action),
                                .resource = BYTES("state"),
                                .outcome = BYTES("ok"),
                                .personal = BYTES("Patient/1")};
  audit_append(commit, &rig->random.port, &record);
  unsigned before = rig->done;
  store_submit(rig->store, &commit, count_done, rig);
  while (rig->done == before) loop_step(rig->loop, 0);
}

static void rig_open(struct rig *rig) {
  struct err err;
  *rig = (struct rig){0};
  sim_clock_init(&rig->clock, 1000);
  rig->loop = loop_new_simulated(&rig->clock.port);
  random_seeded_init(&rig->random, 7);
  struct store_options options = {.loop = rig->loop,
                                  .clock = &rig->clock.port,
                                  .random = &rig->random.port,
                                  .inline_execution = true,
                                  .index_memory = true};
  assert_ok(store_open_memory(&options, &rig->store, &err), err);
  assert_ok(sequencer_open(rig->loop, rig->store, &rig->clock.port, &rig->sequencer, &err), err);
}

static void rig_close(struct rig *rig) {
  sequencer_close(&rig->sequencer);
  store_close(&rig->store);
  loop_step(rig->loop, 0);
  loop_free(&rig->loop);
}

static void settle(struct rig *rig) {
  for (int i = 0; i < 20; i++) {
    sim_clock_advance_ms(&rig->clock, AUDIT_CHECKPOINT_MS);
    while (loop_step(rig->loop, 0)) continue;
  }
}

static void a_sound_log_verifies(void **state) {
  struct rig rig;
  struct audit_verdict verdict;
  rig_open(&rig);
  for (int i = 0; i < 5; i++) append(&rig, "state.put");
  settle(&rig);
  append(&rig, "after the checkpoint");
  audit_verify(store_reader(rig.store), &verdict);
  assert_true(verdict.ok);
  assert_int_equal(verdict.records, 6);
  assert_int_equal(verdict.checkpoints, 1);
  assert_int_equal(sequencer_size(rig.sequencer), 5);
  rig_close(&rig);
}

/* Whoever can write the store can cut the log; the checkpoint remembers how long it was. */
static void a_shortened_log_is_found(void **state) {
  struct rig rig;
  struct audit_verdict verdict;
  rig_open(&rig);
  for (int i = 0; i < 5; i++) append(&rig, "state.put");
  settle(&rig);
  unsigned before = rig.done;
  store_trim(rig.store, TABLE_audit, 3, 100, count_done, &rig);
  while (rig.done == before) loop_step(rig.loop, 0);
  audit_verify(store_reader(rig.store), &verdict);
  assert_false(verdict.ok);
  assert_int_equal(verdict.err.code, ERR_CORRUPT);
  rig_close(&rig);
}

static void a_changed_record_is_found(void **state) {
  struct buf value;
  struct audit_stored stored;
  struct err err;
  const uint8_t salt[AUDIT_SALT_BYTES] = {1};
  struct audit_record record = {.actor = BYTES("nurse"),
                                .action = BYTES("read"),
                                .resource = BYTES("x"),
                                .outcome = BYTES("ok"),
                                .personal = BYTES("Patient/1")};
  buf_init(&value, 4096);
  audit_encode(&value, &record, salt);
  assert_ok(audit_decode(buf_bytes(&value), &stored, &err), err);
  assert_bytes(stored.personal, "Patient/1");
  assert_true(bytes_find_bytes(stored.leaf, BYTES("Patient")) == stored.leaf.len);
  for (size_t i = 0; i < value.len; i++) {
    value.at[i] ^= 1;
    assert_false(audit_decode(buf_bytes(&value), &stored, &err));
    value.at[i] ^= 1;
  }
  buf_fini(&value);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(roots_are_those_of_rfc_6962),
      cmocka_unit_test(a_sound_log_verifies),
      cmocka_unit_test(a_shortened_log_is_found),
      cmocka_unit_test(a_changed_record_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

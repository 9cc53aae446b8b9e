/* The memory store: the common behaviour, and what a simulated crash leaves. */
#include "tests/unit/store/behaviour.h"

static void prepare(struct rig *rig, bool real) {
  rig_init(rig, real, store_open_memory);
}

/* Submits one commit, runs `posts` rounds of the loop, crashes. Is the commit there afterwards? */
static bool survives(int posts, bool *ret_done) {
  struct rig rig;
  struct err err;
  struct answer answer = {0};
  uint8_t digest[16] = {1};
  prepare(&rig, false);
  rig_open(&rig);
  rig_put(&rig, TABLE_app, "before", "kept");
  struct store_commit *commit = commit_new();
  commit_unique(commit, digest, 1000, BYTES("note"));
  commit_put(commit, TABLE_app, BYTES("k"), BYTES("v"));
  store_submit(rig.store, &commit, rig_answer, &answer);
  for (int i = 0; i < posts; i++) loop_step(rig.loop, 0);
  *ret_done = answer.done;
  struct loop *loop = loop_new_simulated(&rig.clock.port);
  rig.options.loop = loop;
  assert_ok(store_crash_memory(&rig.store, &rig.options, &rig.store, &err), err);
  loop_free(&rig.loop);
  rig.loop = loop;
  assert_string_equal(rig_get(&rig, TABLE_app, "before", NULL), "kept");
  bool there = rig_get(&rig, TABLE_app, "k", NULL) != NULL;
  commit = commit_new();
  commit_unique(commit, digest, 1000, BYTES_NONE);
  answer = rig_commit(&rig, commit);
  assert_int_equal(answer.result.err.code, there ? ERR_EXISTS : ERR_OK);
  rig_fini(&rig);
  return there;
}

static void a_crash_keeps_what_is_durable(void **state) {
  bool done;
  assert_false(survives(0, &done)); /* submitted */
  assert_false(survives(1, &done)); /* executed, not durable */
  assert_false(done);
  assert_true(survives(2, &done)); /* durable, done not called */
  assert_false(done);
  assert_true(survives(3, &done)); /* done called */
  assert_true(done);
}

static void a_crash_on_the_same_loop_leaves_no_post(void **state) {
  struct rig rig;
  struct err err;
  struct answer answer = {0};
  prepare(&rig, false);
  rig_open(&rig);
  struct store_commit *commit = commit_new();
  commit_put(commit, TABLE_app, BYTES("k"), BYTES("v"));
  store_submit(rig.store, &commit, rig_answer, &answer);
  assert_ok(store_crash_memory(&rig.store, &rig.options, &rig.store, &err), err);
  for (int i = 0; i < 5; i++) loop_step(rig.loop, 0);
  assert_false(answer.done);
  assert_null(rig_get(&rig, TABLE_app, "k", NULL));
  rig_fini(&rig);
}

static void readers_do_not_see_what_is_not_durable(void **state) {
  struct rig rig;
  struct answer answer = {0};
  prepare(&rig, false);
  rig_open(&rig);
  struct store_commit *commit = commit_new();
  commit_put(commit, TABLE_app, BYTES("k"), BYTES("v"));
  store_submit(rig.store, &commit, rig_answer, &answer);
  loop_step(rig.loop, 0);
  assert_null(rig_get(&rig, TABLE_app, "k", NULL));
  loop_step(rig.loop, 0);
  assert_non_null(rig_get(&rig, TABLE_app, "k", NULL));
  assert_false(answer.done);
  rig_fini(&rig);
}

static void too_many_waiting_is_busy(void **state) {
  struct rig rig;
  static struct answer answers[STORE_PENDING_MAX + 1];
  prepare(&rig, false);
  rig_open(&rig);
  for (int i = 0; i <= STORE_PENDING_MAX; i++) {
    struct store_commit *commit = commit_new();
    commit_put(commit, TABLE_app, BYTES("k"), BYTES("v"));
    store_submit(rig.store, &commit, rig_answer, &answers[i]);
  }
  rig_until(&rig, &answers[STORE_PENDING_MAX].done);
  assert_int_equal(answers[STORE_PENDING_MAX].result.err.code, ERR_BUSY);
  rig_until(&rig, &answers[STORE_PENDING_MAX - 1].done);
  assert_int_equal(answers[STORE_PENDING_MAX - 1].result.position, STORE_PENDING_MAX);
  rig_fini(&rig);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_crash_keeps_what_is_durable),
      cmocka_unit_test(a_crash_on_the_same_loop_leaves_no_post),
      cmocka_unit_test(readers_do_not_see_what_is_not_durable),
      cmocka_unit_test(too_many_waiting_is_busy),
  };
  behaviour_prepare = prepare;
  struct CMUnitTest all[64];
  size_t count = sizeof tests / sizeof *tests;
  memcpy(all, tests, sizeof tests);
  memcpy(all + count, behaviour_tests, behaviour_tests_count * sizeof *all);
  return _cmocka_run_group_tests("memory", all, count + behaviour_tests_count, NULL, NULL);
}

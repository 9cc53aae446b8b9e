/* tests/unit/store/behaviour.c: one suite for every engine. */
#include "tests/unit/store/behaviour.h"

#include "store/commit.h"

void (*behaviour_prepare)(struct rig *rig, bool real);
void (*behaviour_dispose)(struct rig *rig);

static int setup_as(void **state, bool real) {
  struct rig *rig = calloc(1, sizeof *rig);
  behaviour_prepare(rig, real);
  rig_open(rig);
  *state = rig;
  return 0;
}

static int setup(void **state) {
  return setup_as(state, false);
}

static int setup_real(void **state) {
  return setup_as(state, true);
}

static int teardown(void **state) {
  struct rig *rig = *state;
  rig_fini(rig);
  if (behaviour_dispose) behaviour_dispose(rig);
  free(rig);
  return 0;
}

/* ---- Commits ---- */

static void writes_and_reads(void **state) {
  struct rig *rig = *state;
  uint64_t version;
  assert_null(rig_get(rig, TABLE_state, "k", &version));
  assert_int_equal(version, 0);
  struct answer put = rig_put(rig, TABLE_state, "k", "one");
  assert_int_equal(put.result.err.code, ERR_OK);
  assert_int_equal(put.result.position, 1);
  assert_string_equal(rig_get(rig, TABLE_state, "k", &version), "one");
  assert_int_equal(version, 1);
  rig_put(rig, TABLE_state, "k", "");
  assert_string_equal(rig_get(rig, TABLE_state, "k", &version), "");
  assert_int_equal(version, 2);
  struct store_commit *commit = commit_new();
  commit_remove(commit, TABLE_state, BYTES("k"));
  commit_remove(commit, TABLE_state, BYTES("never there"));
  assert_int_equal(rig_commit(rig, commit).result.position, 3);
  assert_null(rig_get(rig, TABLE_state, "k", NULL));
  assert_int_equal(store_last_position(store_reader(rig->store)), 3);
}

static void last_write_of_a_commit_wins(void **state) {
  struct rig *rig = *state;
  struct store_commit *commit = commit_new();
  commit_put(commit, TABLE_app, BYTES("a"), BYTES("1"));
  commit_put(commit, TABLE_app, BYTES("a"), BYTES("2"));
  commit_put(commit, TABLE_app, BYTES("b"), BYTES("1"));
  commit_remove(commit, TABLE_app, BYTES("b"));
  rig_commit(rig, commit);
  assert_string_equal(rig_get(rig, TABLE_app, "a", NULL), "2");
  assert_null(rig_get(rig, TABLE_app, "b", NULL));
}

static void a_failed_check_writes_nothing(void **state) {
  struct rig *rig = *state;
  rig_put(rig, TABLE_delivery, "d", "open");
  struct store_commit *commit = commit_new();
  commit_put(commit, TABLE_state, BYTES("x"), BYTES("written"));
  commit_check(commit, TABLE_state, BYTES("none"), 0, ERR_CONFLICT);
  commit_check(commit, TABLE_delivery, BYTES("d"), 7, ERR_FENCED);
  commit_append(commit, TABLE_run, BYTES("r"), BYTES("outcome"));
  struct answer answer = rig_commit(rig, commit);
  assert_int_equal(answer.result.err.code, ERR_FENCED);
  assert_int_equal(answer.result.failed_check, 1);
  assert_int_equal(answer.result.position, 0);
  assert_null(rig_get(rig, TABLE_state, "x", NULL));
  assert_int_equal(rig_put(rig, TABLE_state, "y", "next").result.position, 2);
}

static void folded_commits_see_each_other(void **state) {
  struct rig *rig = *state;
  struct answer answers[4] = {0};
  for (int i = 0; i < 4; i++) {
    struct store_commit *commit = commit_new();
    commit_check(commit, TABLE_state, BYTES("k"), i == 3 ? 1 : 0, ERR_CONFLICT);
    commit_put(commit, TABLE_state, BYTES("k"), BYTES("v"));
    store_submit(rig->store, &commit, rig_answer, &answers[i]);
  }
  rig_until(rig, &answers[3].done);
  assert_int_equal(answers[0].result.err.code, ERR_OK);
  assert_int_equal(answers[1].result.err.code, ERR_CONFLICT);
  assert_int_equal(answers[2].result.err.code, ERR_CONFLICT);
  assert_int_equal(answers[3].result.err.code, ERR_OK);
  assert_int_equal(answers[3].result.position, 2);
  for (int i = 1; i < 4; i++) assert_int_equal(answers[i].order, answers[i - 1].order + 1);
  if (!rig->real) assert_int_equal(store_load(rig->store).transactions, 1);
}

static void additions_commute(void **state) {
  struct rig *rig = *state;
  struct answer answers[50] = {0};
  for (int i = 0; i < 50; i++) {
    struct store_commit *commit = commit_new();
    commit_add(commit, TABLE_state, BYTES("n"), i % 2 ? 3 : -1);
    commit_add(commit, TABLE_state, BYTES("n"), 10);
    store_submit(rig->store, &commit, rig_answer, &answers[i]);
  }
  rig_until(rig, &answers[49].done);
  assert_string_equal(rig_get(rig, TABLE_state, "n", NULL), "550");
}

static struct answer add(struct rig *rig, const char *before, int64_t delta) {
  struct store_commit *commit = commit_new();
  rig_put(rig, TABLE_usage, "n", before);
  commit_put(commit, TABLE_usage, BYTES("other"), BYTES("x"));
  commit_add(commit, TABLE_usage, BYTES("n"), delta);
  return rig_commit(rig, commit);
}

static void additions_refuse_what_is_no_integer(void **state) {
  struct rig *rig = *state;
  static const char *const bad[] = {
      "", "-", "1.5", "01", "+1", "\"1\"", "1 ", "9223372036854775808", "null"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(add(rig, bad[i], 1).result.err.code, ERR_INVALID);
  assert_int_equal(add(rig, "9223372036854775807", 1).result.err.code, ERR_INVALID);
  assert_int_equal(add(rig, "-9223372036854775808", -1).result.err.code, ERR_INVALID);
  assert_null(rig_get(rig, TABLE_usage, "other", NULL));
  assert_int_equal(add(rig, "-9223372036854775808", INT64_MAX).result.err.code, ERR_OK);
  assert_string_equal(rig_get(rig, TABLE_usage, "n", NULL), "-1");
  struct store_commit *commit = commit_new();
  commit_put(commit, TABLE_usage, BYTES("n"), BYTES("word"));
  commit_add(commit, TABLE_usage, BYTES("n"), 1);
  assert_int_equal(rig_commit(rig, commit).result.err.code, ERR_INVALID);
}

static void limits_are_told_at_submit(void **state) {
  struct rig *rig = *state;
  static uint8_t long_key[STORE_KEY_BYTES_MAX + 1];
  struct store_commit *commit = commit_new();
  commit_put(commit, TABLE_app, bytes_of(long_key, sizeof long_key), BYTES("v"));
  struct answer answer = rig_commit(rig, commit);
  assert_int_equal(answer.result.err.code, ERR_LIMIT);
  assert_non_null(strstr(answer.result.err.detail, "STORE_KEY_BYTES_MAX"));
  commit = commit_new();
  commit_put(commit, TABLE_app, bytes_of(long_key, STORE_KEY_BYTES_MAX), BYTES("v"));
  assert_int_equal(rig_commit(rig, commit).result.err.code, ERR_OK);
  uint8_t *large = calloc(1, STORE_VALUE_BYTES_MAX + 1);
  commit = commit_new();
  commit_put(commit, TABLE_app, BYTES("k"), bytes_of(large, STORE_VALUE_BYTES_MAX + 1));
  assert_int_equal(rig_commit(rig, commit).result.err.code, ERR_LIMIT);
  commit = commit_new();
  for (int i = 0; i < 3; i++)
    commit_put(commit, TABLE_app, BYTES("k"), bytes_of(large, STORE_VALUE_BYTES_MAX - 9));
  answer = rig_commit(rig, commit);
  assert_int_equal(answer.result.err.code, ERR_LIMIT);
  assert_non_null(strstr(answer.result.err.detail, "STORE_COMMIT_BYTES_MAX"));
  free(large);
}

/* ---- Unique marks ---- */

static struct answer mark(struct rig *rig, uint8_t what, int64_t now_ms, const char *note) {
  uint8_t digest[16] = {what};
  struct store_commit *commit = commit_new();
  commit_check(commit, TABLE_app, BYTES("none"), 0, ERR_CONFLICT);
  commit_unique(commit, digest, now_ms, bytes_str(note));
  commit_append(commit, TABLE_event, bytes_of(&what, 1), BYTES("event"));
  return rig_commit(rig, commit);
}

static void a_mark_is_set_once_in_its_window(void **state) {
  struct rig *rig = *state;
  int64_t day = 86400000, now = 20000 * day + 5;
  assert_int_equal(mark(rig, 1, now, "first").result.err.code, ERR_OK);
  struct answer again = mark(rig, 1, now + 1, "second");
  assert_int_equal(again.result.err.code, ERR_EXISTS);
  assert_int_equal(again.result.failed_check, 1);
  assert_int_equal(again.result.seen_position, 1);
  assert_int_equal(again.note_bytes, 5);
  assert_memory_equal(again.note, "first", 5);
  int64_t window = STORE_UNIQUE_DAYS * day;
  assert_int_equal(mark(rig, 1, now + window - 1, "").result.err.code, ERR_EXISTS);
  assert_int_equal(mark(rig, 1, now - day, "").result.err.code, ERR_EXISTS); /* set-back clock */
  assert_int_equal(mark(rig, 1, now + window, "late").result.err.code, ERR_OK);
  assert_int_equal(mark(rig, 1, now + window + 3, "").result.seen_position, 2);
  assert_int_equal(mark(rig, 1, now + 30 * day, "").result.err.code, ERR_OK);
}

static void marks_of_one_fold_meet(void **state) {
  struct rig *rig = *state;
  struct answer answers[3] = {0};
  for (int i = 0; i < 3; i++) {
    uint8_t digest[16] = {9, i == 1};
    struct store_commit *commit = commit_new();
    commit_unique(commit, digest, 1000, i ? BYTES("b") : BYTES("a"));
    store_submit(rig->store, &commit, rig_answer, &answers[i]);
  }
  rig_until(rig, &answers[2].done);
  assert_int_equal(answers[1].result.err.code, ERR_OK);
  assert_int_equal(answers[2].result.err.code, ERR_EXISTS);
  assert_int_equal(answers[2].result.seen_position, 1);
  assert_memory_equal(answers[2].note, "a", 1);
}

static void a_commit_may_not_mark_twice(void **state) {
  struct rig *rig = *state;
  uint8_t digest[16] = {3};
  struct store_commit *commit = commit_new();
  commit_unique(commit, digest, 1000, BYTES("one"));
  commit_unique(commit, digest, 1000, BYTES("two"));
  struct answer answer = rig_commit(rig, commit);
  assert_int_equal(answer.result.err.code, ERR_EXISTS);
  assert_int_equal(answer.result.failed_check, 1);
  assert_int_equal(answer.result.seen_position, 0);
  assert_memory_equal(answer.note, "one", 3);
  assert_int_equal(mark(rig, 3, 1000, "").result.err.code, ERR_OK);
}

/* ---- Reading ---- */

struct collected {
  char text[512];
  unsigned rows, stop_after;
};

static bool collect(void *arg, const struct store_row *row) {
  struct collected *into = arg;
  size_t len = strlen(into->text);
  snprintf(into->text + len, sizeof into->text - len, "%.*s=%.*s@%u.%u ", BYTES_FMT(row->key),
           BYTES_FMT(row->value), (unsigned)row->version, (unsigned)row->ordinal);
  return ++into->rows != into->stop_after;
}

static const char *scan(struct rig *rig, const char *prefix, const char *from, bool reverse,
                        unsigned stop_after) {
  static struct collected into;
  struct err err;
  into = (struct collected){.stop_after = stop_after};
  struct store_range range = {TABLE_state, bytes_str(prefix), bytes_str(from), reverse};
  assert_ok(store_scan(store_reader(rig->store), &range, collect, &into, &err), err);
  return into.text;
}

static void scans_by_prefix(void **state) {
  struct rig *rig = *state;
  struct store_commit *commit = commit_new();
  static const char *const keys[] = {"a", "b", "b1", "b2", "b\xff", "b\xff\xff", "c"};
  for (int i = 0; i < 7; i++) commit_put(commit, TABLE_state, bytes_str(keys[i]), bytes_str("v"));
  rig_commit(rig, commit);
  assert_string_equal(scan(rig, "b", "", false, 3), "b=v@1.0 b1=v@1.0 b2=v@1.0 ");
  assert_string_equal(scan(rig, "b", "b2", false, 2), "b2=v@1.0 b\xff=v@1.0 ");
  assert_string_equal(scan(rig, "b", "", true, 2), "b\xff\xff=v@1.0 b\xff=v@1.0 ");
  assert_string_equal(scan(rig, "b", "b1z", true, 0), "b1=v@1.0 b=v@1.0 ");
  assert_string_equal(scan(rig, "b", "a", false, 1), "b=v@1.0 ");
  assert_string_equal(scan(rig, "b", "c", false, 0), "");
  assert_string_equal(scan(rig, "b", "c", true, 1), "b\xff\xff=v@1.0 ");
  assert_string_equal(scan(rig, "b", "a", true, 0), "");
  assert_string_equal(scan(rig, "\xff", "", true, 0), "");
  assert_string_equal(scan(rig, "", "", true, 1), "c=v@1.0 ");
  assert_string_equal(scan(rig, "b\xff", "", true, 0), "b\xff\xff=v@1.0 b\xff=v@1.0 ");
}

static const char *tail(struct rig *rig, uint64_t from, bool reverse, unsigned stop_after) {
  static struct collected into;
  struct err err;
  into = (struct collected){.stop_after = stop_after};
  assert_ok(store_tail(store_reader(rig->store), TABLE_event, from, reverse, collect, &into, &err),
            err);
  return into.text;
}

static void logs_keep_commit_order(void **state) {
  struct rig *rig = *state;
  struct store_commit *commit = commit_new();
  commit_append(commit, TABLE_event, BYTES("e1"), BYTES("x"));
  commit_append(commit, TABLE_run, BYTES("r1"), BYTES("x"));
  commit_append(commit, TABLE_event, BYTES("e2"), BYTES("y"));
  rig_commit(rig, commit);
  rig_put(rig, TABLE_state, "k", "v");
  rig_append(rig, TABLE_event, "e1", "z");
  assert_string_equal(tail(rig, 0, false, 0), "e1=x@1.0 e2=y@1.2 e1=z@3.0 ");
  assert_string_equal(tail(rig, 1, false, 0), "e1=z@3.0 ");
  assert_string_equal(tail(rig, 3, false, 0), "");
  assert_string_equal(tail(rig, 0, true, 2), "e1=z@3.0 e2=y@1.2 ");
  assert_string_equal(tail(rig, 3, true, 0), "e2=y@1.2 e1=x@1.0 ");
  struct buf value;
  struct err err;
  uint64_t position = 9;
  buf_init(&value, 100);
  struct store_reader *reader = store_reader(rig->store);
  assert_ok(store_find(reader, TABLE_event, BYTES("e1"), &value, &position, &err), err);
  assert_int_equal(position, 3);
  assert_bytes(buf_bytes(&value), "z");
  assert_ok(store_find(reader, TABLE_event, BYTES("e"), &value, &position, &err), err);
  assert_int_equal(position, 0);
  buf_fini(&value);
}

static void audit_gets_its_tree_index(void **state) {
  struct rig *rig = *state;
  struct store_commit *commit = commit_new();
  commit_append(commit, TABLE_audit, BYTES_NONE, BYTES("zero"));
  commit_append(commit, TABLE_audit, BYTES_NONE, BYTES("one"));
  assert_int_equal(rig_commit(rig, commit).result.audit_index, 0);
  commit = commit_new();
  commit_check(commit, TABLE_app, BYTES("none"), 9, ERR_CONFLICT);
  commit_append(commit, TABLE_audit, BYTES_NONE, BYTES("refused"));
  assert_int_equal(rig_commit(rig, commit).result.err.code, ERR_CONFLICT);
  assert_int_equal(rig_append(rig, TABLE_audit, "", "two").result.audit_index, 2);
  struct buf value;
  struct err err;
  uint64_t position;
  uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 1};
  buf_init(&value, 100);
  assert_ok(
      store_find(store_reader(rig->store), TABLE_audit, bytes_of(key, 8), &value, &position, &err),
      err);
  assert_bytes(buf_bytes(&value), "one");
  buf_fini(&value);
}

static void trims_in_small_ranges(void **state) {
  struct rig *rig = *state;
  for (int i = 0; i < 10; i++) rig_append(rig, TABLE_event, "e", "v");
  struct answer trim = {0}, put = {0};
  store_trim(rig->store, TABLE_event, 8, 4, rig_answer, &trim);
  struct store_commit *commit = commit_new();
  commit_append(commit, TABLE_event, BYTES("e"), BYTES("meanwhile"));
  store_submit(rig->store, &commit, rig_answer, &put);
  rig_until(rig, &put.done);
  assert_int_equal(trim.result.err.code, ERR_OK);
  assert_string_equal(tail(rig, 0, false, 1), "e=v@5.0 ");
  for (int i = 0; i < 3; i++) {
    trim.done = false;
    store_trim(rig->store, TABLE_event, 8, 4, rig_answer, &trim);
    rig_until(rig, &trim.done);
  }
  assert_string_equal(tail(rig, 0, false, 1), "e=v@8.0 ");
  struct buf value;
  struct err err;
  uint64_t position;
  buf_init(&value, 100);
  assert_ok(store_find(store_reader(rig->store), TABLE_event, BYTES("e"), &value, &position, &err),
            err);
  assert_bytes(buf_bytes(&value), "meanwhile");
  buf_fini(&value);
}

/* ---- Questions ---- */

struct question {
  struct rig *rig;
  bool done;
  uint64_t positions[2];
  char text[32];
};

static void query(void *arg, struct store_reader *reader) {
  struct question *question = arg;
  struct buf value;
  struct err err;
  uint64_t version;
  buf_init(&value, 31);
  question->positions[0] = store_last_position(reader);
  if (store_get(reader, TABLE_state, BYTES("k"), &value, &version, &err))
    bytes_text(buf_bytes(&value), question->text, sizeof question->text);
  question->positions[1] = store_last_position(reader);
  buf_fini(&value);
}

static void question_done(void *arg) {
  ((struct question *)arg)->done = true;
}

static void questions_see_one_committed_state(void **state) {
  struct rig *rig = *state;
  rig_put(rig, TABLE_state, "k", "asked");
  struct question questions[20] = {0};
  struct answer puts[20] = {0};
  for (int i = 0; i < 20; i++) {
    struct store_commit *commit = commit_new();
    commit_put(commit, TABLE_app, BYTES("other"), BYTES("v"));
    store_submit(rig->store, &commit, rig_answer, &puts[i]);
    store_ask(rig->store, query, question_done, &questions[i]);
    assert_false(questions[i].done);
  }
  for (int i = 0; i < 20; i++) {
    rig_until(rig, &questions[i].done);
    assert_string_equal(questions[i].text, "asked");
    assert_true(questions[i].positions[0] >= 1);
    assert_int_equal(questions[i].positions[0], questions[i].positions[1]);
    rig_until(rig, &puts[i].done);
  }
}

static void closing_calls_what_is_due(void **state) {
  struct rig *rig = *state;
  struct answer answers[10] = {0};
  struct question question = {0};
  for (int i = 0; i < 10; i++) {
    struct store_commit *commit = commit_new();
    commit_append(commit, TABLE_event, BYTES("e"), BYTES("v"));
    store_submit(rig->store, &commit, rig_answer, &answers[i]);
  }
  store_ask(rig->store, query, question_done, &question);
  store_close(&rig->store);
  assert_null(rig->store);
  for (int i = 0; i < 10; i++) {
    assert_true(answers[i].done);
    assert_int_equal(answers[i].result.err.code, ERR_OK);
  }
  assert_true(question.done);
}

/* ---- Faults ---- */

static void every_failing_call_leaves_nothing(void **state) {
  struct rig *rig = *state;
  rig_put(rig, TABLE_state, "n", "1");
  unsigned failed = 0;
  for (uint64_t nth = 1; nth < 40; nth++) {
    struct answer answers[2] = {0};
    uint8_t digest[16] = {(uint8_t)nth, 77};
    store_fault(rig->store, nth, nth % 2 ? ERR_FULL : ERR_IO);
    for (int i = 0; i < 2; i++) {
      struct store_commit *commit = commit_new();
      commit_check(commit, TABLE_app, BYTES("none"), 0, ERR_CONFLICT);
      digest[2] = (uint8_t)i;
      commit_unique(commit, digest, 5000, BYTES_NONE);
      commit_add(commit, TABLE_state, BYTES("n"), 1);
      commit_append(commit, TABLE_event, BYTES("e"), BYTES("v"));
      commit_append(commit, TABLE_audit, BYTES_NONE, BYTES("a"));
      store_submit(rig->store, &commit, rig_answer, &answers[i]);
    }
    rig_until(rig, &answers[1].done);
    store_fault(rig->store, 0, ERR_OK);
    failed += answers[0].result.err.code != ERR_OK;
    assert_int_equal(answers[0].result.err.code, answers[1].result.err.code);
  }
  assert_true(failed > 8 && failed < 39);
  char expected[16];
  snprintf(expected, sizeof expected, "%u", 1 + 2 * (39 - failed));
  assert_string_equal(rig_get(rig, TABLE_state, "n", NULL), expected);
  assert_int_equal(store_last_position(store_reader(rig->store)), 1 + 2 * (39 - failed));
  assert_int_equal(rig_append(rig, TABLE_audit, "", "last").result.audit_index, 2 * (39 - failed));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST_REAL(f) \
  { #f " with threads", f, setup_real, teardown, NULL }

const struct CMUnitTest behaviour_tests[] = {
    TEST(writes_and_reads),
    TEST(last_write_of_a_commit_wins),
    TEST(a_failed_check_writes_nothing),
    TEST(folded_commits_see_each_other),
    TEST(additions_commute),
    TEST(additions_refuse_what_is_no_integer),
    TEST(limits_are_told_at_submit),
    TEST(a_mark_is_set_once_in_its_window),
    TEST(marks_of_one_fold_meet),
    TEST(a_commit_may_not_mark_twice),
    TEST(scans_by_prefix),
    TEST(logs_keep_commit_order),
    TEST(audit_gets_its_tree_index),
    TEST(trims_in_small_ranges),
    TEST(questions_see_one_committed_state),
    TEST(closing_calls_what_is_due),
    TEST(every_failing_call_leaves_nothing),
    TEST_REAL(writes_and_reads),
    TEST_REAL(folded_commits_see_each_other),
    TEST_REAL(additions_commute),
    TEST_REAL(marks_of_one_fold_meet),
    TEST_REAL(trims_in_small_ranges),
    TEST_REAL(questions_see_one_committed_state),
    TEST_REAL(closing_calls_what_is_due),
};
const size_t behaviour_tests_count = sizeof behaviour_tests / sizeof *behaviour_tests;

/* Old rows go, oldest first, in small commits; what is owed holds its event and all later ones. */
#include "tests/unit/test.h"

#include "flow/retention.h"
#include "model/delivery.h"
#include "model/event.h"
#include "os/random.h"
#include "os/sim_clock.h"
#include "store/open.h"

enum { DAY_MS = 86400000 };

static struct sim_clock sim;
static struct loop *loop;
static struct random_seeded seeded;
static struct store *store;
static unsigned done;

static void count_done(void *arg, const struct store_result *result) {
  assert_int_equal(result->err.code, ERR_OK);
  done++;
}

static void submit(struct store_commit *commit) {
  unsigned before = done;
  store_submit(store, &commit, count_done, NULL);
  while (done == before) loop_step(loop, 0);
}

static struct id put_event(void) {
  struct event event = {.id = random_id(&seeded.port, &sim.port),
                        .received_ms = clock_wall_ms(&sim.port),
                        .ce_id = BYTES("e"),
                        .ce_source = BYTES("s"),
                        .ce_type = BYTES("t"),
                        .envelope = BYTES("{}")};
  struct buf value;
  struct store_commit *commit = commit_new();
  buf_init(&value, 4096);
  event_encode(&value, &event);
  commit_append(commit, TABLE_event, id_bytes(&event.id), buf_bytes(&value));
  submit(commit);
  buf_fini(&value);
  return event.id;
}

static bool count_row(void *arg, const struct store_row *row) {
  ++*(size_t *)arg;
  return true;
}

static size_t events(void) {
  size_t count = 0;
  struct err err;
  assert_ok(store_tail(store_reader(store), TABLE_event, 0, false, count_row, &count, &err), err);
  return count;
}

static void pass(int64_t ms) {
  for (int64_t passed = 0; passed < ms; passed += 1000) {
    sim_clock_advance_ms(&sim, 1000);
    while (loop_step(loop, 0)) continue;
  }
}

static int setup(void **state) {
  struct err err;
  sim_clock_init(&sim, 1767225600000);
  loop = loop_new_simulated(&sim.port);
  random_seeded_init(&seeded, 3);
  struct store_options options = {.loop = loop,
                                  .clock = &sim.port,
                                  .random = &seeded.port,
                                  .inline_execution = true,
                                  .index_memory = true};
  assert_ok(store_open_memory(&options, &store, &err), err);
  return 0;
}

static int teardown(void **state) {
  store_close(&store);
  loop_step(loop, 0);
  loop_free(&loop);
  return 0;
}

static void old_events_go_in_small_commits(void **state) {
  struct retention *retention = retention_open(loop, store, &sim.port, 2 * DAY_MS);
  for (int i = 0; i < RETENTION_ROWS_MAX + 500; i++) put_event();
  sim_clock_advance_ms(&sim, 3 * DAY_MS);
  for (int i = 0; i < 10; i++) put_event();
  loop_step(loop, 0);
  while (loop_step(loop, 0)) continue;
  pass(RETENTION_EVERY_MS);
  size_t left = events();
  assert_true(left == 10 || left == 510);
  pass(2 * RETENTION_EVERY_MS);
  assert_int_equal(events(), 10);
  retention_close(&retention);
}

static void an_owed_event_stays_and_all_after_it(void **state) {
  struct retention *retention = retention_open(loop, store, &sim.port, 2 * DAY_MS);
  put_event();
  sim_clock_advance_ms(&sim, 1000);
  struct id owed = put_event();
  struct delivery delivery = {
      .id = owed, .event = owed, .function = BYTES("a/b"), .state = DELIVERY_DEAD};
  struct buf row;
  struct store_commit *commit = commit_new();
  buf_init(&row, 4096);
  delivery_encode(&row, &delivery);
  commit_put(commit, TABLE_delivery, id_bytes(&owed), buf_bytes(&row));
  submit(commit);
  put_event();
  sim_clock_advance_ms(&sim, 3 * DAY_MS);
  while (loop_step(loop, 0)) continue;
  pass(3 * RETENTION_EVERY_MS);
  assert_int_equal(events(), 2);
  commit = commit_new();
  commit_remove(commit, TABLE_delivery, id_bytes(&owed));
  submit(commit);
  pass(3 * RETENTION_EVERY_MS);
  assert_int_equal(events(), 0);
  buf_fini(&row);
  retention_close(&retention);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(old_events_go_in_small_commits, setup, teardown),
      cmocka_unit_test_setup_teardown(an_owed_event_stays_and_all_after_it, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

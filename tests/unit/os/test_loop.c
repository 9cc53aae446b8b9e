/* Timers in order, posts from threads without a lost wake-up, watches dropped in mid-round. */
#include "tests/unit/test.h"

#include "base/must.h"
#include "os/loop.h"
#include "os/sim_clock.h"
#include "os/wake.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

static struct loop *loop;
static struct sim_clock sim;
static char order[32];

static void note(char c) {
  size_t len = strlen(order);
  if (len < sizeof order - 1) order[len] = c;
}

static int open_real(void **state) {
  memset(order, 0, sizeof order);
  return loop_new(clock_real(), &loop, NULL) ? 0 : -1;
}

static int open_simulated(void **state) {
  memset(order, 0, sizeof order);
  sim_clock_init(&sim, 0);
  loop = loop_new_simulated(&sim.port);
  return 0;
}

static int shut(void **state) {
  loop_free(&loop);
  return 0;
}

struct named_timer {
  struct loop_timer timer;
  char name;
  bool again;
};

static void note_timer(struct loop_timer *timer) {
  struct named_timer *named = (struct named_timer *)timer;
  note(named->name);
  if (named->again) loop_timer_after(loop, timer, 0);
}

static void timers_fire_in_order(void **state) {
  struct named_timer a = {.timer.fire = note_timer, .name = 'a'};
  struct named_timer b = {.timer.fire = note_timer, .name = 'b'};
  struct named_timer c = {.timer.fire = note_timer, .name = 'c'};
  loop_timer_after(loop, &b.timer, 20);
  loop_timer_after(loop, &a.timer, 10);
  loop_timer_after(loop, &c.timer, 15);
  loop_timer_drop(loop, &c.timer);
  loop_timer_drop(loop, &c.timer);
  assert_int_equal(loop_next_timer_ns(loop), 10000000);
  assert_false(loop_step(loop, -1));
  sim_clock_advance_ms(&sim, 9);
  assert_false(loop_step(loop, -1));
  sim_clock_advance_ms(&sim, 50);
  assert_true(loop_step(loop, -1));
  assert_string_equal(order, "ab");
  assert_true(loop_next_timer_ns(loop) == INT64_MAX);
}

static void a_timer_set_again_waits_a_round(void **state) {
  struct named_timer a = {.timer.fire = note_timer, .name = 'a', .again = true};
  loop_timer_after(loop, &a.timer, 0);
  assert_true(loop_step(loop, 0));
  assert_string_equal(order, "a");
  a.again = false;
  loop_run(loop, 0);
  assert_string_equal(order, "aa");
}

struct named_post {
  struct loop_post post;
  char name;
  struct loop_post *after;
};

static void note_post(struct loop_post *post) {
  struct named_post *named = (struct named_post *)post;
  note(named->name);
  if (named->after) loop_post(loop, named->after);
}

static void posts_run_in_order_and_new_ones_next_round(void **state) {
  struct named_post c = {{NULL, note_post}, 'c', NULL};
  struct named_post a = {{NULL, note_post}, 'a', &c.post};
  struct named_post b = {{NULL, note_post}, 'b', NULL};
  loop_post(loop, &a.post);
  loop_post(loop, &b.post);
  assert_true(loop_step(loop, 0));
  assert_string_equal(order, "ab");
  assert_true(loop_step(loop, 0));
  assert_string_equal(order, "abc");
  assert_false(loop_step(loop, 0));
}

static void a_simulated_loop_watches_nothing(void **state) {
  struct loop_watch watch = {.fd = 0};
  struct err err;
  assert_fails(loop_add(loop, &watch, &err), err, ERR_UNSUPPORTED);
}

enum { POSTERS = 4, POSTS_EACH = 20000 };
static int posts_run;

static void count_post(struct loop_post *post) {
  if (++posts_run == POSTERS * POSTS_EACH) loop_stop(loop);
}

static void *post_many(void *arg) {
  struct loop_post *posts = arg;
  for (int i = 0; i < POSTS_EACH; i++) {
    posts[i].run = count_post;
    loop_post(loop, &posts[i]);
  }
  return NULL;
}

static void posts_from_threads_all_arrive(void **state) {
  pthread_t threads[POSTERS];
  struct loop_post *posts = must_alloc(sizeof *posts * POSTERS * POSTS_EACH);
  posts_run = 0;
  for (int i = 0; i < POSTERS; i++)
    pthread_create(&threads[i], NULL, post_many, posts + i * POSTS_EACH);
  loop_run(loop, 0);
  for (int i = 0; i < POSTERS; i++) pthread_join(threads[i], NULL);
  assert_int_equal(posts_run, POSTERS * POSTS_EACH);
  free(posts);
}

static void *post_later(void *arg) {
  usleep(20000);
  loop_post(loop, arg);
  return NULL;
}

static void stop_post(struct loop_post *post) {
  loop_stop(loop);
}

static void a_post_wakes_a_sleeping_loop(void **state) {
  pthread_t thread;
  struct loop_post post = {NULL, stop_post};
  pthread_create(&thread, NULL, post_later, &post);
  loop_run(loop, 0);
  pthread_join(thread, NULL);
  /* It can run again after a stop. */
  loop_post(loop, &post);
  loop_run(loop, 0);
}

static void real_timers_are_near_their_time(void **state) {
  struct named_timer a = {.timer.fire = note_timer, .name = 'a'};
  int64_t start_ns = clock_mono_ns(clock_real());
  loop_timer_set(loop, &a.timer, start_ns + 300000);
  assert_true(loop_step(loop, -1));
  assert_string_equal(order, "a");
  assert_true(clock_mono_ns(clock_real()) - start_ns >= 300000);
}

struct pipe_watch {
  struct loop_watch watch;
  int write_fd;
  struct pipe_watch *victim;
  unsigned seen;
};

static void drop_the_other(struct loop_watch *watch, unsigned events) {
  struct pipe_watch *mine = (struct pipe_watch *)watch;
  mine->seen = events;
  note('r');
  loop_drop(loop, &mine->victim->watch);
  loop_drop(loop, watch);
  memset(mine->victim, 0xee, sizeof *mine->victim);
}

static void open_pipe(struct pipe_watch *pair) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pair->watch = (struct loop_watch){ends[0], LOOP_READ, drop_the_other};
  pair->write_fd = ends[1];
  assert_true(loop_add(loop, &pair->watch, NULL));
}

static void a_dropped_watch_is_not_called(void **state) {
  struct pipe_watch a, b;
  open_pipe(&a);
  open_pipe(&b);
  a.victim = &b;
  b.victim = &a;
  int fds[] = {a.watch.fd, a.write_fd, b.watch.fd, b.write_fd};
  assert_int_equal(write(a.write_fd, "x", 1), 1);
  assert_int_equal(write(b.write_fd, "x", 1), 1);
  assert_true(loop_step(loop, -1));
  assert_string_equal(order, "r");
  assert_false(loop_step(loop, 0));
  for (int i = 0; i < 4; i++) close(fds[i]);
}

static void note_events(struct loop_watch *watch, unsigned events) {
  ((struct pipe_watch *)watch)->seen = events;
}

static void interest_and_hangup(void **state) {
  struct pipe_watch a;
  open_pipe(&a);
  a.watch.ready = note_events;
  assert_int_equal(write(a.write_fd, "x", 1), 1);
  loop_change(loop, &a.watch, 0);
  assert_false(loop_step(loop, 0));
  loop_change(loop, &a.watch, LOOP_READ);
  assert_true(loop_step(loop, 0));
  assert_int_equal(a.seen, LOOP_READ);
  close(a.write_fd);
  assert_true(loop_step(loop, 0));
  assert_int_equal(a.seen, LOOP_READ | LOOP_HANGUP);
  loop_drop(loop, &a.watch);
  close(a.watch.fd);
}

static void bad_descriptors_are_refused(void **state) {
  struct loop_watch watch = {.fd = -1, .interest = LOOP_READ};
  struct err err;
  assert_fails(loop_add(loop, &watch, &err), err, ERR_IO);
}

struct counting_poller {
  struct loop_poller poller;
  int polls, arms, stop_at;
  bool find;
};

static bool count_poll(struct loop_poller *poller) {
  struct counting_poller *counting = (struct counting_poller *)poller;
  if (++counting->polls == counting->stop_at) loop_stop(loop);
  return counting->find;
}

static bool count_arm(struct loop_poller *poller) {
  ((struct counting_poller *)poller)->arms++;
  return false;
}

static void a_busy_poller_keeps_the_loop_awake(void **state) {
  struct counting_poller a = {{{0}, count_poll, count_arm}, .stop_at = 100, .find = true};
  loop_poller_add(loop, &a.poller);
  loop_run(loop, 1000000);
  assert_int_equal(a.arms, 0);
  assert_true(a.polls >= 100);
}

static void an_idle_poller_is_armed_not_spun(void **state) {
  struct counting_poller a = {{{0}, count_poll, count_arm}, .stop_at = 100};
  loop_poller_add(loop, &a.poller);
  loop_run(loop, 1000000);
  assert_true(a.arms >= 99);
}

static void without_descriptors_no_loop(void **state) {
  struct err err;
  struct rlimit before;
  struct loop *none = NULL;
  int probe = dup(0);
  close(probe);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  for (int spare = 0; spare < 2; spare++) {
    struct rlimit few = {(rlim_t)(probe + spare), before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    bool opened = loop_new(clock_real(), &none, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_fails(opened, err, ERR_BUSY);
    assert_null(none);
  }
}

#define REAL(f) cmocka_unit_test_setup_teardown(f, open_real, shut)
#define SIMULATED(f) cmocka_unit_test_setup_teardown(f, open_simulated, shut)

int main(void) {
  const struct CMUnitTest tests[] = {
      SIMULATED(timers_fire_in_order),
      SIMULATED(a_timer_set_again_waits_a_round),
      SIMULATED(posts_run_in_order_and_new_ones_next_round),
      SIMULATED(a_simulated_loop_watches_nothing),
      REAL(posts_from_threads_all_arrive),
      REAL(a_post_wakes_a_sleeping_loop),
      REAL(real_timers_are_near_their_time),
      REAL(a_dropped_watch_is_not_called),
      REAL(interest_and_hangup),
      REAL(bad_descriptors_are_refused),
      REAL(a_busy_poller_keeps_the_loop_awake),
      REAL(an_idle_poller_is_armed_not_spun),
      cmocka_unit_test(without_descriptors_no_loop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

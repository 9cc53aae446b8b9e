/* os/loop.c: one round is: poll peers in shared memory, wait for descriptors, fire timers, run
 * posts.
 *
 * Sleeping without a lost wake-up: the loop says `asleep`, then looks at the posts once more; a
 * poster pushes, then takes `asleep` away. One of the two sees the other, and only the poster that
 * took `asleep` pays for a write: one wake per batch.
 *
 * Spinning pays only where an answer is microseconds away, so it needs recent work from a poller,
 * and its budget halves with every miss and doubles with every hit. */
#define _GNU_SOURCE
#include "os/loop.h"

#include "base/must.h"
#include "os/wake.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
  LOOP_EVENTS_PER_WAIT = 256,
  SPIN_RECENT_NS = 1000000,  /* spin only this long after a poller found work */
  SPIN_BUDGET_PARTS = 16,    /* the budget never falls below this part of the limit */
  SPIN_ROUNDS_PER_WAIT = 16, /* look at the descriptors, and yield, every so many spins */
  POSTER_WAIT_NS = 100000,
};
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define FOREVER_NS INT64_MAX

struct loop {
  const struct clock_port *clock;
  int epoll_fd; /* -1: simulated */
  int wake_fd;
  struct heap timers;
  struct list pollers;
  _Atomic(struct loop_post *) posts; /* newest first */
  atomic_size_t post_count;
  atomic_bool asleep;
  atomic_bool stop;
  bool no_pwait2;
  int64_t polled_ns; /* when a poller last found work */
  int64_t spin_budget_ns;
  struct epoll_event events[LOOP_EVENTS_PER_WAIT];
  int event_at, event_count;
};

static _Thread_local struct loop *running; /* the loop whose callbacks this thread is in */

struct loop *loop_new_simulated(const struct clock_port *clock) {
  struct loop *loop = must_alloc(sizeof *loop);
  loop->clock = clock;
  loop->epoll_fd = loop->wake_fd = -1;
  loop->polled_ns = -SPIN_RECENT_NS;
  list_init(&loop->pollers);
  return loop;
}

static bool control(struct loop *loop, int op, int fd, unsigned interest, void *to) {
  struct epoll_event event = {.data.ptr = to};
  if (interest & LOOP_READ) event.events |= EPOLLIN;
  if (interest & LOOP_WRITE) event.events |= EPOLLOUT;
  if (interest & LOOP_HANGUP) event.events |= EPOLLRDHUP;
  return epoll_ctl(loop->epoll_fd, op, fd, &event) == 0;
}

bool loop_new(const struct clock_port *clock, struct loop **ret_loop, struct err *err) {
  struct loop *loop = loop_new_simulated(clock);
  if (!wake_open(&loop->wake_fd, err)) {
    loop_free(&loop);
    return false;
  }
  loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (loop->epoll_fd < 0 || !control(loop, EPOLL_CTL_ADD, loop->wake_fd, LOOP_READ, loop)) {
    err_set_errno(err, errno, ERR_PLACE, "epoll");
    loop_free(&loop);
    return false;
  }
  *ret_loop = loop;
  return true;
}

void loop_free(struct loop **at) {
  struct loop *loop = *at;
  *at = NULL;
  if (!loop) return;
  if (loop->epoll_fd >= 0) close(loop->epoll_fd);
  if (loop->wake_fd >= 0) close(loop->wake_fd);
  heap_fini(&loop->timers);
  free(loop);
}

const struct clock_port *loop_clock(const struct loop *loop) {
  return loop->clock;
}

/* Descriptors. */

bool loop_add(struct loop *loop, struct loop_watch *watch, struct err *err) {
  if (loop->epoll_fd < 0) FAIL(ERR_UNSUPPORTED, "a simulated loop watches no descriptors");
  if (control(loop, EPOLL_CTL_ADD, watch->fd, watch->interest, watch)) return true;
  if (errno == ENOSPC) FAIL(ERR_LIMIT, "fs.epoll.max_user_watches is reached");
  err_set_errno(err, errno, ERR_PLACE, "epoll_ctl");
  return false;
}

void loop_change(struct loop *loop, struct loop_watch *watch, unsigned interest) {
  if (interest == watch->interest) return;
  watch->interest = interest;
  must(control(loop, EPOLL_CTL_MOD, watch->fd, interest, watch));
}

void loop_drop(struct loop *loop, struct loop_watch *watch) {
  must(control(loop, EPOLL_CTL_DEL, watch->fd, 0, watch));
  /* Its owner may be freed now: forget what this round still holds for it. */
  for (int i = loop->event_at; i < loop->event_count; i++)
    if (loop->events[i].data.ptr == watch) loop->events[i].data.ptr = NULL;
}

/* An error or a hang-up shows itself to whoever reads or writes, so it makes both ready. */
static unsigned ready_of(const struct loop_watch *watch, uint32_t events) {
  unsigned ready = 0;
  if (events & EPOLLIN) ready |= LOOP_READ;
  if (events & EPOLLOUT) ready |= LOOP_WRITE;
  if (events & EPOLLRDHUP) ready |= LOOP_HANGUP;
  if (events & (EPOLLERR | EPOLLHUP))
    ready |= LOOP_HANGUP | (watch->interest & (LOOP_READ | LOOP_WRITE));
  return ready;
}

static int wait_kernel(struct loop *loop, int64_t wait_ns) {
  if (wait_ns != 0 && wait_ns != FOREVER_NS && !loop->no_pwait2) {
    struct timespec wait = {wait_ns / NS_PER_S, wait_ns % NS_PER_S};
    int count = epoll_pwait2(loop->epoll_fd, loop->events, LOOP_EVENTS_PER_WAIT, &wait, NULL);
    if (count >= 0 || errno == EINTR) return count;
    loop->no_pwait2 = true; /* before Linux 5.11, or filtered: milliseconds will do */
  }
  int64_t wait_ms = wait_ns / NS_PER_MS + (wait_ns % NS_PER_MS != 0);
  int wait = wait_ns == FOREVER_NS ? -1 : wait_ms > 1 << 30 ? 1 << 30 : (int)wait_ms;
  return epoll_wait(loop->epoll_fd, loop->events, LOOP_EVENTS_PER_WAIT, wait);
}

static bool arm_all(struct loop *loop) {
  bool may_sleep = true;
  LIST_EACH (poller, &loop->pollers, struct loop_poller, link)
    if (!poller->arm(poller)) may_sleep = false;
  return may_sleep;
}

static bool poll_all(struct loop *loop);

/* Peers are looked at between events, too: a long batch would keep them waiting, idle. */
static bool dispatch_events(struct loop *loop, int count) {
  loop->event_count = count > 0 ? count : 0;
  for (loop->event_at = 0; loop->event_at < loop->event_count;) {
    if (loop->event_at > 0) (void)poll_all(loop);
    struct epoll_event event = loop->events[loop->event_at++];
    struct loop_watch *watch = event.data.ptr;
    if (event.data.ptr == loop)
      wake_drain(loop->wake_fd);
    else if (watch)
      watch->ready(watch, ready_of(watch, event.events));
  }
  loop->event_count = 0;
  return count > 0;
}

static bool wait_events(struct loop *loop, int64_t wait_ns) {
  if (wait_ns == 0) return dispatch_events(loop, wait_kernel(loop, 0));
  atomic_store(&loop->asleep, true);
  if (atomic_load(&loop->posts) || atomic_load(&loop->stop) || !arm_all(loop)) wait_ns = 0;
  int count = wait_kernel(loop, wait_ns);
  atomic_store(&loop->asleep, false);
  return dispatch_events(loop, count);
}

/* Timers. */

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_mono_ns) {
  heap_set(&loop->timers, &timer->node, at_mono_ns);
}

void loop_timer_after(struct loop *loop, struct loop_timer *timer, int64_t after_ms) {
  loop_timer_set(loop, timer, clock_mono_ns(loop->clock) + after_ms * NS_PER_MS);
}

void loop_timer_drop(struct loop *loop, struct loop_timer *timer) {
  heap_drop(&loop->timers, &timer->node);
}

int64_t loop_next_timer_ns(const struct loop *loop) {
  const struct heap_node *first = heap_first(&loop->timers);
  return first ? first->key : INT64_MAX;
}

/* A timer set again for now, while firing, waits for the next round. */
static bool fire_timers(struct loop *loop) {
  bool fired = false;
  if (loop->timers.count == 0) return false;
  int64_t now_ns = clock_mono_ns(loop->clock);
  size_t left = loop->timers.count;
  for (struct heap_node *first; left-- > 0 && (first = heap_first(&loop->timers));) {
    if (first->key > now_ns) break;
    struct loop_timer *timer = (struct loop_timer *)(void *)first;
    heap_drop(&loop->timers, first);
    timer->fire(timer);
    fired = true;
  }
  return fired;
}

/* Posts. */

void loop_post(struct loop *loop, struct loop_post *post) {
  /* The loop itself never waits for itself. */
  while (running != loop && atomic_load(&loop->post_count) >= LOOP_POSTS_MAX &&
         !atomic_load(&loop->stop))
    nanosleep(&(struct timespec){.tv_nsec = POSTER_WAIT_NS}, NULL);
  atomic_fetch_add(&loop->post_count, 1);
  struct loop_post *newest = atomic_load(&loop->posts);
  do {
    post->next = newest;
  } while (!atomic_compare_exchange_weak(&loop->posts, &newest, post));
  if (atomic_exchange(&loop->asleep, false)) wake_signal(loop->wake_fd);
}

static bool run_posts(struct loop *loop) {
  if (!atomic_load_explicit(&loop->posts, memory_order_relaxed)) return false;
  struct loop_post *newest = atomic_exchange(&loop->posts, NULL);
  struct loop_post *oldest = NULL;
  while (newest) {
    struct loop_post *before = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = before;
  }
  while (oldest) {
    struct loop_post *post = oldest;
    oldest = post->next;
    atomic_fetch_sub(&loop->post_count, 1);
    post->run(post);
  }
  return true;
}

/* Pollers and spinning. */

void loop_poller_add(struct loop *loop, struct loop_poller *poller) {
  list_push(&loop->pollers, &poller->link);
}

static bool poll_all(struct loop *loop) {
  bool found = false;
  if (list_empty(&loop->pollers)) return false;
  LIST_EACH (poller, &loop->pollers, struct loop_poller, link)
    if (poller->poll(poller)) found = true;
  if (found) loop->polled_ns = clock_mono_ns(loop->clock);
  return found;
}

static void relax_processor(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static bool something_waits(struct loop *loop, int64_t now_ns) {
  return atomic_load_explicit(&loop->posts, memory_order_relaxed) || atomic_load(&loop->stop) ||
         loop_next_timer_ns(loop) <= now_ns;
}

/* Whether the loop found something to do before its budget was used up. */
static bool spin(struct loop *loop, int64_t spin_ns) {
  int64_t budget_ns = loop->spin_budget_ns;
  int64_t now_ns = clock_mono_ns(loop->clock);
  if (now_ns - loop->polled_ns > SPIN_RECENT_NS) return false;
  int64_t until_ns = now_ns + budget_ns;
  for (unsigned round = 1; now_ns < until_ns; round++) {
    if (poll_all(loop)) {
      loop->spin_budget_ns = budget_ns * 2 < spin_ns ? budget_ns * 2 : spin_ns;
      return true;
    }
    if (something_waits(loop, now_ns)) return true;
    if (round % SPIN_ROUNDS_PER_WAIT == 0) {
      if (wait_events(loop, 0)) return true;
      sched_yield(); /* whoever else wants this processor goes first */
    }
    relax_processor();
    now_ns = clock_mono_ns(loop->clock);
  }
  int64_t least_ns = spin_ns / SPIN_BUDGET_PARTS;
  loop->spin_budget_ns = budget_ns / 2 > least_ns ? budget_ns / 2 : least_ns;
  return false;
}

/* One round. Waits only when no peer had work. */
static bool turn(struct loop *loop, int64_t wait_ns) {
  struct loop *before = running;
  running = loop;
  bool worked = poll_all(loop);
  int64_t next_ns = loop_next_timer_ns(loop);
  if (worked) wait_ns = 0;
  if (wait_ns != 0 && next_ns != INT64_MAX) {
    int64_t left_ns = next_ns - clock_mono_ns(loop->clock);
    if (left_ns < wait_ns) wait_ns = left_ns > 0 ? left_ns : 0;
  }
  if (loop->epoll_fd >= 0 && wait_events(loop, wait_ns)) worked = true;
  if (fire_timers(loop)) worked = true;
  if (run_posts(loop)) worked = true;
  running = before;
  return worked;
}

bool loop_step(struct loop *loop, int wait_ms) {
  return turn(loop, wait_ms < 0 ? FOREVER_NS : wait_ms * NS_PER_MS);
}

/* Whether there was something to do without sleeping. */
static bool turn_awake(struct loop *loop, int64_t spin_ns) {
  if (clock_mono_ns(loop->clock) - loop->polled_ns > SPIN_RECENT_NS) return false;
  if (turn(loop, 0)) return true;
  struct loop *before = running;
  running = loop;
  bool found = spin(loop, spin_ns);
  running = before;
  return found;
}

/* A sleep shorter than the limit would have been a hit: without this, a budget that has once fallen
 * below the time of an answer would never see one again. */
static void grow_budget(struct loop *loop, int64_t slept_ns, int64_t spin_ns) {
  if (slept_ns >= spin_ns) return;
  loop->spin_budget_ns = loop->spin_budget_ns * 4 < spin_ns ? loop->spin_budget_ns * 4 : spin_ns;
}

void loop_run(struct loop *loop, int64_t spin_ns) {
  loop->spin_budget_ns = spin_ns;
  while (!atomic_load(&loop->stop)) {
    if (spin_ns > 0 && !list_empty(&loop->pollers) && turn_awake(loop, spin_ns)) continue;
    int64_t from_ns = clock_mono_ns(loop->clock);
    bool worked = turn(loop, FOREVER_NS);
    grow_budget(loop, clock_mono_ns(loop->clock) - from_ns, spin_ns);
    /* Simulated time only moves from outside: nothing to do now means nothing to do here. */
    if (!worked && loop->epoll_fd < 0) return;
  }
  atomic_store(&loop->stop, false);
}

void loop_stop(struct loop *loop) {
  atomic_store(&loop->stop, true);
  if (atomic_exchange(&loop->asleep, false) && loop->wake_fd >= 0) wake_signal(loop->wake_fd);
}

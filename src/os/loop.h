/* os/loop.h: one thread's event loop: descriptors, timers, and posts from other threads.
 * Owns:    the epoll descriptor; never the watched descriptors.
 * Units:   timers: nanoseconds on the clock's mono scale.
 * Errors:  loop_new, loop_watch: IO, LIMIT.
 * Threads: everything from the loop's thread, but loop_post and loop_stop from any.
 * Limits:  LOOP_POSTS_MAX waiting posts; a full queue makes the poster wait.             */
#ifndef MEDULLA_OS_LOOP_H
#define MEDULLA_OS_LOOP_H

#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"
#include "os/clock.h"

#define LOOP_POSTS_MAX 65536

struct loop;

enum loop_interest { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

/* A watched descriptor; embedded in its owner. `ready` may drop the watch and free its owner. */
struct loop_watch {
  int fd;
  unsigned interest;
  void (*ready)(struct loop_watch *watch, unsigned events);
};

struct loop_timer {
  struct heap_node node; /* first member */
  void (*fire)(struct loop_timer *timer);
};

/* Work handed over from another thread (or for later in this one); embedded in its owner. */
struct loop_post {
  struct loop_post *next;
  void (*run)(struct loop_post *post);
};

/* Polled by the loop between waits, for peers in shared memory; returns true if it found work.
 * `arm` is called before the loop sleeps (peers must then write an eventfd); false: do not sleep.
 */
struct loop_poller {
  struct list link;
  bool (*poll)(struct loop_poller *poller);
  bool (*arm)(struct loop_poller *poller);
};

bool loop_new(const struct clock_port *clock, struct loop **ret_loop, struct err *err) MUST_CHECK;
/* A loop without descriptors on a simulated clock: loop_step runs posts and due timers only. */
struct loop *loop_new_simulated(const struct clock_port *clock);
void loop_free(struct loop **loop);
const struct clock_port *loop_clock(const struct loop *loop);

bool loop_add(struct loop *loop, struct loop_watch *watch, struct err *err) MUST_CHECK;
void loop_change(struct loop *loop, struct loop_watch *watch, unsigned interest);
void loop_drop(struct loop *loop, struct loop_watch *watch); /* before the descriptor is closed */

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_mono_ns);
void loop_timer_after(struct loop *loop, struct loop_timer *timer, int64_t after_ms);
void loop_timer_drop(struct loop *loop, struct loop_timer *timer); /* harmless when not set */
/* When the next timer is due, or INT64_MAX. */
int64_t loop_next_timer_ns(const struct loop *loop);

void loop_post(struct loop *loop, struct loop_post *post);
void loop_poller_add(struct loop *loop, struct loop_poller *poller);

/* Runs until loop_stop. Spins at most spin_ns on pollers before it sleeps (0: never). */
void loop_run(struct loop *loop, int64_t spin_ns);
/* One round: what is ready now, waiting at most wait_ms (-1: until something happens). */
bool loop_step(struct loop *loop, int wait_ms);
void loop_stop(struct loop *loop);

#endif

/* flow/world.h: the structs that flow's own files share. Nobody above includes this.
 * Owns:    see each struct.
 * Units:   nanoseconds mono for *_ns, UTC milliseconds for *_ms.
 * Errors:  none.
 * Threads: the loop's thread.
 * Limits:  flow.h.                                                                      */
#ifndef MEDULLA_FLOW_WORLD_H
#define MEDULLA_FLOW_WORLD_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "flow/catalog.h"
#include "flow/flow.h"
#include "model/delivery.h"

#define USAGE_DAY_BYTES 10 /* 2027-01-31 */

struct owed;
struct deploying;
struct run;

/* An event's bytes, shared by the deliveries it became. */
struct body {
  unsigned refs;
  size_t bytes;
  struct event *event;
};

/* Deliveries of one function with the same order key, in order; only the head may run. */
struct line {
  struct list owed;
  struct function *function;
  struct bytes key; /* in the map's copy: owned by `text` */
  char *text;
  uint32_t refs;         /* deliveries that name it; the last one ends it */
  int64_t held_since_ns; /* mono: the head is failing since; 0: it is not */
};

/* A delivery in memory. */
struct owed {
  struct list link;    /* in function->ready, or alone while it runs or waits */
  struct list in_line; /* in line->owed until it leaves or lets the next pass */
  struct list all;     /* flow->owed */
  struct function *function;
  struct line *line;     /* NULL: unordered */
  struct loop_timer due; /* set while it waits for next_ms */
  struct flow *flow;
  struct body *body;        /* NULL: to be read from the store */
  struct delivery delivery; /* function, key: borrowed from function and line; reason: none */
  uint64_t row_version;
  bool running;
  bool then_dead; /* what the settle under way makes of it when it fails */
  int64_t then_ms;
  bool passed; /* out of its line: the next need not wait for it */
};

struct flow {
  struct flow_options options;
  struct gate gate;
  struct catalog *catalog;
  struct list runs;            /* all under way */
  struct list owed;            /* all in memory */
  struct list functions_ready; /* functions with something to start, round robin */
  struct loop_post dispatch_post;
  bool dispatch_posted;
  struct id last_id; /* ids rise */
  size_t cached_bytes;
  uint32_t owed_count, run_count, admitting;
  bool spilling; /* later deliveries are only in the store */
  bool refilling;
  struct id spill_from;
  uint32_t spill_pending; /* spilled rows in commits under way */
  bool spill_new;         /* a row was spilled since the last refill began */
  /* pure sync runs' rows */
  struct buf deferred; /* one page */
  struct id deferred_first;
  uint32_t deferred_count, deferred_waiting;
  struct loop_timer defer_timer;
  /* timers */
  struct map timers; /* row key → struct flow_timer */
  uint32_t timer_count;
  /* usage */
  struct map usage; /* day NUL function → struct usage */
  struct loop_timer usage_timer;
  int64_t usage_day; /* whose text is: */
  char usage_day_text[USAGE_DAY_BYTES];
  uint64_t seen_position; /* of the last settled commit */
  struct flow_load load;
  struct deploying *deploying; /* or NULL */
  bool draining, closing;
  void (*drained)(void *arg);
  void *drained_arg;
};

int64_t flow_now_ms(const struct flow *flow);
int64_t flow_now_ns(const struct flow *flow);

/* body.c */
struct body *body_new(struct flow *flow, const struct event *event);
struct body *body_ref(struct body *body);
void body_unref(struct flow *flow, struct body **body);

/* match.c: who gets this event. Calls found() once per function. */
typedef void match_found(void *arg, struct function *function, struct bytes key);
bool match_event(struct flow *flow, const struct event *event, const struct json *tree,
                 match_found *found, void *arg, struct err *err) MUST_CHECK;

/* owe.c: from matched event to rows in a commit, and, when that is durable, to the dispatcher. */
struct owing { /* one commit's new deliveries */
  struct flow *flow;
  struct list owed;
  uint32_t count, spilled;
  int64_t not_before_ms; /* 0: at once */
};
void owing_init(struct owing *owing, struct flow *flow);
/* Appends event and delivery rows; only to `function` when it is not NULL. A queue's message that
 * nobody wants is put into its queue instead. */
bool owing_add(struct owing *owing, struct store_commit *commit, const struct event *event,
               const struct json *tree, struct function *function, struct err *err) MUST_CHECK;
/* The outcome of an asynchronous run as an event where the manifest wants it. */
bool owing_add_outcome(struct owing *owing, struct store_commit *commit,
                       const struct manifest_destination *to, const struct event *about,
                       struct bytes request, struct bytes response, const char *outcome,
                       struct err *err) MUST_CHECK;
void owing_settled(struct owing *owing, uint64_t position); /* durable: dispatch them */
void owing_dropped(struct owing *owing);                    /* the commit failed */
void owed_put(struct store_commit *commit, const struct delivery *delivery);
void owed_free(struct owed *owed);
/* Into its line or straight to ready, or to wait until next_ms. */
void owed_enter(struct owed *owed);
/* Out of its line (done, dead, or it lets the others pass); the next one enters. */
void owed_leave(struct owed *owed);
/* A failed head waits; its line waits with it, at most hold_max_ms in all. */
void owed_hold(struct owed *owed, int64_t hold_max_ms);
struct owed *owed_new(struct flow *flow, struct function *function, const struct delivery *delivery,
                      struct body *body);

/* dispatch.c */
void dispatch_soon(struct flow *flow);
void dispatch_ready(struct flow *flow, struct function *function);

/* run.c */
void run_start_owed(struct flow *flow, struct owed **owed, size_t count);
void run_drain_check(struct flow *flow);

/* recover.c */
bool recover(struct flow *flow, struct err *err) MUST_CHECK;
void refill(struct flow *flow);

/* timer.c */
bool timers_load(struct flow *flow, struct err *err) MUST_CHECK;
/* A new timer needs room; a keyed one that is only moved does not. */
bool timer_fits(const struct flow *flow, const struct stage_event *staged,
                struct err *err) MUST_CHECK;
void timers_staged(struct flow *flow, const struct stage *stage, struct store_commit *commit);
void timers_settled(struct flow *flow, const struct stage *stage, uint64_t position);
void timers_close(struct flow *flow);

/* defer.c, usage.c */
/* A row of the run log is a page of packed records. */
void run_page_append(struct store_commit *commit, const struct id *id, struct bytes record);
void defer_run(struct flow *flow, const struct id *id, struct bytes record);
void defer_flush(struct flow *flow);
void usage_add(struct flow *flow, const struct run_record *run);
void usage_add_page(struct flow *flow, struct bytes page);
bool usage_load(struct flow *flow, struct err *err) MUST_CHECK;
void usage_close(struct flow *flow);

#endif

/* flow/dispatch.c: who runs next: functions in turn, each within its concurrency.
 *
 * One round gives every function with something ready one start, then the next round; so a function
 * with a backlog cannot starve another. */
#include "base/must.h"
#include "flow/world.h"

enum { DISPATCH_STARTS_PER_ROUND_MAX = 256 };

static bool may_start(const struct flow *flow, const struct function *function) {
  if (!function->live || list_empty(&function->ready)) return false;
  return function->running < function->live->code.concurrency_max;
}

/* As many ready deliveries as the function takes at once. */
static void start_some(struct flow *flow, struct function *function) {
  struct owed *batch[MANIFEST_BATCH_MAX];
  size_t batch_max = function->live->spec->batch_size;
  size_t count = 0;
  if (batch_max < 1) batch_max = 1;
  LIST_EACH (owed, &function->ready, struct owed, link) {
    if (count == batch_max) break;
    list_drop(&owed->link);
    owed->running = true;
    batch[count++] = owed;
  }
  run_start_owed(flow, batch, count);
}

static void dispatch(struct loop_post *post) {
  struct flow *flow = (struct flow *)(void *)((char *)post - offsetof(struct flow, dispatch_post));
  int starts = 0;
  flow->dispatch_posted = false;
  if (flow->draining || flow->closing) return;
  while (!list_empty(&flow->functions_ready) && starts < DISPATCH_STARTS_PER_ROUND_MAX &&
         flow->run_count < flow->options.limits.runs_max) {
    struct function *function = LIST_OF(flow->functions_ready.next, struct function, ready_link);
    list_drop(&function->ready_link);
    if (!may_start(flow, function)) continue; /* comes back when a run of it ends */
    start_some(flow, function);
    starts++;
    if (may_start(flow, function)) list_push(&flow->functions_ready, &function->ready_link);
  }
  if (!list_empty(&flow->functions_ready) && flow->run_count < flow->options.limits.runs_max)
    dispatch_soon(flow);
}

void dispatch_soon(struct flow *flow) {
  if (flow->dispatch_posted || flow->closing) return;
  flow->dispatch_posted = true;
  flow->dispatch_post.run = dispatch;
  loop_post(flow->options.loop, &flow->dispatch_post);
}

void dispatch_ready(struct flow *flow, struct function *function) {
  if (list_empty(&function->ready_link) && may_start(flow, function))
    list_push(&flow->functions_ready, &function->ready_link);
  if (!list_empty(&flow->functions_ready)) dispatch_soon(flow);
}

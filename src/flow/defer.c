/* flow/defer.c: rows of pure sync runs: together in one page of the run log, soon after the reply.
 *
 * A crash can lose these rows: never an effect, an access or an acknowledged event.             */
#include "base/must.h"
#include "flow/world.h"
#include "wire/fields.h"

#include <stdlib.h>

enum { DEFER_PAGE_BYTES_MAX = 32 << 20, DEFER_PAGE_BYTES_FULL = 1 << 20 };

void run_page_append(struct store_commit *commit, const struct id *id, struct bytes record) {
  struct buf page;
  buf_init(&page, record.len + 16);
  fields_put_bytes(&page, record);
  must(buf_ok(&page));
  commit_append(commit, TABLE_run, id_bytes(id), buf_bytes(&page));
  buf_fini(&page);
}

/* A page on its way. Its runs count as used when it is durable, so that the totals and the position
 * they have reached always agree.                                                              */
struct page {
  struct flow *flow;
  struct buf records;
};

static void page_durable(void *arg, const struct store_result *result) {
  struct page *page = arg;
  struct flow *flow = page->flow;
  flow->deferred_waiting--;
  if (result->err.code == ERR_OK) {
    flow->seen_position = result->position;
    usage_add_page(flow, buf_bytes(&page->records));
  }
  buf_fini(&page->records);
  free(page);
  run_drain_check(flow);
}

void defer_flush(struct flow *flow) {
  loop_timer_drop(flow->options.loop, &flow->defer_timer);
  if (flow->deferred_count == 0) return;
  struct page *page = must_alloc(sizeof *page);
  struct store_commit *commit = commit_new();
  page->flow = flow;
  page->records = flow->deferred;
  buf_init(&flow->deferred, DEFER_PAGE_BYTES_MAX);
  commit_append(commit, TABLE_run, id_bytes(&flow->deferred_first), buf_bytes(&page->records));
  flow->deferred_count = 0;
  flow->deferred_waiting++;
  store_submit(flow->options.store, &commit, page_durable, page);
}

static void defer_due(struct loop_timer *timer) {
  defer_flush((struct flow *)(void *)((char *)timer - offsetof(struct flow, defer_timer)));
}

void defer_run(struct flow *flow, const struct id *id, struct bytes record) {
  if (flow->deferred_count == 0) {
    flow->deferred.bytes_max = DEFER_PAGE_BYTES_MAX;
    flow->deferred_first = *id;
    flow->defer_timer.fire = defer_due;
    loop_timer_after(flow->options.loop, &flow->defer_timer, flow->options.limits.defer_ms);
  }
  fields_put_bytes(&flow->deferred, record);
  flow->deferred_count++;
  if (flow->deferred.len > DEFER_PAGE_BYTES_FULL) defer_flush(flow);
}

/* flow/flow.c: open, drain, close, and what all of flow's files need. */
#include "flow/flow.h"

#include "base/must.h"
#include "flow/run.h"

#include <stdlib.h>
#include <string.h>

const struct flow_limits flow_limits_default = {
    .deliveries_max = 200000,
    .admitting_max = 50000,
    .sync_waiting_max = 1000,
    .runs_max = 20000,
    .timers_max = 1000000,
    .run_arena_bytes_max = 64u << 20,
    .event_cache_bytes = 128u << 20,
    .defer_ms = 5,
    .deferred_max = 10000,
};

int64_t flow_now_ms(const struct flow *flow) {
  return clock_wall_ms(flow->options.clock);
}

int64_t flow_now_ns(const struct flow *flow) {
  return clock_mono_ns(flow->options.clock);
}

/* Same millisecond, or the clock went back: the last id and a random step. The step is random, not
 * one, because after a restart ids may have been given that left no row behind: none may come
 * twice. */
static struct id id_above(struct id last, const struct random_port *random) {
  uint64_t carry = 1 + (random_u64(random) & UINT32_MAX);
  for (int i = ID_BYTES - 1; i > 8; i--) {
    carry += last.at[i];
    last.at[i] = (uint8_t)carry;
    carry >>= 8;
  }
  if (carry == 0) return last;
  int64_t last_ms = 0; /* no room left in this millisecond: borrow the next */
  uint8_t bits[10];
  for (int i = 0; i < 6; i++) last_ms = last_ms << 8 | last.at[i];
  random_fill(random, bits, sizeof bits);
  bits[3] &= 0x7f;
  return id_make(last_ms + 1, bits);
}

struct id flow_id(struct flow *flow) {
  struct id id = random_id(flow->options.random, flow->options.clock);
  id.at[9] &= 0x7f; /* room to count up from here */
  if (memcmp(id.at, flow->last_id.at, ID_BYTES) <= 0) {
    id = id_above(flow->last_id, flow->options.random);
    must(memcmp(id.at, flow->last_id.at, ID_BYTES) > 0);
  }
  flow->last_id = id;
  return id;
}

bool flow_open(const struct flow_options *options, struct flow **ret_flow, struct err *err) {
  struct flow *flow = must_alloc(sizeof *flow);
  flow->options = *options;
  list_init(&flow->runs);
  list_init(&flow->owed);
  list_init(&flow->functions_ready);
  buf_init(&flow->deferred, 0);
  flow->gate = (struct gate){.store = options->store,
                             .clock = options->clock,
                             .random = options->random,
                             .egress = options->egress,
                             .disk = options->disk};
  if (!catalog_open(flow, &flow->catalog, err) || !usage_load(flow, err) ||
      !timers_load(flow, err) || !recover(flow, err)) {
    flow_close(&flow);
    return false;
  }
  catalog_warm(flow);
  *ret_flow = flow;
  return true;
}

struct catalog *flow_catalog(struct flow *flow) {
  return flow->catalog;
}

struct gate *flow_gate(struct flow *flow) {
  return &flow->gate;
}

void flow_drain(struct flow *flow, void (*drained)(void *arg), void *arg) {
  flow->draining = true;
  flow->drained = drained;
  flow->drained_arg = arg;
  run_drain_check(flow);
}

void run_drain_check(struct flow *flow) {
  if (!flow->draining || !flow->drained || flow->run_count || flow->admitting) return;
  if (flow->deferred_count) defer_flush(flow);
  if (flow->deferred_waiting) return;
  void (*drained)(void *arg) = flow->drained;
  flow->drained = NULL;
  drained(flow->drained_arg);
}

static void close_runs(struct flow *flow) {
  LIST_EACH (run, &flow->runs, struct run, link) {
    if (run->gate.stage.arena) gate_run_end(&run->gate);
    LIST_EACH (owed, &run->owing.owed, struct owed, link) list_drop(&owed->link);
    run_free(run);
  }
}

void flow_close(struct flow **flow) {
  struct flow *f = *flow;
  *flow = NULL;
  if (!f) return;
  f->closing = true;
  loop_timer_drop(f->options.loop, &f->defer_timer);
  close_runs(f);
  LIST_EACH (owed, &f->owed, struct owed, all) owed_free(owed);
  timers_close(f);
  usage_close(f);
  catalog_close(&f->catalog);
  buf_fini(&f->deferred);
  free(f);
}

struct flow_load flow_load(const struct flow *flow) {
  struct flow_load load = flow->load;
  load.owed = flow->owed_count;
  load.running = flow->run_count;
  load.admitting = flow->admitting;
  load.timers = flow->timer_count;
  return load;
}

void flow_audit(struct flow *flow, struct store_commit *commit, struct bytes actor,
                const char *action, struct bytes resource, const char *outcome,
                const char *detail) {
  struct audit_record record = {.at_ms = flow_now_ms(flow),
                                .actor = actor,
                                .action = bytes_str(action),
                                .resource = resource,
                                .outcome = bytes_str(outcome),
                                .detail = bytes_str(detail)};
  audit_append(commit, flow->options.random, &record);
}

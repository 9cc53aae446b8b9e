/* tests/sim/sim.c: the real flow, gate and store on a seed: admits, duplicates, slow and dying
 * workers, store faults, clock jumps, and a crash between any two steps. Then everything heals,
 * and:
 *
 *   - every acknowledged event did its effect once, or its delivery is a dead letter;
 *   - an event that was not acknowledged did it at most once;
 *   - a duplicate was accepted once;
 *   - deliveries of one key ran in the order of their admission;
 *   - nothing is owed any more, and the audit log decodes.
 *
 *   sim SEED COUNT    runs seeds SEED .. SEED+COUNT-1; a failing one replays with  sim SEED 1 -v */
#include "base/must.h"
#include "effect/egress.h"
#include "flow/deploy.h"
#include "flow/flow.h"
#include "flow/world.h"
#include "os/sim_clock.h"
#include "store/open.h"
#include "tests/sim/sim_runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 40, KEYS = 3, STEPS_MAX = 200000 };

static const char manifest[] =
    "app: sim\n"
    "functions:\n"
    "  count:  {code: a.js, on: [{event: {type: sim.count}}], retry: {attempts: 50, max_age: 7d}, "
    "grants: [{state: readwrite}]}\n"
    "  chain:  {code: a.js, on: [{event: {type: sim.chain}}], retry: {attempts: 50, max_age: 7d}, "
    "grants: [{state: readwrite}, {emit: sim.count}]}\n"
    "  later:  {code: a.js, on: [{event: {type: sim.later}}], retry: {attempts: 50, max_age: 7d}, "
    "grants: [{emit: sim.count}]}\n"
    "  fails:  {code: a.js, on: [{event: {type: sim.fails}}], retry: {attempts: 2}}\n"
    "  append: {code: a.js, on: [{event: {type: sim.append}}], order_by: data.key, "
    "on_failure: hold, hold_max: 1h, retry: {attempts: 50, max_age: 7d}, "
    "grants: [{state: readwrite}]}\n";

struct sent {
  struct flow_reply reply;
  struct sim *sim;
  char id[24];
  const char *type;
  int key;
  bool acknowledged, answered;
  unsigned order; /* of acknowledged appends: when it was first admitted */
};

struct sim {
  uint64_t seed;
  bool verbose;
  struct random_seeded random;
  struct sim_clock clock;
  struct loop *loop;
  struct store *store;
  struct sim_runtime runtime;
  struct flow *flow;
  struct flow_reply deploy_reply;
  bool deployed;
  struct sent sent[EVENTS_MAX];
  int count;
  uint64_t duplicates, crashes;
};

static unsigned roll(struct sim *sim, unsigned below) {
  return (unsigned)(random_u64(&sim->random.port) % below);
}

#define check(sim, condition, ...) \
  do { \
    if (!(condition)) { \
      printf("seed %llu: ", (unsigned long long)(sim)->seed); \
      printf(__VA_ARGS__); \
      printf("\n"); \
      exit(1); \
    } \
  } while (0)

static struct store_options store_options(struct sim *sim) {
  return (struct store_options){.loop = sim->loop,
                                .clock = &sim->clock.port,
                                .random = &sim->random.port,
                                .inline_execution = true,
                                .index_memory = true};
}

static void on_run(void *arg, const struct run_record *run) {
  struct sim *sim = arg;
  char delivery[ID_TEXT_BYTES];
  id_text(run->delivery, delivery);
  if (sim->verbose)
    printf("%lld: %.*s %s attempt %d %.*s %.*s %.*s\n", (long long)sim->clock.mono_ns,
           BYTES_FMT(run->function), delivery, (int)run->attempt, BYTES_FMT(run->outcome),
           BYTES_FMT(run->reason), BYTES_FMT(run->decision));
}

static void flow_start(struct sim *sim) {
  struct err err;
  struct flow_options options = {.loop = sim->loop,
                                 .store = sim->store,
                                 .runtime = &sim->runtime.port,
                                 .clock = &sim->clock.port,
                                 .random = &sim->random.port,
                                 .isolation = "simulated",
                                 .on_run = on_run,
                                 .arg = sim,
                                 .limits = flow_limits_default};
  /* Small enough that spilling to the store happens. */
  options.limits.deliveries_max = 4 + roll(sim, 60);
  if (roll(sim, 2)) options.limits.event_cache_bytes = 1024;
  check(sim, flow_open(&options, &sim->flow, &err), "flow_open: %s", err.detail);
}

static void on_deployed(struct flow_reply *reply, const struct flow_answer *answer) {
  struct sim *sim = (struct sim *)(void *)((char *)reply - offsetof(struct sim, deploy_reply));
  check(sim, answer->err.code == ERR_OK, "deploy: %s %.*s", answer->err.detail,
        BYTES_FMT(answer->body));
  sim->deployed = true;
}

static bool step(struct sim *sim) {
  if (loop_step(sim->loop, 0)) return true;
  int64_t next = loop_next_timer_ns(sim->loop);
  if (next == INT64_MAX) return false;
  int64_t ahead = next - sim->clock.mono_ns;
  if (ahead > 0) sim_clock_advance_ns(&sim->clock, ahead);
  return true;
}

static void sim_open(struct sim *sim) {
  struct err err;
  sim_clock_init(&sim->clock, 1767225600000);
  sim->loop = loop_new_simulated(&sim->clock.port);
  struct store_options options = store_options(sim);
  check(sim, store_open_memory(&options, &sim->store, &err), "store: %s", err.detail);
  sim_runtime_init(&sim->runtime, sim->loop, &sim->random);
  flow_start(sim);
  struct deploy_file file = {BYTES("a.js"), BYTES("export const handler = 1")};
  struct deploy_request request = {
      .manifest = bytes_str(manifest), .files = &file, .file_count = 1, .principal = BYTES("sim")};
  sim->deploy_reply.answer = on_deployed;
  flow_deploy(sim->flow, &request, &sim->deploy_reply);
  while (!sim->deployed) check(sim, step(sim), "deploy hangs");
}

/* ---- Input ---- */

static void on_sent(struct flow_reply *reply, const struct flow_answer *answer) {
  struct sent *sent = (struct sent *)(void *)reply;
  sent->answered = true;
  if (sent->sim->verbose)
    printf("%lld: %s %s: %s, %u accepted, %u duplicates, %u deliveries\n",
           (long long)sent->sim->clock.mono_ns, sent->type, sent->id,
           err_facts(answer->err.code)->word, answer->accepted, answer->duplicates,
           answer->deliveries);
  if (answer->err.code != ERR_OK) return;
  if (answer->duplicates) {
    sent->sim->duplicates++;
    sent->acknowledged = true;
    return;
  }
  check(sent->sim, answer->accepted == 1, "an answer without an event");
  sent->acknowledged = true;
}

static void admit(struct sim *sim, struct sent *sent) {
  struct buf envelope;
  char data[64];
  struct event event = {.ce_id = bytes_str(sent->id),
                        .ce_source = BYTES("sim"),
                        .ce_type = bytes_str(sent->type),
                        .principal = BYTES("sim")};
  buf_init(&envelope, 4096);
  snprintf(data, sizeof data, "{\"key\":\"k%d\"}", sent->key);
  event_write_envelope(&envelope, &event, bytes_str(data));
  event.envelope = buf_bytes(&envelope);
  struct flow_incoming incoming = {.event = event};
  struct flow_admission admission = {.incoming = &incoming, .count = 1, .unique = true};
  sent->reply.answer = on_sent;
  sent->sim = sim;
  sent->answered = false;
  flow_admit(sim->flow, &admission, &sent->reply);
  buf_fini(&envelope);
}

static void send_new(struct sim *sim) {
  static const char *types[] = {"sim.count", "sim.chain",  "sim.later",
                                "sim.fails", "sim.append", "sim.append"};
  if (sim->count == EVENTS_MAX) return;
  struct sent *sent = &sim->sent[sim->count];
  snprintf(sent->id, sizeof sent->id, "e%d", sim->count++);
  sent->type = types[roll(sim, 6)];
  sent->key = (int)roll(sim, KEYS);
  admit(sim, sent);
}

/* A sender that heard nothing, or does not believe it, sends again. */
static void send_again(struct sim *sim) {
  if (sim->count == 0) return;
  struct sent *sent = &sim->sent[roll(sim, (unsigned)sim->count)];
  if (sent->answered) admit(sim, sent);
}

/* ---- Faults ---- */

static void crash(struct sim *sim) {
  struct err err;
  struct store *durable;
  sim->crashes++;
  if (sim->verbose) printf("crash at %lld ns\n", (long long)sim->clock.mono_ns);
  struct loop *before = sim->loop;
  sim->loop = loop_new_simulated(&sim->clock.port);
  struct store_options options = store_options(sim);
  check(sim, store_crash_memory(&sim->store, &options, &durable, &err), "crash: %s", err.detail);
  sim_runtime_fini(&sim->runtime);
  flow_close(&sim->flow);
  loop_free(&before);
  sim->store = durable;
  struct sim_faults faults = sim->runtime.faults;
  sim_runtime_init(&sim->runtime, sim->loop, &sim->random);
  sim->runtime.faults = faults;
  for (int i = 0; i < sim->count; i++) sim->sent[i].answered = true; /* nobody will answer */
  flow_start(sim);
}

static void disturb(struct sim *sim) {
  unsigned kind = roll(sim, 100);
  if (kind < 35)
    send_new(sim);
  else if (kind < 45)
    send_again(sim);
  else if (kind < 47)
    crash(sim);
  else if (kind < 49)
    store_fault(sim->store, 1 + roll(sim, 20), roll(sim, 2) ? ERR_FULL : ERR_IO);
  else if (kind < 50)
    sim_clock_jump_ms(&sim->clock, (int64_t)roll(sim, 7200000) - 3600000);
  else
    step(sim);
}

static void heal(struct sim *sim) {
  sim->runtime.faults = (struct sim_faults){0};
  store_fault(sim->store, 0, ERR_OK);
  for (int i = 0; i < sim->count; i++)
    if (!sim->sent[i].acknowledged) { /* the sender goes on until it hears 202 */
      for (int tries = 0; !sim->sent[i].acknowledged && tries < 100; tries++) {
        if (sim->sent[i].answered) admit(sim, &sim->sent[i]);
        for (int s = 0; s < 1000 && !sim->sent[i].answered; s++) step(sim);
      }
      check(sim, sim->sent[i].acknowledged, "event %s is never accepted", sim->sent[i].id);
    }
  for (int s = 0; s < STEPS_MAX; s++) {
    struct flow_load load = flow_load(sim->flow);
    if (!load.owed && !load.running && !load.admitting && !load.timers && !sim->flow->spilling)
      return;
    check(sim, step(sim), "owed %u running %u timers %u and nothing happens", load.owed,
          load.running, load.timers);
  }
  check(sim, false, "it does not come to rest");
}

/* ---- What must hold ---- */

static int64_t counted(struct sim *sim, const char *event, const char *suffix) {
  struct buf value;
  uint64_t version;
  struct err err;
  char key[128];
  int len = snprintf(key, sizeof key, "sim%cn:%s%s", 0, event, suffix);
  buf_init(&value, 64);
  check(sim,
        store_get(store_reader(sim->store), TABLE_state, bytes_of(key, (size_t)len), &value,
                  &version, &err),
        "store_get: %s", err.detail);
  buf_char(&value, 0);
  int64_t number = version ? strtoll((char *)value.at, NULL, 10) : 0;
  buf_fini(&value);
  return number;
}

struct rows {
  struct sim *sim;
  int dead;
};

static bool dead_row(void *arg, const struct store_row *row) {
  struct rows *rows = arg;
  struct delivery delivery;
  struct err err;
  check(rows->sim, delivery_decode(row->value, &delivery, &err), "%s", err.detail);
  char id[ID_TEXT_BYTES];
  id_text(delivery.id, id);
  check(rows->sim, delivery.state == DELIVERY_DEAD, "delivery %s to %.*s is still owed", id,
        BYTES_FMT(delivery.function));
  check(rows->sim, bytes_ends(delivery.function, BYTES("fails")), "%.*s died",
        BYTES_FMT(delivery.function));
  rows->dead++;
  return true;
}

static bool audit_row(void *arg, const struct store_row *row) {
  struct audit_stored stored;
  struct err err;
  check((struct sim *)arg, audit_decode(row->value, &stored, &err), "%s", err.detail);
  return true;
}

/* The log of a key holds each of its appends once. */
static void check_log(struct sim *sim, int key) {
  struct buf value;
  uint64_t version;
  struct err err;
  char name[32];
  int len = snprintf(name, sizeof name, "sim%clog:k%d", 0, key);
  buf_init(&value, 1 << 16);
  check(sim,
        store_get(store_reader(sim->store), TABLE_state, bytes_of(name, (size_t)len), &value,
                  &version, &err),
        "store_get: %s", err.detail);
  buf_char(&value, 0);
  const char *text = version ? (char *)value.at : "";
  for (int i = 0; i < sim->count; i++) {
    const struct sent *sent = &sim->sent[i];
    char quoted[32];
    if (strcmp(sent->type, "sim.append") != 0 || sent->key != key) continue;
    snprintf(quoted, sizeof quoted, "\"%s\"", sent->id);
    const char *hit = strstr(text, quoted);
    check(sim, hit != NULL, "%s is not in the log of its key: %s", sent->id, text);
    check(sim, !strstr(hit + 1, quoted), "%s is twice in the log of its key: %s", sent->id, text);
  }
  buf_fini(&value);
}

/* Event log positions say in which order they were admitted; the key's log must agree. */
struct ordering {
  struct sim *sim;
  struct buf expected[KEYS];
};

static bool order_row(void *arg, const struct store_row *row) {
  struct ordering *ordering = arg;
  struct event event;
  struct err err;
  check(ordering->sim, event_decode(row->value, &event, &err), "%s", err.detail);
  if (!bytes_eq_str(event.ce_type, "sim.append")) return true;
  int number = atoi((const char *)event.ce_id.at + 1);
  struct buf *log = &ordering->expected[ordering->sim->sent[number].key];
  buf_printf(log, "%s\"e%d\"", log->len ? "," : "[", number);
  return true;
}

static void check_order(struct sim *sim) {
  struct ordering ordering = {.sim = sim};
  struct err err;
  for (int k = 0; k < KEYS; k++) buf_init(&ordering.expected[k], 1 << 16);
  check(sim,
        store_tail(store_reader(sim->store), TABLE_event, 0, false, order_row, &ordering, &err),
        "%s", err.detail);
  for (int k = 0; k < KEYS; k++) {
    struct buf value;
    uint64_t version;
    char name[32];
    int len = snprintf(name, sizeof name, "sim%clog:k%d", 0, k);
    buf_init(&value, 1 << 16);
    check(sim,
          store_get(store_reader(sim->store), TABLE_state, bytes_of(name, (size_t)len), &value,
                    &version, &err),
          "%s", err.detail);
    if (ordering.expected[k].len) buf_char(&ordering.expected[k], ']');
    check(sim, bytes_eq(buf_bytes(&value), buf_bytes(&ordering.expected[k])),
          "key k%d ran out of order: %.*s, admitted %.*s", k, BYTES_FMT(buf_bytes(&value)),
          BYTES_FMT(buf_bytes(&ordering.expected[k])));
    buf_fini(&value);
    buf_fini(&ordering.expected[k]);
  }
}

static void check_all(struct sim *sim) {
  struct rows rows = {.sim = sim};
  struct store_range deliveries = {.table = TABLE_delivery};
  struct store_reader *reader = store_reader(sim->store);
  struct err err;
  int fails = 0;
  check(sim, store_scan(reader, &deliveries, dead_row, &rows, &err), "%s", err.detail);
  for (int i = 0; i < sim->count; i++) {
    const struct sent *sent = &sim->sent[i];
    bool counts = strcmp(sent->type, "sim.count") == 0 || strcmp(sent->type, "sim.chain") == 0;
    if (counts)
      check(sim, counted(sim, sent->id, "") == 1, "%s counted %lld times", sent->id,
            (long long)counted(sim, sent->id, ""));
    if (strcmp(sent->type, "sim.chain") == 0)
      check(sim, counted(sim, sent->id, "-c") == 1, "the event of %s counted %lld times", sent->id,
            (long long)counted(sim, sent->id, "-c"));
    if (strcmp(sent->type, "sim.later") == 0)
      check(sim, counted(sim, sent->id, "-t") == 1, "the timer of %s fired %lld times", sent->id,
            (long long)counted(sim, sent->id, "-t"));
    if (strcmp(sent->type, "sim.fails") == 0) fails++;
  }
  for (int key = 0; key < KEYS; key++) check_log(sim, key);
  check_order(sim);
  check(sim, rows.dead == fails, "%d dead letters for %d failing events", rows.dead, fails);
  check(sim, store_tail(reader, TABLE_audit, 0, false, audit_row, sim, &err), "%s", err.detail);
}

static void sim_run_seed(uint64_t seed, bool verbose) {
  struct sim *sim = must_alloc(sizeof *sim);
  sim->seed = seed;
  sim->verbose = verbose;
  random_seeded_init(&sim->random, seed);
  sim_open(sim);
  sim->runtime.faults =
      (struct sim_faults){roll(sim, 100), roll(sim, 50), roll(sim, 30), roll(sim, 200)};
  unsigned steps = 50 + roll(sim, 400);
  for (unsigned i = 0; i < steps; i++) disturb(sim);
  heal(sim);
  check_all(sim);
  if (verbose)
    printf("seed %llu: %d events, %llu duplicates, %llu crashes\n", (unsigned long long)seed,
           sim->count, (unsigned long long)sim->duplicates, (unsigned long long)sim->crashes);
  sim_runtime_fini(&sim->runtime);
  store_close(&sim->store);
  flow_close(&sim->flow);
  loop_free(&sim->loop);
  free(sim);
}

int main(int argc, char **argv) {
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
  uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
  bool verbose = argc > 3;
  for (uint64_t i = 0; i < count; i++) sim_run_seed(seed + i, verbose);
  printf("ok 1 - %llu seeds from %llu: nothing lost, nothing twice\n1..1\n",
         (unsigned long long)count, (unsigned long long)seed);
  return 0;
}

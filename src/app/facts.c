/* app/facts.c: counters to Prometheus text, the machine's abilities to JSON. */
#include "app/facts.h"

#include "runtime/sandbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int bucket_of(int64_t us) {
  int64_t edge = 16;
  for (int i = 0; i < FACTS_BUCKETS - 1; i++, edge *= 4)
    if (us <= edge) return i;
  return FACTS_BUCKETS - 1;
}

void facts_run(struct facts *facts, const struct run_record *run) {
  facts->invoke_us[bucket_of(run->run_us)]++;
  facts->invoke_count++;
  facts->invoke_sum_us += run->run_us;
  if (!run->cold) return;
  facts->cold_starts++;
  facts->start_us[bucket_of(run->start_us)]++;
  facts->start_count++;
  facts->start_sum_us += run->start_us;
}

static void counter(struct buf *out, const char *name, const char *help, uint64_t value) {
  buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", name, help, name, name,
             (unsigned long long)value);
}

static void gauge(struct buf *out, const char *name, const char *help, uint64_t value) {
  buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name,
             (unsigned long long)value);
}

static void histogram(struct buf *out, const char *name, const char *help,
                      const uint64_t buckets[FACTS_BUCKETS], uint64_t count, int64_t sum_us) {
  double edge = 16e-6;
  uint64_t below = 0;
  buf_printf(out, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
  for (int i = 0; i < FACTS_BUCKETS - 1; i++, edge *= 4) {
    below += buckets[i];
    buf_printf(out, "%s_bucket{le=\"%.6g\"} %llu\n", name, edge, (unsigned long long)below);
  }
  buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name,
             (unsigned long long)count, name, (double)sum_us / 1e6, name,
             (unsigned long long)count);
}

void facts_metrics(const struct facts *facts, struct buf *out, struct flow *flow,
                   struct runtime *runtime, struct store *store, struct api *api) {
  struct flow_load f = flow_load(flow);
  struct pool_load p = runtime_pool_load(runtime);
  struct store_load s = store_load(store);
  struct http_server_load h = api_load(api);
  counter(out, "faas_invocations_total", "runs that succeeded", f.succeeded);
  counter(out, "faas_errors_total", "runs that failed", f.failed + f.refused);
  counter(out, "faas_timeouts_total", "runs past their deadline", f.timed_out);
  counter(out, "faas_coldstarts_total", "runs that had to wait for a new worker",
          facts->cold_starts);
  histogram(out, "faas_invoke_duration_seconds", "time in the handler", facts->invoke_us,
            facts->invoke_count, facts->invoke_sum_us);
  histogram(out, "faas_init_duration_seconds", "time to make a worker", facts->start_us,
            facts->start_count, facts->start_sum_us);
  counter(out, "medulla_events_admitted_total", "events made durable", f.admitted);
  counter(out, "medulla_events_duplicate_total", "events seen before", f.duplicates);
  counter(out, "medulla_deliveries_retried_total", "attempts that will be repeated", f.retried);
  counter(out, "medulla_deliveries_dead_total", "deliveries that used up their attempts", f.dead);
  gauge(out, "medulla_deliveries_owed", "deliveries in memory", f.owed);
  gauge(out, "medulla_runs_running", "runs under way", f.running);
  gauge(out, "medulla_timers", "durable timers waiting", f.timers);
  gauge(out, "medulla_workers", "worker processes", p.workers);
  gauge(out, "medulla_workers_busy", "worker processes with a run", p.busy);
  gauge(out, "medulla_runs_waiting", "runs waiting for a worker", p.waiting);
  counter(out, "medulla_worker_forks_total", "workers made", p.forks);
  counter(out, "medulla_worker_kills_total", "workers killed", p.kills);
  gauge(out, "medulla_store_pending", "commits waiting for the store", s.pending);
  counter(out, "medulla_store_commits_total", "commits made durable", s.commits);
  counter(out, "medulla_store_transactions_total", "transactions they were folded into",
          s.transactions);
  gauge(out, "medulla_store_failing", "1 while nothing can be made durable", s.failing != ERR_OK);
  gauge(out, "medulla_store_disk_bytes", "size of the ledger", s.disk_bytes);
  gauge(out, "medulla_http_connections", "open connections", h.connections);
  counter(out, "medulla_http_requests_total", "HTTP requests", h.requests);
}

static void check(struct json_out *out, bool *healthy, const char *what, bool good,
                  const char *advice, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static void check(struct json_out *out, bool *healthy, const char *what, bool good,
                  const char *advice, const char *format, ...) {
  char found[256];
  va_list args;
  va_start(args, format);
  vsnprintf(found, sizeof found, format, args);
  va_end(args);
  *healthy = *healthy && good;
  json_out_open(out, '{');
  json_out_member_str(out, "what", what);
  json_out_member_bool(out, "good", good);
  json_out_member_str(out, "found", found);
  json_out_member_str(out, "advice", good ? "" : advice);
  json_out_close(out, '}');
}

static void check_isolation(struct json_out *out, bool *healthy, enum sandbox_level level) {
  struct sandbox_facts facts;
  sandbox_probe(&facts);
  check(out, healthy, "isolation", level >= SANDBOX_LANDLOCKED,
        "Landlock and namespaces are refused here: use a kernel and a container profile that allow "
        "them, or a function's isolation floor",
        "%s (this host allows %s)%s%s", sandbox_level_name(level), sandbox_level_name(facts.level),
        facts.why_not[0] ? ": " : "", facts.why_not);
  check(out, healthy, "kernel", true, "", "%s, Landlock ABI %u, PAGEMAP_SCAN %s", facts.kernel,
        facts.landlock_abi, facts.pagemap_scan ? "yes" : "no");
  check(out, healthy, "seccomp", facts.seccomp, "the kernel must support seccomp filters", "%s",
        facts.seccomp ? "yes" : "no");
  check(out, healthy, "namespaces", true, "", "user %s, running as %s",
        facts.user_namespaces ? "yes" : "no", facts.root ? "root" : "an ordinary user");
  check(out, healthy, "cgroup v2", true, "", "memory %s, pids %s",
        facts.cgroup2_memory ? "yes" : "no: linear memory and rlimits are the limit",
        facts.cgroup2_pids ? "yes" : "no");
}

void facts_doctor(struct json_out *out, struct flow *flow, struct runtime *runtime,
                  struct store *store, struct disk *disk, struct parts_facts *parts) {
  struct pool_load pool = runtime_pool_load(runtime);
  struct store_load load = store_load(store);
  struct flow_load flow_now = flow_load(flow);
  bool healthy = true;
  json_out_name(out, "checks");
  json_out_open(out, '[');
  check_isolation(out, &healthy, (enum sandbox_level)pool.isolation);
  check(out, &healthy, "cores", true, "", "%ld", sysconf(_SC_NPROCESSORS_ONLN));
  check(out, &healthy, "workers", true, "", "%u, %u busy, %u runs waiting", pool.workers, pool.busy,
        pool.waiting);
  check(out, &healthy, "deliveries", true, "", "%u owed, %llu dead since the start", flow_now.owed,
        (unsigned long long)flow_now.dead);
  check(out, &healthy, "durable", load.failing == ERR_OK,
        load.failing == ERR_FULL
            ? "free space on the disk of the data folder; all goes on by itself"
            : "see the log, mend the disk of the data folder, then start Medulla again",
        "%s", load.failing == ERR_OK ? "yes" : err_facts(load.failing)->sentence);
  check(out, &healthy, "store", load.pending < STORE_PENDING_MAX / 2,
        "the disk does not keep up: see its fsync rate",
        "%s: %llu bytes, position %llu, last sync %lld us, %u commits waiting",
        disk_root(disk) ? disk_root(disk) : "(memory)", (unsigned long long)load.disk_bytes,
        (unsigned long long)load.last_position, (long long)load.last_sync_us, load.pending);
  json_out_close(out, ']');
  parts_write_dependencies(parts, out);
  parts_write_limits(parts, out);
  json_out_member_str(out, "isolation", sandbox_level_name((enum sandbox_level)pool.isolation));
  json_out_member_bool(out, "healthy", healthy);
}

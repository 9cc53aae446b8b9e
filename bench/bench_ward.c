/* bench/bench_ward.c: device samples through the ward's rules inside one worker, restore included.
 *
 *   bench-ward CODE.js|MODULE.so [DEVICES] [SAMPLES]     of one batch
 *
 * The code gets batches as POST /telemetry makes them; its state is kept here between runs. Prints
 * microseconds per sample and samples per second of one worker.                              */
#define _GNU_SOURCE /* memfd_create */
#include "runtime/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 60, WARM = 20, CODE_BYTES_MAX = 1 << 20, ANSWERS_MAX = 64 };

/* What the platform does for this run: answers in order, and one value of state. */
struct world {
  struct buf state;
  struct {
    uint64_t ordinal;
    bool is_get;
  } asked[ANSWERS_MAX];
  unsigned first, count;
};

static int64_t now_ns(void *self) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void on_request(void *self, uint64_t ordinal, struct bytes effect, struct bytes payload) {
  struct world *world = self;
  static const char value[] = "\"value\":";
  if (bytes_eq_str(effect, "state.put")) {
    size_t at = bytes_find_bytes(payload, bytes_str(value)) + sizeof value - 1;
    buf_reset(&world->state);
    buf_put(&world->state, bytes_sub(payload, at, payload.len - at - 1));
  }
  unsigned slot = (world->first + world->count++) % ANSWERS_MAX;
  world->asked[slot].ordinal = ordinal;
  world->asked[slot].is_get = bytes_eq_str(effect, "state.get");
}

static bool on_wait(void *self, int64_t until_mono_ns, struct guest_answer *ret_answer) {
  struct world *world = self;
  if (world->count == 0) return false;
  unsigned slot = world->first++ % ANSWERS_MAX;
  world->count--;
  bool stored = world->asked[slot].is_get && world->state.len;
  struct bytes body = stored ? buf_bytes(&world->state) : BYTES("null");
  *ret_answer = (struct guest_answer){world->asked[slot].ordinal, true, body};
  return true;
}

static void on_log(void *self, enum guest_level level, struct bytes line) {
}

/* A batch of samples of all devices in turn: five metrics, five seconds apart. */
static void write_batch(struct buf *event, int batch, int devices, int samples) {
  static const char *const metrics[] = {"hr", "spo2", "rr", "sbp", "temp"};
  static const double base[] = {80, 97, 16, 120, 37};
  buf_reset(event);
  buf_printf(event,
             "{\"specversion\":\"1.0\",\"id\":\"b%d\",\"source\":\"telemetry\","
             "\"type\":\"medulla.telemetry\",\"subject\":\"7\",\"data\":{\"samples\":[",
             batch);
  for (int i = 0; i < samples; i++) {
    int turn = i / devices;
    long long t = 1767225600000ll + batch * 5000ll + turn * 10ll;
    double v = base[turn % 5] - (turn % 5 == 4 ? (i % 5) / 10.0 : i % 7);
    buf_printf(event, "%s{\"seq\":%d,\"dev\":\"d%05d\",\"t\":%lld,\"m\":\"%s\",\"v\":%.1f}",
               i ? "," : "", batch * samples + i, i % devices, t, metrics[turn % 5], v);
  }
  buf_printf(event, "]}}");
}

static struct guest *open_code(const char *path) {
  static char source[CODE_BYTES_MAX];
  struct guest_code code = {.file_name = path, .module = true, .memory_bytes_max = 64u << 20};
  struct guest *guest;
  struct err err;
  const char *dot = strrchr(path, '.');
  int fd = memfd_create("snapshot", 0);
  if (dot && strcmp(dot, ".so") == 0) {
    code.kind = GUEST_WASM;
    code.module_path = path;
  } else {
    FILE *file = fopen(path, "r");
    if (!file) return NULL;
    code.source = bytes_of(source, fread(source, 1, sizeof source - 1, file));
    fclose(file);
  }
  if (fd < 0 || !guest_prepare(&code, fd, &err) || !guest_open(&code, fd, &guest, &err)) {
    fprintf(stderr, "bench-ward: %s\n", err.detail);
    return NULL;
  }
  close(fd);
  return guest;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int devices = argc > 2 ? atoi(argv[2]) : 100;
  int samples = argc > 3 ? atoi(argv[3]) : 1000;
  struct guest *guest = argc > 1 ? open_code(argv[1]) : NULL;
  if (!guest || devices < 1 || samples < 1) {
    fprintf(stderr, "usage: bench-ward CODE.js|MODULE.so [DEVICES] [SAMPLES]\n");
    return 2;
  }
  struct world world = {0};
  struct guest_host host = {&world, on_request, on_wait, on_log, now_ns};
  struct buf event, body;
  struct guest_output output = {.body = &body};
  double us[RUNS];
  buf_init(&event, 64u << 20);
  buf_init(&body, GUEST_OUTPUT_BYTES_MAX);
  buf_init(&world.state, 64u << 20);
  for (int i = 0; i < WARM + RUNS; i++) {
    write_batch(&event, i, devices, samples);
    struct guest_input input = {.event = buf_bytes(&event),
                                .context = BYTES("{\"functionName\":\"ward/telemetry\"}"),
                                .env = BYTES("{}"),
                                .clock_ms = 1767225600000,
                                .deadline_mono_ns = INT64_MAX};
    int64_t start = now_ns(NULL);
    guest_run(guest, &input, &host, &output);
    if (i >= WARM) us[i - WARM] = (double)(now_ns(NULL) - start) / 1e3 / samples;
    world.count = 0;
  }
  qsort(us, RUNS, sizeof *us, by_value);
  printf("ward telemetry, %d devices, batches of %d: p50 %.2f us a sample, best %.2f us, %.0f a "
         "second; %.*s\n",
         devices, samples, us[RUNS / 2], us[0], 1e6 / us[RUNS / 2], BYTES_FMT(buf_bytes(&body)));
  buf_fini(&event);
  buf_fini(&body);
  buf_fini(&world.state);
  guest_close(&guest);
  return 0;
}

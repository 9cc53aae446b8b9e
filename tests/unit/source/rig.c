#include "tests/unit/source/rig.h"

#include "base/must.h"
#include "os/disk_sim.h"
#include "os/log.h"
#include "wire/http.h"

struct rig rig;

static void no_log(void *arg, struct bytes line) {
}

static void catalog_changed(void *arg) {
  if (rig.api) api_catalog_changed(rig.api);
  if (rig.on_catalog) rig.on_catalog();
}

static void on_run(void *arg, const struct run_record *run) {
  if (rig.api) api_publish_run(rig.api, run);
}

/* An egress nothing comes back from until it closes; then all hear it, as from a real one. */
static struct {
  egress_done *done;
  void *arg;
} asked[64];
static size_t asked_count;

static void no_request(void *self, const struct egress_request *request, egress_done *done,
                       void *arg) {
  must(asked_count < sizeof asked / sizeof *asked);
  asked[asked_count].done = done;
  asked[asked_count++].arg = arg;
}

static void egress_end(void) {
  struct egress_answer answer = {.err = {.code = ERR_CLOSED}};
  for (size_t i = 0; i < asked_count; i++) asked[i].done(asked[i].arg, &answer);
  asked_count = 0;
}

static const struct egress_ops no_egress_ops = {.request = no_request};
static struct egress_port no_egress = {&no_egress_ops, NULL};

static void open_outbox(void) {
  struct err err;
  struct outbox_options options = {.loop = rig.loop,
                                   .store = rig.store,
                                   .clock = &rig.clock.port,
                                   .random = &rig.random.port,
                                   .egress = &no_egress};
  assert_ok(outbox_open(&options, &rig.outbox, &err), err);
}

static void start(void) {
  struct err err;
  open_outbox();
  sim_runtime_init(&rig.runtime, rig.loop, &rig.random);
  struct flow_options flow = {.loop = rig.loop,
                              .store = rig.store,
                              .runtime = &rig.runtime.port,
                              .clock = &rig.clock.port,
                              .random = &rig.random.port,
                              .isolation = "simulated",
                              .on_run = on_run,
                              .on_catalog = catalog_changed,
                              .limits = flow_limits_default};
  assert_ok(flow_open(&flow, &rig.flow, &err), err);
  assert_ok(principals_open(rig.flow, rig.store, &rig.clock.port, &rig.random.port, &rig.principals,
                            &err),
            err);
  struct api_options api = {.loop = rig.loop,
                            .flow = rig.flow,
                            .store = rig.store,
                            .disk = rig.disk,
                            .clock = &rig.clock.port,
                            .random = &rig.random.port,
                            .principals = rig.principals,
                            .outbox = rig.outbox,
                            .dev = true};
  assert_ok(api_open(&api, &rig.api, &err), err);
}

static struct store_options store_options(void) {
  return (struct store_options){.loop = rig.loop,
                                .clock = &rig.clock.port,
                                .random = &rig.random.port,
                                .inline_execution = true,
                                .index_memory = true};
}

void rig_open(int64_t wall_ms) {
  struct err err;
  memset(&rig, 0, sizeof rig);
  random_seeded_init(&rig.random, 7);
  sim_clock_init(&rig.clock, wall_ms);
  log_open(&(struct log_options){.clock = &rig.clock.port, .sink = no_log});
  rig.loop = loop_new_simulated(&rig.clock.port);
  buf_init(&rig.got, 256 << 20);
  struct store_options store = store_options();
  assert_ok(store_open_memory(&store, &rig.store, &err), err);
  rig.disk = disk_new_simulated(7);
  start();
}

static void stop(void) {
  if (rig.client) stream_close(&rig.client);
  rig_settle();
  if (rig.api) api_close(&rig.api);
  if (rig.outbox) outbox_stop(rig.outbox);
  egress_end();
}

void rig_close(void) {
  stop();
  sim_runtime_fini(&rig.runtime);
  store_close(&rig.store);
  flow_close(&rig.flow);
  outbox_close(&rig.outbox);
  principals_close(&rig.principals);
  disk_close(&rig.disk);
  loop_free(&rig.loop);
  buf_fini(&rig.got);
}

void rig_crash(void) {
  struct err err;
  struct store *durable;
  stop();
  struct loop *before = rig.loop;
  rig.loop = loop_new_simulated(&rig.clock.port);
  struct store_options options = store_options();
  assert_ok(store_crash_memory(&rig.store, &options, &durable, &err), err);
  sim_runtime_fini(&rig.runtime);
  flow_close(&rig.flow);
  outbox_close(&rig.outbox);
  principals_close(&rig.principals);
  loop_free(&before);
  rig.store = durable;
  start();
}

static void on_deployed(struct flow_reply *reply, const struct flow_answer *answer) {
  if (answer->err.code != ERR_OK)
    print_message("%s %.*s\n", answer->err.detail, BYTES_FMT(answer->body));
  rig.deployed = answer->err.code == ERR_OK ? 1 : -1;
}

void rig_deploy(const char *functions) {
  struct deploy_file file = {BYTES("a.js"), BYTES("export const handler = 1")};
  char manifest[4096];
  snprintf(manifest, sizeof manifest, "app: t\nfunctions:\n%s", functions);
  struct deploy_request request = {
      .manifest = bytes_str(manifest), .files = &file, .file_count = 1, .principal = BYTES("test")};
  rig.deploy_reply.answer = on_deployed;
  rig.deployed = 0;
  flow_deploy(rig.flow, &request, &rig.deploy_reply);
  for (int i = 0; i < 1000 && !rig.deployed; i++) rig_wait(1);
  assert_int_equal(rig.deployed, 1);
}

void rig_settle(void) {
  for (int i = 0; i < 10000000 && loop_step(rig.loop, 0); i++) continue;
}

void rig_wait(int64_t ms) {
  rig_settle();
  int64_t end_ns = rig.clock.mono_ns + ms * 1000000;
  while (rig.clock.mono_ns < end_ns) {
    int64_t next_ns = loop_next_timer_ns(rig.loop);
    int64_t ahead_ns = next_ns < end_ns ? next_ns - rig.clock.mono_ns : end_ns - rig.clock.mono_ns;
    sim_clock_advance_ns(&rig.clock, ahead_ns > 0 ? ahead_ns : 0);
    rig_settle();
  }
}

/* ---- HTTP ---- */

static void client_ready(struct stream *stream, unsigned events) {
  static uint8_t at[65536];
  size_t len;
  switch (stream_read(stream, at, sizeof at, &len)) {
  case STREAM_OK: buf_put(&rig.got, bytes_of(at, len)); return;
  case STREAM_AGAIN: return;
  case STREAM_END: break;
  case STREAM_BROKEN: stream->ready = NULL; break;
  }
  rig.ended = true;
  stream_want(stream, 0);
}

static void send_all(struct bytes data) {
  for (int i = 0; i < 10000000 && data.len; i++) {
    size_t len;
    enum stream_result result = stream_write(rig.client, &data, 1, &len);
    if (result == STREAM_BROKEN) return;
    if (result == STREAM_OK) data = bytes_from(data, len);
    loop_step(rig.loop, 0);
  }
}

void rig_http_begin(const char *method, const char *target, const char *headers,
                    struct bytes body) {
  struct sim_stream_options options = {.loop = rig.loop};
  struct stream *theirs, *ours;
  char head[8192];
  if (rig.client) stream_close(&rig.client);
  rig_settle();
  buf_reset(&rig.got);
  rig.ended = false;
  sim_stream_pair(&options, &theirs, &ours);
  theirs->ready = client_ready;
  stream_want(theirs, LOOP_READ);
  http_server_adopt(rig.api->server, ours, "127.0.0.1:1234");
  rig.client = theirs;
  bool host = headers && strstr(headers, "Host:");
  bool length = headers && strstr(headers, "ontent-Length:");
  char length_line[64] = "";
  if (body.at && !length)
    snprintf(length_line, sizeof length_line, "Content-Length: %zu\r\n", body.len);
  int len =
      snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n%sConnection: close\r\n%s%s\r\n", method,
               target, host ? "" : "Host: 127.0.0.1\r\n", length_line, headers ? headers : "");
  assert_true(len > 0 && (size_t)len < sizeof head);
  send_all(bytes_of(head, (size_t)len));
  send_all(body);
  rig_settle();
}

int rig_http_bytes(const char *method, const char *target, const char *headers, struct bytes body) {
  rig_http_begin(method, target, headers, body);
  for (int i = 0; i < 20000 && !rig.ended; i++) rig_wait(1);
  if (!rig.ended) fail_msg("%s %s is not answered", method, target);
  return rig_status();
}

int rig_http(const char *method, const char *target, const char *headers, const char *text) {
  return rig_http_bytes(method, target, headers, text ? bytes_str(text) : BYTES_NONE);
}

int rig_status(void) {
  return rig.got.len > 12 ? atoi((const char *)rig.got.at + 9) : 0;
}

struct bytes rig_header(const char *name) {
  struct bytes left = buf_bytes(&rig.got);
  while (left.len) {
    struct bytes value, line = bytes_cut(left, '\n', &left);
    if (line.len <= 1) break;
    struct bytes given = bytes_cut(line, ':', &value);
    if (value.len && bytes_eq_nocase(given, bytes_str(name)))
      return bytes_trim(bytes_sub(value, 0, value.len - 1));
  }
  return BYTES_NONE;
}

struct bytes rig_body(void) {
  struct bytes got = buf_bytes(&rig.got);
  size_t at = bytes_find_bytes(got, BYTES("\r\n\r\n"));
  assert_true(at < got.len);
  return bytes_from(got, at + 4);
}

/* ---- What is stored ---- */

struct wanted {
  const char *type;
  struct buf *into;
  size_t count;
};

static bool event_row(void *arg, const struct store_row *row) {
  struct wanted *wanted = arg;
  struct event event;
  struct err err;
  assert_ok(event_decode(row->value, &event, &err), err);
  if (!bytes_eq_str(event.ce_type, wanted->type)) return true;
  wanted->count++;
  if (wanted->into) {
    buf_put(wanted->into, event.envelope);
    buf_char(wanted->into, '\n');
  }
  return true;
}

size_t rig_events(const char *type, struct buf *into) {
  struct wanted wanted = {.type = type, .into = into};
  struct err err;
  assert_ok(store_tail(store_reader(rig.store), TABLE_event, 0, false, event_row, &wanted, &err),
            err);
  return wanted.count;
}

static bool count_row(void *arg, const struct store_row *row) {
  ++*(size_t *)arg;
  return true;
}

size_t rig_rows(enum store_table table) {
  struct store_range range = {.table = table};
  struct err err;
  size_t count = 0;
  assert_ok(store_scan(store_reader(rig.store), &range, count_row, &count, &err), err);
  return count;
}

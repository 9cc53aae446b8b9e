/* TLS over streams that split and break: what goes in comes out, and who has no right gets none. */
#include "tests/unit/test.h"

#include "base/buf.h"
#include "os/sim_clock.h"
#include "os/sim_stream.h"
#include "os/tls.h"
#include "os/tls_certificate.h"

#include <openssl/ssl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY_MS = 86400000, TURNS_MAX = 200000, DATA_BYTES = 300000 };

static char folder[] = "/tmp/medulla-test-tls-XXXXXX";
static struct buf ca_cert, ca_key, other_ca_cert, other_ca_key;

/* ---- Certificates ---- */

static const char *at(const char *name) {
  static char paths[8][128];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static void save(const char *name, struct bytes text) {
  char path[128];
  snprintf(path, sizeof path, "%s.new", at(name));
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
  fclose(file);
  assert_int_equal(chmod(path, 0600), 0);
  assert_int_equal(rename(path, at(name)), 0);
}

static int64_t now_ms(void) {
  return (int64_t)time(NULL) * 1000;
}

static void issue(const char *name, const char *hosts, struct buf *by_cert, struct buf *by_key,
                  int64_t from_days, int64_t to_days) {
  struct buf cert, key;
  struct err err;
  char file[64];
  struct tls_subject subject = {name, hosts, now_ms() + from_days * DAY_MS,
                                now_ms() + to_days * DAY_MS};
  buf_init(&cert, TLS_PEM_BYTES_MAX);
  buf_init(&key, TLS_PEM_BYTES_MAX);
  assert_ok(
      tls_certificate_issue(buf_bytes(by_cert), buf_bytes(by_key), &subject, &cert, &key, &err),
      err);
  snprintf(file, sizeof file, "%s.pem", name);
  save(file, buf_bytes(&cert));
  snprintf(file, sizeof file, "%s.key", name);
  save(file, buf_bytes(&key));
  buf_fini(&cert);
  buf_fini(&key);
}

static void make_authority(const char *name, struct buf *cert, struct buf *key) {
  struct err err;
  char file[64];
  struct tls_subject subject = {name, NULL, now_ms() - DAY_MS, now_ms() + DAY_MS};
  buf_init(cert, TLS_PEM_BYTES_MAX);
  buf_init(key, TLS_PEM_BYTES_MAX);
  assert_ok(tls_authority_make(&subject, cert, key, &err), err);
  snprintf(file, sizeof file, "%s.pem", name);
  save(file, buf_bytes(cert));
}

static int make_certificates(void **state) {
  assert_non_null(mkdtemp(folder));
  make_authority("ca", &ca_cert, &ca_key);
  make_authority("other", &other_ca_cert, &other_ca_key);
  issue("server", "DNS:ward.example,IP:127.0.0.1", &ca_cert, &ca_key, -1, 1);
  issue("second", "DNS:ward.example", &ca_cert, &ca_key, -1, 1);
  issue("stale", "DNS:ward.example", &ca_cert, &ca_key, -3, -1);
  issue("device", NULL, &ca_cert, &ca_key, -1, 1);
  issue("expired", NULL, &ca_cert, &ca_key, -3, -1);
  issue("early", NULL, &ca_cert, &ca_key, 1, 3);
  issue("stranger", NULL, &other_ca_cert, &other_ca_key, -1, 1);
  return 0;
}

static int remove_certificates(void **state) {
  char command[128];
  buf_fini(&ca_cert);
  buf_fini(&ca_key);
  buf_fini(&other_ca_cert);
  buf_fini(&other_ca_key);
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command);
}

/* ---- Two ends ---- */

struct end {
  struct stream *stream;
  struct buf got;
  struct bytes to_send;
  size_t sent;
  bool finish, finished, ended, broken;
  bool leaves; /* closes when it learns that it is over, as a server does */
  int calls;
};

static struct sim_clock sim;
static struct loop *loop;
static struct tls_server *server;
static struct tls_client *client;
static struct stream *wire_a, *wire_b; /* below client and server */
static struct end a, b;
static struct random_seeded seeded;

static void send_more(struct end *e) {
  while (e->sent < e->to_send.len) {
    struct bytes left = bytes_from(e->to_send, e->sent);
    struct bytes parts[] = {bytes_sub(left, 0, 9), bytes_from(left, 9)};
    size_t len = 0;
    enum stream_result result = stream_write(e->stream, parts, 2, &len);
    if (result == STREAM_BROKEN) e->broken = true;
    if (result != STREAM_OK) return;
    e->sent += len;
  }
  if (e->finish && !e->finished) stream_finish(e->stream);
  e->finished = e->finish;
}

static void on_ready(struct stream *stream, unsigned events) {
  struct end *e = stream->owner;
  uint8_t room[5000];
  size_t len;
  e->calls++;
  if (!(events & (LOOP_READ | LOOP_WRITE))) e->broken = true;
  if (events & LOOP_READ) {
    enum stream_result result = stream_read(stream, room, sizeof room, &len);
    if (result == STREAM_OK) buf_put(&e->got, bytes_of(room, len));
    if (result == STREAM_END) e->ended = true;
    if (result == STREAM_BROKEN) e->broken = true;
  }
  if (!e->broken) send_more(e);
  unsigned wanted = e->ended || e->broken ? 0 : LOOP_READ;
  if (e->sent < e->to_send.len && !e->broken) wanted |= LOOP_WRITE;
  if (e->leaves && (e->broken || e->ended))
    stream_close(&e->stream);
  else
    stream_want(stream, wanted);
}

static void start(struct end *e, struct stream *stream) {
  *e = (struct end){.stream = stream};
  buf_init(&e->got, 1 << 22);
  stream->owner = e;
  stream->ready = on_ready;
}

struct setup {
  const char *cert, *client_ca, *ca, *client_cert, *name;
  size_t room_bytes, step_bytes_max;
  uint64_t seed;
};

static void open_wire(const struct setup *setup) {
  struct sim_stream_options options = {
      .loop = loop, .room_bytes = setup->room_bytes, .step_bytes_max = setup->step_bytes_max};
  random_seeded_init(&seeded, setup->seed);
  if (setup->seed) options.random = &seeded.port;
  sim_stream_pair(&options, &wire_a, &wire_b);
}

static void open_server(const struct setup *setup) {
  struct err err;
  char cert[64], key[64];
  const char *name = setup->cert ? setup->cert : "server";
  sim_clock_init(&sim, 0);
  loop = loop_new_simulated(&sim.port);
  snprintf(cert, sizeof cert, "%s.pem", name);
  snprintf(key, sizeof key, "%s.key", name);
  struct tls_files files = {at(cert), at(key), setup->client_ca ? at(setup->client_ca) : NULL};
  assert_ok(tls_server_open(loop, &files, &server, &err), err);
}

static void open_both(const struct setup *setup) {
  struct err err;
  char cert[64], key[64];
  open_server(setup);
  open_wire(setup);
  snprintf(cert, sizeof cert, "%s.pem", setup->client_cert);
  snprintf(key, sizeof key, "%s.key", setup->client_cert);
  struct tls_files mine = {0};
  if (setup->client_cert) mine = (struct tls_files){at(cert), at(key), NULL};
  assert_ok(tls_client_open(at(setup->ca ? setup->ca : "ca.pem"), &mine, &client, &err), err);
  struct stream *below_a = wire_a, *below_b = wire_b;
  start(&b, tls_stream_accept(server, &below_b));
  start(&a, tls_stream_connect(loop, client, setup->name ? setup->name : "ward.example", &below_a));
  stream_want(a.stream, LOOP_READ | LOOP_WRITE);
  stream_want(b.stream, LOOP_READ);
}

/* Every turn that finds no work lets time pass; then all is quiet. */
static int run(void) {
  int turns = 0;
  for (int quiet = 0; quiet < 3 && turns < TURNS_MAX; turns++) {
    if (loop_step(loop, 0))
      quiet = 0;
    else
      quiet++;
  }
  return turns;
}

static void shut(void) {
  stream_close(&a.stream);
  stream_close(&b.stream);
  run();
  buf_fini(&a.got);
  buf_fini(&b.got);
  if (client) tls_client_close(&client);
  tls_server_close(&server);
  loop_free(&loop);
}

static struct bytes pattern(void) {
  static uint8_t data[DATA_BYTES];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7 + i / 251);
  return bytes_of(data, sizeof data);
}

/* ---- Tests ---- */

static void what_goes_in_comes_out_both_ways(void **state) {
  open_both(&(struct setup){0});
  a.to_send = b.to_send = pattern();
  a.finish = b.finish = true;
  run();
  assert_true(bytes_eq(buf_bytes(&b.got), pattern()));
  assert_true(bytes_eq(buf_bytes(&a.got), pattern()));
  assert_true(a.ended && b.ended && !a.broken && !b.broken);
  assert_null(tls_stream_failure(b.stream));
  shut();
}

static void split_delayed_and_nearly_full_streams_lose_nothing(void **state) {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    open_both(&(struct setup){.room_bytes = 50 + seed * 97, .seed = seed});
    a.to_send = b.to_send = bytes_sub(pattern(), 0, 40000);
    a.finish = b.finish = true;
    assert_true(run() < TURNS_MAX);
    assert_true(bytes_eq(buf_bytes(&b.got), b.to_send));
    assert_true(bytes_eq(buf_bytes(&a.got), a.to_send));
    assert_true(a.ended && b.ended);
    shut();
  }
}

static void half_closed_the_other_way_goes_on(void **state) {
  open_both(&(struct setup){0});
  a.to_send = BYTES("ask");
  a.finish = true;
  run();
  assert_bytes(buf_bytes(&b.got), "ask");
  assert_true(b.ended && !a.ended);
  struct bytes answer = BYTES("answer");
  size_t len;
  assert_int_equal(stream_write(b.stream, &answer, 1, &len), STREAM_OK);
  stream_finish(b.stream);
  run();
  assert_bytes(buf_bytes(&a.got), "answer");
  assert_true(a.ended);
  shut();
}

static void an_end_without_a_closing_alert_is_a_break(void **state) {
  open_both(&(struct setup){0});
  a.to_send = BYTES("the first half");
  run();
  stream_finish(wire_a); /* somebody between cuts the connection */
  run();
  assert_bytes(buf_bytes(&b.got), "the first half");
  assert_true(b.broken && !b.ended);
  shut();
}

/* The stream below breaks after each number of turns in turn: never a crash, never a loop without
 * end, and neither end believes in data that the other did not send. */
static void broken_anywhere_both_ends_learn_of_it(void **state) {
  for (int when = 0; when < 150; when++) {
    open_both(&(struct setup){.room_bytes = 700, .step_bytes_max = 200});
    a.to_send = b.to_send = bytes_sub(pattern(), 0, 6000);
    a.leaves = b.leaves = true;
    for (int i = 0; i < when; i++) (void)loop_step(loop, 0);
    sim_stream_break(wire_a);
    assert_true(run() < 1000);
    assert_true((a.broken || a.ended) && (b.broken || b.ended));
    assert_true(bytes_starts(pattern(), buf_bytes(&a.got)));
    assert_true(bytes_starts(pattern(), buf_bytes(&b.got)));
    shut();
  }
}

static void quiet_connections_cost_no_turns(void **state) {
  open_both(&(struct setup){0});
  a.to_send = BYTES("hello");
  run();
  int calls = a.calls + b.calls;
  for (int i = 0; i < 1000; i++) (void)loop_step(loop, 0);
  assert_int_equal(a.calls + b.calls, calls);
  assert_true(calls < 20);
  shut();
}

static void the_client_checks_name_authority_and_dates(void **state) {
  static const struct {
    struct setup setup;
    const char *why;
  } cases[] = {
      {{.name = "127.0.0.1"}, NULL},       {{.name = "elsewhere.example"}, "mismatch"},
      {{.name = "127.0.0.2"}, "mismatch"}, {{.ca = "other.pem"}, "unable to get local issuer"},
      {{.cert = "stale"}, "expired"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    open_both(&cases[i].setup);
    a.to_send = BYTES("secret");
    run();
    const char *why = tls_stream_failure(a.stream);
    if (!cases[i].why) {
      assert_null(why);
      assert_bytes(buf_bytes(&b.got), "secret");
    } else {
      assert_non_null(why);
      assert_non_null(strstr(why, cases[i].why));
      assert_int_equal(b.got.len, 0);
    }
    sim_clock_advance_ms(&sim, TLS_REFUSAL_MS_MAX);
    run();
    shut();
  }
}

static void a_client_certificate_is_verified_and_known_by_its_digest(void **state) {
  uint8_t seen[SHA256_BYTES];
  open_both(&(struct setup){.client_ca = "ca.pem", .client_cert = "device"});
  a.to_send = BYTES("vitals");
  run();
  assert_bytes(buf_bytes(&b.got), "vitals");
  assert_true(tls_stream_certificate(b.stream, seen));
  FILE *file = fopen(at("device.pem"), "r");
  char text[4096];
  size_t len = fread(text, 1, sizeof text, file);
  fclose(file);
  struct err err;
  uint8_t expected[SHA256_BYTES];
  assert_ok(tls_certificate_digest(bytes_of(text, len), expected, &err), err);
  assert_memory_equal(seen, expected, sizeof seen);
  shut();
}

static void without_a_client_certificate_there_is_no_digest(void **state) {
  uint8_t seen[SHA256_BYTES];
  open_both(&(struct setup){.client_ca = "ca.pem"});
  a.to_send = BYTES("vitals");
  run();
  assert_bytes(buf_bytes(&b.got), "vitals");
  assert_false(tls_stream_certificate(b.stream, seen));
  assert_false(tls_stream_certificate(wire_b, seen));
  shut();
}

static void wrong_client_certificates_are_refused(void **state) {
  static const char *const names[] = {"stranger", "expired", "early", "server"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    open_both(&(struct setup){.client_ca = "ca.pem", .client_cert = names[i]});
    a.to_send = BYTES("vitals");
    run();
    sim_clock_advance_ms(&sim, TLS_REFUSAL_MS_MAX);
    run();
    assert_non_null(tls_stream_failure(b.stream));
    assert_int_equal(b.got.len, 0);
    assert_true(b.ended);
    assert_true(a.broken); /* and knows why */
    assert_non_null(tls_stream_failure(a.stream));
    shut();
  }
}

/* A server and what a client of no kindness sends it. */
static void open_raw(const struct setup *setup) {
  open_server(setup);
  open_wire(setup);
  struct stream *below = wire_b;
  start(&b, tls_stream_accept(server, &below));
  start(&a, wire_a);
  stream_want(b.stream, LOOP_READ);
  stream_want(a.stream, LOOP_READ | LOOP_WRITE);
}

static void plain_http_is_told_what_to_do(void **state) {
  open_raw(&(struct setup){0});
  a.to_send = BYTES("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n");
  run();
  assert_true(bytes_starts(buf_bytes(&a.got), BYTES("HTTP/1.1 400 Bad Request\r\n")));
  assert_true(bytes_find_bytes(buf_bytes(&a.got), BYTES("use https://")) < a.got.len);
  assert_true(a.ended);
  stream_finish(a.stream);
  run();
  assert_true(b.ended && b.got.len == 0);
  shut();
}

static void a_slow_handshake_ends(void **state) {
  open_raw(&(struct setup){0});
  a.to_send = bytes_of("\x16\x03\x01\x02", 4); /* a record begins, and that is all */
  run();
  sim_clock_advance_ms(&sim, TLS_HANDSHAKE_MS_MAX - 1);
  run();
  assert_false(b.ended);
  sim_clock_advance_ms(&sim, 1);
  run();
  assert_true(b.ended && b.got.len == 0);
  assert_string_equal(tls_stream_failure(b.stream), "the handshake took too long");
  shut();
}

/* A whole handshake that came in, cut at each byte, is refused without a byte of data. */
static void malformed_and_cut_records_are_refused(void **state) {
  static const char hostile[][12] = {
      "\x16\x03\x01\x00\x00",         /* empty */
      "\x16\x03\x01\xff\xff\x01",     /* longer than a record may be */
      "\x17\x03\x03\x00\x01\x00",     /* data before the handshake */
      "\x15\x03\x03\x00\x02\x02\x28", /* an alert first */
      "\x80\x2e\x01\x00\x02\x00\x15", /* SSLv2's greeting */
      "\x16\x03\x00\x00\x01\x01",     /* cut within a message */
      "\x00\x00\x00\x00\x00\x00",
  };
  for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    open_raw(&(struct setup){.step_bytes_max = 1 + i % 3});
    a.to_send = bytes_of(hostile[i], sizeof hostile[i]);
    a.finish = true;
    assert_true(run() < 2000);
    sim_clock_advance_ms(&sim, TLS_HANDSHAKE_MS_MAX);
    run();
    assert_true(b.ended || b.broken);
    assert_int_equal(b.got.len, 0);
    shut();
  }
}

static void new_files_serve_new_connections_and_bad_ones_change_nothing(void **state) {
  struct err err;
  open_both(&(struct setup){.cert = "server"});
  a.to_send = BYTES("before");
  run();
  save("server.pem", BYTES("not a certificate"));
  assert_fails(tls_server_reload(server, &err), err, ERR_INVALID);
  assert_int_equal(rename(at("second.pem"), at("server.pem")), 0);
  assert_fails(tls_server_reload(server, &err), err, ERR_INVALID); /* the key is not there yet */
  assert_int_equal(rename(at("second.key"), at("server.key")), 0);
  sim_clock_advance_ms(&sim, TLS_LOOK_MS); /* seen without being told */
  run();
  struct bytes more = BYTES(" and after");
  size_t len;
  assert_int_equal(stream_write(a.stream, &more, 1, &len), STREAM_OK);
  run();
  assert_bytes(buf_bytes(&b.got), "before and after");
  shut();
  open_both(&(struct setup){.cert = "server", .name = "127.0.0.1"}); /* the second has no address */
  run();
  assert_non_null(tls_stream_failure(a.stream));
  shut();
}

static void files_that_will_not_do_are_named(void **state) {
  struct err err;
  sim_clock_init(&sim, 0);
  loop = loop_new_simulated(&sim.port);
  struct tls_files files = {at("nowhere.pem"), at("server.key"), NULL};
  assert_fails(tls_server_open(loop, &files, &server, &err), err, ERR_NOT_FOUND);
  files = (struct tls_files){at("ca.pem"), at("device.key"), NULL};
  assert_fails(tls_server_open(loop, &files, &server, &err), err, ERR_INVALID);
  files = (struct tls_files){at("device.pem"), at("device.key"), at("device.key")};
  assert_fails(tls_server_open(loop, &files, &server, &err), err, ERR_INVALID);
  assert_int_equal(chmod(at("device.key"), 0644), 0);
  files = (struct tls_files){at("device.pem"), at("device.key"), NULL};
  assert_fails(tls_server_open(loop, &files, &server, &err), err, ERR_DENIED);
  assert_non_null(strstr(err.detail, "device.key"));
  assert_int_equal(chmod(at("device.key"), 0600), 0);
  uint8_t sha[SHA256_BYTES];
  assert_fails(tls_certificate_digest(BYTES("-----BEGIN"), sha, &err), err, ERR_INVALID);
  loop_free(&loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_goes_in_comes_out_both_ways),
      cmocka_unit_test(split_delayed_and_nearly_full_streams_lose_nothing),
      cmocka_unit_test(half_closed_the_other_way_goes_on),
      cmocka_unit_test(an_end_without_a_closing_alert_is_a_break),
      cmocka_unit_test(broken_anywhere_both_ends_learn_of_it),
      cmocka_unit_test(quiet_connections_cost_no_turns),
      cmocka_unit_test(the_client_checks_name_authority_and_dates),
      cmocka_unit_test(a_client_certificate_is_verified_and_known_by_its_digest),
      cmocka_unit_test(without_a_client_certificate_there_is_no_digest),
      cmocka_unit_test(wrong_client_certificates_are_refused),
      cmocka_unit_test(plain_http_is_told_what_to_do),
      cmocka_unit_test(a_slow_handshake_ends),
      cmocka_unit_test(malformed_and_cut_records_are_refused),
      cmocka_unit_test(files_that_will_not_do_are_named),
      cmocka_unit_test(new_files_serve_new_connections_and_bad_ones_change_nothing),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}

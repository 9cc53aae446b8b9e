/* The real egress process against servers on this machine: what it refuses, cuts and gives up. */
#include "tests/unit/test.h"

#include "base/digest.h"
#include "effect/egress_client.h"
#include "effect/outbox.h"
#include "effect/stage.h"
#include "store/open.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_ROUNDS = 2000, WAIT_MS = 10 };

static const char *source_root(void) {
  const char *root = getenv("MEDULLA_SOURCE");
  return root ? root : "..";
}

/* A server of ours: its first line says where it listens. */
struct server {
  pid_t pid;
  int in, out;
  char line[256];
};

static bool server_start(struct server *server, char *const argv[]) {
  int in[2], out[2];
  extern char **environ;
  posix_spawn_file_actions_t actions;
  assert_int_equal(pipe(in) | pipe(out), 0);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_addclose(&actions, in[1]);
  posix_spawn_file_actions_addclose(&actions, out[0]);
  assert_int_equal(posix_spawn(&server->pid, argv[0], &actions, NULL, argv, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]), close(out[1]);
  server->in = in[1], server->out = out[0];
  ssize_t got = read(server->out, server->line, sizeof server->line - 1);
  server->line[got > 0 ? got : 0] = 0;
  return got > 0;
}

static void server_stop(struct server *server) {
  close(server->in), close(server->out);
  kill(server->pid, SIGTERM);
  waitpid(server->pid, NULL, 0);
}

static int port_of(const struct server *server, const char *name) {
  const char *at = strstr(server->line, name);
  return at ? atoi(at + strlen(name) + 2) : 0; /* behind ": */
}

struct world {
  struct loop *loop;
  struct egress_port *egress;
  struct server server;
  char origin[64];
  /* the answer */
  bool done;
  enum err_code code;
  int status;
  size_t body_bytes;
  char body[4096], redirect[256], detail[ERR_DETAIL_BYTES];
};

static char program[512];

static int open_world(void **state) {
  static struct world world;
  struct err err;
  char script[512];
  char *argv[] = {"/usr/bin/python3", script, NULL};
  snprintf(script, sizeof script, "%s/tests/unit/egress/server.py", source_root());
  world = (struct world){0};
  assert_true(server_start(&world.server, argv));
  snprintf(world.origin, sizeof world.origin, "http://127.0.0.1:%d",
           port_of(&world.server, "\"http"));
  assert_ok(loop_new(clock_real(), &world.loop, &err), err);
  assert_ok(egress_open(world.loop, program, &world.egress, &err), err);
  *state = &world;
  return 0;
}

static int close_world(void **state) {
  struct world *world = *state;
  egress_close(&world->egress);
  loop_free(&world->loop);
  server_stop(&world->server);
  return 0;
}

static void on_done(void *arg, const struct egress_answer *answer) {
  struct world *world = arg;
  world->done = true;
  world->code = answer->err.code;
  world->status = answer->status;
  world->body_bytes = answer->body.len;
  bytes_text(answer->body, world->body, sizeof world->body);
  bytes_text(answer->redirect, world->redirect, sizeof world->redirect);
  bytes_text(bytes_str(answer->err.detail), world->detail, sizeof world->detail);
}

static void wait_done(struct world *world) {
  for (int i = 0; i < WAIT_ROUNDS && !world->done; i++) loop_step(world->loop, WAIT_MS);
  assert_true(world->done);
}

static void ask(struct world *world, const char *url, struct egress_request request) {
  request.url = bytes_str(url);
  if (!request.method.len) request.method = BYTES("GET");
  if (!request.timeout_ms) request.timeout_ms = 5000;
  world->done = false;
  world->egress->ops->request(world->egress->self, &request, on_done, world);
  assert_false(world->done); /* never from within */
  wait_done(world);
}

static const char *at(const struct world *world, const char *path) {
  static char url[256];
  snprintf(url, sizeof url, "%s%s", world->origin, path);
  return url;
}

static void test_answers(void **state) {
  struct world *world = *state;
  ask(world, at(world, "/a?b=1"),
      (struct egress_request){.allow_private = true,
                              .method = BYTES("POST"),
                              .headers = BYTES("X-One: 1\r\nX-Empty:\r\n"),
                              .body = BYTES("hello")});
  assert_int_equal(world->code, ERR_OK);
  assert_int_equal(world->status, 200);
  assert_non_null(strstr(world->body, "\"path\": \"/a?b=1\""));
  assert_non_null(strstr(world->body, "\"body\": \"hello\""));
  assert_non_null(strstr(world->body, "\"X-One\": \"1\""));
  assert_non_null(strstr(world->body, "\"X-Empty\": \"\""));
  assert_null(strstr(world->body, "Expect"));
  assert_null(strstr(world->body, "Content-Type"));
}

static void test_private_refused(void **state) {
  struct world *world = *state;
  ask(world, at(world, "/a"), (struct egress_request){0});
  assert_int_equal(world->code, ERR_DENIED);
  /* A connection that was opened with permission is not used without. */
  ask(world, at(world, "/a"), (struct egress_request){.allow_private = true});
  assert_int_equal(world->code, ERR_OK);
  ask(world, at(world, "/a"), (struct egress_request){0});
  assert_int_equal(world->code, ERR_DENIED);
}

static void test_name_of_loopback_refused(void **state) {
  struct world *world = *state;
  char url[64];
  snprintf(url, sizeof url, "http://localhost:%d/", port_of(&world->server, "\"http"));
  ask(world, url, (struct egress_request){0});
  assert_int_equal(world->code, ERR_DENIED);
  ask(world, "http://169.254.169.254/latest", (struct egress_request){.allow_private = true});
  assert_int_equal(world->code, ERR_DENIED);
  ask(world, "http://[::ffff:127.0.0.1]:80/", (struct egress_request){0});
  assert_int_equal(world->code, ERR_DENIED);
}

static void test_redirect_is_not_followed(void **state) {
  struct world *world = *state;
  ask(world, at(world, "/redirect"), (struct egress_request){.allow_private = true});
  assert_int_equal(world->status, 302);
  assert_string_equal(world->redirect, "http://127.0.0.1:9/secret");
  ask(world, world->redirect, (struct egress_request){0}); /* the next hop, judged anew */
  assert_int_equal(world->code, ERR_DENIED);
}

static void test_huge_is_cut(void **state) {
  struct world *world = *state;
  ask(world, at(world, "/huge"), (struct egress_request){.allow_private = true});
  assert_int_equal(world->code, ERR_LIMIT);
  ask(world, at(world, "/heads"), (struct egress_request){.allow_private = true});
  assert_int_equal(world->code, ERR_LIMIT);
}

static void test_slow_times_out(void **state) {
  struct world *world = *state;
  ask(world, at(world, "/slow"), (struct egress_request){.allow_private = true, .timeout_ms = 200});
  assert_int_equal(world->code, ERR_TIMEOUT);
}

static void test_closed_and_unreachable(void **state) {
  struct world *world = *state;
  ask(world, at(world, "/close"), (struct egress_request){.allow_private = true});
  assert_int_equal(world->code, ERR_CLOSED);
  ask(world, "http://127.0.0.1:1/", (struct egress_request){.allow_private = true});
  assert_int_equal(world->code, ERR_UNREACHABLE);
}

static void test_malformed(void **state) {
  struct world *world = *state;
  ask(world, "ftp://127.0.0.1/", (struct egress_request){.allow_private = true});
  assert_int_not_equal(world->code, ERR_OK);
  ask(world, "smtp://127.0.0.1/", (struct egress_request){.allow_private = true});
  assert_int_equal(world->code, ERR_INVALID);
  ask(world, at(world, "/"),
      (struct egress_request){.allow_private = true, .headers = BYTES("A b: c\r\n")});
  assert_int_equal(world->code, ERR_INVALID);
  ask(world, at(world, "/"),
      (struct egress_request){.allow_private = true, .method = BYTES("G T")});
  assert_int_equal(world->code, ERR_INVALID);
}

static void test_process_ends(void **state) {
  struct world *world = *state;
  struct egress_request request = {.url = bytes_str(at(world, "/slow")),
                                   .method = BYTES("GET"),
                                   .timeout_ms = 5000,
                                   .allow_private = true};
  world->done = false;
  world->egress->ops->request(world->egress->self, &request, on_done, world);
  assert_int_equal(kill(egress_load(world->egress).pid, SIGKILL), 0);
  wait_done(world);
  assert_int_equal(world->code, ERR_CLOSED);
  for (int i = 0; i < WAIT_ROUNDS && !egress_load(world->egress).pid; i++)
    loop_step(world->loop, WAIT_MS);
  assert_int_equal(egress_load(world->egress).restarts, 1);
  ask(world, at(world, "/a"), (struct egress_request){.allow_private = true});
  assert_int_equal(world->status, 200);
}

/* ---- Mail and webhook, against the ward's receivers ---- */

static void stage_one(struct stage *stage, const char *contact, const char *spec, uint8_t number) {
  uint8_t key[OUTBOX_KEY_BYTES];
  struct buf value;
  struct outbox_row row = {.app = BYTES("ward"),
                           .function = BYTES("ward/news2"),
                           .contact = bytes_str(contact),
                           .spec = bytes_str(spec),
                           .payload = BYTES("{\"subject\":\"B\xc3\xa9\",\"text\":\"NEWS2 7\\n.\"}"),
                           .key = {{number}},
                           .created_ms = clock_wall_ms(clock_real())};
  outbox_key(row.key, number, key);
  buf_init(&value, 4096);
  outbox_row_encode(&value, &row);
  stage_put(stage, TABLE_outbox, bytes_of(key, sizeof key), buf_bytes(&value));
  stage->outbox_count++;
  buf_fini(&value);
}

static void put_done(void *arg, const struct store_result *result) {
  assert_int_equal(result->err.code, ERR_OK);
  *(bool *)arg = true;
}

static void read_journal(const char *path, char *text, size_t text_bytes) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  text[fread(text, 1, text_bytes - 1, file)] = 0;
  fclose(file);
}

static void send_both(struct world *world, const struct server *receivers) {
  struct store_options store_options = {.loop = world->loop,
                                        .clock = clock_real(),
                                        .random = random_real(),
                                        .inline_execution = true};
  struct store *store;
  struct outbox *outbox;
  struct stage stage;
  struct arena arena;
  struct err err;
  char smtp[256], webhook[256];
  bool done = false;
  assert_ok(store_open_memory(&store_options, &store, &err), err);
  const struct outbox_options options = {.loop = world->loop,
                                         .store = store,
                                         .clock = clock_real(),
                                         .random = random_real(),
                                         .egress = world->egress};
  assert_ok(outbox_open(&options, &outbox, &err), err);
  arena_init(&arena, 1 << 20);
  stage_init(&stage, &arena);
  snprintf(smtp, sizeof smtp,
           "{\"smtp\":\"smtp://127.0.0.1:%d\",\"from\":\"Ward 4B <ward@example.org>\","
           "\"to\":[\"nurse@example.org\",\"two@example.org\"]}",
           port_of(receivers, "\"smtp"));
  snprintf(webhook, sizeof webhook,
           "{\"webhook\":\"http://127.0.0.1:%d/page\",\"secret\":\"key\",\"private\":true}",
           port_of(receivers, "\"http"));
  stage_one(&stage, "on-call", smtp, 1);
  stage_one(&stage, "board", webhook, 2);
  struct store_commit *commit = commit_new();
  commit_put(commit, TABLE_secret, BYTES("ward\0key"), BYTES("topsecret"));
  stage_commit(&stage, commit, random_real());
  store_submit(store, &commit, put_done, &done);
  while (!done) loop_step(world->loop, WAIT_MS);
  outbox_port(outbox)->ops->outbox(outbox, &stage);
  for (int i = 0; i < WAIT_ROUNDS && outbox_load(outbox).owed; i++) loop_step(world->loop, WAIT_MS);
  assert_int_equal(outbox_load(outbox).sent, 2);
  outbox_close(&outbox);
  store_close(&store);
  arena_fini(&arena);
}

static void test_ward_receivers(void **state) {
  struct world *world = *state;
  struct server receivers;
  char script[512], journal[] = "/tmp/medulla-egress-XXXXXX", text[8192];
  char *argv[] = {"/usr/bin/python3", script,      "--smtp-port", "0",     "--http-port", "0",
                  "--secret",         "topsecret", "--out",       journal, NULL};
  snprintf(script, sizeof script, "%s/tools/ward-receivers", source_root());
  int fd = mkstemp(journal);
  assert_true(fd >= 0);
  close(fd);
  bool up = server_start(&receivers, argv);
  if (up) {
    send_both(world, &receivers);
    read_journal(journal, text, sizeof text);
  }
  server_stop(&receivers);
  unlink(journal);
  if (!up) {
    print_message("1 case skipped: python3-aiosmtpd is not installed\n");
    skip();
  }
  assert_non_null(strstr(text, "\"verified\": true"));
  assert_non_null(strstr(text, "\"to\": [\"nurse@example.org\", \"two@example.org\"]"));
  assert_non_null(strstr(text, "\"subject\": \"B\\u00e9\""));
  assert_non_null(strstr(text, "NEWS2 7\\r\\n.\\r\\n"));
}

int main(void) {
  const char *build = getenv("MEDULLA_BUILD");
  snprintf(program, sizeof program, "%s/src/egress/medulla-egress", build ? build : "build");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_answers),
      cmocka_unit_test(test_private_refused),
      cmocka_unit_test(test_name_of_loopback_refused),
      cmocka_unit_test(test_redirect_is_not_followed),
      cmocka_unit_test(test_huge_is_cut),
      cmocka_unit_test(test_slow_times_out),
      cmocka_unit_test(test_closed_and_unreachable),
      cmocka_unit_test(test_malformed),
      cmocka_unit_test(test_process_ends),
      cmocka_unit_test(test_ward_receivers),
  };
  return cmocka_run_group_tests(tests, open_world, close_world);
}

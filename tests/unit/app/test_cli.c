/* The command line against a scripted server: what it sends, prints and exits with. */
#include "tests/unit/test.h"

#include "app/cli/cli.h"
#include "app/cli/templates.h"
#include "app/cli/test.h"
#include "model/manifest.h"
#include "tests/unit/app/scripted.h"

#include <sys/stat.h>
#include <unistd.h>

/* One command: its exit code and what it wrote. */
static struct {
  char *out, *errors;
  size_t out_bytes, errors_bytes;
} said;

static void forget(void) {
  free(said.out);
  free(said.errors);
  memset(&said, 0, sizeof said);
}

static int command_with(const char *input, const char *const *words) {
  char *argv[32] = {(char *)(uintptr_t) "medulla"};
  int argc = 1;
  for (; words[argc - 1]; argc++) argv[argc] = (char *)(uintptr_t)words[argc - 1];
  forget();
  FILE *in = fmemopen((char *)(uintptr_t)(*input ? input : "\n"), *input ? strlen(input) : 1, "r");
  FILE *out = open_memstream(&said.out, &said.out_bytes);
  FILE *errors = open_memstream(&said.errors, &said.errors_bytes);
  int code = cli_main(NULL, argc, argv, out, errors, in);
  fclose(in);
  fclose(out);
  fclose(errors);
  return code;
}

#define COMMAND(...) command_with("", (const char *const[]){__VA_ARGS__, NULL})
#define COMMAND_WITH(input, ...) command_with(input, (const char *const[]){__VA_ARGS__, NULL})

#define assert_says(text, part) \
  do { \
    if (!strstr(text, part)) fail_msg("\"%s\" is not in: %s", part, text); \
  } while (0)

static int clean_environment(void **state) {
  unsetenv("MEDULLA_URL");
  unsetenv("MEDULLA_TOKEN");
  unsetenv("MEDULLA_DATA");
  return 0;
}

static int tidy_up(void **state) {
  forget();
  return 0;
}

/* ---- Words ---- */

static void help_comes_from_the_table(void **state) {
  assert_int_equal(COMMAND("help"), CLI_OK);
  for (size_t i = 0; i < cli_verb_count; i++) assert_says(said.out, cli_verbs[i].name);
  assert_int_equal(COMMAND("deploy", "--help"), CLI_OK);
  assert_says(said.out, "--canary PERCENT");
  assert_int_equal(COMMAND("help", "token"), CLI_OK);
  assert_says(said.out, "token revoke NAME");
  assert_int_equal(command_with("", (const char *const[]){NULL}), CLI_USAGE);
}

static void wrong_words_name_the_right_ones(void **state) {
  assert_int_equal(COMMAND("deplyo"), CLI_USAGE);
  assert_says(said.errors, "did you mean deploy?");
  assert_int_equal(COMMAND("token", "craete", "x"), CLI_USAGE);
  assert_says(said.errors, "did you mean token create?");
  assert_int_equal(COMMAND("token"), CLI_USAGE);
  assert_int_equal(COMMAND("runs", "--functoin", "f"), CLI_USAGE);
  assert_says(said.errors, "did you mean --function?");
  assert_int_equal(COMMAND("runs", "--limit", "x"), CLI_USAGE);
  assert_int_equal(COMMAND("runs", "--limit"), CLI_USAGE);
  assert_int_equal(COMMAND("runs", "more"), CLI_USAGE);
  assert_int_equal(COMMAND("invoke"), CLI_USAGE);
  assert_int_equal(COMMAND("runs", "--json=yes"), CLI_USAGE);
  assert_int_equal(COMMAND("invoke", "f", "--data", "{"), CLI_USAGE);
  assert_int_equal(COMMAND("deploy", "--canary", "100%"), CLI_USAGE);
  assert_int_equal(COMMAND("token", "create", "x", "--role", "king"), CLI_USAGE);
  assert_int_equal(COMMAND("token", "create", "x", "--role", "read", "--expires", "9y"), CLI_USAGE);
  assert_int_equal(COMMAND("dead", "redrive"), CLI_USAGE);
  assert_int_equal(COMMAND("serve"), CLI_USAGE);
  assert_int_equal(COMMAND("zzzzz", "--json"), CLI_USAGE);
  assert_says(said.errors, "{\"error\":{\"code\":\"usage\"");
}

static void nobody_there_is_four(void **state) {
  assert_int_equal(COMMAND("doctor", "--url", "http://127.0.0.1:1"), CLI_UNREACHABLE);
  assert_says(said.errors, "nobody listens there");
  assert_says(said.errors, "medulla serve --data DIR");
  assert_int_equal(COMMAND("--url", "http://127.0.0.1:1", "doctor"), CLI_UNREACHABLE);
  assert_int_equal(COMMAND("--ulr=http://127.0.0.1:1", "doctor"), CLI_USAGE);
  assert_says(said.errors, "did you mean --url?");
  assert_int_equal(COMMAND("--json"), CLI_USAGE);
  assert_int_equal(COMMAND("doctor", "--url", "ftp://x"), CLI_FAILED);
  assert_int_equal(COMMAND("doctor", "--url", "https://127.0.0.1:1"), CLI_UNREACHABLE);
}

/* ---- Invoke ---- */

static void invoke_prints_the_result_alone(void **state) {
  static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{\"score\":7}",
                                        NULL};
  struct scripted server;
  scripted_start(&server, answers);
  assert_int_equal(COMMAND("invoke", "ward/news2", "--data", "{\"a\":1}", "--token", "t0k", "--url",
                           server.url, "--qualifier", "3"),
                   CLI_OK);
  assert_string_equal(said.out, "{\"score\":7}\n");
  assert_string_equal(said.errors, "");
  assert_says(server.asks[0],
              "POST /2015-03-31/functions/ward%2Fnews2/invocations?Qualifier=3 HTTP/1.1\r\n");
  assert_says(server.asks[0], "Authorization: Bearer t0k\r\n");
  assert_says(server.asks[0], "\r\n\r\n{\"a\":1}");
  scripted_stop(&server);
}

static void what_fails_has_its_exit_code(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 200 OK\r\nX-Amz-Function-Error: Unhandled\r\nContent-Length: #\r\n\r\n"
      "{\"errorType\":\"TypeError\",\"errorMessage\":\"no\\u001b[2J\",\"stackTrace\":[\"at "
      "news2.js:"
      "4:2\"]}",
      "HTTP/1.1 404 Not Found\r\nContent-Length: #\r\n\r\n"
      "{\"error\":{\"code\":\"not_found\",\"message\":\"there is no function\"}}",
      "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
      "HTTP/1.1 202 Accepted\r\nx-amzn-RequestId: 42\r\nContent-Length: 0\r\n\r\n",
      NULL};
  struct scripted server;
  scripted_start(&server, answers);
  setenv("MEDULLA_URL", server.url, 1);
  assert_int_equal(COMMAND("invoke", "f"), CLI_FAILED);
  assert_string_equal(said.out, "");
  assert_says(said.errors, "TypeError: no.[2J\n  at news2.js:4:2\n");
  assert_int_equal(COMMAND("invoke", "f"), CLI_FAILED);
  assert_says(said.errors, "there is no function");
  assert_int_equal(COMMAND("invoke", "f"), CLI_REFUSED);
  assert_says(said.errors, "--token");
  assert_int_equal(COMMAND("invoke", "f"), CLI_REFUSED);
  assert_int_equal(COMMAND("invoke", "f"), CLI_UNREACHABLE);
  assert_string_equal(said.out, "");
  assert_int_equal(COMMAND("invoke", "f"), CLI_FAILED);
  assert_int_equal(COMMAND("invoke", "f", "--async", "--json"), CLI_OK);
  assert_string_equal(said.out, "{\"accepted\":true,\"id\":\"42\"}\n");
  assert_says(server.asks[6], "X-Amz-Invocation-Type: Event\r\n");
  scripted_stop(&server);
}

static void the_token_is_found_in_the_data_folder(void **state) {
  static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{}", NULL};
  struct scripted server;
  char folder[] = "/tmp/medulla-test-XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/admin.token", folder);
  FILE *file = fopen(path, "w");
  fputs("from-file\n", file);
  fclose(file);
  scripted_start(&server, answers);
  COMMAND("apps", "--url", server.url, "--data", folder);
  assert_says(server.asks[0], "Bearer from-file\r\n");
  scripted_stop(&server);
  remove(path);
  assert_int_equal(COMMAND("apps", "--url", server.url, "--data", folder), CLI_FAILED);
  assert_says(said.errors, "admin.token");
  assert_int_equal(COMMAND("apps", "--url", server.url, "--token", "two lines\n"), CLI_FAILED);
  assert_says(said.errors, "the token has a space or a line end in it");
  remove(folder);
}

/* ---- Emit ---- */

static void events_go_in_batches(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 202 Accepted\r\nContent-Length: #\r\n\r\n"
      "{\"accepted\":2,\"duplicates\":0,\"deliveries\":2}",
      "HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 202 Accepted\r\nContent-Length: #\r\n\r\n"
      "{\"accepted\":0,\"duplicates\":1,\"deliveries\":0}",
      NULL};
  struct scripted server;
  scripted_start(&server, answers);
  assert_int_equal(COMMAND_WITH("{\"id\":\"1\"}\n{\"id\":\"2\"}\r\n{\"id\":\"3\"}", "emit", "-",
                                "--batch", "2", "--url", server.url, "--json"),
                   CLI_OK);
  assert_string_equal(said.out, "{\"accepted\":2,\"duplicates\":1,\"deliveries\":2}\n");
  assert_says(server.asks[0], "POST /events HTTP/1.1\r\n");
  assert_says(server.asks[0], "application/cloudevents-batch+json");
  assert_says(server.asks[0], "\r\n\r\n[{\"id\":\"1\"},{\"id\":\"2\"}]");
  assert_says(server.asks[2], "\r\n\r\n[{\"id\":\"3\"}]");
  scripted_stop(&server);
}

static void an_array_and_a_single_event_are_taken(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 202 Accepted\r\nContent-Length: #\r\n\r\n{\"accepted\":2}",
      "HTTP/1.1 202 Accepted\r\nContent-Length: #\r\n\r\n{\"accepted\":1}", NULL};
  struct scripted server;
  scripted_start(&server, answers);
  setenv("MEDULLA_URL", server.url, 1);
  assert_int_equal(COMMAND_WITH("[{\"id\":\"1\"},\n {\"id\":\"2\"}]\n", "emit", "-"), CLI_OK);
  assert_says(server.asks[0], "[{\"id\":\"1\"},{\"id\":\"2\"}]");
  assert_string_equal(said.out, "2 accepted, 0 seen before, 0 deliveries\n");
  assert_int_equal(COMMAND_WITH("{\n \"id\": \"1\"\n}\n", "emit", "-"), CLI_OK);
  assert_says(server.asks[1], "[{\n \"id\": \"1\"\n}\n]");
  assert_int_equal(COMMAND_WITH("{\n \"id\": \n", "emit", "-"), CLI_FAILED);
  assert_says(said.errors, "line 3: JSON: the text ends");
  assert_int_equal(COMMAND_WITH("[1]", "emit", "-"), CLI_FAILED);
  assert_says(said.errors, "event 1 is no object");
  assert_int_equal(COMMAND("emit", "/nowhere/at/all"), CLI_FAILED);
  scripted_stop(&server);
}

static void a_refused_event_is_named_by_its_line(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 202 Accepted\r\nContent-Length: #\r\n\r\n{\"accepted\":2}",
      "HTTP/1.1 400 Bad\r\nContent-Length: #\r\n\r\n"
      "{\"error\":{\"code\":\"invalid\",\"message\":\"event 1: source is missing\"}}",
      NULL};
  struct scripted server;
  scripted_start(&server, answers);
  assert_int_equal(COMMAND_WITH("{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}\n{\"a\":4}\n", "emit", "-",
                                "--url", server.url),
                   CLI_FAILED);
  assert_says(said.errors, "line 5: source is missing");
  assert_string_equal(said.out, "2 accepted, 0 seen before, 0 deliveries\n");
  scripted_stop(&server);
}

/* ---- Lists ---- */

static void runs_come_as_a_stream(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "19\r\n{\"id\":\"r1\",\"outcome\":\"suc\r\n1c\r\nceeded\",\"run_us\":1500}\n{\"id\"\r\n"
      "6\r\n:\"r2\"}\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{\"id\":\"r1\"}\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL};
  struct scripted server;
  scripted_start(&server, answers);
  setenv("MEDULLA_URL", server.url, 1);
  assert_int_equal(COMMAND("runs", "--function", "ward/a b", "-f"), CLI_OK);
  assert_says(server.asks[0], "GET /admin/runs?limit=50&function=ward%2Fa%20b&follow=true ");
  assert_says(said.out, "OUTCOME");
  assert_says(said.out, "succeeded");
  assert_says(said.out, "1.5 ms");
  assert_says(said.out, "r2");
  assert_int_equal(COMMAND("runs", "--json", "--limit", "1"), CLI_OK);
  assert_string_equal(said.out, "{\"id\":\"r1\"}\n");
  assert_int_equal(COMMAND("runs"), CLI_OK);
  assert_string_equal(said.out, "no runs yet\n");
  scripted_stop(&server);
}

static void answers_that_say_no(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{\"sound\":false,\"index\":7,\"what\":\"a "
      "hash\"}",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{\"sound\":true,\"records\":3,\"root\":\"ab\"} "
      " ",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n"
      "{\"healthy\":false,\"checks\":[{\"what\":\"landlock\",\"good\":false,\"found\":\"missing\"}]"
      "}",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{\"dead\":[],\"messages\":[{\"message\":\"m1\","
      "\"contact\":\"on-call\",\"state\":\"dead\",\"reason\":\"status 410\"}]}",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{\"count\":2}",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{]}",
      NULL};
  struct scripted server;
  scripted_start(&server, answers);
  setenv("MEDULLA_URL", server.url, 1);
  assert_int_equal(COMMAND("audit", "verify"), CLI_FAILED);
  assert_says(said.out, "NOT SOUND at record 7: a hash");
  assert_int_equal(COMMAND("audit", "verify"), CLI_OK);
  assert_int_equal(COMMAND("doctor"), CLI_FAILED);
  assert_says(said.out, "BAD   landlock");
  assert_int_equal(COMMAND("dead"), CLI_OK);
  assert_says(said.out, "no dead letters\n");
  assert_says(said.out, "on-call");
  assert_says(said.out, "status 410");
  assert_int_equal(COMMAND("dead", "redrive", "a", "b"), CLI_OK);
  assert_says(server.asks[4], "{\"act\":\"redrive\",\"ids\":[\"a\",\"b\"]}");
  assert_string_equal(said.out, "2 will be tried again\n");
  assert_int_equal(COMMAND("usage"), CLI_FAILED);
  scripted_stop(&server);
}

static void one_run_is_a_timeline(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n"
      "{\"id\":\"r1\",\"app\":\"ward\",\"function\":\"news2\",\"version\":3,\"outcome\":\"failed\","
      "\"cold\":1,\"delivery\":\"d1\",\"attempt\":1,\"decision\":\"retry\",\"next_ms\":1000000,"
      "\"admitted_ms\":1000,\"started_ms\":1002,\"settled_ms\":1010,\"wait_us\":150,"
      "\"run_us\":7000,\"steps\":[{\"what\":\"worker\",\"status\":\"ok\",\"at_us\":160},"
      "{\"what\":\"state.get\",\"status\":\"asked\",\"at_us\":200},"
      "{\"what\":\"state.get\",\"status\":\"ok\",\"at_us\":200,\"took_us\":12},"
      "{\"what\":\"settle\",\"status\":\"failed\",\"at_us\":7300}],"
      "\"error\":\"no\",\"log\":\"one\\u0007line\"}",
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", NULL};
  struct scripted server;
  scripted_start(&server, answers);
  setenv("MEDULLA_URL", server.url, 1);
  assert_int_equal(COMMAND("run", "r1"), CLI_OK);
  assert_says(server.asks[0], "GET /admin/runs/r1 ");
  assert_says(said.out, "outcome    failed\n");
  assert_says(said.out, "function   ward/news2\n");
  assert_says(said.out, "decision   retry: attempt 2 not before 1970-01-01T00:16:40");
  assert_says(said.out, "+2.000 ms      7.000 ms  ran\n");
  assert_says(said.out, "+2.040 ms      0.012 ms  state.get  ok\n");
  assert_null(strstr(said.out, "asked"));
  assert_says(said.out, "+9.140 ms                settled  failed\n");
  assert_says(said.out, "started a worker");
  assert_says(said.out, "error\nno\n");
  assert_says(said.out, "log\none.line\n");
  assert_int_equal(COMMAND("run", "r2"), CLI_FAILED);
  assert_says(said.errors, "Not Found");
  scripted_stop(&server);
}

static void the_other_verbs_ask_and_print(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n"
      "{\"function\":\"ward/news2\",\"version\":2,\"was\":3}",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n"
      "{\"token\":\"mt_1\",\"access_key_id\":\"AK\",\"secret_access_key\":\"SK\"}",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n"
      "{\"at_ms\":0,\"level\":\"info\",\"function\":\"f\",\"run\":\"r\",\"line\":\"hi\"}\n",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n"
      "{\"usage\":[{\"day\":\"2026-01-31\",\"function\":\"f\",\"runs\":5,\"cost\":0.5}],"
      "\"total\":{\"runs\":5,\"cost\":0.5,\"currency\":\"CHF\",\"always_on\":36}}",
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n"
      "{\"versions\":[{\"version\":2,\"state\":\"live\",\"deployed_ms\":86400000}]}",
      "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
      NULL};
  struct scripted server;
  scripted_start(&server, answers);
  setenv("MEDULLA_URL", server.url, 1);
  assert_int_equal(COMMAND("rollback", "news2", "--to", "2"), CLI_OK);
  assert_says(server.asks[0], "{\"function\":\"news2\",\"version\":2}");
  assert_string_equal(said.out, "ward/news2: version 2 is live again (was 3)\n");
  assert_int_equal(
      COMMAND("token", "create", "bed-7", "--role", "device", "--app", "ward", "--expires", "90d"),
      CLI_OK);
  assert_says(server.asks[1],
              "{\"name\":\"bed-7\",\"role\":\"device\",\"app\":\"ward\",\"source\":\"bed-7\","
              "\"expires_in_ms\":7776000000}");
  assert_says(said.out, "token              mt_1\n");
  assert_int_equal(COMMAND("logs", "-f", "--function", "f"), CLI_OK);
  assert_says(server.asks[2], "GET /admin/logs?limit=100&function=f&follow=true ");
  assert_string_equal(said.out, "1970-01-01T00:00:00.000Z  info   f  r  hi\n");
  assert_int_equal(COMMAND("usage", "--days", "1"), CLI_OK);
  assert_says(said.out, "5 runs cost 0.500 CHF; a machine that is always on costs 36.00\n");
  assert_int_equal(COMMAND("versions", "news2"), CLI_OK);
  assert_says(said.out, "1970-01-02T00:00:00Z");
  assert_int_equal(COMMAND("token", "revoke", "bed-7"), CLI_OK);
  assert_says(server.asks[5], "DELETE /admin/tokens/bed-7 ");
  scripted_stop(&server);
}

static void secrets_come_from_standard_input(void **state) {
  static const char *const answers[] = {"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
                                        NULL};
  struct scripted server;
  scripted_start(&server, answers);
  assert_int_equal(
      COMMAND_WITH("s3cret\n", "secret", "set", "ward", "pager-token", "--url", server.url),
      CLI_OK);
  assert_says(server.asks[0], "PUT /admin/secrets/ward/pager-token ");
  assert_says(server.asks[0], "\r\n\r\n{\"value\":\"s3cret\"}");
  assert_null(strstr(said.out, "s3cret"));
  assert_int_equal(COMMAND("secret", "set", "ward", "x", "--url", server.url), CLI_USAGE);
  scripted_stop(&server);
}

/* ---- Folders ---- */

static char folder[] = "/tmp/medulla-test-XXXXXX";

static void write_text(const char *name, const char *text) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static int make_folder(void **state) {
  snprintf(folder, sizeof folder, "/tmp/medulla-test-XXXXXX");
  return clean_environment(state) || !mkdtemp(folder);
}

static int remove_folder(void **state) {
  static const char *const names[] = {"medulla.yaml",
                                      "f.js",
                                      "g.ts",
                                      "in.json",
                                      "esbuild",
                                      "hello.js",
                                      "tests/hello.json",
                                      "fever.js",
                                      "tests/fever.json",
                                      "work.js",
                                      "tests/work.json",
                                      "tests"};
  char path[128];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    remove(path);
  }
  return remove(folder) || tidy_up(state);
}

static void every_template_is_a_good_app(void **state) {
  static const char *const templates[] = {"http", "ward", "queue"};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(COMMAND("init", folder, "--template", templates[i], "--name", "my-app"),
                     CLI_OK);
    assert_int_equal(COMMAND("deploy", folder, "--check"), CLI_OK);
    assert_int_equal(COMMAND("init", folder, "--template", templates[i]), CLI_FAILED);
    assert_says(said.errors, "is there already");
    remove_folder(state);
    assert_int_equal(mkdir(folder, 0700), 0);
  }
  assert_int_equal(COMMAND("init", folder, "--template", "wrad"), CLI_USAGE);
  assert_says(said.errors, "did you mean ward");
  assert_int_equal(COMMAND("init", folder, "--name", "Bad Name"), CLI_USAGE);
}

static void a_deploy_sends_manifest_and_files(void **state) {
  static const char *const answers[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n"
      "{\"app\":\"a\",\"versions\":[{\"function\":\"a/f\","
      "\"version\":3,\"changed\":true,\"state\":\"live\"}]}",
      "HTTP/1.1 400 Bad\r\nContent-Length: #\r\n\r\n"
      "{\"error\":{\"code\":\"invalid\",\"message\":\"1 "
      "problem\"},\"problems\":[{\"line\":4,\"column\":"
      "2,\"path\":\"functions.f\",\"message\":\"no such zone\"}]}",
      NULL};
  struct scripted server;
  write_text("medulla.yaml", "app: a\nfunctions:\n  f: {code: f.js, contract: {input: in.json}}\n");
  write_text("f.js", "export function handler() {}\n");
  write_text("in.json", "{}");
  scripted_start(&server, answers);
  setenv("MEDULLA_URL", server.url, 1);
  assert_int_equal(COMMAND("deploy", folder, "--canary", "10%", "--message", "why"), CLI_OK);
  assert_says(said.out, "a/f");
  assert_says(said.out, "version 3");
  assert_says(server.asks[0], "POST /admin/deploy ");
  assert_says(server.asks[0], "\"manifest\":\"app: a\\nfunctions:");
  assert_says(server.asks[0], "\"canary\":\"10%\",\"message\":\"why\"");
  assert_says(
      server.asks[0],
      "\"files\":{\"f.js\":\"ZXhwb3J0IGZ1bmN0aW9uIGhhbmRsZXIoKSB7fQo=\",\"in.json\":\"e30=\"}");
  assert_int_equal(COMMAND("deploy", folder), CLI_FAILED);
  assert_says(said.errors, "medulla.yaml:4:2: functions.f: no such zone");
  scripted_stop(&server);
}

static void a_wrong_app_is_not_sent(void **state) {
  setenv("MEDULLA_URL", "http://127.0.0.1:1", 1);
  assert_int_equal(COMMAND("deploy", folder), CLI_FAILED);
  assert_says(said.errors, "medulla init writes one");
  write_text("medulla.yaml", "app: a\nfunctions:\n  f: {code: f.js, timeout: 2s}\n  g: {}\n");
  assert_int_equal(COMMAND("deploy", folder), CLI_FAILED);
  assert_says(said.errors, "medulla.yaml:3:19: functions.f: unknown key \"timeout\"");
  assert_says(said.errors, "medulla.yaml:4:6: functions.g: \"code\" is missing");
  assert_says(said.errors, "2 problems; nothing was deployed");
  assert_int_equal(COMMAND("deploy", folder, "--json"), CLI_FAILED);
  assert_says(said.errors, "{\"problems\":[{\"line\":3,\"column\":19,");
  write_text("medulla.yaml", "app: a\nfunctions:\n  f: {code: f.js, on: [{hl7: x}]}\n");
  assert_int_equal(COMMAND("deploy", folder), CLI_FAILED);
  assert_says(said.errors, "not yet supported");
  write_text("medulla.yaml", "app: a\nfunctions:\n  f: {code: f.js, contract: {input: i}}\n");
  assert_int_equal(COMMAND("deploy", folder), CLI_FAILED);
  assert_says(said.errors, "medulla.yaml:3:13: code: ");
  assert_says(said.errors, "2 problems");
}

static void typescript_is_bundled_or_says_how(void **state) {
  char path[256];
  write_text("medulla.yaml", "app: a\nfunctions:\n  g: {code: g.ts}\n");
  write_text("g.ts", "export const handler = () => 1;\n");
  char *before = strdup(getenv("PATH"));
  setenv("PATH", "/nowhere", 1);
  int code = COMMAND("deploy", folder, "--check");
  bool missing = strstr(said.errors, "npm install esbuild") != NULL;
  write_text("esbuild", "#!/bin/sh\necho warned >&2\necho \"bundled $1\"\n"
                        "echo '//# sourceMappingURL=data:application/json;base64,e30='\n");
  snprintf(path, sizeof path, "%s/esbuild", folder);
  chmod(path, 0700);
  /* An esbuild beside the program or above it is found first, whether or not it finds node. */
  if (missing) {
    assert_int_equal(code, CLI_FAILED);
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: #\r\n\r\n{}", NULL};
    struct scripted server;
    scripted_start(&server, answers);
    snprintf(path, sizeof path, "%s:/bin:/usr/bin", folder);
    setenv("PATH", path, 1);
    assert_int_equal(COMMAND("deploy", folder, "--url", server.url), CLI_OK);
    assert_says(said.errors, "warned");
    assert_says(server.asks[0], "\"g.ts\":\"YnVuZGxlZCBnLnRzCg==\",\"g.ts.map\":\"e30=\"");
    scripted_stop(&server);
    write_text("esbuild", "#!/bin/sh\necho 'g.ts:1:2: wrong' >&2\nexit 1\n");
    assert_int_equal(COMMAND("deploy", folder, "--check"), CLI_FAILED);
    assert_says(said.errors, "g.ts:1:2: wrong");
  }
  setenv("PATH", before, 1);
  free(before);
}

/* ---- Tests of apps ---- */

static void expectations_are_part_of_the_result(void **state) {
  static const struct {
    const char *wanted, *got, *why; /* NULL: it holds */
  } cases[] = {
      {"{\"a\":1}", "{\"a\":1.0,\"b\":2}", NULL},
      {"{\"a\":{\"b\":[1,{\"c\":2}]}}", "{\"a\":{\"b\":[1,{\"c\":2,\"d\":3}]}}", NULL},
      {"{\"a\":{\"b\":[1,{\"c\":2}]}}", "{\"a\":{\"b\":[1,{\"c\":3}]}}",
       "at /a/b/1/c: wanted 2, got 3"},
      {"{\"a\":1}", "{}", "at /a: wanted 1, got nothing"},
      {"[1]", "[1,2]", "wanted 1 items, got 2"},
      {"\"x\"", "1", "at /: wanted x, got 1"},
      {"null", "null", NULL},
      {"true", "false", "wanted true, got false"},
  };
  struct arena arena;
  arena_init(&arena, 1 << 20);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct json *wanted, *got;
    struct err err;
    char why[TEST_WHY_BYTES] = "";
    assert_ok(json_parse(&arena, bytes_str(cases[i].wanted), &wanted, &err), err);
    assert_ok(json_parse(&arena, bytes_str(cases[i].got), &got, &err), err);
    assert_int_equal(test_holds(wanted, got, why), cases[i].why == NULL);
    if (cases[i].why) assert_says(why, cases[i].why);
  }
  arena_fini(&arena);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, clean_environment, tidy_up)
#define FOLDER_CASE(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(help_comes_from_the_table),
      CASE(wrong_words_name_the_right_ones),
      CASE(nobody_there_is_four),
      CASE(invoke_prints_the_result_alone),
      CASE(what_fails_has_its_exit_code),
      CASE(the_token_is_found_in_the_data_folder),
      CASE(events_go_in_batches),
      CASE(an_array_and_a_single_event_are_taken),
      CASE(a_refused_event_is_named_by_its_line),
      CASE(runs_come_as_a_stream),
      CASE(answers_that_say_no),
      CASE(one_run_is_a_timeline),
      CASE(the_other_verbs_ask_and_print),
      CASE(secrets_come_from_standard_input),
      FOLDER_CASE(every_template_is_a_good_app),
      FOLDER_CASE(a_deploy_sends_manifest_and_files),
      FOLDER_CASE(a_wrong_app_is_not_sent),
      FOLDER_CASE(typescript_is_bundled_or_says_how),
      CASE(expectations_are_part_of_the_result),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

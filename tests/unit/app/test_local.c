/* medulla test and dev with a server of their own: this very program, called with "serve". */
#include "tests/unit/test.h"

#include "app/cli/cli.h"
#include "os/net.h"
#include "tests/unit/app/scripted.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The server's stand-in ---- */

static void note_deploy(const char *ask) {
  FILE *file = fopen(getenv("FAKE_DEPLOYS"), "a");
  if (!file) return;
  fputs(strstr(ask, "Ym90aA==") ? "both\n" : "deploy\n", file);
  fclose(file);
}

static const char *answer_to(const char *ask) {
  if (strstr(ask, "GET /healthz "))
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  if (strstr(ask, "POST /admin/deploy ")) {
    note_deploy(ask);
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: #\r\n\r\n{\"versions\":[]}";
  }
  if (strstr(ask, "GET /admin/runs/r1 "))
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: #\r\n\r\n"
           "{\"steps\":[{\"what\":\"worker\",\"status\":\"ok\"},"
           "{\"what\":\"state.get\",\"status\":\"asked\"},{\"what\":\"state.get\",\"status\":"
           "\"ok\"},"
           "{\"what\":\"state.put\",\"status\":\"asked\"},{\"what\":\"settle\",\"status\":"
           "\"succeeded\"}]}";
  if (strstr(ask, "/functions/app%2Fhello/") && strstr(ask, "Ada"))
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nx-amzn-RequestId: r1\r\nContent-Length: "
           "#\r\n\r\n"
           "{\"hello\":\"Ada\",\"count\":1}";
  if (strstr(ask, "/functions/app%2Fhello/"))
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nx-amzn-RequestId: r2\r\nContent-Length: "
           "#\r\n\r\n"
           "{\"hello\":\"world\",\"count\":3}";
  return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
}

static int serve(struct cli *cli) {
  static char ask[SCRIPTED_ASK_BYTES];
  int listen_fd;
  struct err err;
  if (!net_listen(cli_flag(cli, "listen"), &listen_fd, &err)) return CLI_FAILED;
  fcntl(listen_fd, F_SETFL, 0);
  for (int fd; (fd = accept(listen_fd, NULL, NULL)) >= 0; close(fd))
    if (scripted_read(fd, ask)) scripted_send(fd, answer_to(ask));
  return CLI_OK;
}

/* ---- Tests ---- */

static const struct cli_host host = {.serve = serve};
static char folder[] = "/tmp/medulla-test-XXXXXX";
static char *out;
static size_t out_bytes;

static int command(const char *const *words) {
  char *argv[16] = {(char *)(uintptr_t) "medulla"};
  int argc = 1;
  for (; words[argc - 1]; argc++) argv[argc] = (char *)(uintptr_t)words[argc - 1];
  free(out);
  FILE *file = open_memstream(&out, &out_bytes);
  int code = cli_main(&host, argc, argv, file, file, stdin);
  fclose(file);
  return code;
}
#define COMMAND(...) command((const char *const[]){__VA_ARGS__, NULL})

static int make_app(void **state) {
  snprintf(folder, sizeof folder, "/tmp/medulla-test-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  char path[64];
  snprintf(path, sizeof path, "%s/.deploys", folder);
  setenv("FAKE_DEPLOYS", path, 1);
  return COMMAND("init", folder, "--name", "app");
}

static int remove_app(void **state) {
  static const char *const names[] = {".deploys", "medulla.yaml", "hello.js", "tests/hello.json",
                                      "tests"};
  char path[64];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    remove(path);
  }
  free(out);
  out = NULL;
  return remove(folder);
}

static void tests_say_what_differs(void **state) {
  assert_int_equal(COMMAND("test", folder), CLI_FAILED);
  assert_non_null(strstr(out, "ok 1 - greets whoever is named\n"));
  assert_non_null(strstr(out, "not ok 2 - greets the world otherwise\n"));
  assert_non_null(strstr(out, "at /count: wanted 2, got 3"));
  assert_non_null(strstr(out, "1 passed, 1 failed\n"));
  assert_int_equal(COMMAND("test", folder, "--only", "whoever"), CLI_OK);
  assert_int_equal(COMMAND("test", folder, "--json"), CLI_FAILED);
  assert_non_null(strstr(out, "{\"name\":\"greets whoever is named\",\"passed\":true}\n"));
}

static void nothing_to_test_is_an_error(void **state) {
  char path[64];
  snprintf(path, sizeof path, "%s/tests/hello.json", folder);
  remove(path);
  assert_int_equal(COMMAND("test", folder), CLI_FAILED);
  assert_non_null(strstr(out, "there are no tests"));
}

/* How many lines the stand-in noted, waiting for at least `wanted`. */
static int deploys(int wanted, const char *last) {
  char line[16] = "";
  int count = 0;
  for (int tries = 0; tries < 500 && (count < wanted || strcmp(line, last) != 0); tries++) {
    poll(NULL, 0, 20);
    FILE *file = fopen(getenv("FAKE_DEPLOYS"), "r");
    for (count = 0; file && fgets(line, sizeof line, file); count++) continue;
    if (file) fclose(file);
  }
  return count;
}

static void dev_deploys_each_save(void **state) {
  pid_t pid = fork();
  if (pid == 0) {
    char *argv[] = {(char *)(uintptr_t) "medulla",  (char *)(uintptr_t) "dev",         folder,
                    (char *)(uintptr_t) "--listen", (char *)(uintptr_t) "127.0.0.1:0", NULL};
    FILE *nowhere = fopen("/dev/null", "w");
    _exit(cli_main(&host, 5, argv, nowhere, nowhere, stdin));
  }
  assert_int_equal(deploys(1, "deploy\n"), 1);
  char path[64];
  snprintf(path, sizeof path, "%s/hello.js", folder);
  FILE *file = fopen(path, "w");
  fputs("both", file);
  fclose(file);
  assert_true(deploys(2, "both\n") >= 2);
  int status = 0;
  assert_int_equal(kill(pid, SIGTERM), 0);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), CLI_OK);
}

static void an_address_that_is_not_ours_is_told(void **state) {
  assert_int_equal(COMMAND("dev", folder, "--listen", "203.0.113.1:1"), CLI_UNREACHABLE);
  assert_int_equal(COMMAND("dev", folder, "--listen", "nonsense"), CLI_FAILED);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, make_app, remove_app)

int main(int argc, char **argv) {
  /* A child's words have no place in the test's own output. */
  FILE *nowhere = argc > 1 ? fopen("/dev/null", "w") : NULL;
  if (nowhere) return cli_main(&host, argc, argv, nowhere, nowhere, stdin);
  const struct CMUnitTest tests[] = {
      CASE(tests_say_what_differs),
      CASE(nothing_to_test_is_an_error),
      CASE(dev_deploys_each_save),
      CASE(an_address_that_is_not_ours_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

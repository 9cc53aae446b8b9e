/* app/cli/test.c: an app's own tests: tests/NAME.json holds one case or a list of them. Each is an
 * event for a function, and what is expected of its result, its error and its effects:
 *
 *   {"name": ..., "function": "f", "event": {...},
 *    "result": {...} or "error": "part of the message", "effects": ["state.put", "emit"]}
 *
 * They run in order of file and place, on a server of their own, and see each other's state. */
#include "app/cli/test.h"

#include "app/cli/client.h"
#include "app/cli/folder.h"
#include "app/cli/input.h"
#include "app/cli/local.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <string.h>

enum { PATH_BYTES = 4096, FILE_BYTES_MAX = 16 << 20 };

struct testing {
  struct cli *cli;
  const struct folder *folder;
  struct client client;
  const char *only;
  unsigned passed, failed;
};

/* What a run gave: its result or error, and the run's record for its effects. */
struct observed {
  bool failed;
  const struct json *body, *run;
};

static bool observe(struct testing *t, const struct json *test, struct observed *ret,
                    struct err *err) {
  struct arena *arena = &t->cli->arena;
  cleanup_buf struct buf target;
  struct bytes function = json_get_text(test, "function");
  const struct json *event = json_get(test, "event");
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  buf_str(&target, "/2015-03-31/functions/");
  struct bytes name =
      arena_printf(arena, "%.*s/%.*s", BYTES_FMT(t->folder->manifest->app), BYTES_FMT(function));
  percent_encode(&target, name, "");
  buf_str(&target, "/invocations");
  buf_char(&target, 0);
  const struct client_ask ask = {.method = "POST",
                                 .target = (const char *)target.at,
                                 .type = "application/json",
                                 .body = event ? event->text : BYTES("{}")};
  struct client_answer answer;
  bool good = client_ask(&t->client, &ask, &answer, err) && client_ok(&answer, err);
  struct bytes id = BYTES_NONE, body = BYTES_NONE;
  if (good) {
    ret->failed = http_header_get(&answer.response.head, "X-Amz-Function-Error").len > 0;
    id = arena_copy(arena, http_header_get(&answer.response.head, "x-amzn-RequestId"));
    body = arena_copy(arena, buf_bytes(&answer.body));
  }
  client_answer_fini(&answer);
  if (!good || !json_parse(arena, body.len ? body : BYTES("null"), &ret->body, err)) return false;
  ret->run = NULL;
  if (!id.len || !json_get(test, "effects")) return true;
  char run_target[256];
  snprintf(run_target, sizeof run_target, "/admin/runs/%.*s", BYTES_FMT(id));
  return cli_call(t->cli, "GET", run_target, BYTES_NONE, &ret->run, err);
}

/* From this step on: the next effect the run asked for; NULL when there is none. */
static const struct json *next_effect(const struct json *step) {
  for (; step; step = step->next)
    if (bytes_eq_str(json_get_text(step, "status"), "asked")) return step;
  return NULL;
}

static bool effects_hold(const struct json *wanted, const struct json *run,
                         char ret_why[TEST_WHY_BYTES]) {
  const struct json *steps = json_get(run, "steps");
  const struct json *step = next_effect(steps ? steps->first : NULL);
  unsigned at = 1;
  for (const struct json *want = wanted->first; want; want = want->next, at++) {
    struct bytes what = json_get_text(step, "what");
    if (!bytes_eq(what, json_text(want))) {
      snprintf(ret_why, TEST_WHY_BYTES, "effect %u: wanted %.*s, got %.*s", at,
               BYTES_FMT(json_text(want)), BYTES_FMT(what.len ? what : BYTES("none")));
      return false;
    }
    step = next_effect(step->next);
  }
  if (step)
    snprintf(ret_why, TEST_WHY_BYTES, "effect %u: wanted none, got %.*s", at,
             BYTES_FMT(json_get_text(step, "what")));
  return step == NULL;
}

static bool expectations_hold(const struct json *test, const struct observed *seen,
                              char ret_why[TEST_WHY_BYTES]) {
  const struct json *result = json_get(test, "result"), *effects = json_get(test, "effects");
  struct bytes error = json_get_text(test, "error");
  struct bytes message = json_get_text(seen->body, "errorMessage");
  if (error.len && !seen->failed) {
    snprintf(ret_why, TEST_WHY_BYTES, "it succeeded, and should have failed");
    return false;
  }
  if (error.len && bytes_find_bytes(message, error) == message.len) {
    snprintf(ret_why, TEST_WHY_BYTES, "the error is: %.*s", BYTES_FMT(bytes_sub(message, 0, 300)));
    return false;
  }
  if (!error.len && seen->failed) {
    snprintf(ret_why, TEST_WHY_BYTES, "it failed: %.*s", BYTES_FMT(bytes_sub(message, 0, 300)));
    return false;
  }
  if (result && !test_holds(result, seen->body, ret_why)) return false;
  return !effects || !seen->run || effects_hold(effects, seen->run, ret_why);
}

static void tell(struct testing *t, bool passed, struct bytes name, const char *why) {
  unsigned number = t->passed + t->failed;
  if (t->cli->json) {
    cleanup_buf struct buf buf;
    struct json_out out;
    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    json_out_open(&out, '{');
    json_out_member(&out, "name", name);
    json_out_member_bool(&out, "passed", passed);
    if (!passed) json_out_member_str(&out, "why", why);
    json_out_close(&out, '}');
    fprintf(t->cli->out, "%.*s\n", BYTES_FMT(buf_bytes(&buf)));
    return;
  }
  fprintf(t->cli->out, "%s %u - ", passed ? "ok" : "not ok", number);
  cli_print_safe(t->cli->out, name);
  if (!passed) fputs("\n  # ", t->cli->out);
  if (!passed) cli_print_safe(t->cli->out, bytes_str(why));
  fputc('\n', t->cli->out);
}

static void run_case(struct testing *t, const char *file, const struct json *test) {
  char why[TEST_WHY_BYTES] = "";
  struct observed seen = {0};
  struct err err;
  struct bytes name = json_get_text(test, "name");
  if (!name.len) name = bytes_str(file);
  if (t->only && bytes_find_bytes(name, bytes_str(t->only)) == name.len) return;
  bool passed = observe(t, test, &seen, &err);
  if (!passed)
    snprintf(why, sizeof why, "%s", err.detail);
  else
    passed = expectations_hold(test, &seen, why);
  if (passed)
    t->passed++;
  else
    t->failed++;
  tell(t, passed, name, why);
}

static bool run_file(struct testing *t, const char *file, struct err *err) {
  char path[PATH_BYTES];
  cleanup_buf struct buf text;
  const struct json *tests;
  buf_init(&text, FILE_BYTES_MAX);
  snprintf(path, sizeof path, "%s/tests/%s", t->folder->root, file);
  TRY(input_file(path, &text, err));
  struct err why;
  struct bytes kept = arena_copy(&t->cli->arena, buf_bytes(&text));
  if (!json_parse(&t->cli->arena, kept, &tests, &why))
    FAIL(ERR_MALFORMED, "%s is not JSON: %s at byte %llu", path, why.detail,
         (unsigned long long)why.offset);
  const struct json *test = tests->kind == JSON_ARRAY ? tests->first : tests;
  for (; test; test = test->next) run_case(t, file, test);
  return true;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_test(const struct dirent *entry) {
  return bytes_ends(bytes_str(entry->d_name), BYTES(".json"));
}

static bool run_files(struct testing *t, struct err *err) {
  char path[PATH_BYTES];
  struct dirent **names = NULL;
  snprintf(path, sizeof path, "%s/tests", t->folder->root);
  int count = scandir(path, &names, is_test, by_name);
  bool good = true;
  for (int i = 0; i < count; i++) {
    good = good && run_file(t, names[i]->d_name, err);
    free(names[i]);
  }
  free(names);
  if (count <= 0) FAIL(ERR_NOT_FOUND, "there are no tests: %s has no .json files", path);
  return good;
}

static bool run_all(struct testing *t, struct folder *folder, struct err *err) {
  const struct json *answer;
  TRY(folder_deploy(t->cli, folder, NULL, "test", &answer, err));
  TRY(client_init(t->cli, &t->client, err));
  bool good = run_files(t, err);
  client_fini(&t->client);
  return good;
}

int verb_test(struct cli *cli) {
  struct err err;
  struct folder folder;
  struct local local;
  struct testing testing = {.cli = cli, .folder = &folder, .only = cli_flag(cli, "only")};
  if (!folder_open(cli, cli->arg_count ? cli->args[0] : ".", &folder, &err))
    return cli_fail(cli, &err);
  if (!local_start(cli, "127.0.0.1:0", &local, &err)) return cli_fail(cli, &err);
  bool good = run_all(&testing, &folder, &err);
  local_stop(&local);
  if (!good) return cli_fail(cli, &err);
  if (!cli->json) fprintf(cli->out, "%u passed, %u failed\n", testing.passed, testing.failed);
  return testing.failed ? CLI_FAILED : CLI_OK;
}

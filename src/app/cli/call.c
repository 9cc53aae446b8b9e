/* app/cli/call.c: where the server is, who we are, and the usual requests. */
#include "app/cli/client.h"
#include "base/cleanup.h"
#include "wire/uri.h"

#include <stdlib.h>
#include <string.h>

static const char *first_of(const char *given, const char *variable, const char *fallback) {
  const char *set = getenv(variable);
  if (given && *given) return given;
  return set && *set ? set : fallback;
}

/* A token in a file: DIR/admin.token, or --token @FILE. */
static bool read_token(const char *path, bool needed, struct client *client, struct err *err) {
  FILE *file = fopen(path, "re");
  if (!file && !needed) return true;
  if (!file) FAIL(ERR_NOT_FOUND, "cannot read the token in %s", path);
  char *line = fgets(client->token, sizeof client->token, file);
  fclose(file);
  if (!line) FAIL(ERR_INVALID, "there is no token in %s", path);
  client->token[strcspn(client->token, "\r\n \t")] = '\0';
  return true;
}

static bool find_token(const struct cli *cli, struct client *client, struct err *err) {
  const char *token = first_of(cli->token, "MEDULLA_TOKEN", NULL);
  const char *data = first_of(cli->data, "MEDULLA_DATA", NULL);
  if (token && token[0] == '@') return read_token(token + 1, true, client, err);
  if (token) {
    if (strlen(token) >= sizeof client->token) FAIL(ERR_LIMIT, "the token is too long");
    if (strpbrk(token, "\r\n \t")) FAIL(ERR_INVALID, "the token has a space or a line end in it");
    snprintf(client->token, sizeof client->token, "%s", token);
    return true;
  }
  if (!data) return true;
  char path[1024];
  snprintf(path, sizeof path, "%s/admin.token", data);
  return read_token(path, cli->data != NULL, client, err);
}

/* MEDULLA_CERT may hold the key, too. */
static void find_certificates(const struct cli *cli, struct client *client) {
  snprintf(client->ca, sizeof client->ca, "%s", first_of(cli->ca, "MEDULLA_CA", ""));
  snprintf(client->cert, sizeof client->cert, "%s", first_of(NULL, "MEDULLA_CERT", ""));
  snprintf(client->key, sizeof client->key, "%s", first_of(NULL, "MEDULLA_CERT_KEY", client->cert));
}

bool client_init(struct cli *cli, struct client *ret_client, struct err *err) {
  const char *url = first_of(cli->url, "MEDULLA_URL", CLI_URL_DEFAULT);
  struct client client = {0};
  struct uri uri;
  if (!uri_parse(&cli->arena, bytes_str(url), &uri, err)) return false;
  client.secure = bytes_eq_str(uri.scheme, "https");
  if ((!client.secure && !bytes_eq_str(uri.scheme, "http")) || uri.query.at)
    FAIL(ERR_USAGE, "%s is no address of a server; write http://host:port", url);
  struct bytes base = uri.path;
  while (base.len && base.at[base.len - 1] == '/') base.len--;
  if (base.len >= sizeof client.base || uri.host.len >= sizeof client.name)
    FAIL(ERR_LIMIT, "the server's address is too long");
  bytes_text(base, client.base, sizeof client.base);
  bytes_text(uri.host, client.name, sizeof client.name);
  bytes_text(uri.authority, client.host, sizeof client.host);
  snprintf(client.port, sizeof client.port, "%u", uri.port);
  TRY(find_token(cli, &client, err));
  find_certificates(cli, &client);
  buf_init(&client.in, CLIENT_ANSWER_BYTES_MAX);
  *ret_client = client;
  return true;
}

/* A refused deploy says all that is wrong, each at its place. */
static void print_problems(struct cli *cli, const struct client_answer *answer) {
  cleanup_arena struct arena arena;
  const struct json *body;
  struct err err;
  arena_init(&arena, CLIENT_LINE_BYTES_MAX);
  if (answer->status < 400 || !json_parse(&arena, buf_bytes(&answer->body), &body, &err)) return;
  const struct json *problems = json_get(body, "problems");
  if (!problems || problems->kind != JSON_ARRAY) return;
  if (cli->json) fprintf(cli->errors, "{\"problems\":%.*s}\n", BYTES_FMT(problems->text));
  const struct json *problem = cli->json ? NULL : problems->first;
  for (; problem; problem = problem->next) {
    struct bytes path = json_get_text(problem, "path");
    fprintf(cli->errors, "medulla.yaml:%.*s:%.*s: ", BYTES_FMT(json_get_text(problem, "line")),
            BYTES_FMT(json_get_text(problem, "column")));
    cli_print_safe(cli->errors, path);
    fputs(path.len ? ": " : "", cli->errors);
    cli_print_safe(cli->errors, json_get_text(problem, "message"));
    fputc('\n', cli->errors);
  }
}

static bool ask_once(struct cli *cli, const struct client_ask *ask, struct client_answer *answer,
                     struct err *err) {
  struct client client;
  TRY(client_init(cli, &client, err));
  bool asked = client_ask(&client, ask, answer, err);
  bool good = asked && client_ok(answer, err);
  if (asked && !good) print_problems(cli, answer);
  client_fini(&client);
  return good;
}

bool cli_call(struct cli *cli, const char *method, const char *target, struct bytes json_body,
              const struct json **ret_answer, struct err *err) {
  const struct client_ask ask = {
      .method = method,
      .target = target,
      .type = json_body.len ? "application/json" : NULL,
      .body = json_body,
  };
  struct client_answer answer = {0};
  const struct json *value = NULL;
  bool good = ask_once(cli, &ask, &answer, err);
  struct bytes body = good ? arena_copy(&cli->arena, buf_bytes(&answer.body)) : BYTES_NONE;
  client_answer_fini(&answer);
  if (!good) return false;
  if (body.len && !json_parse(&cli->arena, body, &value, err)) return false;
  *ret_answer = value;
  return true;
}

bool cli_stream(struct cli *cli, const char *target, bool (*line)(void *arg, struct bytes line),
                void *arg, struct err *err) {
  const struct client_ask ask = {.method = "GET", .target = target, .line = line, .arg = arg};
  struct client_answer answer = {0};
  bool good = ask_once(cli, &ask, &answer, err);
  client_answer_fini(&answer);
  return good;
}

void cli_target_add(struct buf *target, const char *before, const char *value) {
  if (!value) return;
  buf_str(target, before);
  percent_encode(target, bytes_str(value), "");
}

/* app/cli/invoke.c: run a function; standard output has its result and nothing else. */
#include "app/cli/client.h"
#include "app/cli/input.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

#include <string.h>

/* What the run logged, from the answer's base64. */
static void print_log(struct cli *cli, const struct client_answer *answer) {
  cleanup_buf struct buf log;
  struct err err;
  buf_init(&log, CLIENT_LINE_BYTES_MAX);
  struct bytes tail = http_header_get(&answer->response.head, "X-Amz-Log-Result");
  if (!base64_decode(&log, tail, 0, &err) || !log.len) return;
  cli_print_safe(cli->errors, buf_bytes(&log));
  if (log.at[log.len - 1] != '\n') fputc('\n', cli->errors);
}

/* Lambda's error: what was thrown, and where in the user's file. */
static int print_guest_error(struct cli *cli, struct bytes body) {
  const struct json *error = NULL;
  struct err err;
  if (cli->json) {
    fprintf(cli->out, "%.*s\n", BYTES_FMT(body));
    return CLI_FAILED;
  }
  if (!json_parse(&cli->arena, body, &error, &err)) error = NULL;
  struct bytes type = json_get_text(error, "errorType");
  fputs("medulla: the function failed: ", cli->errors);
  cli_print_safe(cli->errors, type);
  fputs(type.len ? ": " : "", cli->errors);
  cli_print_safe(cli->errors, error ? json_get_text(error, "errorMessage") : body);
  fputc('\n', cli->errors);
  const struct json *stack = json_get(error, "stackTrace");
  for (const struct json *line = stack ? stack->first : NULL; line; line = line->next) {
    fputs("  ", cli->errors);
    cli_print_safe(cli->errors, bytes_trim(json_text(line)));
    fputc('\n', cli->errors);
  }
  return CLI_FAILED;
}

static int print_answer(struct cli *cli, const struct client_answer *answer) {
  struct err err;
  if (!client_ok(answer, &err)) return cli_fail(cli, &err);
  if (cli_flag(cli, "log")) print_log(cli, answer);
  if (http_header_get(&answer->response.head, "X-Amz-Function-Error").len)
    return print_guest_error(cli, buf_bytes(&answer->body));
  if (cli_flag(cli, "async")) {
    struct bytes id = http_header_get(&answer->response.head, "x-amzn-RequestId");
    fprintf(cli->out, cli->json ? "{\"accepted\":true,\"id\":\"%.*s\"}\n" : "accepted %.*s\n",
            BYTES_FMT(id));
    return CLI_OK;
  }
  fprintf(cli->out, "%.*s\n", BYTES_FMT(buf_bytes(&answer->body)));
  return CLI_OK;
}

static void add_header(struct client_ask *ask, struct bytes name, struct bytes value) {
  size_t at = 0;
  while (ask->headers[at].name.len) at++;
  ask->headers[at] = (struct http_header){name, value};
}

int verb_invoke(struct cli *cli) {
  struct err err;
  struct client client;
  struct client_answer answer = {0};
  cleanup_buf struct buf data, target;
  buf_init(&data, INPUT_BYTES_MAX);
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  const char *given = cli_flag(cli, "data");
  if (!input_read(cli, given ? given : "{}", &data, &err)) return cli_fail(cli, &err);
  const struct json *checked;
  if (!json_parse(&cli->arena, buf_bytes(&data), &checked, &err)) {
    return cli_usage(cli, "--data is not JSON: %s at byte %llu", err.detail,
                     (unsigned long long)err.offset);
  }
  cli_target_add(&target, "/2015-03-31/functions/", cli->args[0]);
  buf_str(&target, "/invocations");
  cli_target_add(&target, "?Qualifier=", cli_flag(cli, "qualifier"));
  buf_char(&target, 0);
  struct client_ask ask = {.method = "POST",
                           .target = (const char *)target.at,
                           .type = "application/json",
                           .body = buf_bytes(&data)};
  if (cli_flag(cli, "async"))
    add_header(&ask, BYTES("X-Amz-Invocation-Type"), BYTES("Event"));
  else if (cli_flag(cli, "log"))
    add_header(&ask, BYTES("X-Amz-Log-Type"), BYTES("Tail"));
  if (!client_init(cli, &client, &err)) return cli_fail(cli, &err);
  bool asked = client_ask(&client, &ask, &answer, &err);
  int code = asked ? print_answer(cli, &answer) : cli_fail(cli, &err);
  client_answer_fini(&answer);
  client_fini(&client);
  return code;
}

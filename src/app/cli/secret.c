/* app/cli/secret.c: secrets go in and never come out. The value is read from standard input or a
 * file, because arguments show in every process list. */
#include "app/cli/client.h"
#include "app/cli/input.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

#include <unistd.h>

enum { SECRET_BYTES_MAX = 64 << 10 };

static const char *secret_target(struct cli *cli, struct buf *target) {
  cli_target_add(target, "/admin/secrets/", cli->args[0]);
  if (cli->arg_count > 1) cli_target_add(target, "/", cli->args[1]);
  buf_char(target, 0);
  return (const char *)target->at;
}

static bool read_secret(struct cli *cli, struct buf *value, struct err *err) {
  const char *from = cli_flag(cli, "from");
  if (!from && fileno(cli->in) >= 0 && isatty(fileno(cli->in)))
    fprintf(cli->errors, "The secret, then Ctrl-D: ");
  TRY(from ? input_file(from, value, err) : input_read(cli, "-", value, err));
  /* One end of line is the terminal's or the editor's, not the secret's. */
  if (value->len && value->at[value->len - 1] == '\n') value->len--;
  if (value->len == 0) FAIL(ERR_USAGE, "the secret is empty");
  return true;
}

int verb_secret_set(struct cli *cli) {
  struct err err;
  const struct json *answer;
  struct json_out out;
  cleanup_buf struct buf value, body, target;
  buf_init(&value, SECRET_BYTES_MAX);
  buf_init(&body, SECRET_BYTES_MAX * 8);
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  if (!read_secret(cli, &value, &err)) return cli_fail(cli, &err);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member(&out, "value", buf_bytes(&value));
  json_out_close(&out, '}');
  if (!cli_call(cli, "PUT", secret_target(cli, &target), buf_bytes(&body), &answer, &err))
    return cli_fail(cli, &err);
  if (!cli->json) fprintf(cli->out, "%s is set for %s\n", cli->args[1], cli->args[0]);
  return CLI_OK;
}

int verb_secret_list(struct cli *cli) {
  static const struct cli_column columns[] = {{"NAME", "name", 24, CLI_TEXT},
                                              {"SET", "set_ms", 0, CLI_TIME}};
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  if (!cli_call(cli, "GET", secret_target(cli, &target), BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  CLI_ROWS(cli, json_get(answer, "secrets"), columns, "this app has no secrets");
  return CLI_OK;
}

int verb_secret_remove(struct cli *cli) {
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  if (!cli_call(cli, "DELETE", secret_target(cli, &target), BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  if (!cli->json) fprintf(cli->out, "%s of %s is removed\n", cli->args[1], cli->args[0]);
  return CLI_OK;
}

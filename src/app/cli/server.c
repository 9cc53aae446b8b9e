/* app/cli/server.c: the server itself: its audit log, its health, and running it. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"

int verb_audit_verify(struct cli *cli) {
  struct err err;
  const struct json *answer;
  if (!cli_call(cli, "GET", "/admin/audit/verify", BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  bool sound = json_is_true(json_get(answer, "sound"));
  if (cli->json && answer)
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
  else if (sound)
    fprintf(cli->out, "sound: %.*s records, root %.*s\n",
            BYTES_FMT(json_get_text(answer, "records")), BYTES_FMT(json_get_text(answer, "root")));
  else
    fprintf(cli->out, "NOT SOUND at record %.*s: %.*s\n", BYTES_FMT(json_get_text(answer, "index")),
            BYTES_FMT(json_get_text(answer, "what")));
  return sound ? CLI_OK : CLI_FAILED;
}

int verb_doctor(struct cli *cli) {
  struct err err;
  const struct json *answer;
  if (!cli_call(cli, "GET", "/admin/doctor", BYTES_NONE, &answer, &err)) return cli_fail(cli, &err);
  if (cli->json && answer) {
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
    return CLI_OK;
  }
  for (const struct json *fact = answer ? answer->first : NULL; fact; fact = fact->next) {
    bool flag = fact->kind == JSON_TRUE || fact->kind == JSON_FALSE;
    fprintf(cli->out, "%-20.*s ", BYTES_FMT(fact->name));
    cli_print_safe(cli->out, flag ? json_is_true(fact) ? BYTES("yes") : BYTES("no") : fact->text);
    fputc('\n', cli->out);
  }
  return CLI_OK;
}

int verb_serve(struct cli *cli) {
  if (!cli_flag(cli, "data")) return cli_usage(cli, "--data DIR is missing");
  if (cli->host && cli->host->serve) return cli->host->serve(cli);
  struct err err;
  err_set(&err, ERR_UNSUPPORTED, ERR_PLACE, ERR_OFFSET_NONE, "this program has no server in it");
  return cli_fail(cli, &err);
}

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

static void print_parts(struct cli *cli, const struct json *answer) {
  static const struct cli_column dependencies[] = {{"DEPENDENCY", "name", 12, CLI_TEXT},
                                                   {"VERSION", "version", 40, CLI_TEXT},
                                                   {"FOR", "what", 0, CLI_TEXT}};
  static const struct cli_column limits[] = {{"LIMIT", "name", 26, CLI_TEXT},
                                             {"IN FORCE", "value", -12, CLI_TEXT},
                                             {"UNIT", "unit", 10, CLI_TEXT},
                                             {"WHAT", "what", 0, CLI_TEXT}};
  if (json_get(answer, "dependencies")) {
    fputc('\n', cli->out);
    CLI_ROWS(cli, json_get(answer, "dependencies"), dependencies, "");
  }
  if (json_get(answer, "limits")) {
    fputc('\n', cli->out);
    CLI_ROWS(cli, json_get(answer, "limits"), limits, "");
  }
}

int verb_doctor(struct cli *cli) {
  struct err err;
  const struct json *answer;
  if (!cli_call(cli, "GET", "/admin/doctor", BYTES_NONE, &answer, &err)) return cli_fail(cli, &err);
  bool healthy = json_is_true(json_get(answer, "healthy"));
  if (cli->json && answer) {
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
    return healthy ? CLI_OK : CLI_FAILED;
  }
  const struct json *checks = json_get(answer, "checks");
  for (const struct json *check = checks ? checks->first : NULL; check; check = check->next) {
    bool good = json_is_true(json_get(check, "good"));
    fprintf(cli->out, "%-4s  %-20.*s  ", good ? "good" : "BAD",
            BYTES_FMT(json_get_text(check, "what")));
    cli_print_safe(cli->out, json_get_text(check, "found"));
    struct bytes advice = json_get_text(check, "advice");
    fputs(advice.len ? "\n      " : "", cli->out);
    cli_print_safe(cli->out, advice);
    fputc('\n', cli->out);
  }
  print_parts(cli, answer);
  return healthy ? CLI_OK : CLI_FAILED;
}

int verb_serve(struct cli *cli) {
  if (!cli_flag(cli, "data")) return cli_usage(cli, "--data DIR is missing");
  if (cli->host && cli->host->serve) return cli->host->serve(cli);
  struct err err;
  err_set(&err, ERR_UNSUPPORTED, ERR_PLACE, ERR_OFFSET_NONE, "this program has no server in it");
  return cli_fail(cli, &err);
}

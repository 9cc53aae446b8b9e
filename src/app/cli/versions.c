/* app/cli/versions.c: what is deployed, and the way back. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

int verb_apps(struct cli *cli) {
  static const struct cli_column columns[] = {
      {"FUNCTION", "function", 28, CLI_TEXT}, {"LIVE", "live", 5, CLI_TEXT},
      {"CANARY", "canary", 6, CLI_TEXT},      {"SHARE", "canary_percent", 5, CLI_TEXT},
      {"RUNNING", "running", 7, CLI_TEXT},    {"OWED", "owed", 0, CLI_TEXT}};
  struct err err;
  const struct json *answer;
  if (!cli_call(cli, "GET", "/admin/functions", BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  CLI_ROWS(cli, json_get(answer, "functions"), columns,
           "nothing is deployed yet; medulla init writes an app to begin from");
  return CLI_OK;
}

int verb_versions(struct cli *cli) {
  static const struct cli_column columns[] = {
      {"VERSION", "version", 7, CLI_TEXT},       {"STATE", "state", 8, CLI_TEXT},
      {"DEPLOYED", "deployed_ms", 20, CLI_TIME}, {"BY", "principal", 12, CLI_TEXT},
      {"CODE", "code_bytes", 10, CLI_BYTES},     {"MESSAGE", "message", 0, CLI_TEXT}};
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/versions?function=", cli->args[0]);
  buf_char(&target, 0);
  if (!cli_call(cli, "GET", (const char *)target.at, BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  CLI_ROWS(cli, json_get(answer, "versions"), columns, "it has no versions");
  return CLI_OK;
}

/* {"function", "version" or "promote"}: the alias points elsewhere. */
static int move_alias(struct cli *cli, int64_t version, bool promote) {
  struct err err;
  const struct json *answer;
  struct json_out out;
  cleanup_buf struct buf body;
  buf_init(&body, 4096);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_str(&out, "function", cli->args[0]);
  if (version) json_out_member_int(&out, "version", version);
  if (promote) json_out_member_bool(&out, "promote", true);
  json_out_close(&out, '}');
  if (!cli_call(cli, "POST", "/admin/rollback", buf_bytes(&body), &answer, &err))
    return cli_fail(cli, &err);
  if (cli->json && answer)
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
  else
    fprintf(cli->out, "%.*s: version %.*s is live%s (was %.*s)\n",
            BYTES_FMT(json_get_text(answer, "function")),
            BYTES_FMT(json_get_text(answer, "version")), promote ? "" : " again",
            BYTES_FMT(json_get_text(answer, "was")));
  return CLI_OK;
}

int verb_rollback(struct cli *cli) {
  int64_t version;
  if (!cli_flag_number(cli, "to", 0, 1, UINT32_MAX, &version)) return CLI_USAGE;
  return move_alias(cli, version, false);
}

int verb_promote(struct cli *cli) {
  return move_alias(cli, 0, true);
}

/* app/cli/dead.c: dead letters: seen, tried again or given up, by a person. */
#include "app/cli/dead.h"
#include "app/cli/client.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

int verb_dead_list(struct cli *cli) {
  static const struct cli_column columns[] = {{"DELIVERY", "delivery", 36, CLI_ID},
                                              {"FUNCTION", "function", 24, CLI_TEXT},
                                              {"SINCE", "created_ms", 20, CLI_TIME},
                                              {"TRIES", "attempts", 5, CLI_TEXT},
                                              {"REASON", "reason", 0, CLI_TEXT}};
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  buf_str(&target, "/admin/dead");
  cli_target_add(&target, "?function=", cli_flag(cli, "function"));
  buf_char(&target, 0);
  if (!cli_call(cli, "GET", (const char *)target.at, BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  const struct json *messages = json_get(answer, "messages");
  bool some = messages && messages->first;
  CLI_ROWS(cli, json_get(answer, "dead"), columns, "no dead letters");
  if (some && !cli->json) fputs("\nmessages that could not be sent (medulla outbox)\n", cli->out);
  if (some) cli_print_messages(cli, messages, "");
  return CLI_OK;
}

int verb_dead_show(struct cli *cli) {
  static const struct cli_column run_columns[] = {{"RUN", "id", 36, CLI_ID},
                                                  {"SETTLED", "settled_ms", 20, CLI_TIME},
                                                  {"VERSION", "version", 7, CLI_TEXT},
                                                  {"TRY", "attempt", 3, CLI_TEXT},
                                                  {"OUTCOME", "outcome", 9, CLI_OUTCOME},
                                                  {"REASON", "reason", 16, CLI_TEXT},
                                                  {"DECISION", "decision", 0, CLI_TEXT}};
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/dead/", cli->args[0]);
  buf_char(&target, 0);
  if (!cli_call(cli, "GET", (const char *)target.at, BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  if (cli->json && answer) {
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
    return CLI_OK;
  }
  cli_print_members(cli, answer, "runs");
  fputs("\nruns\n", cli->out);
  CLI_ROWS(cli, json_get(answer, "runs"), run_columns, "none is kept any more");
  return CLI_OK;
}

/* POST {"act": ..., "ids": [...]} or {"act": ..., "all": true, "function": ...} */
int cli_act(struct cli *cli, const char *target, const char *word, const char *done) {
  struct err err;
  const struct json *answer;
  struct json_out out;
  cleanup_buf struct buf body;
  buf_init(&body, 1 << 16);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_str(&out, "act", word);
  if (cli_flag(cli, "all")) {
    json_out_member_bool(&out, "all", true);
    const char *function = cli_flag(cli, "function");
    if (function) json_out_member_str(&out, "function", function);
  } else {
    json_out_name(&out, "ids");
    json_out_open(&out, '[');
    for (int i = 0; i < cli->arg_count; i++) json_out_str(&out, cli->args[i]);
    json_out_close(&out, ']');
  }
  json_out_close(&out, '}');
  if (!cli_call(cli, "POST", target, buf_bytes(&body), &answer, &err)) return cli_fail(cli, &err);
  if (cli->json && answer)
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
  else
    fprintf(cli->out, "%.*s %s\n", BYTES_FMT(json_get_text(answer, "count")), done);
  return CLI_OK;
}

int verb_dead_redrive(struct cli *cli) {
  bool all = cli_flag(cli, "all") != NULL;
  if (all == (cli->arg_count > 0)) return cli_usage(cli, "name dead letters, or give --all");
  return cli_act(cli, "/admin/dead", "redrive", "will be tried again");
}

int verb_dead_discard(struct cli *cli) {
  return cli_act(cli, "/admin/dead", "discard", "discarded");
}

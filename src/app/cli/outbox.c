/* app/cli/outbox.c: messages to contacts: seen, sent again or given up, by a person. */
#include "app/cli/client.h"
#include "app/cli/dead.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

void cli_print_messages(struct cli *cli, const struct json *messages, const char *when_empty) {
  static const struct cli_column columns[] = {
      {"MESSAGE", "message", 38, CLI_ID},     {"CONTACT", "contact", 16, CLI_TEXT},
      {"FUNCTION", "function", 24, CLI_TEXT}, {"SINCE", "created_ms", 20, CLI_TIME},
      {"TRIES", "attempts", 5, CLI_TEXT},     {"STATE", "state", 5, CLI_TEXT},
      {"REASON", "reason", 0, CLI_TEXT}};
  CLI_ROWS(cli, messages, columns, when_empty);
}

void cli_print_members(struct cli *cli, const struct json *object, const char *but) {
  const struct json *member = object ? object->first : NULL;
  for (; member; member = member->next) {
    if (but && bytes_eq_str(member->name, but)) continue;
    fprintf(cli->out, "%-12.*s ", BYTES_FMT(member->name));
    cli_print_safe(cli->out, member->text);
    fputc('\n', cli->out);
  }
}

int verb_outbox_list(struct cli *cli) {
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  buf_str(&target, "/admin/outbox?");
  if (cli_flag(cli, "dead")) buf_str(&target, "state=dead");
  cli_target_add(&target, "&function=", cli_flag(cli, "function"));
  buf_char(&target, 0);
  if (!cli_call(cli, "GET", (const char *)target.at, BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  cli_print_messages(cli, json_get(answer, "messages"), "no messages are waiting or dead");
  if (json_is_true(json_get(answer, "more")) && !cli->json)
    fputs("and more: name a function\n", cli->out);
  return CLI_OK;
}

int verb_outbox_show(struct cli *cli) {
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/outbox/", cli->args[0]);
  buf_char(&target, 0);
  if (!cli_call(cli, "GET", (const char *)target.at, BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  if (cli->json && answer)
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
  else
    cli_print_members(cli, answer, NULL);
  return CLI_OK;
}

int verb_outbox_redrive(struct cli *cli) {
  bool all = cli_flag(cli, "all") != NULL;
  if (all == (cli->arg_count > 0)) return cli_usage(cli, "name messages, or give --all");
  return cli_act(cli, "/admin/outbox", "redrive", "will be sent again");
}

int verb_outbox_discard(struct cli *cli) {
  return cli_act(cli, "/admin/outbox", "discard", "discarded");
}

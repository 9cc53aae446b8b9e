/* app/cli/usage.c: what was used and what it cost, against a machine that is always on. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

static void print_total(struct cli *cli, const struct json *total) {
  char cost[CLI_MONEY_BYTES], machine[CLI_MONEY_BYTES];
  double amount = 0;
  cli_money(json_double(json_get(total, "cost"), &amount) ? amount : 0, cost);
  cli_money(json_double(json_get(total, "always_on"), &amount) ? amount : 0, machine);
  fprintf(cli->out, "\n%.*s runs cost %s %.*s; a machine that is always on costs %s\n",
          BYTES_FMT(json_get_text(total, "runs")), cost,
          BYTES_FMT(json_get_text(total, "currency")), machine);
}

int verb_usage(struct cli *cli) {
  static const struct cli_column columns[] = {{"DAY", "day", 10, CLI_TEXT},
                                              {"FUNCTION", "function", 24, CLI_TEXT},
                                              {"RUNS", "runs", 9, CLI_TEXT},
                                              {"FAILED", "failed", 7, CLI_TEXT},
                                              {"RUN TIME", "run_us", 10, CLI_US},
                                              {"CPU", "cpu_us", 10, CLI_US},
                                              {"GIB S", "gib_seconds", 10, CLI_MONEY},
                                              {"COST", "cost", 0, CLI_MONEY}};
  struct err err;
  const struct json *answer;
  int64_t days;
  cleanup_buf struct buf target = {0};
  if (!cli_flag_number(cli, "days", 7, 1, 3660, &days)) return CLI_USAGE;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  buf_printf(&target, "/admin/usage?days=%lld", (long long)days);
  cli_target_add(&target, "&function=", cli_flag(cli, "function"));
  buf_char(&target, 0);
  if (!cli_call(cli, "GET", (const char *)target.at, BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  CLI_ROWS(cli, json_get(answer, "usage"), columns, "nothing has run in these days");
  const struct json *total = json_get(answer, "total");
  if (!total) return CLI_OK;
  if (cli->json)
    fprintf(cli->out, "{\"total\":%.*s}\n", BYTES_FMT(total->text));
  else
    print_total(cli, total);
  return CLI_OK;
}

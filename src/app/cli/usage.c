/* app/cli/usage.c: what was used and what it cost, against a machine that is always on. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"

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
  char target[64];
  if (!cli_flag_number(cli, "days", 7, 1, 3660, &days)) return CLI_USAGE;
  snprintf(target, sizeof target, "/admin/usage?days=%lld", (long long)days);
  if (!cli_call(cli, "GET", target, BYTES_NONE, &answer, &err)) return cli_fail(cli, &err);
  CLI_ROWS(cli, json_get(answer, "usage"), columns, "nothing has run in these days");
  const struct json *total = json_get(answer, "total");
  if (!total) return CLI_OK;
  if (cli->json)
    fprintf(cli->out, "{\"total\":%.*s}\n", BYTES_FMT(total->text));
  else
    fprintf(cli->out, "\n%.*s runs cost %.*s %.*s; a machine that is always on costs %.*s\n",
            BYTES_FMT(json_get_text(total, "runs")), BYTES_FMT(json_get_text(total, "cost")),
            BYTES_FMT(json_get_text(total, "currency")),
            BYTES_FMT(json_get_text(total, "always_on")));
  return CLI_OK;
}

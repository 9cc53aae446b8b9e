/* app/cli/usage.c: what was used, by day and function. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"
#include "base/civil.h"
#include "os/clock.h"

/* Days are texts that sort as they follow each other. */
static bool is_recent(void *arg, const struct json *row) {
  return bytes_cmp(json_get_text(row, "day"), bytes_str(arg)) >= 0;
}

int verb_usage(struct cli *cli) {
  static const struct cli_column columns[] = {{"DAY", "day", 10, CLI_TEXT},
                                              {"APP", "app", 12, CLI_TEXT},
                                              {"FUNCTION", "function", 16, CLI_TEXT},
                                              {"RUNS", "runs", 9, CLI_TEXT},
                                              {"FAILED", "failures", 7, CLI_TEXT},
                                              {"BILLED MS", "billed_ms", 9, CLI_TEXT},
                                              {"RAN", "run_us", 9, CLI_US},
                                              {"WAITED", "wait_us", 9, CLI_US},
                                              {"CPU", "cpu_us", 0, CLI_US}};
  int64_t days;
  char first[24];
  if (!cli_flag_number(cli, "days", 7, 1, 3660, &days)) return CLI_USAGE;
  int64_t today = clock_wall_ms(clock_real()) / (CIVIL_DAY_S * INT64_C(1000));
  struct civil from = civil_date(today - days + 1);
  snprintf(first, sizeof first, "%04d-%02d-%02d", (int)from.year, from.month, from.day);
  const struct cli_rows rows = {columns, sizeof columns / sizeof *columns,
                                "nothing has run in these days", is_recent, first};
  return cli_stream_rows(cli, "/admin/usage", &rows);
}

/* app/cli/logs.c: what functions log, as it comes. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

static bool print_line(void *arg, struct bytes line) {
  struct cli *cli = arg;
  cleanup_arena struct arena arena;
  const struct json *entry;
  struct err err;
  int64_t at_ms = 0;
  char time[RFC3339_BYTES] = "-";
  arena_init(&arena, CLIENT_LINE_BYTES_MAX * 2);
  if (cli->json) {
    fprintf(cli->out, "%.*s\n", BYTES_FMT(line));
  } else if (json_parse(&arena, line, &entry, &err)) {
    if (json_int(json_get(entry, "at_ms"), &at_ms)) rfc3339_format(at_ms, time);
    struct bytes run = json_get_text(entry, "run");
    fprintf(cli->out, "%s  %-5.*s  %.*s  %.*s  ", time, BYTES_FMT(json_get_text(entry, "level")),
            BYTES_FMT(json_get_text(entry, "function")), BYTES_FMT(run));
    cli_print_safe(cli->out, json_get_text(entry, "line"));
    fputc('\n', cli->out);
  }
  fflush(cli->out);
  return !ferror(cli->out);
}

int verb_logs(struct cli *cli) {
  struct err err;
  int64_t limit;
  char text[24];
  if (!cli_flag_number(cli, "limit", 100, 0, 100000, &limit)) return CLI_USAGE;
  snprintf(text, sizeof text, "%lld", (long long)limit);
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/logs?limit=", text);
  cli_target_add(&target, "&function=", cli_flag(cli, "function"));
  if (cli_flag(cli, "follow") || cli_flag(cli, "f")) buf_str(&target, "&follow=true");
  buf_char(&target, 0);
  if (!cli_stream(cli, (const char *)target.at, print_line, cli, &err)) return cli_fail(cli, &err);
  return CLI_OK;
}

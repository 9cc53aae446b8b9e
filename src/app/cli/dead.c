/* app/cli/dead.c: dead letters: seen, tried again or given up, by a person. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

int verb_dead_list(struct cli *cli) {
  static const struct cli_column columns[] = {{"DELIVERY", "delivery", 36, CLI_ID},
                                              {"FUNCTION", "function", 24, CLI_TEXT},
                                              {"SINCE", "created_ms", 20, CLI_TIME},
                                              {"TRIES", "attempts", 5, CLI_TEXT},
                                              {"REASON", "reason", 0, CLI_TEXT}};
  static const struct cli_rows rows = {columns, sizeof columns / sizeof *columns,
                                       "no dead letters"};
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  buf_str(&target, "/admin/dead");
  cli_target_add(&target, "?function=", cli_flag(cli, "function"));
  buf_char(&target, 0);
  return cli_stream_rows(cli, (const char *)target.at, &rows);
}

int verb_dead_show(struct cli *cli) {
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
  for (const struct json *member = answer ? answer->first : NULL; member; member = member->next) {
    fprintf(cli->out, "%-12.*s ", BYTES_FMT(member->name));
    cli_print_safe(cli->out, member->text);
    fputc('\n', cli->out);
  }
  return CLI_OK;
}

/* POST /admin/dead/ID/WORD */
static bool act_on(struct cli *cli, const char *id, const char *word, struct err *err) {
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/dead/", id);
  buf_char(&target, '/');
  buf_str(&target, word);
  buf_char(&target, 0);
  return cli_call(cli, "POST", (const char *)target.at, BYTES("{}"), &answer, err);
}

static int tell_count(struct cli *cli, unsigned count, const char *done, const struct err *err) {
  if (cli->json)
    fprintf(cli->out, "{\"count\":%u}\n", count);
  else
    fprintf(cli->out, "%u %s\n", count, done);
  return err ? cli_fail(cli, err) : CLI_OK;
}

static int act(struct cli *cli, const char *word, const char *done) {
  struct err err;
  int count = 0;
  while (count < cli->arg_count && act_on(cli, cli->args[count], word, &err)) count++;
  return tell_count(cli, (unsigned)count, done, count == cli->arg_count ? NULL : &err);
}

/* All of them are read before the first is tried again: a list must not change under its reader. */
struct sweep {
  struct buf ids; /* each with its NUL */
};

static bool note_id(void *arg, struct bytes line) {
  struct sweep *sweep = arg;
  cleanup_arena struct arena arena;
  const struct json *row;
  struct err err;
  arena_init(&arena, CLIENT_LINE_BYTES_MAX);
  if (!json_parse(&arena, line, &row, &err)) return true;
  buf_put(&sweep->ids, json_get_text(row, "delivery"));
  buf_char(&sweep->ids, 0);
  return buf_ok(&sweep->ids);
}

static int redrive_all(struct cli *cli) {
  struct sweep sweep = {0};
  cleanup_buf struct buf target;
  struct err err;
  unsigned count = 0;
  buf_init(&sweep.ids, CLIENT_LINE_BYTES_MAX);
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  buf_str(&target, "/admin/dead");
  cli_target_add(&target, "?function=", cli_flag(cli, "function"));
  buf_char(&target, 0);
  bool good = cli_stream(cli, (const char *)target.at, note_id, &sweep, &err);
  for (struct bytes id, rest = buf_bytes(&sweep.ids); good && rest.len; count += good) {
    id = bytes_cut(rest, 0, &rest);
    good = act_on(cli, (const char *)id.at, "redrive", &err);
  }
  buf_fini(&sweep.ids);
  return tell_count(cli, count, "will be tried again", good ? NULL : &err);
}

int verb_dead_redrive(struct cli *cli) {
  bool all = cli_flag(cli, "all") != NULL;
  if (all == (cli->arg_count > 0)) return cli_usage(cli, "name dead letters, or give --all");
  return all ? redrive_all(cli) : act(cli, "redrive", "will be tried again");
}

int verb_dead_discard(struct cli *cli) {
  return act(cli, "discard", "discarded");
}

/* app/cli/alias.c: names for versions beside `live`. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

static void target_of(struct cli *cli, struct buf *target) {
  buf_init(target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(target, "/admin/aliases/", cli->args[1]);
  cli_target_add(target, "?function=", cli->args[0]);
  buf_char(target, 0);
}

static int change(struct cli *cli, const char *method, struct bytes body, const char *done) {
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  target_of(cli, &target);
  if (!cli_call(cli, method, (const char *)target.at, body, &answer, &err))
    return cli_fail(cli, &err);
  if (!cli->json) fprintf(cli->out, "%s: %s %s\n", cli->args[0], cli->args[1], done);
  return CLI_OK;
}

int verb_alias_set(struct cli *cli) {
  struct json_out out;
  uint64_t version, canary;
  const char *share = cli_flag(cli, "share"), *other = cli_flag(cli, "canary");
  cleanup_buf struct buf body;
  buf_init(&body, 4096);
  if (!bytes_u64(bytes_str(cli->args[2]), &version))
    return cli_usage(cli, "a version is a number (medulla versions lists them)");
  if (!other != !share) return cli_usage(cli, "--canary VERSION goes with --share PERCENT");
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_int(&out, "version", (int64_t)version);
  if (other) {
    if (!bytes_u64(bytes_str(other), &canary))
      return cli_usage(cli, "--canary takes a version's number");
    json_out_member_int(&out, "canary", (int64_t)canary);
    json_out_member_str(&out, "percent", share);
  }
  json_out_close(&out, '}');
  return change(cli, "PUT", buf_bytes(&body), "is set");
}

int verb_alias_remove(struct cli *cli) {
  return change(cli, "DELETE", BYTES_NONE, "is removed");
}

int verb_alias_list(struct cli *cli) {
  static const struct cli_column columns[] = {{"ALIAS", "alias", 20, CLI_TEXT},
                                              {"VERSION", "version", 7, CLI_TEXT},
                                              {"CANARY", "canary", 7, CLI_TEXT},
                                              {"SHARE %", "canary_percent", 0, CLI_TEXT}};
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/aliases?function=", cli->args[0]);
  buf_char(&target, 0);
  if (!cli_call(cli, "GET", (const char *)target.at, BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  CLI_ROWS(cli, json_get(answer, "aliases"), columns, "no aliases");
  return CLI_OK;
}

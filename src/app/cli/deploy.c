/* app/cli/deploy.c: check whole, send, and say which versions are live. */
#include "app/cli/client.h"
#include "app/cli/folder.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"

#include <time.h>

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "10%" or "10": 1 to 99. */
static bool canary_is_sound(const char *text) {
  struct bytes given = bytes_str(text);
  uint64_t percent;
  if (bytes_ends(given, BYTES("%"))) given.len--;
  return bytes_u64(given, &percent) && percent >= 1 && percent <= 99;
}

static void print_versions(struct cli *cli, const struct json *answer, int64_t took_ms) {
  const struct json *versions = json_get(answer, "versions");
  for (const struct json *v = versions ? versions->first : NULL; v; v = v->next) {
    const struct json *changed = json_get(v, "changed");
    fprintf(cli->out, "%-28.*s version %-4.*s %.*s%s\n", BYTES_FMT(json_get_text(v, "function")),
            BYTES_FMT(json_get_text(v, "version")), BYTES_FMT(json_get_text(v, "state")),
            changed && !json_is_true(changed) ? " (unchanged)" : "");
  }
  fprintf(cli->out, "deployed in %lld ms\n", (long long)took_ms);
}

static int check_only(struct cli *cli, struct folder *folder) {
  struct err err;
  struct json_out out;
  cleanup_buf struct buf files;
  buf_init(&files, CLIENT_ANSWER_BYTES_MAX);
  json_out_init(&out, &files);
  json_out_open(&out, '{');
  if (!folder_write_files(cli, folder, &out, &err)) return cli_fail(cli, &err);
  fprintf(cli->out, cli->json ? "{\"good\":true}\n" : "good: nothing is wrong with this app\n");
  return CLI_OK;
}

int verb_deploy(struct cli *cli) {
  struct err err;
  struct folder folder;
  const struct json *answer;
  const char *canary = cli_flag(cli, "canary");
  int64_t begin_ms = now_ms();
  if (canary && !canary_is_sound(canary))
    return cli_usage(cli, "--canary takes a share from 1%% to 99%%");
  if (!folder_open(cli, cli->arg_count ? cli->args[0] : ".", &folder, &err))
    return cli_fail(cli, &err);
  if (cli_flag(cli, "check")) return check_only(cli, &folder);
  if (!folder_deploy(cli, &folder, canary, cli_flag(cli, "message"), &answer, &err))
    return cli_fail(cli, &err);
  if (cli->json && answer)
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
  else
    print_versions(cli, answer, now_ms() - begin_ms);
  return CLI_OK;
}

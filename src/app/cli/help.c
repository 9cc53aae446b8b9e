/* app/cli/help.c: help from the table of verbs; there is no other text to keep in step. */
#include "app/cli/cli.h"

#include <string.h>

static void print_flag(FILE *out, const struct cli_flag *flag) {
  char left[64];
  snprintf(left, sizeof left, "%s%s%s%s", strlen(flag->name) == 1 ? " -" : "--", flag->name,
           flag->value ? " " : "", flag->value ? flag->value : "");
  fprintf(out, "  %-24s %s\n", left, flag->help);
}

static void print_exit_codes(FILE *out) {
  fprintf(out, "\nExit codes: 0 success, 1 the function or the platform failed, 2 wrong usage,\n"
               "3 refused, 4 not reachable.\n");
}

static int help_all(struct cli *cli) {
  fprintf(cli->out, "medulla: functions that run when something clinical happens\n\n"
                    "usage: medulla VERB [ARGUMENTS] [FLAGS]\n\n");
  for (size_t i = 0; i < cli_verb_count; i++) {
    char left[64];
    snprintf(left, sizeof left, "%s %s", cli_verbs[i].name, cli_verbs[i].usage);
    fprintf(cli->out, "  %-30s %s\n", left, cli_verbs[i].help);
  }
  fprintf(cli->out, "\nFlags of every verb:\n");
  for (size_t i = 0; i < cli_common_flag_count; i++) print_flag(cli->out, &cli_common_flags[i]);
  fprintf(cli->out, "\nmedulla VERB --help says more about one.\n");
  print_exit_codes(cli->out);
  return CLI_OK;
}

int cli_help_verb(struct cli *cli, const struct cli_verb *verb) {
  fprintf(cli->out, "usage: medulla %s%s%s [FLAGS]\n\n%s\n", verb->name, *verb->usage ? " " : "",
          verb->usage, verb->help);
  if (verb->flags[0].name) fprintf(cli->out, "\nFlags:\n");
  for (size_t i = 0; i < CLI_FLAGS_MAX && verb->flags[i].name; i++)
    print_flag(cli->out, &verb->flags[i]);
  fprintf(cli->out, "\nFlags of every verb:\n");
  for (size_t i = 0; i < cli_common_flag_count; i++) print_flag(cli->out, &cli_common_flags[i]);
  print_exit_codes(cli->out);
  return CLI_OK;
}

int cli_help(struct cli *cli, const char *name) {
  if (!name) return help_all(cli);
  size_t shown = 0, len = strlen(name);
  for (size_t i = 0; i < cli_verb_count; i++) {
    const char *verb = cli_verbs[i].name;
    if (strncmp(verb, name, len) != 0 || (verb[len] && verb[len] != ' ')) continue;
    if (shown++) fputc('\n', cli->out);
    cli_help_verb(cli, &cli_verbs[i]);
  }
  return shown ? CLI_OK : cli_usage(cli, "there is no verb %s", name);
}

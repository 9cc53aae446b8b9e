/* app/cli/dead.h: what dead letters and messages share.
 * Owns:    nothing.
 * Errors:  exit codes, as in cli.h.
 * Threads: one.                                          */
#ifndef MEDULLA_APP_CLI_DEAD_H
#define MEDULLA_APP_CLI_DEAD_H

#include "app/cli/cli.h"

/* Redrives or discards what the command names, and says how many. */
int cli_act(struct cli *cli, const char *target, const char *word, const char *done);
void cli_print_messages(struct cli *cli, const struct json *messages, const char *when_empty);
/* Each member on a line of its own, but one. */
void cli_print_members(struct cli *cli, const struct json *object, const char *but);

#endif

/* app/cli/local.h: a server of our own on a temporary folder, for test and dev.
 * Owns:    struct local: the process and the folder, until local_stop.
 * Units:   milliseconds.
 * Errors:  IO, TIMEOUT, UNAVAILABLE (it ended at once).
 * Threads: one; forks this very program.
 * Limits:  LOCAL_START_MS_MAX, LOCAL_STOP_MS_MAX.                       */
#ifndef MEDULLA_APP_CLI_LOCAL_H
#define MEDULLA_APP_CLI_LOCAL_H

#include "app/cli/cli.h"
#include "os/net.h"

#include <sys/types.h>

#define LOCAL_START_MS_MAX 15000
#define LOCAL_STOP_MS_MAX 10000

struct local {
  pid_t pid;
  char folder[64];
  char url[NET_ADDRESS_BYTES + 8];
};

/* Address "127.0.0.1:0" takes a free port. From then on cli talks to it. */
bool local_start(struct cli *cli, const char *address, struct local *ret_local,
                 struct err *err) MUST_CHECK;
/* Has it ended by itself? */
bool local_has_ended(const struct local *local);
void local_stop(struct local *local);
/* This program once more, with these words; killed when we end. */
pid_t local_spawn(const char *const *argv);

#endif

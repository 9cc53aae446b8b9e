/* app/cli/authority.h: `init --ca`: an authority for development, and certificates from it.
 * Owns:    nothing; writes files, never over others.
 * Errors:  as exit codes of the verb; EXISTS, INVALID, IO.
 * Threads: one.                                                                                 */
#ifndef MEDULLA_APP_CLI_AUTHORITY_H
#define MEDULLA_APP_CLI_AUTHORITY_H

#include "app/cli/cli.h"

int init_authority(struct cli *cli);

#endif

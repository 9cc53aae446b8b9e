/* app/cli/bundle.h: TypeScript, packages and files that import others, made one file by esbuild.
 * Owns:    nothing; results go into the caller's buffers.
 * Units:   bytes.
 * Errors:  NOT_FOUND (no esbuild: how to get it), INVALID (what esbuild said), IO.
 * Threads: one; forks.
 * Limits:  BUNDLE_BYTES_MAX, BUNDLE_WAIT_MS_MAX.                                          */
#ifndef MEDULLA_APP_CLI_BUNDLE_H
#define MEDULLA_APP_CLI_BUNDLE_H

#include "app/cli/cli.h"
#include "base/buf.h"

#define BUNDLE_BYTES_MAX (32u << 20)
#define BUNDLE_WAIT_MS_MAX 60000
#define BUNDLE_PATH_BYTES 4096

/* Does this source need others to be whole? */
bool bundle_is_needed(const char *path, struct bytes source);
/* Where esbuild is, for an app in `root`. */
bool bundle_program(const char *root, char ret_path[BUNDLE_PATH_BYTES]);
/* `entry`: relative to the folder `root`. The source map names files relative to it, too. */
bool bundle_make(struct cli *cli, const char *root, const char *entry, bool module,
                 struct buf *ret_code, struct buf *ret_map, struct err *err) MUST_CHECK;

#endif

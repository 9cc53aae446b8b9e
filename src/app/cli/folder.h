/* app/cli/folder.h: an app's folder: its manifest checked, its files as a deploy needs them.
 * Owns:    everything lives in the command's arena.
 * Units:   bytes.
 * Errors:  NOT_FOUND, INVALID (problems were printed), LIMIT, and bundle.h's.
 * Threads: one.
 * Limits:  FOLDER_FILE_BYTES_MAX per file.                                              */
#ifndef MEDULLA_APP_CLI_FOLDER_H
#define MEDULLA_APP_CLI_FOLDER_H

#include "app/cli/cli.h"
#include "base/map.h"
#include "model/manifest.h"

#define FOLDER_FILE_BYTES_MAX (64u << 20)

struct folder {
  const char *root;
  struct bytes yaml;
  const struct manifest *manifest;
  struct manifest_problems problems;
};

/* Reads and checks medulla.yaml; its problems are printed, and it then is INVALID. */
bool folder_open(struct cli *cli, const char *root, struct folder *ret_folder,
                 struct err *err) MUST_CHECK;
/* Bundles and reads every file the manifest names: "path": "base64", into an open JSON object. */
bool folder_write_files(struct cli *cli, struct folder *folder, struct json_out *out,
                        struct err *err) MUST_CHECK;
/* Sends it. `canary` and `message` may be NULL. */
bool folder_deploy(struct cli *cli, struct folder *folder, const char *canary, const char *message,
                   const struct json **ret_answer, struct err *err) MUST_CHECK;
void folder_print_problems(struct cli *cli, const struct folder *folder);

#endif

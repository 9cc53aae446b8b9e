/* app/cli/walk.h: every file below a folder.
 * Owns:    nothing.
 * Errors:  none: what cannot be read is left out.
 * Threads: one.
 * Limits:  WALK_DEPTH_MAX folders deep, WALK_FILES_MAX files. Links are not followed. */
#ifndef MEDULLA_APP_CLI_WALK_H
#define MEDULLA_APP_CLI_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

#define WALK_DEPTH_MAX 32
#define WALK_FILES_MAX 100000

struct walk {
  /* Optional: false leaves this entry of a folder out. */
  bool (*wanted)(const char *name);
  /* Files, and folders after what is in them. */
  void (*visit)(void *arg, const char *path, const struct stat *facts);
  void *arg;
  unsigned files; /* visited so far */
};
void walk_tree(struct walk *walk, const char *root);

#endif

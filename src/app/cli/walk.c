/* app/cli/walk.c: recursion bounded by depth; one open folder per level. */
#include "app/cli/walk.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

static void walk_from(struct walk *walk, const char *path, int depth) {
  struct stat facts;
  if (lstat(path, &facts) != 0 || walk->files >= WALK_FILES_MAX) return;
  DIR *folder = S_ISDIR(facts.st_mode) && depth < WALK_DEPTH_MAX ? opendir(path) : NULL;
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    char below[PATH_BYTES];
    bool itself = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (itself || (walk->wanted && !walk->wanted(entry->d_name))) continue;
    if (snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < PATH_BYTES)
      walk_from(walk, below, depth + 1);
  }
  if (folder) closedir(folder);
  walk->files++;
  walk->visit(walk->arg, path, &facts);
}

void walk_tree(struct walk *walk, const char *root) {
  walk->files = 0;
  walk_from(walk, root, 0);
}

/* app/cli/templates.h: the files of medulla init, embedded from src/app/templates.
 * Owns:    nothing; all static.
 * Threads: any.                                                                */
#ifndef MEDULLA_APP_CLI_TEMPLATES_H
#define MEDULLA_APP_CLI_TEMPLATES_H

#include <stddef.h>

/* Every APP in the text stands for the app's name. */
struct template_file {
  const char *template, *path, *text;
};
extern const struct template_file template_files[];
extern const size_t template_file_count;

#endif

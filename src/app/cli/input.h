/* app/cli/input.h: texts from arguments, files and standard input.
 * Owns:    nothing; results go into the caller's buffer.
 * Units:   bytes.
 * Errors:  NOT_FOUND, DENIED, IO, LIMIT.
 * Threads: one.
 * Limits:  INPUT_BYTES_MAX unless the buffer has less.              */
#ifndef MEDULLA_APP_CLI_INPUT_H
#define MEDULLA_APP_CLI_INPUT_H

#include "app/cli/cli.h"
#include "base/buf.h"

#define INPUT_BYTES_MAX (64u << 20)

/* The text itself, "@FILE", or "-" for standard input. */
bool input_read(struct cli *cli, const char *given, struct buf *ret_text,
                struct err *err) MUST_CHECK;
bool input_file(const char *path, struct buf *ret_text, struct err *err) MUST_CHECK;
/* A whole file written, or nothing; EXISTS when it is there. */
bool output_new_file(const char *path, struct bytes text, struct err *err) MUST_CHECK;

#endif

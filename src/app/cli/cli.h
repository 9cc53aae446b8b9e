/* app/cli/cli.h: the command line: one table of verbs, from which parsing and help derive.
 * Owns:    struct cli lives for one command; its arena holds what verbs make.
 * Errors:  verbs return the exit code: 0 success, 1 the function or the platform failed, 2 wrong
 *          usage, 3 refused, 4 not reachable.
 * Threads: one.
 * Limits:  CLI_ARGS_MAX, CLI_FLAGS_MAX, CLI_GIVEN_MAX, CLI_ARENA_BYTES_MAX.                     */
#ifndef MEDULLA_APP_CLI_CLI_H
#define MEDULLA_APP_CLI_CLI_H

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"

#include <stdio.h>

#define CLI_ARGS_MAX 64
#define CLI_FLAGS_MAX 16
#define CLI_GIVEN_MAX 64 /* flags of the verb on one command line */
#define CLI_ARENA_BYTES_MAX (512u << 20)
#define CLI_URL_DEFAULT "http://127.0.0.1:8080"

enum { CLI_OK, CLI_FAILED, CLI_USAGE, CLI_REFUSED, CLI_UNREACHABLE };

struct cli;

struct cli_flag {
  const char *name;  /* without the dashes; "f" is also taken as -f */
  const char *value; /* what stands behind it, for help; NULL: a switch */
  const char *help;
};

struct cli_verb {
  const char *name;  /* "deploy", "token create" */
  const char *usage; /* its arguments: "DIR" */
  const char *help;  /* one sentence */
  int (*run)(struct cli *cli);
  int args_min, args_max;
  struct cli_flag flags[CLI_FLAGS_MAX];
  bool dashed; /* the first argument may begin with a '-' */
};

/* What the program around the client does itself. */
struct cli_host {
  /* serve: runs until it is told to end. Optional. */
  int (*serve)(struct cli *cli);
};

struct cli {
  const struct cli_host *host;
  const struct cli_verb *verb;
  const char *args[CLI_ARGS_MAX];
  int arg_count;
  const char *values[CLI_FLAGS_MAX]; /* by place in verb->flags; the last one given */
  struct {
    const struct cli_flag *flag;
    const char *value;
  } given[CLI_GIVEN_MAX]; /* all of them, in order */
  int given_count;
  const char *url, *token, *data, *ca; /* common flags as given, or NULL */
  bool json, color;
  FILE *out, *errors, *in;
  struct arena arena;
};

/* The whole command; argv[0] is the program. Returns its exit code. */
int cli_main(const struct cli_host *host, int argc, char **argv, FILE *out, FILE *errors, FILE *in);

/* The value of one of the verb's flags ("" for a switch), or NULL when it was not given. */
const char *cli_flag(const struct cli *cli, const char *name);
/* All values of a flag that may come again; start with at = 0; NULL at the end. */
const char *cli_flag_next(const struct cli *cli, const char *name, int *at);
/* As a whole number from min to max; false: a usage error was printed. */
bool cli_flag_number(struct cli *cli, const char *name, int64_t fallback, int64_t min, int64_t max,
                     int64_t *ret_number);
/* Says what is wrong and how to go on; return these. */
int cli_fail(struct cli *cli, const struct err *err);
int cli_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* verbs.c */
extern const struct cli_verb cli_verbs[];
extern const size_t cli_verb_count;
extern const struct cli_flag cli_common_flags[];
extern const size_t cli_common_flag_count;

/* help.c */
int cli_help(struct cli *cli, const char *name); /* NULL: all verbs */
int cli_help_verb(struct cli *cli, const struct cli_verb *verb);

/* ---- print.c: rows of JSON objects as columns ---- */
enum cli_format {
  CLI_TEXT,
  CLI_TIME,
  CLI_US,
  CLI_BYTES,
  CLI_ID,
  CLI_OUTCOME,
  CLI_MONEY,
  CLI_FUNCTION
};
struct cli_column {
  const char *title, *path; /* path as in json_path */
  int width;                /* at least; negative: to the right */
  enum cli_format format;
};
void cli_print_titles(struct cli *cli, const struct cli_column *columns, size_t count);
void cli_print_row(struct cli *cli, const struct json *row, const struct cli_column *columns,
                   size_t count);
/* All of an array, or the sentence when it is empty. With --json: one object per line. */
void cli_print_rows(struct cli *cli, const struct json *rows, const struct cli_column *columns,
                    size_t count, const char *when_empty);
#define CLI_ROWS(cli, rows, columns, when_empty) \
  cli_print_rows(cli, rows, columns, sizeof(columns) / sizeof *(columns), when_empty)
#define CLI_MONEY_BYTES 256
void cli_money(double amount, char text[CLI_MONEY_BYTES]);
/* Text from elsewhere, without control characters that could talk to a terminal. */
void cli_print_safe(FILE *out, struct bytes text);

#endif

/* app/cli/rows.c: a stream of JSON lines as a table that grows. */
#include "app/cli/client.h"
#include "base/cleanup.h"

struct listing {
  struct cli *cli;
  const struct cli_column *columns;
  size_t column_count, rows;
  bool (*wanted)(void *arg, const struct json *row);
  void *arg;
};

static bool print_line(void *arg, struct bytes line) {
  struct listing *listing = arg;
  struct cli *cli = listing->cli;
  cleanup_arena struct arena arena;
  const struct json *row;
  struct err err;
  arena_init(&arena, CLIENT_LINE_BYTES_MAX * 4);
  if (!json_parse(&arena, line, &row, &err)) return true;
  if (listing->wanted && !listing->wanted(listing->arg, row)) return true;
  if (listing->rows++ == 0) cli_print_titles(cli, listing->columns, listing->column_count);
  if (cli->json)
    fprintf(cli->out, "%.*s\n", BYTES_FMT(line));
  else
    cli_print_row(cli, row, listing->columns, listing->column_count);
  fflush(cli->out);
  return !ferror(cli->out);
}

int cli_stream_rows(struct cli *cli, const char *target, const struct cli_rows *rows) {
  struct err err;
  struct listing listing = {cli, rows->columns, rows->column_count, 0, rows->wanted, rows->arg};
  if (!cli_stream(cli, target, print_line, &listing, &err)) return cli_fail(cli, &err);
  if (!listing.rows && !cli->json) fprintf(cli->out, "%s\n", rows->when_empty);
  return CLI_OK;
}

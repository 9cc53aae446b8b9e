/* app/cli/print.c: values for people: columns of fixed width, so that a stream looks like a table.
 */
#include "app/cli/cli.h"
#include "wire/codec.h"

#include <string.h>

enum { CELL_BYTES_MAX = 256 };

void cli_print_safe(FILE *out, struct bytes text) {
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    /* C1 controls are C2 80 to C2 9F in UTF-8. */
    bool c1 = c == 0xc2 && i + 1 < text.len && text.at[i + 1] < 0xa0;
    bool control = (c < ' ' && c != '\n' && c != '\t') || c == 0x7f || c1;
    fputc(control ? '.' : c, out);
    if (c1) i++;
  }
}

static void format_us(int64_t us, char text[CELL_BYTES_MAX]) {
  if (us < 1000)
    snprintf(text, CELL_BYTES_MAX, "%lld us", (long long)us);
  else if (us < 1000000)
    snprintf(text, CELL_BYTES_MAX, "%.1f ms", (double)us / 1e3);
  else
    snprintf(text, CELL_BYTES_MAX, "%.2f s", (double)us / 1e6);
}

static void format_bytes(int64_t bytes, char text[CELL_BYTES_MAX]) {
  if (bytes < 1 << 10)
    snprintf(text, CELL_BYTES_MAX, "%lld B", (long long)bytes);
  else if (bytes < 1 << 20)
    snprintf(text, CELL_BYTES_MAX, "%.1f KiB", (double)bytes / 1024);
  else
    snprintf(text, CELL_BYTES_MAX, "%.1f MiB", (double)bytes / (1 << 20));
}

/* Plain decimals; small amounts with three digits that say something. */
void cli_money(double amount, char text[CLI_MONEY_BYTES]) {
  int digits = 2;
  for (double edge = 1; digits < 14 && amount > 0 && amount < edge; edge /= 10) digits++;
  snprintf(text, CLI_MONEY_BYTES, "%.*f", digits, amount);
}

static void format_plain(const struct json *value, char text[CELL_BYTES_MAX]) {
  if (value->kind == JSON_TRUE || value->kind == JSON_FALSE)
    snprintf(text, CELL_BYTES_MAX, "%s", value->kind == JSON_TRUE ? "yes" : "no");
  else
    bytes_text(value->kind == JSON_NULL ? BYTES("-") : value->text, text, CELL_BYTES_MAX);
  for (char *c = text; *c; c++)
    if ((uint8_t)*c < ' ' || *c == 0x7f) *c = ' ';
}

static void format_cell(const struct json *value, enum cli_format format,
                        char text[CELL_BYTES_MAX]) {
  int64_t number = 0;
  double amount = 0;
  snprintf(text, CELL_BYTES_MAX, "-");
  if (!value) return;
  format_plain(value, text);
  if (format == CLI_MONEY && json_double(value, &amount)) cli_money(amount, text);
  if (!json_int(value, &number)) return;
  if (format == CLI_TIME && number > 0) {
    rfc3339_format(number, text);
    text[19] = 'Z'; /* whole seconds are enough for eyes */
    text[20] = '\0';
  } else if (format == CLI_US) {
    format_us(number, text);
  } else if (format == CLI_BYTES) {
    format_bytes(number, text);
  }
}

/* Runs have app and function apart. */
static void with_app(const struct json *row, char text[CELL_BYTES_MAX]) {
  struct bytes app = json_get_text(row, "app");
  char function[CELL_BYTES_MAX];
  if (!app.len || strchr(text, '/')) return;
  snprintf(function, sizeof function, "%s", text);
  snprintf(text, CELL_BYTES_MAX, "%.*s/%.*s", (int)(app.len < 100 ? app.len : 100),
           (const char *)app.at, CELL_BYTES_MAX - 102, function);
}

static const char *color_of(const struct cli *cli, enum cli_format format, const char *text) {
  if (!cli->color || format != CLI_OUTCOME) return NULL;
  return strcmp(text, "succeeded") == 0 ? "\033[32m" : "\033[31m";
}

void cli_print_titles(struct cli *cli, const struct cli_column *columns, size_t count) {
  if (cli->json) return;
  for (size_t i = 0; i < count; i++)
    fprintf(cli->out, "%s%*s", i ? "  " : "",
            i + 1 < count || columns[i].width > 0 ? -columns[i].width : 0, columns[i].title);
  fputc('\n', cli->out);
}

void cli_print_row(struct cli *cli, const struct json *row, const struct cli_column *columns,
                   size_t count) {
  for (size_t i = 0; i < count; i++) {
    char text[CELL_BYTES_MAX];
    format_cell(json_path(row, bytes_str(columns[i].path)), columns[i].format, text);
    if (columns[i].format == CLI_FUNCTION) with_app(row, text);
    const char *color = color_of(cli, columns[i].format, text);
    int width = i + 1 < count || columns[i].width < 0 ? -columns[i].width : 0;
    fprintf(cli->out, "%s%s%*s%s", i ? "  " : "", color ? color : "", width, text,
            color ? "\033[0m" : "");
  }
  fputc('\n', cli->out);
}

void cli_print_rows(struct cli *cli, const struct json *rows, const struct cli_column *columns,
                    size_t count, const char *when_empty) {
  const struct json *row = rows && rows->kind == JSON_ARRAY ? rows->first : NULL;
  if (!row && !cli->json) fprintf(cli->out, "%s\n", when_empty);
  if (row) cli_print_titles(cli, columns, count);
  for (; row; row = row->next) {
    if (cli->json)
      fprintf(cli->out, "%.*s\n", BYTES_FMT(row->text));
    else
      cli_print_row(cli, row, columns, count);
  }
}

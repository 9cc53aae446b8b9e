/* app/cli/runs.c: what ran: a list that can be followed, and one run as a timeline. */
#include "app/cli/client.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"
#include "wire/codec.h"

#include <string.h>

static const struct cli_column columns[] = {{"RUN", "id", 36, CLI_ID},
                                            {"SETTLED", "settled_ms", 20, CLI_TIME},
                                            {"FUNCTION", "function", 24, CLI_FUNCTION},
                                            {"VERSION", "version", 7, CLI_TEXT},
                                            {"TRY", "attempt", 3, CLI_TEXT},
                                            {"OUTCOME", "outcome", 9, CLI_OUTCOME},
                                            {"TOOK", "run_us", 9, CLI_US},
                                            {"REASON", "reason", 0, CLI_TEXT}};
enum { COLUMNS = sizeof columns / sizeof *columns };

struct listing {
  struct cli *cli;
  uint64_t count;
};

static bool print_line(void *arg, struct bytes line) {
  struct listing *listing = arg;
  struct cli *cli = listing->cli;
  cleanup_arena struct arena arena;
  const struct json *run;
  struct err err;
  arena_init(&arena, CLIENT_LINE_BYTES_MAX * 4);
  if (listing->count++ == 0) cli_print_titles(cli, columns, COLUMNS);
  if (cli->json)
    fprintf(cli->out, "%.*s\n", BYTES_FMT(line));
  else if (json_parse(&arena, line, &run, &err))
    cli_print_row(cli, run, columns, COLUMNS);
  fflush(cli->out);
  return !ferror(cli->out);
}

int verb_runs(struct cli *cli) {
  struct err err;
  struct listing listing = {.cli = cli};
  int64_t limit;
  char text[24];
  if (!cli_flag_number(cli, "limit", 50, 0, 1000000, &limit)) return CLI_USAGE;
  snprintf(text, sizeof text, "%lld", (long long)limit);
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/runs?limit=", text);
  cli_target_add(&target, "&function=", cli_flag(cli, "function"));
  if (cli_flag(cli, "follow") || cli_flag(cli, "f")) buf_str(&target, "&follow=true");
  buf_char(&target, 0);
  if (!cli_stream(cli, (const char *)target.at, print_line, &listing, &err))
    return cli_fail(cli, &err);
  if (!listing.count && !cli->json) fprintf(cli->out, "no runs yet\n");
  return CLI_OK;
}

/* ---- One run ---- */

static int64_t number_of(const struct json *run, const char *name) {
  int64_t number = 0;
  return json_int(json_get(run, name), &number) ? number : 0;
}

/* A line of the timeline: when, counted from the admission, how long, what. */
static void print_step(struct cli *cli, int64_t at_us, int64_t took_us, struct bytes what,
                       struct bytes status) {
  fprintf(cli->out, "  %+10.3f ms  ", (double)at_us / 1e3);
  if (took_us >= 0)
    fprintf(cli->out, "%9.3f ms  ", (double)took_us / 1e3);
  else
    fprintf(cli->out, "%12s  ", "");
  cli_print_safe(cli->out, what);
  fputs(status.len ? "  " : "", cli->out);
  cli_print_safe(cli->out, status);
  fputc('\n', cli->out);
}

/* The last step of this name: when, counted from the attempt's beginning. */
static int64_t step_at_us(const struct json *run, const char *what, int64_t fallback) {
  const struct json *steps = json_get(run, "steps");
  for (const struct json *step = steps ? steps->first : NULL; step; step = step->next)
    if (bytes_eq_str(json_get_text(step, "what"), what)) fallback = number_of(step, "at_us");
  return fallback;
}

/* Steps of the platform, not of the function. */
static bool is_internal(const struct json *step) {
  static const char *const names[] = {"worker", "conflict", "settle"};
  struct bytes what = json_get_text(step, "what");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (bytes_eq_str(what, names[i])) return true;
  return bytes_eq_str(json_get_text(step, "status"), "asked");
}

static void print_effects(struct cli *cli, const struct json *run, int64_t begin_us) {
  const struct json *steps = json_get(run, "steps");
  bool verbose = cli_flag(cli, "verbose") != NULL;
  for (const struct json *step = steps ? steps->first : NULL; step; step = step->next) {
    bool internal = is_internal(step);
    if (internal && !verbose) continue;
    print_step(cli, begin_us + number_of(step, "at_us"), internal ? -1 : number_of(step, "took_us"),
               json_get_text(step, "what"), json_get_text(step, "status"));
  }
}

/* One clock: microseconds since the admission. The steps count from the attempt's beginning. */
static void print_timeline(struct cli *cli, const struct json *run) {
  int64_t started_ms = number_of(run, "started_ms"), admitted_ms = number_of(run, "admitted_ms");
  int64_t started_us = step_at_us(run, "worker", number_of(run, "wait_us"));
  int64_t ran_us = number_of(run, "run_us");
  int64_t settled_us = step_at_us(run, "settle", started_us + ran_us);
  bool delivered = json_get_text(run, "delivery").len > 0;
  int64_t begin_us = delivered && started_ms ? (started_ms - admitted_ms) * 1000 - started_us : 0;
  if (begin_us < 0) begin_us = 0; /* the admission is known in milliseconds */
  print_step(cli, 0, -1, BYTES("admitted"), BYTES_NONE);
  print_step(cli, begin_us, number_of(run, "wait_us"), BYTES("waited for a worker"), BYTES_NONE);
  if (started_ms) {
    if (number_of(run, "cold"))
      print_step(cli, begin_us + started_us - number_of(run, "start_us"),
                 number_of(run, "start_us"), BYTES("started a worker"), BYTES_NONE);
    print_step(cli, begin_us + started_us, ran_us, BYTES("ran"), BYTES_NONE);
  }
  print_effects(cli, run, begin_us);
  print_step(cli, begin_us + settled_us, -1, BYTES("settled"), json_get_text(run, "outcome"));
  if (started_ms)
    print_step(cli, begin_us + settled_us, number_of(run, "restore_us"),
               BYTES("restored the worker afterwards"), BYTES_NONE);
}

/* What became of the delivery, and when it is tried again. */
static void print_decision(struct cli *cli, const struct json *run) {
  struct bytes decision = json_get_text(run, "decision");
  char time[RFC3339_BYTES];
  if (!decision.len) return;
  fprintf(cli->out, "%-10s %.*s", "decision", BYTES_FMT(decision));
  if (bytes_eq_str(decision, "retry")) {
    rfc3339_format(number_of(run, "next_ms"), time);
    fprintf(cli->out, ": attempt %lld not before %s", (long long)number_of(run, "attempt") + 1,
            time);
  } else if (bytes_eq_str(decision, "dead")) {
    fprintf(cli->out, ": no attempt is left; `medulla dead show %.*s`",
            BYTES_FMT(json_get_text(run, "delivery")));
  } else if (bytes_eq_str(decision, "none")) {
    fputs(": a call is not retried", cli->out);
  }
  fputc('\n', cli->out);
}

static void print_facts(struct cli *cli, const struct json *run) {
  static const struct {
    const char *title, *name;
  } facts[] = {{"version", "version"}, {"event", "event"},         {"delivery", "delivery"},
               {"attempt", "attempt"}, {"outcome", "outcome"},     {"reason", "reason"},
               {"by", "principal"},    {"isolation", "isolation"}, {"trace", "trace"}};
  fprintf(cli->out, "%-10s %.*s\n", "run", BYTES_FMT(json_get_text(run, "id")));
  fprintf(cli->out, "%-10s %.*s%s%.*s\n", "function", BYTES_FMT(json_get_text(run, "app")),
          json_get_text(run, "app").len ? "/" : "", BYTES_FMT(json_get_text(run, "function")));
  for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
    struct bytes text = json_get_text(run, facts[i].name);
    if (!text.len) continue;
    fprintf(cli->out, "%-10s ", facts[i].title);
    cli_print_safe(cli->out, text);
    fputc('\n', cli->out);
  }
  print_decision(cli, run);
  fprintf(cli->out, "%-10s %lld us CPU, %.1f MiB at most, %lld B in, %lld B out\n", "used",
          (long long)number_of(run, "cpu_us"), (double)number_of(run, "memory_bytes") / (1 << 20),
          (long long)number_of(run, "in_bytes"), (long long)number_of(run, "out_bytes"));
}

static void print_part(struct cli *cli, const char *title, struct bytes text) {
  if (!text.len) return;
  fprintf(cli->out, "\n%s\n", title);
  cli_print_safe(cli->out, text);
  if (text.at[text.len - 1] != '\n') fputc('\n', cli->out);
}

int verb_run(struct cli *cli) {
  struct err err;
  const struct json *run;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/runs/", cli->args[0]);
  buf_char(&target, 0);
  if (!cli_call(cli, "GET", (const char *)target.at, BYTES_NONE, &run, &err))
    return cli_fail(cli, &err);
  if (cli->json) {
    fprintf(cli->out, "%.*s\n", run ? (int)run->text.len : 0,
            run ? (const char *)run->text.at : "");
    return CLI_OK;
  }
  print_facts(cli, run);
  fputc('\n', cli->out);
  print_timeline(cli, run);
  print_part(cli, "error", json_get_text(run, "error"));
  print_part(cli, "log", json_get_text(run, "log"));
  return CLI_OK;
}

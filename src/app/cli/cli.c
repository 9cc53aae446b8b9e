/* app/cli/cli.c: words into a verb, its flags and its arguments. */
#include "app/cli/cli.h"

#include "base/nearest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *cli_flag(const struct cli *cli, const char *name) {
  for (size_t i = 0; i < CLI_FLAGS_MAX && cli->verb->flags[i].name; i++)
    if (strcmp(cli->verb->flags[i].name, name) == 0) return cli->values[i];
  return NULL;
}

const char *cli_flag_next(const struct cli *cli, const char *name, int *at) {
  while (*at < cli->given_count) {
    int i = (*at)++;
    if (strcmp(cli->given[i].flag->name, name) == 0) return cli->given[i].value;
  }
  return NULL;
}

bool cli_flag_number(struct cli *cli, const char *name, int64_t fallback, int64_t min, int64_t max,
                     int64_t *ret_number) {
  const char *text = cli_flag(cli, name);
  uint64_t number = (uint64_t)fallback;
  if (text &&
      (!bytes_u64(bytes_str(text), &number) || number < (uint64_t)min || number > (uint64_t)max)) {
    cli_usage(cli, "--%s takes a number from %lld to %lld", name, (long long)min, (long long)max);
    return false;
  }
  *ret_number = (int64_t)number;
  return true;
}

static void print_error(struct cli *cli, enum err_code code, const char *message) {
  if (cli->json) {
    struct buf buf;
    struct json_out out;
    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    json_out_open(&out, '{');
    json_out_name(&out, "error");
    json_out_open(&out, '{');
    json_out_member_str(&out, "code", err_facts(code)->word);
    json_out_member_str(&out, "message", message);
    json_out_close(&out, '}');
    json_out_close(&out, '}');
    fprintf(cli->errors, "%.*s\n", BYTES_FMT(buf_bytes(&buf)));
    buf_fini(&buf);
    return;
  }
  fputs("medulla: ", cli->errors);
  cli_print_safe(cli->errors, bytes_str(message));
  fputc('\n', cli->errors);
}

/* What to do about it, where there is something to do. */
static const char *advice_for(const struct cli *cli, enum err_code code) {
  bool here = cli->verb && strcmp(cli->verb->name, "serve") == 0; /* nobody else refused it */
  switch ((int)code) {
  case ERR_UNREACHABLE:
    return "Is it running? Start it with: medulla serve --data DIR; or name it with --url or "
           "MEDULLA_URL.";
  case ERR_UNAUTHENTICATED:
    return "Give a token with --token, MEDULLA_TOKEN, or --data DIR (reads DIR/admin.token).";
  case ERR_DENIED:
    if (here) return "Look at the owner and mode of the folder and its key; who runs this may not.";
    return "The token's role does not allow this. medulla token list shows the roles.";
  case ERR_BUSY:
  case ERR_UNAVAILABLE: return "Try again in a moment; medulla doctor shows what is busy.";
  default: return NULL;
  }
}

int cli_fail(struct cli *cli, const struct err *err) {
  const char *advice = advice_for(cli, err->code);
  print_error(cli, err->code, err->detail[0] ? err->detail : err_facts(err->code)->sentence);
  if (advice && !cli->json) fprintf(cli->errors, "  %s\n", advice);
  return err_facts(err->code)->exit_code;
}

int cli_usage(struct cli *cli, const char *format, ...) {
  char message[512];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  print_error(cli, ERR_USAGE, message);
  if (!cli->json && cli->verb)
    fprintf(cli->errors, "  usage: medulla %s %s\n", cli->verb->name, cli->verb->usage);
  else if (!cli->json)
    fprintf(cli->errors, "  medulla help lists all verbs.\n");
  return CLI_USAGE;
}

/* ---- Words ---- */

struct words {
  char **argv;
  int argc, at;
};

/* "--name" or "-f", with or without "=value". */
static bool is_flag(const char *word, const struct cli_flag *flag) {
  size_t dashes = word[0] == '-' && word[1] == '-' ? 2 : 1;
  size_t len = strlen(flag->name);
  if ((dashes == 1) != (len == 1)) return false;
  return strncmp(word + dashes, flag->name, len) == 0 &&
         (word[dashes + len] == '\0' || word[dashes + len] == '=');
}

/* The flag's value from the word itself or the next one; NULL: a usage error was printed. */
static const char *take_value(struct cli *cli, struct words *words, const struct cli_flag *flag) {
  const char *word = words->argv[words->at];
  const char *equals = strchr(word, '=');
  if (!flag->value && equals) {
    cli_usage(cli, "--%s takes no value", flag->name);
    return NULL;
  }
  if (!flag->value) return "";
  if (equals) return equals + 1;
  if (words->at + 1 < words->argc) return words->argv[++words->at];
  cli_usage(cli, "--%s needs a value: %s", flag->name, flag->value);
  return NULL;
}

static bool set_common(struct cli *cli, const char *name, const char *value) {
  if (strcmp(name, "url") == 0) cli->url = value;
  if (strcmp(name, "token") == 0) cli->token = value;
  if (strcmp(name, "data") == 0) cli->data = value;
  if (strcmp(name, "ca") == 0) cli->ca = value;
  if (strcmp(name, "json") == 0) cli->json = true;
  return true;
}

static bool unknown_flag(struct cli *cli, const char *word) {
  const char *names[CLI_FLAGS_MAX * 2];
  size_t count = 0;
  for (size_t i = 0; i < cli_common_flag_count; i++) names[count++] = cli_common_flags[i].name;
  for (size_t i = 0; cli->verb && i < CLI_FLAGS_MAX && cli->verb->flags[i].name; i++)
    names[count++] = cli->verb->flags[i].name;
  struct bytes given = bytes_from(bytes_str(word), word[1] == '-' ? 2 : 1), rest;
  const char *near = nearest_word(bytes_cut(given, '=', &rest), names, count);
  cli_usage(cli, "%s has no flag %s%s%s%s", cli->verb ? cli->verb->name : "medulla", word,
            near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
  return false;
}

static bool take_own(struct cli *cli, struct words *words, size_t i) {
  const struct cli_flag *flag = &cli->verb->flags[i];
  cli->values[i] = take_value(cli, words, flag);
  if (!cli->values[i]) return false;
  if (cli->given_count == CLI_GIVEN_MAX) {
    cli_usage(cli, "at most %d flags are taken", CLI_GIVEN_MAX);
    return false;
  }
  cli->given[cli->given_count].flag = flag;
  cli->given[cli->given_count++].value = cli->values[i];
  return true;
}

static bool knows_flag(const struct cli *cli, const char *word) {
  for (size_t i = 0; i < CLI_FLAGS_MAX && cli->verb->flags[i].name; i++)
    if (is_flag(word, &cli->verb->flags[i])) return true;
  for (size_t i = 0; i < cli_common_flag_count; i++)
    if (is_flag(word, &cli_common_flags[i])) return true;
  return false;
}

static bool take_flag(struct cli *cli, struct words *words) {
  const char *word = words->argv[words->at];
  for (size_t i = 0; cli->verb && i < CLI_FLAGS_MAX && cli->verb->flags[i].name; i++)
    if (is_flag(word, &cli->verb->flags[i])) return take_own(cli, words, i);
  for (size_t i = 0; i < cli_common_flag_count; i++) {
    if (!is_flag(word, &cli_common_flags[i])) continue;
    const char *value = take_value(cli, words, &cli_common_flags[i]);
    return value && set_common(cli, cli_common_flags[i].name, value);
  }
  return unknown_flag(cli, word);
}

static bool take_words(struct cli *cli, struct words *words) {
  bool only_args = false;
  for (; words->at < words->argc; words->at++) {
    const char *word = words->argv[words->at];
    bool dashed = cli->verb->dashed && cli->arg_count == 0 && !knows_flag(cli, word);
    if (!only_args && strcmp(word, "--") == 0) {
      only_args = true;
    } else if (!only_args && !dashed && word[0] == '-' && word[1]) {
      if (!take_flag(cli, words)) return false;
    } else if (cli->arg_count == CLI_ARGS_MAX) {
      cli_usage(cli, "at most %d arguments are taken", CLI_ARGS_MAX);
      return false;
    } else {
      cli->args[cli->arg_count++] = word;
    }
  }
  if (cli->arg_count >= cli->verb->args_min && cli->arg_count <= cli->verb->args_max) return true;
  cli_usage(cli, cli->arg_count < cli->verb->args_min ? "something is missing"
                                                      : "there is an argument too many");
  return false;
}

/* Two words before one: "token create", then "token". */
static const struct cli_verb *find_verb(struct words *words) {
  const char *first = words->argv[words->at];
  const char *second = words->at + 1 < words->argc ? words->argv[words->at + 1] : "";
  char both[64];
  snprintf(both, sizeof both, "%s %s", first, second);
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < cli_verb_count; i++) {
      if (strcmp(cli_verbs[i].name, pass ? first : both) != 0) continue;
      words->at += pass ? 1 : 2;
      return &cli_verbs[i];
    }
  return NULL;
}

static int unknown_verb(struct cli *cli, struct words *words) {
  const char *names[64];
  size_t count = 0;
  bool family = false;
  char both[64];
  const char *first = words->argv[words->at];
  const char *second = words->at + 1 < words->argc ? words->argv[words->at + 1] : "";
  for (size_t i = 0; i < cli_verb_count && count < 64; i++) {
    names[count++] = cli_verbs[i].name;
    size_t len = strlen(first);
    family |= strncmp(cli_verbs[i].name, first, len) == 0 && cli_verbs[i].name[len] == ' ';
  }
  snprintf(both, sizeof both, "%s%s%s", first, family ? " " : "", family ? second : "");
  const char *near = nearest_word(bytes_str(both), names, count);
  if (family && !near)
    return cli_usage(cli, "%s needs one more word; medulla help %s", first, first);
  return cli_usage(cli, "there is no verb %s%s%s%s", both, near ? "; did you mean " : "",
                   near ? near : "", near ? "?" : "");
}

static bool asks_for_help(const struct words *words) {
  for (int i = words->at; i < words->argc && strcmp(words->argv[i], "--") != 0; i++)
    if (strcmp(words->argv[i], "--help") == 0 || strcmp(words->argv[i], "-h") == 0) return true;
  return false;
}

/* Common flags may stand in front of the verb, too. */
static bool take_flags_in_front(struct cli *cli, struct words *words) {
  for (; words->at < words->argc && words->argv[words->at][0] == '-'; words->at++)
    if (!take_flag(cli, words)) return false;
  return true;
}

static int run(struct cli *cli, struct words *words) {
  /* Known before all else, so that a usage error is JSON as well. */
  for (int i = 1; i < words->argc; i++)
    if (strcmp(words->argv[i], "--json") == 0) cli->json = true;
  const char *first = words->argc > 1 ? words->argv[1] : "";
  if (strcmp(first, "help") == 0 || strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
    return cli_help(cli, words->argc > 2 ? words->argv[2] : NULL);
  if (!take_flags_in_front(cli, words)) return CLI_USAGE;
  if (words->at == words->argc) {
    cli_help(cli, NULL);
    return CLI_USAGE;
  }
  first = words->argv[words->at];
  const struct cli_verb *verb = find_verb(words);
  if (!verb && asks_for_help(words)) return cli_help(cli, first);
  if (!verb) return unknown_verb(cli, words);
  cli->verb = verb;
  if (asks_for_help(words)) return cli_help_verb(cli, verb);
  return take_words(cli, words) ? verb->run(cli) : CLI_USAGE;
}

int cli_main(const struct cli_host *host, int argc, char **argv, FILE *out, FILE *errors,
             FILE *in) {
  struct cli cli = {.host = host, .out = out, .errors = errors, .in = in};
  struct words words = {.argv = argv, .argc = argc, .at = 1};
  cli.color = fileno(out) >= 0 && isatty(fileno(out)) && !getenv("NO_COLOR");
  arena_init(&cli.arena, CLI_ARENA_BYTES_MAX);
  int code = run(&cli, &words);
  arena_fini(&cli.arena);
  if (fflush(out) != 0 && code == CLI_OK) code = CLI_FAILED;
  return code;
}

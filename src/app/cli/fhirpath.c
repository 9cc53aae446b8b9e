/* app/cli/fhirpath.c: evaluate a FHIRPath expression over a file, without a server. */
#include "app/cli/input.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"
#include "fhir/model.h"
#include "fhir/path.h"
#include "os/clock.h"

#include <string.h>

enum { VARIABLES_MAX = 64, OUTPUT_BYTES_MAX = 256 << 20 };

struct evaluation {
  struct cli *cli;
  struct fhir_path_value context;
  bool has_context;
  struct fhir_path_options options;
  struct fhir_path_variable variables[VARIABLES_MAX];
  struct fhir_path_value values[VARIABLES_MAX];
  struct fhir_path_env env;
};

static bool read_document(struct evaluation *e, const char *name, struct err *err) {
  cleanup_buf struct buf text;
  const struct json *document;
  buf_init(&text, INPUT_BYTES_MAX);
  if (strcmp(name, "-") == 0)
    TRY(input_read(e->cli, name, &text, err));
  else
    TRY(input_file(name, &text, err));
  struct bytes kept = arena_copy(&e->cli->arena, buf_bytes(&text));
  if (!arena_ok(&e->cli->arena)) FAIL(ERR_LIMIT, "the document is too large");
  if (!json_parse(&e->cli->arena, kept, &document, err)) {
    char detail[sizeof err->detail];
    snprintf(detail, sizeof detail, "%.64s: %.150s (byte %llu)", name, err->detail,
             (unsigned long long)err->offset);
    FAIL_AT(err->code, err->offset, "%s", detail);
  }
  e->context = fhir_path_resource(document);
  e->has_context = true;
  return true;
}

/* A type given by hand serves for what does not say its own: a HumanName, a fragment. */
static bool set_type(struct evaluation *e, struct err *err) {
  const char *given = cli_flag(e->cli, "resource-type");
  const struct fhir_type *type = given ? fhir_type_find(bytes_str(given)) : NULL;
  if (given && !type) FAIL(ERR_USAGE, "there is no FHIR type %.64s", given);
  if (type) e->context.type = fhir_type_id(type);
  if (!e->has_context && !type) e->context.type = FHIR_NONE;
  return true;
}

/* A value that is JSON is taken as such; anything else is a text. */
static bool add_variable(struct evaluation *e, const char *given, struct err *err) {
  struct bytes value;
  struct bytes name = bytes_cut(bytes_str(given), '=', &value);
  const struct json *node = NULL;
  struct err ignored;
  size_t i = e->env.variable_count;
  if (name.len == 0 || name.len == strlen(given)) FAIL(ERR_USAGE, "--env takes NAME=VALUE");
  if (i == VARIABLES_MAX) FAIL(ERR_USAGE, "at most %d variables are taken", VARIABLES_MAX);
  if (json_parse(&e->cli->arena, value, &node, &ignored)) {
    e->values[i] = fhir_path_resource(node);
    if (!fhir_path_system(&e->cli->arena, &e->values[i], &e->values[i]) && node->kind == JSON_NULL)
      e->values[i].element.node = NULL;
  } else {
    e->values[i] = fhir_path_string(value);
  }
  size_t count = !node || node->kind != JSON_NULL;
  e->variables[i] = (struct fhir_path_variable){name, &e->values[i], count};
  e->env.variable_count++;
  return true;
}

/* The end of a URL is the reference when a slash stands before it. */
static bool ends_with(struct bytes url, struct bytes reference) {
  return bytes_eq(url, reference) || (url.len > reference.len && bytes_ends(url, reference) &&
                                      url.at[url.len - reference.len - 1] == '/');
}

static bool is_named(const struct json *resource, struct bytes reference) {
  struct bytes id;
  struct bytes type = bytes_cut(reference, '/', &id);
  return id.len && bytes_eq(json_get_text(resource, "resourceType"), type) &&
         bytes_eq(json_get_text(resource, "id"), id);
}

/* A Bundle's entries refer to each other; what is elsewhere is not asked for. */
static bool resolve(void *user, struct bytes reference, struct fhir_path_value *ret_value,
                    bool *ret_found, struct err *err) {
  const struct evaluation *e = user;
  (void)err;
  if (!e->has_context || reference.len == 0) return true;
  const struct json *entries = json_get(e->context.element.node, "entry");
  const struct json *entry = entries && entries->kind == JSON_ARRAY ? entries->first : NULL;
  for (; entry; entry = entry->next) {
    const struct json *resource = json_get(entry, "resource");
    if (!ends_with(json_get_text(entry, "fullUrl"), reference) && !is_named(resource, reference))
      continue;
    *ret_value = fhir_path_resource(resource);
    *ret_found = resource != NULL;
    return true;
  }
  return true;
}

static void print_trace(void *user, struct bytes name, struct fhir_path_result values) {
  struct evaluation *e = user;
  cleanup_buf struct buf text;
  struct json_out out;
  buf_init(&text, OUTPUT_BYTES_MAX);
  json_out_init(&out, &text);
  fhir_path_write(&out, values);
  fputs("trace ", e->cli->errors);
  cli_print_safe(e->cli->errors, name);
  fprintf(e->cli->errors, ": %.*s\n", BYTES_FMT(buf_bytes(&text)));
}

static bool print_result(struct cli *cli, struct fhir_path_result result, struct err *err) {
  cleanup_buf struct buf text;
  struct json_out out;
  buf_init(&text, OUTPUT_BYTES_MAX);
  json_out_init(&out, &text);
  fhir_path_write(&out, result);
  if (!buf_ok(&text)) FAIL(ERR_LIMIT, "the result is larger than %d bytes", OUTPUT_BYTES_MAX);
  fwrite(text.at, 1, text.len, cli->out);
  fputc('\n', cli->out);
  return true;
}

static bool evaluate(struct evaluation *e, struct err *err) {
  const struct fhir_path *path;
  struct fhir_path_result result;
  TRY(fhir_path_compile(&e->cli->arena, bytes_str(e->cli->args[0]), &e->options, &path, err));
  struct fhir_path_machine *machine = fhir_path_machine_new(NULL);
  bool ok =
      fhir_path_eval(machine, path, e->has_context ? &e->context : NULL, &e->env, &result, err) &&
      print_result(e->cli, result, err);
  fhir_path_machine_free(&machine);
  return ok;
}

static bool prepare(struct evaluation *e, struct err *err) {
  int at = 0;
  const char *given;
  if (e->cli->arg_count > 1) TRY(read_document(e, e->cli->args[1], err));
  TRY(set_type(e, err));
  while ((given = cli_flag_next(e->cli, "env", &at))) TRY(add_variable(e, given, err));
  e->options.type = e->context.type;
  e->options.strict = !cli_flag(e->cli, "lenient");
  e->env.variables = e->variables;
  e->env.now_ms = clock_wall_ms(clock_real());
  e->env.user = e;
  e->env.resolve = resolve;
  if (cli_flag(e->cli, "trace")) e->env.trace = print_trace;
  return true;
}

int verb_fhirpath(struct cli *cli) {
  struct evaluation e = {.cli = cli, .context.type = FHIR_NONE};
  struct err err = {.offset = ERR_OFFSET_NONE};
  if (!prepare(&e, &err)) return cli_fail(cli, &err);
  if (evaluate(&e, &err)) return CLI_OK;
  if (err.offset != ERR_OFFSET_NONE) {
    char detail[sizeof err.detail];
    snprintf(detail, sizeof detail, "%.200s (at byte %llu)", err.detail,
             (unsigned long long)err.offset);
    memcpy(err.detail, detail, sizeof detail);
  }
  return cli_fail(cli, &err);
}

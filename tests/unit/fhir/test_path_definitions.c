/* FHIRPath over what R4 defines: every invariant and search parameter compiles, and evaluates over
 * the official examples without an error. */
#include "../test.h"

#include "base/cleanup.h"
#include "fhir/model.h"
#include "fhir/path.h"

#include <dirent.h>

enum { ARENA_BYTES = 64 << 20, FILE_BYTES = 4 << 20, EXAMPLES = 71, DEPTH_MAX = 64 };

static struct arena programs;
static const struct fhir_path *rules[FHIR_RULES];
static const struct fhir_path *parameters[FHIR_PARAMETERS];
static struct fhir_path_machine *machine;
static size_t evaluated;
static const char *file_name = "";

static void compile(struct bytes text, const struct fhir_path_options *options,
                    const struct fhir_path **ret_path) {
  struct err err;
  if (!fhir_path_compile(&programs, text, options, ret_path, &err))
    fail_msg("%.*s: %s at %llu", BYTES_FMT(text), err.detail, (unsigned long long)err.offset);
}

static void compile_rule(const struct fhir_rule *rule) {
  if (rule->expression.len) compile(fhir_text(rule->expression), NULL, &rules[fhir_rule_id(rule)]);
}

static void compile_type(const struct fhir_type *type) {
  for (size_t i = 0; i < type->rule_count; i++) compile_rule(fhir_type_rule(type, i));
  for (size_t e = 0; e < type->element_count; e++) {
    const struct fhir_element *element = fhir_element_at(type->element_first + e);
    for (size_t i = 0; i < element->rule_count; i++) compile_rule(fhir_element_rule(element, i));
  }
}

static void test_rules_compile(void **state) {
  size_t count = 0;
  for (size_t id = 0; id < FHIR_TYPES; id++) compile_type(fhir_type_at(id));
  for (size_t i = 0; i < FHIR_RULES; i++) count += rules[i] != NULL;
  assert_true(count > 200);
}

static void test_parameters_compile(void **state) {
  struct fhir_path_options options = {.lenient_as = true, .strict = true};
  for (size_t id = 0; id < FHIR_TYPES; id++) {
    const struct fhir_type *type = fhir_type_at(id);
    options.type = (uint16_t)id;
    for (size_t i = 0; i < type->parameter_count; i++) {
      size_t at = type->parameter_first + i;
      struct bytes text = fhir_text(fhir_parameter_at(at)->expression);
      if (text.len) compile(text, &options, &parameters[at]);
    }
  }
}

static void evaluate(const struct fhir_path *path, const struct fhir_path_value *value,
                     const struct fhir_path_env *env, struct bytes what) {
  struct fhir_path_result result;
  struct err err;
  evaluated++;
  if (!fhir_path_eval(machine, path, value, env, &result, &err))
    fail_msg("%.*s: %s at %llu", BYTES_FMT(what), err.detail, (unsigned long long)err.offset);
}

/* The examples keep the rules, but for these, which really break them. A reference without a text
 * leaves ref-1 empty, so the validator answers for it. */
static const struct {
  const char *file, *key;
} KNOWN[] = {{"codesystem-example.json", "csd-1"}}; /* one code stands there twice */

static bool is_known(struct bytes key) {
  if (bytes_eq_str(key, "ref-1")) return true;
  for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
    if (bytes_eq_str(key, KNOWN[i].key) && strcmp(file_name, KNOWN[i].file) == 0) return true;
  return false;
}

static void evaluate_rule(const struct fhir_rule *rule, const struct fhir_path_value *value,
                          const struct fhir_path_env *env) {
  const struct fhir_path *path = rules[fhir_rule_id(rule)];
  bool holds;
  struct err err;
  if (!path) return;
  evaluate(path, value, env, fhir_text(rule->expression));
  assert_ok(fhir_path_holds(machine, path, value, env, &holds, &err), err);
  if (!holds && !rule->warning && !is_known(fhir_text(rule->key)))
    fail_msg("%s: %.*s does not hold", file_name, BYTES_FMT(fhir_text(rule->key)));
}

static void visit(const struct fhir_path_value *value, const struct fhir_path_env *env, int depth);

static void visit_member(const struct fhir_path_value *parent, const struct json *node,
                         const struct fhir_path_env *env, int depth) {
  const struct fhir_type *type = fhir_type_at(parent->type);
  const struct fhir_member *member = fhir_member_find(type, node->name);
  if (!member || member->type == FHIR_NONE) return;
  const struct fhir_element *element = fhir_element_at(member->element);
  bool many = node->kind == JSON_ARRAY;
  for (const struct json *item = many ? node->first : node; item; item = many ? item->next : NULL) {
    if (item->kind == JSON_NULL) continue;
    struct fhir_path_value value = fhir_path_element(item, NULL, member->type);
    if (member->type == FHIR_TYPE_RESOURCE) value = fhir_path_resource(item);
    for (size_t i = 0; i < element->rule_count; i++)
      evaluate_rule(fhir_element_rule(element, i), &value, env);
    visit(&value, env, depth + 1);
  }
}

static void visit(const struct fhir_path_value *value, const struct fhir_path_env *env, int depth) {
  struct fhir_path_env inner = *env;
  assert_true(depth < DEPTH_MAX);
  const struct fhir_type *type = fhir_type_at(value->type);
  if (type->kind == FHIR_KIND_RESOURCE) inner.resource = value;
  for (const struct fhir_type *at = type; at;
       at = at->base == FHIR_NONE ? NULL : fhir_type_at(at->base))
    for (size_t i = 0; i < at->rule_count; i++) evaluate_rule(fhir_type_rule(at, i), value, &inner);
  const struct json *node = value->element.node;
  for (const struct json *at = node->kind == JSON_OBJECT ? node->first : NULL; at; at = at->next)
    visit_member(value, at, &inner, depth);
}

static void read_file(const char *folder, const char *name, struct buf *ret_text) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "re");
  assert_non_null(file);
  uint8_t *at = buf_room(ret_text, FILE_BYTES);
  buf_grew(ret_text, fread(at, 1, FILE_BYTES, file));
  fclose(file);
}

static void evaluate_file(const char *folder, const char *name) {
  cleanup_buf struct buf text;
  cleanup_arena struct arena arena;
  const struct json *document;
  struct err err;
  file_name = name;
  buf_init(&text, FILE_BYTES);
  arena_init(&arena, ARENA_BYTES);
  read_file(folder, name, &text);
  assert_ok(json_parse(&arena, buf_bytes(&text), &document, &err), err);
  struct fhir_path_value resource = fhir_path_resource(document);
  struct fhir_path_env env = {.root_resource = &resource, .resource = &resource};
  if (resource.type == FHIR_NONE) return;
  visit(&resource, &env, 0);
  for (const struct fhir_type *at = fhir_type_at(resource.type); at;
       at = at->base == FHIR_NONE ? NULL : fhir_type_at(at->base))
    for (size_t i = 0; i < at->parameter_count; i++) {
      size_t place = at->parameter_first + i;
      if (parameters[place])
        evaluate(parameters[place], &resource, &env,
                 fhir_text(fhir_parameter_at(place)->expression));
    }
}

static void test_examples(void **state) {
  const char *shared = getenv("MEDULLA_SHARED");
  char folder[512];
  snprintf(folder, sizeof folder, "%s/data/fhir-r4-examples", shared ? shared : "");
  DIR *files = opendir(folder);
  if (!files) {
    print_message("# the FHIR examples are not here: %d files skipped\n", EXAMPLES);
    return;
  }
  const struct dirent *entry;
  size_t count = 0;
  while ((entry = readdir(files))) {
    if (!bytes_ends(bytes_str(entry->d_name), BYTES(".json"))) continue;
    evaluate_file(folder, entry->d_name);
    count++;
  }
  closedir(files);
  assert_true(count > 0 && evaluated > 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rules_compile),
      cmocka_unit_test(test_parameters_compile),
      cmocka_unit_test(test_examples),
  };
  arena_init(&programs, ARENA_BYTES);
  machine = fhir_path_machine_new(NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  fhir_path_machine_free(&machine);
  arena_fini(&programs);
  return failed;
}

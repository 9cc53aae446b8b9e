/* fhir/validate_rule.c: invariants. Those that hold for every element or resource are answered by
 * hand, the others by FHIRPath: compiled once for a validator, listed by type with what the base
 * types add. */
#include "base/must.h"
#include "fhir/path.h"
#include "fhir/validate_impl.h"

#include <stdlib.h>
#include <string.h>

enum { TYPE_RULES_MAX = 8192 };
#define PROGRAMS_BYTES_MAX ((size_t)8 << 20)

struct rules {
  struct arena arena;
  struct fhir_path_machine *machine;
  const struct fhir_path *programs[FHIR_RULES]; /* NULL: by hand */
  uint16_t first[FHIR_TYPES + 1];               /* into `ids`: from first[id] to first[id + 1] */
  uint16_t ids[TYPE_RULES_MAX];
};

/* ele-1 and dom-2 to dom-5 are checked in the walk, ref-1 with references, bdl-7 with bundles. */
static const char *const by_hand[] = {"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5",
                                      "dom-6", "ref-1", "bdl-7", "txt-1", "txt-2"};

static bool is_by_hand(const struct fhir_rule *rule) {
  for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++)
    if (bytes_eq_str(fhir_text(rule->key), by_hand[i])) return true;
  return false;
}

static void list_rules(struct rules *rules) {
  size_t used = 0;
  for (size_t id = 0; id < FHIR_TYPES; id++) {
    rules->first[id] = (uint16_t)used;
    for (uint16_t at = (uint16_t)id; at != FHIR_NONE; at = fhir_type_at(at)->base) {
      const struct fhir_type *type = fhir_type_at(at);
      for (size_t i = 0; i < type->rule_count; i++) {
        uint16_t rule = fhir_rule_id(fhir_type_rule(type, i));
        must(used < TYPE_RULES_MAX);
        if (rules->programs[rule]) rules->ids[used++] = rule;
      }
    }
  }
  rules->first[FHIR_TYPES] = (uint16_t)used;
}

struct rules *rules_new(void) {
  struct rules *rules = must_alloc(sizeof *rules);
  memset(rules, 0, sizeof *rules);
  arena_init(&rules->arena, PROGRAMS_BYTES_MAX);
  for (size_t i = 0; i < FHIR_RULES; i++) {
    const struct fhir_rule *rule = fhir_rule_at(i);
    if (is_by_hand(rule)) continue;
    must(fhir_path_compile(&rules->arena, fhir_text(rule->expression), NULL, &rules->programs[i],
                           NULL));
  }
  list_rules(rules);
  rules->machine = fhir_path_machine_new(NULL);
  return rules;
}

void rules_free(struct rules **rules_take) {
  fhir_path_machine_free(&(*rules_take)->machine);
  arena_fini(&(*rules_take)->arena);
  free(*rules_take);
  *rules_take = NULL;
}

/* resolve() knows what is contained and the entries of the bundle. */
static bool resolve(void *user, struct bytes reference, struct fhir_path_value *ret_value,
                    bool *ret_found, struct err *err) {
  const struct json *found = walk_find(user, reference);
  (void)err;
  *ret_found = found != NULL;
  if (found) *ret_value = fhir_path_resource(found);
  return true;
}

static void check_rule(struct walk *w, const struct place *place, const struct item *item,
                       const struct fhir_rule *rule) {
  struct rules *rules = validator_rules(w->validator);
  const struct fhir_path *program = rules->programs[fhir_rule_id(rule)];
  struct fhir_path_value resource = fhir_path_resource(w->resource);
  struct fhir_path_value root = fhir_path_resource(w->container);
  struct fhir_path_value context =
      item->element ? fhir_path_element(item->node, item->side, fhir_type_id(item->type))
                    : resource;
  const struct fhir_path_env env = {
      .resource = &resource, .root_resource = &root, .user = w, .resolve = resolve};
  enum fhir_severity severity = rule->warning ? FHIR_WARNING : FHIR_ERROR;
  struct err err;
  bool holds;
  if (!program || (w->options->errors_only && rule->warning)) return;
  if (!fhir_path_holds(rules->machine, program, &context, &env, &holds, &err))
    walk_problem(w, place, FHIR_WARNING, FHIR_ISSUE_PROCESSING, "%.*s could not be checked: %s",
                 BYTES_FMT(fhir_text(rule->key)), err_facts(err.code)->sentence);
  else if (!holds)
    walk_problem(w, place, severity, FHIR_ISSUE_INVARIANT, "%.*s: %.*s",
                 BYTES_FMT(fhir_text(rule->key)), BYTES_FMT(fhir_text(rule->human)));
}

static void check_rules(struct walk *w, const struct place *place, const struct item *item) {
  const struct rules *rules = validator_rules(w->validator);
  uint16_t type = fhir_type_id(item->type);
  for (size_t i = rules->first[type]; i < rules->first[type + 1]; i++)
    check_rule(w, place, item, fhir_rule_at(rules->ids[i]));
  if (!item->element) return;
  for (size_t i = 0; i < item->element->rule_count; i++)
    check_rule(w, place, item, fhir_element_rule(item->element, i));
  if (item->declared->profile == FHIR_NONE) return;
  const struct fhir_type *profile = fhir_type_at(item->declared->profile);
  for (size_t i = 0; i < profile->rule_count; i++)
    check_rule(w, place, item, fhir_type_rule(profile, i));
}

/* ext-1: "Must have either extensions or value[x], not both" */
static void check_extension(struct walk *w, const struct place *place, const struct json *node) {
  bool has_extension = false, has_value = false;
  for (const struct json *member = node->first; member; member = member->next) {
    struct bytes name =
        member->name.len && member->name.at[0] == '_' ? bytes_from(member->name, 1) : member->name;
    has_extension |= bytes_eq_str(name, "extension");
    has_value |= name.len > 5 && bytes_starts(name, BYTES("value"));
  }
  if (has_extension == has_value)
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_INVARIANT,
                 "ext-1: an extension must have either a value or extensions, not both");
}

/* dom-6: "A resource should have narrative for robust management" */
static void check_narrative(struct walk *w, const struct place *place, const struct json *node) {
  if (!json_get(json_get(node, "text"), "div") && !w->contained)
    walk_problem(w, place, FHIR_WARNING, FHIR_ISSUE_INVARIANT,
                 "dom-6: a resource should have a narrative");
}

static void check_xhtml(struct walk *w, const struct place *place, const struct json *node) {
  const char *problem = node->kind == JSON_STRING ? narrative_problem(node->text) : NULL;
  if (problem)
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_INVARIANT, "txt-1, txt-2: the narrative %s",
                 problem);
}

void walk_rules(struct walk *w, const struct place *place, const struct item *item) {
  uint16_t type = fhir_type_id(item->type);
  bool has_node = item->node && item->node->kind != JSON_NULL;
  if (has_node && type == FHIR_TYPE_EXTENSION)
    check_extension(w, place, item->node);
  else if (has_node && type == FHIR_TYPE_XHTML)
    check_xhtml(w, place, item->node);
  else if (fhir_type_is(item->type, FHIR_TYPE_DOMAINRESOURCE))
    check_narrative(w, place, item->node);
  check_rules(w, place, item);
}

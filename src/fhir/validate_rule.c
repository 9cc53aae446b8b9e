/* fhir/validate_rule.c: invariants. Those that hold for every element or resource are answered by
 * hand, the others by FHIRPath. */
#include "base/must.h"
#include "fhir/validate_impl.h"

#include <stdlib.h>

struct rules {
  bool by_hand[FHIR_RULES];
};

/* ele-1 and dom-2 to dom-5 are checked in the walk, ref-1 with references, bdl-7 with bundles. */
static const char *const hand_keys[] = {"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5",
                                        "dom-6", "ref-1", "bdl-7", "txt-1", "txt-2"};

struct rules *rules_new(void) {
  struct rules *rules = must_alloc(sizeof *rules);
  *rules = (struct rules){0};
  for (size_t i = 0; i < FHIR_RULES; i++)
    for (size_t k = 0; k < sizeof hand_keys / sizeof *hand_keys; k++)
      rules->by_hand[i] |= bytes_eq_str(fhir_text(fhir_rule_at(i)->key), hand_keys[k]);
  return rules;
}

void rules_free(struct rules **rules_take) {
  free(*rules_take);
  *rules_take = NULL;
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
  if (item->node && item->node->kind == JSON_NULL) return;
  if (type == FHIR_TYPE_EXTENSION)
    check_extension(w, place, item->node);
  else if (type == FHIR_TYPE_XHTML && item->node)
    check_xhtml(w, place, item->node);
  else if (item->type->kind == FHIR_KIND_RESOURCE &&
           fhir_type_is(item->type, FHIR_TYPE_DOMAINRESOURCE))
    check_narrative(w, place, item->node);
}

/* fhir/validate_code.c: required bindings. A code must be in the value set; what the definitions do
 * not list (all of LOINC, say) is taken as right. */
#include "fhir/validate_impl.h"

#include <stdio.h>

enum { LIST_MAX = 8, LIST_BYTES = 160 };

/* The codes to choose from, when they are few. */
static void list_codes(const struct fhir_value_set *set, char ret_text[LIST_BYTES]) {
  size_t used = 0;
  ret_text[0] = 0;
  if (set->concept_count > LIST_MAX || set->open || set->syntax) return;
  for (size_t i = 0; i < set->concept_count; i++) {
    struct bytes code = fhir_concept_code(fhir_value_set_concept(set, i));
    if (used + code.len + 4 > LIST_BYTES) break;
    used += (size_t)snprintf(ret_text + used, LIST_BYTES - used, "%s%.*s", i ? ", " : ": ",
                             BYTES_FMT(code));
  }
}

static void tell(struct walk *w, const struct place *place, const struct fhir_value_set *set,
                 const char *what) {
  char codes[LIST_BYTES];
  list_codes(set, codes);
  walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_CODE, "%s must be of the value set %.*s%s", what,
               BYTES_FMT(fhir_text(set->url)), codes);
}

static bool coding_is_wrong(const struct fhir_value_set *set, const struct json *coding) {
  struct bytes system = json_get_text(coding, "system");
  struct bytes code = json_get_text(coding, "code");
  if (code.len == 0) return true;
  enum fhir_answer answer =
      system.len ? fhir_value_set_has(set, system, code) : fhir_value_set_has_code(set, code);
  return answer == FHIR_ANSWER_NO;
}

/* One of the codings must be of the set. */
static void check_concept(struct walk *w, const struct place *place,
                          const struct fhir_value_set *set, const struct json *concept) {
  const struct json *codings = json_get(concept, "coding");
  const struct json *coding = codings && codings->kind == JSON_ARRAY ? codings->first : NULL;
  for (; coding; coding = coding->next)
    if (!coding_is_wrong(set, coding)) return;
  tell(w, place, set, "a coding");
}

void walk_binding(struct walk *w, const struct place *place, const struct item *item) {
  if (item->element->value_set == FHIR_NONE) return;
  const struct fhir_value_set *set = fhir_value_set_at(item->element->value_set);
  switch (fhir_type_id(item->type)) {
  case FHIR_TYPE_CODE:
  case FHIR_TYPE_STRING:
  case FHIR_TYPE_URI:
    if (fhir_value_set_has_code(set, item->node->text) == FHIR_ANSWER_NO)
      tell(w, place, set, "the code");
    break;
  case FHIR_TYPE_CODING:
    if (json_get(item->node, "code") && coding_is_wrong(set, item->node))
      tell(w, place, set, "the coding");
    break;
  case FHIR_TYPE_CODEABLECONCEPT: check_concept(w, place, set, item->node); break;
  default: break; /* Quantity: units are not checked */
  }
}

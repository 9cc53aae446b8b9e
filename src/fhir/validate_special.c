/* fhir/validate_special.c: what the text of a data type says and no invariant checks.
 *
 * Source: FHIR R4 datatypes: Attachment.size, Coding.system, Identifier.system.              */
#include "fhir/validate_impl.h"

/* What base64 stands for, in bytes. */
static int64_t decoded_bytes(struct bytes data) {
  int64_t digits = 0;
  for (size_t i = 0; i < data.len; i++) digits += data.at[i] > ' ' && data.at[i] != '=';
  return digits * 3 / 4;
}

static void check_attachment(struct walk *w, const struct place *place, const struct json *node) {
  const struct json *data = json_get(node, "data");
  int64_t size;
  if (!data || data->kind != JSON_STRING || !json_int(json_get(node, "size"), &size)) return;
  if (size != decoded_bytes(data->text))
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_VALUE, "the size is not that of the data");
}

/* "The identification of the code system": an absolute URI, and of no value set. */
static void check_system(struct walk *w, const struct place *place, const struct json *node) {
  const struct json *system = json_get(node, "system");
  if (!system || system->kind != JSON_STRING) return;
  struct place at = {place, BYTES("system"), PLACE_SINGLE, system->offset};
  if (bytes_find(system->text, ':') == system->text.len)
    walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_VALUE, "a system must be an absolute URI");
  else if (fhir_value_set_find(system->text) && !fhir_system_find(system->text))
    walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_VALUE, "this is a value set, not a system");
}

void walk_special(struct walk *w, const struct place *place, const struct item *item) {
  switch (fhir_type_id(item->type)) {
  case FHIR_TYPE_REFERENCE: walk_reference(w, place, item); break;
  case FHIR_TYPE_ATTACHMENT: check_attachment(w, place, item->node); break;
  case FHIR_TYPE_CODING:
  case FHIR_TYPE_IDENTIFIER: check_system(w, place, item->node); break;
  default: break;
  }
}

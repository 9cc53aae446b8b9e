/* fhir/path_type.c: types as expressions name them, and what of FHIR's is what of System's. */
#include "fhir/path_impl.h"

#include <string.h>

static const char *const KIND_NAMES[] = {
    [FHIR_PATH_BOOLEAN] = "Boolean", [FHIR_PATH_INTEGER] = "Integer",
    [FHIR_PATH_DECIMAL] = "Decimal", [FHIR_PATH_STRING] = "String",
    [FHIR_PATH_DATE] = "Date",       [FHIR_PATH_DATETIME] = "DateTime",
    [FHIR_PATH_TIME] = "Time",       [FHIR_PATH_QUANTITY] = "Quantity",
    [FHIR_PATH_TYPE] = "TypeInfo",
};

struct bytes path_kind_name(enum fhir_path_kind kind) {
  return bytes_str(KIND_NAMES[kind]);
}

static bool find_system(struct bytes name, uint8_t *ret_kind) {
  for (size_t i = FHIR_PATH_BOOLEAN; i < sizeof KIND_NAMES / sizeof *KIND_NAMES; i++) {
    if (!bytes_eq_str(name, KIND_NAMES[i])) continue;
    *ret_kind = (uint8_t)i;
    return true;
  }
  return bytes_eq_str(name, "Any");
}

/* Without a namespace FHIR's types come first; a name that both know (Quantity) means either. An
 * unknown name is refused, but System.Patient merely holds nothing. */
bool path_type_resolve(struct bytes space, struct bytes name, struct path_type *ret_type) {
  struct path_type type = {.type = FHIR_NONE};
  bool any = space.len == 0;
  if (any || bytes_eq_str(space, "FHIR")) {
    const struct fhir_type *known = fhir_type_find(name);
    type.fhir = known != NULL;
    if (known) type.type = fhir_type_id(known);
  }
  if (any || bytes_eq_str(space, "System")) type.system = find_system(name, &type.kind);
  bool known_space = any || bytes_eq_str(space, "FHIR") || bytes_eq_str(space, "System");
  if (!known_space || (!type.fhir && !type.system && !bytes_eq_str(space, "System"))) return false;
  *ret_type = type;
  return true;
}

bool path_type_matches(const struct path_type *type, const struct fhir_path_value *value) {
  if (value->kind != FHIR_PATH_ELEMENT)
    return type->system && (type->kind == value->kind || type->kind == FHIR_PATH_ELEMENT);
  if (value->type == FHIR_NONE) {
    /* Without a model what stands in JSON says it. */
    return type->system && type->kind == FHIR_PATH_ELEMENT;
  }
  return type->fhir && fhir_type_is(fhir_type_at(value->type), type->type);
}

enum fhir_path_kind path_system_kind(uint16_t type) {
  switch (type) {
  case FHIR_TYPE_BOOLEAN: return FHIR_PATH_BOOLEAN;
  case FHIR_TYPE_INTEGER:
  case FHIR_TYPE_UNSIGNEDINT:
  case FHIR_TYPE_POSITIVEINT: return FHIR_PATH_INTEGER;
  case FHIR_TYPE_DECIMAL: return FHIR_PATH_DECIMAL;
  case FHIR_TYPE_DATE: return FHIR_PATH_DATE;
  case FHIR_TYPE_DATETIME:
  case FHIR_TYPE_INSTANT: return FHIR_PATH_DATETIME;
  case FHIR_TYPE_TIME: return FHIR_PATH_TIME;
  default: break;
  }
  if (type == FHIR_NONE) return FHIR_PATH_ELEMENT;
  const struct fhir_type *known = fhir_type_at(type);
  if (fhir_type_is_primitive(known)) return FHIR_PATH_STRING;
  return fhir_type_is(known, FHIR_TYPE_QUANTITY) ? FHIR_PATH_QUANTITY : FHIR_PATH_ELEMENT;
}

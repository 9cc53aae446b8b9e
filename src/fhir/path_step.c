/* fhir/path_step.c: from an element to its children.
 *
 * A step asks the model what its name means in the type it comes from. The answer is kept in one
 * atomic word per step, so that documents of one kind ask once:
 *
 * 63..48 asking type + 1 | 47..32 enum meaning | 31..16 the child's type | 15..0 the element    */
#include "fhir/path_impl.h"

#include <string.h>

enum meaning { UNKNOWN, MEMBER, CHOICE };

enum { TYPE_SHIFT = 48, MEANING_SHIFT = 32, CHILD_SHIFT = 16 };

static uint64_t ask(uint16_t type, struct bytes name) {
  const struct fhir_member *member = fhir_member_find(fhir_type_at(type), name);
  uint64_t asked = (uint64_t)(type + 1u) << TYPE_SHIFT;
  if (!member) return asked | (uint64_t)UNKNOWN << MEANING_SHIFT;
  bool choice = fhir_element_at(member->element)->flags & FHIR_CHOICE;
  /* "valueQuantity" is how JSON writes it; the element is "value". */
  enum meaning meaning = !choice ? MEMBER : member->type == FHIR_NONE ? CHOICE : UNKNOWN;
  return asked | (uint64_t)meaning << MEANING_SHIFT | (uint64_t)member->type << CHILD_SHIFT |
         member->element;
}

static uint64_t answer(struct path_step *step, uint16_t type) {
  uint64_t cached = atomic_load_explicit(&step->cache, memory_order_relaxed);
  if (cached >> TYPE_SHIFT == type + 1u) return cached;
  cached = ask(type, step->name);
  atomic_store_explicit(&step->cache, cached, memory_order_relaxed);
  return cached;
}

/* Contained resources say themselves what they are. */
static uint16_t actual_type(const struct json *node, uint16_t type) {
  if (type != FHIR_NONE && type != FHIR_TYPE_RESOURCE) return type;
  if (!node || node->kind != JSON_OBJECT) return type;
  struct bytes name = json_get_text(node, "resourceType");
  const struct fhir_type *known = name.len ? fhir_type_find(name) : NULL;
  return known ? fhir_type_id(known) : type;
}

/* Where values go: onto the stack, or on to the next step. */
struct walk {
  struct fhir_path_machine *m;
  struct path_step *steps;
  uint32_t count;
};

static bool emit(struct walk walk, const struct json *node, const struct json *side, uint16_t type,
                 struct err *err);

static bool emit_items(struct walk walk, const struct json *node, const struct json *side,
                       uint16_t type, struct err *err) {
  const struct json *item = node && node->kind == JSON_ARRAY ? node->first : NULL;
  const struct json *other = side && side->kind == JSON_ARRAY ? side->first : NULL;
  while (item || other) {
    const struct json *value = item && item->kind != JSON_NULL ? item : NULL;
    const struct json *beside = other && other->kind == JSON_OBJECT ? other : NULL;
    if (value || beside) TRY(emit(walk, value, beside, type, err));
    item = item ? item->next : NULL;
    other = other ? other->next : NULL;
  }
  return true;
}

static bool emit_child(struct walk walk, const struct json *node, const struct json *side,
                       uint16_t type, struct err *err) {
  bool many = (node && node->kind == JSON_ARRAY) || (side && side->kind == JSON_ARRAY);
  if (many) return emit_items(walk, node, side, type, err);
  if (node && node->kind == JSON_NULL) node = NULL;
  if (side && side->kind != JSON_OBJECT) side = NULL;
  return (!node && !side) || emit(walk, node, side, type, err);
}

static bool is_side(struct bytes have, struct bytes name) {
  return have.len == name.len + 1 && have.at[0] == '_' &&
         memcmp(have.at + 1, name.at, name.len) == 0;
}

/* The member and what stands beside it, in one pass. */
static bool go_member(struct walk walk, const struct json *object, struct bytes name, uint16_t type,
                      struct err *err) {
  const struct json *node = NULL;
  const struct json *side = NULL;
  for (const struct json *member = object->first; member; member = member->next) {
    struct bytes have = member->name;
    if (have.len == name.len && memcmp(have.at, name.at, name.len) == 0)
      node = member;
    else if (is_side(have, name))
      side = member;
  }
  return (!node && !side) || emit_child(walk, node, side, type, err);
}

static bool go_choice(struct walk walk, const struct json *object, struct bytes name,
                      uint16_t owner, uint16_t element, struct err *err) {
  const struct fhir_type *type = fhir_type_at(owner);
  for (const struct json *member = object->first; member; member = member->next) {
    struct bytes have = member->name;
    bool side_only = have.len && have.at[0] == '_';
    if (side_only) have = bytes_from(have, 1);
    if (have.len <= name.len || memcmp(have.at, name.at, name.len) != 0) continue;
    const struct fhir_member *known = fhir_member_find(type, have);
    if (!known || known->element != element || known->type == FHIR_NONE) continue;
    return go_member(walk, object, have, known->type, err);
  }
  return true;
}

/* A primitive has its value, and beside it an id and extensions. */
static bool go_primitive(struct walk walk, const struct json *node, const struct json *side,
                         uint16_t type, struct err *err) {
  struct bytes name = walk.steps[0].name;
  if (side && bytes_eq_str(name, "extension")) {
    walk.steps++;
    walk.count--;
    return go_member(walk, side, name, FHIR_TYPE_EXTENSION, err);
  }
  if (side && bytes_eq_str(name, "id")) {
    walk.steps++;
    walk.count--;
    return go_member(walk, side, name, FHIR_TYPE_STRING, err);
  }
  struct fhir_path_value value = fhir_path_element(node, NULL, type);
  if (!node || walk.count > 1 || !bytes_eq_str(name, "value")) return true;
  return !fhir_path_system(&walk.m->arena, &value, &value) || path_push(walk.m, &value, err);
}

/* Take the first step from here. */
static bool go(struct walk walk, const struct json *node, const struct json *side, uint16_t type,
               struct err *err) {
  struct path_step *step = walk.steps;
  bool object = node && node->kind == JSON_OBJECT;
  if (!object) return go_primitive(walk, node, side, type, err);
  walk.steps++;
  walk.count--;
  if (type == FHIR_NONE) return go_member(walk, node, step->name, FHIR_NONE, err);
  uint64_t known = answer(step, type);
  uint16_t child = (uint16_t)(known >> CHILD_SHIFT);
  switch ((enum meaning)(uint16_t)(known >> MEANING_SHIFT)) {
  case UNKNOWN: return true;
  case MEMBER: return go_member(walk, node, step->name, child, err);
  case CHOICE: break;
  }
  return go_choice(walk, node, step->name, type, (uint16_t)known, err);
}

static bool emit(struct walk walk, const struct json *node, const struct json *side, uint16_t type,
                 struct err *err) {
  struct fhir_path_machine *m = walk.m;
  if (m->steps == 0) TRY(path_spend(m, 1, err));
  m->steps--;
  type = actual_type(node, type);
  if (walk.count) return go(walk, node, side, type, err);
  if (m->top < m->values_max) {
    struct fhir_path_value *value = &m->stack[m->top++];
    value->kind = FHIR_PATH_ELEMENT;
    value->type = type;
    value->element.node = node;
    value->element.side = side;
    return true;
  }
  struct fhir_path_value value = fhir_path_element(node, side, type);
  return path_push(m, &value, err);
}

/* What type() and System quantities show of themselves. */
static bool of_system(struct walk walk, const struct fhir_path_value *value, struct err *err) {
  struct bytes name = walk.steps[0].name;
  struct fhir_path_value part = fhir_path_string(BYTES_NONE);
  if (walk.count > 1) return true;
  if (value->kind == FHIR_PATH_TYPE && bytes_eq_str(name, "name")) {
    part.text = value->text;
  } else if (value->kind == FHIR_PATH_TYPE && bytes_eq_str(name, "namespace")) {
    part.text = value->type == FHIR_NONE ? BYTES("System") : BYTES("FHIR");
  } else if (value->kind == FHIR_PATH_TYPE && bytes_eq_str(name, "baseType")) {
    uint16_t base = value->type == FHIR_NONE ? FHIR_NONE : fhir_type_at(value->type)->base;
    part.text = base == FHIR_NONE ? BYTES("System.Any") : fhir_text(fhir_type_at(base)->name);
  } else if (value->kind == FHIR_PATH_QUANTITY && bytes_eq_str(name, "unit")) {
    part.text = value->quantity->unit;
  } else if (value->kind == FHIR_PATH_QUANTITY && bytes_eq_str(name, "value")) {
    part.kind = FHIR_PATH_DECIMAL;
    part.decimal = value->quantity->value;
  } else {
    return true;
  }
  return path_push(walk.m, &part, err);
}

static bool walk_from(struct walk walk, const struct fhir_path_value *value, struct err *err) {
  if (value->kind != FHIR_PATH_ELEMENT) return of_system(walk, value, err);
  return go(walk, value->element.node, value->element.side, value->type, err);
}

/* "Patient.name": the first name may be that of the context's own type (§3.2). */
static bool walk_first(struct walk walk, const struct fhir_path_value *value, struct err *err) {
  uint16_t named = walk.steps[0].type;
  if (named == FHIR_NONE || value->kind != FHIR_PATH_ELEMENT || value->type == FHIR_NONE ||
      !(value->type == named || fhir_type_is(fhir_type_at(value->type), named)))
    return walk_from(walk, value, err);
  if (walk.count == 1) return path_push(walk.m, value, err);
  walk.steps++;
  walk.count--;
  return walk_from(walk, value, err);
}

bool path_walk(struct fhir_path_machine *m, const struct path_node *node,
               const struct path_scope *scope, struct err *err) {
  struct walk walk = {m, node->steps.at, node->steps.count};
  size_t base = m->top;
  TRY(path_spend(m, 1, err));
  if (!node->input) {
    for (size_t i = 0; i < scope->focus_count; i++) TRY(walk_first(walk, &scope->focus[i], err));
    return true;
  }
  TRY(path_eval(m, node->input, scope, err));
  size_t end = m->top;
  for (size_t i = base; i < end; i++) {
    struct fhir_path_value value = m->stack[i];
    TRY(walk_from(walk, &value, err));
  }
  path_keep(m, base, end);
  return true;
}

bool path_child(struct fhir_path_machine *m, const struct fhir_path_value *value,
                struct path_step *step, struct err *err) {
  struct walk walk = {m, step, 1};
  return walk_from(walk, value, err);
}

/* Children in the document's order; a name that stands beside a primitive counts once. */
bool path_children(struct fhir_path_machine *m, const struct fhir_path_value *value,
                   struct err *err) {
  const struct json *node = value->element.node;
  struct walk walk = {m, NULL, 0};
  if (value->kind != FHIR_PATH_ELEMENT) return true;
  bool object = node && node->kind == JSON_OBJECT;
  const struct json *from = object ? node : value->element.side;
  if (!from) return true;
  const struct fhir_type *type = value->type == FHIR_NONE ? NULL
                                 : object                 ? fhir_type_at(value->type)
                                                          : fhir_type_at(FHIR_TYPE_ELEMENT);
  for (const struct json *member = from->first; member; member = member->next) {
    struct bytes name = member->name;
    bool side_only = name.len && name.at[0] == '_';
    if (side_only) name = bytes_from(name, 1);
    if (bytes_eq_str(name, "resourceType") || (side_only && json_get_bytes(from, name))) continue;
    const struct fhir_member *known = type ? fhir_member_find(type, name) : NULL;
    TRY(go_member(walk, from, name, known ? known->type : FHIR_NONE, err));
  }
  return true;
}

/* fhir/validate.c: the walk over a resource, each member once, in the order of the text.
 *
 *   resource → object → member → item ┬→ primitive: form, binding, "_name"
 *                                     ├→ object: its own members, its specials, its invariants
 *                                     └→ resource: contained, or in a bundle
 *
 * The depth of recursion is that of the JSON, which the parser limits. */
#include "fhir/validate.h"

#include "base/must.h"
#include "base/nearest.h"
#include "fhir/primitive.h"
#include "fhir/validate_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEEN_WORDS = 2, TEXT_BYTES = 256, NAMES_MAX = 256, PATH_BYTES_MAX = 4096 };

struct fhir_validator {
  struct rules *rules;
  uint64_t required[FHIR_TYPES][SEEN_WORDS]; /* elements with min > 0 */
};

struct fhir_validator *fhir_validator_new(void) {
  struct fhir_validator *validator = must_alloc(sizeof *validator);
  *validator = (struct fhir_validator){.rules = rules_new()};
  for (size_t id = 0; id < FHIR_TYPES; id++) {
    const struct fhir_type *type = fhir_type_at(id);
    must(type->element_count <= SEEN_WORDS * 64);
    for (size_t i = 0; i < type->element_count; i++)
      if (fhir_element_at(type->element_first + i)->min > 0)
        validator->required[id][i / 64] |= (uint64_t)1 << i % 64;
  }
  return validator;
}

void fhir_validator_free(struct fhir_validator **validator_take) {
  if (!*validator_take) return;
  rules_free(&(*validator_take)->rules);
  free(*validator_take);
  *validator_take = NULL;
}

struct rules *validator_rules(struct fhir_validator *validator) {
  return validator->rules;
}

/* ---- telling ---- */

static void put_place(struct buf *out, const struct place *place) {
  if (place->up) put_place(out, place->up);
  if (place->name.len) {
    if (place->up) buf_char(out, '.');
    buf_put(out, place->name);
  }
  if (place->index != PLACE_SINGLE) buf_printf(out, "[%zu]", place->index);
}

void walk_problem(struct walk *w, const struct place *place, enum fhir_severity severity,
                  enum fhir_issue_type type, const char *format, ...) {
  if (w->options->errors_only && severity > FHIR_ERROR) return;
  struct arena *arena = w->issues->arena;
  struct fhir_issue issue = {.severity = severity, .type = type, .offset = place->offset};
  char text[TEXT_BYTES];
  struct buf path;
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  for (char *c = text; *c; c++) /* names of unknown elements may have controls */
    if ((uint8_t)*c < ' ') *c = '?';
  issue.text = arena_copy(arena, bytes_str(text));
  buf_init(&path, PATH_BYTES_MAX);
  put_place(&path, place);
  issue.expression = arena_copy(arena, buf_bytes(&path));
  buf_fini(&path);
  fhir_issue_add(w->issues, &issue);
}

static void tell_unknown(struct walk *w, const struct place *place, const struct fhir_type *type,
                         const struct json *member) {
  const char *names[NAMES_MAX];
  struct place at = *place;
  size_t count = 0;
  at.offset = WALK_OFFSET(member);
  for (size_t i = 0; i < type->member_count && count < NAMES_MAX; i++) {
    const struct fhir_member *known = fhir_member_at(type->member_first + i);
    if (known->type != FHIR_NONE)
      names[count++] = arena_str(w->issues->arena, fhir_text(known->name));
  }
  if (!arena_ok(w->issues->arena)) return;
  struct bytes name = bytes_sub(member->name, 0, 64);
  const char *near = nearest_word(name, names, count);
  walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "there is no element \"%.*s\" here%s%s",
               BYTES_FMT(name), near ? "; did you mean " : "", near ? near : "");
}

/* ---- items ---- */

static void check_object(struct walk *w, const struct place *place, const struct json *object,
                         const struct fhir_type *type);

static void check_primitive(struct walk *w, const struct place *place, const struct item *item) {
  uint16_t type = fhir_type_id(item->type);
  bool has_value = item->node && item->node->kind != JSON_NULL;
  const char *problem = has_value ? fhir_primitive_problem(type, item->node) : NULL;
  if (problem) {
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_VALUE, "the %.*s %s",
                 BYTES_FMT(fhir_text(item->type->name)), problem);
  } else if (has_value) {
    if (item->element->binding == FHIR_REQUIRED) walk_binding(w, place, item);
    if (type == FHIR_TYPE_URI || type == FHIR_TYPE_URL || type == FHIR_TYPE_CANONICAL)
      walk_local(w, item->node->text);
  }
  if (!item->side || item->side->kind == JSON_NULL) return;
  check_object(w, place, item->side, fhir_type_at(FHIR_TYPE_ELEMENT));
}

static void check_complex(struct walk *w, const struct place *place, const struct item *item) {
  check_object(w, place, item->node, item->type);
  if (item->node->kind != JSON_OBJECT) return;
  walk_special(w, place, item);
  if (item->element->binding == FHIR_REQUIRED) walk_binding(w, place, item);
}

static void check_item(struct walk *w, const struct place *place, const struct item *item) {
  bool no_node = !item->node || item->node->kind == JSON_NULL;
  bool no_side = !item->side || item->side->kind == JSON_NULL;
  if (no_node && no_side) {
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "null is no value");
  } else if (fhir_type_is_primitive(item->type)) {
    check_primitive(w, place, item);
    walk_rules(w, place, item);
  } else if (item->type->kind == FHIR_KIND_RESOURCE) {
    walk_resource(w, place, item->node);
  } else {
    check_complex(w, place, item);
    walk_rules(w, place, item);
  }
}

/* ---- members ---- */

/* JSON keeps a primitive's extensions in an array beside, null where there are none. */
static void check_array(struct walk *w, const struct place *up, struct place *place,
                        struct item *item) {
  const struct json *node = item->node;
  const struct json *side = item->side;
  uint32_t count = node ? node->count : side->count;
  if (count == 0)
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "an array must not be empty");
  if (item->element->max != FHIR_MANY && count > item->element->max)
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "there may be %u at most, not %u",
                 item->element->max, count);
  if (node && side && node->count != side->count)
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE,
                 "values and their extensions must be of one number");
  item->node = node ? node->first : NULL;
  item->side = side ? side->first : NULL;
  for (place->index = 0; item->node || item->side; place->index++) {
    place->offset = WALK_OFFSET(item->node ? item->node : item->side);
    check_item(w, place, item);
    item->node = item->node ? item->node->next : NULL;
    item->side = item->side ? item->side->next : NULL;
  }
}

static bool is_array(const struct json *node) {
  return node && node->kind == JSON_ARRAY;
}

static void check_values(struct walk *w, const struct place *up, struct place *place,
                         struct item *item) {
  bool many = item->element->max > 1;
  bool mixed =
      (item->node && is_array(item->node) != many) || (item->side && is_array(item->side) != many);
  if (mixed) {
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE,
                 many ? "this must be an array" : "this must not be an array");
    return;
  }
  if (many)
    check_array(w, up, place, item);
  else
    check_item(w, place, item);
}

struct object {
  const struct json *node;
  const struct fhir_type *type;
  const struct place *place;
  uint64_t seen[SEEN_WORDS];
  bool has_sides; /* some name begins with '_' */
  bool has_child; /* something beside id: ele-1 */
};

/* The "_name" of a primitive, or NULL. */
static const struct json *side_of(const struct object *object, struct bytes name) {
  for (const struct json *member = object->node->first; member; member = member->next)
    if (member->name.len == name.len + 1 && member->name.at[0] == '_' &&
        bytes_eq(bytes_from(member->name, 1), name))
      return member;
  return NULL;
}

static bool mark_seen(struct object *object, const struct fhir_member *found) {
  size_t i = (size_t)(found->element - object->type->element_first);
  uint64_t bit = (uint64_t)1 << i % 64;
  bool again = object->seen[i / 64] & bit;
  object->seen[i / 64] |= bit;
  return !again;
}

static void check_member(struct walk *w, struct object *object, const struct json *member) {
  bool is_side = member->name.len > 1 && member->name.at[0] == '_';
  struct bytes name = is_side ? bytes_from(member->name, 1) : member->name;
  const struct fhir_member *found = fhir_member_find(object->type, name);
  bool primitive = found && found->type < FHIR_PRIMITIVES;
  if (!found || found->type == FHIR_NONE || (is_side && !primitive)) {
    if (object->type->kind == FHIR_KIND_RESOURCE && bytes_eq_str(name, "resourceType")) return;
    tell_unknown(w, object->place, object->type, member);
    return;
  }
  if (is_side && json_get_bytes(object->node, name)) return; /* seen together with its value */
  const struct fhir_element *element = fhir_element_at(found->element);
  struct place place = {object->place, fhir_text(element->name), PLACE_SINGLE, member->offset};
  if (!mark_seen(object, found))
    walk_problem(w, &place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE,
                 "only one of the choices of %.*s[x] may be there", BYTES_FMT(place.name));
  object->has_child |= !bytes_eq_str(name, "id");
  struct item item = {.node = is_side ? NULL : member,
                      .side = is_side ? member : NULL,
                      .type = fhir_type_at(found->type),
                      .element = element,
                      .declared = fhir_element_type(element, found->choice)};
  if (!is_side && primitive && object->has_sides) item.side = side_of(object, name);
  check_values(w, object->place, &place, &item);
}

static void check_required(struct walk *w, const struct object *object) {
  const uint64_t *required = w->validator->required[fhir_type_id(object->type)];
  for (size_t word = 0; word < SEEN_WORDS; word++) {
    uint64_t missing = required[word] & ~object->seen[word];
    for (; missing; missing &= missing - 1) {
      size_t i = word * 64 + (size_t)__builtin_ctzll(missing);
      const struct fhir_element *element = fhir_element_at(object->type->element_first + i);
      walk_problem(w, object->place, FHIR_ERROR, FHIR_ISSUE_REQUIRED, "%.*s%s is missing",
                   BYTES_FMT(fhir_text(element->name)), element->flags & FHIR_CHOICE ? "[x]" : "");
    }
  }
}

static void check_object(struct walk *w, const struct place *place, const struct json *node,
                         const struct fhir_type *type) {
  struct object object = {.node = node, .type = type, .place = place};
  if (node->kind != JSON_OBJECT) {
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "this must be an object");
    return;
  }
  for (const struct json *member = node->first; member && !object.has_sides; member = member->next)
    object.has_sides = member->name.len > 1 && member->name.at[0] == '_';
  for (const struct json *member = node->first; member; member = member->next)
    check_member(w, &object, member);
  check_required(w, &object);
  /* ele-1: "All FHIR elements must have a @value or children" */
  if (!object.has_child && type->kind != FHIR_KIND_RESOURCE && node->count <= 1)
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_INVARIANT,
                 "ele-1: an element must have a value or children");
}

/* ---- resources ---- */

static const struct fhir_type *resource_type(struct walk *w, const struct place *place,
                                             const struct json *node) {
  const struct json *name = json_get(node, "resourceType");
  if (!name || name->kind != JSON_STRING) {
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE,
                 name ? "resourceType must be a string" : "resourceType is missing");
    return NULL;
  }
  const struct fhir_type *type = fhir_resource_find(name->text);
  if (!type)
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "\"%.*s\" is no resource type of R4",
                 BYTES_FMT(bytes_sub(name->text, 0, 64)));
  return type;
}

/* A resource is the container of what is contained in it; inside a bundle each stands alone. */
void walk_resource(struct walk *w, const struct place *place, const struct json *node) {
  struct walk before = *w;
  if (node->kind != JSON_OBJECT) {
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "a resource must be an object");
    return;
  }
  const struct fhir_type *type = resource_type(w, place, node);
  if (!type) return;
  bool contained = bytes_eq_str(place->name, "contained");
  struct place at = *place;
  if (!place->up) at.name = fhir_text(type->name);
  w->resource = node;
  w->contained = contained ? node : NULL;
  if (!contained) {
    w->container = node;
    w->locals = NULL;
  }
  if (type == fhir_type_at(FHIR_TYPE_BUNDLE)) walk_bundle_open(w, node);
  check_object(w, &at, node, type);
  if (type == fhir_type_at(FHIR_TYPE_BUNDLE)) walk_bundle(w, &at, node);
  if (!contained) walk_contained(w, &at);
  walk_rules(w, &at, &(struct item){.node = node, .type = type});
  struct local *locals = w->locals;
  *w = before;
  if (contained) w->locals = locals;
}

void fhir_validate(struct fhir_validator *validator, const struct json *resource,
                   const struct fhir_validate_options *options, struct fhir_issues *issues) {
  static const struct fhir_validate_options defaults = {0};
  struct place place = {.index = PLACE_SINGLE, .offset = resource->offset};
  struct walk w = {.validator = validator,
                   .options = options ? options : &defaults,
                   .issues = issues,
                   .resource = resource,
                   .container = resource};
  const struct fhir_type *wanted = w.options->type;
  struct bytes name = json_get_text(resource, "resourceType");
  if (wanted && !bytes_eq(name, fhir_text(wanted->name)))
    walk_problem(&w, &place, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "the resource must be a %.*s",
                 BYTES_FMT(fhir_text(wanted->name)));
  walk_resource(&w, &place, resource);
}

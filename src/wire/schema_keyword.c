/* wire/schema_keyword.c: the table of keywords (core §8 to §11, validation §6 and §7) and the few
 * that need more than their shape says. */
#include "wire/schema_inner.h"

#include "wire/json_number.h"

#include <string.h>

#define BAD(value, what) FAIL_AT(ERR_INVALID, (value)->offset, what)

static bool memory_ok(struct schema_compiler *c, struct err *err) {
  if (!arena_ok(c->arena)) FAIL(ERR_LIMIT, "more memory than its arena allows");
  return true;
}

static bool add_type(struct schema_node *node, const struct json *value, struct err *err) {
  for (unsigned i = 0; value->kind == JSON_STRING && i < SCHEMA_TYPE_COUNT; i++) {
    if (!bytes_eq_str(value->text, schema_type_names[i])) continue;
    if (node->types & 1u << i) BAD(value, "a type stands twice");
    node->types |= 1u << i;
    return true;
  }
  BAD(value, "must be a type: null, boolean, integer, number, string, array or object");
}

static bool take_type(struct schema_compiler *c, struct schema_node *node, const struct json *value,
                      struct err *err) {
  if (value->kind != JSON_ARRAY) return add_type(node, value, err);
  if (value->count == 0) BAD(value, "must name at least one type");
  for (const struct json *type = value->first; type; type = type->next)
    TRY(add_type(node, type, err));
  return true;
}

static bool take_constant(struct schema_compiler *c, struct schema_node *node,
                          const struct json *value, struct err *err) {
  node->constant = value;
  return true;
}

static bool take_enumeration(struct schema_compiler *c, struct schema_node *node,
                             const struct json *value, struct err *err) {
  if (value->kind != JSON_ARRAY) BAD(value, "must be a list of values");
  node->enumeration = value;
  return true;
}

static bool take_factor(struct schema_compiler *c, struct schema_node *node,
                        const struct json *value, struct err *err) {
  if (!json_number_factor_ok(value->text))
    BAD(value, "must be above 0 and have at most 18 significant digits");
  node->has_factor = true;
  return true;
}

static bool take_unique(struct schema_compiler *c, struct schema_node *node,
                        const struct json *value, struct err *err) {
  if (value->kind != JSON_TRUE && value->kind != JSON_FALSE) BAD(value, "must be true or false");
  node->unique_items = value->kind == JSON_TRUE;
  return true;
}

static bool take_pattern(struct schema_compiler *c, struct schema_node *node,
                         const struct json *value, struct err *err) {
  if (value->kind != JSON_STRING) BAD(value, "must be a pattern");
  if (regex_compile(c->arena, value->text, &node->pattern, err)) return true;
  err->offset = value->offset;
  return false;
}

static bool take_patterns(struct schema_compiler *c, struct schema_node *node,
                          const struct json *value, struct err *err) {
  for (size_t i = 0; i < node->pattern_properties.count; i++) {
    struct schema_entry *entry = &node->pattern_properties.entries[i];
    if (regex_compile(c->arena, entry->name, &entry->regex, err)) continue;
    err->offset = value->offset;
    return false;
  }
  return true;
}

static bool take_names(struct schema_compiler *c, const struct json *value,
                       struct schema_names *ret_names, struct err *err) {
  if (value->kind != JSON_ARRAY) BAD(value, "must be a list of names");
  struct bytes *items = ARENA_ARRAY(c->arena, struct bytes, (size_t)value->count);
  TRY(memory_ok(c, err));
  size_t count = 0;
  for (const struct json *name = value->first; name; name = name->next) {
    if (name->kind != JSON_STRING) BAD(name, "must be a name");
    items[count++] = name->text;
  }
  *ret_names = (struct schema_names){items, count};
  return true;
}

static bool take_required(struct schema_compiler *c, struct schema_node *node,
                          const struct json *value, struct err *err) {
  return take_names(c, value, &node->required, err);
}

static bool take_dependent_required(struct schema_compiler *c, struct schema_node *node,
                                    const struct json *value, struct err *err) {
  if (value->kind != JSON_OBJECT) BAD(value, "must be an object");
  struct schema_entry *entries = ARENA_ARRAY(c->arena, struct schema_entry, (size_t)value->count);
  TRY(memory_ok(c, err));
  size_t count = 0;
  for (const struct json *member = value->first; member; member = member->next) {
    entries[count].name = member->name;
    TRY(take_names(c, member, &entries[count++].names, err));
  }
  node->dependent_required = (struct schema_map){entries, count};
  return true;
}

static bool take_format(struct schema_compiler *c, struct schema_node *node,
                        const struct json *value, struct err *err) {
  if (value->kind != JSON_STRING) BAD(value, "must be the name of a format");
  if (node->resource->asserts_formats) node->format = schema_format_find(value->text);
  return true;
}

static bool take_reference(struct schema_compiler *c, struct schema_node *node,
                           const struct json *value, struct schema_target *ret_target,
                           const struct schema_node **ret_node, struct err *err) {
  if (value->kind != JSON_STRING || !schema_uri_valid(value->text, false))
    BAD(value, "must be a URI reference");
  TRY(schema_resolve(c, node->resource, value->text, ret_target, err));
  return schema_node_of(c, ret_target->json, ret_target->resource, ret_node, err);
}

static bool take_ref(struct schema_compiler *c, struct schema_node *node, const struct json *value,
                     struct err *err) {
  struct schema_target target;
  return take_reference(c, node, value, &target, &node->ref, err);
}

static bool take_dynamic_ref(struct schema_compiler *c, struct schema_node *node,
                             const struct json *value, struct err *err) {
  struct schema_target target;
  TRY(take_reference(c, node, value, &target, &node->dynamic_ref, err));
  node->dynamic_name = target.dynamic_name;
  return true;
}

#define AT(field) offsetof(struct schema_node, field)

const struct schema_keyword schema_keywords[] = {
    {"$defs", SHAPE_SCHEMA_MAP, false, AT(defs), NULL},
    {"$ref", SHAPE_OTHER, false, AT(ref), take_ref},
    {"$dynamicRef", SHAPE_OTHER, false, AT(dynamic_ref), take_dynamic_ref},
    {"allOf", SHAPE_SCHEMA_LIST, false, AT(all_of), NULL},
    {"anyOf", SHAPE_SCHEMA_LIST, false, AT(any_of), NULL},
    {"oneOf", SHAPE_SCHEMA_LIST, false, AT(one_of), NULL},
    {"not", SHAPE_SCHEMA, false, AT(negated), NULL},
    {"if", SHAPE_SCHEMA, false, AT(condition), NULL},
    {"then", SHAPE_SCHEMA, false, AT(then_branch), NULL},
    {"else", SHAPE_SCHEMA, false, AT(else_branch), NULL},
    {"dependentSchemas", SHAPE_SCHEMA_MAP, false, AT(dependent_schemas), NULL},
    {"prefixItems", SHAPE_SCHEMA_LIST, false, AT(prefix_items), NULL},
    {"items", SHAPE_SCHEMA, false, AT(items), NULL},
    {"contains", SHAPE_SCHEMA, false, AT(contains), NULL},
    {"properties", SHAPE_SCHEMA_MAP, false, AT(properties), NULL},
    {"patternProperties", SHAPE_SCHEMA_MAP, false, AT(pattern_properties), take_patterns},
    {"additionalProperties", SHAPE_SCHEMA, false, AT(additional), NULL},
    {"propertyNames", SHAPE_SCHEMA, false, AT(property_names), NULL},
    {"unevaluatedItems", SHAPE_SCHEMA, false, AT(unevaluated_items), NULL},
    {"unevaluatedProperties", SHAPE_SCHEMA, false, AT(unevaluated_properties), NULL},
    {"contentSchema", SHAPE_SCHEMA, false, SCHEMA_FIELD_NONE, NULL},
    {"type", SHAPE_OTHER, true, AT(types), take_type},
    {"const", SHAPE_OTHER, true, AT(constant), take_constant},
    {"enum", SHAPE_OTHER, true, AT(enumeration), take_enumeration},
    {"multipleOf", SHAPE_NUMBER, true, AT(multiple_of), take_factor},
    {"maximum", SHAPE_NUMBER, true, AT(maximum), NULL},
    {"exclusiveMaximum", SHAPE_NUMBER, true, AT(exclusive_maximum), NULL},
    {"minimum", SHAPE_NUMBER, true, AT(minimum), NULL},
    {"exclusiveMinimum", SHAPE_NUMBER, true, AT(exclusive_minimum), NULL},
    {"maxLength", SHAPE_COUNT, true, AT(max_length), NULL},
    {"minLength", SHAPE_COUNT, true, AT(min_length), NULL},
    {"pattern", SHAPE_OTHER, true, AT(pattern), take_pattern},
    {"maxItems", SHAPE_COUNT, true, AT(max_items), NULL},
    {"minItems", SHAPE_COUNT, true, AT(min_items), NULL},
    {"uniqueItems", SHAPE_OTHER, true, AT(unique_items), take_unique},
    {"maxContains", SHAPE_COUNT, true, AT(max_contains), NULL},
    {"minContains", SHAPE_COUNT, true, AT(min_contains), NULL},
    {"maxProperties", SHAPE_COUNT, true, AT(max_properties), NULL},
    {"minProperties", SHAPE_COUNT, true, AT(min_properties), NULL},
    {"required", SHAPE_OTHER, true, AT(required), take_required},
    {"dependentRequired", SHAPE_OTHER, true, AT(dependent_required), take_dependent_required},
    {"format", SHAPE_OTHER, false, AT(format), take_format},
    {NULL, SHAPE_OTHER, false, SCHEMA_FIELD_NONE, NULL},
};

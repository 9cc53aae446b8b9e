/* wire/schema_object.c: members: properties, patternProperties, additionalProperties, names,
 * required and dependent*; and what nothing else has looked at. */
#include "wire/schema_inner.h"

static bool has_member(struct schema_run *run, const struct schema_node *node,
                       const struct json *value, struct bytes name, bool *ret_has) {
  if (!schema_spend(run, node, value, 1 + value->count / 8)) return false;
  *ret_has = json_get_bytes(value, name) != NULL;
  return true;
}

static bool check_names(struct schema_run *run, const struct schema_node *node,
                        const struct json *value, const struct schema_names *names,
                        const char *keyword) {
  bool ok = true;
  for (size_t i = 0; i < names->count && (ok || schema_goes_on(run)); i++) {
    bool has;
    if (!has_member(run, node, value, names->items[i], &has)) return false;
    if (!has)
      ok = schema_refuse(run, node, keyword, value, "the member \"%.*s\" is missing",
                         BYTES_FMT(bytes_sub(names->items[i], 0, 60)));
  }
  return ok;
}

static bool check_counts(struct schema_run *run, const struct schema_node *node,
                         const struct json *value) {
  if (value->count < node->min_properties)
    return schema_refuse(run, node, "minProperties", value, "must have at least %llu members",
                         (unsigned long long)node->min_properties);
  if (value->count > node->max_properties)
    return schema_refuse(run, node, "maxProperties", value, "must have at most %llu members",
                         (unsigned long long)node->max_properties);
  return true;
}

static bool check_dependents(struct schema_run *run, const struct schema_node *node,
                             const struct json *value, struct schema_marks *marks) {
  bool ok = true;
  bool has;
  for (size_t i = 0; i < node->dependent_required.count && (ok || schema_goes_on(run)); i++) {
    const struct schema_entry *entry = &node->dependent_required.entries[i];
    if (!has_member(run, node, value, entry->name, &has)) return false;
    if (has && !check_names(run, node, value, &entry->names, "dependentRequired")) ok = false;
  }
  for (size_t i = 0; i < node->dependent_schemas.count && (ok || schema_goes_on(run)); i++) {
    const struct schema_entry *entry = &node->dependent_schemas.entries[i];
    if (!has_member(run, node, value, entry->name, &has)) return false;
    if (has && !schema_eval(run, entry->node, value, marks)) ok = false;
  }
  return ok;
}

/* The name as a value; it stands where its object stands. */
static bool check_name(struct schema_run *run, const struct schema_node *node,
                       const struct json *object, const struct json *member) {
  struct json name = {.kind = JSON_STRING, .offset = object->offset, .text = member->name};
  return !node->property_names || schema_eval(run, node->property_names, &name, NULL);
}

static bool check_member(struct schema_run *run, const struct schema_node *node,
                         const struct json *member, bool *ret_seen) {
  bool ok = true;
  const struct schema_entry *entry = schema_map_find(&node->properties, member->name);
  if (entry) {
    *ret_seen = true;
    ok = schema_eval(run, entry->node, member, NULL);
  }
  for (size_t i = 0; i < node->pattern_properties.count && (ok || schema_goes_on(run)); i++) {
    entry = &node->pattern_properties.entries[i];
    if (!schema_pattern(run, node, member, entry->regex, member->name)) continue;
    *ret_seen = true;
    if (!schema_eval(run, entry->node, member, NULL)) ok = false;
  }
  if (!*ret_seen && node->additional && !run->given_up) {
    *ret_seen = true;
    ok = schema_eval(run, node->additional, member, NULL);
  }
  return ok && !run->given_up;
}

static bool check_members(struct schema_run *run, const struct schema_node *node,
                          const struct json *value, struct schema_marks *marks) {
  bool ok = true;
  size_t index = 0;
  bool any = node->properties.count || node->pattern_properties.count || node->additional ||
             node->property_names;
  if (!any) return true;
  for (const struct json *member = value->first; member; member = member->next, index++) {
    bool seen = false;
    if (!schema_spend(run, node, value, 1)) return false;
    if (!check_name(run, node, value, member)) ok = false;
    if (!ok && !schema_goes_on(run)) return false;
    if (!check_member(run, node, member, &seen)) ok = false;
    if (!ok && !schema_goes_on(run)) return false;
    if (seen) schema_mark(marks, index);
  }
  return ok;
}

bool schema_check_object(struct schema_run *run, const struct schema_node *node,
                         const struct json *value, struct schema_marks *marks) {
  if (value->kind != JSON_OBJECT) return true;
  bool ok = check_counts(run, node, value);
  if (!ok && !schema_goes_on(run)) return false;
  if (!check_names(run, node, value, &node->required, "required")) ok = false;
  if (!ok && !schema_goes_on(run)) return false;
  if (!check_dependents(run, node, value, marks)) ok = false;
  if (!ok && !schema_goes_on(run)) return false;
  return check_members(run, node, value, marks) && ok;
}

bool schema_unevaluated(struct schema_run *run, const struct schema_node *unevaluated,
                        const struct json *value, struct schema_marks *marks) {
  bool ok = true;
  size_t index = 0;
  for (const struct json *child = value->first; child; child = child->next, index++) {
    if (schema_marked(marks, index)) continue;
    if (!schema_eval(run, unevaluated, child, NULL)) ok = false;
    if (!ok && !schema_goes_on(run)) return false;
    schema_mark(marks, index);
  }
  return ok;
}

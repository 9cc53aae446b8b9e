/* wire/schema_array.c: items, prefixItems, contains and their counts. */
#include "wire/schema_inner.h"

static bool check_counts(struct schema_run *run, const struct schema_node *node,
                         const struct json *value) {
  if (value->count < node->min_items)
    return schema_refuse(run, node, "minItems", value, "must have at least %llu items",
                         (unsigned long long)node->min_items);
  if (value->count > node->max_items)
    return schema_refuse(run, node, "maxItems", value, "must have at most %llu items",
                         (unsigned long long)node->max_items);
  return !node->unique_items || schema_check_unique(run, node, value);
}

static bool check_items(struct schema_run *run, const struct schema_node *node,
                        const struct json *value, struct schema_marks *marks) {
  bool ok = true;
  size_t index = 0;
  if (node->prefix_items.count == 0 && !node->items) return true;
  for (const struct json *item = value->first; item; item = item->next, index++) {
    const struct schema_node *schema =
        index < node->prefix_items.count ? node->prefix_items.items[index] : node->items;
    if (!schema) break;
    if (!schema_eval(run, schema, item, NULL)) ok = false;
    if (!ok && !schema_goes_on(run)) return false;
    schema_mark(marks, index);
  }
  return ok;
}

static bool check_contains(struct schema_run *run, const struct schema_node *node,
                           const struct json *value, struct schema_marks *marks) {
  uint64_t hits = 0;
  size_t index = 0;
  if (!node->contains) return true;
  for (const struct json *item = value->first; item && !run->given_up; item = item->next, index++) {
    if (!schema_try(run, node->contains, item, NULL)) continue;
    schema_mark(marks, index);
    hits++;
  }
  if (hits < node->min_contains)
    return schema_refuse(run, node, "contains", value, "must contain at least %llu such items",
                         (unsigned long long)node->min_contains);
  if (hits > node->max_contains)
    return schema_refuse(run, node, "maxContains", value, "must contain at most %llu such items",
                         (unsigned long long)node->max_contains);
  return true;
}

bool schema_check_array(struct schema_run *run, const struct schema_node *node,
                        const struct json *value, struct schema_marks *marks) {
  if (value->kind != JSON_ARRAY) return true;
  bool ok = check_counts(run, node, value);
  if (!ok && !schema_goes_on(run)) return false;
  if (!check_items(run, node, value, marks)) ok = false;
  if (!ok && !schema_goes_on(run)) return false;
  return check_contains(run, node, value, marks) && ok;
}

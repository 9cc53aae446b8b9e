/* wire/schema_check.c: apply one compiled node to one value. The keywords stand in a list of
 * checks; every branch that may fail without harm runs as a trial, whose marks count only when it
 * succeeds (core §7.7, §11). */
#include "wire/schema_inner.h"

#include "base/must.h"
#include "wire/json_number.h"
#include "wire/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool schema_goes_on(const struct schema_run *run) {
  return !run->trial && !run->given_up && run->count < run->max;
}

static struct schema_problem *new_problem(struct schema_run *run, const struct schema_node *node,
                                          const char *keyword, const struct json *value) {
  struct schema_problem *problem = &run->problems[run->count++];
  struct bytes uri = node->resource->uri;
  *problem = (struct schema_problem){.code = ERR_INVALID};
  size_t place = node->source->offset;
  const struct json *named = keyword ? json_get(node->source, keyword) : NULL;
  if (named) place = named->offset;
  schema_pointer_text(run->instance, value->offset, problem->instance, sizeof problem->instance);
  size_t used = uri.len < SCHEMA_POINTER_BYTES / 2 ? uri.len : 0;
  if (used) memcpy(problem->schema, uri.at, used);
  problem->schema[used++] = '#';
  schema_pointer_text(node->resource->root, place, problem->schema + used,
                      sizeof problem->schema - used);
  const char *last = strrchr(problem->schema, '/');
  snprintf(problem->keyword, sizeof problem->keyword, "%.*s", SCHEMA_KEYWORD_BYTES - 1,
           keyword ? keyword
           : last  ? last + 1
                   : "");
  return problem;
}

bool schema_refuse(struct schema_run *run, const struct schema_node *node, const char *keyword,
                   const struct json *value, const char *format, ...) {
  if (run->trial || run->given_up || run->count >= run->max) return false;
  struct schema_problem *problem = new_problem(run, node, keyword, value);
  va_list args;
  va_start(args, format);
  vsnprintf(problem->sentence, sizeof problem->sentence, format, args);
  va_end(args);
  return false;
}

bool schema_give_up(struct schema_run *run, const struct schema_node *node,
                    const struct json *value, const char *what) {
  if (run->given_up) return false;
  run->given_up = true;
  /* The verdict is open, whatever was found before; the last place tells so. */
  if (run->count == run->max) run->count--;
  struct schema_problem *problem = new_problem(run, node, NULL, value);
  problem->code = ERR_LIMIT;
  snprintf(problem->sentence, sizeof problem->sentence, "the check was given up: %s", what);
  return false;
}

bool schema_spend(struct schema_run *run, const struct schema_node *node, const struct json *value,
                  uint64_t steps) {
  if (run->given_up) return false;
  if (run->steps < steps)
    return schema_give_up(run, node, value, "more than SCHEMA_STEPS_MAX steps");
  run->steps -= steps;
  return true;
}

void schema_mark(struct schema_marks *marks, size_t index) {
  if (marks) marks->bits[index / 64] |= (uint64_t)1 << index % 64;
}

bool schema_marked(const struct schema_marks *marks, size_t index) {
  return marks->bits[index / 64] >> index % 64 & 1;
}

static bool marks_new(struct schema_run *run, const struct schema_node *node,
                      const struct json *value, struct schema_marks *ret_marks) {
  size_t words = value->count / 64 + 1;
  if (!schema_spend(run, node, value, words)) return false;
  uint64_t *bits = ARENA_ARRAY(&run->scratch, uint64_t, words);
  if (!bits) return schema_give_up(run, node, value, "more than SCHEMA_SCRATCH_BYTES_MAX bytes");
  *ret_marks = (struct schema_marks){bits, words};
  return true;
}

static void marks_add(struct schema_marks *to, const struct schema_marks *from) {
  for (size_t i = 0; i < to->count; i++) to->bits[i] |= from->bits[i];
}

bool schema_try(struct schema_run *run, const struct schema_node *node, const struct json *value,
                struct schema_marks *marks) {
  struct schema_marks own;
  if (marks && !marks_new(run, node, value, &own)) return false;
  run->trial++;
  bool ok = schema_eval(run, node, value, marks ? &own : NULL);
  run->trial--;
  if (ok && marks) marks_add(marks, &own);
  return ok;
}

const struct schema_entry *schema_map_find(const struct schema_map *map, struct bytes name) {
  size_t low = 0;
  size_t high = map->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    const struct schema_entry *entry = &map->entries[middle];
    int order = entry->name.len == name.len  ? bytes_cmp(entry->name, name)
                : entry->name.len < name.len ? -1
                                             : 1;
    if (order == 0) return entry;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

bool schema_pattern(struct schema_run *run, const struct schema_node *node,
                    const struct json *value, const struct regex *regex, struct bytes text) {
  bool match = false;
  struct err err;
  if (regex_match(regex, text, &run->regex_work, &match, &err)) return match;
  return schema_give_up(run, node, value, err.detail);
}

static unsigned types_of(const struct json *value) {
  switch (value->kind) {
  case JSON_NULL: return 1u << SCHEMA_TYPE_NULL;
  case JSON_FALSE:
  case JSON_TRUE: return 1u << SCHEMA_TYPE_BOOLEAN;
  case JSON_STRING: return 1u << SCHEMA_TYPE_STRING;
  case JSON_ARRAY: return 1u << SCHEMA_TYPE_ARRAY;
  case JSON_OBJECT: return 1u << SCHEMA_TYPE_OBJECT;
  case JSON_NUMBER: break;
  }
  unsigned integer = json_number_is_integer(value->text) ? 1u << SCHEMA_TYPE_INTEGER : 0;
  return integer | 1u << SCHEMA_TYPE_NUMBER;
}

static bool check_type(struct schema_run *run, const struct schema_node *node,
                       const struct json *value, struct schema_marks *marks) {
  char names[80] = "";
  if (!node->types || node->types & types_of(value)) return true;
  for (unsigned i = 0; i < SCHEMA_TYPE_COUNT; i++) {
    size_t used = strlen(names);
    if (node->types & 1u << i)
      snprintf(names + used, sizeof names - used, "%s%s", used ? " or " : "", schema_type_names[i]);
  }
  return schema_refuse(run, node, "type", value, "must be of type %s", names);
}

static bool check_value(struct schema_run *run, const struct schema_node *node,
                        const struct json *value, struct schema_marks *marks) {
  if (node->constant && !json_eq(node->constant, value))
    return schema_refuse(run, node, "const", value, "must be the one value the schema names");
  if (!node->enumeration) return true;
  for (const struct json *item = node->enumeration->first; item; item = item->next) {
    if (!schema_spend(run, node, value, 1)) return false;
    if (json_eq(item, value)) return true;
  }
  return schema_refuse(run, node, "enum", value, "must be one of the %u values the schema names",
                       node->enumeration->count);
}

/* Is the order of value and bound among those allowed? */
static bool check_bound(struct schema_run *run, const struct schema_node *node,
                        const struct json *value, struct bytes bound, bool ok, const char *keyword,
                        const char *what) {
  if (ok || !bound.at) return true;
  int len = bound.len < 40 ? (int)bound.len : 40;
  return schema_refuse(run, node, keyword, value, "must be %s %.*s", what, len,
                       (const char *)bound.at);
}

static bool check_number(struct schema_run *run, const struct schema_node *node,
                         const struct json *value, struct schema_marks *marks) {
  if (value->kind != JSON_NUMBER) return true;
  struct bytes low = node->minimum;
  struct bytes high = node->maximum;
  struct bytes above = node->exclusive_minimum;
  struct bytes below = node->exclusive_maximum;
  bool ok = check_bound(run, node, value, low, !low.at || json_number_cmp(value->text, low) >= 0,
                        "minimum", "at least");
  ok &= check_bound(run, node, value, high, !high.at || json_number_cmp(value->text, high) <= 0,
                    "maximum", "at most");
  ok &= check_bound(run, node, value, above, !above.at || json_number_cmp(value->text, above) > 0,
                    "exclusiveMinimum", "more than");
  ok &= check_bound(run, node, value, below, !below.at || json_number_cmp(value->text, below) < 0,
                    "exclusiveMaximum", "less than");
  bool fits = !node->has_factor || json_number_is_multiple(value->text, node->multiple_of);
  return check_bound(run, node, value, node->multiple_of, fits, "multipleOf", "a multiple of") &&
         ok;
}

static bool check_string(struct schema_run *run, const struct schema_node *node,
                         const struct json *value, struct schema_marks *marks) {
  if (value->kind != JSON_STRING) return true;
  bool measured = node->min_length > 0 || node->max_length < UINT64_MAX;
  size_t length = measured ? utf8_count(value->text) : 0;
  if (measured && length < node->min_length)
    return schema_refuse(run, node, "minLength", value, "must have at least %llu characters",
                         (unsigned long long)node->min_length);
  if (measured && length > node->max_length)
    return schema_refuse(run, node, "maxLength", value, "must have at most %llu characters",
                         (unsigned long long)node->max_length);
  if (node->pattern && !schema_pattern(run, node, value, node->pattern, value->text))
    return schema_refuse(run, node, "pattern", value, "must match the pattern");
  if (node->format && !node->format(value->text))
    return schema_refuse(run, node, "format", value, "must have the form %.*s",
                         BYTES_FMT(bytes_sub(json_get_text(node->source, "format"), 0, 40)));
  return true;
}

/* Core §8.2.3.2: the outermost resource in the dynamic scope that has the anchor wins. */
static const struct schema_node *dynamic_target(const struct schema_run *run,
                                                const struct schema_node *node) {
  const struct schema_node *target = node->dynamic_ref;
  if (node->dynamic_name.len == 0) return target;
  for (const struct schema_scope *scope = run->scope; scope; scope = scope->outer)
    for (const struct schema_dynamic *at = scope->resource->dynamics; at; at = at->next)
      if (bytes_eq(at->name, node->dynamic_name)) target = at->node;
  return target;
}

static bool check_references(struct schema_run *run, const struct schema_node *node,
                             const struct json *value, struct schema_marks *marks) {
  bool ok = !node->ref || schema_eval(run, node->ref, value, marks);
  if (!ok && !schema_goes_on(run)) return false;
  if (node->dynamic_ref && !schema_eval(run, dynamic_target(run, node), value, marks)) ok = false;
  return ok;
}

static bool check_all_of(struct schema_run *run, const struct schema_node *node,
                         const struct json *value, struct schema_marks *marks) {
  bool ok = true;
  for (size_t i = 0; i < node->all_of.count && (ok || schema_goes_on(run)); i++)
    if (!schema_eval(run, node->all_of.items[i], value, marks)) ok = false;
  return ok;
}

/* With marks every branch must be seen, or what it shows would be missing. */
static bool check_any_of(struct schema_run *run, const struct schema_node *node,
                         const struct json *value, struct schema_marks *marks) {
  bool ok = node->any_of.count == 0;
  for (size_t i = 0; i < node->any_of.count && (!ok || marks) && !run->given_up; i++)
    if (schema_try(run, node->any_of.items[i], value, marks)) ok = true;
  return ok || schema_refuse(run, node, "anyOf", value, "matches none of the %zu alternatives",
                             node->any_of.count);
}

static bool check_one_of(struct schema_run *run, const struct schema_node *node,
                         const struct json *value, struct schema_marks *marks) {
  size_t hits = 0;
  for (size_t i = 0; i < node->one_of.count && hits < 2 && !run->given_up; i++)
    hits += schema_try(run, node->one_of.items[i], value, marks);
  if (node->one_of.count == 0 || hits == 1) return true;
  return schema_refuse(run, node, "oneOf", value,
                       hits ? "matches more than one of the %zu alternatives"
                            : "matches none of the %zu alternatives",
                       node->one_of.count);
}

static bool check_logic(struct schema_run *run, const struct schema_node *node,
                        const struct json *value, struct schema_marks *marks) {
  if (node->negated && schema_try(run, node->negated, value, NULL))
    return schema_refuse(run, node, "not", value, "must not match the schema under not");
  if (!node->condition) return true;
  bool holds = schema_try(run, node->condition, value, marks);
  const struct schema_node *branch = holds ? node->then_branch : node->else_branch;
  return !run->given_up && (!branch || schema_eval(run, branch, value, marks));
}

typedef bool check(struct schema_run *run, const struct schema_node *node, const struct json *value,
                   struct schema_marks *marks);

static bool apply(struct schema_run *run, const struct schema_node *node, const struct json *value,
                  struct schema_marks *marks) {
  static check *const checks[] = {check_type,         check_value,        check_number,
                                  check_string,       check_references,   check_all_of,
                                  check_any_of,       check_one_of,       check_logic,
                                  schema_check_array, schema_check_object};
  bool ok = true;
  for (size_t i = 0; i < sizeof checks / sizeof *checks && (ok || schema_goes_on(run)); i++)
    if (!checks[i](run, node, value, marks)) ok = false;
  return ok && !run->given_up;
}

/* The keyword among unevaluated* that speaks about this value, or NULL. */
static const struct schema_node *unevaluated_of(const struct schema_node *node,
                                                const struct json *value) {
  if (value->kind == JSON_OBJECT) return node->unevaluated_properties;
  return value->kind == JSON_ARRAY ? node->unevaluated_items : NULL;
}

/* What cousins have shown does not count, so a node with unevaluated* keeps marks of its own. */
static bool eval_object(struct schema_run *run, const struct schema_node *node,
                        const struct json *value, struct schema_marks *marks) {
  const struct schema_node *unevaluated = unevaluated_of(node, value);
  struct schema_marks own;
  if (!unevaluated) return apply(run, node, value, marks);
  if (!marks_new(run, node, value, &own)) return false;
  bool ok = apply(run, node, value, &own) && schema_unevaluated(run, unevaluated, value, &own);
  if (ok && marks) marks_add(marks, &own);
  return ok;
}

bool schema_eval(struct schema_run *run, const struct schema_node *node, const struct json *value,
                 struct schema_marks *marks) {
  if (!schema_spend(run, node, value, 1)) return false;
  if (node->source->kind == JSON_TRUE) return true;
  if (node->source->kind == JSON_FALSE)
    return schema_refuse(run, node, NULL, value, "nothing is allowed here");
  if (run->depth == SCHEMA_DEPTH_MAX)
    return schema_give_up(run, node, value, "schemas nested deeper than SCHEMA_DEPTH_MAX");
  const struct schema_scope *outer = run->scope;
  struct schema_scope scope = {node->resource, outer};
  if (!outer || outer->resource != node->resource) run->scope = &scope;
  run->depth++;
  bool ok = eval_object(run, node, value, marks);
  run->depth--;
  run->scope = outer;
  return ok;
}

size_t schema_check_all(const struct schema *schema, const struct json *instance,
                        struct schema_problem *ret_problems, size_t max) {
  struct schema_run run = {.instance = instance,
                           .problems = ret_problems,
                           .max = max,
                           .steps = SCHEMA_STEPS_MAX,
                           .regex_work = REGEX_WORK_MAX};
  must(max > 0);
  arena_init(&run.scratch, SCHEMA_SCRATCH_BYTES_MAX);
  schema_eval(&run, schema->root, instance, NULL);
  arena_fini(&run.scratch);
  return run.count;
}

bool schema_check(const struct schema *schema, const struct json *instance,
                  struct schema_problem *ret_problem) {
  struct schema_problem problem;
  return schema_check_all(schema, instance, ret_problem ? ret_problem : &problem, 1) == 0;
}

/* model/filter_compile.c: the tree of a trigger's filter to a flat list of rules. */
#include "base/nearest.h"
#include "model/filter_parts.h"
#include "model/glob.h"

#include <math.h>

struct compiler {
  struct arena *arena;
  const struct filter_rule **rules_end;
  unsigned rules, tests;
};

static const char *const operators[] = {"prefix", "suffix",       "wildcard",          "numeric",
                                        "exists", "anything-but", "equals-ignore-case"};
enum { OPERATORS = sizeof operators / sizeof *operators, PATH_BYTES_MAX = 512 };

static bool is_operator(struct bytes name) {
  for (int i = 0; i < OPERATORS; i++)
    if (bytes_eq_str(name, operators[i])) return true;
  return false;
}

static bool new_test(struct compiler *c, const struct json *at, enum filter_op op,
                     struct filter_test **ret_test, struct err *err) {
  if (++c->tests > FILTER_VALUES_MAX)
    FAIL_AT(ERR_LIMIT, at->offset, "a filter has at most %d values (FILTER_VALUES_MAX)",
            FILTER_VALUES_MAX);
  struct filter_test *test = ARENA_NEW(c->arena, struct filter_test);
  if (!test) FAIL_AT(ERR_LIMIT, at->offset, "the filter is too large");
  test->op = op;
  *ret_test = test;
  return true;
}

static bool compile_scalar(struct compiler *c, const struct json *value,
                           struct filter_test **ret_test, struct err *err) {
  TRY(new_test(c, value, FILTER_KIND, ret_test, err));
  struct filter_test *test = *ret_test;
  test->kind = value->kind;
  if (value->kind == JSON_STRING) {
    test->op = glob_is_pattern(value->text) ? FILTER_GLOB : FILTER_TEXT;
    test->text = arena_copy(c->arena, value->text);
  } else if (value->kind == JSON_NUMBER) {
    test->op = FILTER_NUMBER;
    if (!json_double(value, &test->low))
      FAIL_AT(ERR_INVALID, value->offset, "this number is out of range");
    test->high = test->low;
  }
  return true;
}

static bool compile_text(struct compiler *c, const struct json *value, enum filter_op op,
                         struct filter_test **ret_test, struct err *err) {
  if (value->kind != JSON_STRING)
    FAIL_AT(ERR_INVALID, value->offset, "%.*s takes a text", BYTES_FMT(value->name));
  TRY(new_test(c, value, op, ret_test, err));
  (*ret_test)->text = arena_copy(c->arena, value->text);
  return true;
}

static bool narrow(struct filter_test *test, struct bytes sign, double bound) {
  if (bytes_eq_str(sign, "=")) {
    test->low = test->high = bound;
  } else if (bytes_eq_str(sign, ">") || bytes_eq_str(sign, ">=")) {
    test->low = bound;
    test->low_open = sign.len == 1;
  } else if (bytes_eq_str(sign, "<") || bytes_eq_str(sign, "<=")) {
    test->high = bound;
    test->high_open = sign.len == 1;
  } else {
    return false;
  }
  return true;
}

/* [">=", 7, "<", 12] */
static bool compile_numeric(struct compiler *c, const struct json *value,
                            struct filter_test **ret_test, struct err *err) {
  TRY(new_test(c, value, FILTER_NUMBER, ret_test, err));
  struct filter_test *test = *ret_test;
  test->low = -INFINITY;
  test->high = INFINITY;
  bool sound = value->kind == JSON_ARRAY && (value->count == 2 || value->count == 4);
  for (const struct json *sign = sound ? value->first : NULL; sign; sign = sign->next->next) {
    double bound;
    if (sign->kind == JSON_STRING && json_double(sign->next, &bound) &&
        narrow(test, sign->text, bound))
      continue;
    sound = false;
    break;
  }
  if (!sound || test->low > test->high)
    FAIL_AT(ERR_INVALID, value->offset, "numeric takes a list like [\">=\", 7, \"<\", 12]");
  return true;
}

static bool compile_test(struct compiler *c, const struct json *value,
                         struct filter_test **ret_test, struct err *err);

/* A scalar, a list, or one operator; inside anything-but only texts and numbers. */
static bool compile_any_of(struct compiler *c, const struct json *value,
                           const struct filter_test **ret_tests, struct err *err) {
  const struct filter_test **end = ret_tests;
  *end = NULL;
  if (value->kind == JSON_ARRAY && value->count == 0)
    FAIL_AT(ERR_INVALID, value->offset, "an empty list matches nothing");
  const struct json *item = value->kind == JSON_ARRAY ? value->first : value;
  while (item) {
    struct filter_test *test;
    TRY(compile_test(c, item, &test, err));
    *end = test;
    end = &test->next;
    item = value->kind == JSON_ARRAY ? item->next : NULL;
  }
  return true;
}

static bool compile_anything_but(struct compiler *c, const struct json *value,
                                 struct filter_test **ret_test, struct err *err) {
  TRY(new_test(c, value, FILTER_NONE_OF, ret_test, err));
  TRY(compile_any_of(c, value, &(*ret_test)->none_of, err));
  for (const struct filter_test *test = (*ret_test)->none_of; test; test = test->next)
    if (test->op >= FILTER_EXISTS)
      FAIL_AT(ERR_INVALID, value->offset, "anything-but takes values, prefix or suffix");
  return true;
}

static bool compile_operator(struct compiler *c, const struct json *value,
                             struct filter_test **ret_test, struct err *err) {
  if (bytes_eq_str(value->name, "prefix"))
    return compile_text(c, value, FILTER_PREFIX, ret_test, err);
  if (bytes_eq_str(value->name, "suffix"))
    return compile_text(c, value, FILTER_SUFFIX, ret_test, err);
  if (bytes_eq_str(value->name, "wildcard"))
    return compile_text(c, value, FILTER_GLOB, ret_test, err);
  if (bytes_eq_str(value->name, "equals-ignore-case"))
    return compile_text(c, value, FILTER_NOCASE, ret_test, err);
  if (bytes_eq_str(value->name, "numeric")) return compile_numeric(c, value, ret_test, err);
  if (bytes_eq_str(value->name, "anything-but"))
    return compile_anything_but(c, value, ret_test, err);
  if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
    FAIL_AT(ERR_INVALID, value->offset, "exists takes true or false");
  return new_test(c, value, value->kind == JSON_TRUE ? FILTER_EXISTS : FILTER_MISSING, ret_test,
                  err);
}

static bool compile_test(struct compiler *c, const struct json *value,
                         struct filter_test **ret_test, struct err *err) {
  if (value->kind == JSON_ARRAY)
    FAIL_AT(ERR_INVALID, value->offset, "a list in a list means nothing here");
  if (value->kind != JSON_OBJECT) return compile_scalar(c, value, ret_test, err);
  if (value->count != 1)
    FAIL_AT(ERR_INVALID, value->offset, "one operator at a time; a list means any of them");
  if (is_operator(value->first->name)) return compile_operator(c, value->first, ret_test, err);
  const char *near = nearest_word(value->first->name, operators, OPERATORS);
  FAIL_AT(ERR_INVALID, value->first->offset, "%.*s is no operator%s%s",
          BYTES_FMT(value->first->name), near ? "; did you mean " : "", near ? near : "");
}

/* An object none of whose keys is an operator goes on with the path. */
static bool goes_deeper(const struct json *value) {
  if (value->kind != JSON_OBJECT) return false;
  for (const struct json *member = value->first; member; member = member->next)
    if (is_operator(member->name)) return false;
  return true;
}

static bool compile_members(struct compiler *c, const struct json *object, struct bytes path,
                            int depth, struct err *err) {
  if (depth > FILTER_DEPTH_MAX)
    FAIL_AT(ERR_LIMIT, object->offset, "a filter is at most %d deep (FILTER_DEPTH_MAX)",
            FILTER_DEPTH_MAX);
  for (const struct json *member = object->first; member; member = member->next) {
    struct bytes here =
        path.len ? arena_printf(c->arena, "%.*s.%.*s", BYTES_FMT(path), BYTES_FMT(member->name))
                 : arena_copy(c->arena, member->name);
    if (member->name.len == 0 || here.len > PATH_BYTES_MAX)
      FAIL_AT(ERR_INVALID, member->offset, "this is no path into an event");
    if (goes_deeper(member)) {
      TRY(compile_members(c, member, here, depth + 1, err));
      continue;
    }
    struct filter_rule *rule = ARENA_NEW(c->arena, struct filter_rule);
    if (!rule || ++c->rules > FILTER_TERMS_MAX)
      FAIL_AT(ERR_LIMIT, member->offset, "a filter has at most %d keys (FILTER_TERMS_MAX)",
              FILTER_TERMS_MAX);
    rule->path = here;
    TRY(compile_any_of(c, member, &rule->tests, err));
    *c->rules_end = rule;
    c->rules_end = &rule->next;
  }
  return true;
}

bool filter_parse(struct arena *arena, const struct json *spec, const struct filter **ret_filter,
                  struct err *err) {
  if (!spec || spec->kind != JSON_OBJECT)
    FAIL_AT(ERR_INVALID, spec ? spec->offset : ERR_OFFSET_NONE,
            "a filter is a map of attributes, like {type: org.example.vitals}");
  struct filter *filter = ARENA_NEW(arena, struct filter);
  if (!filter) FAIL(ERR_LIMIT, "the filter is too large");
  struct compiler c = {.arena = arena, .rules_end = &filter->rules};
  TRY(compile_members(&c, spec, BYTES_NONE, 1, err));
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the filter is too large");
  *ret_filter = filter;
  return true;
}

/* model/filter.c: matching; the hot part, without allocation. */
#include "model/filter_parts.h"
#include "model/glob.h"

static bool text_passes(const struct filter_test *test, struct bytes text) {
  switch (test->op) {
  case FILTER_TEXT: return bytes_eq(text, test->text);
  case FILTER_GLOB: return glob_match(test->text, text);
  case FILTER_PREFIX: return bytes_starts(text, test->text);
  case FILTER_SUFFIX: return bytes_ends(text, test->text);
  case FILTER_NOCASE: return bytes_eq_nocase(text, test->text);
  case FILTER_NUMBER:
  case FILTER_KIND:
  case FILTER_EXISTS:
  case FILTER_MISSING:
  case FILTER_NONE_OF:
  default: return false;
  }
}

static bool number_passes(const struct filter_test *test, const struct json *value) {
  double number;
  if (!json_double(value, &number)) return false;
  bool above = test->low_open ? number > test->low : number >= test->low;
  bool below = test->high_open ? number < test->high : number <= test->high;
  return above && below;
}

/* One value that is not an array. */
static bool value_passes(const struct filter_test *test, const struct json *value) {
  if (test->op == FILTER_NUMBER) return value->kind == JSON_NUMBER && number_passes(test, value);
  if (test->op == FILTER_KIND) return value->kind == test->kind;
  return value->kind == JSON_STRING && text_passes(test, value->text);
}

static bool any_passes(const struct filter_test *test, const struct json *value) {
  if (value->kind != JSON_ARRAY) return value_passes(test, value);
  for (const struct json *item = value->first; item; item = item->next)
    if (value_passes(test, item)) return true;
  return false;
}

static bool test_passes(const struct filter_test *test, const struct json *value) {
  if (test->op == FILTER_EXISTS || !value) return value ? true : test->op == FILTER_MISSING;
  if (test->op != FILTER_NONE_OF) return any_passes(test, value);
  for (const struct filter_test *but = test->none_of; but; but = but->next)
    if (any_passes(but, value)) return false;
  return true;
}

bool filter_matches(const struct filter *filter, const struct json *envelope) {
  for (const struct filter_rule *rule = filter->rules; rule; rule = rule->next) {
    const struct json *value = json_path(envelope, rule->path);
    bool passed = false;
    for (const struct filter_test *test = rule->tests; test && !passed; test = test->next)
      passed = test_passes(test, value);
    if (!passed) return false;
  }
  return true;
}

const struct filter_rule *filter_rule_for(const struct filter *filter, const char *attribute) {
  for (const struct filter_rule *rule = filter->rules; rule; rule = rule->next)
    if (bytes_eq_str(rule->path, attribute)) return rule;
  return NULL;
}

/* fhir/path_fn_flow.c: choosing, folding, sorting, naming, and types (FHIRPath §5.5.1, §5.9, §6.3,
 * §7, §10). */
#include "fhir/path_fn.h"

#include <string.h>

bool path_input(struct fhir_path_machine *m, size_t base, enum fhir_path_kind kind,
                struct fhir_path_value *ret_value, bool *ret_there, struct err *err) {
  TRY(path_take_one(m, base, ret_value, ret_there, err));
  if (!*ret_there || ret_value->kind == kind) return true;
  if (kind == FHIR_PATH_DECIMAL && ret_value->kind == FHIR_PATH_INTEGER) {
    ret_value->decimal = fhir_decimal_int(ret_value->integer);
    ret_value->kind = FHIR_PATH_DECIMAL;
    return true;
  }
  PATH_FAIL(ERR_INVALID, "%s() works on a %.*s", m->node->call.entry->name,
            BYTES_FMT(path_kind_name(kind)));
}

/* Only the branch that is taken is evaluated; a criterion must be a truth value or nothing. */
PATH_FN(iif) {
  size_t count = m->top - base;
  struct path_scope inner = *scope;
  if (count > 1) PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu", count);
  if (call->input) inner.focus = m->stack + base;
  if (call->input) inner.focus_count = count;
  size_t end = m->top;
  struct fhir_path_value value;
  bool there;
  TRY(path_eval(m, call->args[0], &inner, err));
  TRY(path_take_one(m, end, &value, &there, err));
  if (there && value.kind != FHIR_PATH_BOOLEAN) {
    m->node = call->args[0];
    PATH_FAIL(ERR_INVALID, "the criterion of iif() must be a Boolean");
  }
  bool chosen = there && value.boolean;
  if (chosen || call->arg_count > 2) TRY(path_eval(m, call->args[chosen ? 1 : 2], &inner, err));
  path_keep(m, base, end);
  return true;
}

/* $total stands above the input and is replaced item by item. */
PATH_FN(aggregate) {
  size_t end = m->top;
  if (call->arg_count > 1) TRY(path_eval(m, call->args[1], scope, err));
  for (size_t i = base; i < end; i++) {
    struct path_scope inner = path_item_scope(scope, &m->stack[i], i - base);
    size_t after = m->top;
    size_t defined = m->defined_count;
    inner.total = m->stack + end;
    inner.total_count = after - end;
    TRY(path_eval(m, call->args[0], &inner, err));
    m->defined_count = defined;
    path_keep(m, end, after);
  }
  path_keep(m, base, end);
  return true;
}

/* ---- sort: keys stand above the input, an empty one as an element without a node ---- */

struct sorting {
  struct fhir_path_machine *m;
  const struct path_node *call;
  const struct fhir_path_value *keys;
  size_t keys_each;
};

static bool is_missing(const struct fhir_path_value *key) {
  return key->kind == FHIR_PATH_ELEMENT && !key->element.node;
}

/* What has no order (two precisions) counts as equal; a missing key comes first either way. */
static bool key_order(struct sorting *s, const struct fhir_path_value *a,
                      const struct fhir_path_value *b, bool down, int *ret_order, struct err *err) {
  enum fhir_order order;
  *ret_order = 0;
  if (is_missing(a) || is_missing(b)) {
    *ret_order = is_missing(b) - is_missing(a);
    return true;
  }
  s->m->node = s->call;
  TRY(path_order(s->m, a, b, &order, err));
  if (order == FHIR_LESS) *ret_order = down ? 1 : -1;
  if (order == FHIR_GREATER) *ret_order = down ? -1 : 1;
  return true;
}

static bool is_before(struct sorting *s, uint32_t a, uint32_t b, bool *ret_before,
                      struct err *err) {
  *ret_before = false;
  TRY(path_spend(s->m, 1, err));
  for (size_t i = 0; i < s->keys_each; i++) {
    int order;
    bool down = s->call->arg_count && s->call->args[i]->descending;
    TRY(key_order(s, &s->keys[a * s->keys_each + i], &s->keys[b * s->keys_each + i], down, &order,
                  err));
    *ret_before = order < 0;
    if (order != 0) return true;
  }
  return true;
}

/* Merge runs of `width` from one array into the other. */
static bool merge(struct sorting *s, const uint32_t *from, uint32_t *to, size_t count, size_t width,
                  struct err *err) {
  for (size_t start = 0; start < count; start += 2 * width) {
    size_t middle = start + width < count ? start + width : count;
    size_t end = middle + width < count ? middle + width : count;
    size_t left = start;
    size_t right = middle;
    for (size_t i = start; i < end; i++) {
      bool take_right = left == middle;
      if (!take_right && right < end) TRY(is_before(s, from[right], from[left], &take_right, err));
      to[i] = take_right ? from[right++] : from[left++];
    }
  }
  return true;
}

static bool push_keys(struct fhir_path_machine *m, const struct path_node *call,
                      const struct path_scope *scope, size_t base, size_t end, struct err *err) {
  for (size_t i = base; i < end; i++) {
    size_t keys = call->arg_count ? call->arg_count : 1;
    for (size_t k = 0; k < keys; k++) {
      struct fhir_path_value key = fhir_path_element(NULL, NULL, FHIR_NONE);
      size_t at = m->top;
      bool there;
      if (call->arg_count)
        TRY(path_per_item(m, call->args[k], scope, i, i - base, err));
      else
        TRY(path_push(m, &m->stack[i], err));
      TRY(path_take_one(m, at, &key, &there, err));
      TRY(path_push(m, &key, err));
    }
  }
  return true;
}

PATH_FN(sort) {
  size_t end = m->top;
  size_t count = end - base;
  struct sorting s = {m, call, m->stack + end, call->arg_count ? call->arg_count : 1};
  uint32_t *from = ARENA_ARRAY(&m->arena, uint32_t, count);
  uint32_t *to = ARENA_ARRAY(&m->arena, uint32_t, count);
  if (!from || !to)
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  TRY(push_keys(m, call, scope, base, end, err));
  for (size_t i = 0; i < count; i++) from[i] = (uint32_t)i;
  for (size_t width = 1; width < count; width *= 2) {
    TRY(merge(&s, from, to, count, width, err));
    uint32_t *swap = from;
    from = to;
    to = swap;
  }
  m->top = end;
  for (size_t i = 0; i < count; i++) TRY(path_push(m, &m->stack[base + from[i]], err));
  path_keep(m, base, end);
  return true;
}

/* ---- trace, defineVariable ---- */

/* Off unless the caller listens; the projection is then evaluated for it alone. */
PATH_FN(trace) {
  size_t end = m->top;
  struct fhir_path_value name;
  bool there;
  if (!m->env->trace) return true;
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &name, &there, err));
  size_t from = base;
  if (call->arg_count > 1) {
    for (size_t i = base; i < end; i++)
      TRY(path_per_item(m, call->args[1], scope, i, i - base, err));
    from = end;
  }
  struct fhir_path_result values = {m->stack + from, m->top - from};
  m->env->trace(m->env->user, there ? name.text : BYTES_NONE, values);
  m->top = end;
  return true;
}

static bool is_taken(const struct fhir_path_machine *m, struct bytes name) {
  static const char *const fixed[] = {"context", "resource", "rootResource",
                                      "ucum",    "sct",      "loinc"};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    if (bytes_eq_str(name, fixed[i])) return true;
  for (size_t i = 0; i < m->defined_count; i++)
    if (bytes_eq(m->defined[i].name, name)) return true;
  for (size_t i = 0; i < m->env->variable_count; i++)
    if (bytes_eq(m->env->variables[i].name, name)) return true;
  return false;
}

/* The name holds the second argument, or the input; the input goes on unchanged. */
PATH_FN(defineVariable) {
  size_t end = m->top;
  size_t from = base;
  struct fhir_path_value name;
  bool there;
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &name, &there, err));
  if (!there || is_taken(m, name.text))
    PATH_FAIL(ERR_INVALID, "the name of a variable must be new");
  if (m->defined_count == FHIR_PATH_VARIABLES_MAX)
    PATH_FAIL(ERR_LIMIT, "more than %d variables (FHIR_PATH_VARIABLES_MAX)",
              FHIR_PATH_VARIABLES_MAX);
  if (call->arg_count > 1) {
    struct path_scope inner = *scope;
    inner.focus = m->stack + base;
    inner.focus_count = end - base;
    size_t defined = m->defined_count;
    TRY(path_eval(m, call->args[1], &inner, err));
    m->defined_count = defined;
    from = end;
  }
  size_t count = m->top - from;
  struct fhir_path_value *values = ARENA_ARRAY(&m->arena, struct fhir_path_value, count);
  if (!values)
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  if (count) memcpy(values, m->stack + from, count * sizeof *values);
  m->defined[m->defined_count++] = (struct path_defined){name.text, values, count};
  m->top = end;
  return true;
}

/* ---- types ---- */

PATH_FN(type) {
  for (size_t i = base; i < m->top; i++) {
    struct fhir_path_value *value = &m->stack[i];
    struct fhir_path_value type = {.kind = FHIR_PATH_TYPE, .type = value->type};
    bool element = value->kind == FHIR_PATH_ELEMENT;
    type.text =
        element ? fhir_path_type_name(value) : path_kind_name((enum fhir_path_kind)value->kind);
    *value = type;
  }
  return true;
}

bool path_is(struct fhir_path_machine *m, const struct path_node *node, size_t base,
             struct err *err) {
  size_t count = m->top - base;
  if (count > 1) PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu", count);
  return count == 0 ||
         path_return_bool(m, base, path_type_matches(&node->type, &m->stack[base]), err);
}

bool path_as(struct fhir_path_machine *m, const struct path_node *node, size_t base,
             struct err *err) {
  size_t kept = base;
  if (m->top - base > 1 && !node->lenient)
    PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu; ofType() takes many",
              m->top - base);
  for (size_t i = base; i < m->top; i++)
    if (path_type_matches(&node->type, &m->stack[i])) m->stack[kept++] = m->stack[i];
  m->top = kept;
  return true;
}

PATH_FN(is) {
  return path_is(m, call, base, err);
}

PATH_FN(as) {
  return path_as(m, call, base, err);
}

PATH_FN(ofType) {
  size_t kept = base;
  for (size_t i = base; i < m->top; i++)
    if (path_type_matches(&call->type, &m->stack[i])) m->stack[kept++] = m->stack[i];
  m->top = kept;
  return true;
}

/* fhir/path_fn_list.c: existence, filters, parts and sets of collections (FHIRPath §5.1-5.4). */
#include "fhir/path_fn.h"

#include <string.h>

struct path_scope path_item_scope(const struct path_scope *outer,
                                  const struct fhir_path_value *item, size_t index) {
  struct path_scope scope = *outer;
  scope.focus = item;
  scope.focus_count = 1;
  scope.index = (int64_t)index;
  return scope;
}

/* What one item defines, the next does not see. */
bool path_per_item(struct fhir_path_machine *m, const struct path_node *argument,
                   const struct path_scope *outer, size_t at, size_t index, struct err *err) {
  struct path_scope scope = path_item_scope(outer, &m->stack[at], index);
  size_t defined = m->defined_count;
  TRY(path_eval(m, argument, &scope, err));
  m->defined_count = defined;
  return true;
}

bool path_per_item_truth(struct fhir_path_machine *m, const struct path_node *argument,
                         const struct path_scope *outer, size_t at, size_t index,
                         enum path_truth *ret_truth, struct err *err) {
  struct path_scope scope = path_item_scope(outer, &m->stack[at], index);
  size_t defined = m->defined_count;
  TRY(path_truth(m, argument, &scope, ret_truth, err));
  m->defined_count = defined;
  return true;
}

PATH_FN(empty) {
  return path_return_bool(m, base, m->top == base, err);
}

PATH_FN(count) {
  return path_return_int(m, base, (int64_t)(m->top - base), err);
}

PATH_FN(exists) {
  size_t end = m->top;
  if (call->arg_count == 0) return path_return_bool(m, base, end > base, err);
  for (size_t i = base; i < end; i++) {
    enum path_truth truth;
    TRY(path_per_item_truth(m, call->args[0], scope, i, i - base, &truth, err));
    if (truth == PATH_TRUE) return path_return_bool(m, base, true, err);
  }
  return path_return_bool(m, base, false, err);
}

PATH_FN(all) {
  size_t end = m->top;
  for (size_t i = base; i < end; i++) {
    enum path_truth truth;
    TRY(path_per_item_truth(m, call->args[0], scope, i, i - base, &truth, err));
    if (truth != PATH_TRUE) return path_return_bool(m, base, false, err);
  }
  return path_return_bool(m, base, true, err);
}

/* Is one of the booleans `wanted`? Anything else in the input fails. */
static bool any(struct fhir_path_machine *m, size_t base, bool wanted, bool *ret_any,
                struct err *err) {
  *ret_any = false;
  for (size_t i = base; i < m->top; i++) {
    struct fhir_path_value value;
    if (!fhir_path_system(&m->arena, &m->stack[i], &value) || value.kind != FHIR_PATH_BOOLEAN)
      PATH_FAIL(ERR_INVALID, "only truth values can be counted as such");
    if (value.boolean == wanted) *ret_any = true;
  }
  return true;
}

PATH_FN(allTrue) {
  bool found;
  TRY(any(m, base, false, &found, err));
  return path_return_bool(m, base, !found, err);
}

PATH_FN(allFalse) {
  bool found;
  TRY(any(m, base, true, &found, err));
  return path_return_bool(m, base, !found, err);
}

PATH_FN(anyTrue) {
  bool found;
  TRY(any(m, base, true, &found, err));
  return path_return_bool(m, base, found, err);
}

PATH_FN(anyFalse) {
  bool found;
  TRY(any(m, base, false, &found, err));
  return path_return_bool(m, base, found, err);
}

PATH_FN(not ) {
  enum path_truth truth;
  TRY(path_take_truth(m, base, &truth, err));
  return truth == PATH_NEITHER || path_return_bool(m, base, truth == PATH_FALSE, err);
}

PATH_FN(where) {
  size_t end = m->top;
  size_t kept = base;
  for (size_t i = base; i < end; i++) {
    enum path_truth truth;
    TRY(path_per_item_truth(m, call->args[0], scope, i, i - base, &truth, err));
    if (truth == PATH_TRUE) m->stack[kept++] = m->stack[i];
  }
  m->top = kept;
  return true;
}

PATH_FN(select) {
  size_t end = m->top;
  for (size_t i = base; i < end; i++) TRY(path_per_item(m, call->args[0], scope, i, i - base, err));
  path_keep(m, base, end);
  return true;
}

/* What the argument finds is asked again, until nothing new comes. */
static bool repeat(struct fhir_path_machine *m, const struct path_node *call,
                   const struct path_scope *scope, size_t base, bool once, struct err *err) {
  size_t end = m->top;
  for (size_t i = base; i < m->top; i++) {
    size_t before = m->top;
    TRY(path_per_item(m, call->args[0], scope, i, i - base, err));
    size_t kept = before;
    for (size_t k = before; k < m->top; k++) {
      bool known = false;
      if (once) TRY(path_among(m, &m->stack[k], m->stack + end, kept - end, &known, err));
      if (!known) m->stack[kept++] = m->stack[k];
    }
    m->top = kept;
  }
  path_keep(m, base, end);
  return true;
}

PATH_FN(repeat) {
  return repeat(m, call, scope, base, true, err);
}

PATH_FN(repeatAll) {
  return repeat(m, call, scope, base, false, err);
}

PATH_FN(children) {
  size_t end = m->top;
  for (size_t i = base; i < end; i++) {
    struct fhir_path_value value = m->stack[i];
    TRY(path_children(m, &value, err));
  }
  path_keep(m, base, end);
  return true;
}

PATH_FN(descendants) {
  size_t end = m->top;
  for (size_t i = base; i < m->top; i++) {
    struct fhir_path_value value = m->stack[i];
    TRY(path_children(m, &value, err));
  }
  path_keep(m, base, end);
  return true;
}

/* ---- parts ---- */

/* Keeps `count` of them from the `from`th on. */
static bool part(struct fhir_path_machine *m, size_t base, size_t from, size_t count) {
  size_t have = m->top - base;
  if (from > have) from = have;
  if (count > have - from) count = have - from;
  m->top = base + from + count;
  path_keep(m, base, base + from);
  return true;
}

PATH_FN(single) {
  if (m->top - base > 1)
    PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu", m->top - base);
  return true;
}

PATH_FN(first) {
  return part(m, base, 0, 1);
}

PATH_FN(last) {
  return m->top == base || part(m, base, m->top - base - 1, 1);
}

PATH_FN(tail) {
  return part(m, base, 1, SIZE_MAX);
}

static bool amount(struct fhir_path_machine *m, const struct path_node *call,
                   const struct path_scope *scope, size_t *ret_amount, struct err *err) {
  struct fhir_path_value value;
  bool there;
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_INTEGER, &value, &there, err));
  *ret_amount = there && value.integer > 0 ? (size_t)value.integer : 0;
  return true;
}

PATH_FN(skip) {
  size_t count;
  TRY(amount(m, call, scope, &count, err));
  return part(m, base, count, SIZE_MAX);
}

PATH_FN(take) {
  size_t count;
  TRY(amount(m, call, scope, &count, err));
  return part(m, base, 0, count);
}

/* ---- sets ---- */

PATH_FN(distinct) {
  return path_union(m, base, err);
}

PATH_FN(isDistinct) {
  size_t count = m->top - base;
  TRY(path_union(m, base, err));
  return path_return_bool(m, base, m->top - base == count, err);
}

PATH_FN(union) {
  TRY(path_eval(m, call->args[0], scope, err));
  return path_union(m, base, err);
}

PATH_FN(combine) {
  return path_eval(m, call->args[0], scope, err);
}

/* Keeps the input's items that are (or are not) among the argument's. */
static bool sift(struct fhir_path_machine *m, const struct path_node *call,
                 const struct path_scope *scope, size_t base, bool wanted, struct err *err) {
  size_t end = m->top;
  size_t kept = base;
  TRY(path_eval(m, call->args[0], scope, err));
  m->node = call;
  for (size_t i = base; i < end; i++) {
    bool found;
    TRY(path_among(m, &m->stack[i], m->stack + end, m->top - end, &found, err));
    if (found == wanted) m->stack[kept++] = m->stack[i];
  }
  m->top = kept;
  return true;
}

PATH_FN(intersect) {
  TRY(sift(m, call, scope, base, true, err));
  return path_union(m, base, err);
}

PATH_FN(exclude) {
  return sift(m, call, scope, base, false, err);
}

PATH_FN(subsetOf) {
  size_t count = m->top - base;
  TRY(sift(m, call, scope, base, true, err));
  return path_return_bool(m, base, m->top - base == count, err);
}

PATH_FN(supersetOf) {
  size_t end = m->top;
  TRY(path_eval(m, call->args[0], scope, err));
  for (size_t i = end; i < m->top; i++) {
    bool found;
    TRY(path_among(m, &m->stack[i], m->stack + base, end - base, &found, err));
    if (!found) return path_return_bool(m, base, false, err);
  }
  return path_return_bool(m, base, true, err);
}

PATH_FN(coalesce) {
  for (size_t i = 0; i < call->arg_count; i++) {
    m->top = base;
    TRY(path_eval(m, call->args[i], scope, err));
    if (m->top > base) return true;
  }
  return true;
}

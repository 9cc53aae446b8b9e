/* fhir/path_binary.c: the operators: what is done with two collections (FHIRPath §6). */
#include "fhir/path_impl.h"

/* An operand as it lies on the stack, or in the program when it is a literal. */
struct operand {
  const struct fhir_path_value *at;
  size_t count;
};

static bool operand(struct fhir_path_machine *m, const struct path_node *node,
                    const struct path_scope *scope, struct operand *ret_operand, struct err *err) {
  size_t base = m->top;
  size_t defined = m->defined_count;
  if (node->op == PATH_LITERAL) {
    *ret_operand = (struct operand){&node->value, 1};
    return true;
  }
  TRY(path_eval(m, node, scope, err));
  m->defined_count = defined; /* what an operand defines, the other does not see */
  *ret_operand = (struct operand){m->stack + base, m->top - base};
  return true;
}

static bool equal(struct fhir_path_machine *m, size_t base, bool turned, struct operand a,
                  struct operand b, struct err *err) {
  enum path_truth all = PATH_TRUE;
  enum path_truth truth;
  if (a.count == 0 || b.count == 0) {
    m->top = base;
    return true;
  }
  if (a.count != b.count) return path_return_bool(m, base, turned, err);
  for (size_t i = 0; i < a.count && all != PATH_FALSE; i++) {
    TRY(path_equal(m, &a.at[i], &b.at[i], &truth, err));
    if (truth != PATH_TRUE) all = truth;
  }
  m->top = base;
  return all == PATH_NEITHER || path_return_bool(m, base, (all == PATH_TRUE) != turned, err);
}

/* Each item of a finds its own in b, in any order. Found ones go to the front of the copy. */
static bool equivalent(struct fhir_path_machine *m, size_t base, bool turned, struct operand a,
                       struct operand b, struct err *err) {
  bool same = a.count == b.count;
  size_t copy = m->top;
  for (size_t i = 0; i < b.count && same; i++) TRY(path_push(m, &b.at[i], err));
  for (size_t i = 0; i < a.count && same; i++) {
    bool found = false;
    for (size_t k = copy + i; k < m->top && !found; k++) {
      TRY(path_equivalent(m, &a.at[i], &m->stack[k], &found, err));
      if (found) m->stack[k] = m->stack[copy + i];
    }
    same = found;
  }
  return path_return_bool(m, base, same != turned, err);
}

static bool among(struct fhir_path_machine *m, size_t base, struct operand one, struct operand many,
                  struct err *err) {
  bool found;
  if (one.count > 1) PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu", one.count);
  m->top = base;
  if (one.count == 0) return true;
  TRY(path_among(m, one.at, many.at, many.count, &found, err));
  return path_return_bool(m, base, found, err);
}

static bool single(struct fhir_path_machine *m, struct operand operand,
                   struct fhir_path_value *ret_value, bool *ret_there, struct err *err) {
  if (operand.count > 1)
    PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu", operand.count);
  *ret_there = operand.count == 1;
  if (!*ret_there) return true;
  *ret_there = fhir_path_system(&m->arena, operand.at, ret_value);
  if (!*ret_there && operand.at->element.node && operand.at->element.node->kind == JSON_OBJECT)
    PATH_FAIL(ERR_INVALID, "a value is needed here, not an element with parts");
  return true;
}

/* Empty when either is; only & takes an empty one for an empty text. */
static bool singles(struct fhir_path_machine *m, size_t base, enum path_op op, struct operand a,
                    struct operand b, struct err *err) {
  struct fhir_path_value left = fhir_path_string(BYTES_NONE);
  struct fhir_path_value right = left;
  bool has_left;
  bool has_right;
  TRY(single(m, a, &left, &has_left, err));
  TRY(single(m, b, &right, &has_right, err));
  if (op != PATH_CONCATENATE && (!has_left || !has_right)) {
    m->top = base;
    return true;
  }
  return path_calculate(m, base, op, &left, &right, err);
}

bool path_union(struct fhir_path_machine *m, size_t base, struct err *err) {
  size_t end = base;
  for (size_t i = base; i < m->top; i++) {
    bool found;
    TRY(path_among(m, &m->stack[i], m->stack + base, end - base, &found, err));
    if (!found) m->stack[end++] = m->stack[i];
  }
  m->top = end;
  return true;
}

/* Three-valued logic (§6.5). */
static enum path_truth logic(enum path_op op, enum path_truth a, enum path_truth b) {
  if (op == PATH_AND) {
    if (a == PATH_FALSE || b == PATH_FALSE) return PATH_FALSE;
    return a == PATH_TRUE && b == PATH_TRUE ? PATH_TRUE : PATH_NEITHER;
  }
  if (op == PATH_XOR) {
    if (a == PATH_NEITHER || b == PATH_NEITHER) return PATH_NEITHER;
    return a != b ? PATH_TRUE : PATH_FALSE;
  }
  if (op == PATH_IMPLIES && a != PATH_NEITHER) a = a == PATH_TRUE ? PATH_FALSE : PATH_TRUE;
  if (a == PATH_TRUE || b == PATH_TRUE) return PATH_TRUE;
  return a == PATH_FALSE && b == PATH_FALSE ? PATH_FALSE : PATH_NEITHER;
}

/* The first often decides alone. */
static bool decided(enum path_op op, enum path_truth a) {
  if (op == PATH_AND || op == PATH_IMPLIES) return a == PATH_FALSE;
  return op == PATH_OR && a == PATH_TRUE;
}

bool path_logic(struct fhir_path_machine *m, const struct path_node *node,
                const struct path_scope *scope, enum path_truth *ret_truth, struct err *err) {
  enum path_op op = (enum path_op)node->op;
  enum path_truth a;
  enum path_truth b = PATH_NEITHER;
  size_t defined = m->defined_count;
  TRY(path_truth(m, node->args[0], scope, &a, err));
  m->defined_count = defined;
  if (!decided(op, a)) TRY(path_truth(m, node->args[1], scope, &b, err));
  m->defined_count = defined;
  *ret_truth = logic(op, a, b);
  return true;
}

static bool type_test(struct fhir_path_machine *m, const struct path_node *node,
                      const struct path_scope *scope, struct err *err) {
  size_t base = m->top;
  TRY(path_eval(m, node->args[0], scope, err));
  m->node = node;
  if (node->op == PATH_AS) return path_as(m, node, base, err);
  return path_is(m, node, base, err);
}

bool path_binary(struct fhir_path_machine *m, const struct path_node *node,
                 const struct path_scope *scope, struct err *err) {
  enum path_op op = (enum path_op)node->op;
  size_t base = m->top;
  struct operand a;
  struct operand b;
  enum path_truth truth;
  if (op == PATH_IS || op == PATH_AS) return type_test(m, node, scope, err);
  if (op == PATH_AND || op == PATH_OR || op == PATH_XOR || op == PATH_IMPLIES) {
    TRY(path_logic(m, node, scope, &truth, err));
    return truth == PATH_NEITHER || path_return_bool(m, base, truth == PATH_TRUE, err);
  }
  if (op == PATH_UNION) {
    size_t defined = m->defined_count;
    TRY(path_eval(m, node->args[0], scope, err));
    m->defined_count = defined;
    TRY(path_eval(m, node->args[1], scope, err));
    m->defined_count = defined;
    return path_union(m, base, err);
  }
  TRY(operand(m, node->args[0], scope, &a, err));
  TRY(operand(m, node->args[1], scope, &b, err));
  m->node = node;
  if (op == PATH_EQUAL || op == PATH_NOT_EQUAL)
    return equal(m, base, op == PATH_NOT_EQUAL, a, b, err);
  if (op == PATH_EQUIVALENT || op == PATH_NOT_EQUIVALENT)
    return equivalent(m, base, op == PATH_NOT_EQUIVALENT, a, b, err);
  if (op == PATH_IN) return among(m, base, a, b, err);
  if (op == PATH_CONTAINS) return among(m, base, b, a, err);
  return singles(m, base, op, a, b, err);
}

/* fhir/path_eval.c: the machine. Every part leaves its collection on one stack, above what was
 * there before; a function finds its input there and puts its result in the same place.        */
#include "fhir/path_impl.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

struct fhir_path_machine *fhir_path_machine_new(const struct fhir_path_limits *limits) {
  static const struct fhir_path_limits none = {0};
  struct fhir_path_machine *m = must_alloc(sizeof *m);
  if (!limits) limits = &none;
  *m = (struct fhir_path_machine){
      .values_max = limits->values_max ? limits->values_max : FHIR_PATH_VALUES_MAX,
      .steps_max = limits->steps_max ? limits->steps_max : FHIR_PATH_STEPS_MAX};
  m->stack = must_alloc(m->values_max * sizeof *m->stack);
  arena_init(&m->arena, limits->bytes_max ? limits->bytes_max : FHIR_PATH_BYTES_MAX);
  return m;
}

void fhir_path_machine_free(struct fhir_path_machine **machine_take) {
  struct fhir_path_machine *m = *machine_take;
  *machine_take = NULL;
  if (!m) return;
  arena_fini(&m->arena);
  free(m->stack);
  free(m);
}

/* ---- the stack ---- */

bool path_spend(struct fhir_path_machine *m, uint64_t steps, struct err *err) {
  if (m->steps < steps)
    PATH_FAIL(ERR_LIMIT, "the evaluation takes more than %llu steps (steps_max)",
              (unsigned long long)m->steps_max);
  m->steps -= steps;
  return true;
}

bool path_push(struct fhir_path_machine *m, const struct fhir_path_value *value, struct err *err) {
  if (m->top >= m->values_max)
    PATH_FAIL(ERR_LIMIT, "more than %zu values at once (values_max)", m->values_max);
  m->stack[m->top++] = *value;
  return true;
}

void path_keep(struct fhir_path_machine *m, size_t base, size_t from) {
  size_t count = m->top - from;
  memmove(m->stack + base, m->stack + from, count * sizeof *m->stack);
  m->top = base + count;
}

bool path_return(struct fhir_path_machine *m, size_t base, const struct fhir_path_value *value,
                 struct err *err) {
  struct fhir_path_value copy = *value;
  m->top = base;
  return path_push(m, &copy, err);
}

bool path_return_bool(struct fhir_path_machine *m, size_t base, bool value, struct err *err) {
  struct fhir_path_value boolean = fhir_path_boolean(value);
  return path_return(m, base, &boolean, err);
}

/* Integers have 32 bits; a result that does not fit is none (§6.6). */
bool path_return_int(struct fhir_path_machine *m, size_t base, int64_t value, struct err *err) {
  struct fhir_path_value integer = {.kind = FHIR_PATH_INTEGER, .type = FHIR_NONE};
  integer.integer = value;
  m->top = base;
  if (value > INT32_MAX || value < INT32_MIN) return true;
  return path_push(m, &integer, err);
}

bool path_return_text(struct fhir_path_machine *m, size_t base, struct bytes text,
                      struct err *err) {
  struct fhir_path_value string = fhir_path_string(text);
  if (!arena_ok(&m->arena))
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  return path_return(m, base, &string, err);
}

/* ---- single values ---- */

bool path_take_one(struct fhir_path_machine *m, size_t base, struct fhir_path_value *ret_value,
                   bool *ret_there, struct err *err) {
  size_t count = m->top - base;
  struct fhir_path_value value;
  m->top = base;
  *ret_there = false;
  if (count == 0) return true;
  if (count > 1) PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu", count);
  value = m->stack[base];
  bool has_value = fhir_path_system(&m->arena, &value, &value);
  /* An element that is more than a value is one, too; a primitive without its value is none. */
  if (!has_value && (!value.element.node || value.element.node->kind != JSON_OBJECT)) return true;
  *ret_value = value;
  *ret_there = true;
  return true;
}

bool path_take_truth(struct fhir_path_machine *m, size_t base, enum path_truth *ret_truth,
                     struct err *err) {
  struct fhir_path_value value;
  bool there;
  TRY(path_take_one(m, base, &value, &there, err));
  *ret_truth = PATH_NEITHER;
  if (there) *ret_truth = value.kind != FHIR_PATH_BOOLEAN || value.boolean ? PATH_TRUE : PATH_FALSE;
  return true;
}

bool path_truth(struct fhir_path_machine *m, const struct path_node *node,
                const struct path_scope *scope, enum path_truth *ret_truth, struct err *err) {
  size_t base = m->top;
  TRY(path_eval(m, node, scope, err));
  return path_take_truth(m, base, ret_truth, err);
}

bool path_arg(struct fhir_path_machine *m, const struct path_node *call, size_t i,
              const struct path_scope *scope, enum fhir_path_kind kind,
              struct fhir_path_value *ret_value, bool *ret_there, struct err *err) {
  size_t base = m->top;
  TRY(path_eval(m, call->args[i], scope, err));
  TRY(path_take_one(m, base, ret_value, ret_there, err));
  if (!*ret_there || ret_value->kind == kind) return true;
  if (kind == FHIR_PATH_DECIMAL && ret_value->kind == FHIR_PATH_INTEGER) {
    ret_value->decimal = fhir_decimal_int(ret_value->integer);
    ret_value->kind = FHIR_PATH_DECIMAL;
    return true;
  }
  m->node = call->args[i];
  PATH_FAIL(ERR_INVALID, "the argument must be a %.*s", BYTES_FMT(path_kind_name(kind)));
}

/* ---- parts ---- */

static bool push_all(struct fhir_path_machine *m, const struct fhir_path_value *values,
                     size_t count, struct err *err) {
  for (size_t i = 0; i < count; i++) TRY(path_push(m, &values[i], err));
  return true;
}

static bool push_text(struct fhir_path_machine *m, struct bytes text, struct err *err) {
  struct fhir_path_value value = fhir_path_string(text);
  return path_push(m, &value, err);
}

/* %`vs-name` and %`ext-name` are short for canonical URLs (FHIR R4 §2.9.1.5). */
static bool push_url(struct fhir_path_machine *m, const char *start, struct bytes name,
                     struct err *err) {
  struct bytes url = arena_printf(&m->arena, "%s%.*s", start, BYTES_FMT(name));
  return path_return_text(m, m->top, url, err);
}

static bool eval_variable(struct fhir_path_machine *m, struct bytes name, struct err *err) {
  static const struct {
    const char *name, *text;
  } known[] = {{"ucum", "http://unitsofmeasure.org"},
               {"sct", "http://snomed.info/sct"},
               {"loinc", "http://loinc.org"}};
  const struct fhir_path_env *env = m->env;
  for (size_t i = m->defined_count; i-- > 0;)
    if (bytes_eq(m->defined[i].name, name))
      return push_all(m, m->defined[i].values, m->defined[i].count, err);
  for (size_t i = 0; i < env->variable_count; i++)
    if (bytes_eq(env->variables[i].name, name))
      return push_all(m, env->variables[i].values, env->variables[i].count, err);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (bytes_eq_str(name, known[i].name)) return push_text(m, bytes_str(known[i].text), err);
  const struct fhir_path_value *resource = env->resource ? env->resource : m->context;
  const struct fhir_path_value *root = env->root_resource ? env->root_resource : resource;
  if (bytes_eq_str(name, "context")) return push_all(m, m->context, m->context ? 1 : 0, err);
  if (bytes_eq_str(name, "resource")) return push_all(m, resource, resource ? 1 : 0, err);
  if (bytes_eq_str(name, "rootResource")) return push_all(m, root, root ? 1 : 0, err);
  if (bytes_starts(name, BYTES("vs-")))
    return push_url(m, "http://hl7.org/fhir/ValueSet/", bytes_from(name, 3), err);
  if (bytes_starts(name, BYTES("ext-")))
    return push_url(m, "http://hl7.org/fhir/StructureDefinition/", bytes_from(name, 4), err);
  PATH_FAIL(ERR_INVALID, "nothing is known of %%%.*s", BYTES_FMT(bytes_sub(name, 0, 64)));
}

static bool push_input(struct fhir_path_machine *m, const struct path_node *node,
                       const struct path_scope *scope, struct err *err) {
  if (node->input) return path_eval(m, node->input, scope, err);
  return push_all(m, scope->focus, scope->focus_count, err);
}

static bool eval_item(struct fhir_path_machine *m, const struct path_node *node,
                      const struct path_scope *scope, struct err *err) {
  size_t base = m->top;
  struct fhir_path_value index;
  bool there;
  TRY(push_input(m, node, scope, err));
  size_t count = m->top - base;
  TRY(path_arg(m, node, 0, scope, FHIR_PATH_INTEGER, &index, &there, err));
  m->top = base;
  if (!there || index.integer < 0 || (uint64_t)index.integer >= count) return true;
  struct fhir_path_value item = m->stack[base + (size_t)index.integer];
  return path_push(m, &item, err);
}

static bool eval_call(struct fhir_path_machine *m, const struct path_node *node,
                      const struct path_scope *scope, struct err *err) {
  size_t base = m->top;
  TRY(push_input(m, node, scope, err));
  size_t defined = m->defined_count;
  m->node = node;
  TRY(node->call.entry->run(m, node, scope, base, err));
  /* What an argument defines ends with the call. */
  if (!(node->call.entry->flags & PATH_DEFINES)) m->defined_count = defined;
  return true;
}

static bool eval_sign(struct fhir_path_machine *m, const struct path_node *node,
                      const struct path_scope *scope, struct err *err) {
  size_t base = m->top;
  TRY(path_eval(m, node->args[0], scope, err));
  m->node = node;
  if (node->op == PATH_NEGATE) return path_negate(m, base, err);
  return true;
}

bool path_eval(struct fhir_path_machine *m, const struct path_node *node,
               const struct path_scope *scope, struct err *err) {
  m->node = node;
  TRY(path_spend(m, 1, err));
  switch ((enum path_op)node->op) {
  case PATH_EMPTY: return true;
  case PATH_LITERAL: return path_push(m, &node->value, err);
  case PATH_THIS: return push_all(m, scope->focus, scope->focus_count, err);
  case PATH_INDEX:
    if (scope->index < 0) PATH_FAIL(ERR_INVALID, "$index means nothing here");
    return path_return_int(m, m->top, scope->index, err);
  case PATH_TOTAL:
    if (!scope->total) PATH_FAIL(ERR_INVALID, "$total means nothing outside aggregate()");
    return push_all(m, scope->total, scope->total_count, err);
  case PATH_VARIABLE: return eval_variable(m, node->name, err);
  case PATH_STEPS: return path_walk(m, node, scope, err);
  case PATH_CALL: return eval_call(m, node, scope, err);
  case PATH_ITEM: return eval_item(m, node, scope, err);
  case PATH_NEGATE:
  case PATH_PLUS_SIGN: return eval_sign(m, node, scope, err);
  case PATH_MULTIPLY:
  case PATH_DIVIDE:
  case PATH_DIV:
  case PATH_MOD:
  case PATH_ADD:
  case PATH_SUBTRACT:
  case PATH_CONCATENATE:
  case PATH_UNION:
  case PATH_LESS:
  case PATH_LESS_EQUAL:
  case PATH_GREATER:
  case PATH_GREATER_EQUAL:
  case PATH_EQUAL:
  case PATH_NOT_EQUAL:
  case PATH_EQUIVALENT:
  case PATH_NOT_EQUIVALENT:
  case PATH_IN:
  case PATH_CONTAINS:
  case PATH_AND:
  case PATH_OR:
  case PATH_XOR:
  case PATH_IMPLIES:
  case PATH_IS:
  case PATH_AS: break;
  }
  return path_binary(m, node, scope, err);
}

bool fhir_path_compile(struct arena *arena, struct bytes text,
                       const struct fhir_path_options *options, const struct fhir_path **ret_path,
                       struct err *err) {
  static const struct fhir_path_options none = {.type = FHIR_NONE, .lenient_as = true};
  struct fhir_path *path = ARENA_NEW(arena, struct fhir_path);
  if (!options) options = &none;
  if (text.len > FHIR_PATH_TEXT_BYTES_MAX)
    FAIL(ERR_LIMIT, "an expression has at most %u bytes", FHIR_PATH_TEXT_BYTES_MAX);
  if (path) path->text = arena_copy(arena, text);
  if (!path || !arena_ok(arena)) FAIL(ERR_LIMIT, "the expression needs more memory than allowed");
  TRY(path_parse(arena, path->text, options, &path->root, err));
  if (options->strict) TRY(path_check(path->root, path->text, options->type, err));
  *ret_path = path;
  return true;
}

bool fhir_path_eval(struct fhir_path_machine *m, const struct fhir_path *path,
                    const struct fhir_path_value *context, const struct fhir_path_env *env,
                    struct fhir_path_result *ret_result, struct err *err) {
  static const struct fhir_path_env none = {0};
  struct path_scope scope = {.focus = context, .focus_count = context ? 1 : 0, .index = -1};
  if (m->arena.used_bytes || m->arena.overflow) arena_reset(&m->arena);
  m->top = 0;
  m->steps = m->steps_max;
  m->env = env ? env : &none;
  m->context = context;
  m->defined_count = 0;
  TRY(path_eval(m, path->root, &scope, err));
  *ret_result = (struct fhir_path_result){m->stack, m->top};
  return true;
}

bool fhir_path_holds(struct fhir_path_machine *m, const struct fhir_path *path,
                     const struct fhir_path_value *context, const struct fhir_path_env *env,
                     bool *ret_holds, struct err *err) {
  struct fhir_path_result result;
  enum path_truth truth;
  TRY(fhir_path_eval(m, path, context, env, &result, err));
  TRY(path_take_truth(m, 0, &truth, err));
  *ret_holds = truth == PATH_TRUE;
  return true;
}

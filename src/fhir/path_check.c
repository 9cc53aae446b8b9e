/* fhir/path_check.c: strict mode: which types each part can give, so that a name none of them has
 * is told before anything is evaluated. What cannot be known (a resource behind a reference, all
 * descendants) may be anything and is not checked further.                                     */
#include "base/nearest.h"
#include "fhir/path_impl.h"

#include <string.h>

enum { TYPES_MAX = 64, NAMES_MAX = 96, NAME_BYTES = 48 };

/* Empty means none can be there; `any` that nothing is known. */
struct types {
  bool any, unordered;
  uint8_t count;
  uint16_t at[TYPES_MAX];
};

struct check {
  struct bytes text;
};

static const struct types ANYTHING = {.any = true};

static void add(struct types *types, uint16_t type) {
  /* Contained resources can be of any type. */
  if (type == FHIR_NONE || type == FHIR_TYPE_RESOURCE || types->count == TYPES_MAX) {
    types->any = true;
    return;
  }
  for (size_t i = 0; i < types->count; i++)
    if (types->at[i] == type) return;
  types->at[types->count++] = type;
}

static void join(struct types *types, const struct types *more) {
  types->any |= more->any;
  types->unordered |= more->unordered;
  for (size_t i = 0; i < more->count; i++) add(types, more->at[i]);
}

static bool infer(const struct check *check, const struct path_node *node,
                  const struct types *focus, struct types *ret_types, struct err *err);

static size_t offset_of(const struct check *check, const struct path_node *node,
                        struct bytes name) {
  bool within = name.at >= check->text.at && name.at <= check->text.at + check->text.len;
  return within ? (size_t)(name.at - check->text.at) : node->at;
}

/* The known name that was probably meant, in ret_text; "" when there is none. */
static void suggest(const struct types *from, struct bytes name, char ret_text[NAME_BYTES]) {
  char texts[NAMES_MAX][NAME_BYTES];
  const char *names[NAMES_MAX];
  const struct fhir_type *type = fhir_type_at(from->at[0]);
  size_t count = 0;
  for (size_t i = 0; i < type->member_count && count < NAMES_MAX; i++) {
    const struct fhir_member *member = fhir_member_at(type->member_first + i);
    bool choice = fhir_element_at(member->element)->flags & FHIR_CHOICE;
    if (choice && member->type != FHIR_NONE) {
      /* Written as in JSON: the element is what it begins with. */
      if (!bytes_eq(fhir_text(member->name), name)) continue;
      bytes_text(fhir_text(fhir_element_at(member->element)->name), ret_text, NAME_BYTES);
      return;
    }
    bytes_text(fhir_text(member->name), texts[count], NAME_BYTES);
    names[count] = texts[count];
    count++;
  }
  const char *near = nearest_word(name, names, count);
  bytes_text(bytes_str(near), ret_text, NAME_BYTES);
}

static bool unknown(const struct check *check, const struct path_node *node,
                    const struct types *from, struct bytes name, struct err *err) {
  char near[NAME_BYTES] = "";
  size_t at = offset_of(check, node, name);
  if (from->count == 0)
    FAIL_AT(ERR_INVALID, at, "nothing can have an element %.*s here",
            BYTES_FMT(bytes_sub(name, 0, 64)));
  suggest(from, name, near);
  struct fhir_path_value first = fhir_path_element(NULL, NULL, from->at[0]);
  FAIL_AT(ERR_INVALID, at, "%.*s has no element %.*s%s%s%s", BYTES_FMT(fhir_path_type_name(&first)),
          BYTES_FMT(bytes_sub(name, 0, 64)), near[0] ? "; did you mean " : "", near,
          near[0] ? "?" : "");
}

/* The types a member can have; false: there is no such member. */
static bool member_types(uint16_t type, struct bytes name, struct types *types) {
  const struct fhir_member *member = fhir_member_find(fhir_type_at(type), name);
  if (!member) {
    /* A primitive's own value. */
    bool value = fhir_type_is_primitive(fhir_type_at(type)) && bytes_eq_str(name, "value");
    if (value) types->any = true;
    return value;
  }
  const struct fhir_element *element = fhir_element_at(member->element);
  if (!(element->flags & FHIR_CHOICE)) {
    add(types, member->type);
    return true;
  }
  if (member->type != FHIR_NONE) return false;
  for (size_t i = 0; i < element->type_count; i++) add(types, fhir_element_type(element, i)->type);
  return true;
}

static bool infer_step(const struct check *check, const struct path_node *node,
                       const struct path_step *step, const struct types *from,
                       struct types *ret_types, struct err *err) {
  struct types types = {.any = from->any, .unordered = from->unordered};
  bool found = from->any;
  bool named = false;
  for (size_t i = 0; i < from->count; i++) {
    if (step->type != FHIR_NONE && fhir_type_is(fhir_type_at(from->at[i]), step->type)) {
      add(&types, from->at[i]);
      named = true;
    } else if (member_types(from->at[i], step->name, &types)) {
      found = true;
    }
  }
  if (!found && !named) return unknown(check, node, from, step->name, err);
  *ret_types = types;
  return true;
}

static bool infer_steps(const struct check *check, const struct path_node *node,
                        const struct types *focus, struct types *ret_types, struct err *err) {
  struct types types = *focus;
  if (node->input) TRY(infer(check, node->input, focus, &types, err));
  for (size_t i = 0; i < node->steps.count; i++)
    TRY(infer_step(check, node, &node->steps.at[i], &types, &types, err));
  *ret_types = types;
  return true;
}

static void of_type(const struct path_type *type, struct types *ret_types) {
  struct types types = {.any = !type->fhir || type->system};
  if (type->fhir && !types.any) {
    bool abstract = fhir_type_at(type->type)->flags & FHIR_TYPE_ABSTRACT;
    if (abstract)
      types.any = true;
    else
      add(&types, type->type);
  }
  /* A name both FHIR and System know (Quantity) is checked as FHIR's. */
  if (type->fhir && type->system) {
    types.any = false;
    add(&types, type->type);
  }
  *ret_types = types;
}

static bool is_one_of(const char *name, const char *const *names) {
  for (; *names; names++)
    if (strcmp(name, *names) == 0) return true;
  return false;
}

/* What a function makes of its input and arguments. */
static void result_of(const struct path_node *call, const struct types *input,
                      const struct types *args, struct types *ret_types) {
  static const char *const same[] = {"where",          "first",          "last",    "tail",
                                     "skip",           "take",           "single",  "distinct",
                                     "trace",          "intersect",      "exclude", "sort",
                                     "checkModifiers", "defineVariable", NULL};
  static const char *const joined[] = {"union", "combine", "coalesce", "iif", NULL};
  const char *name = call->call.entry->name;
  struct types types = ANYTHING;
  if (is_one_of(name, same)) {
    types = *input;
    if (strcmp(name, "sort") == 0) types.unordered = false;
  } else if (is_one_of(name, joined)) {
    bool own = name[0] == 'u' || strcmp(name, "combine") == 0;
    types = own ? *input : (struct types){0};
    for (size_t i = name[0] == 'i' ? 1 : 0; i < call->arg_count && (i == 0 || !own); i++)
      join(&types, &args[i]);
  } else if (strcmp(name, "select") == 0) {
    types = args[0];
  } else if (call->call.entry->flags & PATH_TYPE_ARG && (name[0] == 'o' || name[0] == 'a')) {
    of_type(&call->type, &types);
  } else if (strcmp(name, "extension") == 0) {
    types = (struct types){.count = 1, .at = {FHIR_TYPE_EXTENSION}};
  }
  types.unordered |= call->call.entry->flags & PATH_UNORDERED;
  *ret_types = types;
}

static bool infer_call(const struct check *check, const struct path_node *node,
                       const struct types *focus, struct types *ret_types, struct err *err) {
  const struct path_entry *entry = node->call.entry;
  struct types input = *focus;
  struct types args[PATH_ARGS_MAX];
  if (node->input) TRY(infer(check, node->input, focus, &input, err));
  if ((entry->flags & PATH_NEEDS_ORDER) && input.unordered)
    FAIL_AT(ERR_INVALID, node->at, "%s() needs an order, and what it is given has none",
            entry->name);
  for (size_t i = 0; i < node->arg_count; i++) {
    /* What an aggregate's or a repetition's argument sees later is not known here. */
    bool again = strcmp(entry->name, "repeat") == 0 || strcmp(entry->name, "repeatAll") == 0;
    const struct types *seen = entry->flags & PATH_PER_ITEM ? &input : focus;
    TRY(infer(check, node->args[i], again ? &input : seen, &args[i], err));
  }
  result_of(node, &input, args, ret_types);
  return true;
}

static bool infer(const struct check *check, const struct path_node *node,
                  const struct types *focus, struct types *ret_types, struct err *err) {
  struct types parts[2] = {{0}};
  enum path_op op = (enum path_op)node->op;
  if (op == PATH_STEPS) return infer_steps(check, node, focus, ret_types, err);
  if (op == PATH_CALL) return infer_call(check, node, focus, ret_types, err);
  *ret_types = op == PATH_THIS ? *focus : op == PATH_EMPTY ? (struct types){0} : ANYTHING;
  if (op == PATH_ITEM) {
    TRY(infer(check, node->args[0], focus, &parts[1], err));
    return infer(check, node->input, focus, ret_types, err);
  }
  for (size_t i = 0; i < node->arg_count && op != PATH_LITERAL; i++)
    TRY(infer(check, node->args[i], focus, &parts[i], err));
  if (op == PATH_AS) of_type(&node->type, ret_types);
  if (op == PATH_UNION) {
    join(&parts[0], &parts[1]);
    *ret_types = parts[0];
  }
  return true;
}

bool path_check(const struct path_node *root, struct bytes text, uint16_t type, struct err *err) {
  struct check check = {text};
  struct types focus = {0};
  struct types result;
  add(&focus, type);
  return infer(&check, root, &focus, &result, err);
}

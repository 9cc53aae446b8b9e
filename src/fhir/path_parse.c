/* fhir/path_parse.c: the grammar of FHIRPath by precedence climbing. Chains of member names become
 * one part, literals become values, types and functions are looked up: what can be known before
 * the first evaluation is known here.                                                          */
#include "base/nearest.h"
#include "fhir/path_impl.h"
#include "fhir/path_lex.h"
#include "wire/utf8.h"

#include <string.h>

enum { TYPE_NAMES_MAX = 2, STEPS_FIRST = 4 };

struct parser {
  struct path_lexer lexer;
  struct arena *arena;
  const struct fhir_path_options *options;
  int nesting;
};

#define MAY_NOT(...) FAIL_AT(ERR_MALFORMED, p->lexer.token.at, __VA_ARGS__)

static bool parse_expression(struct parser *p, int binding, const struct path_node **ret_node,
                             struct err *err);

static bool next(struct parser *p, struct err *err) {
  return path_lex_next(&p->lexer, err);
}

static bool is_sign(const struct parser *p, const char *sign) {
  return p->lexer.token.kind == PATH_TOKEN_SIGN && bytes_eq_str(p->lexer.token.text, sign);
}

static bool expect(struct parser *p, const char *sign, struct err *err) {
  if (!is_sign(p, sign)) MAY_NOT("'%s' is missing here", sign);
  return next(p, err);
}

static bool make(struct parser *p, enum path_op op, size_t at, struct path_node **ret_node,
                 struct err *err) {
  struct path_node *node = ARENA_NEW(p->arena, struct path_node);
  if (!node) FAIL_AT(ERR_LIMIT, at, "the expression needs more memory than allowed");
  node->op = (uint8_t)op;
  node->at = (uint32_t)at;
  node->depth = 1;
  node->lenient = p->options->lenient_as;
  node->type.type = FHIR_NONE;
  *ret_node = node;
  return true;
}

/* A part is one deeper than the deepest it holds. */
static bool deepen(struct path_node *node, const struct path_node *part, struct err *err) {
  if (!part || part->depth < node->depth) return true;
  if (part->depth >= FHIR_PATH_DEPTH_MAX)
    FAIL_AT(ERR_LIMIT, node->at, "more than %d nested parts (FHIR_PATH_DEPTH_MAX)",
            FHIR_PATH_DEPTH_MAX);
  node->depth = (uint16_t)(part->depth + 1);
  return true;
}

static bool set_args(struct parser *p, struct path_node *node, const struct path_node *const *args,
                     size_t count, struct err *err) {
  const struct path_node **kept = ARENA_ARRAY(p->arena, const struct path_node *, count);
  if (!kept) FAIL_AT(ERR_LIMIT, node->at, "the expression needs more memory than allowed");
  for (size_t i = 0; i < count; i++) {
    kept[i] = args[i];
    TRY(deepen(node, args[i], err));
  }
  node->args = kept;
  node->arg_count = (uint8_t)count;
  return true;
}

/* ---- literals ---- */

static bool literal(struct parser *p, size_t at, const struct fhir_path_value *value,
                    const struct path_node **ret_node, struct err *err) {
  struct path_node *node;
  TRY(make(p, PATH_LITERAL, at, &node, err));
  node->value = *value;
  *ret_node = node;
  return true;
}

/* The unit behind a number, if one stands there: 'mg', days. */
static bool parse_unit(struct parser *p, struct fhir_path_quantity *quantity, bool *ret_there,
                       struct err *err) {
  const struct path_token *token = &p->lexer.token;
  *ret_there = false;
  if (token->kind == PATH_TOKEN_STRING)
    quantity->unit = token->text;
  else if (token->kind == PATH_TOKEN_NAME && path_calendar_word(token->text, &quantity->unit))
    quantity->calendar = true;
  else
    return true;
  *ret_there = true;
  return next(p, err);
}

static bool number_value(struct parser *p, const struct path_token *token,
                         struct fhir_path_value *ret_value, struct err *err) {
  struct fhir_decimal decimal;
  bool whole = bytes_find(token->text, '.') == token->text.len;
  if (!fhir_decimal_parse(token->text, &decimal) || token->text.len > FHIR_DECIMAL_DIGITS_MAX + 1)
    FAIL_AT(ERR_LIMIT, token->at, "more than %d digits", FHIR_DECIMAL_DIGITS_MAX);
  *ret_value = (struct fhir_path_value){.kind = FHIR_PATH_DECIMAL, .type = FHIR_NONE};
  ret_value->decimal = decimal;
  if (!whole) return true;
  ret_value->kind = FHIR_PATH_INTEGER;
  if (!fhir_decimal_to_int(decimal, &ret_value->integer) || ret_value->integer > (int64_t)INT32_MAX)
    FAIL_AT(ERR_LIMIT, token->at, "an integer has at most 31 bits; write it with a point");
  return true;
}

static bool parse_number(struct parser *p, const struct path_node **ret_node, struct err *err) {
  struct path_token token = p->lexer.token;
  struct fhir_path_quantity quantity = {0};
  struct fhir_path_value value;
  bool has_unit;
  TRY(next(p, err));
  TRY(parse_unit(p, &quantity, &has_unit, err));
  if (!has_unit) {
    TRY(number_value(p, &token, &value, err));
    return literal(p, token.at, &value, ret_node, err);
  }
  struct fhir_path_quantity *kept = ARENA_NEW(p->arena, struct fhir_path_quantity);
  if (!fhir_decimal_parse(token.text, &quantity.value) || !kept)
    FAIL_AT(ERR_LIMIT, token.at, "a number past its limits");
  *kept = quantity;
  value = (struct fhir_path_value){.kind = FHIR_PATH_QUANTITY, .type = FHIR_NONE};
  value.quantity = kept;
  return literal(p, token.at, &value, ret_node, err);
}

static bool parse_moment(struct parser *p, const struct path_node **ret_node, struct err *err) {
  struct path_token token = p->lexer.token;
  struct fhir_path_value value = {.type = FHIR_NONE};
  bool ok;
  if (token.kind == PATH_TOKEN_DATE) {
    value.kind = FHIR_PATH_DATE;
    ok = fhir_date_parse(token.text, &value.time);
  } else if (token.kind == PATH_TOKEN_DATETIME) {
    value.kind = FHIR_PATH_DATETIME;
    ok = fhir_datetime_parse(token.text, &value.time);
  } else {
    value.kind = FHIR_PATH_TIME;
    ok = fhir_time_parse(token.text, &value.time);
  }
  if (!ok) MAY_NOT("this is no date or time there can be");
  TRY(next(p, err));
  return literal(p, token.at, &value, ret_node, err);
}

/* ---- names, types, functions ---- */

static bool name_follows(const struct parser *p) {
  return p->lexer.token.kind == PATH_TOKEN_NAME || p->lexer.token.kind == PATH_TOKEN_DELIMITED;
}

/* FHIR.Patient, System.String, Patient, `Patient`. */
static bool parse_type(struct parser *p, struct path_type *ret_type, struct err *err) {
  struct bytes names[TYPE_NAMES_MAX] = {{NULL, 0}};
  size_t count = 0;
  size_t at = p->lexer.token.at;
  for (;;) {
    if (!name_follows(p)) MAY_NOT("the name of a type is missing here");
    if (count == TYPE_NAMES_MAX) MAY_NOT("a type has at most two names: FHIR.Patient");
    names[count++] = p->lexer.token.text;
    TRY(next(p, err));
    if (!is_sign(p, ".")) break;
    TRY(next(p, err));
  }
  struct bytes space = count == TYPE_NAMES_MAX ? names[0] : BYTES_NONE;
  if (!path_type_resolve(space, names[count - 1], ret_type))
    FAIL_AT(ERR_INVALID, at, "there is no type %.*s",
            BYTES_FMT(bytes_sub(names[count - 1], 0, 64)));
  return true;
}

static bool parse_args(struct parser *p, struct path_node *call, struct err *err) {
  const struct path_node *args[PATH_ARGS_MAX];
  const struct path_entry *entry = call->call.entry;
  size_t count = 0;
  TRY(expect(p, "(", err));
  if ((entry->flags & PATH_TYPE_ARG) && (entry->args_min || !is_sign(p, ")"))) {
    TRY(parse_type(p, &call->type, err));
    return expect(p, ")", err);
  }
  while (!is_sign(p, ")")) {
    if (count && !is_sign(p, ",")) MAY_NOT("',' or ')' is missing here");
    if (count) TRY(next(p, err));
    if (count == entry->args_max)
      MAY_NOT("%s() takes at most %d arguments", entry->name, entry->args_max);
    bool descending = (entry->flags & PATH_SORT_ARGS) && is_sign(p, "-");
    if (descending) TRY(next(p, err));
    TRY(parse_expression(p, 0, &args[count], err));
    if (descending) {
      /* The minus is no part of the key: it may be a text. */
      struct path_node *copy;
      TRY(make(p, args[count]->op, args[count]->at, &copy, err));
      memcpy(copy, args[count], sizeof *copy);
      copy->descending = true;
      args[count] = copy;
    }
    count++;
  }
  if (count < entry->args_min)
    MAY_NOT("%s() takes at least %d arguments", entry->name, entry->args_min);
  TRY(set_args(p, call, args, count, err));
  return next(p, err);
}

static bool precompile(struct parser *p, struct path_node *call, struct err *err) {
  const char *name = call->call.entry->name;
  bool whole = strcmp(name, "matchesFull") == 0;
  if (!whole && strcmp(name, "matches") != 0 && strcmp(name, "replaceMatches") != 0) return true;
  const struct path_node *pattern = call->args[0];
  if (pattern->op != PATH_LITERAL || pattern->value.kind != FHIR_PATH_STRING) return true;
  if (!path_regex_compile(p->arena, pattern->value.text, BYTES_NONE, whole, &call->call.regex,
                          err)) {
    if (err) err->offset = pattern->at;
    return false;
  }
  return true;
}

static bool parse_call(struct parser *p, const struct path_node *input, struct path_token name,
                       const struct path_node **ret_node, struct err *err) {
  struct path_node *node;
  const struct path_entry *entry = path_entry_find(name.text);
  if (!entry) {
    const char *near = path_entry_nearest(name.text);
    FAIL_AT(ERR_MALFORMED, name.at, "there is no function %.*s()%s%s%s",
            BYTES_FMT(bytes_sub(name.text, 0, 64)), near ? "; did you mean " : "", near ? near : "",
            near ? "()?" : "");
  }
  TRY(make(p, PATH_CALL, name.at, &node, err));
  node->call.entry = entry;
  node->input = input;
  TRY(deepen(node, input, err));
  TRY(parse_args(p, node, err));
  TRY(precompile(p, node, err));
  *ret_node = node;
  return true;
}

/* Room for one step more: doubled, so that a long chain is not copied each time. */
static struct path_step *grow(struct parser *p, struct path_step *steps, uint32_t count) {
  bool full = count < STEPS_FIRST ? count == 0 : (count & (count - 1)) == 0;
  if (!full) return steps;
  size_t room = count < STEPS_FIRST ? STEPS_FIRST : (size_t)count * 2;
  struct path_step *more = ARENA_ARRAY(p->arena, struct path_step, room);
  for (uint32_t i = 0; more && i < count; i++) {
    more[i].name = steps[i].name;
    more[i].type = steps[i].type;
  }
  return more;
}

/* A member name after a chain of them only makes the chain longer. */
static bool add_step(struct parser *p, const struct path_node *input, struct path_token name,
                     const struct path_node **ret_node, struct err *err) {
  struct path_node *node;
  bool longer = input && input->op == PATH_STEPS;
  uint32_t count = longer ? input->steps.count : 0;
  TRY(make(p, PATH_STEPS, longer ? input->at : name.at, &node, err));
  node->input = longer ? input->input : input;
  TRY(deepen(node, node->input, err));
  struct path_step *steps = grow(p, longer ? input->steps.at : NULL, count);
  if (!steps) FAIL_AT(ERR_LIMIT, name.at, "the expression needs more memory than allowed");
  const struct fhir_type *type = node->input || count ? NULL : fhir_type_find(name.text);
  steps[count].name = name.text;
  steps[count].type = type ? fhir_type_id(type) : FHIR_NONE;
  node->steps.at = steps;
  node->steps.count = count + 1;
  *ret_node = node;
  return true;
}

static bool parse_dollar(struct parser *p, const struct path_node **ret_node, struct err *err) {
  static const struct {
    const char *name;
    enum path_op op;
  } dollars[] = {{"$this", PATH_THIS}, {"$index", PATH_INDEX}, {"$total", PATH_TOTAL}};
  for (size_t i = 0; i < sizeof dollars / sizeof *dollars; i++) {
    struct path_node *node;
    if (!bytes_eq_str(p->lexer.token.text, dollars[i].name)) continue;
    TRY(make(p, dollars[i].op, p->lexer.token.at, &node, err));
    *ret_node = node;
    return next(p, err);
  }
  MAY_NOT("there are $this, $index and $total only");
}

/* What may stand behind a dot, or begin a term: a name, a function, $this. */
static bool parse_invocation(struct parser *p, const struct path_node *input,
                             const struct path_node **ret_node, struct err *err) {
  struct path_token token = p->lexer.token;
  if (!input && token.kind == PATH_TOKEN_DOLLAR) return parse_dollar(p, ret_node, err);
  if (!name_follows(p)) MAY_NOT("a name is missing here");
  TRY(next(p, err));
  if (is_sign(p, "(")) return parse_call(p, input, token, ret_node, err);
  return add_step(p, input, token, ret_node, err);
}

static bool is_of_url(uint8_t c) {
  uint8_t lower = c | 0x20;
  return c == '-' || (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

static bool parse_variable(struct parser *p, const struct path_node **ret_node, struct err *err) {
  struct path_node *node;
  TRY(make(p, PATH_VARIABLE, p->lexer.token.at, &node, err));
  TRY(next(p, err));
  if (!name_follows(p) && p->lexer.token.kind != PATH_TOKEN_STRING)
    MAY_NOT("the name of a variable is missing here");
  node->name = p->lexer.token.text;
  TRY(next(p, err));
  /* %vs-name and %ext-name without quotes are common. */
  struct bytes text = p->lexer.text;
  if (bytes_eq_str(node->name, "vs") || bytes_eq_str(node->name, "ext")) {
    size_t start = (size_t)(node->name.at - text.at);
    size_t end = start + node->name.len;
    while (end < text.len && is_of_url(text.at[end])) end++;
    node->name = bytes_sub(text, start, end - start);
    p->lexer.at = end;
    TRY(next(p, err));
  }
  *ret_node = node;
  return true;
}

static bool parse_group(struct parser *p, const struct path_node **ret_node, struct err *err) {
  struct path_node *empty;
  if (is_sign(p, "(")) {
    TRY(next(p, err));
    TRY(parse_expression(p, 0, ret_node, err));
    return expect(p, ")", err);
  }
  TRY(make(p, PATH_EMPTY, p->lexer.token.at, &empty, err));
  TRY(next(p, err));
  *ret_node = empty;
  return expect(p, "}", err);
}

static bool parse_word(struct parser *p, const struct path_node **ret_node, struct err *err) {
  struct path_token token = p->lexer.token;
  bool truth = bytes_eq_str(token.text, "true");
  if (!truth && !bytes_eq_str(token.text, "false")) return parse_invocation(p, NULL, ret_node, err);
  struct fhir_path_value value = fhir_path_boolean(truth);
  TRY(next(p, err));
  return literal(p, token.at, &value, ret_node, err);
}

static bool parse_term(struct parser *p, const struct path_node **ret_node, struct err *err) {
  struct path_token token = p->lexer.token;
  struct fhir_path_value value;
  switch (token.kind) {
  case PATH_TOKEN_STRING:
    value = fhir_path_string(token.text);
    TRY(next(p, err));
    return literal(p, token.at, &value, ret_node, err);
  case PATH_TOKEN_NUMBER: return parse_number(p, ret_node, err);
  case PATH_TOKEN_DATE:
  case PATH_TOKEN_DATETIME:
  case PATH_TOKEN_TIME: return parse_moment(p, ret_node, err);
  case PATH_TOKEN_NAME: return parse_word(p, ret_node, err);
  case PATH_TOKEN_DELIMITED:
  case PATH_TOKEN_DOLLAR: return parse_invocation(p, NULL, ret_node, err);
  case PATH_TOKEN_END: MAY_NOT("the expression ends too early");
  case PATH_TOKEN_SIGN: break;
  }
  if (is_sign(p, "%")) return parse_variable(p, ret_node, err);
  if (is_sign(p, "(") || is_sign(p, "{")) return parse_group(p, ret_node, err);
  MAY_NOT("a value, a name or '(' is missing here");
}

/* term, then .name, .function(), [index] */
static bool parse_postfix(struct parser *p, const struct path_node **ret_node, struct err *err) {
  const struct path_node *left;
  TRY(parse_term(p, &left, err));
  for (;;) {
    if (is_sign(p, ".")) {
      TRY(next(p, err));
      TRY(parse_invocation(p, left, &left, err));
    } else if (is_sign(p, "[")) {
      struct path_node *item;
      const struct path_node *index;
      TRY(make(p, PATH_ITEM, p->lexer.token.at, &item, err));
      TRY(next(p, err));
      TRY(parse_expression(p, 0, &index, err));
      TRY(expect(p, "]", err));
      item->input = left;
      TRY(deepen(item, left, err));
      TRY(set_args(p, item, &index, 1, err));
      left = item;
    } else {
      *ret_node = left;
      return true;
    }
  }
}

/* ---- operators ---- */

static const struct {
  const char *word;
  uint8_t op;
  uint8_t binding; /* the higher, the tighter; the grammar's order of alternatives */
} OPERATORS[] = {
    {"implies", PATH_IMPLIES, 1}, {"or", PATH_OR, 2},
    {"xor", PATH_XOR, 2},         {"and", PATH_AND, 3},
    {"in", PATH_IN, 4},           {"contains", PATH_CONTAINS, 4},
    {"=", PATH_EQUAL, 5},         {"~", PATH_EQUIVALENT, 5},
    {"!=", PATH_NOT_EQUAL, 5},    {"!~", PATH_NOT_EQUIVALENT, 5},
    {"<=", PATH_LESS_EQUAL, 6},   {"<", PATH_LESS, 6},
    {">", PATH_GREATER, 6},       {">=", PATH_GREATER_EQUAL, 6},
    {"|", PATH_UNION, 7},         {"is", PATH_IS, 8},
    {"as", PATH_AS, 8},           {"+", PATH_ADD, 9},
    {"-", PATH_SUBTRACT, 9},      {"&", PATH_CONCATENATE, 9},
    {"*", PATH_MULTIPLY, 10},     {"/", PATH_DIVIDE, 10},
    {"div", PATH_DIV, 10},        {"mod", PATH_MOD, 10},
};

static bool find_operator(const struct parser *p, size_t *ret_index) {
  const struct path_token *token = &p->lexer.token;
  if (token->kind != PATH_TOKEN_SIGN && token->kind != PATH_TOKEN_NAME) return false;
  for (size_t i = 0; i < sizeof OPERATORS / sizeof *OPERATORS; i++) {
    if (!bytes_eq_str(token->text, OPERATORS[i].word)) continue;
    *ret_index = i;
    return true;
  }
  return false;
}

static bool parse_sign(struct parser *p, const struct path_node **ret_node, struct err *err) {
  bool minus = is_sign(p, "-");
  struct path_node *node;
  const struct path_node *operand;
  if (!minus && !is_sign(p, "+")) return parse_postfix(p, ret_node, err);
  TRY(make(p, minus ? PATH_NEGATE : PATH_PLUS_SIGN, p->lexer.token.at, &node, err));
  TRY(next(p, err));
  if (++p->nesting > FHIR_PATH_DEPTH_MAX) MAY_NOT("too many signs in a row");
  TRY(parse_sign(p, &operand, err));
  p->nesting--;
  TRY(set_args(p, node, &operand, 1, err));
  *ret_node = node;
  return true;
}

static bool parse_right(struct parser *p, struct path_node *node, const struct path_node *left,
                        int binding, struct err *err) {
  const struct path_node *args[2] = {left, NULL};
  if (node->op == PATH_IS || node->op == PATH_AS) {
    TRY(parse_type(p, &node->type, err));
    return set_args(p, node, args, 1, err);
  }
  TRY(parse_expression(p, binding + 1, &args[1], err));
  return set_args(p, node, args, 2, err);
}

/* All that binds at least as tightly as `binding`; operators of one rank group to the left. */
static bool parse_expression(struct parser *p, int binding, const struct path_node **ret_node,
                             struct err *err) {
  const struct path_node *left;
  size_t i;
  if (++p->nesting > FHIR_PATH_DEPTH_MAX)
    FAIL_AT(ERR_LIMIT, p->lexer.token.at, "more than %d nested parts (FHIR_PATH_DEPTH_MAX)",
            FHIR_PATH_DEPTH_MAX);
  TRY(parse_sign(p, &left, err));
  while (find_operator(p, &i) && OPERATORS[i].binding >= binding) {
    struct path_node *node;
    TRY(make(p, (enum path_op)OPERATORS[i].op, p->lexer.token.at, &node, err));
    TRY(next(p, err));
    TRY(parse_right(p, node, left, OPERATORS[i].binding, err));
    left = node;
  }
  p->nesting--;
  *ret_node = left;
  return true;
}

bool path_parse(struct arena *arena, struct bytes text, const struct fhir_path_options *options,
                const struct path_node **ret_root, struct err *err) {
  struct parser parser = {.arena = arena, .options = options};
  struct parser *p = &parser;
  if (text.len > FHIR_PATH_TEXT_BYTES_MAX)
    FAIL(ERR_LIMIT, "an expression has at most %u bytes", FHIR_PATH_TEXT_BYTES_MAX);
  size_t bad = utf8_invalid_at(text);
  if (bad < text.len) FAIL_AT(ERR_MALFORMED, bad, "the expression is not valid UTF-8");
  path_lex_init(&p->lexer, arena, text);
  TRY(next(p, err));
  TRY(parse_expression(p, 0, ret_root, err));
  if (p->lexer.token.kind != PATH_TOKEN_END) MAY_NOT("nothing more was expected here");
  return true;
}

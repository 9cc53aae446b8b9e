/* fhir/path_compare.c: equality, equivalence and order of two values (FHIRPath §6.1, §6.2). */
#include "fhir/path_impl.h"
#include "wire/json_number.h"

#include <string.h>

static bool is_number(const struct fhir_path_value *value) {
  return value->kind == FHIR_PATH_INTEGER || value->kind == FHIR_PATH_DECIMAL;
}

static bool is_date(const struct fhir_path_value *value) {
  return value->kind == FHIR_PATH_DATE || value->kind == FHIR_PATH_DATETIME;
}

bool path_decimal_of(const struct fhir_path_value *value, struct fhir_decimal *ret_decimal) {
  if (value->kind == FHIR_PATH_INTEGER) *ret_decimal = fhir_decimal_int(value->integer);
  if (value->kind == FHIR_PATH_DECIMAL) *ret_decimal = value->decimal;
  return is_number(value);
}

static int number_cmp(const struct fhir_path_value *a, const struct fhir_path_value *b) {
  struct fhir_decimal left;
  struct fhir_decimal right;
  if (a->kind == FHIR_PATH_INTEGER && b->kind == FHIR_PATH_INTEGER)
    return a->integer < b->integer ? -1 : a->integer > b->integer;
  return path_decimal_of(a, &left) && path_decimal_of(b, &right) ? fhir_decimal_cmp(left, right)
                                                                 : 0;
}

/* A number beside a quantity is one of unit 1. */
static bool quantities(const struct fhir_path_value *a, const struct fhir_path_value *b,
                       struct fhir_path_quantity ret_two[2]) {
  const struct fhir_path_value *values[2] = {a, b};
  if (a->kind != FHIR_PATH_QUANTITY && b->kind != FHIR_PATH_QUANTITY) return false;
  for (int i = 0; i < 2; i++) {
    ret_two[i] = (struct fhir_path_quantity){.unit = BYTES("1")};
    if (values[i]->kind == FHIR_PATH_QUANTITY)
      ret_two[i] = *values[i]->quantity;
    else if (!path_decimal_of(values[i], &ret_two[i].value))
      return false;
  }
  return true;
}

static enum path_truth truth_of(enum fhir_order order) {
  return order == FHIR_UNKNOWN ? PATH_NEITHER : order == FHIR_EQUAL ? PATH_TRUE : PATH_FALSE;
}

static enum path_truth system_equal(const struct fhir_path_value *a,
                                    const struct fhir_path_value *b) {
  struct fhir_path_quantity two[2];
  enum fhir_order order;
  if (is_number(a) && is_number(b)) return number_cmp(a, b) == 0 ? PATH_TRUE : PATH_FALSE;
  if (is_date(a) && is_date(b)) return truth_of(fhir_datetime_order(&a->time, &b->time));
  if (quantities(a, b, two))
    return path_quantity_order(&two[0], &two[1], &order) ? truth_of(order) : PATH_NEITHER;
  if (a->kind != b->kind) return PATH_FALSE;
  switch ((enum fhir_path_kind)a->kind) {
  case FHIR_PATH_BOOLEAN: return a->boolean == b->boolean ? PATH_TRUE : PATH_FALSE;
  case FHIR_PATH_TIME: return truth_of(fhir_time_order(&a->time, &b->time));
  case FHIR_PATH_TYPE:
  case FHIR_PATH_STRING: return bytes_eq(a->text, b->text) ? PATH_TRUE : PATH_FALSE;
  case FHIR_PATH_ELEMENT:
  case FHIR_PATH_INTEGER:
  case FHIR_PATH_DECIMAL:
  case FHIR_PATH_DATE:
  case FHIR_PATH_DATETIME:
  case FHIR_PATH_QUANTITY: break;
  }
  return PATH_FALSE;
}

/* A tree is walked once; what it may cost is paid in advance. */
static bool element_equal(struct fhir_path_machine *m, const struct fhir_path_value *a,
                          const struct fhir_path_value *b, enum path_truth *ret_truth,
                          struct err *err) {
  const struct json *left = a->element.node;
  const struct json *right = b->element.node;
  bool same = left == right;
  if (!same && left && right && left->kind == right->kind && left->count == right->count) {
    TRY(path_spend(m, left->text.len / 8, err));
    same = json_eq(left, right);
  }
  const struct json *side_a = a->element.side;
  const struct json *side_b = b->element.side;
  if (same && !left) same = side_a == side_b || json_eq(side_a, side_b);
  *ret_truth = same ? PATH_TRUE : PATH_FALSE;
  return true;
}

bool path_equal(struct fhir_path_machine *m, const struct fhir_path_value *a,
                const struct fhir_path_value *b, enum path_truth *ret_truth, struct err *err) {
  struct fhir_path_value left;
  struct fhir_path_value right;
  if (m->steps == 0) TRY(path_spend(m, 1, err));
  m->steps--;
  bool has_left = fhir_path_system(&m->arena, a, &left);
  bool has_right = fhir_path_system(&m->arena, b, &right);
  if (has_left && has_right) {
    *ret_truth = system_equal(&left, &right);
    return true;
  }
  *ret_truth = PATH_FALSE;
  return has_left != has_right || element_equal(m, a, b, ret_truth, err);
}

bool path_among(struct fhir_path_machine *m, const struct fhir_path_value *value,
                const struct fhir_path_value *many, size_t count, bool *ret_found,
                struct err *err) {
  enum path_truth truth;
  *ret_found = false;
  for (size_t i = 0; i < count && !*ret_found; i++) {
    TRY(path_equal(m, value, &many[i], &truth, err));
    *ret_found = truth == PATH_TRUE;
  }
  return true;
}

/* ---- equivalence ---- */

static bool is_blank(uint8_t c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static uint8_t folded(uint8_t c) {
  if (is_blank(c)) return ' ';
  return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Case and the kind of blanks do not matter (§6.1.2). */
static bool text_equivalent(struct bytes a, struct bytes b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++)
    if (folded(a.at[i]) != folded(b.at[i])) return false;
  return true;
}

static bool number_equivalent(const struct fhir_path_value *a, const struct fhir_path_value *b) {
  struct fhir_decimal two[2];
  if (!path_decimal_of(a, &two[0]) || !path_decimal_of(b, &two[1])) return false;
  two[0] = fhir_decimal_trim(two[0]);
  two[1] = fhir_decimal_trim(two[1]);
  int32_t places = two[0].scale < two[1].scale ? two[0].scale : two[1].scale;
  return fhir_decimal_cmp(fhir_decimal_round(two[0], places, FHIR_ROUND_NEAREST),
                          fhir_decimal_round(two[1], places, FHIR_ROUND_NEAREST)) == 0;
}

static bool system_equivalent(const struct fhir_path_value *a, const struct fhir_path_value *b) {
  struct fhir_path_quantity two[2];
  if (is_number(a) && is_number(b)) return number_equivalent(a, b);
  if (quantities(a, b, two)) return path_quantity_equivalent(&two[0], &two[1]);
  if (a->kind == FHIR_PATH_STRING && b->kind == FHIR_PATH_STRING)
    return text_equivalent(a->text, b->text);
  return system_equal(a, b) == PATH_TRUE;
}

static bool json_equivalent(struct fhir_path_machine *m, const struct json *a, const struct json *b,
                            bool *ret_same, struct err *err);

/* Items in any order; a set of them matches when each finds one that is not taken. */
static bool items_equivalent(struct fhir_path_machine *m, const struct json *a,
                             const struct json *b, bool *ret_same, struct err *err) {
  bool *taken = arena_alloc(&m->arena, b->count);
  if (!taken)
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  *ret_same = true;
  for (const struct json *item = a->first; item && *ret_same; item = item->next) {
    size_t i = 0;
    bool found = false;
    for (const struct json *other = b->first; other && !found; other = other->next, i++) {
      if (taken[i]) continue;
      TRY(json_equivalent(m, item, other, &found, err));
      if (found) taken[i] = true;
    }
    *ret_same = found;
  }
  return true;
}

static bool members_equivalent(struct fhir_path_machine *m, const struct json *a,
                               const struct json *b, bool *ret_same, struct err *err) {
  *ret_same = true;
  for (const struct json *member = a->first; member && *ret_same; member = member->next)
    TRY(json_equivalent(m, member, json_get_bytes(b, member->name), ret_same, err));
  return true;
}

static bool json_equivalent(struct fhir_path_machine *m, const struct json *a, const struct json *b,
                            bool *ret_same, struct err *err) {
  struct fhir_path_value two[2];
  TRY(path_spend(m, 1, err));
  *ret_same = false;
  if (!a || !b || a->kind != b->kind || a->count != b->count) return true;
  if (a->kind == JSON_ARRAY) return items_equivalent(m, a, b, ret_same, err);
  if (a->kind == JSON_OBJECT) return members_equivalent(m, a, b, ret_same, err);
  two[0] = fhir_path_element(a, NULL, FHIR_NONE);
  two[1] = fhir_path_element(b, NULL, FHIR_NONE);
  if (fhir_path_system(&m->arena, &two[0], &two[0]) &&
      fhir_path_system(&m->arena, &two[1], &two[1]))
    *ret_same = system_equivalent(&two[0], &two[1]);
  return true;
}

bool path_equivalent(struct fhir_path_machine *m, const struct fhir_path_value *a,
                     const struct fhir_path_value *b, bool *ret_same, struct err *err) {
  struct fhir_path_value left;
  struct fhir_path_value right;
  TRY(path_spend(m, 1, err));
  bool has_left = fhir_path_system(&m->arena, a, &left);
  bool has_right = fhir_path_system(&m->arena, b, &right);
  *ret_same = false;
  if (has_left && has_right) *ret_same = system_equivalent(&left, &right);
  if (has_left || has_right) return true;
  return json_equivalent(m, a->element.node, b->element.node, ret_same, err);
}

/* ---- order ---- */

bool path_order(struct fhir_path_machine *m, const struct fhir_path_value *a,
                const struct fhir_path_value *b, enum fhir_order *ret_order, struct err *err) {
  struct fhir_path_quantity two[2];
  int order;
  if (is_number(a) && is_number(b)) {
    order = number_cmp(a, b);
  } else if (a->kind == FHIR_PATH_STRING && b->kind == FHIR_PATH_STRING) {
    order = bytes_cmp(a->text, b->text);
  } else if (is_date(a) && is_date(b)) {
    *ret_order = fhir_datetime_order(&a->time, &b->time);
    return true;
  } else if (a->kind == FHIR_PATH_TIME && b->kind == FHIR_PATH_TIME) {
    *ret_order = fhir_time_order(&a->time, &b->time);
    return true;
  } else if (quantities(a, b, two)) {
    if (!path_quantity_order(&two[0], &two[1], ret_order)) *ret_order = FHIR_UNKNOWN;
    return true;
  } else {
    PATH_FAIL(ERR_INVALID, "values of these two kinds have no order");
  }
  *ret_order = order < 0 ? FHIR_LESS : order > 0 ? FHIR_GREATER : FHIR_EQUAL;
  return true;
}

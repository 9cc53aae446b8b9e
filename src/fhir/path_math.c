/* fhir/path_math.c: arithmetic on single values (FHIRPath §6.6). */
#include "fhir/path_impl.h"

#include <string.h>

static bool return_decimal(struct fhir_path_machine *m, size_t base, bool ok,
                           struct fhir_decimal decimal, struct err *err) {
  struct fhir_path_value value = {.kind = FHIR_PATH_DECIMAL, .type = FHIR_NONE};
  value.decimal = decimal;
  m->top = base;
  return !ok || path_push(m, &value, err);
}

static bool return_quantity(struct fhir_path_machine *m, size_t base,
                            const struct fhir_path_quantity *quantity, struct err *err) {
  struct fhir_path_value value = {.kind = FHIR_PATH_QUANTITY, .type = FHIR_NONE};
  struct fhir_path_quantity *kept = ARENA_NEW(&m->arena, struct fhir_path_quantity);
  if (!kept)
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  *kept = *quantity;
  value.quantity = kept;
  return path_return(m, base, &value, err);
}

bool path_negate(struct fhir_path_machine *m, size_t base, struct err *err) {
  struct fhir_path_value value;
  bool there;
  TRY(path_take_one(m, base, &value, &there, err));
  if (!there) return true;
  if (value.kind == FHIR_PATH_INTEGER) return path_return_int(m, base, -value.integer, err);
  if (value.kind == FHIR_PATH_DECIMAL)
    return return_decimal(m, base, true, fhir_decimal_neg(value.decimal), err);
  if (value.kind == FHIR_PATH_QUANTITY) {
    struct fhir_path_quantity quantity = *value.quantity;
    quantity.value = fhir_decimal_neg(quantity.value);
    return return_quantity(m, base, &quantity, err);
  }
  PATH_FAIL(ERR_INVALID, "only numbers and quantities have a sign");
}

static bool add_time(struct fhir_path_machine *m, size_t base, const struct fhir_path_value *time,
                     const struct fhir_path_quantity *quantity, bool minus, struct err *err) {
  struct fhir_path_value result = *time;
  struct fhir_decimal amount = minus ? fhir_decimal_neg(quantity->value) : quantity->value;
  enum fhir_unit_of_time unit;
  bool definite;
  if (!path_unit_of_time(quantity, &unit, &definite))
    PATH_FAIL(ERR_INVALID, "only a duration can be added to a date or time");
  if (definite)
    PATH_FAIL(ERR_INVALID, "'a' and 'mo' are no calendar years and months: write year, month");
  bool ok = time->kind == FHIR_PATH_TIME
                ? fhir_time_add(time->time, amount, unit, &result.time)
                : fhir_datetime_add(time->time, amount, unit, &result.time);
  m->top = base;
  return !ok || path_push(m, &result, err);
}

static bool add_quantities(struct fhir_path_machine *m, size_t base,
                           const struct fhir_path_quantity *a, const struct fhir_path_quantity *b,
                           bool minus, struct err *err) {
  struct fhir_path_quantity sum = *a;
  struct fhir_decimal right;
  m->top = base;
  if (!path_quantity_convert(b, a, &right)) return true;
  if (minus) right = fhir_decimal_neg(right);
  return !fhir_decimal_add(a->value, right, &sum.value) || return_quantity(m, base, &sum, err);
}

static bool join(struct fhir_path_machine *m, size_t base, struct bytes a, struct bytes b,
                 struct err *err) {
  uint8_t *at = arena_alloc(&m->arena, a.len + b.len);
  if (at && a.len) memcpy(at, a.at, a.len);
  if (at && b.len) memcpy(at + a.len, b.at, b.len);
  return path_return_text(m, base, bytes_of(at, a.len + b.len), err);
}

static bool add(struct fhir_path_machine *m, size_t base, bool minus,
                const struct fhir_path_value *a, const struct fhir_path_value *b, struct err *err) {
  struct fhir_decimal left;
  struct fhir_decimal right;
  bool time =
      a->kind == FHIR_PATH_DATE || a->kind == FHIR_PATH_DATETIME || a->kind == FHIR_PATH_TIME;
  if (a->kind == FHIR_PATH_INTEGER && b->kind == FHIR_PATH_INTEGER)
    return path_return_int(m, base, a->integer + (minus ? -b->integer : b->integer), err);
  if (path_decimal_of(a, &left) && path_decimal_of(b, &right)) {
    bool ok = fhir_decimal_add(left, minus ? fhir_decimal_neg(right) : right, &left);
    return return_decimal(m, base, ok, left, err);
  }
  if (!minus && a->kind == FHIR_PATH_STRING && b->kind == FHIR_PATH_STRING)
    return join(m, base, a->text, b->text, err);
  if (time && b->kind == FHIR_PATH_QUANTITY) return add_time(m, base, a, b->quantity, minus, err);
  if (a->kind == FHIR_PATH_QUANTITY && b->kind == FHIR_PATH_QUANTITY)
    return add_quantities(m, base, a->quantity, b->quantity, minus, err);
  PATH_FAIL(ERR_INVALID, minus ? "these two cannot be subtracted" : "these two cannot be added");
}

static bool multiply(struct fhir_path_machine *m, size_t base, bool divide,
                     const struct fhir_path_value *a, const struct fhir_path_value *b,
                     struct err *err) {
  struct fhir_decimal left;
  struct fhir_decimal right;
  struct fhir_path_quantity two[2];
  struct fhir_path_quantity result;
  const struct fhir_path_value *values[2] = {a, b};
  if (!divide && a->kind == FHIR_PATH_INTEGER && b->kind == FHIR_PATH_INTEGER)
    return path_return_int(m, base, a->integer * b->integer, err);
  if (path_decimal_of(a, &left) && path_decimal_of(b, &right)) {
    bool ok = divide ? fhir_decimal_div(left, right, &left) : fhir_decimal_mul(left, right, &left);
    return return_decimal(m, base, ok, left, err);
  }
  for (int i = 0; i < 2; i++) {
    two[i] = (struct fhir_path_quantity){.unit = BYTES("1")};
    if (values[i]->kind == FHIR_PATH_QUANTITY)
      two[i] = *values[i]->quantity;
    else if (!path_decimal_of(values[i], &two[i].value))
      PATH_FAIL(ERR_INVALID, "only numbers and quantities can be multiplied and divided");
  }
  m->top = base;
  if (!path_quantity_multiply(&m->arena, &two[0], &two[1], divide, &result)) return true;
  return return_quantity(m, base, &result, err);
}

static bool divide_whole(struct fhir_path_machine *m, size_t base, bool rest,
                         const struct fhir_path_value *a, const struct fhir_path_value *b,
                         struct err *err) {
  struct fhir_decimal left;
  struct fhir_decimal right;
  struct fhir_decimal whole;
  struct fhir_decimal over;
  int64_t integer;
  bool integers = a->kind == FHIR_PATH_INTEGER && b->kind == FHIR_PATH_INTEGER;
  if (!path_decimal_of(a, &left) || !path_decimal_of(b, &right))
    PATH_FAIL(ERR_INVALID, "only numbers can be divided with div and mod");
  m->top = base;
  if (!fhir_decimal_divmod(left, right, &whole, &over)) return true;
  if (rest && !integers) return return_decimal(m, base, true, over, err);
  if (!fhir_decimal_to_int(rest ? over : whole, &integer)) return true;
  return path_return_int(m, base, integer, err);
}

static bool concatenate(struct fhir_path_machine *m, size_t base, const struct fhir_path_value *a,
                        const struct fhir_path_value *b, struct err *err) {
  if (a->kind != FHIR_PATH_STRING || b->kind != FHIR_PATH_STRING)
    PATH_FAIL(ERR_INVALID, "only texts can be joined with &");
  return join(m, base, a->text, b->text, err);
}

static bool compare(struct fhir_path_machine *m, size_t base, enum path_op op,
                    const struct fhir_path_value *a, const struct fhir_path_value *b,
                    struct err *err) {
  enum fhir_order order;
  TRY(path_order(m, a, b, &order, err));
  m->top = base;
  if (order == FHIR_UNKNOWN) return true;
  bool equal = order == FHIR_EQUAL && (op == PATH_LESS_EQUAL || op == PATH_GREATER_EQUAL);
  bool less = op == PATH_LESS || op == PATH_LESS_EQUAL;
  return path_return_bool(m, base, equal || order == (less ? FHIR_LESS : FHIR_GREATER), err);
}

bool path_calculate(struct fhir_path_machine *m, size_t base, enum path_op op,
                    const struct fhir_path_value *a, const struct fhir_path_value *b,
                    struct err *err) {
  if (op == PATH_ADD || op == PATH_SUBTRACT) return add(m, base, op == PATH_SUBTRACT, a, b, err);
  if (op == PATH_MULTIPLY || op == PATH_DIVIDE)
    return multiply(m, base, op == PATH_DIVIDE, a, b, err);
  if (op == PATH_DIV || op == PATH_MOD) return divide_whole(m, base, op == PATH_MOD, a, b, err);
  if (op == PATH_CONCATENATE) return concatenate(m, base, a, b, err);
  return compare(m, base, op, a, b, err);
}

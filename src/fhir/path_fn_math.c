/* fhir/path_fn_math.c: functions on numbers and quantities (FHIRPath §5.7). Roots, logarithms and
 * powers that are not whole are computed in long doubles: 16 digits.                            */
#include "fhir/path_fn.h"

#include <math.h>

/* A number or quantity, taken apart; an Integer stays one where the function keeps it so. */
struct amount {
  struct fhir_decimal value;
  const struct fhir_path_quantity *quantity;
  bool integer, there;
};

static bool take_amount(struct fhir_path_machine *m, size_t base, bool quantities,
                        struct amount *ret_amount, struct err *err) {
  struct fhir_path_value value;
  struct amount amount = {0};
  TRY(path_take_one(m, base, &value, &amount.there, err));
  if (amount.there && quantities && value.kind == FHIR_PATH_QUANTITY) {
    amount.quantity = value.quantity;
    amount.value = value.quantity->value;
  } else if (amount.there && !path_decimal_of(&value, &amount.value)) {
    PATH_FAIL(ERR_INVALID, "%s() works on numbers", m->node->call.entry->name);
  }
  amount.integer = amount.there && value.kind == FHIR_PATH_INTEGER;
  *ret_amount = amount;
  return true;
}

static bool give_decimal(struct fhir_path_machine *m, size_t base, struct fhir_decimal decimal,
                         struct err *err) {
  struct fhir_path_value value = {.kind = FHIR_PATH_DECIMAL, .type = FHIR_NONE};
  value.decimal = decimal;
  return path_return(m, base, &value, err);
}

/* The same kind as the amount was. */
static bool give_like(struct fhir_path_machine *m, size_t base, const struct amount *amount,
                      struct fhir_decimal decimal, struct err *err) {
  struct fhir_path_value value = {.kind = FHIR_PATH_QUANTITY, .type = FHIR_NONE};
  int64_t integer;
  if (amount->integer && fhir_decimal_to_int(decimal, &integer))
    return path_return_int(m, base, integer, err);
  if (!amount->quantity) return give_decimal(m, base, decimal, err);
  struct fhir_path_quantity *kept = ARENA_NEW(&m->arena, struct fhir_path_quantity);
  if (!kept)
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  *kept = *amount->quantity;
  kept->value = decimal;
  value.quantity = kept;
  return path_return(m, base, &value, err);
}

PATH_FN(abs) {
  struct amount amount;
  TRY(take_amount(m, base, true, &amount, err));
  return !amount.there || give_like(m, base, &amount, fhir_decimal_abs(amount.value), err);
}

static bool to_whole(struct fhir_path_machine *m, size_t base, enum fhir_rounding rounding,
                     struct err *err) {
  struct amount amount;
  int64_t integer;
  TRY(take_amount(m, base, true, &amount, err));
  if (!amount.there) return true;
  struct fhir_decimal whole = fhir_decimal_round(amount.value, 0, rounding);
  if (amount.quantity) return give_like(m, base, &amount, whole, err);
  return !fhir_decimal_to_int(whole, &integer) || path_return_int(m, base, integer, err);
}

PATH_FN(ceiling) {
  return to_whole(m, base, FHIR_ROUND_UP, err);
}

PATH_FN(floor) {
  return to_whole(m, base, FHIR_ROUND_DOWN, err);
}

PATH_FN(truncate) {
  return to_whole(m, base, FHIR_ROUND_TO_ZERO, err);
}

PATH_FN(round) {
  struct amount amount;
  struct fhir_path_value places = {0};
  bool has_places;
  TRY(take_amount(m, base, true, &amount, err));
  if (call->arg_count) {
    TRY(path_arg(m, call, 0, scope, FHIR_PATH_INTEGER, &places, &has_places, err));
    if (has_places && (places.integer < 0 || places.integer > FHIR_DECIMAL_SCALE_MAX)) {
      m->node = call;
      PATH_FAIL(ERR_INVALID, "round() takes 0 to %d places", FHIR_DECIMAL_SCALE_MAX);
    }
    if (!has_places) return true;
  }
  if (!amount.there) return true;
  struct fhir_decimal rounded =
      fhir_decimal_round(amount.value, (int32_t)places.integer, FHIR_ROUND_NEAREST);
  if (amount.quantity) return give_like(m, base, &amount, rounded, err);
  return give_decimal(m, base, rounded, err);
}

/* What is no number is no result: the square root of -1, the logarithm of 0. */
static bool give_double(struct fhir_path_machine *m, size_t base, long double value,
                        struct err *err) {
  struct fhir_decimal decimal;
  return !fhir_decimal_double(value, &decimal) || give_decimal(m, base, decimal, err);
}

typedef long double real_function(long double);

static bool real(struct fhir_path_machine *m, size_t base, real_function *function,
                 struct err *err) {
  struct amount amount;
  TRY(take_amount(m, base, false, &amount, err));
  return !amount.there || give_double(m, base, function(fhir_decimal_to_double(amount.value)), err);
}

PATH_FN(exp) {
  return real(m, base, expl, err);
}

PATH_FN(ln) {
  return real(m, base, logl, err);
}

PATH_FN(sqrt) {
  return real(m, base, sqrtl, err);
}

PATH_FN(log) {
  struct amount amount;
  struct fhir_path_value radix;
  bool there;
  TRY(take_amount(m, base, false, &amount, err));
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_DECIMAL, &radix, &there, err));
  if (!amount.there || !there) return true;
  long double value = fhir_decimal_to_double(amount.value);
  long double by = fhir_decimal_to_double(radix.decimal);
  if (by == 2) return give_double(m, base, log2l(value), err);
  if (by == 10) return give_double(m, base, log10l(value), err);
  return give_double(m, base, logl(value) / logl(by), err);
}

/* By squaring, exact as long as the digits last. */
static bool whole_power(struct fhir_decimal value, int64_t exponent,
                        struct fhir_decimal *ret_power) {
  struct fhir_decimal power = fhir_decimal_int(1);
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) && !fhir_decimal_mul(power, value, &power)) return false;
    if (exponent > 1 && !fhir_decimal_mul(value, value, &value)) return false;
  }
  *ret_power = power;
  return true;
}

PATH_FN(power) {
  struct amount amount;
  struct fhir_path_value exponent;
  struct fhir_decimal result;
  int64_t whole;
  bool there;
  TRY(take_amount(m, base, false, &amount, err));
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_DECIMAL, &exponent, &there, err));
  if (!amount.there || !there) return true;
  if (fhir_decimal_to_int(exponent.decimal, &whole) && whole >= 0) {
    if (!whole_power(amount.value, whole, &result)) return true;
    return give_like(m, base, &amount, result, err);
  }
  long double value = fhir_decimal_to_double(amount.value);
  return give_double(m, base, powl(value, fhir_decimal_to_double(exponent.decimal)), err);
}

/* ---- aggregates of the 3.0.0 ballot ---- */

/* The sum of all, left in the place of the input. */
PATH_FN(sum) {
  if (m->top == base) return true;
  struct fhir_path_value total;
  struct fhir_path_value next;
  if (!fhir_path_system(&m->arena, &m->stack[base], &total))
    PATH_FAIL(ERR_INVALID, "sum() works on numbers, quantities and texts");
  size_t end = m->top;
  for (size_t i = base + 1; i < end; i++) {
    if (!fhir_path_system(&m->arena, &m->stack[i], &next))
      PATH_FAIL(ERR_INVALID, "sum() works on numbers, quantities and texts");
    TRY(path_calculate(m, end, PATH_ADD, &total, &next, err));
    if (m->top == end) {
      m->top = base;
      return true;
    }
    total = m->stack[end];
    m->top = end;
  }
  return path_return(m, base, &total, err);
}

PATH_FN(avg) {
  struct fhir_path_value total;
  struct fhir_path_value count = {.kind = FHIR_PATH_INTEGER, .type = FHIR_NONE};
  count.integer = (int64_t)(m->top - base);
  TRY(path_fn_sum(m, call, scope, base, err));
  if (m->top == base) return true;
  total = m->stack[base];
  return path_calculate(m, base, PATH_DIVIDE, &total, &count, err);
}

static bool extreme(struct fhir_path_machine *m, size_t base, enum fhir_order wanted,
                    struct err *err) {
  struct fhir_path_value best = {0};
  for (size_t i = base; i < m->top; i++) {
    struct fhir_path_value value;
    enum fhir_order order = wanted;
    if (!fhir_path_system(&m->arena, &m->stack[i], &value))
      PATH_FAIL(ERR_INVALID, "values are needed here, not elements with parts");
    if (i > base) TRY(path_order(m, &value, &best, &order, err));
    if (order == wanted) best = value;
  }
  return m->top == base || path_return(m, base, &best, err);
}

PATH_FN(min) {
  return extreme(m, base, FHIR_LESS, err);
}

PATH_FN(max) {
  return extreme(m, base, FHIR_GREATER, err);
}

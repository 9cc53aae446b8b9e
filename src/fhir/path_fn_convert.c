/* fhir/path_fn_convert.c: toX() and convertsToX() (FHIRPath §5.5). Each kind has one function that
 * converts or says it cannot; convertsToX() asks the same.                                      */
#include "fhir/path_fn.h"

#include <string.h>

typedef bool converter(struct fhir_path_machine *m, const struct fhir_path_value *value,
                       struct fhir_path_value *ret_value);

static bool is_integer(struct bytes text) {
  size_t at = text.len && (text.at[0] == '-' || text.at[0] == '+');
  if (at == text.len) return false;
  for (; at < text.len; at++)
    if (text.at[at] < '0' || text.at[at] > '9') return false;
  return true;
}

/* Without an exponent (§5.5.3). */
static bool is_decimal(struct bytes text) {
  size_t point = bytes_find(text, '.');
  struct bytes places = bytes_from(text, point + 1);
  bool signed_places = places.len && (places.at[0] == '-' || places.at[0] == '+');
  return is_integer(bytes_sub(text, 0, point)) &&
         (point == text.len || (is_integer(places) && !signed_places));
}

static bool to_boolean(struct fhir_path_machine *m, const struct fhir_path_value *value,
                       struct fhir_path_value *ret_value) {
  static const char *const words[2][6] = {{"false", "f", "no", "n", "0", "0.0"},
                                          {"true", "t", "yes", "y", "1", "1.0"}};
  struct fhir_decimal decimal;
  if (value->kind == FHIR_PATH_BOOLEAN) {
    *ret_value = *value;
    return true;
  }
  if (path_decimal_of(value, &decimal)) {
    bool one = fhir_decimal_cmp(decimal, fhir_decimal_int(1)) == 0;
    *ret_value = fhir_path_boolean(one);
    return one || fhir_decimal_sign(decimal) == 0;
  }
  if (value->kind != FHIR_PATH_STRING) return false;
  for (size_t truth = 0; truth < 2; truth++)
    for (size_t i = 0; i < sizeof words[0] / sizeof words[0][0]; i++) {
      if (!bytes_eq_nocase(value->text, bytes_str(words[truth][i]))) continue;
      *ret_value = fhir_path_boolean(truth == 1);
      return true;
    }
  return false;
}

static bool to_integer(struct fhir_path_machine *m, const struct fhir_path_value *value,
                       struct fhir_path_value *ret_value) {
  struct fhir_path_value result = {.kind = FHIR_PATH_INTEGER, .type = FHIR_NONE};
  struct fhir_decimal decimal;
  if (value->kind == FHIR_PATH_BOOLEAN)
    result.integer = value->boolean;
  else if (value->kind == FHIR_PATH_INTEGER)
    result.integer = value->integer;
  else if (value->kind != FHIR_PATH_STRING || !is_integer(value->text) ||
           !fhir_decimal_parse(value->text, &decimal) ||
           !fhir_decimal_to_int(decimal, &result.integer))
    return false;
  *ret_value = result;
  return result.integer <= INT32_MAX && result.integer >= INT32_MIN;
}

static bool to_decimal(struct fhir_path_machine *m, const struct fhir_path_value *value,
                       struct fhir_path_value *ret_value) {
  struct fhir_path_value result = {.kind = FHIR_PATH_DECIMAL, .type = FHIR_NONE};
  if (value->kind == FHIR_PATH_BOOLEAN)
    result.decimal = (struct fhir_decimal){value->boolean ? 10 : 0, 1};
  else if (value->kind == FHIR_PATH_STRING) {
    if (!is_decimal(value->text) || !fhir_decimal_parse(value->text, &result.decimal)) return false;
  } else if (!path_decimal_of(value, &result.decimal)) {
    return false;
  }
  *ret_value = result;
  return true;
}

static bool to_string(struct fhir_path_machine *m, const struct fhir_path_value *value,
                      struct fhir_path_value *ret_value) {
  struct bytes text;
  if (value->kind == FHIR_PATH_TYPE || value->kind == FHIR_PATH_ELEMENT) return false;
  if (!path_text_of(&m->arena, value, &text)) return false;
  *ret_value = fhir_path_string(text);
  return true;
}

static bool to_date(struct fhir_path_machine *m, const struct fhir_path_value *value,
                    struct fhir_path_value *ret_value) {
  struct fhir_path_value result = {.kind = FHIR_PATH_DATE, .type = FHIR_NONE};
  if (value->kind == FHIR_PATH_DATE || value->kind == FHIR_PATH_DATETIME) {
    bool timed = value->time.precision > FHIR_DAY;
    if (!fhir_date_bound(value->time, false, timed ? 8 : fhir_datetime_digits(&value->time),
                         &result.time))
      return false;
  } else if (value->kind != FHIR_PATH_STRING || !fhir_date_parse(value->text, &result.time)) {
    struct fhir_datetime time;
    if (value->kind != FHIR_PATH_STRING || !fhir_datetime_parse(value->text, &time)) return false;
    if (time.precision < FHIR_HOUR || !fhir_date_bound(time, false, 8, &result.time)) return false;
  }
  result.time.zone_min = FHIR_ZONE_NONE;
  *ret_value = result;
  return true;
}

static bool to_datetime(struct fhir_path_machine *m, const struct fhir_path_value *value,
                        struct fhir_path_value *ret_value) {
  struct fhir_path_value result = {.kind = FHIR_PATH_DATETIME, .type = FHIR_NONE};
  if (value->kind == FHIR_PATH_DATE || value->kind == FHIR_PATH_DATETIME)
    result.time = value->time;
  else if (value->kind != FHIR_PATH_STRING || !fhir_datetime_parse(value->text, &result.time))
    return false;
  *ret_value = result;
  return true;
}

static bool to_time(struct fhir_path_machine *m, const struct fhir_path_value *value,
                    struct fhir_path_value *ret_value) {
  struct fhir_path_value result = {.kind = FHIR_PATH_TIME, .type = FHIR_NONE};
  if (value->kind == FHIR_PATH_TIME) {
    result.time = value->time;
  } else {
    struct bytes text = value->kind == FHIR_PATH_STRING ? value->text : BYTES_NONE;
    if (text.len && text.at[0] == 'T') text = bytes_from(text, 1);
    if (!fhir_time_parse(text, &result.time)) return false;
  }
  *ret_value = result;
  return true;
}

static bool to_quantity(struct fhir_path_machine *m, const struct fhir_path_value *value,
                        struct fhir_path_value *ret_value) {
  struct fhir_path_value result = {.kind = FHIR_PATH_QUANTITY, .type = FHIR_NONE};
  struct fhir_path_quantity quantity = {.unit = BYTES("1")};
  if (value->kind == FHIR_PATH_QUANTITY) {
    *ret_value = *value;
    return true;
  }
  if (value->kind == FHIR_PATH_BOOLEAN)
    quantity.value = (struct fhir_decimal){value->boolean ? 10 : 0, 1};
  else if (!path_decimal_of(value, &quantity.value) &&
           (value->kind != FHIR_PATH_STRING || !path_quantity_parse(value->text, &quantity)))
    return false;
  struct fhir_path_quantity *kept = ARENA_NEW(&m->arena, struct fhir_path_quantity);
  if (!kept) return false;
  *kept = quantity;
  result.quantity = kept;
  *ret_value = result;
  return true;
}

/* toX(): the converted value or nothing. convertsToX(): whether there is one. */
static bool convert(struct fhir_path_machine *m, size_t base, converter *to, bool ask,
                    struct err *err) {
  struct fhir_path_value value;
  bool there;
  TRY(path_take_one(m, base, &value, &there, err));
  if (!there) return true;
  bool ok = to(m, &value, &value);
  if (!arena_ok(&m->arena))
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  if (ask) return path_return_bool(m, base, ok, err);
  return !ok || path_push(m, &value, err);
}

PATH_FN(toBoolean) {
  return convert(m, base, to_boolean, false, err);
}

PATH_FN(convertsToBoolean) {
  return convert(m, base, to_boolean, true, err);
}

PATH_FN(toInteger) {
  return convert(m, base, to_integer, false, err);
}

PATH_FN(convertsToInteger) {
  return convert(m, base, to_integer, true, err);
}

PATH_FN(toDecimal) {
  return convert(m, base, to_decimal, false, err);
}

PATH_FN(convertsToDecimal) {
  return convert(m, base, to_decimal, true, err);
}

PATH_FN(toString) {
  return convert(m, base, to_string, false, err);
}

PATH_FN(convertsToString) {
  return convert(m, base, to_string, true, err);
}

PATH_FN(toDate) {
  return convert(m, base, to_date, false, err);
}

PATH_FN(convertsToDate) {
  return convert(m, base, to_date, true, err);
}

PATH_FN(toDateTime) {
  return convert(m, base, to_datetime, false, err);
}

PATH_FN(convertsToDateTime) {
  return convert(m, base, to_datetime, true, err);
}

PATH_FN(toTime) {
  return convert(m, base, to_time, false, err);
}

PATH_FN(convertsToTime) {
  return convert(m, base, to_time, true, err);
}

/* The unit a quantity is wanted in; converted when it differs. */
static bool in_unit(struct fhir_path_machine *m, const struct path_node *call,
                    const struct path_scope *scope, size_t base, bool ask, struct err *err) {
  struct fhir_path_value unit;
  struct fhir_path_value value;
  bool has_unit;
  bool there;
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &unit, &has_unit, err));
  m->node = call;
  TRY(path_take_one(m, base, &value, &there, err));
  if (!there || !has_unit) return true;
  struct fhir_path_quantity wanted = {.unit = unit.text};
  wanted.calendar = path_calendar_word(unit.text, &wanted.unit);
  bool ok = to_quantity(m, &value, &value) &&
            path_quantity_convert(value.quantity, &wanted, &wanted.value);
  if (ask) return path_return_bool(m, base, ok, err);
  struct fhir_path_quantity *kept = ok ? ARENA_NEW(&m->arena, struct fhir_path_quantity) : NULL;
  if (!kept) return true;
  *kept = wanted;
  value.quantity = kept;
  return path_push(m, &value, err);
}

PATH_FN(toQuantity) {
  if (call->arg_count) return in_unit(m, call, scope, base, false, err);
  return convert(m, base, to_quantity, false, err);
}

PATH_FN(convertsToQuantity) {
  if (call->arg_count) return in_unit(m, call, scope, base, true, err);
  return convert(m, base, to_quantity, true, err);
}

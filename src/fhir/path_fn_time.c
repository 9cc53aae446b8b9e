/* fhir/path_fn_time.c: the clock, parts of dates and times, precision and boundaries (FHIRPath
 * §5.10 of 2.0.0; the rest is of the 3.0.0 ballot). The clock is the caller's: one moment for a
 * whole evaluation.                                                                            */
#include "fhir/path_fn.h"

enum {
  DECIMAL_PLACES = 8, /* of a boundary when none are asked for */
  DECIMAL_PLACES_MAX = 28,
  DATE_DIGITS = 8,
  DATETIME_DIGITS = 17,
  TIME_DIGITS = 9,
  MINUTES_PER_HOUR = 60,
  NANO_PER_MS = 1000000
};

static bool give_time(struct fhir_path_machine *m, size_t base, enum fhir_path_kind kind,
                      const struct fhir_datetime *time, struct err *err) {
  struct fhir_path_value value = {.kind = (uint8_t)kind, .type = FHIR_NONE};
  value.time = *time;
  return path_return(m, base, &value, err);
}

static struct fhir_datetime clock_of(const struct fhir_path_machine *m) {
  return fhir_datetime_now(m->env->now_ms, m->env->zone_min);
}

PATH_FN(now) {
  struct fhir_datetime now = clock_of(m);
  return give_time(m, base, FHIR_PATH_DATETIME, &now, err);
}

PATH_FN(today) {
  struct fhir_datetime now = clock_of(m);
  return !fhir_date_bound(now, false, DATE_DIGITS, &now) ||
         give_time(m, base, FHIR_PATH_DATE, &now, err);
}

PATH_FN(timeOfDay) {
  struct fhir_datetime now = clock_of(m);
  now.zone_min = FHIR_ZONE_NONE;
  return give_time(m, base, FHIR_PATH_TIME, &now, err);
}

/* ---- parts ---- */

/* The date or time in the input; no_time: a Time has no such part. */
static bool take_moment(struct fhir_path_machine *m, size_t base, enum fhir_precision part,
                        struct fhir_path_value *ret_value, bool *ret_there, struct err *err) {
  struct fhir_path_value value;
  bool there;
  TRY(path_take_one(m, base, &value, &there, err));
  *ret_there = false;
  if (!there) return true;
  bool date = value.kind == FHIR_PATH_DATE || value.kind == FHIR_PATH_DATETIME;
  if (!date && (value.kind != FHIR_PATH_TIME || part < FHIR_HOUR))
    PATH_FAIL(ERR_INVALID, "%s() does not work on this kind of value", m->node->call.entry->name);
  *ret_there = value.time.precision >= part;
  *ret_value = value;
  return true;
}

#define PART(name, precision_, expression) \
  PATH_FN(name) { \
    struct fhir_path_value value; \
    bool there; \
    TRY(take_moment(m, base, precision_, &value, &there, err)); \
    return !there || path_return_int(m, base, expression, err); \
  }

PART(yearOf, FHIR_YEAR, value.time.year)
PART(monthOf, FHIR_MONTH, value.time.month)
PART(dayOf, FHIR_DAY, value.time.day)
PART(hourOf, FHIR_HOUR, value.time.hour)
PART(minuteOf, FHIR_MINUTE, value.time.minute)
PART(secondOf, FHIR_SECOND, value.time.second)
PART(millisecondOf, FHIR_FRACTION, value.time.nanosecond / NANO_PER_MS)

PATH_FN(timezoneOffsetOf) {
  struct fhir_path_value value;
  struct fhir_path_value hours = {.kind = FHIR_PATH_DECIMAL, .type = FHIR_NONE};
  bool there;
  TRY(take_moment(m, base, FHIR_HOUR, &value, &there, err));
  if (!there || value.time.zone_min == FHIR_ZONE_NONE) return true;
  return !fhir_decimal_div(fhir_decimal_int(value.time.zone_min),
                           fhir_decimal_int(MINUTES_PER_HOUR), &hours.decimal) ||
         path_return(m, base, &hours, err);
}

PATH_FN(dateOf) {
  struct fhir_path_value value;
  bool there;
  TRY(take_moment(m, base, FHIR_YEAR, &value, &there, err));
  if (!there) return true;
  int digits = fhir_datetime_digits(&value.time);
  if (digits > DATE_DIGITS) digits = DATE_DIGITS;
  return !fhir_date_bound(value.time, false, digits, &value.time) ||
         give_time(m, base, FHIR_PATH_DATE, &value.time, err);
}

PATH_FN(timeOf) {
  struct fhir_path_value value;
  bool there;
  TRY(take_moment(m, base, FHIR_HOUR, &value, &there, err));
  value.time.zone_min = FHIR_ZONE_NONE;
  return !there || give_time(m, base, FHIR_PATH_TIME, &value.time, err);
}

/* ---- precision and boundaries ---- */

PATH_FN(precision) {
  struct fhir_path_value value;
  struct fhir_decimal decimal;
  bool there;
  TRY(path_take_one(m, base, &value, &there, err));
  if (!there) return true;
  if (value.kind == FHIR_PATH_DATE || value.kind == FHIR_PATH_DATETIME)
    return path_return_int(m, base, fhir_datetime_digits(&value.time), err);
  if (value.kind == FHIR_PATH_TIME)
    return path_return_int(m, base, fhir_time_digits(&value.time), err);
  if (path_decimal_of(&value, &decimal)) return path_return_int(m, base, decimal.scale, err);
  if (value.kind == FHIR_PATH_QUANTITY)
    return path_return_int(m, base, value.quantity->value.scale, err);
  PATH_FAIL(ERR_INVALID, "only numbers, dates and times have a precision");
}

/* Half of the last place below or above, then to the places asked for, outward. */
static bool decimal_bound(struct fhir_decimal value, bool high, int64_t places,
                          struct fhir_decimal *ret_bound) {
  struct fhir_decimal half = {high ? 5 : -5, value.scale + 1};
  if (places < 0 || places > DECIMAL_PLACES_MAX) return false;
  if (!fhir_decimal_add(value, half, &value)) return false;
  return fhir_decimal_rescale(value, (int32_t)places, high ? FHIR_ROUND_UP : FHIR_ROUND_DOWN,
                              ret_bound);
}

static bool bound_of(struct fhir_path_machine *m, struct fhir_path_value *value, bool high,
                     int64_t digits) {
  struct fhir_decimal decimal;
  bool given = digits >= 0;
  if (value->kind == FHIR_PATH_DATE)
    return fhir_date_bound(value->time, high, given ? digits : DATE_DIGITS, &value->time);
  if (value->kind == FHIR_PATH_DATETIME)
    return fhir_datetime_bound(value->time, high, given ? digits : DATETIME_DIGITS, &value->time);
  if (value->kind == FHIR_PATH_TIME)
    return fhir_time_bound(value->time, high, given ? digits : TIME_DIGITS, &value->time);
  if (value->kind == FHIR_PATH_QUANTITY) {
    struct fhir_path_quantity *kept = ARENA_NEW(&m->arena, struct fhir_path_quantity);
    if (!kept) return false;
    *kept = *value->quantity;
    value->quantity = kept;
    return decimal_bound(kept->value, high, given ? digits : DECIMAL_PLACES, &kept->value);
  }
  if (!path_decimal_of(value, &decimal)) return false;
  value->kind = FHIR_PATH_DECIMAL;
  return decimal_bound(decimal, high, given ? digits : DECIMAL_PLACES, &value->decimal);
}

static bool boundary(struct fhir_path_machine *m, const struct path_node *call,
                     const struct path_scope *scope, size_t base, bool high, struct err *err) {
  struct fhir_path_value value;
  struct fhir_path_value digits;
  bool there;
  bool has_digits = false;
  TRY(path_take_one(m, base, &value, &there, err));
  if (call->arg_count)
    TRY(path_arg(m, call, 0, scope, FHIR_PATH_INTEGER, &digits, &has_digits, err));
  m->node = call;
  if (!there || (has_digits && digits.integer < 0)) return true;
  if (value.kind == FHIR_PATH_STRING || value.kind == FHIR_PATH_BOOLEAN)
    PATH_FAIL(ERR_INVALID, "only numbers, dates and times have a boundary");
  return !bound_of(m, &value, high, has_digits ? digits.integer : -1) ||
         path_return(m, base, &value, err);
}

PATH_FN(lowBoundary) {
  return boundary(m, call, scope, base, false, err);
}

PATH_FN(highBoundary) {
  return boundary(m, call, scope, base, true, err);
}

PATH_FN(comparable) {
  struct fhir_path_value a;
  struct fhir_path_value b;
  bool has_a;
  bool has_b;
  TRY(path_input(m, base, FHIR_PATH_QUANTITY, &a, &has_a, err));
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_QUANTITY, &b, &has_b, err));
  if (!has_a || !has_b) return true;
  return path_return_bool(m, base, path_quantity_comparable(a.quantity, b.quantity), err);
}

/* fhir/path_value.c: elements as System values, and values as text and JSON. */
#include "fhir/path_impl.h"
#include "wire/json_number.h"

#include <string.h>

enum { TEXT_BYTES_MAX = FHIR_DECIMAL_TEXT_BYTES + UINT16_MAX };

struct fhir_path_value fhir_path_resource(const struct json *resource) {
  const struct fhir_type *type = fhir_type_find(json_get_text(resource, "resourceType"));
  return fhir_path_element(resource, NULL, type ? fhir_type_id(type) : FHIR_NONE);
}

struct fhir_path_value fhir_path_element(const struct json *node, const struct json *side,
                                         uint16_t type) {
  struct fhir_path_value value = {.kind = FHIR_PATH_ELEMENT, .type = type};
  value.element.node = node;
  value.element.side = side;
  return value;
}

struct fhir_path_value fhir_path_string(struct bytes text) {
  struct fhir_path_value value = {.kind = FHIR_PATH_STRING, .type = FHIR_NONE};
  value.text = text;
  return value;
}

struct fhir_path_value fhir_path_boolean(bool boolean) {
  struct fhir_path_value value = {.kind = FHIR_PATH_BOOLEAN, .type = FHIR_NONE};
  value.boolean = boolean;
  return value;
}

/* Where no model says it, the JSON does. */
static enum fhir_path_kind kind_of_json(const struct json *node) {
  switch (node->kind) {
  case JSON_TRUE:
  case JSON_FALSE: return FHIR_PATH_BOOLEAN;
  case JSON_STRING: return FHIR_PATH_STRING;
  case JSON_NUMBER:
    return bytes_find(node->text, '.') < node->text.len ? FHIR_PATH_DECIMAL : FHIR_PATH_INTEGER;
  case JSON_NULL:
  case JSON_ARRAY:
  case JSON_OBJECT: break;
  }
  return FHIR_PATH_ELEMENT;
}

/* A text that is not of its type's form stays a text: nothing of the document gets lost. */
static void from_text(struct bytes text, enum fhir_path_kind kind, struct fhir_path_value *value) {
  bool ok = false;
  value->kind = (uint8_t)kind;
  if (kind == FHIR_PATH_DATE) ok = fhir_date_parse(text, &value->time);
  if (kind == FHIR_PATH_DATETIME) ok = fhir_datetime_parse(text, &value->time);
  if (kind == FHIR_PATH_TIME) ok = fhir_time_parse(text, &value->time);
  if (!ok) *value = fhir_path_string(text);
}

static bool from_number(struct bytes text, enum fhir_path_kind kind,
                        struct fhir_path_value *value) {
  struct fhir_decimal decimal;
  value->kind = (uint8_t)kind;
  if (kind == FHIR_PATH_INTEGER && json_number_int(text, &value->integer)) return true;
  if (!fhir_decimal_parse(text, &decimal)) return false;
  value->kind = FHIR_PATH_DECIMAL;
  value->decimal = decimal;
  return true;
}

static bool from_quantity(struct arena *arena, const struct json *node,
                          struct fhir_path_value *value) {
  const struct json *number = json_get(node, "value");
  struct fhir_path_quantity *quantity = ARENA_NEW(arena, struct fhir_path_quantity);
  if (!quantity || !number || number->kind != JSON_NUMBER ||
      !fhir_decimal_parse(number->text, &quantity->value))
    return false;
  struct bytes code = json_get_text(node, "code");
  bool ucum = bytes_eq_str(json_get_text(node, "system"), "http://unitsofmeasure.org");
  quantity->unit = ucum || code.len ? code : json_get_text(node, "unit");
  value->kind = FHIR_PATH_QUANTITY;
  value->type = FHIR_NONE;
  value->quantity = quantity;
  return true;
}

bool fhir_path_system(struct arena *arena, const struct fhir_path_value *value,
                      struct fhir_path_value *ret_value) {
  const struct json *node = value->element.node;
  struct fhir_path_value found = {.type = FHIR_NONE};
  if (value->kind != FHIR_PATH_ELEMENT) {
    *ret_value = *value;
    return true;
  }
  if (!node) return false;
  enum fhir_path_kind kind =
      value->type == FHIR_NONE ? kind_of_json(node) : path_system_kind(value->type);
  if (kind == FHIR_PATH_ELEMENT) return false;
  bool ok = true;
  if (kind == FHIR_PATH_QUANTITY)
    ok = from_quantity(arena, node, &found);
  else if (node->kind == JSON_TRUE || node->kind == JSON_FALSE)
    found = fhir_path_boolean(node->kind == JSON_TRUE);
  else if (node->kind == JSON_NUMBER)
    ok = from_number(node->text, kind, &found);
  else if (node->kind == JSON_STRING && kind == FHIR_PATH_STRING)
    found = fhir_path_string(node->text);
  else if (node->kind == JSON_STRING)
    from_text(node->text, kind, &found);
  else
    ok = false;
  if (ok) *ret_value = found;
  return ok;
}

struct bytes fhir_path_type_name(const struct fhir_path_value *value) {
  static const char *const names[] = {
      [FHIR_PATH_BOOLEAN] = "boolean", [FHIR_PATH_INTEGER] = "integer",
      [FHIR_PATH_DECIMAL] = "decimal", [FHIR_PATH_STRING] = "string",
      [FHIR_PATH_DATE] = "date",       [FHIR_PATH_DATETIME] = "dateTime",
      [FHIR_PATH_TIME] = "time",       [FHIR_PATH_QUANTITY] = "Quantity",
      [FHIR_PATH_TYPE] = "TypeInfo",
  };
  if (value->kind != FHIR_PATH_ELEMENT) return bytes_str(names[value->kind]);
  if (value->type == FHIR_NONE) {
    enum fhir_path_kind kind =
        value->element.node ? kind_of_json(value->element.node) : FHIR_PATH_ELEMENT;
    return kind == FHIR_PATH_ELEMENT ? BYTES("Element") : bytes_str(names[kind]);
  }
  const struct fhir_type *type = fhir_type_at(value->type);
  if (type->kind == FHIR_KIND_NESTED) type = fhir_type_at(type->base);
  return fhir_text(type->name);
}

void path_quantity_write(struct buf *buf, const struct fhir_path_quantity *quantity) {
  fhir_decimal_write(buf, quantity->value);
  buf_char(buf, ' ');
  if (quantity->calendar) {
    struct fhir_decimal one = {1, 0};
    buf_put(buf, quantity->unit);
    if (fhir_decimal_cmp(fhir_decimal_abs(quantity->value), one) != 0) buf_char(buf, 's');
    return;
  }
  buf_char(buf, '\'');
  buf_put(buf, quantity->unit.len ? quantity->unit : BYTES("1"));
  buf_char(buf, '\'');
}

static void write_text(struct buf *buf, const struct fhir_path_value *value) {
  switch ((enum fhir_path_kind)value->kind) {
  case FHIR_PATH_BOOLEAN: buf_str(buf, value->boolean ? "true" : "false"); break;
  case FHIR_PATH_INTEGER: buf_printf(buf, "%lld", (long long)value->integer); break;
  case FHIR_PATH_DECIMAL: fhir_decimal_write(buf, value->decimal); break;
  case FHIR_PATH_DATE: fhir_date_write(buf, &value->time); break;
  case FHIR_PATH_DATETIME: fhir_datetime_write(buf, &value->time); break;
  case FHIR_PATH_TIME: fhir_time_write(buf, &value->time); break;
  case FHIR_PATH_QUANTITY: path_quantity_write(buf, value->quantity); break;
  case FHIR_PATH_STRING:
  case FHIR_PATH_TYPE:
  case FHIR_PATH_ELEMENT: buf_put(buf, value->text); break;
  }
}

bool path_text_of(struct arena *arena, const struct fhir_path_value *value,
                  struct bytes *ret_text) {
  struct buf buf;
  if (value->kind == FHIR_PATH_STRING) {
    *ret_text = value->text;
    return true;
  }
  buf_init(&buf, TEXT_BYTES_MAX);
  write_text(&buf, value);
  *ret_text = arena_copy(arena, buf_bytes(&buf));
  bool ok = buf_ok(&buf) && arena_ok(arena);
  buf_fini(&buf);
  return ok;
}

static void write_type(struct json_out *out, const struct fhir_path_value *value) {
  json_out_open(out, '{');
  json_out_member_str(out, "namespace", value->type == FHIR_NONE ? "System" : "FHIR");
  json_out_member(out, "name", value->text);
  json_out_close(out, '}');
}

void fhir_path_write_value(struct json_out *out, const struct fhir_path_value *value) {
  struct buf buf;
  switch ((enum fhir_path_kind)value->kind) {
  case FHIR_PATH_ELEMENT:
    if (value->element.node)
      json_out_value(out, value->element.node);
    else
      json_out_null(out);
    return;
  case FHIR_PATH_BOOLEAN: json_out_bool(out, value->boolean); return;
  case FHIR_PATH_STRING: json_out_string(out, value->text); return;
  case FHIR_PATH_TYPE: write_type(out, value); return;
  case FHIR_PATH_INTEGER:
  case FHIR_PATH_DECIMAL:
  case FHIR_PATH_DATE:
  case FHIR_PATH_DATETIME:
  case FHIR_PATH_TIME:
  case FHIR_PATH_QUANTITY: break;
  }
  buf_init(&buf, TEXT_BYTES_MAX);
  write_text(&buf, value);
  if (value->kind == FHIR_PATH_INTEGER || value->kind == FHIR_PATH_DECIMAL)
    json_out_raw(out, buf_bytes(&buf));
  else
    json_out_string(out, buf_bytes(&buf));
  buf_fini(&buf);
}

void fhir_path_write(struct json_out *out, struct fhir_path_result result) {
  json_out_open(out, '[');
  for (size_t i = 0; i < result.count; i++) {
    json_out_open(out, '{');
    json_out_member(out, "type", fhir_path_type_name(&result.at[i]));
    json_out_name(out, "value");
    fhir_path_write_value(out, &result.at[i]);
    json_out_close(out, '}');
  }
  json_out_close(out, ']');
}

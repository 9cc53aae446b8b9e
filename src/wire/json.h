/* wire/json.h: JSON text to a tree in an arena, and back.
 * Owns:    nodes and decoded strings live in the caller's arena; undecoded ones point into the
 *          input, so the input must live as long as the tree.
 * Units:   bytes; offsets into the input.
 * Errors:  json_parse: MALFORMED (with byte offset), LIMIT.
 * Threads: pure; any thread.
 * Limits:  JSON_DEPTH_MAX levels, JSON_BYTES_MAX of input, the arena's bytes_max. Duplicate member
 *          names are refused: two readers must never see two values.
 * Source:  RFC 8259; numbers are kept as written (FHIR R4 decimal).                              */
#ifndef MEDULLA_WIRE_JSON_H
#define MEDULLA_WIRE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX 128
#define JSON_BYTES_MAX (256u << 20)

enum json_kind {
  JSON_NULL,
  JSON_FALSE,
  JSON_TRUE,
  JSON_NUMBER,
  JSON_STRING,
  JSON_ARRAY,
  JSON_OBJECT
};

struct json {
  enum json_kind kind;
  uint32_t count;    /* members or items */
  uint32_t offset;   /* of the first byte in the input */
  struct bytes text; /* string: decoded UTF-8; number: as written; array, object: raw source */
  struct bytes name; /* decoded member name when the parent is an object */
  const struct json *first; /* first child, or NULL */
  const struct json *next;  /* next sibling, or NULL */
};

/* The whole input is one value (blanks around it allowed). Invalid UTF-8 is refused. */
bool json_parse(struct arena *arena, struct bytes input, const struct json **ret_value,
                struct err *err) MUST_CHECK;

/* All readers accept NULL and wrong kinds and then give NULL / false / the fallback. */
const struct json *json_get(const struct json *object, const char *name);
const struct json *json_get_bytes(const struct json *object, struct bytes name);
const struct json *json_item(const struct json *array, size_t index);
/* RFC 6901; NULL when nothing is there or the pointer is malformed. */
const struct json *json_pointer(const struct json *value, struct bytes pointer);
/* "data.subject.reference", "Records[0].x": the path language of order_by and filters. */
const struct json *json_path(const struct json *value, struct bytes path);
struct bytes json_text(const struct json *value); /* string or number; else empty */
struct bytes json_get_text(const struct json *object, const char *name);
bool json_is_true(const struct json *value);
bool json_int(const struct json *value, int64_t *ret_value); /* integer-valued, in range */
bool json_double(const struct json *value, double *ret_value);
/* Deep equality; numbers by value (1.0 equals 1), objects without order. */
bool json_eq(const struct json *a, const struct json *b);

/* Writing: commas and quotes by itself. Values are written in order; a name before each member. */
struct json_out {
  struct buf *buf;
  bool comma;
};
void json_out_init(struct json_out *out, struct buf *buf);
void json_out_open(struct json_out *out, char bracket);  /* '{' or '[' */
void json_out_close(struct json_out *out, char bracket); /* '}' or ']' */
void json_out_name(struct json_out *out, const char *name);
void json_out_name_bytes(struct json_out *out, struct bytes name);
void json_out_string(struct json_out *out, struct bytes text); /* invalid UTF-8 becomes U+FFFD */
void json_out_str(struct json_out *out, const char *text);
void json_out_int(struct json_out *out, int64_t value);
void json_out_double(struct json_out *out, double value); /* shortest form that reads back */
void json_out_bool(struct json_out *out, bool value);
void json_out_null(struct json_out *out);
void json_out_raw(struct json_out *out, struct bytes json_text); /* already JSON */
void json_out_value(struct json_out *out, const struct json *value);
/* name and value at once. */
void json_out_member_str(struct json_out *out, const char *name, const char *text);
void json_out_member(struct json_out *out, const char *name, struct bytes text);
void json_out_member_int(struct json_out *out, const char *name, int64_t value);
void json_out_member_bool(struct json_out *out, const char *name, bool value);
void json_out_member_raw(struct json_out *out, const char *name, struct bytes json_text);

/* RFC 8785 canonical form: sorted names, shortest numbers. For digests. */
void json_canonical(struct buf *buf, const struct json *value);

#endif

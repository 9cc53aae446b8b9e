/* fhir/path.h: FHIRPath: an expression compiled once, evaluated over JSON trees many times.
 * Owns:    a program lives in the caller's arena. A machine owns the room evaluations work in; a
 *          result lives in it until the machine's next evaluation (texts may also point into the
 *          program and into the document).
 * Units:   offsets are bytes into the expression; times are UTC milliseconds.
 * Errors:  compile: MALFORMED (with offset), INVALID (strict: unknown names), LIMIT.
 *          eval: INVALID (the expression does not apply to the data), LIMIT, UNSUPPORTED, and what
 *          callbacks fail with; the offset is that of the part of the expression.
 *          Details hold names of the expression, never values of the document.
 * Threads: a program may be used by any number of threads at once; a machine by one at a time.
 * Limits:  FHIR_PATH_TEXT_BYTES_MAX, FHIR_PATH_DEPTH_MAX, those of struct fhir_path_limits.
 * Source:  FHIRPath 2.0.0 (normative); FHIR R4 §2.9.1 (fhirpath.html); of the 3.0.0 ballot the
 *          functions sort, lowBoundary, highBoundary, precision, comparable, matchesFull,
 *          lastIndexOf, coalesce, defineVariable and what reads parts of dates.                */
#ifndef MEDULLA_FHIR_PATH_H
#define MEDULLA_FHIR_PATH_H

#include "fhir/datetime.h"
#include "fhir/decimal.h"
#include "wire/json.h"

#define FHIR_PATH_TEXT_BYTES_MAX (64u << 10)
#define FHIR_PATH_DEPTH_MAX 400 /* of nested parts */
#define FHIR_PATH_VARIABLES_MAX 64

struct fhir_path;         /* a program */
struct fhir_path_machine; /* the room to run it in */

/* ---- values ---- */
enum fhir_path_kind {
  FHIR_PATH_ELEMENT, /* a node of the document; `type` says which FHIR type it has */
  FHIR_PATH_BOOLEAN,
  FHIR_PATH_INTEGER,
  FHIR_PATH_DECIMAL,
  FHIR_PATH_STRING,
  FHIR_PATH_DATE,
  FHIR_PATH_DATETIME,
  FHIR_PATH_TIME,
  FHIR_PATH_QUANTITY,
  FHIR_PATH_TYPE /* what type() gives */
};

struct fhir_path_quantity {
  struct fhir_decimal value;
  struct bytes unit; /* UCUM, or the word of a calendar duration ("day") */
  bool calendar;
};

struct fhir_path_value {
  uint8_t kind;  /* enum fhir_path_kind */
  uint16_t type; /* a FHIR type's id, or FHIR_NONE; of elements and types */
  union {
    struct {
      const struct json *node; /* NULL: only extensions stand there */
      const struct json *side; /* the "_name" beside a primitive, or NULL */
    } element;
    bool boolean;
    int64_t integer; /* within 32 bits */
    struct fhir_decimal decimal;
    struct bytes text; /* STRING; of TYPE: the name */
    struct fhir_datetime time;
    const struct fhir_path_quantity *quantity;
  };
};

struct fhir_path_result {
  const struct fhir_path_value *at;
  size_t count;
};

/* A whole resource; its type is read from resourceType. */
struct fhir_path_value fhir_path_resource(const struct json *resource);
/* Any element of a known type (model.h), `side` may be NULL. */
struct fhir_path_value fhir_path_element(const struct json *node, const struct json *side,
                                         uint16_t type);
struct fhir_path_value fhir_path_string(struct bytes text);
struct fhir_path_value fhir_path_boolean(bool boolean);
/* A primitive element as the System value it stands for; others stay. False: it has none. The
 * quantity of a Quantity element lives in the arena. */
bool fhir_path_system(struct arena *arena, const struct fhir_path_value *value,
                      struct fhir_path_value *ret_value);
/* "HumanName", "code", "boolean", "Quantity"; of a nested type that of its base. */
struct bytes fhir_path_type_name(const struct fhir_path_value *value);
/* The value as JSON: elements as written, quantities as FHIRPath writes them: "4.5 'mg'". */
void fhir_path_write_value(struct json_out *out, const struct fhir_path_value *value);
/* [{"type": ..., "value": ...}] */
void fhir_path_write(struct json_out *out, struct fhir_path_result result);

/* ---- compiling ---- */
struct fhir_path_options {
  /* Optional: the type of the context; with `strict` names are checked against it. FHIR_NONE (or
   * 0 with strict off) leaves everything to the evaluation. */
  uint16_t type;
  bool strict;
  /* `as` of several items keeps those of the type, as R4's search parameters and invariants
   * (dom-3) expect, instead of failing as FHIRPath 2.0.0 says. */
  bool lenient_as;
};
/* The text is copied. NULL options suit the expressions of R4's definitions: lenient_as. */
bool fhir_path_compile(struct arena *arena, struct bytes text,
                       const struct fhir_path_options *options, const struct fhir_path **ret_path,
                       struct err *err) MUST_CHECK;

/* ---- evaluating ---- */
struct fhir_path_variable {
  struct bytes name; /* without % */
  const struct fhir_path_value *values;
  size_t count;
};

/* Everything optional; what is missing fails when an expression asks for it. */
struct fhir_path_env {
  const struct fhir_path_value *resource;      /* %resource; the context when NULL */
  const struct fhir_path_value *root_resource; /* %rootResource; %resource when NULL */
  const struct fhir_path_variable *variables;
  size_t variable_count;
  int64_t now_ms;
  int zone_min;
  void *user; /* handed to the callbacks */
  /* resolve(): the resource a reference or canonical names; ret_found stays false when unknown. */
  bool (*resolve)(void *user, struct bytes reference, struct fhir_path_value *ret_value,
                  bool *ret_found, struct err *err);
  /* memberOf(): `value` is a code, Coding or CodeableConcept. ret_known stays false when the value
   * set is not known: the answer is empty. */
  bool (*member_of)(void *user, const struct fhir_path_value *value, struct bytes value_set,
                    bool *ret_member, bool *ret_known, struct err *err);
  /* conformsTo() for profiles; the base types are answered without it. */
  bool (*conforms_to)(void *user, const struct fhir_path_value *value, struct bytes profile,
                      bool *ret_conforms, struct err *err);
  /* trace(); without it nothing is told. */
  void (*trace)(void *user, struct bytes name, struct fhir_path_result values);
};

struct fhir_path_limits {
  uint32_t values_max; /* held at once; 0: FHIR_PATH_VALUES_MAX */
  uint64_t steps_max;  /* parts evaluated and nodes visited; 0: FHIR_PATH_STEPS_MAX */
  size_t bytes_max;    /* texts and quantities made on the way; 0: FHIR_PATH_BYTES_MAX */
};
#define FHIR_PATH_VALUES_MAX 65536u
#define FHIR_PATH_STEPS_MAX 20000000u
#define FHIR_PATH_BYTES_MAX (16u << 20)

struct fhir_path_machine *fhir_path_machine_new(const struct fhir_path_limits *limits);
void fhir_path_machine_free(struct fhir_path_machine **machine_take);
/* env may be NULL, and context where there is none. */
bool fhir_path_eval(struct fhir_path_machine *machine, const struct fhir_path *path,
                    const struct fhir_path_value *context, const struct fhir_path_env *env,
                    struct fhir_path_result *ret_result, struct err *err) MUST_CHECK;
/* An invariant or filter: true for true, false for false and, as HL7's validator has it, for empty;
 * one item that is no boolean counts as true. */
bool fhir_path_holds(struct fhir_path_machine *machine, const struct fhir_path *path,
                     const struct fhir_path_value *context, const struct fhir_path_env *env,
                     bool *ret_holds, struct err *err) MUST_CHECK;

#endif

/* wire/schema.h: JSON Schema: compile once, check many values.
 * Owns:    a compiled schema lives in the caller's arena and points into the schema's JSON tree,
 *          which must live as long. Checking allocates only where uniqueItems or unevaluated* ask.
 * Units:   steps: one for each subschema applied and each member or item visited.
 * Errors:  schema_compile: INVALID (where in the schema, and what), NOT_FOUND (a reference that
 *          leads nowhere), UNSUPPORTED (another draft or a required vocabulary), LIMIT.
 * Threads: a compiled schema may be used by many threads at once.
 * Limits:  SCHEMA_NODES_MAX, SCHEMA_STEPS_MAX, SCHEMA_DEPTH_MAX, SCHEMA_SCRATCH_BYTES_MAX, those of
 *          wire/regex.h; multipleOf has at most 18 significant digits.
 * Source:  JSON Schema draft 2020-12, core and validation. References lead only to documents that
 *          were handed in; nothing is ever fetched.                                           */
#ifndef MEDULLA_WIRE_SCHEMA_H
#define MEDULLA_WIRE_SCHEMA_H

#include "wire/json.h"

#define SCHEMA_NODES_MAX 50000
#define SCHEMA_STEPS_MAX 5000000
#define SCHEMA_DEPTH_MAX 1000
#define SCHEMA_SCRATCH_BYTES_MAX (64u << 20)
#define SCHEMA_POINTER_BYTES 256
#define SCHEMA_KEYWORD_BYTES 32
#define SCHEMA_SENTENCE_BYTES 160

struct schema;

/* Documents a $ref may lead to, under the URI they are known by; their own $id counts too. */
struct schema_document {
  struct bytes uri;
  const struct json *root;
  struct schema_document *next;
};
struct schema_set {
  struct arena *arena;
  struct schema_document *first;
};
void schema_set_init(struct schema_set *set, struct arena *arena);
bool schema_add(struct schema_set *set, struct bytes uri, const struct json *root,
                struct err *err) MUST_CHECK;

struct schema_options {
  const struct schema_set *documents; /* Optional; needed during schema_compile only. */
  struct bytes uri;                   /* Optional: base of relative references without $id. */
  bool assert_formats;                /* Optional: `format` refuses; by default it only notes. */
};

/* options may be NULL. */
bool schema_compile(struct arena *arena, const struct json *root,
                    const struct schema_options *options, const struct schema **ret_schema,
                    struct err *err) MUST_CHECK;

struct schema_problem {
  enum err_code code;                   /* INVALID, or LIMIT: the check was given up */
  char instance[SCHEMA_POINTER_BYTES];  /* JSON Pointer into the value; too long ones are cut */
  char keyword[SCHEMA_KEYWORD_BYTES];   /* the keyword that refused */
  char schema[SCHEMA_POINTER_BYTES];    /* URI#pointer of that keyword */
  char sentence[SCHEMA_SENTENCE_BYTES]; /* speaks of the schema, never of the value's contents */
};

/* Is the value valid? If not, the first problem; ret_problem may be NULL. */
bool schema_check(const struct schema *schema, const struct json *instance,
                  struct schema_problem *ret_problem);
/* Up to `max` problems; their number. 0: valid. */
size_t schema_check_all(const struct schema *schema, const struct json *instance,
                        struct schema_problem *ret_problems, size_t max);

/* Is the text of this form ("date-time", "email", ...)? Unknown formats take everything. */
bool schema_format_ok(struct bytes format, struct bytes text);

#endif

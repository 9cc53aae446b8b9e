/* wire/schema_inner.h: the compiled form, shared by the schema_*.c files alone.
 * Owns:    all of it lives in the arena of schema_compile.
 * Errors:  see the functions.
 * Threads: read-only once compiled.                                        */
#ifndef MEDULLA_WIRE_SCHEMA_INNER_H
#define MEDULLA_WIRE_SCHEMA_INNER_H

#include "base/map.h"
#include "wire/regex.h"
#include "wire/schema.h"

struct schema_node;

struct schema_list {
  const struct schema_node **items;
  size_t count;
};

struct schema_names {
  struct bytes *items;
  size_t count;
};

/* Sorted by length, then bytes, so that a member finds its entry by halving. */
struct schema_entry {
  struct bytes name;
  const struct schema_node *node;
  const struct regex *regex; /* patternProperties */
  struct schema_names names; /* dependentRequired */
};

struct schema_map {
  struct schema_entry *entries;
  size_t count;
};

/* A schema with its own URI: what $ref resolves against and $dynamicRef searches. */
struct schema_resource {
  struct bytes uri;
  const struct json *root;
  const struct json *document; /* the whole text it stands in, for locations */
  bool ignores_validation;     /* its metaschema leaves the validation vocabulary out */
  bool asserts_formats;
  struct schema_dynamic *dynamics;
};

struct schema_dynamic {
  struct bytes name;
  const struct schema_node *node;
  struct schema_dynamic *next;
};

typedef bool schema_format_test(struct bytes text);

struct schema_node {
  const struct json *source;
  const struct schema_resource *resource;
  struct schema_node *queued; /* the next to be filled in */

  unsigned types; /* bits 1 << enum schema_type; 0: any */
  bool unique_items, has_factor;
  const struct json *constant, *enumeration;
  struct bytes minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
  uint64_t min_length, max_length, min_items, max_items, min_properties, max_properties;
  uint64_t min_contains, max_contains;
  const struct regex *pattern;
  schema_format_test *format;
  struct schema_names required;
  struct schema_map dependent_required;

  const struct schema_node *ref, *dynamic_ref;
  struct bytes dynamic_name; /* empty: dynamic_ref is an ordinary reference */
  struct schema_list all_of, any_of, one_of, prefix_items;
  const struct schema_node *negated, *condition, *then_branch, *else_branch;
  const struct schema_node *items, *contains, *unevaluated_items;
  const struct schema_node *additional, *property_names, *unevaluated_properties;
  struct schema_map properties, pattern_properties, dependent_schemas, defs;
};

enum schema_type {
  SCHEMA_TYPE_NULL,
  SCHEMA_TYPE_BOOLEAN,
  SCHEMA_TYPE_INTEGER,
  SCHEMA_TYPE_NUMBER,
  SCHEMA_TYPE_STRING,
  SCHEMA_TYPE_ARRAY,
  SCHEMA_TYPE_OBJECT,
  SCHEMA_TYPE_COUNT
};
extern const char *const schema_type_names[SCHEMA_TYPE_COUNT];

struct schema {
  const struct schema_node *root;
};

/* The table of keywords: what each holds and where the compiled node keeps it. */
enum schema_shape {
  SHAPE_SCHEMA,      /* a subschema */
  SHAPE_SCHEMA_LIST, /* a list of at least one subschema */
  SHAPE_SCHEMA_MAP,  /* subschemas by name */
  SHAPE_COUNT,       /* an integer not below 0 */
  SHAPE_NUMBER,
  SHAPE_OTHER
};

struct schema_compiler {
  struct arena *arena;
  const struct schema_options *options;
  struct map resources; /* URI to struct schema_resource */
  struct map anchors;   /* URI#name to const struct json */
  struct map homes;     /* address of a subschema to its struct schema_resource */
  struct map nodes;     /* address of a subschema to its struct schema_node */
  struct schema_node *queue, **queue_end;
  size_t node_count;
  const struct json *document; /* where errors happen just now */
};

struct schema_keyword {
  const char *name;
  enum schema_shape shape;
  bool validation; /* of the validation vocabulary */
  size_t field;
  bool (*take)(struct schema_compiler *c, struct schema_node *node, const struct json *value,
               struct err *err);
};
#define SCHEMA_FIELD_NONE SIZE_MAX
extern const struct schema_keyword schema_keywords[];

/* schema_find.c: where subschemas live and what references mean. */
bool schema_register_root(struct schema_compiler *c, const struct json *root, struct bytes uri,
                          struct schema_resource **ret_resource, struct err *err) MUST_CHECK;
struct schema_target {
  const struct json *json;
  struct schema_resource *resource;
  struct bytes dynamic_name; /* the reference names a dynamic anchor */
};
bool schema_resolve(struct schema_compiler *c, const struct schema_resource *base,
                    struct bytes reference, struct schema_target *ret_target,
                    struct err *err) MUST_CHECK;
void *schema_address_get(const struct map *map, const struct json *json);
void schema_address_put(struct map *map, const struct json *json, void *value);

/* schema_compile.c: the node of a subschema, filled in later. */
bool schema_node_of(struct schema_compiler *c, const struct json *json,
                    const struct schema_resource *resource, const struct schema_node **ret_node,
                    struct err *err) MUST_CHECK;

/* schema_uri.c: RFC 3986 §5.2. A result out of memory is empty and shows in arena_ok(). */
struct bytes schema_uri_resolve(struct arena *arena, struct bytes base, struct bytes reference);
bool schema_uri_valid(struct bytes text, bool absolute);

/* schema_meta.c: the text of the built-in metaschema and its URI. */
extern const char schema_meta_uri[];
extern const char schema_meta_text[];
/* Its tree, made on first use in the compiler's arena. */
bool schema_meta_root(struct schema_compiler *c, const struct json **ret_root,
                      struct err *err) MUST_CHECK;

/* schema_format.c */
schema_format_test *schema_format_find(struct bytes name);

/* schema_place.c: JSON Pointers from byte offsets; the text is cut where it does not fit. */
void schema_pointer_text(const struct json *root, size_t offset, char *ret_text, size_t text_bytes);

/* The members or items an object or array has shown to some subschema. */
struct schema_marks {
  uint64_t *bits;
  size_t count;
};

struct schema_scope {
  const struct schema_resource *resource;
  const struct schema_scope *outer;
};

/* One check in progress. */
struct schema_run {
  const struct json *instance;
  struct schema_problem *problems;
  size_t max, count;
  uint64_t steps, regex_work;
  unsigned depth;
  unsigned trial; /* inside a branch whose failure is no problem by itself */
  bool given_up;
  struct arena scratch;
  const struct schema_scope *scope;
};

/* schema_check.c */
bool schema_eval(struct schema_run *run, const struct schema_node *node, const struct json *value,
                 struct schema_marks *marks);
/* Failure is not a problem; marks are kept only on success. */
bool schema_try(struct schema_run *run, const struct schema_node *node, const struct json *value,
                struct schema_marks *marks);
/* Records (unless in a trial) and returns false. */
bool schema_refuse(struct schema_run *run, const struct schema_node *node, const char *keyword,
                   const struct json *value, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
bool schema_give_up(struct schema_run *run, const struct schema_node *node,
                    const struct json *value, const char *what);
bool schema_spend(struct schema_run *run, const struct schema_node *node, const struct json *value,
                  uint64_t steps);
/* After a failure: is there a reason to look further? */
bool schema_goes_on(const struct schema_run *run);
bool schema_pattern(struct schema_run *run, const struct schema_node *node,
                    const struct json *value, const struct regex *regex, struct bytes text);
void schema_mark(struct schema_marks *marks, size_t index);
bool schema_marked(const struct schema_marks *marks, size_t index);
const struct schema_entry *schema_map_find(const struct schema_map *map, struct bytes name);

/* schema_array.c, schema_object.c, schema_unique.c */
bool schema_check_array(struct schema_run *run, const struct schema_node *node,
                        const struct json *value, struct schema_marks *marks);
bool schema_check_object(struct schema_run *run, const struct schema_node *node,
                         const struct json *value, struct schema_marks *marks);
bool schema_unevaluated(struct schema_run *run, const struct schema_node *unevaluated,
                        const struct json *value, struct schema_marks *marks);
bool schema_check_unique(struct schema_run *run, const struct schema_node *node,
                         const struct json *value);

#endif

/* fhir/path_node.h: a compiled FHIRPath expression: a tree of parts; inside fhir/ only.
 * Owns:    nodes live in the program's arena.
 * Errors:  as path.h.
 * Threads: as path.h; the caches of steps are atomic words that any thread may refill.
 * Limits:  as path.h; PATH_ARGS_MAX.                                                  */
#ifndef MEDULLA_FHIR_PATH_NODE_H
#define MEDULLA_FHIR_PATH_NODE_H

#include "fhir/model.h"
#include "fhir/path.h"

#include <stdatomic.h>

#define PATH_ARGS_MAX 16

enum path_op {
  PATH_EMPTY,    /* {} */
  PATH_LITERAL,  /* value */
  PATH_THIS,     /* $this */
  PATH_INDEX,    /* $index */
  PATH_TOTAL,    /* $total */
  PATH_VARIABLE, /* %name */
  PATH_STEPS,    /* a chain of member names */
  PATH_CALL,     /* input.function(args) */
  PATH_ITEM,     /* input[args[0]] */
  PATH_NEGATE,
  PATH_PLUS_SIGN,
  /* binary: args[0], args[1] */
  PATH_MULTIPLY,
  PATH_DIVIDE,
  PATH_DIV,
  PATH_MOD,
  PATH_ADD,
  PATH_SUBTRACT,
  PATH_CONCATENATE,
  PATH_UNION,
  PATH_LESS,
  PATH_LESS_EQUAL,
  PATH_GREATER,
  PATH_GREATER_EQUAL,
  PATH_EQUAL,
  PATH_NOT_EQUAL,
  PATH_EQUIVALENT,
  PATH_NOT_EQUIVALENT,
  PATH_IN,
  PATH_CONTAINS,
  PATH_AND,
  PATH_OR,
  PATH_XOR,
  PATH_IMPLIES,
  PATH_IS, /* args[0] is type */
  PATH_AS
};

/* A type as an expression names it. */
struct path_type {
  bool fhir;     /* a FHIR type may match: `type` */
  bool system;   /* a System type may match: `kind` */
  uint16_t type; /* or FHIR_NONE: matches nothing */
  uint8_t kind;
};

struct path_step {
  struct bytes name;
  uint16_t type; /* the type of this name, as in "Patient.name", or FHIR_NONE */
  /* What the model said last: the asking type, and the member found (see path_step.c). */
  _Atomic uint64_t cache;
};

struct path_node;
struct path_scope;

/* The input stands on the stack from `base` to the top; the result takes its place. */
typedef bool path_function(struct fhir_path_machine *m, const struct path_node *call,
                           const struct path_scope *scope, size_t base, struct err *err);

enum {                     /* flags of a function */
       PATH_PER_ITEM = 1,  /* its arguments see each item as $this */
       PATH_TYPE_ARG = 2,  /* its argument is a type */
       PATH_SORT_ARGS = 4, /* a minus before an argument turns the order */
       PATH_UNORDERED = 8, /* the order of its result is not defined */
       PATH_NEEDS_ORDER = 16,
       PATH_DEFINES = 32 /* what it defines goes on to what follows */
};

struct path_entry {
  const char *name;
  path_function *run;
  uint8_t args_min, args_max, flags;
};

struct path_regex;

struct path_node {
  uint8_t op; /* enum path_op */
  uint8_t arg_count;
  bool descending; /* an argument of sort() */
  bool lenient;    /* see lenient_as */
  uint16_t depth;
  uint32_t at;                   /* offset in the text */
  const struct path_node *input; /* NULL: $this */
  const struct path_node *const *args;
  union {
    struct fhir_path_value value;
    struct bytes name;
    struct {
      struct path_step *at;
      uint32_t count;
    } steps;
    struct {
      const struct path_entry *entry;
      const struct path_regex *regex; /* compiled, when the pattern is a literal */
    } call;
  };
  struct path_type type; /* of IS, AS and functions that take a type */
};

struct fhir_path {
  const struct path_node *root;
  struct bytes text;
};

/* path_parse.c */
bool path_parse(struct arena *arena, struct bytes text, const struct fhir_path_options *options,
                const struct path_node **ret_root, struct err *err) MUST_CHECK;
/* path_table.c */
const struct path_entry *path_entry_find(struct bytes name);
const char *path_entry_nearest(struct bytes name);
/* path_type.c */
bool path_type_resolve(struct bytes space, struct bytes name, struct path_type *ret_type);
bool path_type_matches(const struct path_type *type, const struct fhir_path_value *value);
struct bytes path_kind_name(enum fhir_path_kind kind); /* "Boolean" */
enum fhir_path_kind path_system_kind(uint16_t type);   /* FHIR_PATH_ELEMENT: none */
/* path_check.c */
bool path_check(const struct path_node *root, struct bytes text, uint16_t type,
                struct err *err) MUST_CHECK;

/* path_regex.c */
/* flags: of 'i' (letters of either case) and 'm' (lines). whole: nothing may be left over. */
bool path_regex_compile(struct arena *arena, struct bytes pattern, struct bytes flags, bool whole,
                        const struct path_regex **ret_regex, struct err *err) MUST_CHECK;
bool path_regex_match(const struct path_regex *regex, struct bytes text, bool *ret_match,
                      struct err *err) MUST_CHECK;
bool path_regex_replace(struct arena *arena, const struct path_regex *regex, struct bytes text,
                        struct bytes with, struct bytes *ret_text, struct err *err) MUST_CHECK;

#endif

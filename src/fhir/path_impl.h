/* fhir/path_impl.h: the machine that runs FHIRPath programs, as its parts see it; fhir/ only.
 * Owns:    the stack and the arena of one machine.
 * Errors:  as path.h.
 * Threads: as path.h.
 * Limits:  as path.h.                                                                         */
#ifndef MEDULLA_FHIR_PATH_IMPL_H
#define MEDULLA_FHIR_PATH_IMPL_H

#include "fhir/path_node.h"

struct path_scope {
  const struct fhir_path_value *focus; /* $this */
  size_t focus_count;
  int64_t index;                       /* $index, or -1 */
  const struct fhir_path_value *total; /* $total, or NULL outside aggregate() */
  size_t total_count;
};

struct path_defined {
  struct bytes name;
  const struct fhir_path_value *values;
  size_t count;
};

struct fhir_path_machine {
  struct fhir_path_value *stack;
  size_t top, values_max;
  uint64_t steps, steps_max; /* what is left; what there is */
  struct arena arena;
  const struct fhir_path_env *env;
  const struct fhir_path_value *context;
  struct path_defined defined[FHIR_PATH_VARIABLES_MAX]; /* by defineVariable() */
  size_t defined_count;
  const struct path_node *node; /* being evaluated, for errors */
};

/* path_eval.c */
bool path_eval(struct fhir_path_machine *m, const struct path_node *node,
               const struct path_scope *scope, struct err *err) MUST_CHECK;
bool path_push(struct fhir_path_machine *m, const struct fhir_path_value *value,
               struct err *err) MUST_CHECK;
bool path_spend(struct fhir_path_machine *m, uint64_t steps, struct err *err) MUST_CHECK;
/* What is above `from` moves down to `base`. */
void path_keep(struct fhir_path_machine *m, size_t base, size_t from);
/* Replaces everything from base. */
bool path_return(struct fhir_path_machine *m, size_t base, const struct fhir_path_value *value,
                 struct err *err) MUST_CHECK;
bool path_return_bool(struct fhir_path_machine *m, size_t base, bool value,
                      struct err *err) MUST_CHECK;
bool path_return_int(struct fhir_path_machine *m, size_t base, int64_t value,
                     struct err *err) MUST_CHECK;
bool path_return_text(struct fhir_path_machine *m, size_t base, struct bytes text,
                      struct err *err) MUST_CHECK;
#define PATH_FAIL(code, ...) FAIL_AT(code, m->node ? m->node->at : 0, __VA_ARGS__)

enum path_truth { PATH_FALSE, PATH_TRUE, PATH_NEITHER };
/* The collection above base as a truth (§4.5): several items fail, one that is no boolean is true.
 * The top falls back to base. */
bool path_take_truth(struct fhir_path_machine *m, size_t base, enum path_truth *ret_truth,
                     struct err *err) MUST_CHECK;
/* Evaluate as a truth. */
bool path_truth(struct fhir_path_machine *m, const struct path_node *node,
                const struct path_scope *scope, enum path_truth *ret_truth,
                struct err *err) MUST_CHECK;
/* The one System value above base, if any; the top falls back to base. Several items fail. */
bool path_take_one(struct fhir_path_machine *m, size_t base, struct fhir_path_value *ret_value,
                   bool *ret_there, struct err *err) MUST_CHECK;
/* An argument likewise; of a certain kind, or it fails. Integer serves where Decimal is wanted. */
bool path_arg(struct fhir_path_machine *m, const struct path_node *call, size_t i,
              const struct path_scope *scope, enum fhir_path_kind kind,
              struct fhir_path_value *ret_value, bool *ret_there, struct err *err) MUST_CHECK;

/* path_step.c */
bool path_walk(struct fhir_path_machine *m, const struct path_node *node,
               const struct path_scope *scope, struct err *err) MUST_CHECK;
bool path_child(struct fhir_path_machine *m, const struct fhir_path_value *value,
                struct path_step *step, struct err *err) MUST_CHECK;
bool path_children(struct fhir_path_machine *m, const struct fhir_path_value *value,
                   struct err *err) MUST_CHECK;

/* path_compare.c */
bool path_equal(struct fhir_path_machine *m, const struct fhir_path_value *a,
                const struct fhir_path_value *b, enum path_truth *ret_truth,
                struct err *err) MUST_CHECK;
bool path_equivalent(struct fhir_path_machine *m, const struct fhir_path_value *a,
                     const struct fhir_path_value *b, bool *ret_same, struct err *err) MUST_CHECK;
/* fails for values of different kinds */
bool path_order(struct fhir_path_machine *m, const struct fhir_path_value *a,
                const struct fhir_path_value *b, enum fhir_order *ret_order,
                struct err *err) MUST_CHECK;
/* Is an equal one among them? */
bool path_among(struct fhir_path_machine *m, const struct fhir_path_value *value,
                const struct fhir_path_value *many, size_t count, bool *ret_found,
                struct err *err) MUST_CHECK;
bool path_decimal_of(const struct fhir_path_value *value, struct fhir_decimal *ret_decimal);
/* path_quantity.c */
bool path_quantity_order(const struct fhir_path_quantity *a, const struct fhir_path_quantity *b,
                         enum fhir_order *ret_order); /* false: not comparable */
bool path_quantity_equivalent(const struct fhir_path_quantity *a,
                              const struct fhir_path_quantity *b);
/* b's value in the unit of a */
bool path_quantity_convert(const struct fhir_path_quantity *b, const struct fhir_path_quantity *a,
                           struct fhir_decimal *ret_value);
bool path_quantity_comparable(const struct fhir_path_quantity *a,
                              const struct fhir_path_quantity *b);
bool path_unit_of_time(const struct fhir_path_quantity *quantity, enum fhir_unit_of_time *ret_unit,
                       bool *ret_definite); /* UCUM's mo and a, which no calendar knows */
/* "4 days", "4.5 'mg'", "4.5" */
bool path_quantity_parse(struct bytes text, struct fhir_path_quantity *ret_quantity);
bool path_calendar_word(struct bytes word, struct bytes *ret_singular);
void path_quantity_write(struct buf *buf, const struct fhir_path_quantity *quantity);
bool path_quantity_multiply(struct arena *arena, const struct fhir_path_quantity *a,
                            const struct fhir_path_quantity *b, bool divide,
                            struct fhir_path_quantity *ret_quantity);
/* path_math.c */
bool path_calculate(struct fhir_path_machine *m, size_t base, enum path_op op,
                    const struct fhir_path_value *a, const struct fhir_path_value *b,
                    struct err *err) MUST_CHECK;
bool path_negate(struct fhir_path_machine *m, size_t base, struct err *err) MUST_CHECK;
/* path_binary.c */
bool path_binary(struct fhir_path_machine *m, const struct path_node *node,
                 const struct path_scope *scope, struct err *err) MUST_CHECK;
/* and, or, xor, implies */
bool path_logic(struct fhir_path_machine *m, const struct path_node *node,
                const struct path_scope *scope, enum path_truth *ret_truth,
                struct err *err) MUST_CHECK;
/* Each value above base once. */
bool path_union(struct fhir_path_machine *m, size_t base, struct err *err) MUST_CHECK;
/* path_fn_type.c */
bool path_is(struct fhir_path_machine *m, const struct path_node *node, size_t base,
             struct err *err) MUST_CHECK;
bool path_as(struct fhir_path_machine *m, const struct path_node *node, size_t base,
             struct err *err) MUST_CHECK;
/* path_value.c */
bool path_text_of(struct arena *arena, const struct fhir_path_value *value,
                  struct bytes *ret_text); /* as toString() writes it */
#endif

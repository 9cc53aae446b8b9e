/* fhir/path_fn.h: what the files of functions share.
 * Owns:    nothing.
 * Errors:  as path.h.
 * Threads: as path.h.                              */
#ifndef MEDULLA_FHIR_PATH_FN_H
#define MEDULLA_FHIR_PATH_FN_H

#include "fhir/path_impl.h"

#define FUNCTION(name, args_min, args_max, flags) path_function path_fn_##name;
#include "fhir/path.tbl.h"
#undef FUNCTION

/* The head every function has. */
#define PATH_FN(name) \
  bool path_fn_##name(struct fhir_path_machine *m, const struct path_node *call, \
                      const struct path_scope *scope, size_t base, struct err *err)

/* The scope in which an argument sees the item. */
struct path_scope path_item_scope(const struct path_scope *outer,
                                  const struct fhir_path_value *item, size_t index);
/* Evaluate an argument for the item; its collection comes on top. */
bool path_per_item(struct fhir_path_machine *m, const struct path_node *argument,
                   const struct path_scope *outer, size_t at, size_t index,
                   struct err *err) MUST_CHECK;
bool path_per_item_truth(struct fhir_path_machine *m, const struct path_node *argument,
                         const struct path_scope *outer, size_t at, size_t index,
                         enum path_truth *ret_truth, struct err *err) MUST_CHECK;
/* The input as one System value of a kind; false in ret_there when it is empty. */
bool path_input(struct fhir_path_machine *m, size_t base, enum fhir_path_kind kind,
                struct fhir_path_value *ret_value, bool *ret_there, struct err *err) MUST_CHECK;

#endif

/* fhir/validate.h: does a resource keep to the R4 base definitions? Every problem at once.
 * Owns:    a validator owns the compiled invariants and the room they run in.
 * Errors:  none; problems of the resource are issues (outcome.h). No value of the resource stands
 *          in their texts.
 * Threads: one validator, one thread.
 * Limits:  FHIR_ISSUES_MAX; the depth of JSON; the step limit of FHIRPath for each invariant.
 * Source:  FHIR R4 §2.1 (validation), json.html, references.html, bundle.html, narrative.html.   */
#ifndef MEDULLA_FHIR_VALIDATE_H
#define MEDULLA_FHIR_VALIDATE_H

#include "fhir/model.h"
#include "fhir/outcome.h"

struct fhir_validator;

struct fhir_validate_options {
  const struct fhir_type *type; /* Optional: the resource must be of this type. */
  bool errors_only;             /* leave out what gives warnings alone */
};

struct fhir_validator *fhir_validator_new(void);
void fhir_validator_free(struct fhir_validator **validator_take);
/* `options` may be NULL. */
void fhir_validate(struct fhir_validator *validator, const struct json *resource,
                   const struct fhir_validate_options *options, struct fhir_issues *issues);

#endif

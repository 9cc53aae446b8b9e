/* fhir/validate_impl.h: what the parts of validation share; nobody outside includes it.
 * Owns:    places live on the stack of the walk, the rest in the issues' arena.
 * Errors:  as validate.h.
 * Threads: as validate.h.                                                                 */
#ifndef MEDULLA_FHIR_VALIDATE_IMPL_H
#define MEDULLA_FHIR_VALIDATE_IMPL_H

#include "fhir/terms.h"
#include "fhir/validate.h"

#define PLACE_SINGLE SIZE_MAX /* not an item of an array */

/* Where the walk is: made into a FHIRPath expression only when something is wrong there. */
struct place {
  const struct place *up;
  struct bytes name;
  size_t index;
  uint64_t offset;
};

/* A value in hand: its JSON (NULL or null when only extensions stand there), the "_name" beside a
 * primitive, its type. */
struct item {
  const struct json *node, *side;
  const struct fhir_type *type;
  const struct fhir_element *element;       /* NULL for a whole resource */
  const struct fhir_element_type *declared; /* which of the element's types */
};

/* An entry of a bundle, to resolve references by. */
struct entry {
  struct bytes full_url;
  const struct json *resource;
  size_t index;
};

/* "#id", wherever it stands in a resource: dom-3. */
struct local {
  struct bytes id;              /* without '#'; empty: the container */
  const struct json *contained; /* in which it stands, or NULL */
  struct local *next;
};

struct walk {
  struct fhir_validator *validator;
  const struct fhir_validate_options *options;
  struct fhir_issues *issues;
  const struct json *resource;  /* the innermost: %resource */
  const struct json *container; /* which is not contained: %rootResource */
  const struct json *contained; /* the contained one we are in, or NULL */
  struct local *locals;
  const struct entry *entries; /* by full_url */
  size_t entry_count;
};

#define WALK_OFFSET(node) ((node) ? (uint64_t)(node)->offset : ERR_OFFSET_NONE)

/* validate.c */
void walk_problem(struct walk *w, const struct place *place, enum fhir_severity severity,
                  enum fhir_issue_type type, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void walk_resource(struct walk *w, const struct place *place, const struct json *node);
/* validate_code.c: required bindings of code, Coding, CodeableConcept, Quantity and strings. */
void walk_binding(struct walk *w, const struct place *place, const struct item *item);
/* validate_special.c: References, Attachments, systems. */
void walk_special(struct walk *w, const struct place *place, const struct item *item);
/* validate_reference.c */
void walk_reference(struct walk *w, const struct place *place, const struct item *item);
void walk_local(struct walk *w, struct bytes text); /* a URI that may point inside */
/* What a reference names, contained or in the bundle, or NULL. */
const struct json *walk_find(const struct walk *w, struct bytes reference);
/* validate_bundle.c */
void walk_bundle_open(struct walk *w, const struct json *bundle);
void walk_bundle(struct walk *w, const struct place *place, const struct json *bundle);
void walk_contained(struct walk *w, const struct place *place);
/* validate_rule.c */
struct rules;
struct rules *rules_new(void);
void rules_free(struct rules **rules_take);
struct rules *validator_rules(struct fhir_validator *validator);
void walk_rules(struct walk *w, const struct place *place, const struct item *item);
/* validate_narrative.c: what is wrong with an xhtml div, or NULL. */
const char *narrative_problem(struct bytes xhtml);

#endif

/* fhir/terms.h: the code systems and value sets of the FHIR R4 definitions as constant tables.
 * Owns:    nothing; constant.
 * Errors:  none; what is not known is UNKNOWN, never NO.
 * Threads: pure; any thread. Nothing allocates.
 * Limits:  systems outside of the definitions (LOINC, SNOMED CT) have the concepts that value sets
 *          list; UCUM, languages and media types are known by their form.
 * Source:  FHIR R4 ValueSet and CodeSystem; ISO 4217; BCP 13; BCP 47.                           */
#ifndef MEDULLA_FHIR_TERMS_H
#define MEDULLA_FHIR_TERMS_H

#include "fhir/model.h"

enum fhir_answer { FHIR_ANSWER_NO, FHIR_ANSWER_YES, FHIR_ANSWER_UNKNOWN };

/* A grammar instead of a list. */
enum fhir_syntax { FHIR_SYNTAX_NONE, FHIR_SYNTAX_MIME, FHIR_SYNTAX_LANGUAGE, FHIR_SYNTAX_UCUM };

struct fhir_concept {
  struct fhir_text code, display; /* in a pool of their own: fhir_concept_code, _display */
  uint16_t system;
  uint16_t parent; /* a concept, or FHIR_NONE */
};

struct fhir_system {
  struct fhir_text url;
  uint32_t slot_first;
  uint16_t slot_mask;
  uint16_t concept_first, concept_count; /* fhir_concept_at */
  uint16_t open;                         /* it has concepts that are not here */
};

struct fhir_range {
  uint16_t first, count; /* of concepts */
};

struct fhir_value_set {
  struct fhir_text url;
  uint16_t range_first, range_count;
  uint16_t system_first, system_count;
  uint16_t concept_count;
  uint8_t open;   /* it takes in what is not here */
  uint8_t syntax; /* enum fhir_syntax: it takes in all that has this form */
};

const struct fhir_value_set *fhir_value_set_at(size_t index);       /* < FHIR_VALUE_SETS */
const struct fhir_value_set *fhir_value_set_find(struct bytes url); /* "|version" is dropped */
/* Does the set hold the code, whatever its system? For elements of type code. */
enum fhir_answer fhir_value_set_has_code(const struct fhir_value_set *set, struct bytes code);
enum fhir_answer fhir_value_set_has(const struct fhir_value_set *set, struct bytes system,
                                    struct bytes code);
/* The i-th of its known concepts, i < concept_count; NULL beyond. */
const struct fhir_concept *fhir_value_set_concept(const struct fhir_value_set *set, size_t i);

const struct fhir_system *fhir_system_at(size_t index);       /* < FHIR_SYSTEMS */
const struct fhir_system *fhir_system_find(struct bytes url); /* "|version" is dropped */
const struct fhir_concept *fhir_concept_at(size_t index);     /* < FHIR_CONCEPTS */
const struct fhir_concept *fhir_concept_find(const struct fhir_system *system, struct bytes code);
struct bytes fhir_concept_code(const struct fhir_concept *concept);
struct bytes fhir_concept_display(const struct fhir_concept *concept); /* empty: none */

#endif

/* fhir/tables.h: the compiled definitions as they lie in memory; read through fhir/model.h.
 * Owns:    nothing; constant.
 * Threads: any.                                                                          */
#ifndef MEDULLA_FHIR_TABLES_H
#define MEDULLA_FHIR_TABLES_H

#include "fhir/model.h"
#include "fhir/terms.h"

extern const char fhir_texts[];
extern const struct fhir_type fhir_types[];
extern const struct fhir_element fhir_elements[];
extern const struct fhir_element_type fhir_element_types[];
extern const struct fhir_member fhir_members[];
extern const struct fhir_rule fhir_rules[];
extern const struct fhir_parameter fhir_parameters[];
extern const struct fhir_component fhir_components[];
extern const struct fhir_value_set fhir_value_sets[];
extern const struct fhir_range fhir_ranges[];
extern const struct fhir_system fhir_systems[];
extern const struct fhir_concept fhir_concepts[];
extern const char fhir_terms[];
/* Hash slots: an index + 1, or 0 for none. */
extern const uint16_t fhir_member_slots[];
extern const uint16_t fhir_type_slots[FHIR_TYPE_SLOTS];
extern const uint16_t fhir_concept_slots[];
extern const uint16_t fhir_system_slots[FHIR_SYSTEM_SLOTS];
extern const uint16_t fhir_value_set_slots[FHIR_VALUE_SET_SLOTS];
/* Lists of indices. */
extern const uint16_t fhir_targets[];
extern const uint16_t fhir_rule_lists[];
extern const uint16_t fhir_parameter_targets[];
extern const uint16_t fhir_compartments[];
extern const uint16_t fhir_set_systems[];

#endif

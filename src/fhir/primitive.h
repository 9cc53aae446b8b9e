/* fhir/primitive.h: does a JSON value have the form of its FHIR primitive type?
 * Owns:    nothing.
 * Errors:  the answer is what is wrong, as a sentence without the value itself.
 * Threads: pure; any thread.
 * Limits:  FHIR_STRING_BYTES_MAX.
 * Source:  FHIR R4 datatypes, the regular expressions of the primitive types.  */
#ifndef MEDULLA_FHIR_PRIMITIVE_H
#define MEDULLA_FHIR_PRIMITIVE_H

#include "fhir/model.h"
#include "wire/json.h"

#define FHIR_STRING_BYTES_MAX (1u << 20)

/* type < FHIR_PRIMITIVES. NULL when the value is right. Dates must exist. */
const char *fhir_primitive_problem(uint16_t type, const struct json *value);

bool fhir_is_id(struct bytes text);
bool fhir_is_date(struct bytes text);
bool fhir_is_date_time(struct bytes text);
bool fhir_is_instant(struct bytes text);
bool fhir_is_time(struct bytes text);

#endif

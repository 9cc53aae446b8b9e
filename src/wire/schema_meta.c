/* wire/schema_meta.c: the rules of draft 2020-12 for schemas, written as one schema, so that a
 * $ref to the metaschema works without fetching it. */
#include "wire/schema_inner.h"

const char schema_meta_uri[] = "https://json-schema.org/draft/2020-12/schema";

#define SELF "{\"$dynamicRef\":\"#meta\"}"
#define SELF_LIST "{\"type\":\"array\",\"minItems\":1,\"items\":" SELF "}"
#define SELF_MAP "{\"type\":\"object\",\"additionalProperties\":" SELF "}"
#define COUNT "{\"type\":\"integer\",\"minimum\":0}"
#define NUMBER "{\"type\":\"number\"}"
#define TEXT "{\"type\":\"string\"}"
#define NAMES "{\"type\":\"array\",\"items\":" TEXT ",\"uniqueItems\":true}"
#define ANCHOR "{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][-A-Za-z0-9._]*$\"}"
#define REFERENCE "{\"type\":\"string\",\"format\":\"uri-reference\"}"
#define TYPE \
  "{\"enum\":[\"null\",\"boolean\",\"integer\",\"number\",\"string\",\"array\",\"object\"]}"
#define FLAG "{\"type\":\"boolean\"}"

const char schema_meta_text[] =
    "{\"$id\":\"https://json-schema.org/draft/2020-12/schema\",\"$dynamicAnchor\":\"meta\","
    "\"type\":[\"object\",\"boolean\"],\"properties\":{"
    "\"$id\":{\"type\":\"string\",\"format\":\"uri-reference\",\"pattern\":\"^[^#]*#?$\"},"
    "\"$schema\":{\"type\":\"string\",\"format\":\"uri\"},\"$ref\":" REFERENCE
    ",\"$dynamicRef\":" REFERENCE ",\"$anchor\":" ANCHOR ",\"$dynamicAnchor\":" ANCHOR
    ",\"$vocabulary\":{\"type\":\"object\",\"additionalProperties\":" FLAG "},\"$comment\":" TEXT
    ",\"$defs\":" SELF_MAP ",\"allOf\":" SELF_LIST ",\"anyOf\":" SELF_LIST ",\"oneOf\":" SELF_LIST
    ",\"not\":" SELF ",\"if\":" SELF ",\"then\":" SELF ",\"else\":" SELF
    ",\"dependentSchemas\":" SELF_MAP ",\"prefixItems\":" SELF_LIST ",\"items\":" SELF
    ",\"contains\":" SELF ",\"properties\":" SELF_MAP
    ",\"patternProperties\":{\"type\":\"object\",\"additionalProperties\":" SELF
    ",\"propertyNames\":{\"format\":\"regex\"}},\"additionalProperties\":" SELF
    ",\"propertyNames\":" SELF ",\"unevaluatedItems\":" SELF ",\"unevaluatedProperties\":" SELF
    ",\"type\":{\"anyOf\":[" TYPE ",{\"type\":\"array\",\"items\":" TYPE
    ",\"minItems\":1,\"uniqueItems\":true}]},\"const\":true,"
    "\"enum\":{\"type\":\"array\"},\"multipleOf\":{\"type\":\"number\",\"exclusiveMinimum\":0},"
    "\"maximum\":" NUMBER ",\"exclusiveMaximum\":" NUMBER ",\"minimum\":" NUMBER
    ",\"exclusiveMinimum\":" NUMBER ",\"maxLength\":" COUNT ",\"minLength\":" COUNT
    ",\"pattern\":{\"type\":\"string\",\"format\":\"regex\"},\"maxItems\":" COUNT
    ",\"minItems\":" COUNT ",\"uniqueItems\":" FLAG ",\"maxContains\":" COUNT
    ",\"minContains\":" COUNT ",\"maxProperties\":" COUNT ",\"minProperties\":" COUNT
    ",\"required\":" NAMES
    ",\"dependentRequired\":{\"type\":\"object\",\"additionalProperties\":" NAMES
    "},\"format\":" TEXT ",\"title\":" TEXT ",\"description\":" TEXT ",\"default\":true,"
    "\"deprecated\":" FLAG ",\"readOnly\":" FLAG ",\"writeOnly\":" FLAG
    ",\"examples\":{\"type\":\"array\"},\"contentEncoding\":" TEXT ",\"contentMediaType\":" TEXT
    ",\"contentSchema\":" SELF "}}";

bool schema_meta_root(struct schema_compiler *c, const struct json **ret_root, struct err *err) {
  return json_parse(c->arena, bytes_str(schema_meta_text), ret_root, err);
}

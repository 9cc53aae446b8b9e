/* wire/yaml.h: one YAML document to the same tree as JSON, with places for messages to people.
 * Owns:    nodes live in the caller's arena and point into the input, which must live as long.
 * Units:   bytes; lines and columns count from 1, columns in code points.
 * Errors:  MALFORMED with byte offset and "line L, column C: what"; LIMIT.
 * Threads: pure; any thread.
 * Limits:  YAML_BYTES_MAX of input, YAML_DEPTH_MAX levels, the arena's bytes_max. Refused: aliases
 *          and anchors, tags, several documents, keys that are not scalars, duplicate keys, and
 *          numbers JSON would write otherwise (007, 0x1F, .5): quoted they are strings.
 * Source:  YAML 1.2.2 §10.3 (core schema). Keys are always strings, so `on:` is one.            */
#ifndef MEDULLA_WIRE_YAML_H
#define MEDULLA_WIRE_YAML_H

#include "wire/json.h"

#define YAML_BYTES_MAX (1u << 20)
#define YAML_DEPTH_MAX 64

struct yaml_place {
  uint32_t line, column;
};

/* Each node's `offset` is that of its value in the input; `text` of a list or map is its source. */
bool yaml_parse(struct arena *arena, struct bytes input, const struct json **ret_value,
                struct err *err) MUST_CHECK;
/* Where in the input a byte stands; past the end is the end. */
struct yaml_place yaml_place(struct bytes input, size_t offset);
/* Offset of a member's key; of its value when the key was written with escapes. */
size_t yaml_name_offset(struct bytes input, const struct json *member);

#endif

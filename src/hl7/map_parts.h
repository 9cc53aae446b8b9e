/* hl7/map_parts.h: what the files of the mapping share; see map.h.
 * Owns:    all lives in the message's arena.
 * Errors:  none here: the arena's overflow is sticky and checked at the end.
 * Threads: one at a time.
 * Limits:  MAP_FIELDS_MAX fields of a segment, MAP_PARTS_MAX components of a field.  */
#ifndef MEDULLA_HL7_MAP_PARTS_H
#define MEDULLA_HL7_MAP_PARTS_H

#include "base/digest.h"
#include "base/id.h"
#include "hl7/map.h"
#include "hl7/structure.h"
#include "hl7/tree.h"

#define MAP_FIELDS_MAX 96
#define MAP_PARTS_MAX 30
#define MAP_BUCKETS 256
#define MAP_TIME_BYTES 40
#define SELF 255

/* ---- vocabularies (vocab.c) ---- */
enum vocab {
  VOCAB__,
#define VOCAB(name, table) VOCAB_##name,
#define TO(system)
#define CODE(v2, fhir)
#define NAMED(v2, fhir, display)
#define END
#include "hl7/vocab.tbl"
#undef VOCAB
#undef TO
#undef CODE
#undef NAMED
#undef END
  VOCAB_COUNT
};
struct vocab_code {
  const char *v2, *fhir, *display, *system; /* system: NULL for a FHIR enumeration */
};
/* False when the code has no counterpart. */
bool vocab_find(enum vocab vocab, struct bytes code, struct vocab_code *ret_code);
const char *vocab_table(enum vocab vocab); /* "0002"; NULL when it is none of HL7's */
/* "LN" → http://loinc.org, "HL70002" → the v2 table's URI; empty when unknown. */
struct bytes vocab_system(struct arena *arena, struct bytes word);

/* ---- rules ---- */
enum resource_type {
  RESOURCE_NONE,
#define RESOURCE(name, ...) RESOURCE_##name,
#include "hl7/resource.tbl.h"
#undef RESOURCE
  RESOURCE_COUNT
};

enum conv {
  CONV_PARAM,
  CONV_CONST,
  CONV_LITERAL,
#define CONVERT(name) CONV_##name,
#include "hl7/convert.tbl.h"
#undef CONVERT
  CONV_TABLES,
#define TABLE(name) CONV_##name,
#define RULE(...)
#define PARAM(...)
#define CONST(...)
#define LITERAL(...)
#define REFER(...)
#define END
#include "hl7/map_datatype.tbl"
#include "hl7/map_segment.tbl"
#undef TABLE
#undef RULE
#undef PARAM
#undef CONST
#undef LITERAL
#undef REFER
#undef END
  CONV_COUNT
};

struct rule {
  uint8_t source, conv, vocab, resource;
  const char *place, *when, *text;
};

/* ---- values ---- */
enum level { LEVEL_SEGMENT, LEVEL_FIELD, LEVEL_COMPONENT, LEVEL_LEAF };
struct value {
  struct bytes raw;
  enum level level;
};

struct resource {
  enum resource_type type;
  struct tree *tree;
  struct resource *next, *same_bucket;
  struct bytes key; /* what makes it itself; empty: the message and its place in it */
  uint64_t hash;    /* supporting resources: of their text */
  struct bytes raw;
  uint8_t conv;
  bool update; /* an existing one is overwritten */
  char id[ID_TEXT_BYTES];
  struct bytes identifier; /* "system|value", escaped for a URL; empty: known by its id */
};

struct map {
  struct arena *arena;
  struct hl7_message *message;
  const struct hl7_map_options *options;
  const struct hl7_segment *segment, *orc;
  uint32_t number; /* the segment's, from 1 */
  struct value fields[MAP_FIELDS_MAX];
  uint32_t field_count;
  uint32_t used[MAP_FIELDS_MAX]; /* bit 0: all of it; bit n: component n */
  uint8_t first_only[MAP_FIELDS_MAX], all[MAP_FIELDS_MAX]; /* how repetitions were taken */
  uint32_t field;                                          /* which field is being mapped */
  const char *param;
  bool has_source;
  struct resource *resources, *last;
  struct resource *buckets[MAP_BUCKETS];
  uint32_t resource_count;
  struct hl7_left *left, *left_last;
  uint32_t left_count;
  uint8_t digest[SHA256_BYTES];
};

/* map_engine.c */
struct value value_part(const struct map *m, struct value v, uint32_t nth);
struct bytes value_leaf(const struct map *m, struct value v);
struct bytes value_text(struct map *m, struct value v); /* decoded and trimmed */
void map_mark(struct map *m, enum level level, uint32_t nth);
void map_mark_all(struct map *m);
void map_run(struct map *m, enum conv table, struct value v, struct tree *into);
bool map_holds(struct map *m, const char *when, struct value v);
void map_segment_open(struct map *m, uint32_t index);
void map_segment_close(struct map *m);
struct tree *map_string(struct map *m, struct bytes text);
struct tree *map_str(struct map *m, const char *text);
void map_left(struct map *m, uint32_t field, uint32_t repetition, uint32_t component);

/* map_convert.c, map_place.c: NULL when nothing comes of it */
typedef struct tree *convert(struct map *m, const struct rule *rule, struct value v);
#define CONVERT(name) convert convert_##name;
#include "hl7/convert.tbl.h"
#undef CONVERT
bool map_time(struct map *m, struct bytes leaf, struct hl7_time *ret_time);

/* map_resource.c */
struct resource *resource_new(struct map *m, enum resource_type type);
/* The same supporting resource for the same text, made by its table when it is new. */
struct resource *resource_support(struct map *m, enum resource_type type, enum conv conv,
                                  struct value v);
struct tree *resource_reference(struct map *m, const struct resource *resource);
void resource_names(struct map *m); /* ids and conditions, at the end */
const char *resource_word(enum resource_type type);

#endif

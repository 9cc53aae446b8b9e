/* hl7/map_place.c: places (PL, NDL, DLD) and what was observed (OBX-5 by OBX-2). */
#include "hl7/map_parts.h"

#include "wire/codec.h"

#include <string.h>

/* ---- Places: each level is a Location, part of the one around it ---- */

struct place_level {
  uint8_t part;
  const char *code, *display;
};
/* From the outside in (PL's components). */
static const struct place_level pl_levels[] = {{4, "si", "Site"},
                                               {7,
                                                "b"
                                                "u",
                                                "Building"},
                                               {8, "lvl", "Level"},
                                               {1, NULL, NULL},
                                               {2, "ro", "Room"},
                                               {3, "bd", "Bed"}};
static const struct place_level ndl_levels[] = {{7, "si", "Site"},
                                                {10,
                                                 "b"
                                                 "u",
                                                 "Building"},
                                                {11, "lvl", "Level"},
                                                {4, NULL, NULL},
                                                {5, "ro", "Room"},
                                                {6, "bd", "Bed"}};

static struct bytes so_far(struct map *m, struct value v, const struct place_level *levels,
                           size_t count) {
  struct buf buf;
  buf_init(&buf, v.raw.len + 64);
  for (size_t i = 0; i < count; i++) {
    buf_put(&buf, value_part(m, v, levels[i].part).raw);
    buf_char(&buf, '/');
  }
  struct bytes key = arena_copy(m->arena, buf_bytes(&buf));
  buf_fini(&buf);
  return key;
}

static struct resource *location_new(struct map *m, struct value part,
                                     const struct place_level *level,
                                     const struct resource *around) {
  struct resource *r = resource_new(m, RESOURCE_Location);
  if (!r) return NULL;
  map_run(m, CONV_HD, part, r->tree);
  tree_put(m->arena, r->tree, "mode", map_str(m, "instance"));
  if (level->code) {
    tree_put(m->arena, r->tree, "physicalType.coding+.system",
             map_str(m, "http://terminology.hl7.org/CodeSystem/location-physical-type"));
    tree_put(m->arena, r->tree, "physicalType.coding*.code", map_str(m, level->code));
    tree_put(m->arena, r->tree, "physicalType.coding*.display", map_str(m, level->display));
  }
  if (around) tree_put(m->arena, r->tree, "partOf", resource_reference(m, around));
  return r;
}

static struct resource *known_place(struct map *m, struct bytes key) {
  for (struct resource *r = m->buckets[bytes_hash(key, 0) % MAP_BUCKETS]; r; r = r->same_bucket) {
    if (r->type == RESOURCE_Location && bytes_eq(r->key, key)) return r;
  }
  return NULL;
}

static struct resource *places(struct map *m, struct value v, const struct place_level *levels,
                               size_t count) {
  struct resource *inner = NULL;
  for (size_t i = 0; i < count; i++) {
    struct value part = value_part(m, v, levels[i].part);
    if (!value_text(m, part).len && !value_text(m, value_part(m, part, 2)).len) continue;
    map_mark(m, v.level, levels[i].part);
    struct bytes key = so_far(m, v, levels, i + 1);
    struct resource *known = known_place(m, key);
    if (!known) {
      known = location_new(m, part, &levels[i], inner);
      if (!known) return inner;
      struct resource **bucket = &m->buckets[bytes_hash(key, 0) % MAP_BUCKETS];
      known->key = key;
      known->same_bucket = *bucket;
      *bucket = known;
    }
    inner = known;
  }
  return inner;
}

/* PL.5, PL.9 and PL.10 are about the innermost. */
static void place_details(struct map *m, struct value v, struct resource *inner) {
  struct bytes status = value_text(m, value_part(m, v, 5));
  static const char *const known[] = {"active", "suspended", "inactive"};
  for (size_t i = 0; i < 3; i++) {
    if (!bytes_eq_str(status, known[i])) continue;
    tree_put(m->arena, inner->tree, "status", map_str(m, known[i]));
    map_mark(m, v.level, 5);
  }
  struct tree *description = map_string(m, value_text(m, value_part(m, v, 9)));
  if (tree_put(m->arena, inner->tree, "description", description)) map_mark(m, v.level, 9);
  struct value id = value_part(m, v, 10);
  struct bytes text = value_text(m, id);
  const struct tree *identifiers = tree_get(inner->tree, "identifier");
  bool twice = identifiers && identifiers->last && identifiers->last->text.len;
  if (!text.len || twice) return;
  struct tree *identifier = tree_new(m->arena, TREE_OBJECT);
  tree_put(m->arena, identifier, "value", map_string(m, text));
  struct value assigner = value_part(m, v, 11);
  if (value_text(m, assigner).len) {
    struct resource *who = resource_support(m, RESOURCE_Organization, CONV_HD, assigner);
    if (who) tree_put(m->arena, identifier, "assigner", resource_reference(m, who));
    map_mark(m, v.level, 11);
  }
  tree_put(m->arena, inner->tree, "identifier+", identifier);
  map_mark(m, v.level, 10);
}

struct tree *convert_Place(struct map *m, const struct rule *rule, struct value v) {
  uint32_t before = m->resource_count;
  struct resource *inner = places(m, v, pl_levels, sizeof pl_levels / sizeof *pl_levels);
  if (!inner) return NULL;
  if (m->resource_count > before) place_details(m, v, inner);
  return resource_reference(m, inner);
}

struct tree *convert_NdlPlace(struct map *m, const struct rule *rule, struct value v) {
  struct resource *inner = places(m, v, ndl_levels, sizeof ndl_levels / sizeof *ndl_levels);
  return inner ? resource_reference(m, inner) : NULL;
}

struct tree *convert_DischargeLocation(struct map *m, const struct rule *rule, struct value v) {
  struct value code = value_part(m, v, 1);
  struct rule concept = {.vocab = rule->vocab};
  struct tree *type = convert_Concept(m, &concept, code);
  struct resource *r = type ? resource_new(m, RESOURCE_Location) : NULL;
  if (!r) return NULL;
  map_mark(m, v.level, 1);
  r->key = value_text(m, code);
  tree_put(m->arena, r->tree, "type+", type);
  tree_put(m->arena, r->tree, "mode", map_str(m, "kind"));
  return resource_reference(m, r);
}

/* ---- Observed values ---- */

static void put_extension(struct map *m, struct tree *node, const char *url, struct bytes text) {
  tree_put(m->arena, node, "extension+.url", map_str(m, url));
  tree_put(m->arena, node, "extension*.valueString", map_string(m, text));
}

static struct tree *converted_part(struct map *m, convert *by, struct value v, uint32_t nth) {
  struct rule rule = {.vocab = VOCAB__};
  struct value part = nth ? value_part(m, v, nth) : v;
  return by(m, &rule, part);
}

/* SN: comparator ^ number ^ separator ^ number: ">^100", "^1^:^128", "^2^-^5". */
static void structured(struct map *m, struct value v, struct tree *into) {
  struct bytes comparator = value_text(m, value_part(m, v, 1)),
               separator = value_text(m, value_part(m, v, 3));
  struct tree *first = converted_part(m, convert_Number, v, 2),
              *second = converted_part(m, convert_Number, v, 4);
  bool equal = !comparator.len || bytes_eq_str(comparator, "=");
  bool ratio = bytes_eq_str(separator, ":") || bytes_eq_str(separator, "/");
  struct tree *node = tree_new(m->arena, TREE_OBJECT);
  if (bytes_eq_str(comparator, "<>") || (!first && !second)) {
    tree_put(m->arena, into, "valueString", map_string(m, bytes_trim(v.raw)));
    return;
  }
  if (ratio && second) {
    tree_put(m->arena, node, "numerator.value", first);
    if (!equal) tree_put(m->arena, node, "numerator.comparator", map_string(m, comparator));
    tree_put(m->arena, node, "denominator.value", second);
    tree_put(m->arena, into, "valueRatio", node);
  } else if (bytes_eq_str(separator, "-") && second) {
    tree_put(m->arena, node, "low.value", first);
    tree_put(m->arena, node, "high.value", second);
    tree_put(m->arena, into, "valueRange", node);
  } else {
    tree_put(m->arena, node, "value", first);
    if (!equal) tree_put(m->arena, node, "comparator", map_string(m, comparator));
    if (separator.len || second) {
      put_extension(m, node, "http://hl7.org/fhir/StructureDefinition/originalText",
                    arena_copy(m->arena, bytes_trim(v.raw)));
    }
    tree_put(m->arena, into, "valueQuantity", node);
  }
}

/* NM as sent, "<5" and "> 100" too: what is no number is a string. */
static void numeric(struct map *m, struct value v, struct tree *into) {
  struct bytes text = value_text(m, v);
  size_t len = 0;
  while (len < text.len && len < 2 && memchr("<>=", text.at[len], 3)) len++;
  struct bytes comparator = bytes_sub(text, 0, len);
  struct value rest = {bytes_trim(bytes_from(text, len)), LEVEL_LEAF};
  struct tree *number = converted_part(m, convert_Number, rest, 0);
  if (!number || bytes_eq_str(comparator, "<>")) {
    tree_put(m->arena, into, "valueString", map_string(m, text));
    return;
  }
  tree_put(m->arena, into, "valueQuantity.value", number);
  if (len && !bytes_eq_str(comparator, "=")) {
    tree_put(m->arena, into, "valueQuantity.comparator", map_string(m, comparator));
  }
}

static void clock_time(struct map *m, struct value v, struct tree *into) {
  struct bytes text = value_leaf(m, v);
  struct hl7_time time;
  struct bytes whole = arena_printf(m->arena, "20000101%.*s", BYTES_FMT(text));
  if (!map_time(m, whole, &time) || time.precision < HL7_HOUR) {
    tree_put(m->arena, into, "valueString", map_string(m, text));
    return;
  }
  struct bytes clock = arena_printf(m->arena, "%02d:%02d:%02d%s%s", time.hour, time.minute,
                                    time.second, time.fraction[0] ? "." : "", time.fraction);
  tree_put(m->arena, into, "valueTime", map_string(m, clock));
}

/* All the repetitions of a text are its lines. */
static void text_value(struct map *m, struct bytes whole, struct tree *into) {
  struct rule rule = {.vocab = VOCAB__};
  tree_put(m->arena, into, "valueString",
           convert_Lines(m, &rule, (struct value){whole, LEVEL_FIELD}));
}

static void coded(struct map *m, struct value v, struct tree *into) {
  tree_put(m->arena, into, "valueCodeableConcept", converted_part(m, convert_Concept, v, 0));
}

/* Attachments: in R4 an Observation has none; the bytes go into a DocumentReference. */
static struct tree *attachment(struct map *m, struct value v, bool is_pointer) {
  struct bytes type = value_text(m, value_part(m, v, is_pointer ? 3 : 2)),
               subtype = value_text(m, value_part(m, v, is_pointer ? 4 : 3));
  struct bytes encoding = value_text(m, value_part(m, v, 4));
  struct value data = value_part(m, v, is_pointer ? 1 : 5);
  struct tree *node = tree_new(m->arena, TREE_OBJECT);
  struct vocab_code known;
  if (vocab_find(VOCAB_ContentType, subtype, &known)) {
    tree_put(m->arena, node, "contentType", map_str(m, known.fhir));
  } else if (type.len && subtype.len) {
    tree_put(
        m->arena, node, "contentType",
        map_string(m, arena_printf(m->arena, "%.*s/%.*s", BYTES_FMT(type), BYTES_FMT(subtype))));
  }
  struct bytes text = value_text(m, data);
  if (is_pointer) {
    tree_put(m->arena, node, "url", map_string(m, text));
  } else if (bytes_eq_nocase(encoding, BYTES("Base64"))) {
    tree_put(m->arena, node, "data", map_string(m, text));
  } else {
    struct buf buf;
    buf_init(&buf, text.len * 2 + 16);
    base64_encode(&buf, text, 0);
    tree_put(m->arena, node, "data", map_string(m, arena_copy(m->arena, buf_bytes(&buf))));
    buf_fini(&buf);
  }
  return node;
}

/* OBX-5 of a document: an attachment as it is, text as its bytes. */
struct tree *convert_Document(struct map *m, const struct rule *rule, struct value v) {
  struct bytes type = value_text(m, m->field_count > 2 ? m->fields[2] : (struct value){0});
  map_mark_all(m);
  if (bytes_eq_str(type, "ED") || bytes_eq_str(type, "RP")) {
    return attachment(m, v, bytes_eq_str(type, "RP"));
  }
  struct tree *lines = convert_Lines(m, rule, m->fields[m->field]);
  struct tree *node = tree_new(m->arena, TREE_OBJECT);
  struct buf buf;
  if (!lines || !node) return NULL;
  buf_init(&buf, lines->text.len * 2 + 16);
  base64_encode(&buf, lines->text, 0);
  tree_put(m->arena, node, "contentType", map_str(m, "text/plain"));
  tree_put(m->arena, node, "data", map_string(m, arena_copy(m->arena, buf_bytes(&buf))));
  buf_fini(&buf);
  return node;
}

struct tree *convert_Title(struct map *m, const struct rule *rule, struct value v) {
  struct bytes code = value_text(m, value_part(m, v, 1)), text = value_text(m, value_part(m, v, 2));
  map_mark_all(m);
  return map_string(m, text.len ? text : code);
}

static void attached(struct map *m, struct value v, bool is_pointer, struct tree *into) {
  struct resource *document = resource_new(m, RESOURCE_DocumentReference);
  if (!document) return;
  tree_put(m->arena, document->tree, "status", map_str(m, "current"));
  tree_put(m->arena, document->tree, "content+.attachment", attachment(m, v, is_pointer));
  tree_put(m->arena, into, "derivedFrom+", resource_reference(m, document));
}

static void observed(struct map *m, struct bytes type, struct bytes whole, struct tree *into) {
  struct value v = {hl7_repetition(m->message, whole, 1), LEVEL_FIELD};
  bool text = bytes_eq_str(type, "ST") || bytes_eq_str(type, "TX") || bytes_eq_str(type, "FT");
  if (text || !type.len) {
    text_value(m, whole, into);
  } else if (bytes_eq_str(type, "NM")) {
    numeric(m, v, into);
  } else if (bytes_eq_str(type, "SN")) {
    structured(m, v, into);
  } else if (type.len == 2 && (bytes_eq_str(type, "CE") || bytes_eq_str(type, "CF") ||
                               bytes_eq_str(type, "IS") || bytes_eq_str(type, "ID"))) {
    coded(m, v, into);
  } else if (bytes_eq_str(type, "CWE") || bytes_eq_str(type, "CNE")) {
    coded(m, v, into);
  } else if (bytes_eq_str(type, "DT") || bytes_eq_str(type, "TS") || bytes_eq_str(type, "DTM")) {
    struct tree *time = converted_part(m, convert_DateTime, v, 0);
    if (time) {
      tree_put(m->arena, into, "valueDateTime", time);
    } else {
      text_value(m, whole, into);
    }
  } else if (bytes_eq_str(type, "TM")) {
    clock_time(m, v, into);
  } else if (bytes_eq_str(type, "DR")) {
    struct tree *period = tree_new(m->arena, TREE_OBJECT);
    if (period) map_run(m, CONV_DR, v, period);
    tree_put(m->arena, into, "valuePeriod", period);
  } else if (bytes_eq_str(type, "NR")) {
    struct tree *range = tree_new(m->arena, TREE_OBJECT);
    if (range) map_run(m, CONV_NR, v, range);
    tree_put(m->arena, into, "valueRange", range);
  } else if (bytes_eq_str(type, "CQ")) {
    struct tree *quantity = tree_new(m->arena, TREE_OBJECT);
    if (quantity) map_run(m, CONV_CQ, v, quantity);
    tree_put(m->arena, into, "valueQuantity", quantity);
  } else if (bytes_eq_str(type, "ED") || bytes_eq_str(type, "RP")) {
    attached(m, v, bytes_eq_str(type, "RP"), into);
  } else {
    tree_put(m->arena, into, "valueString", map_string(m, hl7_text(m->arena, m->message, whole)));
  }
}

struct tree *convert_Observed(struct map *m, const struct rule *rule, struct value v) {
  struct tree *into = tree_new(m->arena, TREE_OBJECT);
  if (!into) return NULL;
  struct bytes type = value_text(m, m->field_count > 2 ? m->fields[2] : (struct value){0});
  observed(m, type, v.raw, into);
  map_mark_all(m);
  bool text = !type.len || (type.len == 2 && memchr("SFT", type.at[0], 3));
  /* Further repetitions of what is no text became nothing: they are listed. */
  if (!text && hl7_repetition_count(m->message, v.raw) > 1) m->first_only[m->field] = 1;
  return into->first ? into : NULL;
}

/* OBX-7: "3.5-5.0", "<100", ">=4"; the words as they stand, and the limits that can be read. */
struct tree *convert_ReferenceRange(struct map *m, const struct rule *rule, struct value v) {
  struct bytes text = value_text(m, v);
  struct tree *range = tree_new(m->arena, TREE_OBJECT);
  if (!text.len || !range) return NULL;
  map_mark(m, v.level, 1);
  size_t dash = 1;
  while (dash < text.len && text.at[dash] != '-') dash++;
  struct value low = {bytes_trim(bytes_sub(text, 0, dash)), LEVEL_LEAF},
               high = {bytes_trim(bytes_from(text, dash + 1)), LEVEL_LEAF};
  struct tree *from = converted_part(m, convert_Number, low, 0),
              *to = converted_part(m, convert_Number, high, 0);
  if (from && to && dash < text.len) {
    tree_put(m->arena, range, "low.value", from);
    tree_put(m->arena, range, "high.value", to);
  }
  tree_put(m->arena, range, "text", map_string(m, text));
  return range;
}

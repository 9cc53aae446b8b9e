/* hl7/map_convert.c: conversions of single values. Each marks what it takes of its field. */
#include "hl7/map_parts.h"

#include "wire/codec.h"
#include "wire/json_number.h"

#include <string.h>

/* What the first leaf of a field says: component 1 is taken. */
static struct bytes take_text(struct map *m, struct value v) {
  map_mark(m, v.level, 1);
  return value_text(m, v);
}

static struct bytes part_text(struct map *m, struct value v, uint32_t nth) {
  return value_text(m, value_part(m, v, nth));
}

static struct bytes part_take(struct map *m, struct value v, uint32_t nth) {
  struct bytes text = part_text(m, v, nth);
  if (text.len) map_mark(m, v.level, nth);
  return text;
}

struct tree *convert_Text(struct map *m, const struct rule *rule, struct value v) {
  return map_string(m, take_text(m, v));
}

struct tree *convert_Whole(struct map *m, const struct rule *rule, struct value v) {
  map_mark_all(m);
  return map_string(m, bytes_trim(v.raw));
}

struct tree *convert_Used(struct map *m, const struct rule *rule, struct value v) {
  return NULL;
}

static struct tree *by_vocabulary(struct map *m, const struct rule *rule, struct value v,
                                  enum tree_kind kind) {
  struct vocab_code code;
  if (!vocab_find((enum vocab)rule->vocab, value_text(m, v), &code)) return NULL;
  map_mark_all(m);
  return tree_text(m->arena, kind, bytes_str(code.fhir));
}

/* Within a field the other components stay to be asked for; the field's own code takes it whole. */
struct tree *convert_Code(struct map *m, const struct rule *rule, struct value v) {
  uint32_t used = m->used[m->field];
  struct tree *node = by_vocabulary(m, rule, v, TREE_STRING);
  if (v.level != LEVEL_FIELD) m->used[m->field] = used;
  return node;
}

struct tree *convert_Literal(struct map *m, const struct rule *rule, struct value v) {
  return by_vocabulary(m, rule, v, TREE_LITERAL);
}

/* ---- Times ---- */

bool map_time(struct map *m, struct bytes leaf, struct hl7_time *ret_time) {
  return hl7_time_parse(leaf, ret_time, NULL);
}

static struct tree *time_node(struct map *m, const struct hl7_time *time) {
  struct buf buf;
  buf_init(&buf, 2 * MAP_TIME_BYTES);
  hl7_time_fhir(&buf, time, m->options->offset_min);
  struct tree *node = map_string(m, arena_copy(m->arena, buf_bytes(&buf)));
  buf_fini(&buf);
  return node;
}

static struct tree *time_convert(struct map *m, struct value v, enum hl7_precision least,
                                 enum hl7_precision most) {
  struct hl7_time time;
  if (!map_time(m, value_leaf(m, v), &time) || time.precision < least) return NULL;
  if (time.precision > most) time.precision = most;
  map_mark(m, v.level, 1);
  return time_node(m, &time);
}

struct tree *convert_Date(struct map *m, const struct rule *rule, struct value v) {
  return time_convert(m, v, HL7_YEAR, HL7_DAY);
}

struct tree *convert_DateTime(struct map *m, const struct rule *rule, struct value v) {
  return time_convert(m, v, HL7_YEAR, HL7_SECOND);
}

struct tree *convert_Instant(struct map *m, const struct rule *rule, struct value v) {
  return time_convert(m, v, HL7_HOUR, HL7_SECOND);
}

struct tree *convert_BirthTime(struct map *m, const struct rule *rule, struct value v) {
  struct tree *time = time_convert(m, v, HL7_HOUR, HL7_SECOND);
  struct tree *extension = time ? tree_new(m->arena, TREE_OBJECT) : NULL;
  tree_put(m->arena, extension, "url",
           map_str(m, "http://hl7.org/fhir/StructureDefinition/patient-birthTime"));
  tree_put(m->arena, extension, "valueDateTime", time);
  return extension;
}

/* ---- Numbers ---- */

/* A decimal as JSON writes it: no sign before, no blank, digits on both sides of the point. */
static struct bytes number_text(struct map *m, struct bytes text) {
  if (text.len && text.at[0] == '+') text = bytes_from(text, 1);
  bool negative = text.len && text.at[0] == '-';
  struct bytes digits = bytes_from(text, negative);
  while (digits.len > 1 && digits.at[0] == '0' && digits.at[1] != '.')
    digits = bytes_from(digits, 1);
  size_t point = bytes_find(digits, '.');
  if (!digits.len || digits.len > 40 || point + 1 == digits.len) return BYTES_NONE;
  for (size_t i = 0; i < digits.len; i++) {
    if (i != point && (digits.at[i] < '0' || digits.at[i] > '9')) return BYTES_NONE;
  }
  if (!negative && point) return digits;
  return arena_printf(m->arena, "%s%s%.*s", negative ? "-" : "", point ? "" : "0",
                      BYTES_FMT(digits));
}

static struct tree *number_node(struct map *m, struct bytes text) {
  struct bytes number = number_text(m, text);
  return number.len ? tree_text(m->arena, TREE_LITERAL, number) : NULL;
}

struct tree *convert_Number(struct map *m, const struct rule *rule, struct value v) {
  struct tree *node = number_node(m, value_text(m, v));
  if (node) map_mark(m, v.level, 1);
  return node;
}

static struct tree *whole_number(struct map *m, struct value v, uint64_t least) {
  uint64_t number;
  if (!bytes_u64(value_text(m, v), &number) || number < least || number > INT32_MAX) return NULL;
  map_mark(m, v.level, 1);
  return tree_text(m->arena, TREE_LITERAL, arena_printf(m->arena, "%u", (unsigned)number));
}

struct tree *convert_Positive(struct map *m, const struct rule *rule, struct value v) {
  return whole_number(m, v, 1);
}

struct tree *convert_Whole0(struct map *m, const struct rule *rule, struct value v) {
  return whole_number(m, v, 0);
}

/* ---- Codes ---- */

static struct bytes table_system(struct map *m, enum vocab vocab) {
  const char *table = vocab_table(vocab);
  if (!table) return BYTES_NONE;
  return arena_printf(m->arena, "http://terminology.hl7.org/CodeSystem/v2-%s", table);
}

/* One triplet: code, display, system, version and, since v2.7, the system's OID. */
struct triplet {
  uint8_t code, display, system, version, oid;
};
static const struct triplet triplets[] = {{1, 2, 3, 7, 14}, {4, 5, 6, 8, 17}, {10, 11, 12, 13, 20}};

static struct bytes triplet_system(struct map *m, struct value v, const struct triplet *at) {
  struct bytes uri = vocab_system(m->arena, part_text(m, v, at->system));
  struct bytes oid = part_text(m, v, at->oid);
  if (uri.len) {
    map_mark(m, v.level, at->system);
    if (oid.len) map_mark(m, v.level, at->oid);
    return uri;
  }
  if (oid.len && v.level == LEVEL_FIELD) {
    map_mark(m, v.level, at->oid);
    map_mark(m, v.level, at->system);
    return arena_printf(m->arena, "urn:oid:%.*s", BYTES_FMT(oid));
  }
  return BYTES_NONE;
}

static struct tree *triplet_coding(struct map *m, struct value v, const struct triplet *at,
                                   enum vocab vocab) {
  struct bytes code = part_take(m, v, at->code), display = part_take(m, v, at->display);
  if (!code.len && !display.len) return NULL;
  struct tree *coding = tree_new(m->arena, TREE_OBJECT);
  struct bytes system = triplet_system(m, v, at);
  bool silent = !part_text(m, v, at->system).len && at == triplets;
  struct vocab_code known;
  if (!system.len && silent && vocab && vocab_find(vocab, code, &known)) {
    system = table_system(m, vocab); /* a code of the table that the field is bound to */
  }
  tree_put(m->arena, coding, "system", map_string(m, system));
  tree_put(m->arena, coding, "version", map_string(m, part_take(m, v, at->version)));
  tree_put(m->arena, coding, "code", map_string(m, code));
  tree_put(m->arena, coding, "display", map_string(m, display));
  return coding;
}

/* The vocabulary's counterpart of the first code stands behind what was sent. */
static void counterpart_put(struct map *m, struct tree *concept, enum vocab vocab,
                            struct bytes code) {
  struct vocab_code known;
  if (!vocab || !vocab_find(vocab, code, &known) || !known.system) return;
  struct tree *coding = tree_new(m->arena, TREE_OBJECT);
  tree_put(m->arena, coding, "system", map_str(m, known.system));
  tree_put(m->arena, coding, "code", map_str(m, known.fhir));
  if (known.display) tree_put(m->arena, coding, "display", map_str(m, known.display));
  tree_put(m->arena, concept, "coding+", coding);
}

struct tree *convert_Concept(struct map *m, const struct rule *rule, struct value v) {
  struct tree *concept = tree_new(m->arena, TREE_OBJECT);
  if (!concept) return NULL;
  for (size_t i = 0; i < sizeof triplets / sizeof *triplets; i++) {
    struct tree *coding = triplet_coding(m, v, &triplets[i], (enum vocab)rule->vocab);
    if (coding) tree_put(m->arena, concept, "coding+", coding);
  }
  counterpart_put(m, concept, (enum vocab)rule->vocab, part_text(m, v, 1));
  tree_put(m->arena, concept, "text", map_string(m, part_take(m, v, 9)));
  return concept->first ? concept : NULL;
}

struct tree *convert_SectionConcept(struct map *m, const struct rule *rule, struct value v) {
  struct tree *concept = tree_new(m->arena, TREE_OBJECT);
  tree_put(m->arena, concept, "coding+.system", map_string(m, table_system(m, VOCAB_Section)));
  tree_put(m->arena, concept, "coding*.code", map_string(m, take_text(m, v)));
  return concept;
}

struct tree *convert_Coding(struct map *m, const struct rule *rule, struct value v) {
  return triplet_coding(m, v, &triplets[0], (enum vocab)rule->vocab);
}

struct tree *convert_TypeCode(struct map *m, const struct rule *rule, struct value v) {
  struct tree *coding = tree_new(m->arena, TREE_OBJECT);
  struct bytes code = value_text(m, v);
  if (!code.len) return NULL;
  if (v.level == LEVEL_FIELD) map_mark(m, v.level, 1);
  tree_put(m->arena, coding, "system", map_string(m, table_system(m, (enum vocab)rule->vocab)));
  tree_put(m->arena, coding, "code", map_string(m, code));
  return coding;
}

struct tree *convert_ClassCoding(struct map *m, const struct rule *rule, struct value v) {
  struct vocab_code known;
  if (!vocab_find((enum vocab)rule->vocab, value_text(m, v), &known)) {
    return convert_Coding(m, rule, v);
  }
  struct tree *coding = tree_new(m->arena, TREE_OBJECT);
  map_mark(m, v.level, 1);
  map_mark(m, v.level, 2);
  map_mark(m, v.level, 3);
  tree_put(m->arena, coding, "system", map_str(m, known.system));
  tree_put(m->arena, coding, "code", map_str(m, known.fhir));
  tree_put(m->arena, coding, "display", map_str(m, known.display));
  return coding;
}

struct tree *convert_SourceType(struct map *m, const struct rule *rule, struct value v) {
  struct value code = value_part(m, v, 1);
  struct tree *concept = convert_Concept(m, rule, code);
  if (concept) map_mark(m, v.level, 1);
  return concept;
}

struct tree *convert_SystemText(struct map *m, const struct rule *rule, struct value v) {
  return map_string(m, vocab_system(m->arena, value_text(m, v)));
}

struct tree *convert_LanguageTag(struct map *m, const struct rule *rule, struct value v) {
  struct bytes first = part_text(m, v, 1), second = part_text(m, v, 4);
  map_mark_all(m);
  return map_string(m, first.len ? first : second);
}

/* ---- Authorities: HD is a namespace, a universal id and its type ---- */

static struct bytes universal_uri(struct map *m, struct bytes id, struct bytes type) {
  if (!id.len) return BYTES_NONE;
  if (bytes_eq_str(type, "ISO")) return arena_printf(m->arena, "urn:oid:%.*s", BYTES_FMT(id));
  if (bytes_eq_str(type, "UUID")) return arena_printf(m->arena, "urn:uuid:%.*s", BYTES_FMT(id));
  return id;
}

static struct tree *authority(struct map *m, struct bytes name, struct bytes id,
                              struct bytes type) {
  const struct hl7_map_options *options = m->options;
  struct bytes system = BYTES_NONE;
  if (options->authority) system = options->authority(options->authority_arg, name, id);
  if (!system.len) system = name.len ? name : universal_uri(m, id, type);
  return map_string(m, system);
}

struct tree *convert_Authority(struct map *m, const struct rule *rule, struct value v) {
  if (v.level == LEVEL_FIELD) map_mark_all(m);
  return authority(m, part_text(m, v, 1), part_text(m, v, 2), part_text(m, v, 3));
}

struct tree *convert_EntityAuthority(struct map *m, const struct rule *rule, struct value v) {
  return authority(m, part_take(m, v, 2), part_take(m, v, 3), part_take(m, v, 4));
}

/* ---- The rest ---- */

struct tree *convert_Unit(struct map *m, const struct rule *rule, struct value v) {
  struct bytes code = part_take(m, v, 1), text = part_take(m, v, 2);
  struct bytes system = vocab_system(m->arena, part_text(m, v, 3));
  struct tree *unit = tree_new(m->arena, TREE_OBJECT);
  if (!code.len && !text.len) return NULL;
  tree_put(m->arena, unit, "unit", map_string(m, text.len ? text : code));
  if (code.len && system.len) {
    map_mark(m, v.level, 3);
    tree_put(m->arena, unit, "system", map_string(m, system));
    tree_put(m->arena, unit, "code", map_string(m, code));
  }
  return unit;
}

struct tree *convert_TimeUnit(struct map *m, const struct rule *rule, struct value v) {
  static const char *const known[] = {"s", "min", "h", "d", "wk", "mo", "a"};
  struct bytes unit = value_text(m, v);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (bytes_eq_str(unit, known[i])) return map_string(m, unit);
  }
  return NULL;
}

/* XTN: the address of mail; else the unformatted number, or one put together from its parts. */
struct tree *convert_TelecomValue(struct map *m, const struct rule *rule, struct value v) {
  struct bytes type = part_text(m, v, 3), mail = part_text(m, v, 4), whole = part_text(m, v, 12);
  bool internet = bytes_eq_str(type, "Internet") || bytes_eq_str(type, "X.400");
  struct bytes country = part_text(m, v, 5), area = part_text(m, v, 6), local = part_text(m, v, 7),
               extension = part_text(m, v, 8), old = part_text(m, v, 1);
  if (internet || (!type.len && mail.len)) {
    map_mark(m, v.level, mail.len ? 4 : 1);
    return map_string(m, mail.len ? mail : old);
  }
  if (whole.len) {
    map_mark(m, v.level, 12);
    return map_string(m, whole);
  }
  if (!local.len) {
    map_mark(m, v.level, 1);
    return map_string(m, old);
  }
  if (bytes_eq(old, local)) map_mark(m, v.level, 1);
  return map_string(m, arena_printf(m->arena, "%s%.*s%s%.*s%s%.*s%s%.*s", country.len ? "+" : "",
                                    BYTES_FMT(country), country.len ? " " : "", BYTES_FMT(area),
                                    area.len ? " " : "", BYTES_FMT(local),
                                    extension.len ? " X" : "", BYTES_FMT(extension)));
}

static struct tree *endpoint(struct map *m, struct value v, bool names_unknown) {
  static const char *const kinds[] = {"ISO", "oid", "UUID", "uuid", "DNS", "dns", "URI", "uri"};
  struct bytes name = part_take(m, v, 1), id = part_take(m, v, 2), type = part_take(m, v, 3);
  struct tree *node = tree_new(m->arena, TREE_OBJECT);
  tree_put(m->arena, node, "name", map_string(m, name));
  for (size_t i = 0; id.len && i < 8; i += 2) {
    if (!bytes_eq_str(type, kinds[i])) continue;
    struct bytes uri = arena_printf(m->arena, "urn:%s:%.*s", kinds[i + 1], BYTES_FMT(id));
    tree_put(m->arena, node, "endpoint", map_string(m, uri));
    return node;
  }
  if (id.len && names_unknown) {
    struct bytes all =
        arena_printf(m->arena, "%.*s-%.*s:%.*s", BYTES_FMT(name), BYTES_FMT(type), BYTES_FMT(id));
    tree_put(m->arena, node, "name", map_string(m, all));
  }
  tree_put(m->arena, node, "_endpoint.extension+.url",
           map_str(m, "http://hl7.org/fhir/StructureDefinition/data-absent-reason"));
  tree_put(m->arena, node, "_endpoint.extension*.valueCode", map_str(m, "unknown"));
  return node;
}

struct tree *convert_Sender(struct map *m, const struct rule *rule, struct value v) {
  m->has_source = true;
  return endpoint(m, v, true);
}

struct tree *convert_Receiver(struct map *m, const struct rule *rule, struct value v) {
  return endpoint(m, v, true);
}

/* MSH-17 is the country of the sending organization, which MSH-4 has made. */
struct tree *convert_SenderCountry(struct map *m, const struct rule *rule, struct value v) {
  for (struct resource *r = m->resources; r; r = r->next) {
    if (r->type != RESOURCE_Organization) continue;
    tree_put(m->arena, r->tree, "address+.country", map_string(m, take_text(m, v)));
    return NULL;
  }
  struct resource *organization = resource_new(m, RESOURCE_Organization);
  if (!organization) return NULL;
  tree_put(m->arena, organization->tree, "address+.country", map_string(m, take_text(m, v)));
  return resource_reference(m, organization);
}

struct tree *convert_MothersName(struct map *m, const struct rule *rule, struct value v) {
  struct bytes family = value_text(m, value_part(m, value_part(m, v, 1), 1));
  struct bytes given = part_text(m, v, 2);
  struct tree *extension = tree_new(m->arena, TREE_OBJECT);
  map_mark_all(m);
  struct bytes text =
      given.len ? arena_printf(m->arena, "%.*s %.*s", BYTES_FMT(given), BYTES_FMT(family)) : family;
  tree_put(m->arena, extension, "url",
           map_str(m, "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"));
  return tree_put(m->arena, extension, "valueString", map_string(m, bytes_trim(text))) ? extension
                                                                                       : NULL;
}

struct tree *convert_Congregation(struct map *m, const struct rule *rule, struct value v) {
  struct bytes name = part_take(m, v, 1), id = part_take(m, v, 10);
  struct tree *extension = tree_new(m->arena, TREE_OBJECT);
  tree_put(m->arena, extension, "url", map_str(m, m->param));
  return tree_put(m->arena, extension, "valueString", map_string(m, name.len ? name : id))
             ? extension
             : NULL;
}

struct tree *convert_NoteConcept(struct map *m, const struct rule *rule, struct value v) {
  struct bytes code = part_take(m, v, 1), text = part_take(m, v, 2), original = part_take(m, v, 9);
  if (original.len) return map_string(m, original);
  if (!text.len || !code.len) return map_string(m, text.len ? text : code);
  return map_string(m, arena_printf(m->arena, "%.*s, %.*s", BYTES_FMT(code), BYTES_FMT(text)));
}

struct tree *convert_Lines(struct map *m, const struct rule *rule, struct value v) {
  struct buf buf;
  struct bytes rest = v.raw;
  if (!memchr(v.raw.at, m->message->separators.repetition, v.raw.len)) {
    map_mark_all(m);
    return map_string(m, bytes_trim(hl7_text(m->arena, m->message, v.raw)));
  }
  buf_init(&buf, v.raw.len * 8 + 64);
  while (rest.len) {
    struct bytes line = bytes_cut(rest, m->message->separators.repetition, &rest);
    buf_put(&buf, hl7_text(m->arena, m->message, line));
    if (rest.len) buf_char(&buf, '\n');
  }
  map_mark_all(m);
  struct tree *node = map_string(m, arena_copy(m->arena, buf_bytes(&buf)));
  buf_fini(&buf);
  return node;
}

/* hl7/map.c: the message's segments go by, each does the acts that its table lists, and the bundle
 * is written from what stands open at the end. */
#include "hl7/map.h"

#include "hl7/map_parts.h"

#include <string.h>

enum family {
  ADT = 1,
  MERGE = 2,
  ORU = 4,
  ORDER = 8,
  SIU = 16,
  VXU = 32,
  MDM = 64,
  RDE = 128,
};

enum slot {
  NONE,
  HEADER,
  EVENT,
  PATIENT,
  MERGED,
  RELATED,
  ACCOUNT,
  EPISODE,
  ENCOUNTER,
  ALLERGY,
  CONDITION,
  PROCEDURE,
  COVERAGE,
  REQUEST,
  ROLE,
  REPORT,
  SPECIMEN,
  OBSERVATION,
  IMMUNIZATION,
  MEDICATION,
  APPOINTMENT,
  DOCUMENT,
  NOTED, /* whatever a note that follows is about */
  SLOT_COUNT
};

enum how { NEW, JOIN, FOLLOW, ONTO, LINKED, BACKED };

struct act {
  const char *segment;
  uint32_t families;
  enum slot slot;
  enum resource_type type;
  enum how how;
  const char *place;
  enum conv table;
  const char *when;
  enum slot base;
  const char *key;
};

#define ACT(segment, families, slot, type, how, place, table, when, base, key) \
  {segment, families, slot, RESOURCE_##type, how, place, CONV_##table, when, base, key},
#define LINK(place, slot) \
  {NULL, 0, slot, RESOURCE_NONE, LINKED, place, CONV_PARAM, NULL, NONE, NULL},
#define BACK(slot, place) \
  {NULL, 0, slot, RESOURCE_NONE, BACKED, place, CONV_PARAM, NULL, NONE, NULL},
static const struct act acts[] = {
#include "hl7/map_act.tbl"
};
#define ACT_COUNT (sizeof acts / sizeof *acts)

struct mapping {
  struct map map;
  uint32_t family, order_family;
  struct resource *open[SLOT_COUNT];
};

/* ---- Which message ---- */

static uint32_t family_of(const struct hl7_message *message) {
  static const struct {
    const char *type, *events; /* NULL: all that have a structure */
    uint32_t family;
  } families[] = {
      {"ADT", "A40", MERGE},
      {"ADT", "A01 A02 A03 A04 A05 A06 A07 A08 A09 A10 A11 A12 A13 A14 A28 A31", ADT},
      {"ORU", "R01", ORU},
      {"ORM", "O01", ORDER},
      {"OML", "O21", ORDER},
      {"OMG", "O19", ORDER},
      {"SIU", NULL, SIU},
      {"VXU", "V04", VXU},
      {"MDM", "T02 T04 T06 T08 T10", MDM},
      {"RDE", "O11", RDE},
  };
  const struct hl7_segment *msh = &message->segments[0];
  struct bytes type = hl7_value(message, msh, 9, 1), event = hl7_value(message, msh, 9, 2);
  if (!hl7_structure_of(message)) return 0;
  for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
    if (!bytes_eq_str(type, families[i].type)) continue;
    const char *events = families[i].events;
    if (!events) return families[i].family;
    bool listed = event.len == 3 && bytes_find_bytes(bytes_str(events), event) < strlen(events);
    if (listed || (!event.len && type.at[0] == 'O')) return families[i].family;
  }
  return 0;
}

bool hl7_map_knows(const struct hl7_message *message) {
  return family_of(message) != 0;
}

/* ---- Acts ---- */

/* An order of drugs in a general order message is one of drugs. */
static uint32_t order_family(const struct mapping *all, uint32_t index) {
  const struct hl7_message *message = all->map.message;
  for (uint32_t i = index + 1; all->family == ORDER && i < message->count && i < index + 12; i++) {
    const char *name = message->segments[i].name;
    if (strcmp(name, "ORC") == 0 || strcmp(name, "OBR") == 0) break;
    if (strcmp(name, "RXO") == 0 || strcmp(name, "RXE") == 0) return RDE;
  }
  return all->family;
}

static struct resource *opened(struct mapping *all, const struct act *act) {
  struct resource *open = all->open[act->slot];
  bool keeps = act->how == ONTO || act->how == JOIN || (act->how == FOLLOW && all->map.orc);
  if (keeps && (open || act->how == ONTO)) return open;
  open = resource_new(&all->map, act->type);
  if (!open) return NULL;
  bool registers = (all->family & (ADT | MERGE)) != 0;
  bool own = act->slot != PATIENT && act->slot != ENCOUNTER && act->slot != REQUEST;
  open->update = registers || own || (act->slot == REQUEST && all->family != ORU);
  all->open[act->slot] = open;
  return open;
}

/* What makes it itself: the base's first identifier or key, and the fields. */
static struct bytes key_of(struct mapping *all, const struct act *act) {
  struct map *m = &all->map;
  struct buf buf;
  bool any = act->base == NONE;
  buf_init(&buf, 1 << 16);
  const struct resource *base = act->base ? all->open[act->base] : NULL;
  const struct tree *identifiers = base ? tree_get(base->tree, "identifier") : NULL;
  const struct tree *value = identifiers ? tree_get(identifiers->first, "value") : NULL;
  const struct tree *system = identifiers ? tree_get(identifiers->first, "system") : NULL;
  if (value) {
    buf_put(&buf, system ? system->text : BYTES_NONE);
    buf_char(&buf, '|');
    buf_put(&buf, value->text);
    any = true;
  } else if (base && base->key.len) {
    buf_put(&buf, base->key);
    any = true;
  }
  bool fields = false;
  for (struct bytes rest = bytes_str(act->key); rest.len;) {
    uint64_t field = 0;
    (void)!bytes_u64(bytes_cut(rest, ' ', &rest), &field);
    buf_char(&buf, 0x1e);
    if (field >= m->field_count) continue;
    buf_put(&buf, m->fields[field].raw);
    fields = fields || m->fields[field].raw.len;
  }
  struct bytes key =
      any && fields && buf_ok(&buf) ? arena_copy(m->arena, buf_bytes(&buf)) : BYTES_NONE;
  buf_fini(&buf);
  return key;
}

static void links(struct mapping *all, const struct act *act, struct resource *r,
                  struct tree *into) {
  struct map *m = &all->map;
  for (act++; act < acts + ACT_COUNT && !act->segment; act++) {
    struct resource *other = all->open[act->slot];
    if (!other) continue;
    if (act->how == LINKED) tree_put(m->arena, into, act->place, resource_reference(m, other));
    if (act->how == BACKED) tree_put(m->arena, other->tree, act->place, resource_reference(m, r));
  }
}

static void act_do(struct mapping *all, const struct act *act) {
  struct map *m = &all->map;
  struct value segment = {m->segment->raw, LEVEL_SEGMENT};
  if (!map_holds(m, act->when, segment)) return;
  struct resource *r = opened(all, act);
  if (!r) return;
  struct tree *into = *act->place ? tree_new(m->arena, TREE_OBJECT) : r->tree;
  if (!into) return;
  if (!r->key.len && *act->key) r->key = key_of(all, act);
  map_run(m, act->table, segment, into);
  links(all, act, r, into);
  if (*act->place && into->first) tree_put(m->arena, r->tree, act->place, into);
}

/* ORC-22 to -24 are about the facility and the person who ordered. */
static void requester_details(struct mapping *all) {
  struct map *m = &all->map;
  struct value segment = {m->segment->raw, LEVEL_SEGMENT};
  static const struct {
    const char *member;
    enum conv table;
  } parts[] = {{"organization", CONV_ORC_facility}, {"practitioner", CONV_ORC_orderer}};
  for (size_t i = 0; i < 2 && all->open[ROLE]; i++) {
    const struct tree *reference = tree_get(all->open[ROLE]->tree, parts[i].member);
    const struct resource *r = reference ? reference->target : NULL;
    if (r && !tree_get(r->tree, "address")) map_run(m, parts[i].table, segment, r->tree);
  }
}

/* The person merged away points at the one who stays, and back (Patient.link). */
static void merge(struct mapping *all) {
  struct map *m = &all->map;
  struct resource *stays = all->open[PATIENT], *gone = all->open[MERGED];
  if (!stays || !gone) return;
  tree_put(m->arena, gone->tree, "link+.other", resource_reference(m, stays));
  tree_put(m->arena, gone->tree, "link*.type", map_str(m, "replaced-by"));
  tree_put(m->arena, stays->tree, "link+.other", resource_reference(m, gone));
  tree_put(m->arena, stays->tree, "link*.type", map_str(m, "replaces"));
  all->open[MERGED] = NULL;
}

static bool is_named(const struct map *m, const char *name) {
  return strcmp(m->segment->name, name) == 0;
}

/* What the segment ends: the visit, order or result before it is not what follows. */
static void close_before(struct mapping *all) {
  struct map *m = &all->map;
  if (is_named(m, "ORC")) {
    all->order_family = order_family(all, m->number - 1);
    all->open[ROLE] = all->open[REPORT] = all->open[MEDICATION] = all->open[IMMUNIZATION] = NULL;
  }
  if (is_named(m, "ORC") || is_named(m, "OBR")) all->open[OBSERVATION] = all->open[SPECIMEN] = NULL;
  if (is_named(m, "PID")) {
    all->open[ENCOUNTER] = all->open[ACCOUNT] = all->open[EPISODE] = NULL;
    all->open[NOTED] = NULL;
  }
}

static void close_after(struct mapping *all) {
  struct map *m = &all->map;
  static const struct {
    const char *segment;
    enum slot slot;
  } noted[] = {{"OBX", OBSERVATION}, {"OBR", REQUEST},      {"ORC", REQUEST}, {"RXE", MEDICATION},
               {"RXO", MEDICATION},  {"SPM", SPECIMEN},     {"PID", NONE},    {"SCH", NONE},
               {"AIS", NONE},        {"RXA", IMMUNIZATION}, {"TXA", NONE},    {"PV1", NONE}};
  for (size_t i = 0; i < sizeof noted / sizeof *noted; i++) {
    if (is_named(m, noted[i].segment)) all->open[NOTED] = all->open[noted[i].slot];
  }
  if (is_named(m, "ORC")) {
    m->orc = m->segment;
    requester_details(all);
  }
  if (is_named(m, "OBR") || is_named(m, "RXA") || is_named(m, "RXE")) m->orc = NULL;
  if (is_named(m, "MRG")) merge(all);
}

static void segment_map(struct mapping *all, uint32_t index) {
  struct map *m = &all->map;
  map_segment_open(m, index);
  close_before(all);
  bool order = index && (is_named(m, "ORC") || is_named(m, "TQ1") || m->segment->name[0] == 'R' ||
                         is_named(m, "OBX"));
  uint32_t family = order ? all->order_family : all->family;
  for (const struct act *act = acts; act < acts + ACT_COUNT; act++) {
    if (!act->segment || !(act->families & family)) continue;
    if (memcmp(act->segment, m->segment->name, 4) == 0) act_do(all, act);
  }
  close_after(all);
  map_segment_close(m);
}

/* ---- What FHIR requires and the message leaves open ---- */

static void need(struct map *m, struct resource *r, const char *name, const char *word) {
  if (!tree_get(r->tree, name)) tree_put(m->arena, r->tree, name, map_str(m, word));
}

static void encounter_status(struct mapping *all, struct resource *r) {
  struct map *m = &all->map;
  struct vocab_code known;
  struct bytes event = hl7_value(m->message, &m->message->segments[0], 9, 2);
  const struct tree *status = tree_get(r->tree, "status");
  bool finished = status && bytes_eq_str(status->text, "finished");
  if (all->family == ADT && !finished && vocab_find(VOCAB_EventStatus, event, &known)) {
    tree_put(m->arena, r->tree, "status", map_str(m, known.fhir));
  }
  need(m, r, "status", "unknown");
  if (tree_get(r->tree, "class")) return;
  tree_put(m->arena, r->tree, "class.system",
           map_str(m, "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"));
  tree_put(m->arena, r->tree, "class.code", map_str(m, "UNK"));
}

static void appointment_status(struct map *m, struct resource *r) {
  struct vocab_code known;
  struct bytes event = hl7_value(m->message, &m->message->segments[0], 9, 2);
  if (vocab_find(VOCAB_AppointmentEvent, event, &known)) need(m, r, "status", known.fhir);
  need(m, r, "status", "proposed");
}

static void complete(struct mapping *all, struct resource *r) {
  struct map *m = &all->map;
  if (r->type == RESOURCE_Encounter) encounter_status(all, r);
  if (r->type == RESOURCE_Appointment) appointment_status(m, r);
  if (r->type == RESOURCE_ServiceRequest || r->type == RESOURCE_MedicationRequest) {
    need(m, r, "status", "unknown");
    need(m, r, "intent", "order");
  }
  if (r->type == RESOURCE_Observation || r->type == RESOURCE_DiagnosticReport) {
    need(m, r, "status", "unknown");
  }
  if (r->type == RESOURCE_MessageHeader && !m->has_source) {
    tree_put(m->arena, r->tree, "source._endpoint.extension+.url",
             map_str(m, "http://hl7.org/fhir/StructureDefinition/data-absent-reason"));
    tree_put(m->arena, r->tree, "source._endpoint.extension*.valueCode", map_str(m, "unknown"));
  }
  if (r->type == RESOURCE_Coverage && !tree_get(r->tree, "payor")) {
    tree_put(m->arena, r->tree, "payor+.display", map_str(m, "unknown"));
  }
  if (r->type == RESOURCE_DocumentReference) {
    need(m, r, "status", "current");
    if (tree_get(r->tree, "content")) return;
    tree_put(m->arena, r->tree, "content+.attachment.title", map_str(m, "not sent"));
  }
}

/* ---- Provenance ---- */

static void recorded_put(struct map *m, struct resource *r) {
  struct rule rule = {0};
  struct value sent = {hl7_field(m->message, &m->message->segments[0], 7), LEVEL_FIELD};
  struct tree *time = convert_Instant(m, &rule, sent);
  if (!time) time = map_str(m, "1970-01-01T00:00:00Z");
  if (!tree_get(r->tree, "recorded")) tree_put(m->arena, r->tree, "recorded", time);
}

static void agent_put(struct mapping *all, struct resource *r) {
  struct map *m = &all->map;
  const struct tree *sender =
      all->open[HEADER] ? tree_get(all->open[HEADER]->tree, "sender") : NULL;
  if (tree_get(r->tree, "agent")) return;
  tree_put(m->arena, r->tree, "agent+.type.coding+.system",
           map_str(m, "http://terminology.hl7.org/CodeSystem/provenance-participant-type"));
  tree_put(m->arena, r->tree, "agent*.type.coding*.code", map_str(m, "author"));
  if (sender) {
    tree_put(m->arena, r->tree, "agent*.who", resource_reference(m, sender->target));
  } else {
    tree_put(m->arena, r->tree, "agent*.who.display", map_str(m, "unknown"));
  }
}

/* All that the message became was made from the stored original. */
static void provenance(struct mapping *all) {
  struct map *m = &all->map;
  struct resource *last = m->last, *own = resource_new(m, RESOURCE_Provenance);
  struct bytes id = m->options->message_id;
  if (!own || !last) return;
  if (!id.len) id = hl7_value(m->message, &m->message->segments[0], 10, 1);
  for (const struct resource *r = m->resources; r != own; r = r->next) {
    if (r->type == RESOURCE_Provenance) continue;
    tree_put(m->arena, own->tree, "target+", resource_reference(m, r));
  }
  tree_put(
      m->arena, own->tree, "activity.coding+.system",
      map_str(m,
              "http://hl7.org/fhir/uv/v2mappings/CodeSystem/provenance-activity-type-v2-to-fhir"));
  tree_put(m->arena, own->tree, "activity.coding*.code", map_str(m, "v2-fhir-transformation"));
  tree_put(m->arena, own->tree, "entity+.role", map_str(m, "source"));
  tree_put(m->arena, own->tree, "entity*.what.identifier.value", map_string(m, id));
  tree_put(m->arena, own->tree, "entity*.what.display", map_str(m, "HL7 v2 message"));
  for (struct resource *r = m->resources; r; r = r->next) {
    if (r->type != RESOURCE_Provenance) continue;
    recorded_put(m, r);
    agent_put(all, r);
  }
}

bool hl7_map(struct arena *arena, struct hl7_message *message,
             const struct hl7_map_options *options, struct hl7_mapped *ret_mapped,
             struct err *err) {
  static const struct hl7_map_options none = {0};
  struct mapping *all = ARENA_NEW(arena, struct mapping);
  if (!all) FAIL(ERR_LIMIT, "the message does not fit its arena");
  struct map *m = &all->map;
  m->arena = arena;
  m->message = message;
  m->options = options ? options : &none;
  all->family = all->order_family = family_of(message);
  if (!all->family) FAIL(ERR_UNSUPPORTED, "messages of this type (MSH-9) have no mapping");
  sha256(message->text, m->digest);
  for (uint32_t i = 0; i < message->count; i++) segment_map(all, i);
  for (struct resource *r = m->resources; r; r = r->next) complete(all, r);
  provenance(all);
  resource_names(m);
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "what the message becomes does not fit its arena");
  *ret_mapped = (struct hl7_mapped){m, m->left, m->left_count, m->resource_count};
  return true;
}

/* ---- Writing ---- */

static void refer(struct buf *buf, const void *target) {
  const struct resource *r = target;
  buf_str(buf, "urn:uuid:");
  buf_str(buf, r->id);
}

static void request_write(struct buf *buf, const struct resource *r) {
  const char *word = resource_word(r->type);
  if (r->identifier.len && !r->update) {
    buf_printf(buf, "{\"method\":\"POST\",\"url\":\"%s\",\"ifNoneExist\":\"identifier=%.*s\"}",
               word, BYTES_FMT(r->identifier));
  } else if (r->identifier.len) {
    buf_printf(buf, "{\"method\":\"PUT\",\"url\":\"%s?identifier=%.*s\"}", word,
               BYTES_FMT(r->identifier));
  } else {
    buf_printf(buf, "{\"method\":\"PUT\",\"url\":\"%s/%s\"}", word, r->id);
  }
}

void hl7_mapped_write(struct buf *buf, const struct hl7_mapped *mapped) {
  buf_str(buf, "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[");
  for (const struct resource *r = mapped->map->resources; r; r = r->next) {
    if (r != mapped->map->resources) buf_char(buf, ',');
    buf_printf(buf, "{\"fullUrl\":\"urn:uuid:%s\",\"resource\":", r->id);
    tree_write(buf, r->tree, refer);
    buf_str(buf, ",\"request\":");
    request_write(buf, r);
    buf_char(buf, '}');
  }
  buf_str(buf, "]}");
}

void hl7_left_write(struct buf *buf, const struct hl7_message *message,
                    const struct hl7_left *left) {
  const struct hl7_segment *segment = &message->segments[left->segment - 1];
  uint32_t nth = 0;
  for (const struct hl7_segment *s = message->segments; s <= segment; s++) {
    nth += memcmp(s->name, segment->name, 4) == 0;
  }
  buf_str(buf, segment->name);
  if (nth > 1) buf_printf(buf, "[%u]", nth);
  buf_printf(buf, "-%u", left->field);
  if (left->repetition) buf_printf(buf, "[%u]", left->repetition);
  if (left->component) buf_printf(buf, ".%u", left->component);
}

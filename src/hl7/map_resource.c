/* hl7/map_resource.c: what a message becomes, and by what a store knows it again. */
#include "hl7/map_parts.h"

#include <string.h>

enum known { KEY, IDENTIFIER };

static const struct {
  const char *word;
  enum known known;
} types[RESOURCE_COUNT] = {
    [RESOURCE_NONE] = {"", KEY},
#define RESOURCE(name, known) [RESOURCE_##name] = {#name, known},
#include "hl7/resource.tbl.h"
#undef RESOURCE
};

const char *resource_word(enum resource_type type) {
  return types[type].word;
}

struct resource *resource_new(struct map *m, enum resource_type type) {
  struct resource *r = ARENA_NEW(m->arena, struct resource);
  struct tree *tree = tree_new(m->arena, TREE_OBJECT);
  if (!r || !tree) return NULL;
  r->type = type;
  r->tree = tree;
  tree_put(m->arena, tree, "resourceType", map_str(m, types[type].word));
  if (m->last) {
    m->last->next = r;
  } else {
    m->resources = r;
  }
  m->last = r;
  m->resource_count++;
  return r;
}

struct resource *resource_support(struct map *m, enum resource_type type, enum conv conv,
                                  struct value v) {
  uint64_t hash = bytes_hash(v.raw, (uint64_t)conv);
  struct resource **bucket = &m->buckets[hash % MAP_BUCKETS];
  struct resource *r;
  for (r = *bucket; r; r = r->same_bucket) {
    if (r->hash == hash && r->conv == conv && r->type == type && bytes_eq(r->raw, v.raw)) break;
  }
  if (r && v.level != LEVEL_FIELD) return r;
  struct tree *tree = tree_new(m->arena, TREE_OBJECT);
  if (!tree) return NULL;
  map_run(m, conv, v, tree); /* again for one that is known: what it takes is marked */
  if (r || !tree->first) return r;
  r = resource_new(m, type);
  if (!r) return NULL;
  tree_put(m->arena, r->tree, "", tree);
  r->hash = hash;
  r->raw = v.raw;
  r->conv = (uint8_t)conv;
  r->key = v.raw;
  r->same_bucket = *bucket;
  *bucket = r;
  return r;
}

struct tree *resource_reference(struct map *m, const struct resource *resource) {
  struct tree *node = tree_new(m->arena, TREE_REFERENCE);
  if (node) node->target = resource;
  return node;
}

/* ---- Names ---- */

static void url_escape(struct buf *buf, struct bytes text) {
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                 c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      buf_char(buf, c);
    } else {
      buf_printf(buf, "%%%02X", c);
    }
  }
}

/* A value of a token parameter: its own '\', '|', ',' and '$' are escaped (FHIR search). */
static void token_put(struct buf *buf, struct bytes text) {
  for (size_t i = 0; i < text.len; i++) {
    if (memchr("\\|,$", text.at[i], 4)) url_escape(buf, BYTES("\\"));
    url_escape(buf, bytes_sub(text, i, 1));
  }
}

/* Without a system an identifier is one of anybody's: it names nothing. */
static struct bytes identifier_of(struct map *m, const struct resource *r) {
  const struct tree *identifiers = tree_get(r->tree, "identifier");
  for (const struct tree *i = identifiers ? identifiers->first : NULL; i; i = i->next) {
    const struct tree *value = tree_get(i, "value"), *system = tree_get(i, "system");
    if (!value || !system) continue;
    struct buf buf;
    buf_init(&buf, 8 * (system->text.len + value->text.len) + 64);
    token_put(&buf, system->text);
    buf_str(&buf, "%7C");
    token_put(&buf, value->text);
    struct bytes text = arena_copy(m->arena, buf_bytes(&buf));
    buf_fini(&buf);
    return text;
  }
  return BYTES_NONE;
}

static bool is_taken(const struct map *m, const struct resource *last, struct bytes identifier) {
  uint32_t looked = 0;
  for (const struct resource *r = m->resources; r != last && looked < 1000; r = r->next, looked++) {
    if (r->type == last->type && bytes_eq(r->identifier, identifier)) return true;
  }
  return false;
}

/* From the type, the sender and what identifies it; when nothing does, from the message and the
 * place in it. */
static struct bytes own_key(const struct resource *r) {
  const struct tree *identifiers = tree_get(r->tree, "identifier");
  const struct tree *value = identifiers ? tree_get(identifiers->first, "value") : NULL;
  if (r->key.len || !value || types[r->type].known != IDENTIFIER) return r->key;
  return value->text; /* without a system: the sender's own number */
}

static struct id derived(struct map *m, const struct resource *r, uint64_t ordinal, bool by_key) {
  struct bytes key = by_key ? own_key(r) : BYTES_NONE;
  struct buf buf;
  buf_init(&buf, key.len + 256);
  buf_str(&buf, types[r->type].word);
  buf_char(&buf, 0);
  if (key.len) {
    buf_put(&buf, hl7_value(m->message, &m->message->segments[0], 4, 1));
    buf_char(&buf, 0);
    buf_put(&buf, key);
    ordinal = 0;
  } else {
    buf_put(&buf, bytes_of(m->digest, sizeof m->digest));
  }
  struct id id = id_derive(buf_bytes(&buf), ordinal);
  buf_fini(&buf);
  return id;
}

struct map_ids { /* open addressing, half empty */
  struct id *slots;
  size_t room;
};

static bool map_ids_add(struct map_ids *ids, struct id id) {
  size_t at = (size_t)(bytes_hash(id_bytes(&id), 0) & (ids->room - 1));
  for (; !id_is_none(ids->slots[at]); at = (at + 1) & (ids->room - 1)) {
    if (id_eq(ids->slots[at], id)) return false;
  }
  ids->slots[at] = id;
  return true;
}

/* The same id twice in a bundle is refused: the second is known by its place. */
static void name_resource(struct map *m, struct resource *r, struct map_ids *ids,
                          uint64_t ordinal) {
  struct id id = derived(m, r, ordinal, true);
  if (!map_ids_add(ids, id)) {
    id = derived(m, r, ordinal, false);
    (void)!map_ids_add(ids, id);
  }
  id_text(id, r->id);
  if (types[r->type].known != IDENTIFIER) return;
  struct bytes identifier = identifier_of(m, r);
  if (identifier.len && !is_taken(m, r, identifier)) r->identifier = identifier;
}

void resource_names(struct map *m) {
  struct map_ids ids = {0};
  uint64_t ordinal = 0;
  while (ids.room < 2 * (size_t)m->resource_count) ids.room = ids.room ? ids.room * 2 : 64;
  ids.slots = ARENA_ARRAY(m->arena, struct id, ids.room);
  if (!ids.slots) return;
  for (struct resource *r = m->resources; r; r = r->next) name_resource(m, r, &ids, ordinal++);
}

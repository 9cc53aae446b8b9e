/* hl7/structure.c: a cursor walks the structure's elements while the message's segments go by.
 *
 * For each segment the cursor looks, from the innermost open group outwards:
 *
 *   1. ahead, to the end of that group (entering groups on the way);
 *   2. if the group may repeat, from its start: a new instance begins.
 *
 * What is found nowhere that way is looked for behind, in the open groups (out of order). */
#include "hl7/structure.h"

#include "base/must.h"

#include <string.h>

enum element_kind { ELEMENT_SEGMENT, ELEMENT_OPEN, ELEMENT_CLOSE };
enum use { USE_ONE, USE_MUST, USE_ANY, USE_MAYBE };

struct element {
  enum element_kind kind;
  enum use use;
  const char *name;
};

#define EVENT(...)
#define ONE(name) {ELEMENT_SEGMENT, USE_ONE, #name},
#define ANY(name) {ELEMENT_SEGMENT, USE_ANY, #name},
#define MAYBE(name) {ELEMENT_SEGMENT, USE_MAYBE, #name},
#define OPEN_MUST(name) {ELEMENT_OPEN, USE_MUST, #name},
#define OPEN_ANY(name) {ELEMENT_OPEN, USE_ANY, #name},
#define OPEN_MAYBE(name) {ELEMENT_OPEN, USE_MAYBE, #name},
#define CLOSE {ELEMENT_CLOSE, USE_ONE, NULL},
#define STRUCTURE(name) static const struct element name##_elements[] = {
#define DONE \
  { ELEMENT_CLOSE, USE_ONE, NULL } \
  } \
  ;
#include "hl7/structure.tbl"
#undef STRUCTURE
#undef DONE
#undef ONE
#undef ANY
#undef MAYBE
#undef OPEN_MUST
#undef OPEN_ANY
#undef OPEN_MAYBE
#undef CLOSE
#undef EVENT
#define ONE(name)
#define ANY(name)
#define MAYBE(name)
#define OPEN_MUST(name)
#define OPEN_ANY(name)
#define OPEN_MAYBE(name)
#define CLOSE
#define DONE
#define EVENT(...)
#define STRUCTURE(name) {#name, name##_elements, sizeof name##_elements / sizeof *name##_elements},

struct hl7_structure {
  const char *name;
  const struct element *elements; /* the last one closes the message */
  size_t count;
};
static const struct hl7_structure structures[] = {
#include "hl7/structure.tbl"
};
#undef STRUCTURE
#undef EVENT
#define STRUCTURE(name)
#define EVENT(message, events, structure) {message, events, #structure},
static const struct {
  const char *message, *events, *structure;
} events[] = {
#include "hl7/structure.tbl"
};

static const struct hl7_structure *by_name(struct bytes name) {
  for (size_t i = 0; i < sizeof structures / sizeof *structures; i++) {
    if (bytes_eq_str(name, structures[i].name)) return &structures[i];
  }
  return NULL;
}

const struct hl7_structure *hl7_structure_of(const struct hl7_message *message) {
  const struct hl7_segment *msh = &message->segments[0];
  struct bytes type = hl7_value(message, msh, 9, 1), event = hl7_value(message, msh, 9, 2);
  for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
    if (!bytes_eq_str(type, events[i].message)) continue;
    bool same = event.len == 3 &&
                bytes_find_bytes(bytes_str(events[i].events), event) < strlen(events[i].events);
    if (same) return by_name(bytes_str(events[i].structure));
  }
  return by_name(hl7_value(message, msh, 9, 3));
}

const char *hl7_structure_name(const struct hl7_structure *structure) {
  return structure->name;
}

/* ---- Matching ---- */

struct open_group {
  size_t start, end; /* its OPEN and its CLOSE */
  struct hl7_group group;
};

struct matcher {
  const struct hl7_structure *structure;
  size_t cursor;  /* the element matched last */
  uint32_t depth; /* open groups; the message itself is none */
  struct open_group open[HL7_GROUP_DEPTH];
  uint32_t *seen; /* per element that opens a group: instances within the present parent */
};

static size_t close_of(const struct hl7_structure *s, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < s->count; i++) {
    if (s->elements[i].kind == ELEMENT_OPEN) depth++;
    if (s->elements[i].kind == ELEMENT_CLOSE && --depth == 0) return i;
  }
  must(false);
  return 0;
}

static bool find(const struct hl7_structure *s, const char *name, size_t from, size_t end,
                 size_t *ret_at) {
  for (size_t i = from; i < end; i++) {
    const struct element *e = &s->elements[i];
    if (e->kind == ELEMENT_SEGMENT && strcmp(e->name, name) == 0) {
      *ret_at = i;
      return true;
    }
  }
  return false;
}

static bool may_repeat(enum use use) {
  return use == USE_ANY || use == USE_MUST;
}

/* Opens the groups between the innermost open one and `at`. */
static void enter(struct matcher *m, size_t at) {
  size_t from = m->depth ? m->open[m->depth - 1].start + 1 : 0;
  for (size_t i = from; i < at; i++) {
    if (m->structure->elements[i].kind != ELEMENT_OPEN) continue;
    size_t end = close_of(m->structure, i);
    if (end < at) {
      i = end;
      continue;
    }
    must(m->depth < HL7_GROUP_DEPTH);
    for (size_t k = i + 1; k < end; k++) m->seen[k] = 0;
    struct hl7_group group = {m->structure->elements[i].name, ++m->seen[i]};
    m->open[m->depth++] = (struct open_group){i, end, group};
  }
  m->cursor = at;
}

static bool seek(struct matcher *m, const char *name) {
  const struct hl7_structure *s = m->structure;
  size_t at;
  for (uint32_t depth = m->depth;; depth--) {
    const struct open_group *group = depth ? &m->open[depth - 1] : NULL;
    size_t end = group ? group->end : s->count - 1;
    /* Left groups end behind their CLOSE: nothing of them is ahead. */
    size_t from = depth < m->depth ? m->open[depth].end + 1 : m->cursor;
    if (from == m->cursor && s->elements[from].use != USE_ANY && m->depth == depth) from++;
    bool found = find(s, name, from, end, &at);
    if (!found && group && may_repeat(s->elements[group->start].use) &&
        find(s, name, group->start + 1, end, &at)) {
      m->depth = depth - 1;
      enter(m, at);
      return true;
    }
    if (found) {
      m->depth = depth;
      enter(m, at);
      return true;
    }
    if (!depth) return false;
  }
}

static bool is_behind(const struct matcher *m, const char *name) {
  size_t at;
  return find(m->structure, name, 0, m->structure->count, &at);
}

static void place_write(const struct matcher *m, enum hl7_fit fit, struct hl7_place *place) {
  place->fit = fit;
  place->depth = m->depth;
  for (uint32_t i = 0; i < m->depth; i++) place->groups[i] = m->open[i].group;
}

bool hl7_structure_match(struct arena *arena, const struct hl7_structure *structure,
                         const struct hl7_message *message, const struct hl7_place **ret_places,
                         struct err *err) {
  struct hl7_place *places = ARENA_ARRAY(arena, struct hl7_place, message->count);
  struct matcher m = {.structure = structure};
  if (structure) m.seen = ARENA_ARRAY(arena, uint32_t, structure->count);
  if (!places || (structure && !m.seen)) FAIL(ERR_LIMIT, "the message does not fit its arena");
  for (uint32_t i = 0; structure && i < message->count; i++) {
    const char *name = message->segments[i].name;
    bool first = i == 0; /* MSH: the cursor stands on it */
    bool found = first || seek(&m, name);
    enum hl7_fit fit = found ? HL7_FITS : is_behind(&m, name) ? HL7_OUT_OF_ORDER : HL7_UNKNOWN;
    place_write(&m, fit, &places[i]);
  }
  *ret_places = places;
  return true;
}

/* ---- What is missing ---- */

static bool has_segment(const struct hl7_message *message, const struct hl7_place *places,
                        const char *group, uint32_t depth, const char *name) {
  for (uint32_t i = 0; i < message->count; i++) {
    bool inside = !group || (places[i].depth >= depth && depth &&
                             strcmp(places[i].groups[depth - 1].name, group) == 0);
    if (inside && (!name || strcmp(message->segments[i].name, name) == 0)) return true;
  }
  return false;
}

const char *hl7_structure_missing(const struct hl7_structure *structure,
                                  const struct hl7_message *message, const struct hl7_place *places,
                                  uint32_t *at, const char **ret_group) {
  const char *groups[HL7_GROUP_DEPTH + 1] = {NULL};
  uint32_t depth = 0;
  for (uint32_t i = 0; i + 1 < structure->count; i++) {
    const struct element *e = &structure->elements[i];
    if (e->kind == ELEMENT_CLOSE) depth--;
    if (e->kind == ELEMENT_OPEN) groups[++depth] = e->name;
    bool asked = e->kind == ELEMENT_SEGMENT && e->use == USE_ONE && i >= *at;
    if (!asked || !has_segment(message, places, groups[depth], depth, NULL)) continue;
    if (has_segment(message, places, groups[depth], depth, e->name)) continue;
    *at = i + 1;
    *ret_group = groups[depth];
    return e->name;
  }
  return NULL;
}

/* ---- Paths with groups ---- */

/* A group's name is over three letters long, or holds '_': no segment's does. */
static size_t group_end(struct bytes text) {
  size_t len = 0;
  while (len < text.len && ((text.at[len] >= 'A' && text.at[len] <= 'Z') ||
                            (text.at[len] >= '0' && text.at[len] <= '9') || text.at[len] == '_')) {
    len++;
  }
  return len > 3 ? len : 0;
}

static bool index_read(struct bytes *rest, size_t at, uint32_t *ret_nth, struct err *err) {
  uint64_t nth;
  *ret_nth = 1;
  if (!rest->len || rest->at[0] != '[') return true;
  size_t close = bytes_find(*rest, ']');
  struct bytes inner = bytes_sub(*rest, 1, close - 1);
  if (close == rest->len) FAIL_AT(ERR_MALFORMED, at, "a bracket is not closed");
  if (bytes_eq_str(inner, "*")) {
    *ret_nth = HL7_EVERY;
  } else if (!bytes_u64(inner, &nth) || !nth || nth > HL7_PATH_NUMBER_MAX) {
    FAIL_AT(ERR_MALFORMED, at + 1, "a group's number is from 1 to %d, or *", HL7_PATH_NUMBER_MAX);
  } else {
    *ret_nth = (uint32_t)nth;
  }
  *rest = bytes_from(*rest, close + 1);
  return true;
}

bool hl7_group_path_parse(struct bytes text, struct hl7_group_path *ret_path, struct err *err) {
  struct hl7_group_path path = {0};
  struct bytes rest = text;
  size_t len;
  while ((len = group_end(rest)) != 0) {
    size_t at = text.len - rest.len;
    if (path.depth == HL7_GROUP_DEPTH || len >= sizeof path.names[0]) {
      FAIL_AT(ERR_MALFORMED, at, "no message has such groups");
    }
    bytes_text(bytes_sub(rest, 0, len), path.names[path.depth], sizeof path.names[0]);
    rest = bytes_from(rest, len);
    TRY(index_read(&rest, at + len, &path.groups[path.depth].nth, err));
    path.depth++;
    if (!rest.len || rest.at[0] != '.') {
      FAIL_AT(ERR_MALFORMED, text.len - rest.len, "behind a group stands a dot and a segment");
    }
    rest = bytes_from(rest, 1);
  }
  if (!hl7_path_parse(rest, &path.path, err)) {
    if (err && err->offset != ERR_OFFSET_NONE) err->offset += text.len - rest.len;
    return false;
  }
  *ret_path = path;
  return true;
}

/* How many of the place's groups the path reaches down to; 0 when it lies elsewhere. */
static uint32_t lies_in(const struct hl7_place *place, const struct hl7_group_path *path) {
  uint32_t at = 0; /* outer groups may be left out */
  for (uint32_t i = 0; i < path->depth; i++) {
    while (at < place->depth && strcmp(place->groups[at].name, path->names[i]) != 0) at++;
    if (at == place->depth) return 0;
    if (path->groups[i].nth != HL7_EVERY && place->groups[at].nth != path->groups[i].nth) return 0;
    at++;
  }
  return at;
}

static bool same_groups(const struct hl7_place *a, const struct hl7_place *b, uint32_t depth) {
  for (uint32_t i = 0; i < depth; i++) {
    if (a->groups[i].name != b->groups[i].name || a->groups[i].nth != b->groups[i].nth)
      return false;
  }
  return true;
}

void hl7_group_each(const struct hl7_message *message, const struct hl7_place *places,
                    const struct hl7_group_path *path, hl7_visit *visit, void *arg) {
  const struct hl7_place *last = NULL;
  uint32_t nth = 0;
  for (uint32_t i = 0; i < message->count; i++) {
    const struct hl7_segment *segment = &message->segments[i];
    uint32_t depth = lies_in(&places[i], path);
    bool meant = strcmp(segment->name, path->path.segment) == 0 && (depth || !path->depth);
    if (!meant) continue;
    if (last && !same_groups(last, &places[i], depth)) nth = 0;
    last = &places[i];
    nth++;
    if (path->path.segment_nth != HL7_EVERY && path->path.segment_nth != nth) continue;
    if (!hl7_each_in(message, segment, nth, &path->path, visit, arg)) return;
  }
}

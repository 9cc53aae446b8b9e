/* hl7/map_engine.c: runs a table over a value.
 *
 *   segment ─ fields ─ repetitions ─ components ─ subcomponents
 *
 * A rule whose source has a value (and whose condition holds) converts it and puts the result at a
 * place in the object; what was taken is marked, so that at a segment's end all that is not marked
 * can be listed. */
#include "hl7/map_parts.h"

#include "base/must.h"

#include <string.h>

#define TABLE(name) static const struct rule name##_rules[] = {
#define RULE(source, place, conversion, vocabulary, when) \
  {source, CONV_##conversion, VOCAB_##vocabulary, 0, place, when, NULL},
#define PARAM(text) {0, CONV_PARAM, 0, 0, NULL, NULL, text},
#define CONST(source, place, text, when) {source, CONV_CONST, 0, 0, place, when, text},
#define LITERAL(source, place, text, when) {source, CONV_LITERAL, 0, 0, place, when, text},
#define REFER(source, place, type, table, when) \
  {source, CONV_##table, 0, RESOURCE_##type, place, when, NULL},
#define END \
  { 0, CONV_PARAM, 0, 0, NULL, NULL, NULL } \
  } \
  ;
#include "hl7/map_datatype.tbl"
#include "hl7/map_segment.tbl"
#undef TABLE
#undef RULE
#undef PARAM
#undef CONST
#undef LITERAL
#undef REFER
#undef END
#define TABLE(name) [CONV_##name] = name##_rules,
#define RULE(...)
#define PARAM(...)
#define CONST(...)
#define LITERAL(...)
#define REFER(...)
#define END
static const struct rule *const tables[CONV_COUNT] = {
#include "hl7/map_datatype.tbl"
#include "hl7/map_segment.tbl"
};

static convert *const converters[CONV_TABLES] = {
#define CONVERT(name) [CONV_##name] = convert_##name,
#include "hl7/convert.tbl.h"
#undef CONVERT
};

/* ---- Values ---- */

struct value value_part(const struct map *m, struct value v, uint32_t nth) {
  switch (v.level) {
  case LEVEL_SEGMENT: return nth < m->field_count ? m->fields[nth] : (struct value){0};
  case LEVEL_FIELD: return (struct value){hl7_component(m->message, v.raw, nth), LEVEL_COMPONENT};
  case LEVEL_COMPONENT: return (struct value){hl7_subcomponent(m->message, v.raw, nth), LEVEL_LEAF};
  case LEVEL_LEAF: break;
  }
  return nth == 1 ? v : (struct value){BYTES_NONE, LEVEL_LEAF};
}

struct bytes value_leaf(const struct map *m, struct value v) {
  while (v.level != LEVEL_LEAF) v = value_part(m, v, 1);
  return hl7_is_null(v.raw) ? BYTES_NONE : v.raw;
}

struct bytes value_text(struct map *m, struct value v) {
  struct bytes leaf = value_leaf(m, v);
  if (!memchr(leaf.at ? leaf.at : (const uint8_t *)"", m->message->separators.escape, leaf.len)) {
    return bytes_trim(leaf);
  }
  return bytes_trim(hl7_text(m->arena, m->message, leaf));
}

/* Separators and blanks alone are no value; nor is the null that asks to delete. */
static bool has_value(const struct map *m, struct value v) {
  const struct hl7_separators *s = &m->message->separators;
  if (hl7_is_null(v.raw)) return false;
  for (size_t i = 0; i < v.raw.len; i++) {
    uint8_t c = v.raw.at[i];
    if (c != s->component && c != s->subcomponent && c != s->repetition && c != ' ') return true;
  }
  return false;
}

struct tree *map_string(struct map *m, struct bytes text) {
  return text.len ? tree_text(m->arena, TREE_STRING, text) : NULL;
}

struct tree *map_str(struct map *m, const char *text) {
  return map_string(m, bytes_str(text));
}

/* ---- What was taken ---- */

void map_mark(struct map *m, enum level level, uint32_t nth) {
  if (level == LEVEL_FIELD && nth < 32) m->used[m->field] |= 1u << nth;
  if (level == LEVEL_SEGMENT && nth < MAP_FIELDS_MAX) m->used[nth] |= 1;
}

void map_mark_all(struct map *m) {
  m->used[m->field] |= 1;
}

void map_left(struct map *m, uint32_t field, uint32_t repetition, uint32_t component) {
  if (m->left_count++ >= HL7_LEFT_MAX) return;
  struct hl7_left *left = ARENA_NEW(m->arena, struct hl7_left);
  if (!left) return;
  *left = (struct hl7_left){m->number, field, repetition, component, NULL};
  if (m->left_last) {
    m->left_last->next = left;
  } else {
    m->left = left;
  }
  m->left_last = left;
}

void map_segment_open(struct map *m, uint32_t index) {
  const struct hl7_segment *segment = &m->message->segments[index];
  bool header = strcmp(segment->name, "MSH") == 0;
  struct bytes rest = segment->raw;
  m->segment = segment;
  m->number = index + 1;
  m->field_count = 0;
  if (header) m->fields[m->field_count++] = (struct value){BYTES_NONE, LEVEL_FIELD};
  while (m->field_count < MAP_FIELDS_MAX && rest.at) {
    size_t len = bytes_find(rest, m->message->separators.field);
    m->fields[m->field_count++] = (struct value){bytes_sub(rest, 0, len), LEVEL_FIELD};
    rest = len < rest.len ? bytes_from(rest, len + 1) : BYTES_NONE;
  }
  if (header) m->fields[1].raw = bytes_sub(segment->raw, 3, 1);
  memset(m->used, 0, m->field_count * sizeof *m->used);
  memset(m->first_only, 0, m->field_count);
  memset(m->all, 0, m->field_count);
  m->used[0] = 1;
}

/* Components of the field that no rule took, each named once whatever repetition it is in. */
static void components_close(struct map *m, uint32_t field) {
  struct bytes rest = m->fields[field].raw;
  uint32_t done = m->used[field];
  while (rest.len && !(done & 1)) {
    struct bytes one = bytes_cut(rest, m->message->separators.repetition, &rest);
    for (uint32_t nth = 1; one.len && nth <= MAP_PARTS_MAX; nth++) {
      struct bytes part = bytes_cut(one, m->message->separators.component, &one);
      if (done & 1u << nth || !has_value(m, (struct value){part, LEVEL_COMPONENT})) continue;
      map_left(m, field, 0, nth);
      done |= 1u << nth;
    }
  }
}

void map_segment_close(struct map *m) {
  for (uint32_t field = 1; field < m->field_count; field++) {
    struct value v = m->fields[field];
    if (!v.raw.len || (!m->used[field] && !hl7_is_null(v.raw) && !has_value(m, v))) continue;
    if (!m->used[field]) {
      map_left(m, field, 0, 0);
      continue;
    }
    components_close(m, field);
    if (!m->first_only[field] || m->all[field]) continue;
    uint32_t repetitions = hl7_repetition_count(m->message, v.raw);
    for (uint32_t nth = 2; nth <= repetitions; nth++) map_left(m, field, nth, 0);
  }
  if (hl7_field_count(m->message, m->segment) >= MAP_FIELDS_MAX) map_left(m, MAP_FIELDS_MAX, 0, 0);
}

/* ---- Conditions ---- */

static bool is_one_of(struct bytes leaf, struct bytes list) {
  for (;;) {
    struct bytes word = bytes_cut(list, ',', &list);
    if (bytes_eq(word, leaf)) return true;
    if (!list.len) return false;
  }
}

static uint32_t number_read(struct bytes *rest) {
  uint32_t number = 0;
  while (rest->len && rest->at[0] >= '0' && rest->at[0] <= '9') {
    number = number * 10 + (rest->at[0] - '0');
    *rest = bytes_from(*rest, 1);
  }
  return number;
}

static bool term_holds(struct map *m, struct bytes term, struct value v) {
  bool not = term.at[0] == '!';
  struct value part;
  if (not ) term = bytes_from(term, 1);
  if (bytes_starts(term, BYTES("ORC-"))) {
    term = bytes_from(term, 4);
    struct bytes field = hl7_field(m->message, m->orc, number_read(&term));
    part = (struct value){field, LEVEL_FIELD};
  } else {
    part = value_part(m, v, number_read(&term));
  }
  if (term.len && term.at[0] == '.') {
    term = bytes_from(term, 1);
    struct bytes one = hl7_repetition(m->message, part.raw, 1);
    part = value_part(m, (struct value){one, part.level}, number_read(&term));
  }
  if (!term.len) return has_value(m, part) != not ;
  bool in = is_one_of(value_leaf(m, part), bytes_from(term, 1));
  return term.at[0] == '=' ? in : !in;
}

bool map_holds(struct map *m, const char *when, struct value v) {
  struct bytes rest = bytes_str(when);
  while (rest.len) {
    if (!term_holds(m, bytes_cut(rest, ' ', &rest), v)) return false;
  }
  return true;
}

/* ---- Running ---- */

static struct tree *converted(struct map *m, const struct rule *rule, struct value v) {
  const char *outer = m->param;
  struct tree *node;
  bool gives = rule[1].conv == CONV_PARAM && rule[1].text;
  if (gives) m->param = rule[1].text;
  if (rule->resource) {
    struct resource *resource =
        resource_support(m, (enum resource_type)rule->resource, (enum conv)rule->conv, v);
    node = resource ? resource_reference(m, resource) : NULL;
  } else if (rule->conv < CONV_TABLES) {
    node = converters[rule->conv](m, rule, v);
  } else {
    node = tree_new(m->arena, TREE_OBJECT);
    if (node) map_run(m, (enum conv)rule->conv, v, node);
    if (node && !node->first) node = NULL;
  }
  m->param = outer;
  return node;
}

static bool apply(struct map *m, const struct rule *rule, struct value v, struct tree *into) {
  struct tree *node = converted(m, rule, v);
  if (rule->conv == CONV_Used) return true;
  if (!node) return false;
  return tree_put(m->arena, into, rule->place, node);
}

static void apply_field(struct map *m, const struct rule *rule, struct value v, struct tree *into) {
  uint32_t field = rule->source, outer = m->field;
  bool whole = rule->conv == CONV_Used || rule->conv == CONV_Lines || rule->conv == CONV_Observed;
  bool many = whole || strchr(rule->place, '+') || rule->conv == CONV_Document;
  uint32_t count = whole ? 1 : hl7_repetition_count(m->message, v.raw);
  m->field = field;
  for (uint32_t nth = 1; nth <= count && (many || nth == 1); nth++) {
    struct bytes raw = whole ? v.raw : hl7_repetition(m->message, v.raw, nth);
    struct value one = {raw, LEVEL_FIELD};
    if (!has_value(m, one)) continue;
    if (apply(m, rule, one, into) && (many || nth == 1)) {
      if (rule->conv == CONV_Used) map_mark_all(m);
      if (rule->conv != CONV_Observed) (many ? m->all : m->first_only)[field] = 1;
    }
  }
  m->field = outer;
}

static void run_const(struct map *m, const struct rule *rule, struct tree *into) {
  const char *text = strcmp(rule->text, "$") == 0 ? m->param : rule->text;
  enum tree_kind kind = rule->conv == CONV_LITERAL ? TREE_LITERAL : TREE_STRING;
  if (text) tree_put(m->arena, into, rule->place, tree_text(m->arena, kind, bytes_str(text)));
}

static void run_rule(struct map *m, const struct rule *rule, struct value v, struct tree *into) {
  struct value part = rule->source == SELF ? v : value_part(m, v, rule->source);
  if (!has_value(m, part)) return;
  if (!map_holds(m, rule->when, v)) return;
  if (rule->conv == CONV_CONST || rule->conv == CONV_LITERAL) {
    run_const(m, rule, into);
    if (v.level == LEVEL_SEGMENT) m->used[rule->source] |= 2;
  } else if (v.level == LEVEL_SEGMENT) {
    apply_field(m, rule, part, into);
  } else if (apply(m, rule, part, into) && rule->source != SELF) {
    map_mark(m, v.level, rule->source);
  }
}

void map_run(struct map *m, enum conv table, struct value v, struct tree *into) {
  must(table > CONV_TABLES && table < CONV_COUNT);
  for (const struct rule *rule = tables[table]; rule->place; rule++) {
    if (rule->source == 0) {
      if (map_holds(m, rule->when, v)) run_const(m, rule, into);
    } else {
      run_rule(m, rule, v, into);
    }
    while (rule[1].conv == CONV_PARAM && rule[1].text) rule++;
  }
}

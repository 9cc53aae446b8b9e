/* fhir/terms.c: membership in value sets.
 *
 * A concept has a number, a system's concepts stand together, and a value set is a sorted list of
 * ranges of numbers. So a code is looked up in its system by hash, then its number in them.    */
#include "fhir/terms.h"

#include "base/must.h"
#include "fhir/tables.h"

#include <string.h>

static bool is_alpha(uint8_t c) {
  return (uint8_t)((c | 0x20) - 'a') < 26;
}

static bool is_digit(uint8_t c) {
  return (uint8_t)(c - '0') < 10;
}

const struct fhir_value_set *fhir_value_set_at(size_t index) {
  must(index < FHIR_VALUE_SETS);
  return &fhir_value_sets[index];
}

const struct fhir_system *fhir_system_at(size_t index) {
  must(index < FHIR_SYSTEMS);
  return &fhir_systems[index];
}

const struct fhir_concept *fhir_concept_at(size_t index) {
  must(index < FHIR_CONCEPTS);
  return &fhir_concepts[index];
}

const struct fhir_value_set *fhir_value_set_find(struct bytes url) {
  url = bytes_sub(url, 0, bytes_find(url, '|'));
  for (size_t at = fhir_hash(url);; at++) {
    size_t slot = fhir_value_set_slots[at % FHIR_VALUE_SET_SLOTS];
    if (slot == 0) return NULL;
    if (bytes_eq(fhir_text(fhir_value_sets[slot - 1].url), url)) return &fhir_value_sets[slot - 1];
  }
}

static const struct fhir_system *system_find(struct bytes url) {
  for (size_t at = fhir_hash(url);; at++) {
    size_t slot = fhir_system_slots[at % FHIR_SYSTEM_SLOTS];
    if (slot == 0) return NULL;
    if (bytes_eq(fhir_text(fhir_systems[slot - 1].url), url)) return &fhir_systems[slot - 1];
  }
}

const struct fhir_system *fhir_system_find(struct bytes url) {
  const struct fhir_system *found = system_find(url); /* HL7 v2 has versions of some tables */
  size_t bar = bytes_find(url, '|');
  return found || bar == url.len ? found : system_find(bytes_sub(url, 0, bar));
}

struct bytes fhir_concept_code(const struct fhir_concept *concept) {
  return bytes_of(fhir_terms + concept->code.at, concept->code.len);
}

struct bytes fhir_concept_display(const struct fhir_concept *concept) {
  return bytes_of(fhir_terms + concept->display.at, concept->display.len);
}

const struct fhir_concept *fhir_concept_find(const struct fhir_system *system, struct bytes code) {
  const uint16_t *slots = fhir_concept_slots + system->slot_first;
  const struct fhir_concept *concepts = fhir_concepts + system->concept_first;
  for (size_t at = fhir_hash(code);; at++) {
    size_t slot = slots[at & system->slot_mask];
    if (slot == 0) return NULL;
    if (bytes_eq(fhir_concept_code(&concepts[slot - 1]), code)) return &concepts[slot - 1];
  }
}

static bool has_number(const struct fhir_value_set *set, size_t number) {
  size_t low = set->range_first;
  size_t high = low + set->range_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct fhir_range *range = &fhir_ranges[middle];
    if (number < range->first)
      high = middle;
    else if (number - range->first < range->count)
      return true;
    else
      low = middle + 1;
  }
  return false;
}

static bool has_in(const struct fhir_value_set *set, const struct fhir_system *system,
                   struct bytes code) {
  const struct fhir_concept *concept = fhir_concept_find(system, code);
  return concept && has_number(set, (size_t)(concept - fhir_concepts));
}

/* BCP 13 (RFC 6838 §4.2): type/subtype, each a restricted name, then parameters. */
static bool is_mime(struct bytes code) {
  struct bytes rest;
  /* What CapabilityStatement.format may say for FHIR's own types. */
  if (bytes_eq_str(code, "json") || bytes_eq_str(code, "xml") || bytes_eq_str(code, "ttl"))
    return true;
  struct bytes type = bytes_cut(bytes_sub(code, 0, bytes_find(code, ';')), '/', &rest);
  struct bytes parts[] = {type, bytes_trim(rest)};
  for (size_t p = 0; p < 2; p++) {
    if (parts[p].len == 0) return false;
    for (size_t i = 0; i < parts[p].len; i++) {
      uint8_t c = parts[p].at[i];
      if (!is_alpha(c) && !is_digit(c) && !(c && strchr("!#$&-^_.+*", c))) return false;
    }
  }
  return true;
}

/* BCP 47 (RFC 5646 §2.1): subtags of letters and digits, at most eight, the first of letters. */
static bool is_language(struct bytes code) {
  for (bool first = true; first || code.len; first = false) {
    struct bytes rest;
    struct bytes tag = bytes_cut(code, '-', &rest);
    if (tag.len == 0 || tag.len > 8 || (code.len > tag.len && rest.len == 0)) return false;
    for (size_t i = 0; i < tag.len; i++)
      if (!is_alpha(tag.at[i]) && (first || !is_digit(tag.at[i]))) return false;
    code = rest;
  }
  return true;
}

static enum fhir_answer by_form(const struct fhir_value_set *set, struct bytes code) {
  switch ((enum fhir_syntax)set->syntax) {
  case FHIR_SYNTAX_MIME: return is_mime(code) ? FHIR_ANSWER_YES : FHIR_ANSWER_NO;
  case FHIR_SYNTAX_LANGUAGE: return is_language(code) ? FHIR_ANSWER_YES : FHIR_ANSWER_NO;
  case FHIR_SYNTAX_UCUM: return FHIR_ANSWER_UNKNOWN;
  case FHIR_SYNTAX_NONE: break;
  }
  return set->open ? FHIR_ANSWER_UNKNOWN : FHIR_ANSWER_NO;
}

enum fhir_answer fhir_value_set_has_code(const struct fhir_value_set *set, struct bytes code) {
  for (size_t i = 0; i < set->system_count; i++)
    if (has_in(set, &fhir_systems[fhir_set_systems[set->system_first + i]], code))
      return FHIR_ANSWER_YES;
  return by_form(set, code);
}

/* Which system a form belongs to. */
static bool system_has_form(struct bytes system, uint8_t syntax) {
  static const char *const systems[] = {"", "urn:ietf:bcp:13", "urn:ietf:bcp:47",
                                        "http://unitsofmeasure.org"};
  return syntax && bytes_eq_str(system, systems[syntax]);
}

enum fhir_answer fhir_value_set_has(const struct fhir_value_set *set, struct bytes system,
                                    struct bytes code) {
  const struct fhir_system *known = fhir_system_find(system);
  if (known && has_in(set, known, code)) return FHIR_ANSWER_YES;
  if (system_has_form(system, set->syntax)) return by_form(set, code);
  /* A set that is open takes more of a system of which not all is here. */
  return set->open && !(known && !known->open) ? FHIR_ANSWER_UNKNOWN : FHIR_ANSWER_NO;
}

const struct fhir_concept *fhir_value_set_concept(const struct fhir_value_set *set, size_t i) {
  for (size_t r = 0; r < set->range_count; r++) {
    const struct fhir_range *range = &fhir_ranges[set->range_first + r];
    if (i < range->count) return &fhir_concepts[range->first + i];
    i -= range->count;
  }
  return NULL;
}

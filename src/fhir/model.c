/* fhir/model.c: look-ups in the compiled definitions.
 *
 * Texts share one pool. Names are found in open hash tables, at most half full, whose slots hold an
 * index + 1; the generator hashes as fhir_hash does.                                             */
#include "fhir/model.h"

#include "base/must.h"
#include "fhir/tables.h"

#include <string.h>

static const uint64_t MULTIPLIER = 0x9e3779b97f4a7c15u;

struct bytes fhir_text(struct fhir_text text) {
  return bytes_of(fhir_texts + text.at, text.len);
}

static uint64_t load64(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static uint64_t load32(const uint8_t *at) {
  uint32_t word;
  memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap32(word);
#endif
  return word;
}

static uint64_t short_tail(struct bytes a) {
  if (a.len >= 4) return load32(a.at) | load32(a.at + a.len - 4) << 32;
  if (a.len == 0) return 0;
  return a.at[0] | (uint64_t)a.at[a.len / 2] << 8 | (uint64_t)a.at[a.len - 1] << 16;
}

uint64_t fhir_hash(struct bytes a) {
  uint64_t value = a.len * MULTIPLIER;
  uint64_t tail;
  if (a.len < 8) {
    tail = short_tail(a);
  } else {
    for (size_t at = 0; at + 8 < a.len; at += 8) {
      value = (value ^ load64(a.at + at)) * MULTIPLIER;
      value ^= value >> 32;
    }
    tail = load64(a.at + a.len - 8);
  }
  value = (value ^ tail) * MULTIPLIER;
  return value ^ value >> 32;
}

static bool text_is(struct fhir_text text, struct bytes a) {
  return text.len == a.len && (a.len == 0 || memcmp(fhir_texts + text.at, a.at, a.len) == 0);
}

const struct fhir_type *fhir_type_at(size_t id) {
  must(id < FHIR_TYPES);
  return &fhir_types[id];
}

const struct fhir_type *fhir_type_find(struct bytes name) {
  for (size_t at = fhir_hash(name);; at++) {
    size_t slot = fhir_type_slots[at % FHIR_TYPE_SLOTS];
    if (slot == 0) return NULL;
    if (text_is(fhir_types[slot - 1].name, name)) return &fhir_types[slot - 1];
  }
}

const struct fhir_type *fhir_resource_find(struct bytes name) {
  const struct fhir_type *type = fhir_type_find(name);
  bool concrete = type && type->kind == FHIR_KIND_RESOURCE && !(type->flags & FHIR_TYPE_ABSTRACT);
  return concrete ? type : NULL;
}

uint16_t fhir_type_id(const struct fhir_type *type) {
  return (uint16_t)(type - fhir_types);
}

bool fhir_type_is(const struct fhir_type *type, uint16_t base) {
  uint16_t id = fhir_type_id(type);
  while (id != base && id != FHIR_NONE) id = fhir_types[id].base;
  return id == base;
}

bool fhir_type_is_primitive(const struct fhir_type *type) {
  return type->kind == FHIR_KIND_PRIMITIVE;
}

const struct fhir_type *fhir_type_outer(const struct fhir_type *type) {
  struct bytes name = fhir_text(type->name);
  return type->kind == FHIR_KIND_NESTED ? fhir_type_find(bytes_sub(name, 0, bytes_find(name, '.')))
                                        : type;
}

const struct fhir_member *fhir_member_find(const struct fhir_type *type, struct bytes name) {
  const uint16_t *slots = fhir_member_slots + type->slot_first;
  const struct fhir_member *members = fhir_members + type->member_first;
  for (size_t at = fhir_hash(name);; at++) {
    size_t slot = slots[at & type->slot_mask];
    if (slot == 0) return NULL;
    if (text_is(members[slot - 1].name, name)) return &members[slot - 1];
  }
}

const struct fhir_member *fhir_member_at(size_t index) {
  must(index < FHIR_MEMBERS);
  return &fhir_members[index];
}

const struct fhir_element *fhir_element_at(size_t index) {
  must(index < FHIR_ELEMENTS);
  return &fhir_elements[index];
}

const struct fhir_element *fhir_element_find(const struct fhir_type *type, struct bytes name) {
  const struct fhir_member *member = fhir_member_find(type, name);
  return member ? &fhir_elements[member->element] : NULL;
}

const struct fhir_element_type *fhir_element_type(const struct fhir_element *element, size_t i) {
  must(i < element->type_count);
  return &fhir_element_types[element->type_first + i];
}

uint16_t fhir_target(const struct fhir_element_type *type, size_t i) {
  must(i < type->target_count);
  return fhir_targets[type->target_first + i];
}

const struct fhir_rule *fhir_type_rule(const struct fhir_type *type, size_t i) {
  must(i < type->rule_count);
  return &fhir_rules[fhir_rule_lists[type->rule_first + i]];
}

const struct fhir_rule *fhir_element_rule(const struct fhir_element *element, size_t i) {
  must(i < element->rule_count);
  return &fhir_rules[fhir_rule_lists[element->rule_first + i]];
}

const struct fhir_rule *fhir_rule_at(size_t index) {
  must(index < FHIR_RULES);
  return &fhir_rules[index];
}

uint16_t fhir_rule_id(const struct fhir_rule *rule) {
  return (uint16_t)(rule - fhir_rules);
}

static const struct fhir_parameter *own_parameter(const struct fhir_type *type, struct bytes code) {
  size_t low = type->parameter_first;
  size_t high = low + type->parameter_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = bytes_cmp(fhir_text(fhir_parameters[middle].code), code);
    if (order == 0) return &fhir_parameters[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const struct fhir_parameter *fhir_parameter_find(const struct fhir_type *type, struct bytes code) {
  for (;; type = &fhir_types[type->base]) {
    const struct fhir_parameter *found = own_parameter(type, code);
    if (found || type->base == FHIR_NONE) return found;
  }
}

const struct fhir_parameter *fhir_parameter_at(size_t index) {
  must(index < FHIR_PARAMETERS);
  return &fhir_parameters[index];
}

uint16_t fhir_parameter_target(const struct fhir_parameter *parameter, size_t i) {
  must(i < parameter->target_count);
  return fhir_parameter_targets[parameter->target_first + i];
}

const struct fhir_component *fhir_component(const struct fhir_parameter *parameter, size_t i) {
  must(i < parameter->component_count);
  return &fhir_components[parameter->component_first + i];
}

const struct fhir_parameter *fhir_compartment(const struct fhir_type *type, size_t i) {
  must(i < type->compartment_count);
  return &fhir_parameters[fhir_compartments[type->compartment_first + i]];
}

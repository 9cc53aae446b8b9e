/* wire/schema_unique.c: uniqueItems by hash; each comparison is a step, so items made to collide
 * end at the limit instead of costing the square. */
#include "wire/schema_inner.h"

#include "wire/json_number.h"

struct slot {
  const struct json *item;
  uint64_t hash;
};

/* Equal values have equal hashes: numbers by value, members in any order. */
static uint64_t hash_of(const struct json *value) {
  uint64_t hash = (uint64_t)value->kind * 0x9e3779b97f4a7c15u + value->count;
  if (value->kind == JSON_NUMBER) return hash + json_number_hash(value->text);
  if (value->kind == JSON_STRING) return bytes_hash(value->text, hash);
  for (const struct json *child = value->first; child; child = child->next) {
    if (value->kind == JSON_OBJECT)
      hash += bytes_hash(child->name, hash_of(child));
    else
      hash = (hash ^ hash_of(child)) * 0x9e3779b97f4a7c15u;
  }
  return hash;
}

static bool refuse(struct schema_run *run, const struct schema_node *node,
                   const struct json *item) {
  return schema_refuse(run, node, "uniqueItems", item, "an equal item stands before this one");
}

bool schema_check_unique(struct schema_run *run, const struct schema_node *node,
                         const struct json *value) {
  size_t room = 4;
  if (value->count < 2) return true;
  while (room < (size_t)value->count * 2) room *= 2;
  struct slot *slots = ARENA_ARRAY(&run->scratch, struct slot, room);
  if (!slots) return schema_give_up(run, node, value, "more than SCHEMA_SCRATCH_BYTES_MAX bytes");
  for (const struct json *item = value->first; item; item = item->next) {
    uint64_t hash = hash_of(item);
    size_t at = hash & (room - 1);
    for (; slots[at].item; at = (at + 1) & (room - 1)) {
      if (!schema_spend(run, node, value, 1)) return false;
      if (slots[at].hash == hash && json_eq(slots[at].item, item)) return refuse(run, node, item);
    }
    slots[at] = (struct slot){item, hash};
  }
  return true;
}

/* wire/schema_compile.c: each subschema becomes one node. References are put in a queue instead of
 * being followed, so neither long chains nor circles can exhaust the stack. */
#include "wire/schema_inner.h"

#include "wire/json_number.h"

#include <stdlib.h>

const char *const schema_type_names[SCHEMA_TYPE_COUNT] = {"null",   "boolean", "integer", "number",
                                                          "string", "array",   "object"};

void schema_set_init(struct schema_set *set, struct arena *arena) {
  *set = (struct schema_set){.arena = arena};
}

bool schema_add(struct schema_set *set, struct bytes uri, const struct json *root,
                struct err *err) {
  struct schema_document *document = ARENA_NEW(set->arena, struct schema_document);
  if (!document) FAIL(ERR_LIMIT, "schema: more memory than its arena allows");
  *document = (struct schema_document){.uri = uri, .root = root, .next = set->first};
  set->first = document;
  return true;
}

static bool memory_ok(struct schema_compiler *c, struct err *err) {
  if (!arena_ok(c->arena)) FAIL(ERR_LIMIT, "more memory than its arena allows");
  return true;
}

bool schema_node_of(struct schema_compiler *c, const struct json *json,
                    const struct schema_resource *resource, const struct schema_node **ret_node,
                    struct err *err) {
  struct schema_node *node = schema_address_get(&c->nodes, json);
  if (!node) {
    if (json->kind != JSON_OBJECT && json->kind != JSON_TRUE && json->kind != JSON_FALSE)
      FAIL_AT(ERR_INVALID, json->offset, "must be a schema: an object, true or false");
    if (c->node_count++ == SCHEMA_NODES_MAX)
      FAIL(ERR_LIMIT, "more than %d subschemas (SCHEMA_NODES_MAX)", SCHEMA_NODES_MAX);
    const struct schema_resource *home = schema_address_get(&c->homes, json);
    node = ARENA_NEW(c->arena, struct schema_node);
    TRY(memory_ok(c, err));
    *node = (struct schema_node){.source = json,
                                 .resource = home ? home : resource,
                                 .max_length = UINT64_MAX,
                                 .max_items = UINT64_MAX,
                                 .max_properties = UINT64_MAX,
                                 .min_contains = 1,
                                 .max_contains = UINT64_MAX};
    schema_address_put(&c->nodes, json, node);
    *c->queue_end = node;
    c->queue_end = &node->queued;
  }
  *ret_node = node;
  return true;
}

static bool take_list(struct schema_compiler *c, struct schema_node *node, const struct json *value,
                      struct schema_list *ret_list, struct err *err) {
  if (value->kind != JSON_ARRAY || value->count == 0)
    FAIL_AT(ERR_INVALID, value->offset, "must be a list of at least one schema");
  const struct schema_node **items =
      ARENA_ARRAY(c->arena, const struct schema_node *, (size_t)value->count);
  TRY(memory_ok(c, err));
  size_t count = 0;
  for (const struct json *child = value->first; child; child = child->next)
    TRY(schema_node_of(c, child, node->resource, &items[count++], err));
  *ret_list = (struct schema_list){items, count};
  return true;
}

static int entry_order(const void *a, const void *b) {
  const struct schema_entry *left = a;
  const struct schema_entry *right = b;
  if (left->name.len != right->name.len) return left->name.len < right->name.len ? -1 : 1;
  return bytes_cmp(left->name, right->name);
}

/* Entries with their names only, in the order of schema_map_find. */
static bool new_map(struct schema_compiler *c, const struct json *value, struct schema_map *ret_map,
                    struct err *err) {
  if (value->kind != JSON_OBJECT) FAIL_AT(ERR_INVALID, value->offset, "must be an object");
  struct schema_entry *entries = ARENA_ARRAY(c->arena, struct schema_entry, (size_t)value->count);
  TRY(memory_ok(c, err));
  size_t count = 0;
  for (const struct json *child = value->first; child; child = child->next)
    entries[count++].name = child->name;
  qsort(entries, count, sizeof *entries, entry_order);
  *ret_map = (struct schema_map){entries, count};
  return true;
}

static bool take_map(struct schema_compiler *c, struct schema_node *node, const struct json *value,
                     struct schema_map *ret_map, struct err *err) {
  struct schema_map map;
  TRY(new_map(c, value, &map, err));
  for (const struct json *child = value->first; child; child = child->next) {
    size_t at = (size_t)(schema_map_find(&map, child->name) - map.entries);
    TRY(schema_node_of(c, child, node->resource, &map.entries[at].node, err));
  }
  *ret_map = map;
  return true;
}

/* What no int64 holds no length reaches. */
static bool take_count(const struct json *value, uint64_t *ret_count, struct err *err) {
  int64_t count = INT64_MAX;
  bool ok = value->kind == JSON_NUMBER && json_number_is_integer(value->text) &&
            (json_int(value, &count) || value->text.at[0] != '-');
  if (!ok || count < 0) FAIL_AT(ERR_INVALID, value->offset, "must be an integer of at least 0");
  *ret_count = (uint64_t)count;
  return true;
}

static bool take_keyword(struct schema_compiler *c, struct schema_node *node,
                         const struct schema_keyword *keyword, const struct json *value,
                         struct err *err) {
  void *field = (char *)node + keyword->field;
  switch (keyword->shape) {
  case SHAPE_SCHEMA: return schema_node_of(c, value, node->resource, field, err);
  case SHAPE_SCHEMA_LIST: return take_list(c, node, value, field, err);
  case SHAPE_SCHEMA_MAP: TRY(take_map(c, node, value, field, err)); break;
  case SHAPE_COUNT: return take_count(value, field, err);
  case SHAPE_NUMBER:
    if (value->kind != JSON_NUMBER) FAIL_AT(ERR_INVALID, value->offset, "must be a number");
    *(struct bytes *)field = value->text;
    break;
  case SHAPE_OTHER: break;
  }
  return !keyword->take || keyword->take(c, node, value, err);
}

static bool fill(struct schema_compiler *c, struct schema_node *node, struct err *err) {
  if (node->source->kind != JSON_OBJECT) return true;
  for (const struct schema_keyword *keyword = schema_keywords; keyword->name; keyword++) {
    const struct json *value = json_get(node->source, keyword->name);
    bool applies = value && keyword->field != SCHEMA_FIELD_NONE &&
                   !(keyword->validation && node->resource->ignores_validation);
    c->document = node->resource->document;
    if (applies && !take_keyword(c, node, keyword, value, err)) {
      if (err->offset == ERR_OFFSET_NONE) err->offset = value->offset;
      return false;
    }
  }
  return true;
}

static bool compile(struct schema_compiler *c, const struct json *root,
                    const struct schema **ret_schema, struct err *err) {
  struct schema_resource *resource;
  struct schema *schema = ARENA_NEW(c->arena, struct schema);
  TRY(memory_ok(c, err));
  TRY(schema_register_root(c, root, c->options->uri, &resource, err));
  TRY(schema_node_of(c, root, resource, &schema->root, err));
  for (struct schema_node *node = c->queue; node; node = node->queued) TRY(fill(c, node, err));
  *ret_schema = schema;
  return true;
}

/* The detail begins with where in the schema; the offset is one in the document at fault. */
static void name_place(const struct schema_compiler *c, const struct err *from, struct err *err) {
  char pointer[SCHEMA_POINTER_BYTES / 2] = "";
  if (!err) return;
  if (from->offset != ERR_OFFSET_NONE)
    schema_pointer_text(c->document, from->offset, pointer, sizeof pointer);
  err_set(err, from->code, from->place, from->offset, "schema #%s: %s", pointer, from->detail);
}

bool schema_compile(struct arena *arena, const struct json *root,
                    const struct schema_options *options, const struct schema **ret_schema,
                    struct err *err) {
  static const struct schema_options none = {0};
  struct schema_compiler c = {.arena = arena, .options = options ? options : &none};
  struct err failure;
  err_clear(&failure);
  c.document = root;
  c.queue_end = &c.queue;
  /* The maps are as large as the schema, which its author hands in: no seed is needed. */
  struct map *const maps[] = {&c.resources, &c.anchors, &c.homes, &c.nodes};
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) map_init(maps[i], 0);
  bool ok = compile(&c, root, ret_schema, &failure);
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) map_fini(maps[i]);
  if (!ok) name_place(&c, &failure, err);
  return ok;
}

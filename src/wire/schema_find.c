/* wire/schema_find.c: every subschema of a document gets its home, the resource it belongs to;
 * identifiers and anchors become names; references become addresses. */
#include "wire/schema_inner.h"

#include "wire/codec.h"

#include <string.h>

static struct bytes address_key(const struct json *const *json) {
  return bytes_of(json, sizeof *json);
}

void *schema_address_get(const struct map *map, const struct json *json) {
  return map_get(map, address_key(&json));
}

void schema_address_put(struct map *map, const struct json *json, void *value) {
  map_put(map, address_key(&json), value);
}

static struct bytes anchor_key(struct schema_compiler *c, const struct schema_resource *resource,
                               struct bytes name) {
  return arena_printf(c->arena, "%.*s#%.*s", BYTES_FMT(resource->uri), BYTES_FMT(name));
}

static bool memory_ok(struct schema_compiler *c, struct err *err) {
  if (!arena_ok(c->arena)) FAIL(ERR_LIMIT, "more memory than its arena allows");
  return true;
}

static bool anchor_text(const struct json *value, struct bytes *ret_name, struct err *err) {
  struct bytes name = value->kind == JSON_STRING ? value->text : BYTES_NONE;
  bool ok = name.len > 0 && bytes_find(name, '/') == name.len && bytes_find(name, '#') == name.len;
  if (!ok) FAIL_AT(ERR_INVALID, value->offset, "an anchor must be a word");
  *ret_name = name;
  return true;
}

static bool add_anchor(struct schema_compiler *c, struct schema_resource *resource,
                       const struct json *schema, const struct json *value, struct err *err) {
  struct bytes name;
  TRY(anchor_text(value, &name, err));
  struct bytes key = anchor_key(c, resource, name);
  TRY(memory_ok(c, err));
  const struct json *before = map_put(&c->anchors, key, (void *)schema);
  if (before && before != schema)
    FAIL_AT(ERR_INVALID, value->offset, "this anchor stands twice in one schema");
  return true;
}

static bool add_dynamic(struct schema_compiler *c, struct schema_resource *resource,
                        const struct json *schema, const struct json *value, struct err *err) {
  TRY(add_anchor(c, resource, schema, value, err));
  struct schema_dynamic *dynamic = ARENA_NEW(c->arena, struct schema_dynamic);
  TRY(memory_ok(c, err));
  *dynamic = (struct schema_dynamic){.name = value->text, .next = resource->dynamics};
  TRY(schema_node_of(c, schema, resource, &dynamic->node, err));
  resource->dynamics = dynamic;
  return true;
}

/* Core §8.1.2: a required vocabulary that is not known refuses the schema. */
static bool take_vocabularies(struct schema_resource *resource, const struct json *meta,
                              const struct json *place, struct err *err) {
  static const char known[] = "https://json-schema.org/draft/2020-12/vocab/";
  static const char *const words[] = {
      "core",      "applicator",        "unevaluated",      "validation",
      "meta-data", "format-annotation", "format-assertion", "content"};
  const struct json *vocabulary = json_get(meta, "$vocabulary");
  if (!vocabulary) return true;
  resource->ignores_validation = true;
  for (const struct json *entry = vocabulary->first; entry; entry = entry->next) {
    struct bytes word = bytes_starts(entry->name, bytes_str(known))
                            ? bytes_from(entry->name, sizeof known - 1)
                            : BYTES_NONE;
    bool is_known = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
      is_known = is_known || bytes_eq_str(word, words[i]);
    if (!is_known && json_is_true(entry))
      FAIL_AT(ERR_UNSUPPORTED, place->offset, "its metaschema needs an unknown vocabulary");
    if (bytes_eq_str(word, "validation")) resource->ignores_validation = false;
    if (bytes_eq_str(word, "format-assertion")) resource->asserts_formats = true;
  }
  return true;
}

static const struct json *find_document(const struct schema_compiler *c, struct bytes uri) {
  const struct schema_set *set = c->options->documents;
  for (const struct schema_document *at = set ? set->first : NULL; at; at = at->next)
    if (bytes_eq(at->uri, uri) || bytes_eq(json_get_text(at->root, "$id"), uri)) return at->root;
  return NULL;
}

static bool take_dialect(struct schema_compiler *c, struct schema_resource *resource,
                         const struct json *schema, struct err *err) {
  const struct json *dialect = json_get(schema, "$schema");
  if (!dialect) return true;
  struct bytes uri = json_text(dialect);
  if (bytes_ends(uri, BYTES("#"))) uri.len--;
  if (bytes_eq_str(uri, schema_meta_uri)) return true;
  const struct json *meta = find_document(c, uri);
  if (!meta)
    FAIL_AT(ERR_UNSUPPORTED, dialect->offset, "$schema must be %s or a document handed in",
            schema_meta_uri);
  return take_vocabularies(resource, meta, dialect, err);
}

static bool new_resource(struct schema_compiler *c, const struct json *schema, struct bytes uri,
                         const struct schema_resource *outer, struct schema_resource **ret_resource,
                         struct err *err) {
  struct schema_resource *resource = ARENA_NEW(c->arena, struct schema_resource);
  TRY(memory_ok(c, err));
  *resource = (struct schema_resource){.uri = uri,
                                       .root = schema,
                                       .document = outer ? outer->document : schema,
                                       .ignores_validation = outer && outer->ignores_validation,
                                       .asserts_formats = outer ? outer->asserts_formats
                                                                : c->options->assert_formats};
  if (map_put(&c->resources, uri, resource))
    FAIL_AT(ERR_INVALID, schema->offset, "two schemas have the same $id");
  c->document = resource->document;
  TRY(take_dialect(c, resource, schema, err));
  *ret_resource = resource;
  return true;
}

static bool resolve_id(struct schema_compiler *c, struct bytes base, const struct json *id,
                       struct bytes *ret_uri, struct err *err) {
  if (id->kind != JSON_STRING || !schema_uri_valid(id->text, false))
    FAIL_AT(ERR_INVALID, id->offset, "$id must be a URI");
  struct bytes text = id->text;
  if (bytes_ends(text, BYTES("#"))) text.len--;
  if (bytes_find(text, '#') < text.len)
    FAIL_AT(ERR_INVALID, id->offset, "$id must not have a fragment");
  *ret_uri = schema_uri_resolve(c->arena, base, text);
  return memory_ok(c, err);
}

static bool walk(struct schema_compiler *c, const struct json *schema,
                 struct schema_resource *resource, struct err *err);

static bool walk_keyword(struct schema_compiler *c, const struct schema_keyword *keyword,
                         const struct json *value, struct schema_resource *resource,
                         struct err *err) {
  if (keyword->shape == SHAPE_SCHEMA) return walk(c, value, resource, err);
  bool many = (keyword->shape == SHAPE_SCHEMA_LIST && value->kind == JSON_ARRAY) ||
              (keyword->shape == SHAPE_SCHEMA_MAP && value->kind == JSON_OBJECT);
  for (const struct json *child = many ? value->first : NULL; child; child = child->next)
    TRY(walk(c, child, resource, err));
  return true;
}

static bool walk_members(struct schema_compiler *c, const struct json *schema,
                         struct schema_resource *resource, struct err *err) {
  const struct json *anchor = json_get(schema, "$anchor");
  const struct json *dynamic = json_get(schema, "$dynamicAnchor");
  schema_address_put(&c->homes, schema, resource);
  c->document = resource->document;
  if (anchor) TRY(add_anchor(c, resource, schema, anchor, err));
  if (dynamic) TRY(add_dynamic(c, resource, schema, dynamic, err));
  for (const struct schema_keyword *keyword = schema_keywords; keyword->name; keyword++) {
    const struct json *value = json_get(schema, keyword->name);
    if (value) TRY(walk_keyword(c, keyword, value, resource, err));
  }
  return true;
}

static bool walk(struct schema_compiler *c, const struct json *schema,
                 struct schema_resource *resource, struct err *err) {
  if (schema_address_get(&c->homes, schema)) return true;
  const struct json *id = json_get(schema, "$id");
  if (id) {
    struct bytes uri;
    TRY(resolve_id(c, resource->uri, id, &uri, err));
    TRY(new_resource(c, schema, uri, resource, &resource, err));
  }
  return walk_members(c, schema, resource, err);
}

/* The root is known by the URI it came under and by its own. */
bool schema_register_root(struct schema_compiler *c, const struct json *root, struct bytes uri,
                          struct schema_resource **ret_resource, struct err *err) {
  struct schema_resource *resource;
  struct bytes own = uri;
  const struct json *id = json_get(root, "$id");
  if (id) TRY(resolve_id(c, uri, id, &own, err));
  TRY(new_resource(c, root, own, NULL, &resource, err));
  if (!bytes_eq(own, uri)) map_put(&c->resources, uri, resource);
  TRY(walk_members(c, root, resource, err));
  *ret_resource = resource;
  return true;
}

static bool find_resource(struct schema_compiler *c, struct bytes uri,
                          struct schema_resource **ret_resource, struct err *err) {
  const struct json *root = NULL;
  *ret_resource = map_get(&c->resources, uri);
  if (*ret_resource) return true;
  if (bytes_eq_str(uri, schema_meta_uri))
    TRY(schema_meta_root(c, &root, err));
  else
    root = find_document(c, uri);
  if (!root)
    FAIL(ERR_NOT_FOUND, "nothing is known by the URI %.*s", (int)(uri.len % 150),
         (const char *)uri.at);
  return schema_register_root(c, root, uri, ret_resource, err);
}

static bool follow_pointer(struct schema_compiler *c, struct schema_resource *resource,
                           struct bytes fragment, struct schema_target *ret_target,
                           struct err *err) {
  struct buf buf;
  buf_init(&buf, fragment.len + 1);
  const struct json *json = NULL;
  if (percent_decode(&buf, fragment, false, NULL))
    json = json_pointer(resource->root, buf_bytes(&buf));
  buf_fini(&buf);
  if (!json) FAIL(ERR_NOT_FOUND, "a reference leads nowhere");
  /* Below a keyword that is not known nothing was registered yet. */
  TRY(walk(c, json, resource, err));
  *ret_target =
      (struct schema_target){.json = json, .resource = schema_address_get(&c->homes, json)};
  return true;
}

static bool follow_anchor(struct schema_compiler *c, struct schema_resource *resource,
                          struct bytes name, struct schema_target *ret_target, struct err *err) {
  const struct json *json = map_get(&c->anchors, anchor_key(c, resource, name));
  TRY(memory_ok(c, err));
  if (!json) FAIL(ERR_NOT_FOUND, "a reference leads to an anchor that is not there");
  bool dynamic = bytes_eq(json_get_text(json, "$dynamicAnchor"), name);
  *ret_target = (struct schema_target){
      .json = json, .resource = resource, .dynamic_name = dynamic ? name : BYTES_NONE};
  return true;
}

bool schema_resolve(struct schema_compiler *c, const struct schema_resource *base,
                    struct bytes reference, struct schema_target *ret_target, struct err *err) {
  struct schema_resource *resource;
  struct bytes fragment;
  struct bytes whole = schema_uri_resolve(c->arena, base->uri, reference);
  TRY(memory_ok(c, err));
  struct bytes uri = bytes_cut(whole, '#', &fragment);
  TRY(find_resource(c, uri, &resource, err));
  if (fragment.len == 0 || fragment.at[0] == '/')
    return follow_pointer(c, resource, fragment, ret_target, err);
  return follow_anchor(c, resource, fragment, ret_target, err);
}

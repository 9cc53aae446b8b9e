/* fhir/patch.c: JSON Patch. The document is copied into nodes of our own, which the operations
 * link anew; scalars stay as they were written. The copy is written when all have succeeded. */
#include "fhir/patch.h"

#include <string.h>

struct patching {
  struct arena *arena;
  struct json *root;
  size_t index; /* of the operation */
  size_t work;  /* nodes copied and passed by so far */
};

/* Where a pointer leads: `parent` holds it, NULL for the whole document. */
struct target {
  struct json *parent;
  struct json *before; /* the sibling before it, or NULL */
  struct json *found;  /* NULL: a place where something may be added */
  struct bytes name;
  size_t depth; /* of what is put there */
};

#define PATCH_FAIL(code, what) FAIL(code, "patch operation %zu: " what, p->index)

/* The links of our own copies may be changed; const is json.h's promise to its readers. */
static struct json *own(const struct json *node) {
  struct json *mine;
  memcpy(&mine, &node, sizeof mine);
  return mine;
}

static struct json *copy_tree(struct patching *p, const struct json *from, size_t depth) {
  struct json *copy = depth < JSON_DEPTH_MAX ? ARENA_NEW(p->arena, struct json) : NULL;
  struct json *last = NULL;
  p->work++;
  if (!copy || p->work > PATCH_WORK_MAX) return NULL;
  *copy = *from;
  copy->first = copy->next = NULL;
  for (const struct json *child = from->first; child; child = child->next) {
    struct json *mine = copy_tree(p, child, depth + 1);
    if (!mine) return NULL;
    if (last)
      last->next = mine;
    else
      copy->first = mine;
    last = mine;
  }
  return copy;
}

static bool copy_of(struct patching *p, const struct json *from, struct json **ret_copy,
                    struct err *err) {
  struct json *copy = copy_tree(p, from, 0);
  if (!copy) PATCH_FAIL(ERR_LIMIT, "the result is too large or too deep");
  *ret_copy = copy;
  return true;
}

/* RFC 6901 §4: ~1 is '/', ~0 is '~'; any other '~' is malformed. */
static bool unescape(struct patching *p, struct bytes token, struct bytes *ret_name,
                     struct err *err) {
  uint8_t *text = arena_alloc(p->arena, token.len + 1);
  size_t len = 0;
  if (!text) PATCH_FAIL(ERR_LIMIT, "no room is left");
  for (size_t i = 0; i < token.len; i++, len++) {
    text[len] = token.at[i];
    if (token.at[i] != '~') continue;
    uint8_t next = i + 1 < token.len ? token.at[++i] : 0;
    if (next != '0' && next != '1')
      PATCH_FAIL(ERR_INVALID, "the path has a '~' that means nothing");
    text[len] = next == '0' ? '~' : '/';
  }
  *ret_name = bytes_of(text, len);
  return true;
}

static void find_member(struct patching *p, struct target *t) {
  p->work += t->parent->count;
  for (const struct json *each = t->parent->first; each; each = each->next) {
    if (bytes_eq(each->name, t->name)) {
      t->found = own(each);
      break;
    }
    t->before = own(each);
  }
}

/* An index without leading zeros, at most the length; "-" is the place behind the last. */
static bool find_item(struct patching *p, struct target *t, struct err *err) {
  uint64_t index = t->parent->count;
  bool end = bytes_eq_str(t->name, "-");
  if (!end && (!bytes_u64(t->name, &index) || (t->name.len > 1 && t->name.at[0] == '0')))
    PATCH_FAIL(ERR_INVALID, "the path needs an index here");
  if (index > t->parent->count) PATCH_FAIL(ERR_INVALID, "the path's index is past the end");
  const struct json *each = t->parent->first;
  p->work += index;
  for (; index > 0; index--, each = each->next) t->before = own(each);
  t->found = each ? own(each) : NULL;
  return true;
}

static bool find(struct patching *p, struct bytes pointer, struct target *ret_target,
                 struct err *err) {
  struct target t = {.found = p->root};
  if (pointer.len && pointer.at[0] != '/') PATCH_FAIL(ERR_INVALID, "a path must begin with '/'");
  while (pointer.len) {
    struct bytes token;
    pointer = bytes_from(pointer, 1);
    token = bytes_sub(pointer, 0, bytes_find(pointer, '/'));
    pointer = bytes_from(pointer, token.len);
    if (!t.found) PATCH_FAIL(ERR_INVALID, "the path leads through what is not there");
    t = (struct target){.parent = t.found, .depth = t.depth + 1};
    TRY(unescape(p, token, &t.name, err));
    if (t.parent->kind == JSON_OBJECT)
      find_member(p, &t);
    else if (t.parent->kind == JSON_ARRAY)
      TRY(find_item(p, &t, err));
    else
      PATCH_FAIL(ERR_INVALID, "the path leads into a value that has no members");
  }
  *ret_target = t;
  return true;
}

/* A path to what is there. */
static bool find_there(struct patching *p, struct bytes pointer, struct target *ret_target,
                       struct err *err) {
  TRY(find(p, pointer, ret_target, err));
  if (!ret_target->found) PATCH_FAIL(ERR_INVALID, "nothing is at the path");
  return true;
}

static void unlink_target(struct target *t) {
  const struct json *next = t->found->next;
  if (t->before)
    t->before->next = next;
  else
    t->parent->first = next;
  t->parent->count--;
  t->found->next = NULL;
}

static void link_target(struct target *t, struct json *value) {
  value->name = t->parent->kind == JSON_OBJECT ? t->name : BYTES_NONE;
  value->next = t->before ? t->before->next : t->parent->first;
  if (t->before)
    t->before->next = value;
  else
    t->parent->first = value;
  t->parent->count++;
}

/* Levels of arrays and objects in it. */
static size_t depth_of(struct patching *p, const struct json *value, size_t above) {
  size_t deepest = above + (value->kind >= JSON_ARRAY);
  p->work++;
  for (const struct json *child = value->first; child; child = child->next) {
    size_t depth = depth_of(p, child, above + 1);
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

/* RFC 6902 §4.1: into an array it is inserted, in an object it takes the member's place. */
static bool put(struct patching *p, struct target *t, struct json *value, struct err *err) {
  if (t->depth + depth_of(p, value, 0) > JSON_DEPTH_MAX)
    PATCH_FAIL(ERR_LIMIT, "the result is too deep");
  if (!t->parent) {
    value->name = BYTES_NONE;
    value->next = NULL;
    p->root = value;
    return true;
  }
  if (t->parent->kind == JSON_OBJECT && t->found) unlink_target(t);
  link_target(t, value);
  return true;
}

static bool get_text(struct patching *p, const struct json *operation, const char *name,
                     struct bytes *ret_text, struct err *err) {
  const struct json *text = json_get(operation, name);
  if (!text || text->kind != JSON_STRING) PATCH_FAIL(ERR_INVALID, "op, path or from is missing");
  *ret_text = text->text;
  return true;
}

static bool get_value(struct patching *p, const struct json *operation, struct json **ret_value,
                      struct err *err) {
  const struct json *value = json_get(operation, "value");
  if (!value) PATCH_FAIL(ERR_INVALID, "the value is missing");
  return copy_of(p, value, ret_value, err);
}

/* ---- the operations ---- */

static bool do_add(struct patching *p, const struct json *operation, struct bytes path,
                   struct err *err) {
  struct target t;
  struct json *value;
  TRY(get_value(p, operation, &value, err));
  TRY(find(p, path, &t, err));
  return put(p, &t, value, err);
}

static bool do_remove(struct patching *p, const struct json *operation, struct bytes path,
                      struct err *err) {
  struct target t;
  (void)operation;
  TRY(find_there(p, path, &t, err));
  if (!t.parent) PATCH_FAIL(ERR_INVALID, "the whole document cannot be removed");
  unlink_target(&t);
  return true;
}

static bool do_replace(struct patching *p, const struct json *operation, struct bytes path,
                       struct err *err) {
  struct target t;
  struct json *value;
  TRY(get_value(p, operation, &value, err));
  TRY(find_there(p, path, &t, err));
  if (t.parent) unlink_target(&t);
  t.found = NULL;
  return put(p, &t, value, err);
}

static bool do_move(struct patching *p, const struct json *operation, struct bytes path,
                    struct err *err) {
  struct target from, to;
  struct bytes from_path;
  TRY(get_text(p, operation, "from", &from_path, err));
  TRY(find_there(p, from_path, &from, err));
  if (bytes_eq(from_path, path)) return true;
  /* §4.4: "The from location MUST NOT be a proper prefix of the path location" */
  if (!from.parent || (bytes_starts(path, from_path) && path.at[from_path.len] == '/'))
    PATCH_FAIL(ERR_INVALID, "a value cannot be moved into itself");
  unlink_target(&from);
  TRY(find(p, path, &to, err));
  return put(p, &to, from.found, err);
}

static bool do_copy(struct patching *p, const struct json *operation, struct bytes path,
                    struct err *err) {
  struct target from, to;
  struct bytes from_path;
  struct json *copy;
  TRY(get_text(p, operation, "from", &from_path, err));
  TRY(find_there(p, from_path, &from, err));
  TRY(copy_of(p, from.found, &copy, err));
  TRY(find(p, path, &to, err));
  return put(p, &to, copy, err);
}

static bool do_test(struct patching *p, const struct json *operation, struct bytes path,
                    struct err *err) {
  struct target t;
  struct json *value;
  TRY(get_value(p, operation, &value, err));
  TRY(find_there(p, path, &t, err));
  if (!json_eq(t.found, value)) PATCH_FAIL(ERR_PRECONDITION, "the test does not hold");
  return true;
}

static const struct {
  const char *op;
  bool (*run)(struct patching *p, const struct json *operation, struct bytes path, struct err *err);
} operations[] = {
    {"add", do_add},   {"remove", do_remove}, {"replace", do_replace},
    {"move", do_move}, {"copy", do_copy},     {"test", do_test},
};

static bool run_operation(struct patching *p, const struct json *operation, struct err *err) {
  struct bytes op, path;
  TRY(get_text(p, operation, "op", &op, err));
  TRY(get_text(p, operation, "path", &path, err));
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    if (bytes_eq_str(op, operations[i].op)) return operations[i].run(p, operation, path, err);
  PATCH_FAIL(ERR_INVALID, "there is no such op");
}

bool fhir_patch_json(struct arena *arena, const struct json *document, const struct json *patch,
                     struct buf *ret_text, struct err *err) {
  struct patching patching = {.arena = arena};
  struct patching *p = &patching;
  struct json_out out;
  if (patch->kind != JSON_ARRAY) FAIL(ERR_INVALID, "a JSON Patch is an array of operations");
  if (patch->count > PATCH_OPERATIONS_MAX)
    FAIL(ERR_LIMIT, "more than %d patch operations", PATCH_OPERATIONS_MAX);
  TRY(copy_of(p, document, &p->root, err));
  for (const struct json *each = patch->first; each; each = each->next, p->index++) {
    TRY(run_operation(p, each, err));
    if (p->work > PATCH_WORK_MAX) PATCH_FAIL(ERR_LIMIT, "more than PATCH_WORK_MAX steps");
  }
  json_out_init(&out, ret_text);
  json_out_value(&out, p->root);
  if (!buf_ok(ret_text)) FAIL(ERR_LIMIT, "the patched document is larger than its limit");
  return true;
}

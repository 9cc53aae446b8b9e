/* hl7/tree.c: small objects, so members are found by walking. */
#include "hl7/tree.h"

#include "wire/json.h"

#include <string.h>

struct tree *tree_new(struct arena *arena, enum tree_kind kind) {
  struct tree *node = ARENA_NEW(arena, struct tree);
  if (node) node->kind = kind;
  return node;
}

struct tree *tree_text(struct arena *arena, enum tree_kind kind, struct bytes text) {
  struct tree *node = tree_new(arena, kind);
  if (node) node->text = text;
  return node;
}

static struct tree *member(const struct tree *object, struct bytes name) {
  for (struct tree *node = object->first; node; node = node->next) {
    if (node->name.len == name.len && memcmp(node->name.at, name.at, name.len) == 0) return node;
  }
  return NULL;
}

const struct tree *tree_get(const struct tree *object, const char *name) {
  return object ? member(object, bytes_str(name)) : NULL;
}

static void append(struct tree *parent, struct tree *node) {
  node->next = NULL;
  if (parent->last) {
    parent->last->next = node;
  } else {
    parent->first = node;
  }
  parent->last = node;
}

static void replace(struct tree *there, struct tree *node) {
  struct tree *next = there->next;
  struct bytes name = there->name;
  *there = *node;
  there->next = next;
  there->name = name;
}

/* The word's member, made when it is not there; NULL when another kind is there. */
static struct tree *step(struct arena *arena, struct tree *object, struct bytes name,
                         enum tree_kind kind) {
  struct tree *node = member(object, name);
  if (node) return node->kind == kind ? node : NULL;
  node = tree_new(arena, kind);
  if (!node) return NULL;
  node->name = name;
  append(object, node);
  return node;
}

static bool take_members(struct tree *object, struct tree *node) {
  for (struct tree *next, *child = node->first; child; child = next) {
    struct tree *there = member(object, child->name);
    next = child->next;
    if (there) {
      replace(there, child);
    } else {
      append(object, child);
    }
  }
  return true;
}

static bool put_last(struct arena *arena, struct tree *object, struct bytes name, uint8_t mark,
                     struct tree *node) {
  if (mark) {
    struct tree *array = step(arena, object, name, TREE_ARRAY);
    if (!array) return false;
    if (mark == '*' && array->last && array->last->kind == TREE_OBJECT &&
        node->kind == TREE_OBJECT) {
      return take_members(array->last, node);
    }
    append(array, node);
    return true;
  }
  struct tree *there = member(object, name);
  if (there && there->kind == TREE_OBJECT && node->kind == TREE_OBJECT) {
    return take_members(there, node);
  }
  if (there) {
    replace(there, node);
    return true;
  }
  node->name = name;
  append(object, node);
  return true;
}

bool tree_put(struct arena *arena, struct tree *object, const char *place, struct tree *node) {
  if (!node || !object) return false;
  if (!*place) return take_members(object, node);
  for (;;) {
    size_t len = strcspn(place, ".");
    uint8_t mark = place[len - 1] == '+' || place[len - 1] == '*' ? (uint8_t)place[len - 1] : 0;
    struct bytes name = bytes_of(place, mark ? len - 1 : len);
    if (!place[len]) return put_last(arena, object, name, mark, node);
    place += len + 1;
    struct tree *next = step(arena, object, name, mark ? TREE_ARRAY : TREE_OBJECT);
    if (!next) return false;
    if (mark && (mark == '+' || !next->last)) {
      struct tree *item = tree_new(arena, TREE_OBJECT);
      if (!item) return false;
      append(next, item);
    }
    object = mark ? next->last : next;
    if (object->kind != TREE_OBJECT) return false;
  }
}

/* ---- Writing ---- */

/* Bytes that a JSON string cannot hold as they are. UTF-8 was checked when the message was read. */
static void string_write(struct buf *buf, struct bytes text) {
  size_t from = 0;
  buf_char(buf, '"');
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    buf_put(buf, bytes_sub(text, from, i - from));
    from = i + 1;
    if (c == '\n') {
      buf_str(buf, "\\n");
    } else if (c < 0x20) {
      buf_printf(buf, "\\u%04x", c);
    } else {
      buf_char(buf, '\\');
      buf_char(buf, c);
    }
  }
  buf_put(buf, bytes_from(text, from));
  buf_char(buf, '"');
}

void tree_write(struct buf *buf, const struct tree *node, tree_refer *refer) {
  switch (node->kind) {
  case TREE_STRING: string_write(buf, node->text); return;
  case TREE_LITERAL: buf_put(buf, node->text); return;
  case TREE_REFERENCE:
    buf_str(buf, "{\"reference\":\"");
    refer(buf, node->target);
    buf_str(buf, "\"}");
    return;
  case TREE_ARRAY:
  case TREE_OBJECT: break;
  }
  bool object = node->kind == TREE_OBJECT;
  buf_char(buf, object ? '{' : '[');
  for (const struct tree *child = node->first; child; child = child->next) {
    if (child != node->first) buf_char(buf, ',');
    if (object) {
      buf_char(buf, '"');
      buf_put(buf, child->name);
      buf_str(buf, "\":");
    }
    tree_write(buf, child, refer);
  }
  buf_char(buf, object ? '}' : ']');
}

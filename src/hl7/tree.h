/* hl7/tree.h: a JSON value while it is being put together.
 * Owns:    nodes live in the caller's arena; names and texts are borrowed, names for ever.
 * Errors:  none; the arena's overflow is sticky: check arena_ok at the end.
 * Threads: one at a time.
 * Limits:  the arena's.
 *
 * Places are words with dots: "name+.given+" puts a new item into given of a new item of name,
 * "name*.given+" into the last name (the first, when there is none).                             */
#ifndef MEDULLA_HL7_TREE_H
#define MEDULLA_HL7_TREE_H

#include "base/arena.h"
#include "base/buf.h"

enum tree_kind { TREE_OBJECT, TREE_ARRAY, TREE_STRING, TREE_LITERAL, TREE_REFERENCE };

struct tree {
  enum tree_kind kind;
  struct bytes name;  /* when the parent is an object */
  struct bytes text;  /* string; literal: number, true, false as they are written */
  const void *target; /* reference: whatever the caller means by it */
  struct tree *first, *last, *next;
};

struct tree *tree_new(struct arena *arena, enum tree_kind kind);
struct tree *tree_text(struct arena *arena, enum tree_kind kind, struct bytes text);
/* Puts the node at the place; an object there takes the members,
 * another value is replaced, an item is added. An empty place
 * takes the node's members into the object. A place that is taken by another kind stays as it is,
 * and false is the answer. */
bool tree_put(struct arena *arena, struct tree *object, const char *place, struct tree *node);
const struct tree *tree_get(const struct tree *object, const char *name);
/* As JSON. `refer` writes what stands for a reference. */
typedef void tree_refer(struct buf *buf, const void *target);
void tree_write(struct buf *buf, const struct tree *node, tree_refer *refer);

#endif

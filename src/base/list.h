/* base/list.h: an intrusive ring; a list head is a node too.
 * Owns:    nothing; nodes live inside their structs.
 * Threads: one at a time.                                 */
#ifndef MEDULLA_BASE_LIST_H
#define MEDULLA_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
  struct list *next, *prev;
};

static inline void list_init(struct list *node) {
  node->next = node->prev = node;
}

static inline bool list_empty(const struct list *head) {
  return head->next == head;
}

static inline void list_push(struct list *head, struct list *node) {
  node->prev = head->prev;
  node->next = head;
  head->prev->next = node;
  head->prev = node;
}

/* Harmless on a node that is alone. */
static inline void list_drop(struct list *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  list_init(node);
}

#define LIST_OF(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))
#define LIST_FIRST(head, type, member) \
  (list_empty(head) ? NULL : LIST_OF((head)->next, type, member))
/* Safe against dropping `it` in the body. */
#define LIST_EACH(it, head, type, member) \
  for (type *it = LIST_OF((head)->next, type, member), \
            *it##_next = LIST_OF(it->member.next, type, member); \
       &it->member != (head); it = it##_next, it##_next = LIST_OF(it->member.next, type, member))

#endif

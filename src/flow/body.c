/* flow/body.c: an event's bytes, shared and counted; past the cache's limit they are read again. */
#include "base/must.h"
#include "flow/world.h"

#include <stdlib.h>

struct body *body_new(struct flow *flow, const struct event *event) {
  struct body *body = must_alloc(sizeof *body);
  body->refs = 1;
  body->event = event_copy(event);
  body->bytes = sizeof *body + sizeof *event + event->envelope.len;
  flow->cached_bytes += body->bytes;
  return body;
}

struct body *body_ref(struct body *body) {
  body->refs++;
  return body;
}

void body_unref(struct flow *flow, struct body **body) {
  struct body *b = *body;
  *body = NULL;
  if (!b || --b->refs) return;
  flow->cached_bytes -= b->bytes;
  bytes_wipe((void *)(uintptr_t)b->event->envelope.at, b->event->envelope.len);
  free(b->event);
  free(b);
}

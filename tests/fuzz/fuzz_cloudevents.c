/* cloudevents_read_file, cloudevents_read_http: whatever is read can be written and read again,
 * and then is written the same. */
#include "base/must.h"
#include "wire/cloudevents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct arena *arena, const struct cloudevents *events) {
  for (size_t i = 0; i < events->count; i++) {
    struct buf one, two;
    struct cloudevents again;
    struct err err;
    buf_init(&one, 4 << 20);
    buf_init(&two, 4 << 20);
    cloudevents_write(&one, &events->events[i]);
    must(cloudevents_read_json(arena, buf_bytes(&one), false, 4 << 20, &again, &err) ||
         !arena_ok(arena));
    if (arena_ok(arena)) {
      cloudevents_write(&two, again.events);
      must(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
    }
    buf_fini(&one);
    buf_fini(&two);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct http_request request;
  struct arena arena;
  struct cloudevents events;
  struct http_parser parser = {0};
  struct err err;
  struct bytes input = bytes_of(data, size);
  size_t consumed;
  arena_init(&arena, 16 << 20);
  if (cloudevents_read_file(&arena, input, 0, &events, &err)) round_trip(&arena, &events);
  if (http_request_parse(&parser, input, &request, &consumed, &err) == HTTP_DONE &&
      cloudevents_read_http(&arena, &request.head, bytes_from(input, consumed), 0, &events, &err))
    round_trip(&arena, &events);
  arena_fini(&arena);
  return 0;
}

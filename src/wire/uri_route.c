/* wire/uri_route.c: route patterns, segment by segment. */
#include "wire/uri.h"

static bool name_valid(struct bytes name) {
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.at[i], letter = c | 0x20;
    bool word = (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!word) return false;
  }
  return name.len > 0;
}

static bool segment_read(struct bytes text, struct route_segment *segment, struct err *err) {
  bool braced = text.len >= 2 && text.at[0] == '{' && text.at[text.len - 1] == '}';
  segment->kind = ROUTE_LITERAL;
  segment->text = text;
  if (!braced) {
    bool brace = bytes_find(text, '{') < text.len || bytes_find(text, '}') < text.len;
    if (brace) FAIL(ERR_INVALID, "a capture like {name} fills a whole segment of a route");
    return true;
  }
  struct bytes name = bytes_sub(text, 1, text.len - 2);
  segment->kind = bytes_ends(name, BYTES("+")) ? ROUTE_REST : ROUTE_NAME;
  if (segment->kind == ROUTE_REST) name.len--;
  segment->text = name;
  if (!name_valid(name)) FAIL(ERR_INVALID, "a route's capture has a name of letters and digits");
  return true;
}

static bool name_is_new(const struct route *route, const struct route_segment *segment) {
  for (size_t i = 0; i < route->segment_count; i++)
    if (route->segments[i].kind != ROUTE_LITERAL &&
        bytes_eq(route->segments[i].text, segment->text))
      return false;
  return true;
}

bool route_parse(struct arena *arena, struct bytes pattern, struct route *ret_route,
                 struct err *err) {
  struct route route = {.pattern = arena_copy(arena, pattern)};
  struct bytes rest;
  TRY(uri_path_normalize(arena, pattern, &rest, err));
  rest = bytes_from(rest, 1);
  for (bool more = true; more;) {
    if (route.segment_count == ROUTE_SEGMENTS_MAX)
      FAIL(ERR_LIMIT, "a route has more segments than ROUTE_SEGMENTS_MAX");
    more = bytes_find(rest, '/') < rest.len;
    struct bytes text = bytes_cut(rest, '/', &rest);
    struct route_segment *segment = &route.segments[route.segment_count];
    TRY(segment_read(text, segment, err));
    if (segment->kind == ROUTE_REST && more)
      FAIL(ERR_INVALID, "{rest+} stands at the end of a route");
    if (segment->kind != ROUTE_LITERAL) {
      if (!name_is_new(&route, segment)) FAIL(ERR_INVALID, "two captures have the same name");
      route.capture_count++;
    }
    route.segment_count++;
  }
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the arena is full");
  *ret_route = route;
  return true;
}

bool route_match(const struct route *route, struct bytes path,
                 struct bytes ret_captures[ROUTE_SEGMENTS_MAX]) {
  size_t captures = 0;
  if (path.len == 0 || path.at[0] != '/') return false;
  struct bytes rest = bytes_from(path, 1);
  bool more = true;
  for (size_t i = 0; i < route->segment_count; i++) {
    const struct route_segment *segment = &route->segments[i];
    if (!more) return false;
    if (segment->kind == ROUTE_REST) {
      ret_captures[captures] = rest;
      return rest.len > 0;
    }
    more = bytes_find(rest, '/') < rest.len;
    struct bytes text = bytes_cut(rest, '/', &rest);
    if (segment->kind == ROUTE_LITERAL ? !bytes_eq(text, segment->text) : text.len == 0)
      return false;
    if (segment->kind == ROUTE_NAME) ret_captures[captures++] = text;
  }
  return !more;
}

struct bytes route_capture_name(const struct route *route, size_t index) {
  for (size_t i = 0; i < route->segment_count; i++)
    if (route->segments[i].kind != ROUTE_LITERAL && index-- == 0) return route->segments[i].text;
  return BYTES_NONE;
}

int route_compare(const struct route *a, const struct route *b) {
  size_t common = a->segment_count < b->segment_count ? a->segment_count : b->segment_count;
  for (size_t i = 0; i < common; i++) {
    const struct route_segment *left = &a->segments[i], *right = &b->segments[i];
    if (left->kind != right->kind) return left->kind < right->kind ? -1 : 1;
    int order = left->kind == ROUTE_LITERAL ? bytes_cmp(left->text, right->text) : 0;
    if (order) return order;
  }
  /* The longer pattern is the more specific one. */
  return (a->segment_count < b->segment_count) - (a->segment_count > b->segment_count);
}

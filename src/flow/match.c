/* flow/match.c: which functions an event is owed to, and under which order key. */
#include "base/must.h"
#include "flow/world.h"

struct matching {
  struct catalog *catalog;
  const struct json *tree;
  match_found *found;
  void *arg;
  struct function *seen[MATCH_FUNCTIONS_MAX];
  size_t count;
  struct err *err;
  bool failed;
};

/* The order key: the text at order_by, or its JSON when it is no text. */
static bool order_key(const struct matching *matching, const struct function *function,
                      struct bytes *ret_key, struct err *err) {
  const struct manifest_function *spec = function->live->spec;
  *ret_key = BYTES_NONE;
  if (spec->order_by.len == 0) return true;
  const struct json *value = json_path(matching->tree, spec->order_by);
  if (value && (value->kind == JSON_STRING || value->kind == JSON_NUMBER)) {
    *ret_key = value->text;
    return true;
  }
  if (spec->unordered_when_missing) return true;
  FAIL(ERR_INVALID,
       "%s is ordered by %.*s, which this event lacks (or set order_by_missing: unordered)",
       function->name, BYTES_FMT(spec->order_by));
}

static bool one_function(void *arg, struct function *function) {
  struct matching *matching = arg;
  struct bytes key;
  for (size_t i = 0; i < matching->count; i++)
    if (matching->seen[i] == function) return true;
  if (matching->count == MATCH_FUNCTIONS_MAX) {
    err_set(matching->err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE,
            "MATCH_FUNCTIONS_MAX: more than %d functions want this event", MATCH_FUNCTIONS_MAX);
    matching->failed = true;
    return false;
  }
  if (!order_key(matching, function, &key, matching->err)) {
    matching->failed = true;
    return false;
  }
  matching->seen[matching->count++] = function;
  matching->found(matching->arg, function, key);
  return true;
}

bool match_event(struct flow *flow, const struct event *event, const struct json *tree,
                 match_found *found, void *arg, struct err *err) {
  struct matching matching = {
      .catalog = flow->catalog, .tree = tree, .found = found, .arg = arg, .err = err};
  struct arena arena;
  arena_init(&arena, MATCH_ARENA_BYTES_MAX);
  bool parsed = tree || json_parse(&arena, event->envelope, &matching.tree, err);
  if (parsed) catalog_route(flow->catalog, matching.tree, one_function, &matching);
  arena_fini(&arena);
  return parsed && !matching.failed;
}

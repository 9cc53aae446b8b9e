/* model/router.c: shelves by key; a key is a letter for its kind, then what the filter fixes. No
 * event finds a filter on two shelves, so nothing has to be remembered while matching. */
#include "base/list.h"
#include "base/map.h"
#include "base/must.h"
#include "model/filter_parts.h"
#include "model/glob.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES_MAX = 512, PREFIX_BYTES_MAX = 255, PAIRS_MAX = 16 };

struct router {
  struct map shelves;                    /* by key */
  struct map targets;                    /* by pointer */
  size_t prefixes[PREFIX_BYTES_MAX + 1]; /* shelves by length of their prefix */
};

/* "S" type NUL source; "T" type; "P" prefix of a type; "R" the rest. */
struct key {
  uint8_t at[KEY_BYTES_MAX];
  size_t len;
};

struct shelf {
  struct list places;
  size_t key_bytes;
  uint8_t key[];
};

/* All filters of one target. */
struct target {
  struct list places;
  void *given;
};

/* One filter on one shelf. */
struct place {
  struct list on_shelf, of_target;
  const struct filter *filter;
  struct target *target;
  struct shelf *shelf;
};

static bool key_make(struct key *key, char kind, struct bytes a, const struct bytes *b) {
  size_t len = 1 + a.len + (b ? 1 + b->len : 0);
  if (len > sizeof key->at) return false;
  key->at[0] = (uint8_t)kind;
  if (a.len) memcpy(key->at + 1, a.at, a.len);
  if (b) key->at[1 + a.len] = 0;
  if (b && b->len) memcpy(key->at + 2 + a.len, b->at, b->len);
  key->len = len;
  return true;
}

static struct shelf *find_shelf(const struct router *router, const struct key *key) {
  return map_get(&router->shelves, bytes_of(key->at, key->len));
}

static struct shelf *make_shelf(struct router *router, const struct key *key) {
  struct shelf *shelf = must_alloc(sizeof *shelf + key->len);
  list_init(&shelf->places);
  shelf->key_bytes = key->len;
  memcpy(shelf->key, key->at, key->len);
  if (key->at[0] == 'P') router->prefixes[key->len - 1]++;
  map_put(&router->shelves, bytes_of(shelf->key, shelf->key_bytes), shelf);
  return shelf;
}

static void drop_shelf(struct router *router, struct shelf *shelf) {
  if (shelf->key[0] == 'P') router->prefixes[shelf->key_bytes - 1]--;
  map_drop(&router->shelves, bytes_of(shelf->key, shelf->key_bytes));
  free(shelf);
}

/* What is being filed. */
struct filing {
  struct router *router;
  const struct filter *filter;
  struct target *target;
};

static void put(const struct filing *filing, const struct key *key) {
  struct shelf *shelf = find_shelf(filing->router, key);
  if (!shelf) shelf = make_shelf(filing->router, key);
  struct place *place = must_alloc(sizeof *place);
  *place = (struct place){.filter = filing->filter, .target = filing->target, .shelf = shelf};
  list_push(&shelf->places, &place->on_shelf);
  list_push(&filing->target->places, &place->of_target);
}

/* The beginning that every text the test lets pass has; empty: there is none. */
static struct bytes plain_beginning(const struct filter_test *test) {
  if (test->op == FILTER_TEXT || test->op == FILTER_PREFIX)
    return bytes_sub(test->text, 0, PREFIX_BYTES_MAX);
  if (test->op != FILTER_GLOB) return BYTES_NONE;
  size_t plain = glob_literal_bytes(test->text);
  return bytes_sub(test->text, 0, plain < PREFIX_BYTES_MAX ? plain : PREFIX_BYTES_MAX);
}

/* Is the value said before, so that a second place would give the filter twice? */
static bool is_repeated(const struct filter_test *first, const struct filter_test *test) {
  for (; first != test; first = first->next)
    if (bytes_eq(first->text, test->text)) return true;
  return false;
}

/* Does another beginning in the list cover this one? What remains is free of common beginnings. */
static bool is_covered(const struct filter_test *first, const struct filter_test *test) {
  struct bytes mine = plain_beginning(test);
  bool before = true;
  for (const struct filter_test *other = first; other; other = other->next) {
    if (other == test) {
      before = false;
      continue;
    }
    struct bytes theirs = plain_beginning(other);
    if (bytes_starts(mine, theirs) && (theirs.len < mine.len || before)) return true;
  }
  return false;
}

/* How many values, when all are plain texts that fit a key; else 0. */
static size_t count_plain(const struct filter_rule *rule) {
  size_t count = 0;
  for (const struct filter_test *test = rule ? rule->tests : NULL; test; test = test->next) {
    if (test->op != FILTER_TEXT || test->text.len > KEY_BYTES_MAX / 2 - 1) return 0;
    count++;
  }
  return count;
}

static bool have_beginnings(const struct filter_rule *rule) {
  for (const struct filter_test *test = rule ? rule->tests : NULL; test; test = test->next)
    if (plain_beginning(test).len == 0) return false;
  return rule != NULL;
}

static void put_under_pairs(const struct filing *filing, const struct filter_test *type,
                            const struct filter_test *sources) {
  struct key key;
  for (const struct filter_test *source = sources; source; source = source->next) {
    if (is_repeated(sources, source)) continue;
    must(key_make(&key, 'S', type->text, &source->text));
    put(filing, &key);
  }
}

void router_add(struct router *router, const struct filter *filter, void *target) {
  const struct filter_rule *types = filter_rule_for(filter, "type");
  const struct filter_rule *sources = filter_rule_for(filter, "source");
  size_t type_count = count_plain(types), source_count = count_plain(sources);
  struct bytes pointer = bytes_of(&target, sizeof target);
  struct filing filing = {router, filter, map_get(&router->targets, pointer)};
  struct key key = {.at = {'R'}, .len = 1};
  if (!filing.target) {
    filing.target = must_alloc(sizeof *filing.target);
    list_init(&filing.target->places);
    filing.target->given = target;
    map_put(&router->targets, pointer, filing.target);
  }
  if (!type_count && !have_beginnings(types)) {
    put(&filing, &key);
    return;
  }
  bool in_pairs = type_count && source_count && type_count * source_count <= PAIRS_MAX;
  for (const struct filter_test *type = types->tests; type; type = type->next) {
    if (type_count ? is_repeated(types->tests, type) : is_covered(types->tests, type)) continue;
    if (in_pairs) {
      put_under_pairs(&filing, type, sources->tests);
      continue;
    }
    must(key_make(&key, type_count ? 'T' : 'P', type_count ? type->text : plain_beginning(type),
                  NULL));
    put(&filing, &key);
  }
}

void router_remove(struct router *router, const void *target) {
  struct target *known = map_drop(&router->targets, bytes_of(&target, sizeof target));
  if (!known) return;
  LIST_EACH (place, &known->places, struct place, of_target) {
    struct shelf *shelf = place->shelf;
    list_drop(&place->on_shelf);
    free(place);
    if (list_empty(&shelf->places)) drop_shelf(router, shelf);
  }
  free(known);
}

/* One matching under way. */
struct matching {
  const struct router *router;
  const struct json *envelope;
  bool (*visit)(void *arg, void *target);
  void *arg;
};

static bool look_on_shelf(const struct matching *matching, const struct key *key) {
  struct shelf *shelf = find_shelf(matching->router, key);
  if (!shelf) return true;
  LIST_EACH (place, &shelf->places, struct place, on_shelf) {
    if (!filter_matches(place->filter, matching->envelope)) continue;
    if (!matching->visit(matching->arg, place->target->given)) return false;
  }
  return true;
}

void router_match(const struct router *router, const struct json *envelope,
                  bool (*visit)(void *arg, void *target), void *arg) {
  const struct matching matching = {router, envelope, visit, arg};
  struct bytes type = json_get_text(envelope, "type");
  struct bytes source = json_get_text(envelope, "source");
  struct key key;
  if (key_make(&key, 'S', type, &source) && !look_on_shelf(&matching, &key)) return;
  if (key_make(&key, 'T', type, NULL) && !look_on_shelf(&matching, &key)) return;
  for (size_t len = 1; len <= PREFIX_BYTES_MAX && len <= type.len; len++) {
    if (!router->prefixes[len]) continue;
    must(key_make(&key, 'P', bytes_sub(type, 0, len), NULL));
    if (!look_on_shelf(&matching, &key)) return;
  }
  must(key_make(&key, 'R', BYTES_NONE, NULL));
  look_on_shelf(&matching, &key);
}

struct router *router_new(void) {
  struct router *router = must_alloc(sizeof *router);
  /* Events only look up; who may deploy fills the maps. A fixed seed serves. */
  map_init(&router->shelves, 1);
  map_init(&router->targets, 1);
  return router;
}

void router_free(struct router **router) {
  if (!*router) return;
  size_t at = 0;
  struct bytes key;
  void *found;
  while (map_next(&(*router)->targets, &at, &key, &found)) {
    struct target *target = found;
    LIST_EACH (place, &target->places, struct place, of_target) free(place);
    free(target);
  }
  at = 0;
  while (map_next(&(*router)->shelves, &at, &key, &found)) free(found);
  map_fini(&(*router)->targets);
  map_fini(&(*router)->shelves);
  free(*router);
  *router = NULL;
}

/* model/filter.h: trigger filters over the CloudEvents envelope, and the router that holds many.
 * Owns:    a filter lives in the arena it was parsed into, with copies of all it needs; a router
 *          owns its tables, never the filters and targets.
 * Units:   offsets into the text the tree was parsed from.
 * Errors:  filter_parse: INVALID (offset of the wrong part; detail says what is allowed), LIMIT.
 * Threads: a filter is never changed, any thread; a router: one thread at a time.
 * Limits:  FILTER_TERMS_MAX keys, FILTER_VALUES_MAX values, FILTER_DEPTH_MAX. Matching allocates
 *          nothing.
 * Source:  EventBridge event patterns.
 *
 *   type: org.example.vitals             every key must hold; "*" and "?" in a text make a glob,
 *   source: "ward/b*"                    a backslash takes the next character as it is
 *   type: [a, b]                         a list: any of them
 *   data.code: x  or  data: {code: x}    paths into the data
 *   data.value: {numeric: [">=", 7]}     also prefix, suffix, wildcard, exists, anything-but,
 *   source: {anything-but: [a, b]}       equals-ignore-case
 *
 * A field that holds an array matches when one of its items does; anything-but, when none of them
 * is what it names. A missing field matches {exists: false} alone; null is not missing.        */
#ifndef MEDULLA_MODEL_FILTER_H
#define MEDULLA_MODEL_FILTER_H

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"

#define FILTER_TERMS_MAX 32
#define FILTER_VALUES_MAX 512
#define FILTER_DEPTH_MAX 8

struct filter;
bool filter_parse(struct arena *arena, const struct json *spec, const struct filter **ret_filter,
                  struct err *err) MUST_CHECK;
bool filter_matches(const struct filter *filter, const struct json *envelope);

/* Many filters, each filed under the sharpest thing it fixes: type and source, type, the plain
 * beginning of a type pattern, or nothing. Routing costs by what may match, not by what is
 * deployed. */
struct router;
struct router *router_new(void);
void router_free(struct router **router);
/* `target` is handed to visit, once for each of its filters that matches. */
void router_add(struct router *router, const struct filter *filter, void *target);
void router_remove(struct router *router, const void *target); /* all of its filters */
/* Stops when visit returns false. The order is the same for the same additions and removals. */
void router_match(const struct router *router, const struct json *envelope,
                  bool (*visit)(void *arg, void *target), void *arg);

#endif

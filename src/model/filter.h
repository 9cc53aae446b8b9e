/* model/filter.h: trigger filters over the CloudEvents envelope, and the router that holds many.
 * Owns:    a filter lives in the arena it was parsed into; a router owns its tables, not its
 * arguments. Errors:  filter_parse: INVALID (which key, what is allowed). Threads: pure; a router:
 * one thread at a time. Limits:  FILTER_TERMS_MAX terms per filter.
 *
 * {type: "org.example.vitals", source: "ward/ *", data.status: [final, amended]}: every member must
 * hold; a list means any of; a text with '*' is a glob; an object holds operators (prefix, suffix,
 * anything-but, numeric, exists).                                                               */
#ifndef MEDULLA_MODEL_FILTER_H
#define MEDULLA_MODEL_FILTER_H

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"

#define FILTER_TERMS_MAX 32

struct filter;
bool filter_parse(struct arena *arena, const struct json *spec, const struct filter **ret_filter,
                  struct err *err) MUST_CHECK;
bool filter_matches(const struct filter *filter, const struct json *envelope);

/* Many filters, indexed by exact type: routing costs by what may match, not by what is deployed. */
struct router;
struct router *router_new(void);
void router_free(struct router **router);
/* `target` is handed to visit; the same target may have several filters. */
void router_add(struct router *router, const struct filter *filter, void *target);
void router_remove(struct router *router, const void *target); /* all of its filters */
/* Stops when visit returns false. */
void router_match(const struct router *router, const struct json *envelope,
                  bool (*visit)(void *arg, void *target), void *arg);

#endif

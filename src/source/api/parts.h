/* source/api/parts.h: what the api's own files share.
 * Owns:    see api.h.
 * Errors:  see api.h.
 * Threads: the loop's thread.                       */
#ifndef MEDULLA_SOURCE_API_PARTS_H
#define MEDULLA_SOURCE_API_PARTS_H

#include "source/api/api.h"

struct fn_table;

struct api {
  struct api_options options;
  struct http_server *server;
  struct compiled_route *routes;
  size_t route_count;
  struct arena arena;
  struct fn_table *fn;
  struct list followers;
  struct principal dev; /* who an anonymous caller is with --dev */
};

/* door.c: NULL: answered. */
const struct principal *door_open(struct api_call *call, enum act act);
/* door_aws.c: by the request's AWS signature. */
bool door_aws(struct api_call *call, const struct principal **ret_principal,
              struct err *err) MUST_CHECK;
/* Denied: on record, then answered. */
void door_deny(struct api_call *call, enum err_code code, struct bytes who, const char *what);

/* The tables of routes, one per file. */
#define API_TABLES(T) \
  T(events) \
  T(follow) \
  T(invoke) \
  T(fn) \
  T(admin_alias) \
  T(admin_deploy) \
  T(admin_runs) \
  T(admin_usage) T(admin_dead) T(admin_outbox) T(admin_access) T(admin_system)
#define T(name) \
  extern const struct api_route name##_routes[]; \
  extern const size_t name##_route_count;
API_TABLES(T)
#undef T
#define API_ROUTE_COUNT(name) \
  const size_t name##_route_count = sizeof name##_routes / sizeof *name##_routes;

/* admin_outbox.c: "messages": the dead ones of this function (or all) the caller may see. */
bool admin_outbox_dead(struct store_reader *reader, const struct principal *principal,
                       struct bytes function, struct json_out *out, struct err *err) MUST_CHECK;

/* fn.c */
void fn_routes_build(struct api *api);
void fn_routes_free(struct api *api);

#endif

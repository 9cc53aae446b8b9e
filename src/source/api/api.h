/* source/api/api.h: the HTTP door: who is it, may they, which handler.
 * Owns:    the route table; each exchange until it is answered.
 * Units:   UTC milliseconds, bytes.
 * Errors:  answered as {"error":{"code","message"}} with the status of base/err.tbl.h.
 * Threads: the loop's thread.
 * Limits:  API_BODY_BYTES_MAX unless a route streams or names its own.
 *
 * One table (api.c) says for every route: method, pattern, the act it is, the handler. A handler is
 * only called for a principal that may do the act. Denials are on record.                       */
#ifndef MEDULLA_SOURCE_API_API_H
#define MEDULLA_SOURCE_API_API_H

#include "effect/outbox.h"
#include "flow/flow.h"
#include "source/api/principal.h"
#include "source/http/server.h"
#include "wire/sigv4.h"
#include "wire/uri.h"

#define API_BODY_BYTES_MAX (6u << 20) /* Lambda's synchronous limit */

struct api;
struct api_call;
struct api_route;

/* A request signed by AWS's scheme, verified but for a body that is still to come. */
struct api_aws {
  struct sigv4 claim;
  uint8_t key[SHA256_BYTES];
};

/* What a handler gets. Lives until the exchange is answered. */
struct api_call {
  struct api *api;
  struct http_exchange *x;
  const struct api_route *route;
  const struct principal *principal;
  struct bytes path;                         /* in normal form */
  struct bytes captures[ROUTE_SEGMENTS_MAX]; /* decoded */
  struct flow_reply reply;                   /* for handlers that wait for the flow */
  void *own;                                 /* the handler's own, in the exchange's arena */
  const struct api_aws *aws;                 /* NULL: no AWS signature */
  void *source;                              /* what api_add was given with the route */
};
typedef void api_handler(struct api_call *call);

struct api_route {
  const char *method; /* "*": any */
  const char *pattern;
  enum act act;
  api_handler *handler;
  uint64_t body_bytes_max; /* 0: API_BODY_BYTES_MAX; HTTP_BODY_STREAMED: the handler takes it */
  bool checks_body;        /* the handler holds a streamed body to its AWS signature */
  /* Optional: how this route says no; NULL: {"error":{"code","message"}}. */
  void (*fail)(struct api_call *call, const struct err *err, int64_t retry_after_ms);
};

struct api_options {
  struct loop *loop;
  struct flow *flow;
  struct store *store;
  struct disk *disk;
  const struct clock_port *clock;
  const struct random_port *random;
  struct principals *principals;
  struct outbox *outbox; /* Optional: what an administrator redrives messages with */
  bool dev;              /* anonymous loopback is admin */
  const char *address;
  struct tls_server *tls; /* Optional: HTTPS there */
  /* Optional: prices for usage, facts for doctor and metrics, filled in by the app. */
  void (*metrics)(void *arg, struct buf *out);
  void (*doctor)(void *arg, struct json_out *out);
  void *arg;
};
bool api_open(const struct api_options *options, struct api **ret_api, struct err *err) MUST_CHECK;
const char *api_address(const struct api *api);
void api_drain(struct api *api, void (*done)(void *arg), void *arg);
void api_close(struct api **api);
const struct api_options *api_options(const struct api *api);
struct http_server_load api_load(const struct api *api);

/* More routes (object, queue, telemetry); the array outlives the api. Calls to them carry
 * `source`. */
void api_add(struct api *api, const struct api_route *routes, size_t count, void *source);
/* Routes of functions have changed. */
void api_catalog_changed(struct api *api);

/* Answers. */
void api_json(struct api_call *call, int status, struct bytes json);
void api_fail(struct api_call *call, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* err with Retry-After where it says so. */
void api_fail_err(struct api_call *call, const struct err *err, int64_t retry_after_ms);
/* Checks that the principal may touch this app or function; false: answered and on record. */
bool api_may_app(struct api_call *call, struct bytes name) MUST_CHECK;
/* A query parameter, decoded, in the exchange's arena; at NULL when missing. */
struct bytes api_query(struct api_call *call, const char *name);
/* The traceparent header, where it is a proper one. */
struct bytes api_trace(const struct api_call *call);
/* Whether a filter ("", APP, FUNCTION or APP/FUNCTION) means this function. */
bool api_wants(struct bytes filter, struct bytes app, struct bytes function);
/* The body as JSON; false: answered. */
bool api_body_json(struct api_call *call, const struct json **ret_tree) MUST_CHECK;
/* The first capture as an id; false: answered. */
bool api_capture_id(struct api_call *call, struct id *ret_id) MUST_CHECK;
struct arena *api_arena(struct api_call *call);

/* follow.c: runs and logs as they happen, to whoever follows them. */
void api_publish_run(struct api *api, const struct run_record *run);
void api_publish_log(struct api *api, const struct run_record *run, enum guest_level level,
                     int64_t at_ms, struct bytes line);

#endif

/* source/http/connection.h: what the files of the HTTP server share; nobody else includes it.
 * Owns:    a server its connections and exchanges; a connection its stream and its exchange.
 * Units:   as in server.h.
 * Errors:  none.
 * Threads: the loop's.
 * Limits:  CONNECTION_* and EXCHANGE_* below.                                                   */
#ifndef MEDULLA_SOURCE_HTTP_CONNECTION_H
#define MEDULLA_SOURCE_HTTP_CONNECTION_H

#include "base/list.h"
#include "source/http/server.h"

enum {
  CONNECTION_READ_BYTES = 64 << 10,
  CONNECTION_LINGER_MS = 2000,
  CONNECTION_REFUSALS_MAX = 64, /* connections over the limit that still get their 503 */
  EXCHANGE_IN_BYTES_MAX = 192 << 10,
  EXCHANGE_SPARE_MAX = 128,
  EXCHANGE_KEEP_BYTES_MAX = 64 << 10, /* a spare exchange keeps no larger buffer */
};

/*            .--------------------------------------------------------------.
 *            v                                                              |
 *   IDLE -> HEAD -> BODY -> HANDLING -> SENDING -> FLUSHED -> IDLE          | pipelined
 *    |       |       |          |           |        |  '-------------------'
 *    |       |       '----------+-> ........'        '---> LINGER -> OVER
 *    |       '----- fault: answered by us -^
 *    '--> OVER        from anywhere, when the client breaks off
 *
 * STEP(name, successors) */
#define CONNECTION_STEPS(STEP) \
  STEP(IDLE, BIT(HEAD) | BIT(OVER)) \
  STEP(HEAD, BIT(BODY) | BIT(HANDLING) | BIT(SENDING) | BIT(OVER)) \
  STEP(BODY, BIT(HANDLING) | BIT(SENDING) | BIT(OVER)) \
  STEP(HANDLING, BIT(SENDING) | BIT(OVER)) \
  STEP(SENDING, BIT(FLUSHED) | BIT(OVER)) \
  STEP(FLUSHED, BIT(IDLE) | BIT(HEAD) | BIT(LINGER) | BIT(OVER)) \
  STEP(LINGER, BIT(OVER)) \
  STEP(OVER, 0)

enum connection_step {
#define STEP(name, successors) CONNECTION_##name,
  CONNECTION_STEPS(STEP)
#undef STEP
};

struct connection {
  struct http_server *server;
  struct stream *stream;
  struct http_exchange *x; /* NULL when idle or lingering */
  struct list link;
  struct loop_timer timer; /* fires at the deadline or before; or now, when `again` */
  int64_t deadline_ns;
  enum connection_step step;
  unsigned wanted; /* interest given to the stream */
  bool driving;    /* connection_drive is on the stack: it goes on by itself */
  bool again;      /* there is something to do without an event */
  bool broken;     /* the stream failed; told by the loop, not in the middle of a call */
  bool refused;    /* over connections_max: any request is answered 503 */
  char peer[NET_ADDRESS_BYTES];
};

struct http_exchange {
  struct http_server *server;    /* NULL: closed meanwhile */
  struct connection *connection; /* NULL: the client is gone */
  struct list link;              /* in server->exchanges or server->spare */
  struct http_parser parser;
  struct http_request request;
  /* Input: the head and what came with it, fixed once the head is parsed, for slices point into
   * it; unused from in_at. What came later and could not be used yet is in `rest`, from rest_at;
   * nothing is read while either has something. */
  struct buf in, rest;
  size_t in_at, rest_at;
  struct buf body; /* buffered, unless `whole` points into `in` */
  struct bytes whole;
  struct buf out; /* what the socket did not take yet, from out_at */
  size_t out_at;
  struct arena arena;
  struct http_chunked chunked;
  uint64_t body_left;  /* of a known length */
  uint64_t body_bytes; /* so far */
  uint64_t body_max;
  uint64_t reply_left; /* of a known length */
  uint64_t progress_mark;
  struct http_sink sink;
  void (*gone)(struct http_exchange *x);
  void (*writable)(struct http_exchange *x);
  void *owner;
  bool handed;  /* the handler has it */
  bool replied; /* the answer has begun */
  bool ended;   /* the answer is complete; the exchange is ours again */
  bool body_done;
  bool late; /* the client took too long: 408 rather than 504 */
  bool streamed, paused, full;
  bool chunked_out, counted_out; /* how the answer is framed; neither: until the end */
  bool head_only;                /* no body goes out, whatever is written */
  bool certified;                /* `certificate` is set */
  uint8_t certificate[SHA256_BYTES];
  bool close; /* the connection ends with this exchange */
  char peer[NET_ADDRESS_BYTES];
};

struct http_server {
  struct http_server_options options;
  struct loop_watch listener; /* fd -1: none */
  struct loop_timer accept_timer;
  struct list connections, exchanges, spare;
  uint32_t spare_count, refusals;
  struct http_server_load load;
  struct http_date date;
  bool draining;
  void (*drained)(void *arg);
  void *drained_arg;
  char address[NET_ADDRESS_BYTES];
  uint8_t scratch[CONNECTION_READ_BYTES]; /* what was just read; wiped after use */
};

/* connection.c */
void connection_new(struct http_server *server, struct stream *stream, const char *peer,
                    bool refused);
void connection_move(struct connection *c, enum connection_step step);
void connection_want(struct connection *c, unsigned interest);
void connection_deadline(struct connection *c, uint32_t after_ms); /* 0: none */
void connection_again(struct connection *c);
void connection_break(struct connection *c);
void connection_end(struct connection *c);
/* The answer is out; go on with whatever comes next, unless the loop's turn does so anyway. */
void connection_continue(struct connection *c);

/* accept.c */
void server_connection_ended(struct http_server *server, bool refused);

/* exchange.c */
struct http_exchange *exchange_take(struct connection *c);
void exchange_release(struct http_exchange **x);
/* The client has left: tell the handler when it is his. */
void exchange_orphan(struct http_exchange *x);
struct bytes exchange_pending(const struct http_exchange *x);
void exchange_used(struct http_exchange *x, size_t bytes);

/* request.c */
/* False when the head is not all there yet. */
bool request_head(struct connection *c);
bool request_wants_body(const struct connection *c);
/* Gives how much of the input it used; less than all when the body ended or the handler paused. */
size_t request_body(struct connection *c, struct bytes input);
/* No more comes: CLOSED or TIMEOUT. */
void request_cut(struct connection *c, enum err_code code);

/* reply.c */
void reply_fault(struct connection *c, int status, const struct err *err);
void reply_continue(struct http_exchange *x);
void reply_flush(struct connection *c);

#endif

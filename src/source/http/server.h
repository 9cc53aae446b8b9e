/* source/http/server.h: the HTTP/1.1 server: connections in, exchanges out.
 * Owns:    its listener and connections. An exchange is the handler's from `request` until it is
 *          replied to, and stays valid until then even when the client has left.
 * Units:   milliseconds, bytes.
 * Errors:  http_server_open: see net_listen. A client's faults are answered here: 400, 408, 413,
 *          414, 417, 431, 501, 503, 505 with {"error":{"code":...,"message":...}}.
 * Threads: the loop's. Callbacks come from the loop, never from within a call.
 * Limits:  all named in struct http_server_options.
 * Source:  RFC 9110, RFC 9112.
 *
 * Requests of one connection are handled one after the other, so answers are in order; pipelined
 * ones wait in the connection's input. Nothing of a request is logged but its status.          */
#ifndef MEDULLA_SOURCE_HTTP_SERVER_H
#define MEDULLA_SOURCE_HTTP_SERVER_H

#include "os/loop.h"
#include "os/net.h"
#include "os/tls.h"
#include "wire/http.h"

struct http_server;
struct http_exchange;

/* From body_limit: the body is not buffered; the handler calls exchange_stream_body. */
#define HTTP_BODY_STREAMED UINT64_MAX

struct http_server_options {
  struct loop *loop;      /* Required; outlives the server. */
  const char *address;    /* Optional: "127.0.0.1:8080"; NULL: only http_server_adopt. */
  struct tls_server *tls; /* Optional: what is accepted speaks TLS; outlives the server. */
  void *arg;              /* Optional: handed to the callbacks below. */
  /* Required: a request, with its body unless that is streamed. Reply now or later, once. */
  void (*request)(void *arg, struct http_exchange *x);
  /* Optional: called when the head is there: how many bytes of body to buffer, or
   * HTTP_BODY_STREAMED. Default: body_bytes_max. */
  uint64_t (*body_limit)(void *arg, struct http_exchange *x);
  uint32_t connections_max; /* Optional: 16384. One more is answered 503 with Retry-After. */
  uint32_t idle_ms_max;     /* Optional: 60000. Between requests. */
  uint32_t head_ms_max;     /* Optional: 10000. From the first byte of a head to its last. */
  /* Optional: 30000. For each further progress_bytes of a body, in or out, or all of it. */
  uint32_t body_ms_max;
  uint32_t progress_bytes;  /* Optional: 65536. */
  uint64_t body_bytes_max;  /* Optional: 6 MiB. Buffered bodies, where body_limit is not given. */
  uint32_t arena_bytes_max; /* Optional: 1 MiB. Of exchange_arena. */
  uint32_t pipeline_max;    /* Optional: 32. Requests of one connection in one turn of the loop. */
};

bool http_server_open(const struct http_server_options *options, struct http_server **ret_server,
                      struct err *err) MUST_CHECK;
/* Where it listens; with the real port when 0 was asked for. */
const char *http_server_address(const struct http_server *server);
/* Serve a stream that something else accepted. */
void http_server_adopt(struct http_server *server, struct stream *stream_take, const char *peer);
/* Accept no more, close idle connections, end the others with their answer; then call done. */
void http_server_drain(struct http_server *server, void (*done)(void *arg), void *arg);
/* Cuts what is left; not from within a callback. Exchanges not yet replied to remain
 * valid until they are; no callbacks. */
void http_server_close(struct http_server **server);

struct http_server_load {
  uint32_t connections, exchanges; /* now */
  uint64_t accepted, refused, requests, bytes_in, bytes_out;
};
struct http_server_load http_server_load(const struct http_server *server);

/* The request; slices live until the reply. */
const struct http_request *exchange_request(const struct http_exchange *x);
struct bytes exchange_header(const struct http_exchange *x, const char *name);
struct bytes exchange_body(const struct http_exchange *x); /* when buffered */
const char *exchange_peer(const struct http_exchange *x);  /* "127.0.0.1:54321" */
/* The SHA-256 of the client's certificate, which was verified; NULL: it showed none. */
const uint8_t *exchange_certificate(const struct http_exchange *x);
struct arena *exchange_arena(struct http_exchange *x);
/* For the handler's own use. */
void exchange_set_owner(struct http_exchange *x, void *owner);
void *exchange_owner(const struct http_exchange *x);
/* Told when the client has left; reply all the same (it goes nowhere). */
void exchange_on_gone(struct http_exchange *x, void (*gone)(struct http_exchange *x));
bool exchange_is_gone(const struct http_exchange *x);

struct http_sink {
  uint64_t bytes_max; /* Required. */
  /* Required: the next bytes; valid during the call. */
  void (*data)(struct http_exchange *x, struct bytes data);
  /* Required: all came (err is NULL), or no more will: LIMIT, MALFORMED, TIMEOUT, CLOSED. Reply
   * then, for instance with exchange_fail(x, err). Not called after the reply. */
  void (*end)(struct http_exchange *x, const struct err *err);
};
/* Take the streamed body. After the reply nothing more is taken. */
void exchange_stream_body(struct http_exchange *x, const struct http_sink *sink);
/* No more data until resumed; the client is made to wait by TCP. */
void exchange_pause_body(struct http_exchange *x);
void exchange_resume_body(struct http_exchange *x);

struct http_answer {
  int status;                        /* Required. */
  struct bytes content_type;         /* Optional. */
  const struct http_header *headers; /* Optional. One that is not allowed makes the answer a 502. */
  size_t header_count;
  bool close; /* Optional: end the connection with it. */
};
/* The whole answer; ends the exchange. */
void exchange_reply(struct http_exchange *x, const struct http_answer *answer, struct bytes body);
/* The error as JSON, with its status from err.tbl.h; ends the exchange. */
void exchange_fail(struct http_exchange *x, const struct err *err);

#define HTTP_LENGTH_UNKNOWN UINT64_MAX
#define HTTP_REPLY_AHEAD_BYTES (256u << 10) /* when more waits to be sent, stop writing */
#define HTTP_REPLY_BYTES_MAX (16u << 20)    /* waiting to be sent; beyond, the client is cut */
/* The answer in pieces. With a known length exactly that many bytes must follow. */
void exchange_reply_start(struct http_exchange *x, const struct http_answer *answer,
                          uint64_t length);
/* False: HTTP_REPLY_AHEAD_BYTES wait; go on when `writable` is called. The bytes are taken. */
bool exchange_write(struct http_exchange *x, struct bytes data);
void exchange_on_writable(struct http_exchange *x, void (*writable)(struct http_exchange *x));
/* Ends the exchange; short of a known length the client is cut, so that it can tell. */
void exchange_reply_end(struct http_exchange *x);

#endif

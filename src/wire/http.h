/* wire/http.h: HTTP/1.1 message heads, chunked bodies and query strings, as strict as a server can
 * be. Owns:    nothing; parsed slices point into the caller's input and live as long as it does.
 * Units:   bytes; error offsets count from the start of the head.
 * Errors:  MALFORMED, LIMIT, UNSUPPORTED; http_parser.status says which status answers it.
 * Threads: pure; any thread.
 * Limits:  HTTP_*_MAX below; each has an error that names it.
 * Source:  RFC 9112 (messages), RFC 9110 (fields, Expect, dates).                            */
#ifndef MEDULLA_WIRE_HTTP_H
#define MEDULLA_WIRE_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/codec.h"

#define HTTP_HEAD_BYTES_MAX (32u << 10)
#define HTTP_TARGET_BYTES_MAX (8u << 10)
#define HTTP_METHOD_BYTES_MAX 32
#define HTTP_HEADERS_MAX 100
#define HTTP_CHUNK_EXTENSION_BYTES_MAX 256   /* behind one chunk's size */
#define HTTP_CHUNK_OVERHEAD_BYTES_MAX 16384u /* all extensions of one body together */
#define HTTP_TRAILER_BYTES_MAX 4096u

enum http_step { HTTP_MORE, HTTP_DONE, HTTP_BAD };

/* How the end of the body is known (RFC 9112 §6.3). */
enum http_body { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };

struct http_header {
  struct bytes name, value; /* as sent; blanks around the value removed */
};

struct http_head {
  uint8_t version_minor; /* HTTP/1.0 or 1.1 */
  bool keep_alive;
  bool expect_continue;
  enum http_body body;
  uint64_t content_length; /* with HTTP_BODY_LENGTH (and as information in answers to HEAD) */
  size_t header_count;
  struct http_header headers[HTTP_HEADERS_MAX];
};

struct http_request {
  struct bytes method;
  struct bytes target; /* as sent */
  struct bytes path;   /* "/..." still percent-encoded, or "*" */
  struct bytes query;  /* behind the '?', still encoded; .at is NULL when there is none */
  struct bytes host;   /* with port; empty only in HTTP/1.0 */
  struct http_head head;
};

struct http_response {
  int status;
  struct bytes reason;
  struct http_head head;
};

/* Zero it before each message. `status` is set on HTTP_BAD: 400, 414, 417, 431, 501 or 505. */
struct http_parser {
  size_t start, line, seen; /* first line, current line, first byte not yet looked at */
  const uint8_t *input;
  int status;
};

/* Give the input from the message's first byte each time; it may move and grow between calls.
 * HTTP_DONE: *ret_consumed is where the body starts. Otherwise what the outputs hold is undefined.
 */
enum http_step http_request_parse(struct http_parser *parser, struct bytes input,
                                  struct http_request *ret_request, size_t *ret_consumed,
                                  struct err *err) MUST_CHECK;
/* `to_head`: it answers a HEAD request and so has no body. 1xx is a message of its own: parse on.
 */
enum http_step http_response_parse(struct http_parser *parser, struct bytes input, bool to_head,
                                   struct http_response *ret_response, size_t *ret_consumed,
                                   struct err *err) MUST_CHECK;
/* The first header of this name; .at is NULL when there is none. */
struct bytes http_header_get(const struct http_head *head, const char *name);
size_t http_header_count(const struct http_head *head, const char *name);
/* Is `token` a member of the comma-separated list in `value`? Without regard to case. */
bool http_list_has(struct bytes value, const char *token);
bool http_token_valid(struct bytes token);
bool http_value_valid(struct bytes value);

/* A chunked body; zero it at the start of each. Extensions and trailers are checked and dropped. */
struct http_chunked {
  uint8_t state;
  bool trailer_named;
  uint8_t size_digits;
  uint64_t left;
  uint32_t line_bytes, overhead_bytes, trailer_bytes; /* of an extension or trailer; of all */
};
/* Takes some of the input (never nothing, when there is any) and gives the data found in it.
 * HTTP_DONE: the body has ended; what follows ret_consumed is the next message. */
enum http_step http_chunked_next(struct http_chunked *chunked, struct bytes input,
                                 size_t *ret_consumed, struct bytes *ret_data,
                                 struct err *err) MUST_CHECK;

/* The next name=value of a query string or form, decoded into the arena ('+' is a blank); false at
 * the end. A malformed percent sign stays as it is (request heads refuse it before). */
bool http_query_next(struct arena *arena, struct bytes *rest, struct bytes *ret_name,
                     struct bytes *ret_value);

/* "Sun, 06 Nov 1994 08:49:37 GMT", formatted once a second; zero the cache at first. */
struct http_date {
  int64_t second;
  char text[HTTP_DATE_BYTES];
};
struct bytes http_date(struct http_date *cache, int64_t wall_ms);

struct http_reply {
  int status;                        /* Required. */
  struct bytes date;                 /* Optional: http_date(). */
  struct bytes content_type;         /* Optional. */
  const struct http_header *headers; /* Optional: more headers; may come from a guest. */
  size_t header_count;
  bool chunked;
  uint64_t content_length; /* unless chunked; left out where RFC 9110 §8.6 forbids it */
  bool close;              /* the connection ends with this answer */
  bool until_close;        /* no length: the body ends with the connection (RFC 9112 §6.3, 8) */
};
/* Headers are checked (INVALID; buf is then as before); those that frame the message are dropped,
 * because framing is ours: Connection, Content-Length, Transfer-Encoding, Keep-Alive, Upgrade. */
bool http_reply_write(struct buf *buf, const struct http_reply *reply, struct err *err) MUST_CHECK;

struct http_ask {
  struct bytes method;               /* Required. */
  struct bytes target;               /* Required: path and query, encoded. */
  struct bytes host;                 /* Required: with the port unless it is the default. */
  const struct http_header *headers; /* Optional. */
  size_t header_count;
  bool has_body;
  bool chunked;
  uint64_t content_length; /* with has_body, unless chunked */
  bool close;
};
bool http_ask_write(struct buf *buf, const struct http_ask *ask, struct err *err) MUST_CHECK;

/* One chunk; empty data writes nothing (an empty chunk would end the body). */
void http_chunk_write(struct buf *buf, struct bytes data);
void http_chunk_end_write(struct buf *buf);
/* "Not Found"; a generic phrase for a status without one. */
const char *http_status_phrase(int status);

#endif

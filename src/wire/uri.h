/* wire/uri.h: absolute URIs for clients and allow-lists, paths in normal form, route patterns.
 * Owns:    nothing; results live in the caller's arena or point into its input.
 * Units:   bytes.
 * Errors:  MALFORMED (with the byte offset), INVALID, LIMIT.
 * Threads: pure; any thread.
 * Limits:  URI_BYTES_MAX, ROUTE_SEGMENTS_MAX.
 * Source:  RFC 3986; RFC 5952 (IPv6 text); WHATWG URL, "ends in a number" (IPv4 disguises).    */
#ifndef MEDULLA_WIRE_URI_H
#define MEDULLA_WIRE_URI_H

#include "base/arena.h"
#include "base/err.h"

#define URI_BYTES_MAX 8192
#define URI_HOST_BYTES_MAX 253
#define ROUTE_SEGMENTS_MAX 32

struct uri {
  struct bytes scheme;    /* lower case */
  struct bytes host;      /* lower case; IPv6 canonical and without brackets */
  struct bytes authority; /* host and, unless it is the scheme's default, port: for Host: */
  struct bytes path;      /* in normal form, at least "/" */
  struct bytes query;     /* as written; .at is NULL when there is none */
  uint16_t port;          /* given, or the scheme's default */
  bool is_ipv6, is_ipv4;
};

/* scheme://host[:port][/path][?query] with scheme http, https, smtp, smtps or mllp. Refused: user
 * information, fragments, blanks, non-ASCII, encoded host bytes, and every spelling of an IPv4
 * address but the plain one (0x7f.1, 017700000001): an allow-list must see what will be dialled. */
bool uri_parse(struct arena *arena, struct bytes text, struct uri *ret_uri,
               struct err *err) MUST_CHECK;
/* Does `allowed` (as in a grant) cover `asked`? Same scheme, host and port, and its path is asked's
 * path or a folder above it. A query in `allowed` must be equal. */
bool uri_covers(const struct uri *allowed, const struct uri *asked);

/* Normal form of an absolute path: needless percent signs decoded (RFC 3986 §6.2.2.2), hex in upper
 * case, dot segments gone. An encoded slash stays encoded and so never makes a segment. INVALID:
 * a path that climbs above its root, a NUL, or a backslash, encoded or not. */
bool uri_path_normalize(struct arena *arena, struct bytes path, struct bytes *ret_path,
                        struct err *err) MUST_CHECK;

/* "/fn/{name}/{rest+}": {name} takes one segment that is not empty, {rest+} one or more, at the
 * end.
 */
struct route {
  struct bytes pattern;
  size_t segment_count, capture_count;
  struct route_segment {
    enum { ROUTE_LITERAL, ROUTE_NAME, ROUTE_REST } kind;
    struct bytes text; /* literal in normal form, or the capture's name */
  } segments[ROUTE_SEGMENTS_MAX];
};

bool route_parse(struct arena *arena, struct bytes pattern, struct route *ret_route,
                 struct err *err) MUST_CHECK;
/* `path` is in normal form. Captures come in the pattern's order, still percent-encoded. */
bool route_match(const struct route *route, struct bytes path,
                 struct bytes ret_captures[ROUTE_SEGMENTS_MAX]);
/* The name of capture `index`. */
struct bytes route_capture_name(const struct route *route, size_t index);
/* Below 0: `a` is more specific and is tried first (literal before {name} before {rest+}). 0: the
 * two match the same paths. */
int route_compare(const struct route *a, const struct route *b);

#endif

/* wire/uri.c: absolute URIs and paths. What is compared is what will be used: one reading, done
 * once, before any decision. */
#include "wire/uri.h"

#include "base/must.h"
#include "wire/codec.h"

#include <arpa/inet.h>
#include <string.h>

static const struct scheme {
  struct bytes name;
  uint16_t port;
} schemes[] = {
    {BYTES_INIT("http"), 80},   {BYTES_INIT("https"), 443}, {BYTES_INIT("smtp"), 25},
    {BYTES_INIT("smtps"), 465}, {BYTES_INIT("mllp"), 2575},
};

static bool is_digit(uint8_t c) {
  return c >= '0' && c <= '9';
}

static uint8_t to_lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_unreserved(uint8_t c) {
  uint8_t letter = to_lower(c);
  return (letter >= 'a' && letter <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

/* Decodes one percent triplet at `i`. */
static bool triplet(struct bytes path, size_t i, uint8_t *ret_byte, struct err *err) {
  int high = path.len - i > 2 ? hex_digit(path.at[i + 1]) : -1;
  int low = path.len - i > 2 ? hex_digit(path.at[i + 2]) : -1;
  if (high < 0 || low < 0) FAIL_AT(ERR_MALFORMED, i, "a percent sign lacks two hexadecimal digits");
  *ret_byte = (uint8_t)(high << 4 | low);
  return true;
}

/* First pass: every byte in its one spelling. */
static bool respell(struct bytes path, uint8_t *out, size_t *ret_len, struct err *err) {
  static const char hex[] = "0123456789ABCDEF";
  size_t len = 0;
  for (size_t i = 0; i < path.len; i++) {
    uint8_t c = path.at[i];
    bool encoded = c == '%';
    if (encoded) TRY(triplet(path, i, &c, err));
    if (c == 0 || c == '\\') FAIL_AT(ERR_INVALID, i, "a NUL or backslash in a path");
    if (!encoded && (c <= ' ' || c >= 0x7f || c == '?' || c == '#'))
      FAIL_AT(ERR_MALFORMED, i, "a byte in a path is not allowed");
    if (encoded && !is_unreserved(c)) {
      out[len++] = '%';
      out[len++] = (uint8_t)hex[c >> 4];
      c = (uint8_t)hex[c & 15];
    }
    out[len++] = c;
    if (encoded) i += 2;
  }
  *ret_len = len;
  return true;
}

/* Second pass, in place: RFC 3986 §5.2.4, but climbing above the root is an error. */
static bool drop_dots(uint8_t *path, size_t len, size_t *ret_len, struct err *err) {
  struct bytes rest = bytes_of(path, len);
  size_t out = 0;
  while (rest.len) {
    size_t end = 1 + bytes_find(bytes_from(rest, 1), '/');
    struct bytes segment = bytes_sub(rest, 0, end);
    bool last = end == rest.len;
    rest = bytes_from(rest, end);
    if (bytes_eq(segment, BYTES("/.")) || bytes_eq(segment, BYTES("/.."))) {
      if (segment.len == 3) {
        if (out == 0) FAIL(ERR_INVALID, "a path climbs above its root");
        while (path[--out] != '/') {}
      }
      if (last) path[out++] = '/';
      continue;
    }
    memmove(path + out, segment.at, segment.len);
    out += segment.len;
  }
  *ret_len = out;
  return true;
}

bool uri_path_normalize(struct arena *arena, struct bytes path, struct bytes *ret_path,
                        struct err *err) {
  if (path.len > URI_BYTES_MAX) FAIL(ERR_LIMIT, "a path is longer than URI_BYTES_MAX");
  if (path.len == 0 || path.at[0] != '/') FAIL_AT(ERR_MALFORMED, 0, "a path starts with a slash");
  uint8_t *out = arena_alloc(arena, path.len + 1);
  size_t len;
  if (!out) FAIL(ERR_LIMIT, "the arena is full");
  TRY(respell(path, out, &len, err));
  TRY(drop_dots(out, len, &len, err));
  *ret_path = bytes_of(out, len);
  return true;
}

static bool scheme_read(struct arena *arena, struct bytes text, struct uri *uri, size_t *ret_end,
                        struct err *err) {
  size_t end = bytes_find_bytes(text, BYTES("://"));
  if (end == text.len) FAIL_AT(ERR_MALFORMED, 0, "a URI needs scheme://host");
  uri->scheme = arena_lower(arena, bytes_sub(text, 0, end));
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    if (!bytes_eq(uri->scheme, schemes[i].name)) continue;
    uri->port = schemes[i].port;
    *ret_end = end + 3;
    return true;
  }
  FAIL_AT(ERR_INVALID, 0, "the URI's scheme is not http, https, smtp, smtps or mllp");
}

static bool ipv6_read(struct arena *arena, struct bytes literal, struct uri *uri, struct err *err) {
  char text[INET6_ADDRSTRLEN];
  struct in6_addr address;
  bytes_text(literal, text, sizeof text);
  if (literal.len >= sizeof text || inet_pton(AF_INET6, text, &address) != 1)
    FAIL(ERR_MALFORMED, "the IPv6 address is malformed");
  must(inet_ntop(AF_INET6, &address, text, sizeof text));
  uri->host = arena_copy(arena, bytes_str(text));
  uri->is_ipv6 = true;
  return true;
}

/* A name whose last label is a number is an address to some resolvers (0x7f.1, 2130706433): only
 * the dotted quad without leading zeros passes. */
static bool ipv4_decide(struct uri *uri, struct err *err) {
  size_t dot = 0;
  for (size_t i = 0; i < uri->host.len; i++)
    if (uri->host.at[i] == '.') dot = i + 1;
  struct bytes last = bytes_from(uri->host, dot);
  bool number = last.len > 0;
  for (size_t i = 0; i < last.len; i++) number &= is_digit(last.at[i]);
  if (!number && !bytes_starts(last, BYTES("0x"))) return true;
  char text[INET_ADDRSTRLEN];
  struct in_addr address;
  bytes_text(uri->host, text, sizeof text);
  if (uri->host.len >= sizeof text || inet_pton(AF_INET, text, &address) != 1)
    FAIL(ERR_INVALID, "the host is a number but not a plain IPv4 address");
  uri->is_ipv4 = true;
  return true;
}

/* Labels of letters, digits, '-' and '_'; one dot at the end means the same host and is dropped. */
static bool name_read(struct arena *arena, struct bytes name, struct uri *uri, struct err *err) {
  if (name.len && name.at[name.len - 1] == '.') name.len--;
  if (name.len == 0) FAIL(ERR_MALFORMED, "the URI has no host");
  if (name.len > URI_HOST_BYTES_MAX) FAIL(ERR_LIMIT, "the host is longer than URI_HOST_BYTES_MAX");
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.at[i];
    bool dot_misplaced = c == '.' && (i == 0 || name.at[i - 1] == '.');
    if (dot_misplaced || c == '~' || !is_unreserved(c))
      FAIL(ERR_MALFORMED, "the host has a byte that is not allowed");
  }
  uri->host = arena_lower(arena, name);
  return ipv4_decide(uri, err);
}

static bool port_read(struct bytes text, struct uri *uri, struct err *err) {
  uint64_t port;
  if (text.len > 5 || !bytes_u64(text, &port) || port == 0 || port > UINT16_MAX)
    FAIL(ERR_MALFORMED, "the port is not between 1 and 65535");
  uri->port = (uint16_t)port;
  return true;
}

static bool authority_read(struct arena *arena, struct bytes text, struct uri *uri,
                           struct err *err) {
  uint16_t standard = uri->port;
  if (bytes_find(text, '@') < text.len)
    FAIL(ERR_INVALID, "user names and passwords do not belong into a URI");
  struct bytes port = BYTES_NONE;
  if (text.len && text.at[0] == '[') {
    size_t end = bytes_find(text, ']');
    struct bytes behind = bytes_from(text, end + 1);
    if (end == text.len || (behind.len && behind.at[0] != ':'))
      FAIL(ERR_MALFORMED, "the IPv6 address is malformed");
    TRY(ipv6_read(arena, bytes_sub(text, 1, end - 1), uri, err));
    if (behind.len) port = bytes_from(behind, 1);
    if (behind.len && port.len == 0) FAIL(ERR_MALFORMED, "the port is empty");
  } else {
    size_t colon = bytes_find(text, ':');
    TRY(name_read(arena, bytes_sub(text, 0, colon), uri, err));
    if (colon < text.len) port = bytes_from(text, colon + 1);
    if (colon + 1 == text.len) FAIL(ERR_MALFORMED, "the port is empty");
  }
  if (port.len) TRY(port_read(port, uri, err));
  uri->authority = uri->is_ipv6 ? arena_printf(arena, "[%.*s]", BYTES_FMT(uri->host)) : uri->host;
  if (uri->port != standard)
    uri->authority = arena_printf(arena, "%.*s:%u", BYTES_FMT(uri->authority), uri->port);
  return true;
}

static bool query_valid(struct bytes query) {
  for (size_t i = 0; i < query.len; i++)
    if (query.at[i] <= ' ' || query.at[i] >= 0x7f) return false;
  return true;
}

bool uri_parse(struct arena *arena, struct bytes text, struct uri *ret_uri, struct err *err) {
  struct uri uri = {0};
  size_t start;
  if (text.len > URI_BYTES_MAX) FAIL(ERR_LIMIT, "a URI is longer than URI_BYTES_MAX");
  if (bytes_find(text, '#') < text.len) FAIL(ERR_INVALID, "a fragment does not belong here");
  TRY(scheme_read(arena, text, &uri, &start, err));
  struct bytes rest = bytes_from(text, start);
  size_t end = 0;
  while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?') end++;
  TRY(authority_read(arena, bytes_sub(rest, 0, end), &uri, err));
  rest = bytes_from(rest, end);
  size_t mark = bytes_find(rest, '?');
  if (mark < rest.len) uri.query = bytes_from(rest, mark + 1);
  if (!query_valid(uri.query)) FAIL(ERR_MALFORMED, "a byte in the query is not allowed");
  struct bytes path = mark ? bytes_sub(rest, 0, mark) : BYTES("/");
  TRY(uri_path_normalize(arena, path, &uri.path, err));
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the arena is full");
  *ret_uri = uri;
  return true;
}

bool uri_covers(const struct uri *allowed, const struct uri *asked) {
  bool same = bytes_eq(allowed->scheme, asked->scheme) && bytes_eq(allowed->host, asked->host) &&
              allowed->port == asked->port;
  if (!same || !bytes_starts(asked->path, allowed->path)) return false;
  if (allowed->query.at && !bytes_eq(allowed->query, asked->query)) return false;
  /* "/v1" covers "/v1" and "/v1/x", never "/v10". */
  bool whole = asked->path.len == allowed->path.len;
  bool folder = allowed->path.at[allowed->path.len - 1] == '/';
  return whole || folder || asked->path.at[allowed->path.len] == '/';
}

/* wire/schema_uri.c: generic URI references, as identifiers only; nothing here is dialled. */
#include "wire/schema_inner.h"

#include "wire/codec.h"

#include <string.h>

/* RFC 3986 §3; an absent part has at == NULL. */
struct parts {
  struct bytes scheme, authority, path, query, fragment;
};

static bool is_alpha(uint8_t c) {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static size_t scheme_len(struct bytes text) {
  size_t len = 0;
  if (text.len == 0 || !is_alpha(text.at[0])) return 0;
  while (len < text.len &&
         (is_alpha(text.at[len]) || (text.at[len] >= '0' && text.at[len] <= '9') ||
          strchr("+-.", text.at[len] ? text.at[len] : ' ')))
    len++;
  return len < text.len && text.at[len] == ':' ? len : 0;
}

static size_t find_any(struct bytes text, const char *set) {
  size_t at = 0;
  while (at < text.len && !(text.at[at] && strchr(set, text.at[at]))) at++;
  return at;
}

static struct parts split(struct bytes text) {
  struct parts p = {0};
  size_t scheme = scheme_len(text);
  if (scheme) {
    p.scheme = bytes_sub(text, 0, scheme);
    text = bytes_from(text, scheme + 1);
  }
  size_t hash = bytes_find(text, '#');
  if (hash < text.len) p.fragment = bytes_from(text, hash + 1);
  text = bytes_sub(text, 0, hash);
  size_t question = bytes_find(text, '?');
  if (question < text.len) p.query = bytes_from(text, question + 1);
  text = bytes_sub(text, 0, question);
  if (bytes_starts(text, BYTES("//"))) {
    size_t end = find_any(bytes_from(text, 2), "/");
    p.authority = bytes_sub(text, 2, end);
    text = bytes_from(text, 2 + end);
  }
  p.path = text;
  return p;
}

/* §5.2.4. `path` is the caller's to change; returns the new length. */
static size_t remove_dots(uint8_t *path, size_t len) {
  size_t out = 0;
  for (size_t at = 0; at < len;) {
    size_t slash = path[at] == '/';
    size_t end = at + slash;
    while (end < len && path[end] != '/') end++;
    struct bytes segment = bytes_of(path + at + slash, end - at - slash);
    bool last = end == len;
    if (bytes_eq_str(segment, ".") || bytes_eq_str(segment, "..")) {
      if (segment.len == 2)
        while (out > 0 && path[--out] != '/') continue;
      if (last && slash) path[out++] = '/';
    } else {
      memmove(path + out, path + at, end - at);
      out += end - at;
    }
    at = end;
  }
  return out;
}

/* §5.2.3 */
static struct bytes merge(struct arena *arena, const struct parts *base, struct bytes path) {
  size_t keep = base->path.len;
  while (keep > 0 && base->path.at[keep - 1] != '/') keep--;
  if (base->authority.at && base->path.len == 0)
    return arena_printf(arena, "/%.*s", BYTES_FMT(path));
  return arena_printf(arena, "%.*s%.*s", BYTES_FMT(bytes_sub(base->path, 0, keep)),
                      BYTES_FMT(path));
}

static struct bytes normal_path(struct arena *arena, struct bytes path) {
  uint8_t *copy = arena_alloc(arena, path.len + 1);
  if (!copy) return BYTES_NONE;
  if (path.len) memcpy(copy, path.at, path.len);
  return bytes_of(copy, remove_dots(copy, path.len));
}

static struct bytes join(struct arena *arena, const struct parts *p) {
  return arena_printf(arena, "%.*s%s%s%.*s%.*s%s%.*s%s%.*s", BYTES_FMT(p->scheme),
                      p->scheme.at ? ":" : "", p->authority.at ? "//" : "", BYTES_FMT(p->authority),
                      BYTES_FMT(p->path), p->query.at ? "?" : "", BYTES_FMT(p->query),
                      p->fragment.at ? "#" : "", BYTES_FMT(p->fragment));
}

struct bytes schema_uri_resolve(struct arena *arena, struct bytes base_text,
                                struct bytes reference) {
  struct parts base = split(base_text);
  struct parts r = split(reference);
  if (r.scheme.at) return reference;
  r.scheme = base.scheme;
  if (!r.authority.at) {
    r.authority = base.authority;
    if (r.path.len == 0) {
      r.path = base.path;
      if (!r.query.at) r.query = base.query;
    } else if (r.path.at[0] != '/') {
      r.path = normal_path(arena, merge(arena, &base, r.path));
    } else {
      r.path = normal_path(arena, r.path);
    }
  }
  return join(arena, &r);
}

static bool chars_ok(struct bytes text, const char *extra) {
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    bool plain = is_alpha(c) || (c >= '0' && c <= '9') || (c && strchr("-._~!$&'()*+,;=:@", c)) ||
                 (c && strchr(extra, c));
    if (plain) continue;
    if (c != '%' || text.len - i < 3 || hex_digit(text.at[i + 1]) < 0 ||
        hex_digit(text.at[i + 2]) < 0)
      return false;
    i += 2;
  }
  return true;
}

static bool authority_ok(struct bytes authority) {
  size_t user = authority.len;
  while (user > 0 && authority.at[user - 1] != '@') user--;
  struct bytes host = bytes_from(authority, user);
  if (user > 0 && (!chars_ok(bytes_sub(authority, 0, user - 1), "") ||
                   bytes_find(bytes_sub(authority, 0, user - 1), '@') < user - 1))
    return false;
  size_t end = bytes_find(host, ':');
  if (host.len && host.at[0] == '[') {
    size_t close = bytes_find(host, ']');
    if (close == host.len) return false;
    struct bytes inner = bytes_sub(host, 1, close - 1);
    bool future = inner.len > 0 && (inner.at[0] | 0x20) == 'v' && chars_ok(inner, "");
    if (!future && !schema_format_ok(BYTES("ipv6"), inner)) return false;
    end = close + 1;
  } else if (!chars_ok(bytes_sub(host, 0, end), "")) {
    return false;
  }
  struct bytes port = bytes_from(host, end);
  for (size_t i = 0; i < port.len; i++)
    if (i == 0 ? port.at[i] != ':' : port.at[i] < '0' || port.at[i] > '9') return false;
  return true;
}

bool schema_uri_valid(struct bytes text, bool absolute) {
  struct parts p = split(text);
  if (absolute && !p.scheme.at) return false;
  if (!p.scheme.at && !p.authority.at) {
    size_t segment = find_any(p.path, "/");
    if (bytes_find(bytes_sub(p.path, 0, segment), ':') < segment) return false;
  }
  return (!p.authority.at || authority_ok(p.authority)) && chars_ok(p.path, "/") &&
         chars_ok(p.query, "/?") && chars_ok(p.fragment, "/?");
}

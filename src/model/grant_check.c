/* model/grant_check.c: is this allowed, and if not, what would allow it? */
#include "base/cleanup.h"
#include "model/glob.h"
#include "model/grant_parts.h"

#include <stdio.h>
#include <string.h>

enum { URL_ARENA_BYTES = 8 * URI_BYTES_MAX };

/* The bit of the action, or 0 when the kind does not have it. */
static unsigned action_bit(enum grant_kind kind, const char *action) {
  for (unsigned i = 0; grant_facts[kind].actions[i]; i++)
    if (strcmp(grant_facts[kind].actions[i], action) == 0) return 1u << i;
  return 0;
}

static enum grant_kind kind_of(const char *word) {
  unsigned kind = 0;
  while (kind < GRANT_KINDS && strcmp(grant_facts[kind].word, word) != 0) kind++;
  return (enum grant_kind)kind;
}

/* Some servers decode a slash before they walk up; then a path's limit would be none. */
static bool may_walk_up(struct bytes path) {
  return bytes_find_bytes(path, BYTES("%2F")) < path.len &&
         bytes_find_bytes(path, BYTES("..")) < path.len;
}

static bool covers_url(const struct grant *grant, struct bytes resource) {
  cleanup_arena struct arena arena;
  arena_init(&arena, URL_ARENA_BYTES);
  struct uri asked;
  struct err err;
  if (!uri_parse(&arena, resource, &asked, &err)) return false;
  if (grant->any_label) {
    size_t label = bytes_find(asked.host, '.');
    if (label == 0 || asked.is_ipv4) return false;
    asked.host = bytes_from(asked.host, label + 1);
  }
  return !(grant->origin.path.len > 1 && may_walk_up(asked.path)) &&
         uri_covers(&grant->origin, &asked);
}

static bool covers(const struct grant *grant, struct bytes resource) {
  struct bytes key, bucket;
  switch (grant->kind) {
  case GRANT_STATE: return true;
  case GRANT_EMIT:
  case GRANT_QUEUE:
  case GRANT_NOTIFY: return glob_match(grant->pattern, resource);
  case GRANT_OBJECT:
    bucket = bytes_cut(resource, '/', &key);
    return glob_match(grant->pattern, bucket) && bytes_starts(key, grant->prefix);
  case GRANT_FETCH: return covers_url(grant, resource);
  case GRANT_FHIR:
  case GRANT_HL7:
  case GRANT_INFER:
  case GRANT_KINDS:
  default: return false; /* kept for later; nothing asks yet */
  }
}

/* A text as YAML would read it back; quoted when it has anything but letters, digits and marks that
 * mean nothing there. Quotes and control characters are left out. */
static void put_scalar(char *text, size_t room, struct bytes value) {
  bool plain = value.len > 0;
  for (size_t i = 0; i < value.len; i++) {
    uint8_t c = value.at[i];
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    plain = plain && (word || (i > 0 && (c == '.' || c == '-' || c == '_' || c == '/')));
  }
  size_t at = 0;
  if (!plain && at + 1 < room) text[at++] = '"';
  for (size_t i = 0; i < value.len && at + 2 < room; i++) {
    uint8_t c = value.at[i];
    if (c >= ' ' && c != 0x7f && c != '"' && c != '\\') text[at++] = (char)c;
  }
  if (!plain && at + 1 < room) text[at++] = '"';
  text[at] = '\0';
}

/* The origin alone: a path may hold what belongs to a patient. */
static void put_origin(char *text, size_t room, struct bytes resource) {
  cleanup_arena struct arena arena;
  arena_init(&arena, URL_ARENA_BYTES);
  struct uri asked;
  struct err err;
  if (!uri_parse(&arena, resource, &asked, &err)) {
    snprintf(text, room, "\"https://...\"");
    return;
  }
  struct bytes authority = bytes_sub(asked.authority, 0, 100);
  if (bytes_eq_str(asked.scheme, "https"))
    snprintf(text, room, "https://%.*s", BYTES_FMT(authority));
  else
    snprintf(text, room, "{url: \"http://%.*s\", private: true}", BYTES_FMT(authority));
}

static void name_missing(enum grant_kind kind, const char *action, struct bytes resource,
                         char ret_missing[GRANT_TEXT_BYTES]) {
  char text[GRANT_TEXT_BYTES - 64];
  struct bytes rest;
  switch (kind) {
  case GRANT_STATE:
    snprintf(text, sizeof text, "%s", strcmp(action, "read") == 0 ? "read" : "readwrite");
    break;
  case GRANT_FETCH: put_origin(text, sizeof text, resource); break;
  case GRANT_OBJECT:
    put_scalar(text, sizeof text, bytes_cut(resource, '/', &rest));
    snprintf(ret_missing, GRANT_TEXT_BYTES, "- object: {bucket: %s, actions: [%s]}", text, action);
    return;
  case GRANT_EMIT:
  case GRANT_QUEUE:
  case GRANT_NOTIFY:
  case GRANT_FHIR:
  case GRANT_HL7:
  case GRANT_INFER:
  case GRANT_KINDS:
  default: put_scalar(text, sizeof text, resource); break;
  }
  snprintf(ret_missing, GRANT_TEXT_BYTES, "- %s: %s", grant_facts[kind].word, text);
}

bool grant_allows(const struct grant_set *set, const char *kind_word, const char *action,
                  struct bytes resource, char ret_missing[GRANT_TEXT_BYTES]) {
  enum grant_kind kind = kind_of(kind_word);
  if (kind == GRANT_KINDS) {
    snprintf(ret_missing, GRANT_TEXT_BYTES, "no grant allows %s", kind_word);
    return false;
  }
  unsigned bit = action_bit(kind, action);
  for (const struct grant *grant = set ? set->first : NULL; grant; grant = grant->next)
    if (grant->kind == kind && grant->actions & bit && covers(grant, resource)) return true;
  name_missing(kind, action, resource, ret_missing);
  return false;
}

bool grant_private(const struct grant_set *set, struct bytes resource) {
  for (const struct grant *grant = set ? set->first : NULL; grant; grant = grant->next)
    if (grant->kind == GRANT_FETCH && grant->permits_private && covers(grant, resource))
      return true;
  return false;
}

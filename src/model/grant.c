/* model/grant.c: the manifest's list of grants as values. */
#include "model/grant.h"

#include "base/nearest.h"
#include "model/grant_parts.h"

enum { RESOURCE_BYTES_MAX = 1024 };

const struct grant_facts grant_facts[GRANT_KINDS] = {
    [GRANT_STATE] = {"state", {"read", "write"}},
    [GRANT_EMIT] = {"emit", {"emit"}},
    [GRANT_QUEUE] = {"queue", {"send"}},
    [GRANT_OBJECT] = {"object", {"get", "put", "delete", "list"}},
    [GRANT_FETCH] = {"fetch", {"fetch"}},
    [GRANT_NOTIFY] = {"notify", {"notify"}},
    [GRANT_FHIR] = {"fhir", {NULL}},
    [GRANT_HL7] = {"hl7", {NULL}},
    [GRANT_INFER] = {"infer", {NULL}},
};
#define ALL_ACTIONS ~0u

static bool find_kind(const struct json *member, enum grant_kind *ret_kind, struct err *err) {
  const char *words[GRANT_KINDS];
  for (unsigned i = 0; i < GRANT_KINDS; i++) {
    words[i] = grant_facts[i].word;
    if (!bytes_eq_str(member->name, words[i])) continue;
    *ret_kind = (enum grant_kind)i;
    return true;
  }
  const char *near = nearest_word(member->name, words, GRANT_KINDS);
  FAIL_AT(ERR_INVALID, member->offset, "\"%.*s\" is no kind of grant; %s%s%s",
          BYTES_FMT(bytes_sub(member->name, 0, 40)),
          near ? "did you mean \"" : "there are state, emit, queue, object, fetch, notify",
          near ? near : "", near ? "\"?" : "");
}

static bool read_text(struct arena *arena, const struct json *value, const char *what,
                      struct bytes *ret_text, struct err *err) {
  if (!value || value->kind != JSON_STRING || value->text.len == 0 ||
      value->text.len > RESOURCE_BYTES_MAX)
    FAIL_AT(ERR_INVALID, value ? value->offset : ERR_OFFSET_NONE, "%s", what);
  *ret_text = arena_copy(arena, value->text);
  return true;
}

/* Only these keys, so that a misspelt condition never widens a grant. */
static bool check_keys(const struct json *map, const char *const *known, size_t count,
                       struct err *err) {
  for (const struct json *member = map->first; member; member = member->next) {
    size_t at = 0;
    while (at < count && !bytes_eq_str(member->name, known[at])) at++;
    if (at < count) continue;
    const char *near = nearest_word(member->name, known, count);
    FAIL_AT(ERR_INVALID, member->offset, "unknown key \"%.*s\"; %s \"%s\"%s",
            BYTES_FMT(bytes_sub(member->name, 0, 40)), near ? "did you mean" : "one known key is",
            near ? near : known[0], near ? "?" : "");
  }
  return true;
}

static bool read_state(const struct json *value, struct grant *grant, struct err *err) {
  if (value->kind == JSON_STRING && bytes_eq_str(value->text, "read"))
    grant->actions = 1;
  else if (value->kind == JSON_STRING && bytes_eq_str(value->text, "readwrite"))
    grant->actions = 3;
  else
    FAIL_AT(ERR_INVALID, value->offset, "state is granted as \"read\" or \"readwrite\"");
  return true;
}

static bool read_action(const struct json *item, struct grant *grant, struct err *err) {
  const struct grant_facts *facts = &grant_facts[GRANT_OBJECT];
  for (unsigned i = 0; facts->actions[i]; i++) {
    if (item->kind != JSON_STRING || !bytes_eq_str(item->text, facts->actions[i])) continue;
    grant->actions |= 1u << i;
    return true;
  }
  FAIL_AT(ERR_INVALID, item->offset, "an action on objects is get, put, delete or list");
}

static bool read_object(struct arena *arena, const struct json *value, struct grant *grant,
                        struct err *err) {
  static const char *const keys[] = {"bucket", "actions", "prefix"};
  const char *form = "write it as {bucket: uploads, actions: [get, put, delete, list]}";
  if (value->kind != JSON_OBJECT) FAIL_AT(ERR_INVALID, value->offset, "%s", form);
  TRY(check_keys(value, keys, 3, err));
  const struct json *actions = json_get(value, "actions");
  if (!json_get(value, "bucket") || !actions || actions->kind != JSON_ARRAY || !actions->count)
    FAIL_AT(ERR_INVALID, actions ? actions->offset : value->offset, "%s", form);
  TRY(read_text(arena, json_get(value, "bucket"), "bucket is a name or a glob", &grant->pattern,
                err));
  const struct json *prefix = json_get(value, "prefix");
  if (prefix)
    TRY(read_text(arena, prefix, "prefix is the beginning of a key", &grant->prefix, err));
  for (const struct json *item = actions->first; item; item = item->next)
    TRY(read_action(item, grant, err));
  return true;
}

/* https://host[:port][/path]; "*." in front of the host stands for one whole label. */
static bool read_origin(struct arena *arena, const struct json *url, struct grant *grant,
                        struct err *err) {
  struct bytes text = grant->pattern;
  size_t host = bytes_find_bytes(text, BYTES("://")) + 3;
  struct err why;
  grant->any_label = bytes_starts(bytes_from(text, host), BYTES("*."));
  if (grant->any_label)
    text = arena_printf(arena, "%.*s%.*s", BYTES_FMT(bytes_sub(text, 0, host)),
                        BYTES_FMT(bytes_from(text, host + 2)));
  bool sound = uri_parse(arena, text, &grant->origin, &why);
  bool tls = sound && bytes_eq_str(grant->origin.scheme, "https");
  if (!sound || grant->origin.query.at || (!tls && !bytes_eq_str(grant->origin.scheme, "http")))
    FAIL_AT(ERR_INVALID, url->offset,
            "a fetch grant is https://host[:port][/path], without user, query or fragment");
  /* "*.org" would grant every such name. */
  if (grant->any_label && bytes_find(grant->origin.host, '.') == grant->origin.host.len)
    FAIL_AT(ERR_INVALID, url->offset,
            "a wildcard needs two labels behind it: https://*.example.org");
  if (!tls && !grant->permits_private)
    FAIL_AT(ERR_INVALID, url->offset,
            "http is for private networks only: use https, or {url: http://..., private: true}");
  return true;
}

static bool read_fetch(struct arena *arena, const struct json *value, struct grant *grant,
                       struct err *err) {
  static const char *const keys[] = {"url", "private"};
  const struct json *url = value;
  if (value->kind == JSON_OBJECT) {
    TRY(check_keys(value, keys, 2, err));
    url = json_get(value, "url");
    const struct json *private = json_get(value, "private");
    if (private && private->kind != JSON_TRUE && private->kind != JSON_FALSE)
      FAIL_AT(ERR_INVALID, private->offset, "private is true or false");
    grant->permits_private = json_is_true(private);
  }
  if (!url || url->kind != JSON_STRING)
    FAIL_AT(ERR_INVALID, value->offset,
            "write it as https://host or {url: https://host, private: true}");
  TRY(read_text(arena, url, "a fetch grant names an origin like https://api.example.org",
                &grant->pattern, err));
  return read_origin(arena, url, grant, err);
}

static bool read_resource(struct arena *arena, const struct json *value, struct grant *grant,
                          struct err *err) {
  switch (grant->kind) {
  case GRANT_STATE: return read_state(value, grant, err);
  case GRANT_OBJECT: return read_object(arena, value, grant, err);
  case GRANT_FETCH: return read_fetch(arena, value, grant, err);
  case GRANT_EMIT:
    return read_text(arena, value, "emit names an event type or a glob", &grant->pattern, err);
  case GRANT_QUEUE:
    return read_text(arena, value, "queue names a queue or a glob", &grant->pattern, err);
  case GRANT_NOTIFY:
    return read_text(arena, value, "notify names a contact or a glob", &grant->pattern, err);
  case GRANT_FHIR:
  case GRANT_HL7:
  case GRANT_INFER:
  case GRANT_KINDS:
  default:
    return read_text(arena, value, "this grant is a text, like \"read Observation\"",
                     &grant->pattern, err);
  }
}

bool grant_parse_one(struct arena *arena, const struct json *entry, struct grant **ret_grant,
                     struct err *err) {
  if (entry->kind != JSON_OBJECT || entry->count != 1)
    FAIL_AT(ERR_INVALID, entry->offset, "a grant is one kind and its resource, like emit: TYPE");
  struct grant *grant = ARENA_NEW(arena, struct grant);
  if (!grant) FAIL_AT(ERR_LIMIT, entry->offset, "the grants are too large");
  TRY(find_kind(entry->first, &grant->kind, err));
  grant->actions = grant_facts[grant->kind].actions[1] ? 0 : ALL_ACTIONS;
  TRY(read_resource(arena, entry->first, grant, err));
  *ret_grant = grant;
  return true;
}

bool grant_parse(struct arena *arena, const struct json *grants, const struct grant_set **ret_set,
                 struct err *err) {
  if (!grants || grants->kind != JSON_ARRAY)
    FAIL_AT(ERR_INVALID, grants ? grants->offset : ERR_OFFSET_NONE, "grants are a list");
  if (grants->count > GRANTS_MAX)
    FAIL_AT(ERR_LIMIT, grants->offset, "a function has at most %d grants (GRANTS_MAX)", GRANTS_MAX);
  struct grant_set *set = ARENA_NEW(arena, struct grant_set);
  if (!set) FAIL_AT(ERR_LIMIT, grants->offset, "the grants are too large");
  const struct grant **end = &set->first;
  for (const struct json *entry = grants->first; entry; entry = entry->next) {
    struct grant *grant;
    TRY(grant_parse_one(arena, entry, &grant, err));
    *end = grant;
    end = &grant->next;
  }
  if (!arena_ok(arena)) FAIL_AT(ERR_LIMIT, grants->offset, "the grants are too large");
  *ret_set = set;
  return true;
}

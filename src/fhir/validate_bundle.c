/* fhir/validate_bundle.c: rules between the entries of a bundle, and for what is contained. */
#include "fhir/primitive.h"
#include "fhir/validate_impl.h"

#include <stdlib.h>

static const struct json *items_of(const struct json *object, const char *name) {
  const struct json *list = json_get(object, name);
  return list && list->kind == JSON_ARRAY ? list->first : NULL;
}

/* By URL and version: the same resource may be there in several versions (bdl-7). */
static int by_full_url(const void *a, const void *b) {
  return bytes_cmp(((const struct entry *)a)->full_url, ((const struct entry *)b)->full_url);
}

/* The entries by fullUrl, for references inside of the bundle. */
void walk_bundle_open(struct walk *w, const struct json *bundle) {
  const struct json *list = json_get(bundle, "entry");
  size_t count = list && list->kind == JSON_ARRAY ? list->count : 0;
  struct entry *entries = count ? ARENA_ARRAY(w->issues->arena, struct entry, count) : NULL;
  w->entries = NULL;
  w->entry_count = 0;
  if (!entries) return;
  size_t used = 0, index = 0;
  for (const struct json *each = list->first; each; each = each->next, index++) {
    struct bytes url = json_get_text(each, "fullUrl");
    if (url.len) entries[used++] = (struct entry){url, json_get(each, "resource"), index};
  }
  qsort(entries, used, sizeof *entries, by_full_url);
  w->entries = entries;
  w->entry_count = used;
}

static struct bytes version_of(const struct entry *entry) {
  return json_get_text(json_get(entry->resource, "meta"), "versionId");
}

/* bdl-7: "FullUrl must be unique in a bundle, or else entries with same fullUrl must have different
 * meta.versionId (except in history bundles)". */
static void check_unique(struct walk *w, const struct place *place, struct bytes type) {
  if (bytes_eq_str(type, "history")) return;
  for (size_t i = 1; i < w->entry_count; i++) {
    const struct entry *a = &w->entries[i - 1];
    const struct entry *b = &w->entries[i];
    if (!bytes_eq(a->full_url, b->full_url) || !bytes_eq(version_of(a), version_of(b))) continue;
    size_t later = a->index > b->index ? a->index : b->index;
    struct place entry = {place, BYTES("entry"), later, place->offset};
    walk_problem(w, &entry, FHIR_ERROR, FHIR_ISSUE_DUPLICATE,
                 "bdl-7: another entry has this fullUrl, too");
  }
}

/* A fullUrl that ends like a FHIR URL names the resource in it: "The fullUrl SHALL NOT disagree
 * with the id in the resource". */
static void check_identity(struct walk *w, const struct place *place, struct bytes url,
                           const struct json *resource) {
  struct bytes id = json_get_text(resource, "id");
  struct bytes type = json_get_text(resource, "resourceType");
  bool http = bytes_starts(url, BYTES("http://")) || bytes_starts(url, BYTES("https://"));
  if (!http || id.len == 0 || !resource) return;
  if (!bytes_ends(url, id) || url.len < id.len + type.len + 2 ||
      url.at[url.len - id.len - 1] != '/' ||
      !bytes_ends(bytes_sub(url, 0, url.len - id.len - 1), type))
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_VALUE,
                 "the fullUrl does not agree with the resource's type and id");
}

/* The type a request is for: "Patient", "Patient/1", "Patient?identifier=1". */
static struct bytes request_type(struct bytes url) {
  size_t end = 0;
  while (end < url.len && url.at[end] != '/' && url.at[end] != '?') end++;
  return bytes_sub(url, 0, end);
}

static void check_request(struct walk *w, const struct place *place, const struct json *request,
                          const struct json *resource) {
  struct bytes method = json_get_text(request, "method");
  struct bytes url = json_get_text(request, "url");
  struct bytes type = json_get_text(resource, "resourceType");
  bool writes = bytes_eq_str(method, "PUT") || bytes_eq_str(method, "POST");
  struct place at = {place, BYTES("request"), PLACE_SINGLE, WALK_OFFSET(request)};
  if (!request || !writes) return;
  if (!resource) {
    walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_REQUIRED, "the %.*s has no resource",
                 BYTES_FMT(method));
    return;
  }
  bool operation = bytes_find(url, '$') < url.len;
  if (url.len && type.len && !operation && !bytes_eq(request_type(url), type))
    walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_VALUE,
                 "the request's URL does not name the resource's type");
}

/* "A search result must have an id": what cannot be read again is no match. */
static void check_match(struct walk *w, const struct place *place, const struct json *resource) {
  bool outcome = bytes_eq_str(json_get_text(resource, "resourceType"), "OperationOutcome");
  struct place at = {place, BYTES("resource"), PLACE_SINGLE, WALK_OFFSET(resource)};
  if (resource && !outcome && !json_get(resource, "id"))
    walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_REQUIRED, "what a search found must have an id");
}

static void check_entry(struct walk *w, const struct place *place, const struct json *entry,
                        struct bytes type) {
  struct bytes url = json_get_text(entry, "fullUrl");
  const struct json *resource = json_get(entry, "resource");
  struct place at = {place, BYTES("fullUrl"), PLACE_SINGLE,
                     WALK_OFFSET(json_get(entry, "fullUrl"))};
  bool relative = url.len && bytes_find(url, ':') == url.len;
  if (relative) walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_VALUE, "a fullUrl must be absolute");
  check_identity(w, &at, url, resource);
  bool needs_url = bytes_eq_str(type, "document") || bytes_eq_str(type, "message") ||
                   bytes_eq_str(type, "searchset") || bytes_eq_str(type, "collection");
  if (resource && url.len == 0 && needs_url)
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_REQUIRED,
                 "fullUrl is missing: only entries of batches and transactions may lack it");
  if (bytes_eq_str(type, "searchset")) check_match(w, place, resource);
  check_request(w, place, json_get(entry, "request"), resource);
}

/* Paging works by these: of two nobody could say which is meant. */
static void check_links(struct walk *w, const struct place *place, const struct json *bundle) {
  static const char *const single[] = {"self", "first", "previous", "next", "last"};
  unsigned seen = 0;
  struct place at = {place, BYTES("link"), 0, 0};
  for (const struct json *each = items_of(bundle, "link"); each; each = each->next, at.index++) {
    struct bytes relation = json_get_text(each, "relation");
    at.offset = each->offset;
    for (unsigned i = 0; i < sizeof single / sizeof *single; i++) {
      if (!bytes_eq_str(relation, single[i])) continue;
      if (seen & 1u << i)
        walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_DUPLICATE, "there may be one link \"%s\"",
                     single[i]);
      seen |= 1u << i;
    }
  }
}

void walk_bundle(struct walk *w, const struct place *place, const struct json *bundle) {
  struct bytes type = json_get_text(bundle, "type");
  struct place at = {place, BYTES("entry"), 0, 0};
  check_unique(w, place, type);
  check_links(w, place, bundle);
  for (const struct json *each = items_of(bundle, "entry"); each; each = each->next, at.index++) {
    at.offset = each->offset;
    if (each->kind == JSON_OBJECT) check_entry(w, &at, each, type);
  }
}

/* dom-3: "If the resource is contained in another resource, it SHALL be referred to from elsewhere
 * in the resource or SHALL refer to the containing resource". */
static bool is_referred_to(const struct walk *w, const struct json *contained, struct bytes id) {
  for (const struct local *local = w->locals; local; local = local->next) {
    if (local->contained == contained && local->id.len == 0) return true;
    if (id.len && bytes_eq(local->id, id)) return true;
  }
  return false;
}

static void check_contained(struct walk *w, const struct place *place,
                            const struct json *contained) {
  const struct json *meta = json_get(contained, "meta");
  struct bytes id = json_get_text(contained, "id");
  if (json_get(contained, "contained"))
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_INVARIANT,
                 "dom-2: what is contained must not contain resources");
  if (json_get(meta, "versionId") || json_get(meta, "lastUpdated"))
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_INVARIANT,
                 "dom-4: what is contained must have no version and no last update");
  if (json_get(meta, "security"))
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_INVARIANT,
                 "dom-5: what is contained must have no security labels");
  if (!is_referred_to(w, contained, id))
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_INVARIANT,
                 "dom-3: what is contained must be referred to, or refer to its container");
}

void walk_contained(struct walk *w, const struct place *place) {
  struct place at = {place, BYTES("contained"), 0, 0};
  for (const struct json *each = items_of(w->container, "contained"); each;
       each = each->next, at.index++) {
    at.offset = each->offset;
    if (each->kind != JSON_OBJECT) continue;
    check_contained(w, &at, each);
    for (const struct json *other = items_of(w->container, "contained"); other != each;
         other = other->next)
      if (json_get(each, "id") && bytes_eq(json_get_text(other, "id"), json_get_text(each, "id")))
        walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_DUPLICATE, "another contained one has this id");
  }
}

/* fhir/validate_reference.c: where references may point.
 *
 *   #id                       contained in the same container (ref-1)
 *   Type/id[/_history/v]      the type must be one of the element's targets
 *   Type?search               conditional, in a transaction; the type likewise
 *   http…/Type/id             likewise, where it ends like a FHIR URL
 *   urn:uuid:… urn:oid:…      looked up in the bundle, if there is one                          */
#include "fhir/primitive.h"
#include "fhir/validate_impl.h"

#include <stdlib.h>

static bool is_urn(struct bytes text) {
  return bytes_starts(text, BYTES("urn:"));
}

static bool is_absolute(struct bytes text) {
  return bytes_starts(text, BYTES("http://")) || bytes_starts(text, BYTES("https://")) ||
         bytes_find_bytes(text, BYTES("://")) < text.len;
}

/* Cut at the last `c`; what is behind it. The whole when there is none. */
static struct bytes last_segment(struct bytes *text) {
  size_t at = text->len;
  while (at > 0 && text->at[at - 1] != '/') at--;
  struct bytes last = bytes_from(*text, at);
  *text = bytes_sub(*text, 0, at ? at - 1 : 0);
  return last;
}

/* The resource type a URL names, or NULL. */
static const struct fhir_type *url_type(struct bytes url) {
  size_t history = bytes_find_bytes(url, BYTES("/_history/"));
  url = bytes_sub(url, 0, bytes_find(bytes_sub(url, 0, history), '#'));
  size_t question = bytes_find(url, '?');
  if (question < url.len) {
    url = bytes_sub(url, 0, question);
    return fhir_resource_find(last_segment(&url));
  }
  struct bytes id = last_segment(&url);
  return fhir_is_id(id) ? fhir_resource_find(last_segment(&url)) : NULL;
}

static const struct json *find_contained(const struct walk *w, struct bytes id) {
  const struct json *list = json_get(w->container, "contained");
  const struct json *each = list && list->kind == JSON_ARRAY ? list->first : NULL;
  for (; each; each = each->next)
    if (bytes_eq(json_get_text(each, "id"), id)) return each;
  return NULL;
}

static int by_full_url(const void *a, const void *b) {
  return bytes_cmp(((const struct entry *)a)->full_url, ((const struct entry *)b)->full_url);
}

static const struct json *find_entry(const struct walk *w, struct bytes full_url) {
  struct entry key = {.full_url = full_url};
  const struct entry *found =
      w->entry_count ? bsearch(&key, w->entries, w->entry_count, sizeof key, by_full_url) : NULL;
  return found ? found->resource : NULL;
}

const struct json *walk_find(const struct walk *w, struct bytes reference) {
  if (reference.len == 0 || reference.at[0] != '#') return find_entry(w, reference);
  return reference.len == 1 ? w->container : find_contained(w, bytes_from(reference, 1));
}

void walk_local(struct walk *w, struct bytes text) {
  if (text.len == 0 || text.at[0] != '#') return;
  struct local *local = ARENA_NEW(w->issues->arena, struct local);
  if (!local) return;
  *local = (struct local){bytes_from(text, 1), w->contained, w->locals};
  w->locals = local;
}

static bool is_target(const struct fhir_element_type *declared, const struct fhir_type *type) {
  for (size_t i = 0; i < declared->target_count; i++)
    if (fhir_type_is(type, fhir_target(declared, i))) return true;
  return declared->target_count == 0;
}

/* Sets the type when it can be told; tells what is wrong with the text. */
static const struct fhir_type *check_text(struct walk *w, const struct place *place,
                                          struct bytes text) {
  if (text.len && text.at[0] == '#') {
    walk_local(w, text);
    const struct json *found = walk_find(w, text);
    if (!found) /* ref-1: "SHALL have a contained resource if a local reference is provided" */
      walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_NOT_FOUND,
                   "ref-1: no resource of this id is contained");
    return found ? fhir_resource_find(json_get_text(found, "resourceType")) : NULL;
  }
  const struct json *entry = walk_find(w, text);
  if (entry) return fhir_resource_find(json_get_text(entry, "resourceType"));
  if (is_urn(text)) return NULL;
  const struct fhir_type *type = url_type(text);
  if (!type && !is_absolute(text))
    walk_problem(w, place, FHIR_ERROR, FHIR_ISSUE_VALUE,
                 "a relative reference must be of the form Type/id");
  return type;
}

void walk_reference(struct walk *w, const struct place *place, const struct item *item) {
  const struct json *reference = json_get(item->node, "reference");
  const struct json *stated = json_get(item->node, "type");
  if (!reference || reference->kind != JSON_STRING) return;
  struct place at = {place, BYTES("reference"), PLACE_SINGLE, WALK_OFFSET(reference)};
  const struct fhir_type *type = check_text(w, &at, reference->text);
  if (!type) return;
  if (!is_target(item->declared, type))
    walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "a %.*s may not be referred to here",
                 BYTES_FMT(fhir_text(type->name)));
  if (stated && stated->kind == JSON_STRING && fhir_resource_find(stated->text) &&
      fhir_resource_find(stated->text) != type)
    walk_problem(w, &at, FHIR_ERROR, FHIR_ISSUE_STRUCTURE,
                 "the reference is to a %.*s, its type says otherwise",
                 BYTES_FMT(fhir_text(type->name)));
}

/* model/manifest.c: the whole of medulla.yaml: app, functions, contacts, and what comes later. */
#include "model/manifest.h"

#include "base/map.h"
#include "model/manifest_check.h"
#include "model/zone.h"
#include "wire/uri.h"
#include "wire/yaml.h"

#include <string.h>

enum { CONTACTS_MAX = 256, NAME_BYTES_MAX = 48 };

#define READER(name) \
  static void name(struct check *check, const struct check_at *at, const struct json *value, \
                   void *into)

struct reading {
  struct manifest *manifest;
  const struct manifest_function **functions_end;
  const struct manifest_contact **contacts_end;
};

/* Names become part of APP/FUNCTION, of APP-FUNCTION and of URLs. */
static bool name_is_sound(struct bytes name) {
  if (name.len == 0 || name.len > NAME_BYTES_MAX || name.at[0] < 'a' || name.at[0] > 'z')
    return false;
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.at[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
  }
  return true;
}

static bool check_own_name(struct check *check, const struct check_at *at, size_t offset,
                           struct bytes name) {
  if (name_is_sound(name)) return true;
  check_problem(check, at, offset,
                "a name begins with a small letter and has at most %d small letters, digits, "
                "\"-\" and \"_\"",
                NAME_BYTES_MAX);
  return false;
}

READER(read_app) {
  struct bytes name;
  if (check_text(check, at, value, &name) && check_own_name(check, at, value->offset, name))
    ((struct reading *)into)->manifest->app = name;
}

READER(read_function) {
  struct reading *reading = into;
  struct manifest_function *function = ARENA_NEW(check->arena, struct manifest_function);
  if (!function) return;
  check_own_name(check, at, yaml_name_offset(check->yaml, value), value->name);
  function->name = value->name;
  manifest_read_function(check, at, value, function);
  *reading->functions_end = function;
  reading->functions_end = &function->next;
}

READER(read_functions) {
  check_names(check, at, value, MANIFEST_FUNCTIONS_MAX, read_function, into);
  if (value->kind == JSON_OBJECT && value->count == 0)
    check_problem(check, at, value->offset, "an app has at least one function");
}

/* ---- Contacts ---- */

static void read_url(struct check *check, const struct check_at *at, const struct json *value,
                     const char *scheme, const char *secure) {
  struct bytes text;
  struct uri uri;
  struct err err;
  if (!check_text(check, at, value, &text)) return;
  if (!uri_parse(check->arena, text, &uri, &err))
    check_problem(check, at, value->offset, "%s", err.detail);
  else if (!bytes_eq_str(uri.scheme, scheme) && !bytes_eq_str(uri.scheme, secure))
    check_problem(check, at, value->offset, "must begin with %s:// or %s://", scheme, secure);
}

READER(read_smtp_url) {
  read_url(check, at, value, "smtp", "smtps");
}

READER(read_web_url) {
  read_url(check, at, value, "http", "https");
}

READER(read_any_text) {
  struct bytes text;
  check_text(check, at, value, &text);
}

READER(read_any_name) {
  struct bytes name;
  check_name(check, at, value, &name);
}

READER(read_any_flag) {
  check_flag(check, at, value);
}

READER(read_addresses) {
  if (value->kind == JSON_ARRAY)
    check_list(check, at, value, CONTACTS_MAX, read_any_text, into);
  else
    read_any_text(check, at, value, into);
}

static const struct check_key smtp_keys[] = {
    {"smtp", read_smtp_url, true},    {"from", read_any_text, true},
    {"to", read_addresses, true},     {"subject", read_any_text, false},
    {"user", read_any_text, false},   {"secret", read_any_name, false},
    {"private", read_any_flag, false}};
static const struct check_key webhook_keys[] = {{"webhook", read_web_url, true},
                                                {"secret", read_any_name, false},
                                                {"private", read_any_flag, false}};
static const struct check_key sms_keys[] = {
    {"sms", read_web_url, true},      {"template", read_any_text, true},
    {"to", read_addresses, true},     {"content_type", read_any_text, false},
    {"secret", read_any_name, false}, {"private", read_any_flag, false}};

READER(read_contact) {
  struct reading *reading = into;
  check_own_name(check, at, yaml_name_offset(check->yaml, value), value->name);
  if (json_get(value, "smtp"))
    CHECK_MAP(check, at, value, smtp_keys, NULL);
  else if (json_get(value, "webhook"))
    CHECK_MAP(check, at, value, webhook_keys, NULL);
  else if (json_get(value, "sms"))
    CHECK_MAP(check, at, value, sms_keys, NULL);
  else
    check_problem(check, at, value->offset,
                  "a contact is {smtp: URL, from: ..., to: ...}, {webhook: URL, secret: NAME} or "
                  "{sms: URL, template: ..., to: ...}");
  struct manifest_contact *contact = ARENA_NEW(check->arena, struct manifest_contact);
  if (!contact) return;
  *contact = (struct manifest_contact){.name = value->name, .spec = value};
  *reading->contacts_end = contact;
  reading->contacts_end = &contact->next;
}

READER(read_contacts) {
  check_names(check, at, value, CONTACTS_MAX, read_contact, into);
}

/* ---- What comes later, and prices ---- */

static const struct check_key link_keys[] = {{"mllp", read_any_text, true},
                                             {"tls", read_any_flag, false},
                                             {"charset", read_any_text, false},
                                             {"ack", read_any_text, false}};

READER(read_link) {
  CHECK_MAP(check, at, value, link_keys, NULL);
}

READER(read_links) {
  check_names(check, at, value, CONTACTS_MAX, read_link, into);
}

READER(read_price) {
  double price;
  if (value->kind != JSON_NUMBER || !json_double(value, &price) || price < 0)
    check_problem(check, at, value->offset, "a price is a number, as in 0.20");
}

READER(read_prices) {
  static const struct check_key keys[] = {{"currency", read_any_text, false},
                                          {"million_runs", read_price, false},
                                          {"gib_second", read_price, false},
                                          {"machine_hour", read_price, false}};
  CHECK_MAP(check, at, value, keys, NULL);
  ((struct reading *)into)->manifest->prices = value;
}

static const struct check_key top_keys[] = {{"app", read_app, true},
                                            {"functions", read_functions, true},
                                            {"contacts", read_contacts, false},
                                            {"feeds", read_links, false},
                                            {"links", read_links, false},
                                            {"prices", read_prices, false}};

/* ---- The whole ---- */

/* Where in the tree a trigger stands; it was parsed from there. */
static const struct json *trigger_node(const struct manifest *manifest,
                                       const struct manifest_function *function,
                                       const struct manifest_trigger *trigger) {
  const struct json *functions = json_get(manifest->tree, "functions");
  const struct json *on = json_get(json_get_bytes(functions, function->name), "on");
  return json_item(on, trigger->index);
}

static void check_route(struct check *check, const struct manifest *manifest, struct map *routes,
                        const struct manifest_function *function,
                        const struct manifest_trigger *trigger) {
  if (trigger->kind != TRIGGER_HTTP || !trigger->path.len) return;
  struct bytes key =
      arena_printf(check->arena, "%.*s %.*s", BYTES_FMT(trigger->method), BYTES_FMT(trigger->path));
  const struct manifest_function *other = map_put(routes, key, (void *)function);
  const struct json *node = trigger_node(manifest, function, trigger);
  if (other && node)
    check_problem(check, NULL, node->offset, "%.*s is answered by function %.*s already",
                  BYTES_FMT(key), BYTES_FMT(other->name));
}

/* Two functions cannot answer the same requests. */
static void check_routes(struct check *check, const struct manifest *manifest) {
  struct map routes;
  map_init(&routes, 1);
  for (const struct manifest_function *f = manifest->functions; f; f = f->next)
    for (const struct manifest_trigger *t = f->triggers; t; t = t->next)
      check_route(check, manifest, &routes, f, t);
  map_fini(&routes);
}

/* err tells of the first problem, the list of all. */
static bool sum_up(const struct manifest_problems *problems, struct err *err) {
  if (problems->count == 0) return true;
  const struct manifest_problem *first = &problems->list[0];
  FAIL(ERR_INVALID, "medulla.yaml:%u:%u: %.*s%s%.*s%s", first->line, first->column,
       BYTES_FMT(bytes_sub(first->path, 0, 80)), first->path.len ? ": " : "",
       BYTES_FMT(first->message), problems->count > 1 ? " (and more)" : "");
}

/* yaml_parse puts the place before its message; the problem has it in its own fields. */
static void note_yaml_error(struct check *check, const struct err *err) {
  const char *message = strncmp(err->detail, "line ", 5) == 0 ? strstr(err->detail, ": ") : NULL;
  size_t offset = err->offset == ERR_OFFSET_NONE ? 0 : err->offset;
  check_problem(check, NULL, offset, "%s", message ? message + 2 : err->detail);
}

bool manifest_parse(struct arena *arena, struct bytes yaml, const struct manifest **ret_manifest,
                    struct manifest_problems *ret_problems, struct err *err) {
  struct check check = {.arena = arena, .yaml = yaml, .problems = ret_problems};
  struct err why;
  *ret_problems = (struct manifest_problems){0};
  if (yaml.len > MANIFEST_BYTES_MAX) {
    check_problem(&check, NULL, 0, "medulla.yaml has at most %u bytes (MANIFEST_BYTES_MAX)",
                  MANIFEST_BYTES_MAX);
    return sum_up(ret_problems, err);
  }
  if (!yaml_parse(arena, yaml, &check.tree, &why)) {
    note_yaml_error(&check, &why);
    return sum_up(ret_problems, err);
  }
  struct manifest *manifest = ARENA_NEW(arena, struct manifest);
  if (!manifest) FAIL(ERR_LIMIT, "medulla.yaml is too large for its arena");
  manifest->tree = check.tree;
  manifest->yaml = yaml;
  struct reading reading = {manifest, &manifest->functions, &manifest->contacts};
  CHECK_MAP(&check, NULL, check.tree, top_keys, &reading);
  check_routes(&check, manifest);
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "medulla.yaml is too large for its arena");
  if (!sum_up(ret_problems, err)) return false;
  *ret_manifest = manifest;
  return true;
}

static void refuse_part(struct check *check, const char *name) {
  const struct json *part = json_get(check->tree, name);
  if (!part) return;
  struct check_at at = {.name = bytes_str(name)};
  check_problem(check, &at, yaml_name_offset(check->yaml, part),
                "%s are not yet supported by this version", name);
}

bool manifest_is_supported(struct arena *arena, const struct manifest *manifest,
                           struct manifest_problems *ret_problems, struct err *err) {
  struct check check = {
      .arena = arena, .yaml = manifest->yaml, .tree = manifest->tree, .problems = ret_problems};
  static const char *const words[] = {
      [TRIGGER_FHIR] = "fhir", [TRIGGER_HL7] = "hl7", [TRIGGER_DICOM] = "dicom"};
  for (const struct manifest_function *f = manifest->functions; f; f = f->next) {
    struct check_at functions = {.name = BYTES("functions")};
    struct check_at at = {.up = &functions, .name = f->name};
    for (const struct manifest_trigger *t = f->triggers; t; t = t->next) {
      const struct json *node = trigger_node(manifest, f, t);
      if (t->kind >= TRIGGER_FHIR && node)
        check_problem(&check, &at, node->offset,
                      "%s triggers are not yet supported by this version", words[t->kind]);
    }
  }
  refuse_part(&check, "feeds");
  refuse_part(&check, "links");
  return sum_up(ret_problems, err);
}

static void check_zone(struct check *check, const struct check_at *at,
                       const struct manifest_trigger *trigger, const struct json *node,
                       struct disk *tzdata) {
  struct zone *zone;
  struct err why;
  if (trigger->kind != TRIGGER_SCHEDULE || !node) return;
  if (zone_load(tzdata, trigger->zone, &zone, &why)) {
    zone_free(&zone);
    return;
  }
  const struct json *named = json_get(json_get(node, "schedule"), "zone");
  check_problem(check, at, named ? named->offset : node->offset,
                "%s; a zone is called like Europe/Zurich, or UTC", why.detail);
}

bool manifest_zones_exist(struct arena *arena, const struct manifest *manifest, struct disk *tzdata,
                          struct manifest_problems *ret_problems, struct err *err) {
  struct check check = {
      .arena = arena, .yaml = manifest->yaml, .tree = manifest->tree, .problems = ret_problems};
  for (const struct manifest_function *f = manifest->functions; f; f = f->next) {
    struct check_at functions = {.name = BYTES("functions")};
    struct check_at at = {.up = &functions, .name = f->name};
    for (const struct manifest_trigger *t = f->triggers; t; t = t->next)
      check_zone(&check, &at, t, trigger_node(manifest, f, t), tzdata);
  }
  return sum_up(ret_problems, err);
}

const struct manifest_function *manifest_function(const struct manifest *manifest,
                                                  struct bytes name) {
  const struct manifest_function *function = manifest->functions;
  while (function && !bytes_eq(function->name, name)) function = function->next;
  return function;
}

const struct manifest_contact *manifest_contact(const struct manifest *manifest,
                                                struct bytes name) {
  const struct manifest_contact *contact = manifest->contacts;
  while (contact && !bytes_eq(contact->name, name)) contact = contact->next;
  return contact;
}

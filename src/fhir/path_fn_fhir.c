/* fhir/path_fn_fhir.c: the functions FHIR R4 adds (§2.9.1.4), and the keys of SQL on FHIR. */
#include "fhir/path_fn.h"

#include <string.h>

static const char STRUCTURES[] = "http://hl7.org/fhir/StructureDefinition/";

static struct path_step extension_step(void) {
  return (struct path_step){.name = BYTES_INIT("extension"), .type = FHIR_NONE};
}

static bool has_url(const struct fhir_path_value *extension, struct bytes url) {
  return extension->kind == FHIR_PATH_ELEMENT &&
         bytes_eq(json_get_text(extension->element.node, "url"), url);
}

/* Short for extension.where(url = ...). */
PATH_FN(extension) {
  size_t end = m->top;
  struct fhir_path_value url;
  bool there;
  struct path_step step = extension_step();
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &url, &there, err));
  for (size_t i = base; there && i < end; i++) {
    struct fhir_path_value value = m->stack[i];
    TRY(path_child(m, &value, &step, err));
  }
  size_t kept = base;
  for (size_t i = end; i < m->top; i++)
    if (has_url(&m->stack[i], url.text)) m->stack[kept++] = m->stack[i];
  m->top = kept;
  return true;
}

/* Only a single primitive with a value of its own has one. */
static bool has_value(const struct fhir_path_machine *m, size_t base) {
  const struct fhir_path_value *value = &m->stack[base];
  if (m->top - base != 1) return false;
  if (value->kind != FHIR_PATH_ELEMENT) return true;
  return value->element.node && value->element.node->kind != JSON_OBJECT;
}

PATH_FN(hasValue) {
  return path_return_bool(m, base, has_value(m, base), err);
}

PATH_FN(getValue) {
  struct fhir_path_value value;
  bool there = has_value(m, base) && fhir_path_system(&m->arena, &m->stack[base], &value);
  m->top = base;
  return !there || path_push(m, &value, err);
}

/* ---- references ---- */

/* "#id" is contained in the resource at hand; "#" is the resource itself. */
static bool resolve_contained(struct fhir_path_machine *m, struct bytes id, struct err *err) {
  const struct fhir_path_env *env = m->env;
  const struct fhir_path_value *root = env->root_resource ? env->root_resource
                                       : env->resource    ? env->resource
                                                          : m->context;
  if (!root || root->kind != FHIR_PATH_ELEMENT) return true;
  if (id.len == 0) return path_push(m, root, err);
  const struct json *contained = json_get(root->element.node, "contained");
  for (const struct json *item = contained ? contained->first : NULL; item; item = item->next) {
    if (!bytes_eq(json_get_text(item, "id"), id)) continue;
    struct fhir_path_value found = fhir_path_resource(item);
    return path_push(m, &found, err);
  }
  return true;
}

static bool resolve_one(struct fhir_path_machine *m, struct bytes reference, struct err *err) {
  struct fhir_path_value found;
  bool is_found = false;
  if (reference.len == 0) return true;
  if (reference.at[0] == '#') return resolve_contained(m, bytes_from(reference, 1), err);
  if (!m->env->resolve) return true;
  TRY(m->env->resolve(m->env->user, reference, &found, &is_found, err));
  return !is_found || path_push(m, &found, err);
}

static struct bytes reference_of(const struct fhir_path_value *value) {
  if (value->kind == FHIR_PATH_STRING) return value->text;
  if (value->kind != FHIR_PATH_ELEMENT || !value->element.node) return BYTES_NONE;
  if (value->element.node->kind == JSON_STRING) return value->element.node->text;
  return json_get_text(value->element.node, "reference");
}

PATH_FN(resolve) {
  size_t end = m->top;
  for (size_t i = base; i < end; i++) {
    struct bytes reference = reference_of(&m->stack[i]);
    TRY(path_spend(m, 1, err));
    TRY(resolve_one(m, reference, err));
  }
  path_keep(m, base, end);
  return true;
}

PATH_FN(getResourceKey) {
  size_t end = m->top;
  for (size_t i = base; i < end; i++) {
    struct bytes id = m->stack[i].kind == FHIR_PATH_ELEMENT
                          ? json_get_text(m->stack[i].element.node, "id")
                          : BYTES_NONE;
    struct fhir_path_value key = fhir_path_string(id);
    if (id.len) TRY(path_push(m, &key, err));
  }
  path_keep(m, base, end);
  return true;
}

/* Type and id of "http://…/Patient/1/_history/2": the last two parts before the version. */
static bool split_reference(struct bytes reference, struct bytes *ret_type, struct bytes *ret_id) {
  size_t version = bytes_find_bytes(reference, BYTES("/_history/"));
  struct bytes rest = bytes_sub(reference, 0, version);
  size_t slash = rest.len;
  while (slash > 0 && rest.at[slash - 1] != '/') slash--;
  if (slash < 2) return false;
  *ret_id = bytes_from(rest, slash);
  rest = bytes_sub(rest, 0, slash - 1);
  slash = rest.len;
  while (slash > 0 && rest.at[slash - 1] != '/') slash--;
  *ret_type = bytes_from(rest, slash);
  return ret_id->len > 0;
}

PATH_FN(getReferenceKey) {
  size_t end = m->top;
  for (size_t i = base; i < end; i++) {
    struct bytes type;
    struct bytes id;
    if (!split_reference(reference_of(&m->stack[i]), &type, &id)) continue;
    struct bytes wanted =
        call->type.type == FHIR_NONE ? BYTES_NONE : fhir_text(fhir_type_at(call->type.type)->name);
    struct fhir_path_value key = fhir_path_string(id);
    if (wanted.len == 0 || bytes_eq(type, wanted)) TRY(path_push(m, &key, err));
  }
  path_keep(m, base, end);
  return true;
}

/* ---- conformance and terminology, through the caller ---- */

PATH_FN(conformsTo) {
  struct fhir_path_value profile;
  bool there;
  bool conforms = false;
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &profile, &there, err));
  m->node = call;
  size_t count = m->top - base;
  if (count > 1) PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu", count);
  if (count == 0 || !there) {
    m->top = base;
    return true;
  }
  struct fhir_path_value value = m->stack[base];
  const struct fhir_type *type = NULL;
  if (bytes_starts(profile.text, bytes_str(STRUCTURES)))
    type = fhir_type_find(bytes_from(profile.text, sizeof STRUCTURES - 1));
  if (type) {
    conforms = value.kind == FHIR_PATH_ELEMENT && value.type != FHIR_NONE &&
               fhir_type_is(fhir_type_at(value.type), fhir_type_id(type));
  } else if (m->env->conforms_to) {
    TRY(m->env->conforms_to(m->env->user, &value, profile.text, &conforms, err));
  } else {
    PATH_FAIL(ERR_UNSUPPORTED, "conformsTo() knows the base types only here");
  }
  return path_return_bool(m, base, conforms, err);
}

PATH_FN(memberOf) {
  struct fhir_path_value value_set;
  bool there;
  bool member = false;
  bool known = false;
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &value_set, &there, err));
  m->node = call;
  size_t count = m->top - base;
  if (count > 1) PATH_FAIL(ERR_INVALID, "one item is needed here, there are %zu", count);
  if (count && there && m->env->member_of)
    TRY(m->env->member_of(m->env->user, &m->stack[base], value_set.text, &member, &known, err));
  m->top = base;
  return !known || path_return_bool(m, base, member, err);
}

/* Without a terminology server a code subsumes itself, and of others nothing is known. */
static bool subsumption(struct fhir_path_machine *m, const struct path_node *call,
                        const struct path_scope *scope, size_t base, struct err *err) {
  size_t end = m->top;
  bool same;
  TRY(path_eval(m, call->args[0], scope, err));
  m->node = call;
  size_t count = end - base;
  if (count > 1 || m->top - end > 1)
    PATH_FAIL(ERR_INVALID, "one item is needed here, there are more");
  bool both = count == 1 && m->top - end == 1;
  if (both) TRY(path_equivalent(m, &m->stack[base], &m->stack[end], &same, err));
  m->top = base;
  return !both || !same || path_return_bool(m, base, true, err);
}

PATH_FN(subsumes) {
  return subsumption(m, call, scope, base, err);
}

PATH_FN(subsumedBy) {
  return subsumption(m, call, scope, base, err);
}

/* ---- narrative and modifiers ---- */

/* What FHIR's narrative may not hold (§2.4.0): scripts, forms, frames, events. */
static bool is_harmless(struct bytes html) {
  static const char *const banned[] = {
      "<script", "<form",   "<iframe",     "<object",  "<base",   "<link",   "<frame",
      "<embed",  "<applet", "javascript:", " onclick", " onload", " onerror"};
  for (size_t at = 0; at < html.len; at++) {
    uint8_t c = html.at[at];
    if (c != '<' && c != ' ' && (c | 0x20) != 'j') continue;
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++) {
      struct bytes word = bytes_str(banned[i]);
      if (bytes_eq_nocase(bytes_sub(html, at, word.len), word)) return false;
    }
  }
  return true;
}

PATH_FN(htmlChecks) {
  struct fhir_path_value value;
  bool there;
  TRY(path_take_one(m, base, &value, &there, err));
  if (!there) return true;
  if (value.kind != FHIR_PATH_STRING) PATH_FAIL(ERR_INVALID, "htmlChecks() works on a narrative");
  TRY(path_spend(m, value.text.len / 8, err));
  bool div = bytes_starts(bytes_trim(value.text), BYTES("<div"));
  return path_return_bool(m, base, div && is_harmless(value.text), err);
}

/* Modifier extensions that are not named are not understood. */
PATH_FN(checkModifiers) {
  size_t end = m->top;
  struct path_step step = {.name = BYTES_INIT("modifierExtension"), .type = FHIR_NONE};
  for (size_t i = base; i < end; i++) {
    struct fhir_path_value value = m->stack[i];
    TRY(path_child(m, &value, &step, err));
  }
  size_t last = m->top;
  for (size_t i = end; i < last; i++) {
    bool known = false;
    for (size_t k = 0; k < call->arg_count && !known; k++) {
      struct fhir_path_value url;
      bool there;
      TRY(path_arg(m, call, k, scope, FHIR_PATH_STRING, &url, &there, err));
      known = there && has_url(&m->stack[i], url.text);
    }
    m->node = call;
    if (!known) PATH_FAIL(ERR_INVALID, "an element has a modifier extension that is not expected");
  }
  m->top = end;
  return true;
}

/* model/manifest_function.c: one function of medulla.yaml. */
#include "model/glob.h"
#include "model/grant_parts.h"
#include "model/manifest_check.h"

#include "base/nearest.h"

enum { ENV_MAX = 256, SECRETS_MAX = 64, CONTACTS_SUGGESTED_MAX = 64, ORDER_BY_BYTES_MAX = 256 };

/* A worker's level of confinement, as runtime names them; the number is the place. */
static const char *const isolation_levels[] = {"filtered", "landlocked", "isolated"};

#define READER(name) \
  static void name(struct check *check, const struct check_at *at, const struct json *value, \
                   void *into)
#define FUNCTION ((struct manifest_function *)into)

/* Every number's reader, from the table. */
#define READ_NUMBER(key, field, unit, first, min, max, what) \
  READER(read_##key) { \
    int64_t number; \
    if (check_number(check, at, value, unit, min, max, &number)) FUNCTION->field = number; \
  }
#define NUMBER_LIMITS READ_NUMBER
#define NUMBER_RETRY READ_NUMBER
#define NUMBER_FUNCTION READ_NUMBER
#include "model/manifest.tbl.h"

READER(read_limits) {
  static const struct check_key keys[] = {
#define NUMBER_LIMITS(key, ...) {#key, read_##key, false},
#include "model/manifest.tbl.h"
  };
  CHECK_MAP(check, at, value, keys, into);
  if (FUNCTION->provisioned > FUNCTION->concurrency)
    check_problem(check, at, value->offset, "provisioned (%u) is more than concurrency (%u) allows",
                  FUNCTION->provisioned, FUNCTION->concurrency);
}

READER(read_retry) {
  static const struct check_key keys[] = {
#define NUMBER_RETRY(key, ...) {#key, read_##key, false},
#include "model/manifest.tbl.h"
  };
  CHECK_MAP(check, at, value, keys, into);
}

READER(read_code) {
  struct bytes path;
  if (!check_file(check, at, value, &path)) return;
  size_t slash = path.len;
  while (slash > 0 && path.at[slash - 1] != '/') slash--;
  struct bytes file = bytes_from(path, slash);
  bool is_folder = bytes_find(file, '.') == file.len;
  FUNCTION->wasm = bytes_ends(file, BYTES(".wasm"));
  FUNCTION->code = path;
  if (is_folder || FUNCTION->wasm || bytes_ends(file, BYTES(".js")) ||
      bytes_ends(file, BYTES(".mjs")) || bytes_ends(file, BYTES(".cjs")) ||
      bytes_ends(file, BYTES(".ts")))
    return;
  check_problem(check, at, value->offset,
                "code is a .js, .mjs, .cjs, .ts or .wasm file, or a folder with package.json");
}

READER(read_handler) {
  struct bytes name;
  if (!check_text(check, at, value, &name)) return;
  bool sound = !(name.at[0] >= '0' && name.at[0] <= '9');
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.at[i], letter = c | 32;
    sound = sound &&
            ((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$');
  }
  if (!sound)
    check_problem(check, at, value->offset, "handler names an export, like handler");
  else
    FUNCTION->handler = name;
}

READER(read_order_by) {
  struct bytes path;
  if (!check_text(check, at, value, &path)) return;
  bool sound = path.len <= ORDER_BY_BYTES_MAX && path.at[0] != '.' && path.at[path.len - 1] != '.';
  for (size_t i = 0; i < path.len; i++) {
    bool dots = path.at[i] == '.' && i > 0 && path.at[i - 1] == '.';
    sound = sound && path.at[i] > ' ' && !dots;
  }
  if (!sound)
    check_problem(check, at, value->offset,
                  "a path into the event is needed, like data.subject.reference");
  else
    FUNCTION->order_by = path;
}

READER(read_order_by_missing) {
  static const char *const words[] = {"refuse", "unordered"};
  unsigned word;
  if (check_word(check, at, value, words, 2, &word)) FUNCTION->unordered_when_missing = word == 1;
}

READER(read_on_failure) {
  static const char *const words[] = {"skip", "hold"};
  unsigned word;
  if (value->kind == JSON_OBJECT)
    check_problem(check, at, value->offset,
                  "must be hold or skip; where failures go is said by destinations: {on_failure: "
                  "...}");
  else if (check_word(check, at, value, words, 2, &word))
    FUNCTION->hold = word == 1;
}

READER(read_record) {
  static const char *const words[] = {
      [RECORD_NONE] = "none", [RECORD_FAILURES] = "failures", [RECORD_ALL] = "all"};
  unsigned word;
  if (check_word(check, at, value, words, 3, &word)) FUNCTION->record = (enum manifest_record)word;
}

READER(read_isolation) {
  unsigned word;
  if (check_word(check, at, value, isolation_levels, 3, &word))
    FUNCTION->isolation_floor = word + 1;
}

/* A contact that is not there would be found out when somebody must be woken. */
static void check_contact(struct check *check, const struct check_at *at, const struct json *entry,
                          struct bytes name) {
  const struct json *contacts = json_get(check->tree, "contacts");
  if (glob_is_pattern(name) || json_get_bytes(contacts, name)) return;
  const char *names[CONTACTS_SUGGESTED_MAX];
  size_t count = 0;
  for (const struct json *contact = contacts ? contacts->first : NULL;
       contact && count < CONTACTS_SUGGESTED_MAX; contact = contact->next) {
    names[count] = arena_str(check->arena, contact->name);
    if (names[count]) count++;
  }
  const char *near = nearest_word(name, names, count);
  check_problem(check, at, entry->first->offset, "there is no contact \"%.*s\"%s%s%s",
                BYTES_FMT(bytes_sub(name, 0, 64)), near ? "; did you mean \"" : " under contacts",
                near ? near : "", near ? "\"?" : "");
}

struct grants_reading {
  const struct grant **end;
};

READER(read_grant) {
  struct grants_reading *reading = into;
  struct grant *grant;
  struct err err;
  if (!grant_parse_one(check->arena, value, &grant, &err)) {
    check_err(check, at, value, &err);
    return;
  }
  if (grant->kind == GRANT_NOTIFY) check_contact(check, at, value, grant->pattern);
  *reading->end = grant;
  reading->end = &grant->next;
}

READER(read_grants) {
  struct grant_set *set = ARENA_NEW(check->arena, struct grant_set);
  if (!set) return;
  struct grants_reading reading = {&set->first};
  check_list(check, at, value, GRANTS_MAX, read_grant, &reading);
  FUNCTION->grants = set;
}

READER(read_input) {
  check_file(check, at, value, &FUNCTION->input_schema);
}

READER(read_output) {
  check_file(check, at, value, &FUNCTION->output_schema);
}

READER(read_contract) {
  static const struct check_key keys[] = {{"input", read_input, false},
                                          {"output", read_output, false}};
  CHECK_MAP(check, at, value, keys, into);
}

READER(read_variable) {
  struct bytes name = value->name;
  bool sound = name.len > 0 && !(name.at[0] >= '0' && name.at[0] <= '9');
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.at[i], letter = c | 32;
    sound = sound && ((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_');
  }
  if (!sound)
    check_problem(check, at, value->offset, "a variable's name has letters, digits and \"_\"");
  if (value->kind != JSON_STRING)
    check_problem(check, at, value->offset, "a variable is a text: put it in quotes");
}

READER(read_env) {
  check_names(check, at, value, ENV_MAX, read_variable, into);
  FUNCTION->env = value;
}

READER(read_secret) {
  struct bytes name;
  check_name(check, at, value, &name);
}

READER(read_secrets) {
  check_list(check, at, value, SECRETS_MAX, read_secret, into);
  FUNCTION->secrets = value;
}

READER(read_to_emit) {
  check_text(check, at, value, &((struct manifest_destination *)into)->emit);
}

READER(read_to_queue) {
  check_name(check, at, value, &((struct manifest_destination *)into)->queue);
}

READER(read_destination) {
  static const struct check_key keys[] = {{"emit", read_to_emit, false},
                                          {"queue", read_to_queue, false}};
  CHECK_MAP(check, at, value, keys, into);
  if (value->kind == JSON_OBJECT && value->count != 1)
    check_problem(check, at, value->offset, "a destination is {emit: TYPE} or {queue: NAME}");
}

READER(read_on_success_to) {
  read_destination(check, at, value, &FUNCTION->on_success);
}

READER(read_on_failure_to) {
  read_destination(check, at, value, &FUNCTION->on_failure);
}

READER(read_destinations) {
  static const struct check_key keys[] = {{"on_success", read_on_success_to, false},
                                          {"on_failure", read_on_failure_to, false}};
  CHECK_MAP(check, at, value, keys, into);
}

static const struct check_key function_keys[] = {
    {"code", read_code, true},
    {"handler", read_handler, false},
    {"on", manifest_read_triggers, false},
    {"order_by", read_order_by, false},
    {"order_by_missing", read_order_by_missing, false},
    {"on_failure", read_on_failure, false},
    {"hold_max", read_hold_max, false},
    {"limits", read_limits, false},
    {"retry", read_retry, false},
    {"record", read_record, false},
    {"grants", read_grants, false},
    {"contract", read_contract, false},
    {"env", read_env, false},
    {"secrets", read_secrets, false},
    {"destinations", read_destinations, false},
    {"isolation", read_isolation, false},
};

void manifest_read_function(struct check *check, const struct check_at *at,
                            const struct json *value, struct manifest_function *function) {
  static const struct manifest_function defaults = {
#define NUMBER(key, field, unit, first, min, max, what) .field = first,
#define NUMBER_LIMITS NUMBER
#define NUMBER_RETRY NUMBER
#define NUMBER_BATCH NUMBER
#define NUMBER_FUNCTION NUMBER
#include "model/manifest.tbl.h"
      .hold = true, .record = RECORD_FAILURES, .isolation_floor = 1};
  struct bytes name = function->name;
  *function = defaults;
  function->name = name;
  CHECK_MAP(check, at, value, function_keys, function);
  static const char *const need_order[] = {"order_by_missing", "on_failure", "hold_max"};
  for (size_t i = 0; i < 3 && !json_get(value, "order_by"); i++) {
    const struct json *key = json_get(value, need_order[i]);
    if (key && key->kind != JSON_OBJECT)
      check_problem(check, at, key->offset, "%s means something only with order_by", need_order[i]);
  }
}

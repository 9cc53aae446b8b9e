/* model/manifest_check.c: problems with a place, and readers of single values. */
#include "model/manifest_check.h"

#include "base/cleanup.h"
#include "base/nearest.h"
#include "wire/yaml.h"

#include <stdio.h>
#include <string.h>

enum { KEYS_MAX = 32, TEXT_BYTES_MAX = 4096, NAME_BYTES_MAX = 64, PATH_BYTES_MAX = 240 };
enum { MESSAGE_BYTES_MAX = 1024 };

static void put_path(struct buf *buf, const struct check_at *at) {
  if (!at) return;
  put_path(buf, at->up);
  if (at->is_item)
    buf_printf(buf, "[%u]", at->index);
  else if (buf->len)
    buf_printf(buf, ".%.*s", BYTES_FMT(at->name));
  else
    buf_put(buf, at->name);
}

void check_problem(struct check *check, const struct check_at *at, size_t offset,
                   const char *format, ...) {
  if (check->problems->count >= MANIFEST_PROBLEMS_MAX) return;
  cleanup_buf struct buf text;
  buf_init(&text, MESSAGE_BYTES_MAX);
  put_path(&text, at);
  size_t path_bytes = text.len;
  va_list args;
  va_start(args, format);
  buf_vprintf(&text, format, args);
  va_end(args);
  struct bytes whole = arena_copy(check->arena, buf_bytes(&text));
  struct yaml_place place = yaml_place(check->yaml, offset);
  check->problems->list[check->problems->count++] = (struct manifest_problem){
      .line = place.line,
      .column = place.column,
      .path = bytes_sub(whole, 0, path_bytes),
      .message = bytes_from(whole, path_bytes),
  };
}

void check_err(struct check *check, const struct check_at *at, const struct json *value,
               const struct err *err) {
  size_t offset = err->offset == ERR_OFFSET_NONE ? value->offset : err->offset;
  check_problem(check, at, offset, "%s", err->detail);
}

/* What people write who come from elsewhere. */
static const char *meant_by(struct bytes word) {
  static const struct {
    const char *given, *meant;
  } others[] = {
      {"timeout", "limits: {time: 2s}"},
      {"memory", "limits: {memory: 64MiB}"},
      {"memorysize", "limits: {memory: 64MiB}"},
      {"memory_size", "limits: {memory: 64MiB}"},
      {"concurrency", "limits: {concurrency: 100}"},
      {"provisioned", "limits: {provisioned: 1}"},
      {"environment", "env: {NAME: value}"},
      {"permissions", "grants"},
      {"policies", "grants"},
      {"triggers", "on"},
      {"events", "on"},
      {"cron", "schedule: {cron: \"0 7 * * *\"}"},
      {"rate", "schedule: \"rate(5 minutes)\""},
      {"timer", "schedule"},
      {"s3", "object"},
      {"sqs", "queue"},
      {"api", "http"},
      {"httpapi", "http"},
      {"retries", "retry: {attempts: 3}"},
      {"dead_letter", "destinations: {on_failure: ...}"},
      {"file", "code"},
      {"codeuri", "code"},
      {"name", "app"},
      {"timezone", "zone"},
      {"on_success", "destinations: {on_success: ...}"},
  };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (bytes_eq_nocase(word, bytes_str(others[i].given))) return others[i].meant;
  return NULL;
}

static void unknown_key(struct check *check, const struct check_at *at, const struct json *member,
                        const struct check_key *keys, size_t count) {
  const char *words[KEYS_MAX];
  cleanup_buf struct buf all;
  buf_init(&all, MESSAGE_BYTES_MAX / 2);
  for (size_t i = 0; i < count && i < KEYS_MAX; i++) {
    words[i] = keys[i].name;
    buf_printf(&all, "%s%s", i ? ", " : "", keys[i].name);
  }
  const char *near = nearest_word(member->name, words, count < KEYS_MAX ? count : KEYS_MAX);
  if (!near) near = meant_by(member->name);
  size_t offset = yaml_name_offset(check->yaml, member);
  struct bytes name = bytes_sub(member->name, 0, NAME_BYTES_MAX);
  if (near)
    check_problem(check, at, offset, "unknown key \"%.*s\"; did you mean %s?", BYTES_FMT(name),
                  near);
  else
    check_problem(check, at, offset, "unknown key \"%.*s\"; known here: %.*s", BYTES_FMT(name),
                  BYTES_FMT(buf_bytes(&all)));
}

static bool is_map(struct check *check, const struct check_at *at, const struct json *value) {
  if (value->kind == JSON_OBJECT) return true;
  check_problem(check, at, value->offset, "a map of keys is needed here");
  return false;
}

void check_map(struct check *check, const struct check_at *at, const struct json *value,
               const struct check_key *keys, size_t count, void *into) {
  if (!is_map(check, at, value)) return;
  for (const struct json *member = value->first; member; member = member->next) {
    size_t i = 0;
    while (i < count && !bytes_eq_str(member->name, keys[i].name)) i++;
    if (i == count) {
      unknown_key(check, at, member, keys, count);
      continue;
    }
    struct check_at here = {.up = at, .name = member->name};
    if (keys[i].read) keys[i].read(check, &here, member, into);
  }
  for (size_t i = 0; i < count; i++)
    if (keys[i].required && !json_get(value, keys[i].name))
      check_problem(check, at, value->offset, "\"%s\" is missing", keys[i].name);
}

void check_names(struct check *check, const struct check_at *at, const struct json *value,
                 size_t count_max, check_read *read, void *into) {
  if (!is_map(check, at, value)) return;
  if (value->count > count_max)
    check_problem(check, at, value->offset, "at most %zu are allowed", count_max);
  for (const struct json *member = value->first; member; member = member->next) {
    struct check_at here = {.up = at, .name = bytes_sub(member->name, 0, NAME_BYTES_MAX)};
    read(check, &here, member, into);
  }
}

void check_list(struct check *check, const struct check_at *at, const struct json *value,
                size_t count_max, check_read *read, void *into) {
  if (value->kind != JSON_ARRAY) {
    check_problem(check, at, value->offset, "a list is needed here");
    return;
  }
  if (value->count > count_max)
    check_problem(check, at, value->offset, "at most %zu are allowed", count_max);
  struct check_at here = {.up = at, .is_item = true};
  for (const struct json *item = value->first; item; item = item->next, here.index++)
    read(check, &here, item, into);
}

bool check_text(struct check *check, const struct check_at *at, const struct json *value,
                struct bytes *ret_text) {
  if (value->kind == JSON_STRING && value->text.len > 0 && value->text.len <= TEXT_BYTES_MAX) {
    *ret_text = value->text;
    return true;
  }
  bool scalar = value->kind == JSON_NUMBER || value->kind == JSON_TRUE || value->kind == JSON_FALSE;
  check_problem(check, at, value->offset,
                scalar ? "a text is needed here: put it in quotes" : "a text is needed here");
  return false;
}

bool check_word(struct check *check, const struct check_at *at, const struct json *value,
                const char *const *words, size_t count, unsigned *ret_index) {
  cleanup_buf struct buf all;
  buf_init(&all, MESSAGE_BYTES_MAX / 2);
  for (size_t i = 0; i < count; i++) {
    if (value->kind == JSON_STRING && bytes_eq_str(value->text, words[i])) {
      *ret_index = (unsigned)i;
      return true;
    }
    buf_printf(&all, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
  }
  check_problem(check, at, value->offset, "must be %.*s", BYTES_FMT(buf_bytes(&all)));
  return false;
}

bool check_name(struct check *check, const struct check_at *at, const struct json *value,
                struct bytes *ret_name) {
  struct bytes name;
  if (!check_text(check, at, value, &name)) return false;
  bool sound = name.len <= NAME_BYTES_MAX;
  for (size_t i = 0; i < name.len && sound; i++) {
    uint8_t c = name.at[i];
    bool inner = i > 0 && i + 1 < name.len && (c == '-' || c == '_' || c == '.');
    sound = inner || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }
  if (!sound)
    check_problem(check, at, value->offset,
                  "a name has at most %d letters, digits and inner \"-\", \"_\" and \".\"",
                  NAME_BYTES_MAX);
  else
    *ret_name = name;
  return sound;
}

bool check_file(struct check *check, const struct check_at *at, const struct json *value,
                struct bytes *ret_path) {
  struct bytes path, rest;
  if (!check_text(check, at, value, &path)) return false;
  bool sound = path.len <= PATH_BYTES_MAX && path.at[0] != '/';
  for (size_t i = 0; i < path.len; i++) sound = sound && path.at[i] >= ' ' && path.at[i] != '\\';
  for (rest = path; rest.len;) sound = !bytes_eq_str(bytes_cut(rest, '/', &rest), "..") && sound;
  if (!sound)
    check_problem(check, at, value->offset, "a file is named by its path inside the app's folder");
  else
    *ret_path = path;
  return sound;
}

bool check_flag(struct check *check, const struct check_at *at, const struct json *value) {
  if (value->kind == JSON_TRUE || value->kind == JSON_FALSE) return value->kind == JSON_TRUE;
  check_problem(check, at, value->offset, "must be true or false");
  return false;
}

static const struct unit {
  const char *word;
  enum check_unit kind;
  int64_t factor;
} units[] = {{"d", DURATION, 86400000}, {"h", DURATION, 3600000}, {"m", DURATION, 60000},
             {"s", DURATION, 1000},     {"ms", DURATION, 1},      {"GiB", SIZE, INT64_C(1) << 30},
             {"MiB", SIZE, 1 << 20},    {"KiB", SIZE, 1 << 10},   {"B", SIZE, 1}};
enum { UNITS = sizeof units / sizeof *units };

/* "15m": in the largest unit that needs no fraction. */
static void print_number(char *text, size_t room, enum check_unit kind, int64_t number) {
  size_t i = 0;
  while (i < UNITS && (units[i].kind != kind || number % units[i].factor || number == 0)) i++;
  if (i == UNITS)
    snprintf(text, room, "%lld", (long long)number);
  else
    snprintf(text, room, "%lld%s", (long long)(number / units[i].factor), units[i].word);
}

/* Digits and a unit, nothing between; false when it is not so or too large. */
static bool parse_number(struct bytes text, enum check_unit kind, int64_t *ret_number) {
  size_t digits = 0;
  while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9') digits++;
  uint64_t number;
  if (!bytes_u64(bytes_sub(text, 0, digits), &number)) return false;
  for (size_t i = 0; i < UNITS; i++) {
    if (units[i].kind != kind || !bytes_eq_str(bytes_from(text, digits), units[i].word)) continue;
    if (number > (uint64_t)(INT64_MAX / units[i].factor)) return false;
    *ret_number = (int64_t)number * units[i].factor;
    return true;
  }
  return false;
}

bool check_number(struct check *check, const struct check_at *at, const struct json *value,
                  enum check_unit unit, int64_t min, int64_t max, int64_t *ret_number) {
  static const char *const forms[] = {
      [DURATION] = "a duration is a whole number with ms, s, m, h or d behind it, as in 2s",
      [SIZE] = "a size is a whole number with B, KiB, MiB or GiB behind it, as in 64MiB",
      [COUNT] = "a whole number is needed here",
  };
  int64_t number;
  bool sound = unit == COUNT
                   ? value->kind == JSON_NUMBER && json_int(value, &number)
                   : value->kind == JSON_STRING && parse_number(value->text, unit, &number);
  if (!sound) {
    check_problem(check, at, value->offset, "%s", forms[unit]);
    return false;
  }
  if (number < min || number > max) {
    char low[32], high[32];
    print_number(low, sizeof low, unit, min);
    print_number(high, sizeof high, unit, max);
    check_problem(check, at, value->offset, "must be from %s to %s", low, high);
    return false;
  }
  *ret_number = number;
  return true;
}

/* model/manifest_check.h: reading a tree strictly: every problem at once, each with its place.
 * Owns:    texts live in the arena.
 * Units:   offsets into the YAML text.
 * Errors:  none returned: problems are collected, and readers leave the target as it was.
 * Threads: one at a time.
 * Limits:  MANIFEST_PROBLEMS_MAX; further problems only count.                                */
#ifndef MEDULLA_MODEL_MANIFEST_CHECK_H
#define MEDULLA_MODEL_MANIFEST_CHECK_H

#include "model/manifest.h"

struct check {
  struct arena *arena;
  struct bytes yaml;
  const struct json *tree;
  struct manifest_problems *problems;
};

/* The way from the root to a value, for the problem's path. */
struct check_at {
  const struct check_at *up;
  struct bytes name; /* of a member; an item of a list has its index instead */
  uint32_t index;
  bool is_item;
};

void check_problem(struct check *check, const struct check_at *at, size_t offset,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A parser's error, at its own offset when it has one. */
void check_err(struct check *check, const struct check_at *at, const struct json *value,
               const struct err *err);

typedef void check_read(struct check *check, const struct check_at *at, const struct json *value,
                        void *into);
struct check_key {
  const char *name;
  check_read *read; /* NULL: known, but read by somebody else */
  bool required;
};
/* Every member by its key's reader. Unknown keys are problems that name the nearest. */
void check_map(struct check *check, const struct check_at *at, const struct json *value,
               const struct check_key *keys, size_t count, void *into);
#define CHECK_MAP(check, at, value, keys, into) \
  check_map(check, at, value, keys, sizeof(keys) / sizeof *(keys), into)
/* Any names as keys; each value goes to `read`. */
void check_names(struct check *check, const struct check_at *at, const struct json *value,
                 size_t count_max, check_read *read, void *into);
void check_list(struct check *check, const struct check_at *at, const struct json *value,
                size_t count_max, check_read *read, void *into);

/* Readers of single values; false: a problem was noted. */
bool check_text(struct check *check, const struct check_at *at, const struct json *value,
                struct bytes *ret_text);
bool check_word(struct check *check, const struct check_at *at, const struct json *value,
                const char *const *words, size_t count, unsigned *ret_index);
/* Letters, digits and inner "-", "_" and "."; for names of queues, buckets, secrets. */
bool check_name(struct check *check, const struct check_at *at, const struct json *value,
                struct bytes *ret_name);
/* A relative path that stays inside the app's folder. */
bool check_file(struct check *check, const struct check_at *at, const struct json *value,
                struct bytes *ret_path);
bool check_flag(struct check *check, const struct check_at *at, const struct json *value);

enum check_unit { DURATION, SIZE, COUNT };
bool check_number(struct check *check, const struct check_at *at, const struct json *value,
                  enum check_unit unit, int64_t min, int64_t max, int64_t *ret_number);

/* functions.* and what is under `on`. */
void manifest_read_function(struct check *check, const struct check_at *at,
                            const struct json *value, struct manifest_function *function);
void manifest_read_triggers(struct check *check, const struct check_at *at,
                            const struct json *value, void *function);

#endif

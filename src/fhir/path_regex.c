/* fhir/path_regex.c: patterns on PCRE2 under limits. FHIRPath's patterns are PCRE's; a dot matches
 * line ends, too (single line mode, §5.6.9). The limit counts anew wherever a match may start, so
 * it shrinks with the length of the text.                                                       */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "fhir/path_impl.h"

#include <pcre2.h>

enum {
  PATTERN_BYTES_MAX = 4096,
  SUBJECT_BYTES_MAX = 1 << 20,
  WORK_MAX = 20000000,
  WORK_MIN = 200,
  HEAP_KIB_MAX = 4096,
  REPLACED_FACTOR = 4,
  MESSAGE_BYTES = 120
};

struct path_regex {
  pcre2_code *code;
};

static void *arena_take(size_t bytes, void *arena) {
  return arena_alloc(arena, bytes);
}

static void arena_keep(void *at, void *arena) {
  (void)at;
  (void)arena;
}

static bool options_of(struct bytes flags, bool whole, uint32_t *ret_options) {
  uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C |
                     PCRE2_DOLLAR_ENDONLY;
  if (whole) options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
  for (size_t i = 0; i < flags.len; i++) {
    if (flags.at[i] == 'i')
      options |= PCRE2_CASELESS;
    else if (flags.at[i] == 'm')
      options |= PCRE2_MULTILINE;
    else
      return false;
  }
  *ret_options = options;
  return true;
}

bool path_regex_compile(struct arena *arena, struct bytes pattern, struct bytes flags, bool whole,
                        const struct path_regex **ret_regex, struct err *err) {
  int number = PCRE2_ERROR_NOMEMORY;
  size_t at = 0;
  uint32_t options;
  uint8_t message[MESSAGE_BYTES];
  if (!options_of(flags, whole, &options)) FAIL(ERR_INVALID, "the flags of a pattern are i and m");
  if (pattern.len > PATTERN_BYTES_MAX)
    FAIL(ERR_LIMIT, "a pattern has at most %d bytes", PATTERN_BYTES_MAX);
  pcre2_general_context *memory = pcre2_general_context_create(arena_take, arena_keep, arena);
  pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
  struct path_regex *regex = ARENA_NEW(arena, struct path_regex);
  const uint8_t *text = pattern.at ? pattern.at : (const uint8_t *)"";
  pcre2_code *code =
      context ? pcre2_compile(text, pattern.len, options, &number, &at, context) : NULL;
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the pattern needs more memory than allowed");
  if (!code || !regex) {
    pcre2_get_error_message(number, message, sizeof message);
    FAIL(ERR_MALFORMED, "pattern: %s", (const char *)message);
  }
  regex->code = code;
  *ret_regex = regex;
  return true;
}

static pcre2_match_context *limits(struct bytes text) {
  pcre2_match_context *context = pcre2_match_context_create(NULL);
  uint32_t work = (uint32_t)(WORK_MAX / (text.len + 1));
  if (work < WORK_MIN) work = WORK_MIN;
  if (!context) return NULL;
  pcre2_set_match_limit(context, work);
  pcre2_set_depth_limit(context, work);
  pcre2_set_heap_limit(context, HEAP_KIB_MAX);
  return context;
}

static bool judge(int result, struct err *err) {
  if (result < 0 && result != PCRE2_ERROR_NOMATCH)
    FAIL(ERR_LIMIT, "the pattern takes more work than allowed");
  return true;
}

bool path_regex_match(const struct path_regex *regex, struct bytes text, bool *ret_match,
                      struct err *err) {
  const uint8_t *at = text.at ? text.at : (const uint8_t *)"";
  if (text.len > SUBJECT_BYTES_MAX)
    FAIL(ERR_LIMIT, "a text to match has at most %d bytes", SUBJECT_BYTES_MAX);
  pcre2_match_context *context = limits(text);
  pcre2_match_data *data = pcre2_match_data_create(1, NULL);
  int result = PCRE2_ERROR_NOMEMORY;
  if (context && data)
    result = pcre2_match(regex->code, at, text.len, 0, PCRE2_NO_UTF_CHECK, data, context);
  pcre2_match_data_free(data);
  pcre2_match_context_free(context);
  TRY(judge(result, err));
  *ret_match = result != PCRE2_ERROR_NOMATCH;
  return true;
}

bool path_regex_replace(struct arena *arena, const struct path_regex *regex, struct bytes text,
                        struct bytes with, struct bytes *ret_text, struct err *err) {
  static const uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_SUBSTITUTE_GLOBAL |
                                  PCRE2_SUBSTITUTE_UNSET_EMPTY | PCRE2_SUBSTITUTE_UNKNOWN_UNSET;
  const uint8_t *at = text.at ? text.at : (const uint8_t *)"";
  const uint8_t *by = with.at ? with.at : (const uint8_t *)"";
  if (text.len > SUBJECT_BYTES_MAX / REPLACED_FACTOR)
    FAIL(ERR_LIMIT, "a text to match has at most %d bytes", SUBJECT_BYTES_MAX / REPLACED_FACTOR);
  size_t room = text.len * REPLACED_FACTOR + with.len * (text.len + 1) + 1;
  if (room > SUBJECT_BYTES_MAX) room = SUBJECT_BYTES_MAX;
  uint8_t *out = arena_alloc(arena, room);
  pcre2_match_context *context = limits(text);
  int result = PCRE2_ERROR_NOMEMORY;
  if (context && out)
    result = pcre2_substitute(regex->code, at, text.len, 0, options, NULL, context, by, with.len,
                              out, &room);
  pcre2_match_context_free(context);
  if (result == PCRE2_ERROR_BADREPLACEMENT || result == PCRE2_ERROR_BADSUBSTITUTION ||
      result == PCRE2_ERROR_REPMISSINGBRACE || result == PCRE2_ERROR_NOSUBSTRING)
    FAIL(ERR_MALFORMED, "the replacement is malformed: write $1, ${name}, or $$");
  TRY(judge(result, err));
  *ret_text = bytes_of(out, room);
  return true;
}

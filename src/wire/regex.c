/* wire/regex.c: compile and match under limits. PCRE2 counts its limit anew at each place where a
 * match may start, and says nothing of what it used. So each try is paid for in full, in advance:
 * steps times places. The first is cheap; one that needs more is tried again with more. A run over
 * a character class counts as no step, yet may read all the text from every place: that is paid
 * for, too. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "wire/regex.h"

#include <pcre2.h>

enum { FIRST_TRY_STEPS = 8, AGAIN_FACTOR = 8, READS_PER_STEP = 32 };

struct regex {
  pcre2_code *code;
  bool anchored; /* may start only at the beginning */
};

static void *arena_take(size_t bytes, void *arena) {
  return arena_alloc(arena, bytes);
}

static void arena_keep(void *at, void *arena) {
  (void)at;
  (void)arena;
}

/* The compiled code frees nothing: it ends with its arena. */
static pcre2_code *compile(struct arena *arena, struct bytes pattern, int *ret_number,
                           size_t *ret_at) {
  static const uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                                  PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
                                  PCRE2_NEVER_BACKSLASH_C;
  pcre2_general_context *memory = pcre2_general_context_create(arena_take, arena_keep, arena);
  pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
  *ret_number = PCRE2_ERROR_NOMEMORY;
  *ret_at = 0;
  if (!context) return NULL;
  return pcre2_compile(pattern.at, pattern.len, options, ret_number, ret_at, context);
}

bool regex_compile(struct arena *arena, struct bytes pattern, const struct regex **ret_regex,
                   struct err *err) {
  struct buf buf;
  buf_init(&buf, REGEX_PATTERN_BYTES_MAX * 64u);
  bool ok = regex_translate(&buf, pattern, err);
  struct bytes translated = ok ? arena_copy(arena, buf_bytes(&buf)) : BYTES_NONE;
  buf_fini(&buf);
  TRY(ok);
  int number;
  size_t at;
  uint32_t options = 0;
  struct regex *regex = ARENA_NEW(arena, struct regex);
  pcre2_code *code = regex ? compile(arena, translated, &number, &at) : NULL;
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "pattern: more memory than its arena allows");
  if (!code) {
    uint8_t text[120];
    pcre2_get_error_message(number, text, sizeof text);
    FAIL(ERR_MALFORMED, "pattern: %s", (const char *)text);
  }
  pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
  *regex = (struct regex){code, options & PCRE2_ANCHORED};
  *ret_regex = regex;
  return true;
}

static int run(const struct regex *regex, struct bytes text, pcre2_match_context *context,
               pcre2_match_data *data, uint64_t steps) {
  const uint8_t *at = text.at ? text.at : (const uint8_t *)"";
  pcre2_set_match_limit(context, (uint32_t)steps);
  pcre2_set_depth_limit(context, (uint32_t)steps);
  pcre2_set_heap_limit(context, REGEX_HEAP_KIB_MAX);
  return pcre2_match(regex->code, at, text.len, 0, PCRE2_NO_UTF_CHECK, data, context);
}

static bool too_much(int result) {
  return result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_DEPTHLIMIT;
}

static bool pay(uint64_t *work, uint64_t amount) {
  bool enough = amount <= *work;
  *work = enough ? *work - amount : 0;
  return enough;
}

static int match(const struct regex *regex, struct bytes text, uint64_t *work) {
  pcre2_match_context *context = pcre2_match_context_create(NULL);
  pcre2_match_data *data = pcre2_match_data_create(1, NULL);
  int result = context && data ? PCRE2_ERROR_MATCHLIMIT : PCRE2_ERROR_NOMEMORY;
  uint64_t starts = regex->anchored ? 1 : text.len + 1;
  bool paid = pay(work, starts * (text.len + 1) / READS_PER_STEP);
  for (uint64_t steps = FIRST_TRY_STEPS; paid && too_much(result); steps *= AGAIN_FACTOR) {
    paid = pay(work, starts * steps);
    if (paid) result = run(regex, text, context, data, steps);
  }
  pcre2_match_data_free(data);
  pcre2_match_context_free(context);
  return result;
}

bool regex_match(const struct regex *regex, struct bytes text, uint64_t *work, bool *ret_match,
                 struct err *err) {
  if (text.len > REGEX_TEXT_BYTES_MAX)
    FAIL(ERR_LIMIT, "pattern: the text has more than %u bytes", REGEX_TEXT_BYTES_MAX);
  int result = match(regex, text, work);
  if (result < 0 && result != PCRE2_ERROR_NOMATCH)
    FAIL(ERR_LIMIT, "pattern: matching takes more work than allowed");
  *ret_match = result != PCRE2_ERROR_NOMATCH;
  return true;
}

/* wire/regex.h: ECMA-262 patterns (Unicode mode) on PCRE2, so that no pattern can run away.
 * Owns:    the compiled pattern lives in the caller's arena.
 * Units:   bytes; steps of the matcher.
 * Errors:  regex_compile: MALFORMED (with byte offset in the pattern), UNSUPPORTED, LIMIT.
 *          regex_match: LIMIT when the work left does not suffice.
 * Threads: a compiled pattern may be used by many threads at once.
 * Limits:  REGEX_PATTERN_BYTES_MAX, REGEX_TEXT_BYTES_MAX, REGEX_HEAP_KIB_MAX, REGEX_WORK_MAX. A
 *          pattern without '^' can search about 40,000 bytes.
 * Source:  ECMA-262 §22.2.1 (u flag); JSON Schema 2020-12 core §6.4.                        */
#ifndef MEDULLA_WIRE_REGEX_H
#define MEDULLA_WIRE_REGEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define REGEX_PATTERN_BYTES_MAX 4096
#define REGEX_TEXT_BYTES_MAX (1u << 20)
#define REGEX_HEAP_KIB_MAX 16384
#define REGEX_WORK_MAX 50000000 /* about half a second */

struct regex;

/* `pattern` is valid UTF-8. */
bool regex_compile(struct arena *arena, struct bytes pattern, const struct regex **ret_regex,
                   struct err *err) MUST_CHECK;
/* Does it match anywhere in `text` (valid UTF-8)? `work` starts at REGEX_WORK_MAX or less and goes
 * down over all matches that share it. */
bool regex_match(const struct regex *regex, struct bytes text, uint64_t *work, bool *ret_match,
                 struct err *err) MUST_CHECK;
/* The same pattern as PCRE2 writes it; refuses what ECMA-262 does not have. */
bool regex_translate(struct buf *out, struct bytes pattern, struct err *err) MUST_CHECK;

#endif

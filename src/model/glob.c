/* model/glob.c: on a mismatch, let the last star take one byte more. */
#include "model/glob.h"

/* Does the pattern's element at `at` match the byte? *ret_next is where the next element starts. */
static bool element_matches(struct bytes pattern, size_t at, uint8_t c, size_t *ret_next) {
  bool escaped = pattern.at[at] == '\\' && at + 1 < pattern.len;
  *ret_next = at + 1 + escaped;
  return (pattern.at[at] == '?' && !escaped) || pattern.at[at + escaped] == c;
}

bool glob_match(struct bytes pattern, struct bytes text) {
  size_t at = 0, in = 0;
  size_t star = SIZE_MAX, star_in = 0;
  while (in < text.len) {
    size_t next;
    if (at < pattern.len && pattern.at[at] == '*') {
      star = at++;
      star_in = in;
    } else if (at < pattern.len && element_matches(pattern, at, text.at[in], &next)) {
      at = next;
      in++;
    } else if (star != SIZE_MAX) {
      at = star + 1;
      in = ++star_in;
    } else {
      return false;
    }
  }
  while (at < pattern.len && pattern.at[at] == '*') at++;
  return at == pattern.len;
}

size_t glob_literal_bytes(struct bytes pattern) {
  for (size_t i = 0; i < pattern.len; i++)
    if (pattern.at[i] == '*' || pattern.at[i] == '?' || pattern.at[i] == '\\') return i;
  return pattern.len;
}

bool glob_is_pattern(struct bytes text) {
  return glob_literal_bytes(text) < text.len;
}

/* model/glob.h: patterns with "*" (any bytes, also none) and "?" (any one byte).
 * Owns:    nothing.
 * Threads: pure; any thread.
 * Limits:  time is at most pattern length times text length; there is no recursion.
 *
 * A backslash takes the next character as it is. "*" crosses slashes: "ward*" holds "ward/a/b". */
#ifndef MEDULLA_MODEL_GLOB_H
#define MEDULLA_MODEL_GLOB_H

#include "base/bytes.h"

bool glob_match(struct bytes pattern, struct bytes text);
/* Does the pattern have anything but plain characters? */
bool glob_is_pattern(struct bytes text);
/* How many bytes at its start every match must begin with. */
size_t glob_literal_bytes(struct bytes pattern);

#endif

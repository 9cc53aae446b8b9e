/* base/bytes.h: a borrowed slice of bytes, the common coin of the house.
 * Owns:    nothing; a slice is valid as long as what it points into.
 * Units:   bytes.
 * Errors:  none.
 * Threads: pure; any thread.                                              */
#ifndef MEDULLA_BASE_BYTES_H
#define MEDULLA_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
  const uint8_t *at;
  size_t len;
};

/* A slice of a string literal, usable in static initialisers. */
#define BYTES(literal) ((struct bytes){(const uint8_t *)("" literal), sizeof(literal) - 1})
#define BYTES_INIT(literal) \
  { (const uint8_t *)("" literal), sizeof(literal) - 1 }
#define BYTES_NONE ((struct bytes){NULL, 0})
/* For printf's "%.*s". */
#define BYTES_FMT(b) (int)(b).len, (const char *)(b).at

struct bytes bytes_of(const void *at, size_t len);
struct bytes bytes_str(const char *text); /* NULL gives the empty slice */
bool bytes_eq(struct bytes a, struct bytes b);
bool bytes_eq_str(struct bytes a, const char *text);
bool bytes_eq_nocase(struct bytes a, struct bytes b); /* ASCII */
int bytes_cmp(struct bytes a, struct bytes b);        /* memcmp order, shorter first */
bool bytes_starts(struct bytes a, struct bytes prefix);
bool bytes_ends(struct bytes a, struct bytes suffix);
/* The slice from `from`, `len` long, clamped to what there is. */
struct bytes bytes_sub(struct bytes a, size_t from, size_t len);
struct bytes bytes_from(struct bytes a, size_t from);
struct bytes bytes_trim(struct bytes a); /* blanks and tabs at both ends */
/* Position of the first `c`, or a.len. */
size_t bytes_find(struct bytes a, uint8_t c);
/* Position of the first `needle`, or a.len. */
size_t bytes_find_bytes(struct bytes a, struct bytes needle);
/* Cut at the first `c`: returns what is before it; `rest` continues after it (empty if none). */
struct bytes bytes_cut(struct bytes a, uint8_t c, struct bytes *rest);
/* Unsigned decimal without sign, blanks or overflow; false otherwise. */
bool bytes_u64(struct bytes a, uint64_t *ret_value);
/* Not for secrets against an attacker who can flood one table: use map.h, which is seeded. */
uint64_t bytes_hash(struct bytes a, uint64_t seed);
/* Takes the same time wherever the difference is. */
bool bytes_eq_secret(struct bytes a, struct bytes b);
/* Overwrite; the compiler may not leave it out. */
void bytes_wipe(void *at, size_t len);
/* A copy on the heap with a NUL behind it; free() it. */
char *bytes_dup(struct bytes a);
/* Copy into a fixed text, cut to fit, always NUL-terminated. */
void bytes_text(struct bytes a, char *ret_text, size_t text_bytes);

#endif

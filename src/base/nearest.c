/* base/nearest.c: three rows of the distance table are enough: a swap looks two rows back. */
#include "base/nearest.h"

static uint8_t lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static size_t min(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t nearest_distance(struct bytes a, struct bytes b) {
  if (a.len > NEAREST_BYTES_MAX || b.len > NEAREST_BYTES_MAX) return SIZE_MAX;
  size_t rows[3][NEAREST_BYTES_MAX + 1];
  for (size_t j = 0; j <= b.len; j++) rows[0][j] = j;
  for (size_t i = 1; i <= a.len; i++) {
    size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= b.len; j++) {
      uint8_t ca = lower(a.at[i - 1]), cb = lower(b.at[j - 1]);
      row[j] = min(min(row[j - 1], above[j]) + 1, above[j - 1] + (ca != cb));
      bool swapped = i > 1 && j > 1 && ca == lower(b.at[j - 2]) && cb == lower(a.at[i - 2]);
      if (swapped) row[j] = min(row[j], two_above[j - 2] + 1);
    }
  }
  return rows[a.len % 3][b.len];
}

const char *nearest_word(struct bytes word, const char *const *words, size_t count) {
  const char *best = NULL;
  /* A third of the letters may be wrong; one of a short word. */
  size_t best_distance = word.len / 3 + 2;
  for (size_t i = 0; i < count; i++) {
    size_t distance = nearest_distance(word, bytes_str(words[i]));
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = words[i];
  }
  return best;
}

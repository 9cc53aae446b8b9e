/* hl7/batch.c: lines that begin a message, lines of the envelope, and all the others. */
#include "hl7/batch.h"

#include <string.h>

enum line { LINE_MESSAGE, LINE_ENVELOPE, LINE_OTHER };

void hl7_batch_init(struct hl7_batch *batch, struct bytes input) {
  *batch = (struct hl7_batch){.rest = input};
}

/* The framing bytes of MLLP are left in captured files. */
static struct bytes without_frame(struct bytes line) {
  while (line.len && (line.at[0] <= ' ' || line.at[0] == 0x1c)) line = bytes_from(line, 1);
  return line;
}

static enum line kind(struct bytes line) {
  static const char *const envelope[] = {"FHS", "BHS", "BTS", "FTS"};
  line = without_frame(line);
  if (line.len > 3 && bytes_eq_nocase(bytes_sub(line, 0, 3), BYTES("MSH"))) return LINE_MESSAGE;
  for (size_t i = 0; i < sizeof envelope / sizeof *envelope; i++) {
    if (bytes_starts(line, bytes_str(envelope[i]))) return LINE_ENVELOPE;
  }
  return LINE_OTHER;
}

static struct bytes first_line(struct bytes text) {
  size_t len = 0;
  while (len < text.len && text.at[len] != '\r' && text.at[len] != '\n') len++;
  return bytes_sub(text, 0, len);
}

static void count(struct hl7_batch *batch, struct bytes line) {
  uint64_t messages;
  line = without_frame(line);
  if (!bytes_starts(line, BYTES("BTS")) || line.len < 5) return;
  struct bytes first = bytes_from(line, 4);
  if (!bytes_u64(bytes_sub(first, 0, bytes_find(first, line.at[3])), &messages)) return;
  batch->counted += messages;
  batch->has_count = true;
}

bool hl7_batch_next(struct hl7_batch *batch, struct bytes *ret_message) {
  const uint8_t *start = NULL;
  while (batch->rest.len) {
    struct bytes line = first_line(batch->rest);
    enum line is = kind(line);
    if (start && is != LINE_OTHER) break;
    if (is == LINE_MESSAGE) start = without_frame(line).at;
    if (is == LINE_ENVELOPE) count(batch, line);
    if (is == LINE_OTHER && !start && bytes_trim(without_frame(line)).len) batch->skipped_lines++;
    batch->rest = bytes_from(batch->rest, line.len + 1);
  }
  if (!start) return false;
  *ret_message = bytes_of(start, (size_t)(batch->rest.at - start));
  batch->messages++;
  return true;
}

bool hl7_batch_is_whole(const struct hl7_batch *batch) {
  return !batch->has_count || batch->counted == batch->messages;
}

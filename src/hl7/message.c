/* hl7/message.c: one pass for the segments; everything below them is found when it is asked for.
 *
 * What stands where (HL7 v2.5.1 §2.5):
 *
 *   MSH|^~\&|LAB|…      segment name, then fields behind MSH-1's character
 *      a^b^c            components      ~ repetitions      & subcomponents      \ escapes
 *
 * The whole message is UTF-8 before it is split: in some East Asian character sets the second byte
 * of a letter equals a separator. */
#include "hl7/message.h"

#include "hl7/charset.h"

#include <string.h>

const struct hl7_separators hl7_usual = {'|', '^', '~', '\\', '&', 0};

static const struct {
  const char *word, *sentence;
} leniencies[HL7_LENIENCY_COUNT] = {
#define LENIENCY(name, word, sentence) [HL7_##name] = {word, sentence},
#include "hl7/leniency.tbl.h"
#undef LENIENCY
};

const char *hl7_leniency_word(enum hl7_leniency leniency) {
  return leniencies[leniency].word;
}

const char *hl7_leniency_sentence(enum hl7_leniency leniency) {
  return leniencies[leniency].sentence;
}

void hl7_note(struct hl7_message *message, enum hl7_leniency leniency, uint32_t segment) {
  for (uint32_t i = 0; i < message->note_count && i < HL7_NOTES_MAX; i++) {
    const struct hl7_note *note = &message->notes[i];
    if (note->leniency == leniency && note->segment == segment) return;
  }
  if (message->note_count < HL7_NOTES_MAX) {
    message->notes[message->note_count] = (struct hl7_note){leniency, segment};
  }
  message->note_count++;
}

/* ---- The header ---- */

static bool is_blank(uint8_t c) { /* 0x0B and 0x1C: the frame of MLLP, left in files */
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0x0b || c == 0x1c || c == 0;
}

static struct bytes strip(struct hl7_message *message, struct bytes input) {
  static const uint8_t mark[] = {0xef, 0xbb, 0xbf}; /* a byte order mark */
  struct bytes rest = input;
  if (bytes_starts(rest, bytes_of(mark, sizeof mark))) rest = bytes_from(rest, sizeof mark);
  while (rest.len && is_blank(rest.at[0])) rest = bytes_from(rest, 1);
  if (rest.at != input.at) hl7_note(message, HL7_BLANKS, 0);
  size_t len = rest.len;
  while (len && is_blank(rest.at[len - 1])) len--;
  return bytes_sub(rest, 0, len);
}

static bool is_separator(uint8_t c) {
  return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
         !(c >= 'a' && c <= 'z') && c != '"';
}

/* MSH-2 has four characters, five since v2.7; old senders leave some out (§2.14.9.2). */
static bool encoding_read(struct hl7_message *message, struct bytes encoding, size_t at,
                          struct err *err) {
  struct hl7_separators *s = &message->separators;
  uint8_t *const slots[] = {&s->component, &s->repetition, &s->escape, &s->subcomponent,
                            &s->truncation};
  if (encoding.len > 5) FAIL_AT(ERR_MALFORMED, at, "MSH-2 has over five separators");
  if (encoding.len < 4) hl7_note(message, HL7_SHORT_ENCODING, 1);
  for (size_t i = 0; i < encoding.len; i++) {
    if (!is_separator(encoding.at[i]) || encoding.at[i] == s->field ||
        bytes_find(bytes_sub(encoding, 0, i), encoding.at[i]) != i) {
      FAIL_AT(ERR_MALFORMED, at + i,
              "MSH-2: a separator is a letter, a digit, a blank or there twice");
    }
    *slots[i] = encoding.at[i];
  }
  for (size_t i = encoding.len; i < 4; i++) { /* a usual one may be taken by another meaning */
    if (*slots[i] == s->field || bytes_find(encoding, *slots[i]) < encoding.len) {
      FAIL_AT(ERR_MALFORMED, at, "MSH-2 is short and its separators clash with the usual ones");
    }
  }
  return true;
}

static bool header_read(struct hl7_message *message, struct bytes text, struct err *err) {
  message->separators = hl7_usual;
  if (text.len < 4 || !bytes_eq_nocase(bytes_sub(text, 0, 3), BYTES("MSH"))) {
    FAIL_AT(ERR_MALFORMED, 0, "an HL7 v2 message begins with MSH and its separators");
  }
  if (!is_separator(text.at[3])) {
    FAIL_AT(ERR_MALFORMED, 3, "MSH-1, the field separator, is a letter, a digit or a blank");
  }
  message->separators.field = text.at[3];
  struct bytes rest = bytes_from(text, 4);
  size_t len = 0;
  while (len < rest.len && rest.at[len] != text.at[3] && rest.at[len] != '\r' &&
         rest.at[len] != '\n') {
    len++;
  }
  return encoding_read(message, bytes_sub(rest, 0, len), 4, err);
}

/* ---- Segments ---- */

static bool is_upper(uint8_t c) {
  return c >= 'A' && c <= 'Z';
}

static bool is_alnum(uint8_t c) {
  return is_upper(c) || (c >= '0' && c <= '9');
}

/* Three characters, a letter first, then a separator or the end (§2.5.1). */
static bool begins_segment(const struct hl7_message *message, struct bytes line, char ret_name[4]) {
  if (line.len < 3 || (line.len > 3 && line.at[3] != message->separators.field)) return false;
  for (int i = 0; i < 3; i++) {
    uint8_t c = line.at[i];
    ret_name[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  ret_name[3] = 0;
  return is_upper((uint8_t)ret_name[0]) && is_alnum((uint8_t)ret_name[1]) &&
         is_alnum((uint8_t)ret_name[2]);
}

/* The end of the line that starts at `from`: at its break or at the end of the text. */
static size_t line_end(struct bytes text, size_t from, bool feeds) {
  if (!feeds) {
    const uint8_t *cr = memchr(text.at + from, '\r', text.len - from);
    return cr ? (size_t)(cr - text.at) : text.len;
  }
  while (from < text.len && text.at[from] != '\r' && text.at[from] != '\n') from++;
  return from;
}

struct splitting {
  struct hl7_message *message;
  struct hl7_segment *segments;
  uint32_t room;
};

static void join(struct splitting *into, struct bytes line) {
  struct hl7_segment *last = &into->segments[into->message->count - 1];
  last->raw.len = (size_t)(line.at + line.len - last->raw.at);
  hl7_note(into->message, HL7_CONTINUED, into->message->count);
}

static bool line_take(struct splitting *into, struct bytes line, size_t at, struct err *err) {
  struct hl7_message *message = into->message;
  char name[4];
  struct bytes bare = line;
  while (bare.len && is_blank(bare.at[0])) bare = bytes_from(bare, 1);
  if (!bare.len) {
    hl7_note(message, HL7_BLANKS, 0);
    return true;
  }
  bool begins = begins_segment(message, bare, name);
  if (!begins) {
    join(into, line); /* the first line is MSH: there is one above */
    return true;
  }
  if (message->count && strcmp(name, "MSH") == 0) {
    FAIL_AT(ERR_MALFORMED, at,
            "a second MSH: two messages are glued together; send them as a batch");
  }
  if (message->count == into->room) {
    FAIL_AT(ERR_LIMIT, at, "over %u segments in one message", HL7_SEGMENTS_MAX);
  }
  if (bare.at != line.at) hl7_note(message, HL7_BLANKS, 0);
  struct hl7_segment *segment = &into->segments[message->count++];
  memcpy(segment->name, name, sizeof name);
  segment->raw = bare;
  if (memcmp(name, bare.at, 3) != 0) hl7_note(message, HL7_LOWER_CASE, message->count);
  return true;
}

static uint32_t lines_count(struct bytes text, bool feeds) {
  uint32_t lines = 1;
  for (size_t at = 0; (at = line_end(text, at, feeds)) < text.len; at++) lines++;
  return lines;
}

static bool segments_read(struct arena *arena, struct hl7_message *message, struct err *err) {
  struct bytes text = message->text;
  bool feeds = memchr(text.at, '\n', text.len) != NULL;
  uint32_t lines = lines_count(text, feeds);
  struct splitting into = {message, NULL, lines < HL7_SEGMENTS_MAX ? lines : HL7_SEGMENTS_MAX};
  into.segments = ARENA_ARRAY(arena, struct hl7_segment, into.room);
  if (!into.segments) FAIL(ERR_LIMIT, "the message does not fit its arena");
  message->segments = into.segments;
  if (feeds) hl7_note(message, HL7_LINE_FEED, 0);
  for (size_t at = 0; at < text.len;) {
    size_t end = line_end(text, at, feeds);
    TRY(line_take(&into, bytes_sub(text, at, end - at), at, err));
    at = end + 1;
    if (feeds && end + 1 < text.len && text.at[end] == '\r' && text.at[end + 1] == '\n') at++;
  }
  return true;
}

bool hl7_parse(struct arena *arena, struct bytes input, const char *charset,
               struct hl7_message *ret_message, struct err *err) {
  struct hl7_message message = {0};
  if (input.len > HL7_BYTES_MAX) {
    FAIL(ERR_LIMIT, "a message of %zu bytes; at most %u are taken", input.len, HL7_BYTES_MAX);
  }
  struct bytes text = strip(&message, input);
  TRY(header_read(&message, text, err));
  TRY(hl7_charset_apply(arena, &message, text, charset, &message.text, err));
  TRY(segments_read(arena, &message, err));
  *ret_message = message;
  return true;
}

/* ---- Readers ---- */

const struct hl7_segment *hl7_segment_next(const struct hl7_message *message, const char *name,
                                           const struct hl7_segment *segment) {
  const struct hl7_segment *end = message->segments + message->count;
  for (segment = segment ? segment + 1 : message->segments; segment < end; segment++) {
    if (memcmp(segment->name, name, 4) == 0) return segment;
  }
  return NULL;
}

const struct hl7_segment *hl7_segment(const struct hl7_message *message, const char *name,
                                      uint32_t nth) {
  const struct hl7_segment *segment = NULL;
  while (nth-- && (segment = hl7_segment_next(message, name, segment))) continue;
  return segment;
}

uint32_t hl7_segment_number(const struct hl7_message *message, const struct hl7_segment *segment) {
  return (uint32_t)(segment - message->segments) + 1;
}

/* The nth piece, from 1, between the separators; the empty slice past the last. */
static struct bytes piece(struct bytes whole, uint8_t separator, uint32_t nth) {
  if (!nth || !whole.len) return BYTES_NONE;
  const uint8_t *at = whole.at, *end = whole.at + whole.len;
  while (--nth) {
    at = memchr(at, separator, (size_t)(end - at));
    if (!at || ++at == end) return BYTES_NONE;
  }
  const uint8_t *stop = memchr(at, separator, (size_t)(end - at));
  return bytes_of(at, (size_t)((stop ? stop : end) - at));
}

static uint32_t pieces(struct bytes whole, uint8_t separator) {
  uint32_t count = 1;
  if (!whole.len) return 0;
  for (const uint8_t *at = whole.at, *end = whole.at + whole.len;
       (at = memchr(at, separator, (size_t)(end - at))) != NULL; at++) {
    count++;
  }
  return count;
}

static bool is_header(const struct hl7_segment *segment) { /* FHS-1 and BHS-1 are as MSH-1 */
  return memcmp(segment->name + 1, "HS", 3) == 0 || memcmp(segment->name, "MSH", 3) == 0;
}

struct bytes hl7_field(const struct hl7_message *message, const struct hl7_segment *segment,
                       uint32_t field) {
  if (!segment || !field) return BYTES_NONE;
  if (!is_header(segment)) return piece(segment->raw, message->separators.field, field + 1);
  if (field == 1) return bytes_sub(segment->raw, 3, 1);
  return piece(segment->raw, message->separators.field, field);
}

uint32_t hl7_field_count(const struct hl7_message *message, const struct hl7_segment *segment) {
  uint32_t all = segment ? pieces(segment->raw, message->separators.field) : 0;
  return all && !is_header(segment) ? all - 1 : all;
}

struct bytes hl7_repetition(const struct hl7_message *message, struct bytes field, uint32_t nth) {
  return piece(field, message->separators.repetition, nth);
}

uint32_t hl7_repetition_count(const struct hl7_message *message, struct bytes field) {
  return pieces(field, message->separators.repetition);
}

struct bytes hl7_component(const struct hl7_message *message, struct bytes repetition,
                           uint32_t nth) {
  return piece(repetition, message->separators.component, nth);
}

struct bytes hl7_subcomponent(const struct hl7_message *message, struct bytes component,
                              uint32_t nth) {
  return piece(component, message->separators.subcomponent, nth);
}

struct bytes hl7_value(const struct hl7_message *message, const struct hl7_segment *segment,
                       uint32_t field, uint32_t component) {
  struct bytes repetition = hl7_repetition(message, hl7_field(message, segment, field), 1);
  return hl7_subcomponent(message, hl7_component(message, repetition, component), 1);
}

bool hl7_is_null(struct bytes raw) {
  return bytes_eq(raw, BYTES("\"\""));
}

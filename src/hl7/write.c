/* hl7/write.c: separators are written when something stands behind them, so none trail. */
#include "hl7/write.h"

#include "base/must.h"

#include <string.h>

void hl7_out_init(struct hl7_out *out, struct buf *buf, const struct hl7_separators *separators) {
  *out = (struct hl7_out){.buf = buf, .separators = separators ? *separators : hl7_usual};
}

static void first_place(struct hl7_out *out, uint32_t field) {
  out->field = field;
  out->component = out->subcomponent = 1;
}

void hl7_out_segment(struct hl7_out *out, const char *name) {
  const struct hl7_separators *s = &out->separators;
  hl7_out_end(out);
  buf_str(out->buf, name);
  out->header = strcmp(name, "MSH") == 0 || strcmp(name, "FHS") == 0 || strcmp(name, "BHS") == 0;
  first_place(out, 0);
  if (!out->header) return;
  const uint8_t encoding[] = {s->field,  s->component,    s->repetition,
                              s->escape, s->subcomponent, s->truncation};
  buf_put(out->buf, bytes_of(encoding, s->truncation ? 6 : 5));
  first_place(out, 2);
}

static void repeat_char(struct hl7_out *out, uint8_t c, uint32_t *at, uint32_t to) {
  must(*at <= to);
  for (; *at < to; ++*at) buf_char(out->buf, c);
}

static void go(struct hl7_out *out, uint32_t field, uint32_t component, uint32_t subcomponent) {
  const struct hl7_separators *s = &out->separators;
  must(field && component && subcomponent && field >= out->field);
  if (field > out->field) {
    repeat_char(out, s->field, &out->field, field);
    first_place(out, field);
  }
  if (component > out->component) {
    repeat_char(out, s->component, &out->component, component);
    out->subcomponent = 1;
  }
  must(component == out->component);
  repeat_char(out, s->subcomponent, &out->subcomponent, subcomponent);
}

static char escape_of(const struct hl7_separators *s, uint8_t c) {
  if (c == s->field) return 'F';
  if (c == s->component) return 'S';
  if (c == s->repetition) return 'R';
  if (c == s->escape) return 'E';
  if (c == s->subcomponent) return 'T';
  if (c == s->truncation && s->truncation) return 'P';
  return 0;
}

/* A line break must not end the segment: \.br\ in its place. Other control bytes go in hex. */
static void put_escaped(struct hl7_out *out, struct bytes text) {
  uint8_t mark = out->separators.escape;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    char letter = escape_of(&out->separators, c);
    if (letter) {
      buf_printf(out->buf, "%c%c%c", mark, letter, mark);
    } else if (c == '\n' || c == '\r') {
      if (c == '\r' && i + 1 < text.len && text.at[i + 1] == '\n') continue;
      buf_printf(out->buf, "%c.br%c", mark, mark);
    } else if (c < ' ' && c != '\t') {
      buf_printf(out->buf, "%cX%02X%c", mark, c, mark);
    } else {
      buf_char(out->buf, c);
    }
  }
}

void hl7_out_at(struct hl7_out *out, uint32_t field, uint32_t component, uint32_t subcomponent,
                struct bytes text) {
  if (!text.len) return;
  go(out, field, component, subcomponent);
  put_escaped(out, text);
}

void hl7_out_field(struct hl7_out *out, uint32_t field, struct bytes text) {
  hl7_out_at(out, field, 1, 1, text);
}

void hl7_out_str(struct hl7_out *out, uint32_t field, uint32_t component, const char *text) {
  hl7_out_at(out, field, component, 1, bytes_str(text));
}

void hl7_out_raw(struct hl7_out *out, uint32_t field, struct bytes raw) {
  if (!raw.len) return;
  go(out, field, 1, 1);
  buf_put(out->buf, raw);
}

void hl7_out_repeat(struct hl7_out *out) {
  must(out->field);
  buf_char(out->buf, out->separators.repetition);
  out->component = out->subcomponent = 1;
}

void hl7_out_end(struct hl7_out *out) {
  if (out->buf->len && out->buf->at[out->buf->len - 1] != '\r') buf_char(out->buf, '\r');
}

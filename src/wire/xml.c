/* wire/xml.c: one pass over the input with a stack of open elements. */
#include "wire/xml.h"

#include "wire/cursor.h"
#include "wire/utf8.h"

enum { REFERENCE_BYTES_MAX = 10 };

struct open {
  struct xml *element;
  struct xml *last_child;
  struct bytes qualified; /* name with prefix, for the end tag */
};

struct reader {
  struct arena *arena;
  struct cursor in;
  struct open stack[XML_DEPTH_MAX];
  size_t depth;
  const struct xml *root;
};

static bool is_blank(uint8_t c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name_byte(uint8_t c, bool first) {
  uint8_t letter = c | 0x20;
  bool start = (letter >= 'a' && letter <= 'z') || c == '_' || c == ':' || c >= 0x80;
  return start || (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static void skip_blanks(struct cursor *in) {
  for (int c = cursor_peek(in); c >= 0 && is_blank((uint8_t)c); c = cursor_peek(in)) cursor_u8(in);
}

static bool name_read(struct reader *r, struct bytes *ret_name, struct err *err) {
  size_t start = r->in.at;
  for (int c = cursor_peek(&r->in); c >= 0 && is_name_byte((uint8_t)c, r->in.at == start);
       c = cursor_peek(&r->in))
    cursor_u8(&r->in);
  *ret_name = bytes_sub(r->in.input, start, r->in.at - start);
  if (ret_name->len == 0) FAIL_AT(ERR_MALFORMED, start, "XML: a name is missing");
  return true;
}

/* What XML 1.0 §2.2 calls a character. */
static bool is_char(uint32_t code) {
  return code == '\t' || code == '\n' || code == '\r' ||
         (code >= 0x20 && code != 0xfffe && code != 0xffff);
}

static uint32_t reference_code(struct bytes name) {
  static const struct {
    struct bytes name;
    uint32_t code;
  } five[] = {{BYTES_INIT("amp"), '&'},
              {BYTES_INIT("lt"), '<'},
              {BYTES_INIT("gt"), '>'},
              {BYTES_INIT("quot"), '"'},
              {BYTES_INIT("apos"), '\''}};
  for (size_t i = 0; i < sizeof five / sizeof *five; i++)
    if (bytes_eq(name, five[i].name)) return five[i].code;
  if (name.len < 2 || name.at[0] != '#') return 0;
  bool hex = name.at[1] == 'x';
  struct bytes digits = bytes_from(name, hex ? 2 : 1);
  uint32_t code = 0;
  for (size_t i = 0; i < digits.len; i++) {
    uint8_t c = digits.at[i], letter = c | 0x20;
    bool is_digit = c >= '0' && c <= '9', is_letter = hex && letter >= 'a' && letter <= 'f';
    if ((!is_digit && !is_letter) || code > UTF8_CODE_MAX) return 0;
    code = code * (hex ? 16 : 10) + (uint32_t)(is_digit ? c - '0' : letter - 'a' + 10);
  }
  return digits.len ? code : 0;
}

/* References decoded, every character checked. The result is never longer than the source. */
static bool text_decode(struct reader *r, struct bytes raw, size_t offset, struct bytes *ret_text,
                        struct err *err) {
  uint8_t *out = arena_alloc(r->arena, raw.len + 1);
  size_t len = 0;
  if (!out) FAIL(ERR_LIMIT, "XML: the arena is full");
  for (size_t i = 0; i < raw.len;) {
    uint32_t code;
    size_t step = utf8_decode(bytes_from(raw, i), &code);
    if (raw.at[i] == '&') {
      struct bytes near = bytes_sub(raw, i, REFERENCE_BYTES_MAX + 2);
      size_t end = bytes_find(near, ';');
      code = end < near.len ? reference_code(bytes_sub(near, 1, end - 1)) : 0;
      step = code ? end + 1 : 0;
    }
    uint8_t encoded[UTF8_BYTES_MAX];
    size_t count = step && is_char(code) ? utf8_encode(code, encoded) : 0;
    if (count == 0) FAIL_AT(ERR_MALFORMED, offset + i, "XML: a character or reference is wrong");
    for (size_t k = 0; k < count; k++) out[len++] = encoded[k];
    i += step;
  }
  *ret_text = bytes_of(out, len);
  return true;
}

/* Attributes are read, so that their form is known to be right, and dropped. */
static bool attributes_skip(struct reader *r, struct err *err) {
  for (;;) {
    size_t before = r->in.at;
    skip_blanks(&r->in);
    int c = cursor_peek(&r->in);
    if (c == '>' || c == '/' || c == '?') return true;
    struct bytes name, value;
    if (before == r->in.at) FAIL_AT(ERR_MALFORMED, before, "XML: a tag is malformed");
    TRY(name_read(r, &name, err));
    skip_blanks(&r->in);
    bool equals = cursor_accept(&r->in, '=');
    skip_blanks(&r->in);
    uint8_t quote = cursor_u8(&r->in);
    size_t at = r->in.at;
    value = cursor_until(&r->in, quote);
    bool shaped = equals && (quote == '"' || quote == '\'') && cursor_ok(&r->in) &&
                  bytes_find(value, '<') == value.len;
    if (!shaped) FAIL_AT(ERR_MALFORMED, at, "XML: an attribute is malformed");
    TRY(text_decode(r, value, at, &value, err));
  }
}

static bool element_begin(struct reader *r, struct bytes qualified, struct err *err) {
  struct xml *element = ARENA_NEW(r->arena, struct xml);
  if (!element) FAIL(ERR_LIMIT, "XML: the arena is full");
  if (r->depth == XML_DEPTH_MAX)
    FAIL_AT(ERR_LIMIT, r->in.at, "XML: deeper than XML_DEPTH_MAX elements");
  size_t colon = bytes_find(qualified, ':');
  element->name = colon < qualified.len ? bytes_from(qualified, colon + 1) : qualified;
  if (r->depth == 0) {
    if (r->root) FAIL_AT(ERR_MALFORMED, r->in.at, "XML: a second root element");
    r->root = element;
  } else {
    struct open *parent = &r->stack[r->depth - 1];
    if (parent->element->text.len)
      FAIL_AT(ERR_UNSUPPORTED, r->in.at, "XML: text and elements side by side");
    if (parent->last_child)
      parent->last_child->next = element;
    else
      parent->element->first = element;
    parent->last_child = element;
  }
  r->stack[r->depth++] = (struct open){element, NULL, qualified};
  return true;
}

static bool start_tag(struct reader *r, struct err *err) {
  struct bytes qualified;
  TRY(name_read(r, &qualified, err));
  TRY(element_begin(r, qualified, err));
  TRY(attributes_skip(r, err));
  if (cursor_accept(&r->in, '/')) r->depth--;
  if (!cursor_accept(&r->in, '>')) FAIL_AT(ERR_MALFORMED, r->in.at, "XML: a tag is malformed");
  return true;
}

static bool end_tag(struct reader *r, struct err *err) {
  struct bytes qualified;
  TRY(name_read(r, &qualified, err));
  skip_blanks(&r->in);
  bool closes = r->depth > 0 && bytes_eq(qualified, r->stack[r->depth - 1].qualified) &&
                cursor_accept(&r->in, '>');
  if (!closes) FAIL_AT(ERR_MALFORMED, r->in.at, "XML: an end tag closes nothing open");
  r->depth--;
  return true;
}

static bool tag(struct reader *r, struct err *err) {
  if (cursor_accept(&r->in, '/')) return end_tag(r, err);
  int c = cursor_peek(&r->in);
  if (c == '!' || c == '?')
    FAIL_AT(ERR_UNSUPPORTED, r->in.at,
            "XML: no document type, comment, CDATA or processing instruction is read here");
  return start_tag(r, err);
}

static bool only_blanks(struct bytes text) {
  for (size_t i = 0; i < text.len; i++)
    if (!is_blank(text.at[i])) return false;
  return true;
}

static bool text(struct reader *r, struct err *err) {
  size_t start = r->in.at;
  struct bytes rest = bytes_from(r->in.input, start);
  struct bytes raw = cursor_take(&r->in, bytes_find(rest, '<'));
  struct open *open = r->depth ? &r->stack[r->depth - 1] : NULL;
  if (only_blanks(raw) && (!open || open->last_child)) return true;
  if (!open) FAIL_AT(ERR_MALFORMED, start, "XML: text outside of the root element");
  if (open->last_child) FAIL_AT(ERR_UNSUPPORTED, start, "XML: text and elements side by side");
  struct bytes decoded;
  TRY(text_decode(r, raw, start, &decoded, err));
  /* Blanks before a first child are layout; of a leaf they are its text. */
  bool leaf = bytes_starts(bytes_from(r->in.input, r->in.at), BYTES("</"));
  if (leaf || !only_blanks(raw)) open->element->text = decoded;
  return true;
}

static bool declaration(struct reader *r, struct err *err) {
  if (bytes_starts(r->in.input, BYTES("\xef\xbb\xbf"))) cursor_take(&r->in, 3);
  struct bytes rest = bytes_from(r->in.input, r->in.at), open = BYTES("<?xml");
  if (!bytes_starts(rest, open) || rest.len == open.len || !is_blank(rest.at[open.len]))
    return true;
  cursor_take(&r->in, open.len);
  TRY(attributes_skip(r, err));
  if (!cursor_accept(&r->in, '?') || !cursor_accept(&r->in, '>'))
    FAIL_AT(ERR_MALFORMED, r->in.at, "XML: the declaration is malformed");
  return true;
}

bool xml_parse(struct arena *arena, struct bytes input, const struct xml **ret_root,
               struct err *err) {
  struct reader r = {.arena = arena, .in = cursor_of(input)};
  if (input.len > XML_BYTES_MAX) FAIL(ERR_LIMIT, "XML: longer than XML_BYTES_MAX");
  TRY(declaration(&r, err));
  while (!cursor_at_end(&r.in)) {
    bool good = cursor_accept(&r.in, '<') ? tag(&r, err) : text(&r, err);
    if (!good) return false;
  }
  if (r.depth || !r.root) FAIL_AT(ERR_MALFORMED, r.in.at, "XML: it ends too soon");
  *ret_root = r.root;
  return true;
}

static const struct xml *named(const struct xml *element, struct bytes name) {
  while (element && !bytes_eq(element->name, name)) element = element->next;
  return element;
}

const struct xml *xml_child(const struct xml *element, const char *name) {
  return element ? named(element->first, bytes_str(name)) : NULL;
}

const struct xml *xml_again(const struct xml *element) {
  return element ? named(element->next, element->name) : NULL;
}

struct bytes xml_child_text(const struct xml *element, const char *name) {
  const struct xml *child = xml_child(element, name);
  return child ? child->text : BYTES_NONE;
}

void xml_write_start(struct buf *buf) {
  buf_put(buf, BYTES("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
}

void xml_write_open(struct buf *buf, const char *name, const char *xmlns) {
  buf_printf(buf, "<%s", name);
  if (xmlns) buf_printf(buf, " xmlns=\"%s\"", xmlns);
  buf_char(buf, '>');
}

void xml_write_close(struct buf *buf, const char *name) {
  buf_printf(buf, "</%s>", name);
}

void xml_write_text(struct buf *buf, struct bytes text) {
  while (text.len) {
    uint32_t code;
    size_t step = utf8_decode(text, &code);
    bool valid = step && is_char(code);
    switch (valid ? code : 0xfffd) {
    case '&': buf_put(buf, BYTES("&amp;")); break;
    case '<': buf_put(buf, BYTES("&lt;")); break;
    case '>': buf_put(buf, BYTES("&gt;")); break;
    case '"': buf_put(buf, BYTES("&quot;")); break;
    case '\r': buf_put(buf, BYTES("&#13;")); break; /* readers turn a bare one into LF */
    case 0xfffd: buf_put(buf, BYTES("\xef\xbf\xbd")); break;
    default: buf_put(buf, bytes_sub(text, 0, step));
    }
    text = bytes_from(text, step ? step : 1);
  }
}

void xml_write_element(struct buf *buf, const char *name, struct bytes text) {
  xml_write_open(buf, name, NULL);
  xml_write_text(buf, text);
  xml_write_close(buf, name);
}

void xml_write_number(struct buf *buf, const char *name, uint64_t value) {
  xml_write_open(buf, name, NULL);
  buf_u64_decimal(buf, value);
  xml_write_close(buf, name);
}

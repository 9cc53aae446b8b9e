/* fhir/path_fn_code.c: encode, decode, escape and unescape (of the 3.0.0 ballot). */
#include "fhir/path_fn.h"
#include "wire/codec.h"
#include "wire/utf8.h"

#include <string.h>

typedef bool coder(struct buf *out, struct bytes text, struct err *err);

static bool to_hex(struct buf *out, struct bytes text, struct err *err) {
  (void)err;
  hex_encode(out, text);
  return true;
}

static bool to_base64(struct buf *out, struct bytes text, struct err *err) {
  (void)err;
  base64_encode(out, text, 0);
  return true;
}

static bool to_urlbase64(struct buf *out, struct bytes text, struct err *err) {
  (void)err;
  base64_encode(out, text, BASE64_URL);
  return true;
}

static bool from_hex(struct buf *out, struct bytes text, struct err *err) {
  return hex_decode(out, text, err);
}

static bool from_base64(struct buf *out, struct bytes text, struct err *err) {
  return base64_decode(out, text, 0, err);
}

static bool from_urlbase64(struct buf *out, struct bytes text, struct err *err) {
  return base64_decode(out, text, BASE64_URL | BASE64_NO_PAD, err);
}

static const struct {
  const char *entity;
  uint8_t c;
} ENTITIES[] = {{"&quot;", '"'}, {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&#39;", '\''}};

static bool to_html(struct buf *out, struct bytes text, struct err *err) {
  (void)err;
  for (size_t i = 0; i < text.len; i++) {
    const char *entity = NULL;
    for (size_t k = 0; k < sizeof ENTITIES / sizeof *ENTITIES; k++)
      if (text.at[i] == ENTITIES[k].c) entity = ENTITIES[k].entity;
    if (entity)
      buf_str(out, entity);
    else
      buf_char(out, text.at[i]);
  }
  return true;
}

static bool from_html(struct buf *out, struct bytes text, struct err *err) {
  (void)err;
  for (size_t i = 0; i < text.len;) {
    size_t bytes = 1;
    uint8_t c = text.at[i];
    for (size_t k = 0; k < sizeof ENTITIES / sizeof *ENTITIES; k++) {
      if (!bytes_starts(bytes_from(text, i), bytes_str(ENTITIES[k].entity))) continue;
      c = ENTITIES[k].c;
      bytes = strlen(ENTITIES[k].entity);
    }
    buf_char(out, c);
    i += bytes;
  }
  return true;
}

static const char JSON_LETTERS[] = "\"\\bfnrt";
static const char JSON_MEANT[] = "\"\\\b\f\n\r\t";

static bool to_json(struct buf *out, struct bytes text, struct err *err) {
  (void)err;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    const char *meant = c ? strchr(JSON_MEANT, c) : NULL;
    if (meant)
      buf_printf(out, "\\%c", JSON_LETTERS[meant - JSON_MEANT]);
    else if (c < 0x20)
      buf_printf(out, "\\u%04x", c);
    else
      buf_char(out, c);
  }
  return true;
}

/* As a JSON text without its quotes; a bare quote is no fault. */
static bool from_json(struct buf *out, struct bytes text, struct err *err) {
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    if (c != '\\' || i + 1 >= text.len) {
      buf_char(out, c);
      continue;
    }
    c = text.at[++i];
    const char *letter = c ? strchr(JSON_LETTERS, c) : NULL;
    if (letter) {
      buf_char(out, (uint8_t)JSON_MEANT[letter - JSON_LETTERS]);
    } else if (c == 'u') {
      uint32_t code = 0;
      uint8_t bytes[UTF8_BYTES_MAX];
      for (int k = 0; k < 4; k++) {
        int digit = i + 1 < text.len ? hex_digit(text.at[++i]) : -1;
        if (digit < 0) FAIL(ERR_MALFORMED, "\\u needs four hexadecimal digits");
        code = code << 4 | (uint32_t)digit;
      }
      buf_put(out, bytes_of(bytes, utf8_encode(code, bytes)));
    } else {
      buf_char(out, c);
    }
  }
  return true;
}

struct coding {
  const char *name;
  coder *there, *back;
};

static const struct coding ENCODINGS[] = {{"hex", to_hex, from_hex},
                                          {"base64", to_base64, from_base64},
                                          {"urlbase64", to_urlbase64, from_urlbase64}};
static const struct coding ESCAPES[] = {{"html", to_html, from_html}, {"json", to_json, from_json}};

/* What does not decode, or is no text afterwards, is no result. */
static bool apply(struct fhir_path_machine *m, size_t base, coder *code, struct bytes text,
                  struct err *err) {
  struct buf buf;
  buf_init(&buf, m->arena.bytes_max);
  bool ok = code(&buf, text, NULL);
  struct bytes result = ok && buf_ok(&buf) ? arena_copy(&m->arena, buf_bytes(&buf)) : BYTES_NONE;
  bool full = !buf_ok(&buf);
  buf_fini(&buf);
  if (full)
    PATH_FAIL(ERR_LIMIT, "the evaluation makes more than %zu bytes (bytes_max)",
              m->arena.bytes_max);
  m->top = base;
  if (!ok || !utf8_valid(result)) return true;
  return path_return_text(m, base, result, err);
}

static bool coded(struct fhir_path_machine *m, const struct path_node *call,
                  const struct path_scope *scope, size_t base, const struct coding *codings,
                  size_t count, bool back, struct err *err) {
  struct fhir_path_value input;
  struct fhir_path_value name;
  bool there;
  bool has_name;
  TRY(path_input(m, base, FHIR_PATH_STRING, &input, &there, err));
  TRY(path_arg(m, call, 0, scope, FHIR_PATH_STRING, &name, &has_name, err));
  m->node = call;
  if (!there || !has_name) return true;
  for (size_t i = 0; i < count; i++)
    if (bytes_eq_str(name.text, codings[i].name))
      return apply(m, base, back ? codings[i].back : codings[i].there, input.text, err);
  PATH_FAIL(ERR_INVALID, "%s() does not know this format", call->call.entry->name);
}

#define COUNT(table) (sizeof(table) / sizeof *(table))

PATH_FN(encode) {
  return coded(m, call, scope, base, ENCODINGS, COUNT(ENCODINGS), false, err);
}

PATH_FN(decode) {
  return coded(m, call, scope, base, ENCODINGS, COUNT(ENCODINGS), true, err);
}

PATH_FN(escape) {
  return coded(m, call, scope, base, ESCAPES, COUNT(ESCAPES), false, err);
}

PATH_FN(unescape) {
  return coded(m, call, scope, base, ESCAPES, COUNT(ESCAPES), true, err);
}

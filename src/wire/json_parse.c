/* wire/json_parse.c: one pass over the text, no recursion.
 *
 * A frame per open array or object stands on a stack of fixed depth. Nodes come from the arena in
 * chunks, in document order, one cache line each; strings without escapes stay in the input.
 * Duplicate names: in a small object a 64-bit set of name marks says when to look closer; a large
 * one is sorted once when it closes, so that no choice of names makes it quadratic.            */
#include "wire/json.h"

#include "base/cleanup.h"
#include "wire/json_number.h"
#include "wire/json_sort.h"
#include "wire/utf8.h"

#include <string.h>

enum { SMALL_OBJECT_MEMBERS = 16, CHUNK_NODES_FIRST = 8, CHUNK_NODES_MAX = 128 };

struct frame {
  struct json *node;
  struct json *last;
  uint64_t marks; /* of the names so far */
};

struct reader {
  struct arena *arena;
  const uint8_t *start;
  const uint8_t *at;
  const uint8_t *end;
  struct json *spare;
  size_t spare_count;
  size_t chunk_nodes;
  size_t depth;
  struct frame frames[JSON_DEPTH_MAX];
};

#define BAD(what) FAIL_AT(ERR_MALFORMED, (uint64_t)(r->at - r->start), "JSON: " what)

static const uint64_t EACH_BYTE = 0x0101010101010101u;
static const uint64_t HIGH_BITS = 0x8080808080808080u;

static uint64_t load(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The high bit of each byte that is `c`. Above the first hit there may be false ones. */
static uint64_t hits(uint64_t word, uint8_t c) {
  uint64_t zero = word ^ (EACH_BYTE * c);
  return (zero - EACH_BYTE) & ~zero & HIGH_BITS;
}

static bool is_plain(uint8_t c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The first byte that is a quote, a backslash, a control or not ASCII. */
static const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end) {
  for (; end - at >= 8; at += 8) {
    uint64_t word = load(at);
    uint64_t control = (word - EACH_BYTE * 0x20) & ~word & HIGH_BITS;
    uint64_t special = control | hits(word, '"') | hits(word, '\\') | (word & HIGH_BITS);
    if (special) return at + (__builtin_ctzll(special) >> 3);
  }
  while (at < end && is_plain(*at)) at++;
  return at;
}

static void skip_blanks(struct reader *r) {
  const uint8_t *at = r->at;
  for (; at < r->end; at++) {
    if (*at > ' ') break;
    if (*at == '\n')
      while (r->end - at > 8 && load(at + 1) == EACH_BYTE * ' ') at += 8;
    else if (*at != ' ' && *at != '\r' && *at != '\t')
      break;
  }
  r->at = at;
}

static bool node_new(struct reader *r, struct json **ret_node, struct err *err) {
  if (r->spare_count == 0) {
    r->chunk_nodes = r->chunk_nodes == 0                ? CHUNK_NODES_FIRST
                     : r->chunk_nodes < CHUNK_NODES_MAX ? r->chunk_nodes * 2
                                                        : CHUNK_NODES_MAX;
    r->spare = ARENA_ARRAY(r->arena, struct json, r->chunk_nodes);
    if (!r->spare) FAIL(ERR_LIMIT, "JSON: the value needs more memory than its arena allows");
    r->spare_count = r->chunk_nodes;
  }
  r->spare_count--;
  *ret_node = r->spare++;
  return true;
}

static int hex_value(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex4(struct reader *r, uint32_t *ret_unit, struct err *err) {
  uint32_t unit = 0;
  for (int i = 0; i < 4; i++) {
    int digit = r->at < r->end ? hex_value(*r->at) : -1;
    if (digit < 0) BAD("\\u needs four hexadecimal digits");
    unit = unit << 4 | (uint32_t)digit;
    r->at++;
  }
  *ret_unit = unit;
  return true;
}

/* RFC 8259 §7: beyond the basic plane two escapes make one code point; half a pair is refused. */
static bool read_unicode(struct reader *r, uint32_t *ret_code, struct err *err) {
  uint32_t code;
  TRY(read_hex4(r, &code, err));
  if (code >= 0xDC00 && code <= 0xDFFF) BAD("a low surrogate without a high one");
  if (code >= 0xD800 && code <= 0xDBFF) {
    uint32_t low = 0;
    if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
      BAD("a high surrogate without a low one");
    r->at += 2;
    TRY(read_hex4(r, &low, err));
    if (low < 0xDC00 || low > 0xDFFF) BAD("a high surrogate without a low one");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  *ret_code = code;
  return true;
}

static bool read_escape(struct reader *r, uint8_t **to, struct err *err) {
  static const char letters[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  r->at++;
  const char *letter = r->at < r->end && *r->at ? strchr(letters, *r->at) : NULL;
  if (letter) {
    *(*to)++ = (uint8_t)meanings[letter - letters];
    r->at++;
    return true;
  }
  if (r->at >= r->end || *r->at != 'u') BAD("an escape that does not exist");
  r->at++;
  uint32_t code;
  TRY(read_unicode(r, &code, err));
  *to += utf8_encode(code, *to);
  return true;
}

/* From the first byte of a string to its closing quote; an escape is stepped over, unread. */
static bool find_quote(struct reader *r, bool *ret_escapes, struct err *err) {
  for (;;) {
    r->at = skip_plain(r->at, r->end);
    if (r->at >= r->end) BAD("a string that does not end");
    if (*r->at == '"') return true;
    if (*r->at < 0x20) BAD("a control character in a string");
    uint32_t code;
    size_t len = utf8_decode(bytes_of(r->at, (size_t)(r->end - r->at)), &code);
    if (len == 0) BAD("invalid UTF-8");
    if (*r->at == '\\') {
      *ret_escapes = true;
      r->at += r->end - r->at > 1 && (r->at[1] == '"' || r->at[1] == '\\');
    }
    r->at += len;
  }
}

static bool decode_string(struct reader *r, struct bytes raw, struct bytes *ret_text,
                          struct err *err) {
  const uint8_t *quote = r->at;
  uint8_t *text = arena_alloc(r->arena, raw.len); /* no escape is shorter than what it means */
  if (!text) FAIL(ERR_LIMIT, "JSON: the value needs more memory than its arena allows");
  uint8_t *to = text;
  r->at = raw.at;
  while (r->at < quote) {
    const uint8_t *escape = memchr(r->at, '\\', (size_t)(quote - r->at));
    size_t run = (size_t)((escape ? escape : quote) - r->at);
    memcpy(to, r->at, run);
    to += run;
    r->at += run;
    if (escape) TRY(read_escape(r, &to, err));
  }
  *ret_text = bytes_of(text, (size_t)(to - text));
  return true;
}

static bool read_string(struct reader *r, struct bytes *ret_text, struct err *err) {
  const uint8_t *from = ++r->at;
  bool escapes = false;
  TRY(find_quote(r, &escapes, err));
  struct bytes raw = bytes_of(from, (size_t)(r->at - from));
  if (escapes)
    TRY(decode_string(r, raw, ret_text, err));
  else
    *ret_text = raw;
  r->at++;
  return true;
}

static bool read_word(struct reader *r, const char *word, size_t len, struct err *err) {
  if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0) BAD("expected a value");
  r->at += len;
  return true;
}

static bool read_number(struct reader *r, struct json *node, struct err *err) {
  size_t len = json_number_scan(bytes_of(r->at, (size_t)(r->end - r->at)));
  if (len == 0) BAD("expected a value");
  node->kind = JSON_NUMBER;
  node->text = bytes_of(r->at, len);
  r->at += len;
  return true;
}

static bool open_frame(struct reader *r, struct json *node, enum json_kind kind, struct err *err) {
  if (r->depth == JSON_DEPTH_MAX)
    FAIL_AT(ERR_LIMIT, node->offset, "JSON: deeper than %d levels", JSON_DEPTH_MAX);
  node->kind = kind;
  r->frames[r->depth++] = (struct frame){.node = node};
  r->at++;
  return true;
}

/* A scalar is complete afterwards; an array or object has become the top frame. */
static bool read_value(struct reader *r, struct json *node, struct err *err) {
  if (r->at >= r->end) BAD("the text ends where a value must stand");
  node->offset = (uint32_t)(r->at - r->start);
  switch (*r->at) {
  case '"': node->kind = JSON_STRING; return read_string(r, &node->text, err);
  case '{': return open_frame(r, node, JSON_OBJECT, err);
  case '[': return open_frame(r, node, JSON_ARRAY, err);
  case 't': node->kind = JSON_TRUE; return read_word(r, "true", 4, err);
  case 'f': node->kind = JSON_FALSE; return read_word(r, "false", 5, err);
  case 'n': node->kind = JSON_NULL; return read_word(r, "null", 4, err);
  default: return read_number(r, node, err);
  }
}

static uint64_t name_mark(struct bytes name) {
  if (name.len == 0) return 1;
  uint64_t key = name.len * 31 + name.at[0] * 7 + name.at[name.len / 2] * 5 + name.at[name.len - 1];
  return (uint64_t)1 << ((key * 0x9e3779b97f4a7c15u) >> 58);
}

static bool check_name(struct reader *r, struct frame *frame, const struct json *node,
                       struct err *err) {
  if (frame->node->count >= SMALL_OBJECT_MEMBERS) return true;
  uint64_t mark = name_mark(node->name);
  bool seen = frame->marks & mark;
  frame->marks |= mark;
  if (!seen) return true;
  for (const struct json *at = frame->node->first; at; at = at->next)
    if (bytes_eq(at->name, node->name)) BAD("a member name that stands twice in one object");
  return true;
}

static bool check_names(const struct json *object, struct err *err) {
  if (object->count <= SMALL_OBJECT_MEMBERS) return true;
  cleanup_free const struct json **sorted = json_sorted(object, json_order_quick);
  for (size_t i = 1; i < object->count; i++)
    if (json_order_quick(sorted[i - 1], sorted[i]) == 0)
      FAIL_AT(ERR_MALFORMED, sorted[i]->offset,
              "JSON: a member name that stands twice in one object");
  return true;
}

static bool read_name(struct reader *r, struct frame *frame, struct json *node, struct err *err) {
  if (r->at >= r->end || *r->at != '"') BAD("expected a member name");
  TRY(read_string(r, &node->name, err));
  TRY(check_name(r, frame, node, err));
  skip_blanks(r);
  if (r->at >= r->end || *r->at != ':') BAD("expected ':'");
  r->at++;
  skip_blanks(r);
  return true;
}

static bool close_frame(struct reader *r, struct err *err) {
  struct json *node = r->frames[--r->depth].node;
  r->at++;
  const uint8_t *from = r->start + node->offset;
  node->text = bytes_of(from, (size_t)(r->at - from));
  return node->kind == JSON_ARRAY || check_names(node, err);
}

/* One child of the top frame, or its end. */
static bool read_next(struct reader *r, struct err *err) {
  struct frame *frame = &r->frames[r->depth - 1];
  bool object = frame->node->kind == JSON_OBJECT;
  skip_blanks(r);
  if (r->at >= r->end) BAD("the text ends inside an array or object");
  if (*r->at == (object ? '}' : ']')) return close_frame(r, err);
  if (frame->last) {
    if (*r->at != ',') BAD("expected ',' or the end of the array or object");
    r->at++;
    skip_blanks(r);
  }
  struct json *node;
  TRY(node_new(r, &node, err));
  if (object) TRY(read_name(r, frame, node, err));
  if (frame->last)
    frame->last->next = node;
  else
    frame->node->first = node;
  frame->last = node;
  frame->node->count++;
  return read_value(r, node, err);
}

bool json_parse(struct arena *arena, struct bytes input, const struct json **ret_value,
                struct err *err) {
  struct reader reader;
  struct reader *r = &reader;
  if (input.len > JSON_BYTES_MAX)
    FAIL(ERR_LIMIT, "JSON: more than %u bytes (JSON_BYTES_MAX)", JSON_BYTES_MAX);
  if (input.len == 0) FAIL_AT(ERR_MALFORMED, 0, "JSON: there is no text");
  /* Not an initialiser: it would clear all frames for every small value. */
  r->arena = arena;
  r->start = r->at = input.at;
  r->end = input.at + input.len;
  r->spare_count = r->chunk_nodes = r->depth = 0;
  struct json *root;
  skip_blanks(r);
  TRY(node_new(r, &root, err));
  TRY(read_value(r, root, err));
  while (r->depth > 0) TRY(read_next(r, err));
  skip_blanks(r);
  if (r->at != r->end) BAD("something stands after the value");
  *ret_value = root;
  return true;
}

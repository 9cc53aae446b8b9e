/* wire/schema_place.c: where a node stands. Every value begins at its own byte and children come
 * in order, so the way down is always the last child that begins no later. */
#include "wire/schema_inner.h"

#include "wire/utf8.h"

#include <stdio.h>
#include <string.h>

struct text {
  char *at;
  size_t len, room;
};

static void put(struct text *text, const char *what, size_t len) {
  for (size_t i = 0; i < len && text->len + 1 < text->room; i++) text->at[text->len++] = what[i];
  text->at[text->len] = 0;
}

/* RFC 6901 §3 */
static void put_token(struct text *text, struct bytes token) {
  put(text, "/", 1);
  for (size_t i = 0; i < token.len; i++) {
    const char *c = (const char *)token.at + i;
    if (*c == '~')
      put(text, "~0", 2);
    else if (*c == '/')
      put(text, "~1", 2);
    else
      put(text, c, 1);
  }
}

void schema_pointer_text(const struct json *root, size_t offset, char *ret_text,
                         size_t text_bytes) {
  struct text text = {ret_text, 0, text_bytes};
  put(&text, "", 0);
  while (root->offset < offset && root->first) {
    size_t index = 0;
    const struct json *child = root->first;
    for (; child->next && child->next->offset <= offset; child = child->next) index++;
    if (child->offset > offset) break;
    char number[24];
    int len = snprintf(number, sizeof number, "%zu", index);
    put_token(&text, root->kind == JSON_OBJECT ? child->name : bytes_of(number, (size_t)len));
    root = child;
  }
  /* A cut may not leave half a code point. */
  ret_text[utf8_invalid_at(bytes_str(ret_text))] = 0;
}

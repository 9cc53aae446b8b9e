/* xml_parse: any bytes; what was read can be written and read again. */
#include "base/must.h"
#include "wire/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena arena;
  const struct xml *root, *again;
  struct err err;
  arena_init(&arena, 4 << 20);
  if (xml_parse(&arena, bytes_of(data, size), &root, &err)) {
    struct buf buf;
    buf_init(&buf, 16 << 20);
    xml_write_element(&buf, "a", root->text);
    must(xml_parse(&arena, buf_bytes(&buf), &again, &err) || !arena_ok(&arena));
    must(!arena_ok(&arena) || bytes_eq(again->text, root->text));
    buf_fini(&buf);
  }
  arena_fini(&arena);
  return 0;
}

/* model/script.c: told by the lines' first words; the text is not parsed. */
#include "model/script.h"

#include <string.h>

static bool begins_with(struct bytes line, struct bytes word) {
  static const char after[] = " \t{*\"'(";
  struct bytes rest = bytes_from(line, word.len);
  return bytes_starts(line, word) && rest.len && memchr(after, rest.at[0], sizeof after - 1);
}

bool script_is_module(struct bytes name, struct bytes source) {
  if (bytes_ends(name, BYTES(".mjs"))) return true;
  if (bytes_ends(name, BYTES(".cjs"))) return false;
  for (struct bytes rest = source; rest.len;) {
    struct bytes line = bytes_trim(bytes_cut(rest, '\n', &rest));
    if (begins_with(line, BYTES("export")) || begins_with(line, BYTES("import"))) return true;
  }
  return bytes_find_bytes(source, BYTES("exports")) == source.len;
}

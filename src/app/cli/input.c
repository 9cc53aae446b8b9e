/* app/cli/input.c: whole files, bounded by the caller's buffer. */
#include "app/cli/input.h"

#include <errno.h>
#include <string.h>

enum { READ_BYTES = 64 << 10 };

static bool read_all(FILE *file, const char *what, struct buf *ret_text, struct err *err) {
  for (;;) {
    uint8_t *at = buf_room(ret_text, READ_BYTES);
    size_t wanted = at ? READ_BYTES : ret_text->bytes_max - ret_text->len;
    if (!at) {
      /* The last piece may be smaller than a usual one. */
      ret_text->overflow = false;
      at = wanted ? buf_room(ret_text, wanted) : NULL;
    }
    if (!at) break;
    size_t got = fread(at, 1, wanted, file);
    buf_grew(ret_text, got);
    if (got < wanted && ferror(file)) FAIL(ERR_IO, "cannot read %s: %s", what, strerror(errno));
    if (got < wanted) return true;
  }
  if (fgetc(file) == EOF) return true;
  FAIL(ERR_LIMIT, "%s is larger than %zu bytes", what, ret_text->bytes_max);
}

bool input_file(const char *path, struct buf *ret_text, struct err *err) {
  FILE *file = fopen(path, "re");
  if (!file) {
    err_set_errno(err, errno, ERR_PLACE, path);
    return false;
  }
  bool good = read_all(file, path, ret_text, err);
  fclose(file);
  return good;
}

bool input_read(struct cli *cli, const char *given, struct buf *ret_text, struct err *err) {
  if (strcmp(given, "-") == 0) return read_all(cli->in, "standard input", ret_text, err);
  if (given[0] == '@') return input_file(given + 1, ret_text, err);
  buf_str(ret_text, given);
  if (!buf_ok(ret_text)) FAIL(ERR_LIMIT, "the text is larger than %zu bytes", ret_text->bytes_max);
  return true;
}

bool output_new_file(const char *path, struct bytes text, struct err *err) {
  FILE *file = fopen(path, "wxe");
  if (!file && errno == EEXIST) FAIL(ERR_EXISTS, "%s is there already", path);
  if (!file) {
    err_set_errno(err, errno, ERR_PLACE, path);
    return false;
  }
  bool good = fwrite(text.at, 1, text.len, file) == text.len;
  if (fclose(file) != 0) good = false;
  if (!good) FAIL(ERR_IO, "cannot write %s: %s", path, strerror(errno));
  return true;
}

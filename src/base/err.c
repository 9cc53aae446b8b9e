/* base/err.c: the error table and its readers. */
#include "base/err.h"

#include "base/must.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct err_facts facts[ERR_COUNT] = {
#define ERR(name, word, retry, http, exit, hl7, fhir, dicom, sentence) \
  [ERR_##name] = {word, ERR_RETRY_##retry, http, exit, hl7, fhir, dicom, sentence},
#include "base/err.tbl.h"
#undef ERR
};

const struct err_facts *err_facts(enum err_code code) {
  must(code < ERR_COUNT);
  return &facts[code];
}

void err_clear(struct err *err) {
  *err = (struct err){.code = ERR_OK, .offset = ERR_OFFSET_NONE};
}

void err_set(struct err *err, enum err_code code, const char *place, uint64_t offset,
             const char *format, ...) {
  if (!err) return;
  err->code = code;
  err->place = place;
  err->offset = offset;
  va_list args;
  va_start(args, format);
  vsnprintf(err->detail, sizeof err->detail, format, args);
  va_end(args);
}

static enum err_code code_of_errno(int number) {
  switch (number) {
  case ENOSPC:
  case EDQUOT: return ERR_FULL;
  case ENOENT: return ERR_NOT_FOUND;
  case EEXIST: return ERR_EXISTS;
  case EACCES:
  case EPERM:
  case EROFS: return ERR_DENIED;
  case ENOMEM: return ERR_NO_MEMORY;
  case EMFILE:
  case ENFILE: return ERR_BUSY;
  case ECONNREFUSED:
  case EHOSTUNREACH:
  case ENETUNREACH: return ERR_UNREACHABLE;
  case ECONNRESET:
  case EPIPE: return ERR_CLOSED;
  case ETIMEDOUT: return ERR_TIMEOUT;
  default: return ERR_IO;
  }
}

void err_set_errno(struct err *err, int number, const char *place, const char *what) {
  char text[96];
  const char *reason = strerror_r(number, text, sizeof text) == 0 ? text : "unknown";
  err_set(err, code_of_errno(number), place, ERR_OFFSET_NONE, "%s: %s", what, reason);
}

/* base/err.h: the world's failures as values.
 * Owns:    nothing; struct err is the caller's, of fixed size, without allocation.
 * Errors:  a function that can fail returns bool, must be checked, and has `struct err *err` last.
 *          On false err is filled in and the ret_ outputs are untouched. A NULL err is allowed.
 * Threads: pure; any thread.
 * Limits:  ERR_DETAIL_BYTES; a longer detail is cut. A detail never holds patient data.          */
#ifndef MEDULLA_BASE_ERR_H
#define MEDULLA_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum err_code {
#define ERR(name, ...) ERR_##name,
#include "base/err.tbl.h"
#undef ERR
  ERR_COUNT
};

enum err_retry { ERR_RETRY_NEVER, ERR_RETRY_NOW, ERR_RETRY_LATER };

#define ERR_DETAIL_BYTES 232
#define ERR_OFFSET_NONE UINT64_MAX

struct err {
  enum err_code code;
  const char *place; /* file:line of the FAIL; static */
  uint64_t offset;   /* byte offset in the input, or ERR_OFFSET_NONE */
  char detail[ERR_DETAIL_BYTES];
};

struct err_facts {
  const char *word; /* what protocols and --json print */
  enum err_retry retry;
  int http_status;
  int exit_code;
  const char *hl7_ack;
  const char *fhir_issue;
  uint16_t dicom_status;
  const char *sentence;
};

const struct err_facts *err_facts(enum err_code code);
void err_clear(struct err *err);
void err_set(struct err *err, enum err_code code, const char *place, uint64_t offset,
             const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Fill err from errno: ENOSPC becomes FULL, EACCES DENIED, ENOENT NOT_FOUND, ... */
void err_set_errno(struct err *err, int number, const char *place, const char *what);

#define MUST_CHECK __attribute__((warn_unused_result))

#define ERR_STRINGIFY2(x) #x
#define ERR_STRINGIFY(x) ERR_STRINGIFY2(x)
#define ERR_PLACE __FILE__ ":" ERR_STRINGIFY(__LINE__)

/* The only two control macros of the house; both need a parameter named err. */
#define TRY(call) \
  do { \
    if (!(call)) return false; \
  } while (0)
#define FAIL(code, ...) \
  do { \
    err_set(err, code, ERR_PLACE, ERR_OFFSET_NONE, __VA_ARGS__); \
    return false; \
  } while (0)
#define FAIL_AT(code, byte_offset, ...) \
  do { \
    err_set(err, code, ERR_PLACE, byte_offset, __VA_ARGS__); \
    return false; \
  } while (0)

#endif

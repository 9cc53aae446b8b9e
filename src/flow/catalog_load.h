/* flow/catalog_load.h: from rows to versions in memory, and the catalogue's inside.
 * Owns:    see catalog.h.
 * Errors:  CORRUPT (a row names what is not there), the store's.
 * Threads: the loop's thread.
 * Limits:  catalog.h.                                                            */
#ifndef MEDULLA_FLOW_CATALOG_LOAD_H
#define MEDULLA_FLOW_CATALOG_LOAD_H

#include "base/map.h"
#include "flow/catalog.h"
#include "flow/flow.h"

struct catalog {
  struct flow *flow;
  struct map functions; /* "app/function" → struct function */
  struct map manifests; /* SHA-256 of the text → struct app_manifest */
  struct router *router;
};

/* What a version row says; all SHA-256, none when zero. */
struct version_row {
  uint32_t number;
  uint8_t manifest[SHA256_BYTES], code[SHA256_BYTES];
  uint8_t input[SHA256_BYTES], output[SHA256_BYTES], map[SHA256_BYTES];
  int64_t created_ms;
  struct bytes principal, message;
};
void version_row_encode(struct buf *buf, const struct version_row *row);
bool version_row_decode(struct bytes input, struct version_row *ret_row,
                        struct err *err) MUST_CHECK;
/* "app/function" NUL number, big-endian. */
void version_row_key(struct buf *buf, struct bytes function, uint32_t number);

struct alias_row {
  uint32_t live, canary, permille; /* canary 0: none */
  bool removed;
};
void alias_row_encode(struct buf *buf, const struct alias_row *row);
bool alias_row_decode(struct bytes input, struct alias_row *ret_row, struct err *err) MUST_CHECK;
/* "app/function" NUL "live" */
void alias_row_key(struct buf *buf, struct bytes function, struct bytes alias);
/* Of an alias that people set: not "live", not a number. */
#define ALIAS_NAME_BYTES_MAX 128
bool alias_name_check(struct bytes name, struct err *err) MUST_CHECK;

struct function *function_of(struct catalog *catalog, struct bytes name);
void function_route(struct function *function);
/* Takes both (canary may point to NULL) and lets go of what was there. */
void function_set(struct function *function, struct version **live_take,
                  struct version **canary_take, uint32_t permille);

/* Parses the manifest, or finds it parsed; one reference. */
bool app_manifest_get(struct catalog *catalog, struct bytes yaml, struct app_manifest **ret,
                      struct err *err) MUST_CHECK;
void app_manifest_unref(struct catalog *catalog, struct app_manifest *app);

/* What a version is made of, for version_make. */
struct version_parts {
  const struct version_row *row;
  struct app_manifest *app; /* a reference is taken */
  struct bytes input_schema, output_schema, source_map;
};
/* The code's text, where it is at hand; it must live until the version is prepared. */
void version_source(struct version *version, struct bytes source);
/* One reference for the caller. Secrets are read from the reader. */
bool version_make(struct catalog *catalog, struct store_reader *reader, struct function *function,
                  const struct version_parts *parts, struct version **ret_version,
                  struct err *err) MUST_CHECK;
bool version_load(struct catalog *catalog, struct store_reader *reader, struct function *function,
                  uint32_t number, struct version **ret_version, struct err *err) MUST_CHECK;
bool catalog_load(struct catalog *catalog, struct store_reader *reader, struct err *err) MUST_CHECK;

#endif

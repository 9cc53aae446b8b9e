/* flow/catalog_load.c: rows of app, alias, version and code to functions and versions. */
#include "flow/catalog_load.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "flow/world.h"
#include "model/script.h"
#include "wire/codec.h"
#include "wire/fields.h"

#include <stdlib.h>
#include <string.h>

enum {
  ROW_FORMAT = 1,
  MANIFEST_ARENA_BYTES_MAX = 32 << 20,
  VERSION_ARENA_BYTES_MAX = 32 << 20,
  ENV_BYTES_MAX = 256 << 10,
};

/* ---- Rows ---- */

static void put_sha(struct buf *buf, const uint8_t sha[SHA256_BYTES]) {
  fields_put_bytes(buf, bytes_of(sha, SHA256_BYTES));
}

static void get_sha(struct cursor *in, uint8_t ret_sha[SHA256_BYTES]) {
  struct bytes sha = fields_get_bytes(in);
  if (sha.len == SHA256_BYTES)
    memcpy(ret_sha, sha.at, SHA256_BYTES);
  else
    cursor_fail(in);
}

void version_row_encode(struct buf *buf, const struct version_row *row) {
  fields_put_u64(buf, ROW_FORMAT);
  fields_put_u64(buf, row->number);
  put_sha(buf, row->manifest);
  put_sha(buf, row->code);
  put_sha(buf, row->input);
  put_sha(buf, row->output);
  put_sha(buf, row->map);
  fields_put_i64(buf, row->created_ms);
  fields_put_bytes(buf, row->principal);
  fields_put_bytes(buf, row->message);
}

bool version_row_decode(struct bytes input, struct version_row *ret_row, struct err *err) {
  struct cursor in = cursor_of(input);
  struct version_row row = {0};
  if (fields_get_u64(&in) != ROW_FORMAT)
    FAIL(ERR_CORRUPT, "a stored version has an unknown format");
  row.number = (uint32_t)fields_get_u64(&in);
  get_sha(&in, row.manifest);
  get_sha(&in, row.code);
  get_sha(&in, row.input);
  get_sha(&in, row.output);
  get_sha(&in, row.map);
  row.created_ms = fields_get_i64(&in);
  row.principal = fields_get_bytes(&in);
  row.message = fields_get_bytes(&in);
  TRY(fields_end(&in, "version", err));
  *ret_row = row;
  return true;
}

void version_row_key(struct buf *buf, struct bytes function, uint32_t number) {
  uint8_t big[5] = {0, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                    (uint8_t)number};
  buf_put(buf, function);
  buf_put(buf, bytes_of(big, sizeof big));
}

void alias_row_encode(struct buf *buf, const struct alias_row *row) {
  fields_put_u64(buf, ROW_FORMAT);
  fields_put_u64(buf, row->live);
  fields_put_u64(buf, row->canary);
  fields_put_u64(buf, row->permille);
  fields_put_u64(buf, row->removed);
}

bool alias_row_decode(struct bytes input, struct alias_row *ret_row, struct err *err) {
  struct cursor in = cursor_of(input);
  struct alias_row row = {0};
  if (fields_get_u64(&in) != ROW_FORMAT) FAIL(ERR_CORRUPT, "a stored alias has an unknown format");
  row.live = (uint32_t)fields_get_u64(&in);
  row.canary = (uint32_t)fields_get_u64(&in);
  row.permille = (uint32_t)fields_get_u64(&in);
  row.removed = fields_get_u64(&in) != 0;
  TRY(fields_end(&in, "alias", err));
  *ret_row = row;
  return true;
}

void alias_row_key(struct buf *buf, struct bytes function, struct bytes alias) {
  buf_put(buf, function);
  buf_char(buf, 0);
  buf_put(buf, alias);
}

bool alias_name_check(struct bytes name, struct err *err) {
  bool letter = false;
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.at[i];
    bool digit = c >= '0' && c <= '9';
    if ((c | 32) >= 'a' && (c | 32) <= 'z') letter = true;
    if (!digit && c != '-' && c != '_' && !((c | 32) >= 'a' && (c | 32) <= 'z'))
      FAIL(ERR_INVALID, "an alias has letters, digits, - and _ alone");
  }
  if (!letter || name.len > ALIAS_NAME_BYTES_MAX)
    FAIL(ERR_INVALID, "an alias has 1 to %d characters, one of them a letter",
         ALIAS_NAME_BYTES_MAX);
  if (bytes_eq_str(name, "live"))
    FAIL(ERR_INVALID, "live is moved by deploy, promote and rollback");
  return true;
}

/* ---- Manifests ---- */

bool app_manifest_get(struct catalog *catalog, struct bytes yaml, struct app_manifest **ret,
                      struct err *err) {
  uint8_t sha[SHA256_BYTES];
  sha256(yaml, sha);
  struct app_manifest *app = map_get(&catalog->manifests, bytes_of(sha, sizeof sha));
  if (!app) {
    app = must_alloc(sizeof *app);
    arena_init(&app->arena, MANIFEST_ARENA_BYTES_MAX);
    memcpy(app->sha, sha, sizeof sha);
    struct manifest_problems *problems = must_alloc(sizeof *problems);
    bool ok =
        manifest_parse(&app->arena, arena_copy(&app->arena, yaml), &app->manifest, problems, err);
    free(problems);
    if (!ok) {
      arena_fini(&app->arena);
      free(app);
      return false;
    }
    map_put(&catalog->manifests, bytes_of(sha, sizeof sha), app);
  }
  app->refs++;
  *ret = app;
  return true;
}

void app_manifest_unref(struct catalog *catalog, struct app_manifest *app) {
  if (--app->refs) return;
  map_drop(&catalog->manifests, bytes_of(app->sha, sizeof app->sha));
  arena_fini(&app->arena);
  free(app);
}

/* ---- Versions ---- */

static bool add_secret(struct json_out *out, struct store_reader *reader, struct bytes app,
                       struct bytes name, struct err *err) {
  struct buf key;
  struct buf value;
  uint64_t version;
  buf_init(&key, 1024);
  buf_init(&value, ENV_BYTES_MAX);
  buf_put(&key, app);
  buf_char(&key, 0);
  buf_put(&key, name);
  bool ok = store_get(reader, TABLE_secret, buf_bytes(&key), &value, &version, err);
  if (ok && version) {
    json_out_name_bytes(out, name);
    json_out_string(out, buf_bytes(&value));
  }
  buf_fini(&key);
  buf_fini(&value);
  return ok;
}

/* process.env: the manifest's env, then the secrets that are set. */
static bool version_env(struct version *version, struct store_reader *reader, struct err *err) {
  struct json_out out;
  buf_fini(&version->env_text);
  buf_init(&version->env_text, ENV_BYTES_MAX);
  json_out_init(&out, &version->env_text);
  json_out_open(&out, '{');
  const struct json *env = version->spec->env;
  for (const struct json *item = env ? env->first : NULL; item; item = item->next) {
    json_out_name_bytes(&out, item->name);
    json_out_string(&out, item->text);
  }
  const struct json *secrets = version->spec->secrets;
  for (const struct json *item = secrets ? secrets->first : NULL; item; item = item->next)
    TRY(add_secret(&out, reader, version->function->app, item->text, err));
  json_out_close(&out, '}');
  if (!buf_ok(&version->env_text))
    FAIL(ERR_LIMIT, "env and secrets together have more than 256 KiB");
  version->env_json = buf_bytes(&version->env_text);
  return true;
}

static bool compile_schema(struct version *version, struct bytes text,
                           const struct schema **ret_schema, struct err *err) {
  const struct json *tree;
  if (text.len == 0) return true;
  TRY(json_parse(&version->arena, arena_copy(&version->arena, text), &tree, err));
  return schema_compile(&version->arena, tree, NULL, ret_schema, err);
}

/* Names snapshot and pool: whatever changes either changes the key. */
static void code_key(struct version *version) {
  const struct guest_code *code = &version->code.code;
  struct digest digest;
  uint8_t sha[SHA256_BYTES];
  struct buf hex;
  struct buf settings;
  buf_init(&settings, 1024);
  buf_printf(&settings, "%d %s %llu %s", code->kind,
             runtime_engine(version->function->catalog->flow->options.runtime, code->kind),
             (unsigned long long)code->memory_bytes_max, code->file_name);
  digest_init(&digest, DIGEST_SHA256);
  digest_add(&digest, bytes_of(version->code_sha, SHA256_BYTES));
  digest_add(&digest, buf_bytes(&settings));
  digest_final(&digest, sha);
  buf_init(&hex, 2 * SHA256_BYTES);
  hex_encode(&hex, bytes_of(sha, sizeof sha));
  bytes_text(buf_bytes(&hex), version->code.key, sizeof version->code.key);
  buf_fini(&hex);
  buf_fini(&settings);
}

void version_source(struct version *version, struct bytes source) {
  version->code.code.source = source;
  version->code.code.module = script_is_module(version->spec->code, source);
}

static void version_code(struct version *version) {
  const struct manifest_function *spec = version->spec;
  struct runtime_code *code = &version->code;
  code->name = bytes_str(version->function->name);
  code->version = version->number;
  code->code.kind = spec->wasm ? GUEST_WASM : GUEST_JS;
  code->code.file_name = arena_str(&version->arena, spec->code);
  code->code.memory_bytes_max = spec->memory_bytes;
  code->concurrency_max = spec->concurrency;
  code->provisioned = spec->provisioned;
  code->idle_ms = spec->idle_ms;
  code->isolation_floor = spec->isolation_floor;
  code_key(version);
}

bool version_make(struct catalog *catalog, struct store_reader *reader, struct function *function,
                  const struct version_parts *parts, struct version **ret_version,
                  struct err *err) {
  struct bytes bare = bytes_from(bytes_str(function->name), function->app.len + 1);
  const struct manifest_function *spec = manifest_function(parts->app->manifest, bare);
  if (!spec) FAIL(ERR_CORRUPT, "%s is not in its manifest", function->name);
  struct version *version = must_alloc(sizeof *version);
  version->refs = 1;
  version->function = function;
  version->number = parts->row->number;
  version->created_ms = parts->row->created_ms;
  version->app = parts->app;
  version->app->refs++;
  version->manifest = parts->app->manifest;
  version->spec = spec;
  memcpy(version->code_sha, parts->row->code, SHA256_BYTES);
  arena_init(&version->arena, VERSION_ARENA_BYTES_MAX);
  version->source_map = arena_copy(&version->arena, parts->source_map);
  version_code(version);
  if (!version_env(version, reader, err) ||
      !compile_schema(version, parts->input_schema, &version->input, err) ||
      !compile_schema(version, parts->output_schema, &version->output, err)) {
    version_unref(&version);
    return false;
  }
  *ret_version = version;
  return true;
}

static bool load_blob(struct store_reader *reader, const uint8_t sha[SHA256_BYTES],
                      struct buf *ret_blob, struct err *err) {
  static const uint8_t none[SHA256_BYTES];
  uint64_t row_version;
  buf_init(ret_blob, STORE_VALUE_BYTES_MAX);
  if (memcmp(sha, none, SHA256_BYTES) == 0) return true;
  TRY(store_get(reader, TABLE_code, bytes_of(sha, SHA256_BYTES), ret_blob, &row_version, err));
  if (row_version == 0) FAIL(ERR_CORRUPT, "a version's file is missing from the store");
  return true;
}

static bool load_parts(struct catalog *catalog, struct store_reader *reader,
                       struct function *function, const struct version_row *row,
                       struct version **ret_version, struct err *err) {
  cleanup_buf struct buf manifest = {0};
  cleanup_buf struct buf input = {0};
  cleanup_buf struct buf output = {0};
  cleanup_buf struct buf map = {0};
  struct version_parts parts = {.row = row};
  TRY(load_blob(reader, row->manifest, &manifest, err));
  TRY(load_blob(reader, row->input, &input, err));
  TRY(load_blob(reader, row->output, &output, err));
  TRY(load_blob(reader, row->map, &map, err));
  TRY(app_manifest_get(catalog, buf_bytes(&manifest), &parts.app, err));
  parts.input_schema = buf_bytes(&input);
  parts.output_schema = buf_bytes(&output);
  parts.source_map = buf_bytes(&map);
  bool ok = version_make(catalog, reader, function, &parts, ret_version, err);
  app_manifest_unref(catalog, parts.app);
  return ok;
}

bool version_load(struct catalog *catalog, struct store_reader *reader, struct function *function,
                  uint32_t number, struct version **ret_version, struct err *err) {
  cleanup_buf struct buf key = {0};
  cleanup_buf struct buf value = {0};
  struct version_row row;
  uint64_t row_version;
  buf_init(&key, 1024);
  buf_init(&value, 64 << 10);
  version_row_key(&key, bytes_str(function->name), number);
  TRY(store_get(reader, TABLE_version, buf_bytes(&key), &value, &row_version, err));
  if (row_version == 0) FAIL(ERR_NOT_FOUND, "%s has no version %u", function->name, number);
  TRY(version_row_decode(buf_bytes(&value), &row, err));
  return load_parts(catalog, reader, function, &row, ret_version, err);
}

/* ---- All aliases, at start ---- */

struct loading {
  struct catalog *catalog;
  struct store_reader *reader;
  struct err *err;
  bool ok;
};

static bool load_alias(void *arg, const struct store_row *row) {
  struct loading *loading = arg;
  struct alias_row alias;
  struct version *live = NULL;
  struct version *canary = NULL;
  struct bytes name = bytes_sub(row->key, 0, bytes_find(row->key, 0));
  struct bytes alias_name = bytes_from(row->key, name.len + 1);
  if (!bytes_eq_str(alias_name, "live")) return true; /* read when a caller names it */
  struct function *function = function_of(loading->catalog, name);
  loading->ok =
      alias_row_decode(row->value, &alias, loading->err) &&
      version_load(loading->catalog, loading->reader, function, alias.live, &live, loading->err);
  if (loading->ok && alias.canary)
    loading->ok = version_load(loading->catalog, loading->reader, function, alias.canary, &canary,
                               loading->err);
  if (!loading->ok) return false;
  function->removed = alias.removed;
  function->last_number = alias.live > alias.canary ? alias.live : alias.canary;
  function_set(function, &live, &canary, alias.permille);
  return true;
}

/* The highest number ever given, also of versions no alias points to any more. */
static bool count_version(void *arg, const struct store_row *row) {
  struct catalog *catalog = arg;
  size_t name_bytes = bytes_find(row->key, 0);
  struct function *function = map_get(&catalog->functions, bytes_sub(row->key, 0, name_bytes));
  struct cursor in = cursor_of(bytes_from(row->key, name_bytes + 1));
  uint32_t number = cursor_u32_be(&in);
  if (function && number > function->last_number) function->last_number = number;
  return true;
}

bool catalog_load(struct catalog *catalog, struct store_reader *reader, struct err *err) {
  struct loading loading = {.catalog = catalog, .reader = reader, .err = err, .ok = true};
  struct store_range aliases = {.table = TABLE_alias};
  struct store_range versions = {.table = TABLE_version};
  TRY(store_scan(reader, &aliases, load_alias, &loading, err));
  if (!loading.ok) return false;
  return store_scan(reader, &versions, count_version, catalog, err);
}

void catalog_secrets_changed(struct catalog *catalog, struct bytes app) {
  struct store_reader *reader = store_reader(catalog->flow->options.store);
  struct function *function;
  struct err err;
  for (size_t at = 0; catalog_next(catalog, &at, &function);) {
    if (!bytes_eq(function->app, app)) continue;
    if (!version_env(function->live, reader, &err)) continue;
    if (function->canary && !version_env(function->canary, reader, &err)) continue;
  }
}

/* source/api/principal.c: tokens in the store by hash, in memory by hash, name and AWS key. */
#include "source/api/principal.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "base/must.h"
#include "wire/codec.h"
#include "wire/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_FORMAT = 1, ROW_FORMAT_CERTIFICATE = 2, ROW_BYTES_MAX = 4096, TOKEN_RANDOM_BYTES = 32 };

struct principals {
  struct flow *flow;
  struct store *store;
  const struct clock_port *clock;
  const struct random_port *random;
  struct map by_sha, by_name, by_aws, by_certificate;
  struct principal *gone; /* revoked: calls under way may still name them */
};

static const struct {
  const char *word;
  unsigned acts;
} roles[ROLE_COUNT] = {
#define ROLE(name, word, acts) [ROLE_##name] = {word, acts},
    ROLES(ROLE)
#undef ROLE
};

const char *role_word(enum role role) {
  must(role < ROLE_COUNT);
  return roles[role].word;
}

bool role_parse(struct bytes word, enum role *ret_role) {
  for (int i = 0; i < ROLE_COUNT; i++) {
    if (!bytes_eq_str(word, roles[i].word)) continue;
    *ret_role = (enum role)i;
    return true;
  }
  return false;
}

bool principal_may(const struct principal *principal, enum act act) {
  return (roles[principal->role].acts & act) != 0;
}

bool principal_may_app(const struct principal *principal, struct bytes name) {
  if (principal->app.len == 0) return true;
  return bytes_eq(principal->app, bytes_sub(name, 0, bytes_find(name, '/')));
}

/* ---- Rows ---- */

static void row_encode(struct buf *buf, const struct principal *p) {
  fields_put_u64(buf, p->certified ? ROW_FORMAT_CERTIFICATE : ROW_FORMAT);
  fields_put_bytes(buf, p->name);
  fields_put_str(buf, role_word(p->role));
  fields_put_bytes(buf, p->app);
  fields_put_bytes(buf, p->source);
  fields_put_i64(buf, p->created_ms);
  fields_put_i64(buf, p->expires_ms);
  fields_put_str(buf, p->aws_key);
  fields_put_str(buf, p->aws_secret);
  if (p->certified) fields_put_bytes(buf, bytes_of(p->certificate, SHA256_BYTES));
}

static bool set_certificate(struct principal *p, struct bytes sha) {
  if (sha.len != SHA256_BYTES) return false;
  memcpy(p->certificate, sha.at, SHA256_BYTES);
  p->certified = true;
  return true;
}

static bool row_decode(struct bytes input, struct principal *ret, struct err *err) {
  struct cursor in = cursor_of(input);
  struct principal p = {0};
  uint64_t format = fields_get_u64(&in);
  if (format != ROW_FORMAT && format != ROW_FORMAT_CERTIFICATE)
    FAIL(ERR_CORRUPT, "a stored token has an unknown format");
  p.name = fields_get_bytes(&in);
  if (!role_parse(fields_get_bytes(&in), &p.role)) cursor_fail(&in);
  p.app = fields_get_bytes(&in);
  p.source = fields_get_bytes(&in);
  p.created_ms = fields_get_i64(&in);
  p.expires_ms = fields_get_i64(&in);
  bytes_text(fields_get_bytes(&in), p.aws_key, sizeof p.aws_key);
  bytes_text(fields_get_bytes(&in), p.aws_secret, sizeof p.aws_secret);
  if (format == ROW_FORMAT_CERTIFICATE && !set_certificate(&p, fields_get_bytes(&in)))
    cursor_fail(&in);
  TRY(fields_end(&in, "token", err));
  *ret = p;
  return true;
}

static struct principal *principal_keep(struct principals *all, const struct principal *given) {
  struct principal *p = must_alloc(sizeof *p);
  *p = *given;
  p->name = bytes_of(bytes_dup(given->name), given->name.len);
  p->app = bytes_of(bytes_dup(given->app), given->app.len);
  p->source = bytes_of(bytes_dup(given->source), given->source.len);
  map_put(&all->by_sha, bytes_of(p->token_sha, SHA256_BYTES), p);
  map_put(&all->by_name, p->name, p);
  map_put(&all->by_aws, bytes_str(p->aws_key), p);
  if (p->certified) map_put(&all->by_certificate, bytes_of(p->certificate, SHA256_BYTES), p);
  return p;
}

static void principal_free(struct principal *p) {
  free((void *)(uintptr_t)p->name.at);
  free((void *)(uintptr_t)p->app.at);
  free((void *)(uintptr_t)p->source.at);
  bytes_wipe(p, sizeof *p);
  free(p);
}

struct loading {
  struct principals *all;
  struct err *err;
  bool ok;
};

static bool load_row(void *arg, const struct store_row *row) {
  struct loading *loading = arg;
  struct principal p;
  loading->ok = row_decode(row->value, &p, loading->err) && row->key.len == SHA256_BYTES;
  if (!loading->ok) return false;
  memcpy(p.token_sha, row->key.at, SHA256_BYTES);
  principal_keep(loading->all, &p);
  return true;
}

bool principals_open(struct flow *flow, struct store *store, const struct clock_port *clock,
                     const struct random_port *random, struct principals **ret_principals,
                     struct err *err) {
  struct principals *all = must_alloc(sizeof *all);
  struct store_range range = {.table = TABLE_token};
  struct loading loading = {all, err, true};
  all->flow = flow;
  all->store = store;
  all->clock = clock;
  all->random = random;
  map_init(&all->by_sha, random_u64(random));
  map_init(&all->by_name, random_u64(random));
  map_init(&all->by_aws, random_u64(random));
  map_init(&all->by_certificate, random_u64(random));
  *ret_principals = all;
  return store_scan(store_reader(store), &range, load_row, &loading, err) && loading.ok;
}

void principals_close(struct principals **principals) {
  struct principals *all = *principals;
  size_t at = 0;
  struct bytes key;
  void *value;
  *principals = NULL;
  if (!all) return;
  while (map_next(&all->by_sha, &at, &key, &value)) principal_free(value);
  for (struct principal *p = all->gone, *next; p; p = next) {
    next = p->next_gone;
    principal_free(p);
  }
  map_fini(&all->by_sha);
  map_fini(&all->by_name);
  map_fini(&all->by_aws);
  map_fini(&all->by_certificate);
  free(all);
}

bool principals_empty(const struct principals *principals) {
  return principals->by_sha.count == 0;
}

bool principal_next(struct principals *principals, size_t *at,
                    const struct principal **ret_principal) {
  struct bytes key;
  void *value;
  if (!map_next(&principals->by_sha, at, &key, &value)) return false;
  *ret_principal = value;
  return true;
}

static const struct principal *if_valid(struct principals *all, const struct principal *p) {
  if (p && p->expires_ms && p->expires_ms <= clock_wall_ms(all->clock)) return NULL;
  return p;
}

const struct principal *principal_by_token(struct principals *principals, struct bytes token) {
  uint8_t sha[SHA256_BYTES];
  sha256(token, sha);
  return if_valid(principals, map_get(&principals->by_sha, bytes_of(sha, sizeof sha)));
}

const struct principal *principal_by_certificate(struct principals *principals,
                                                 const uint8_t sha[SHA256_BYTES]) {
  return if_valid(principals, map_get(&principals->by_certificate, bytes_of(sha, SHA256_BYTES)));
}

const struct principal *principal_by_aws_key(struct principals *principals, struct bytes key) {
  return if_valid(principals, map_get(&principals->by_aws, key));
}

/* ---- Making and revoking ---- */

struct making {
  struct principals *all;
  struct principal *principal;
  principal_done *done;
  void *arg;
  char token[PRINCIPAL_TOKEN_BYTES];
  bool revoke;
};

static void making_end(struct making *making, const struct err *err) {
  making->done(making->arg, err, making->principal, err ? NULL : making->token);
  bytes_wipe(making, sizeof *making);
  free(making);
}

static void forget(struct principals *all, struct principal *p) {
  map_drop(&all->by_sha, bytes_of(p->token_sha, SHA256_BYTES));
  map_drop(&all->by_name, p->name);
  map_drop(&all->by_aws, bytes_str(p->aws_key));
  if (p->certified) map_drop(&all->by_certificate, bytes_of(p->certificate, SHA256_BYTES));
  p->next_gone = all->gone;
  all->gone = p;
}

static void made(void *arg, const struct store_result *result) {
  struct making *making = arg;
  struct principal *p = making->principal;
  bool ok = result->err.code == ERR_OK;
  if (ok == making->revoke) forget(making->all, p); /* revoked, or never made */
  making_end(making, ok ? NULL : &result->err);
}

static void fresh_secrets(const struct random_port *random, struct principal *p,
                          char token[PRINCIPAL_TOKEN_BYTES]) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  uint8_t bytes[TOKEN_RANDOM_BYTES];
  cleanup_buf struct buf text = {0};
  random_fill(random, bytes, sizeof bytes);
  buf_init(&text, PRINCIPAL_TOKEN_BYTES);
  buf_str(&text, "mdl_");
  base64_encode(&text, bytes_of(bytes, sizeof bytes), BASE64_URL | BASE64_NO_PAD);
  bytes_text(buf_bytes(&text), token, PRINCIPAL_TOKEN_BYTES);
  sha256(bytes_str(token), p->token_sha);
  random_fill(random, bytes, sizeof bytes);
  memcpy(p->aws_key, "MDLA", 4);
  for (int i = 0; i < 16; i++) p->aws_key[4 + i] = letters[bytes[i] & 31];
  random_fill(random, bytes, sizeof bytes);
  buf_reset(&text);
  base64_encode(&text, bytes_of(bytes, 30), 0);
  bytes_text(buf_bytes(&text), p->aws_secret, sizeof p->aws_secret);
  bytes_wipe(bytes, sizeof bytes);
}

static bool request_ok(struct principals *all, const struct principal_request *request,
                       struct principal *ret, struct err *err) {
  struct principal p = {.name = request->name,
                        .app = request->app,
                        .source = request->source,
                        .created_ms = clock_wall_ms(all->clock),
                        .expires_ms = request->expires_ms};
  if (p.name.len == 0 || p.name.len > PRINCIPAL_NAME_BYTES_MAX)
    FAIL(ERR_INVALID, "a token needs a name of at most %d bytes", PRINCIPAL_NAME_BYTES_MAX);
  if (!role_parse(request->role, &p.role))
    FAIL(ERR_INVALID, "a role is one of admin, deploy, invoke, read, device");
  if (p.role == ROLE_DEVICE && p.source.len == 0)
    FAIL(ERR_INVALID, "a device token needs the source its events have (--source)");
  if (p.expires_ms && p.expires_ms <= p.created_ms)
    FAIL(ERR_INVALID, "the token would have expired already");
  if (request->certificate.at && !set_certificate(&p, request->certificate))
    FAIL(ERR_INVALID, "a certificate's SHA-256 has %d bytes", SHA256_BYTES);
  if (p.certified && map_get(&all->by_certificate, request->certificate))
    FAIL(ERR_EXISTS, "this certificate is another's already");
  if (map_get(&all->by_name, p.name))
    FAIL(ERR_EXISTS, "there is a token named \"%.*s\"; revoke it first", BYTES_FMT(p.name));
  if (all->by_sha.count >= PRINCIPALS_MAX)
    FAIL(ERR_LIMIT, "PRINCIPALS_MAX: there are %d tokens already", PRINCIPALS_MAX);
  *ret = p;
  return true;
}

void principal_create(struct principals *principals, const struct principal_request *request,
                      principal_done *done, void *arg) {
  struct principal p;
  struct err err;
  cleanup_buf struct buf row = {0};
  if (!request_ok(principals, request, &p, &err)) {
    done(arg, &err, NULL, NULL);
    return;
  }
  struct making *making = must_alloc(sizeof *making);
  *making = (struct making){.all = principals, .done = done, .arg = arg};
  fresh_secrets(principals->random, &p, making->token);
  making->principal = principal_keep(principals, &p);
  buf_init(&row, ROW_BYTES_MAX);
  row_encode(&row, &p);
  struct store_commit *commit = commit_new();
  struct bytes key = bytes_of(making->principal->token_sha, SHA256_BYTES);
  commit_check(commit, TABLE_token, key, 0, ERR_EXISTS);
  commit_put(commit, TABLE_token, key, buf_bytes(&row));
  flow_audit(principals->flow, commit, request->by, "token.create", p.name, "ok",
             role_word(p.role));
  store_submit(principals->store, &commit, made, making);
}

void principal_revoke(struct principals *principals, struct bytes name, struct bytes by,
                      principal_done *done, void *arg) {
  struct principal *p = map_get(&principals->by_name, name);
  if (!p) {
    struct err err;
    err_set(&err, ERR_NOT_FOUND, ERR_PLACE, ERR_OFFSET_NONE, "there is no token \"%.*s\"",
            BYTES_FMT(name));
    done(arg, &err, NULL, NULL);
    return;
  }
  struct making *making = must_alloc(sizeof *making);
  *making =
      (struct making){.all = principals, .principal = p, .done = done, .arg = arg, .revoke = true};
  struct store_commit *commit = commit_new();
  commit_remove(commit, TABLE_token, bytes_of(p->token_sha, SHA256_BYTES));
  flow_audit(principals->flow, commit, by, "token.revoke", p->name, "ok", NULL);
  store_submit(principals->store, &commit, made, making);
}

/* wire/sigv4.c: the canonical request, the signing key, and the two uses of them.
 *
 *   canonical request = method, path, query, headers, names of the headers, payload line
 *   string to sign    = AWS4-HMAC-SHA256, date, scope, SHA-256 of the canonical request
 *   signing key       = HMAC chain over AWS4+secret, day, region, service, aws4_request
 *
 * The one difference of services: S3 signs the path encoded once, all others encode the encoded
 * path again, after dropping its dot segments. */
#include "wire/sigv4.h"

#include "base/civil.h"
#include "base/must.h"
#include "wire/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_BYTES = 8, QUERY_PAIRS_MAX = 512, SCOPE_BYTES_MAX = 256 };

void sigv4_date_text(int64_t utc_ms, char ret_text[SIGV4_DATE_BYTES]) {
  int64_t seconds = civil_floor_div(utc_ms, 1000);
  int64_t days = civil_floor_div(seconds, CIVIL_DAY_S);
  unsigned rest = (unsigned)(seconds - days * CIVIL_DAY_S);
  struct civil date = civil_date(days);
  snprintf(ret_text, SIGV4_DATE_BYTES, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)date.year % 10000u,
           (unsigned)date.month % 100u, (unsigned)date.day % 100u, rest / 3600 % 24, rest / 60 % 60,
           rest % 60);
}

void sigv4_hex(const uint8_t digest[SHA256_BYTES], char ret_text[SIGV4_HEX_BYTES]) {
  static const char hex[] = "0123456789abcdef";
  for (size_t i = 0; i < SHA256_BYTES; i++) {
    ret_text[2 * i] = hex[digest[i] >> 4];
    ret_text[2 * i + 1] = hex[digest[i] & 15];
  }
  ret_text[2 * SHA256_BYTES] = 0;
}

void sigv4_key(struct bytes secret, struct bytes day, struct bytes region, struct bytes service,
               uint8_t ret_key[SHA256_BYTES]) {
  const struct bytes steps[] = {day, region, service, BYTES("aws4_request")};
  struct buf first;
  buf_init(&first, secret.len + 4);
  buf_put(&first, BYTES("AWS4"));
  buf_put(&first, secret);
  struct bytes key = buf_bytes(&first);
  uint8_t mac[SHA256_BYTES];
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    hmac_sha256(key, steps[i], mac);
    memcpy(ret_key, mac, sizeof mac);
    key = bytes_of(ret_key, SHA256_BYTES);
  }
  bytes_wipe(mac, sizeof mac);
  buf_fini(&first);
}

static void encode(struct buf *out, struct bytes text, const char *keep) {
  percent_encode(out, text, keep);
}

/* S3: decoded and encoded once, as it stands. */
static void path_s3(struct buf *out, struct bytes path) {
  struct buf decoded;
  buf_init(&decoded, path.len + 1);
  if (percent_decode(&decoded, path, false, NULL)) encode(out, buf_bytes(&decoded), "/");
  buf_fini(&decoded);
}

/* Others: empty and dot segments dropped, then encoded on top of the wire's encoding. */
static void path_other(struct buf *out, struct bytes path) {
  struct bytes rest = path;
  size_t start = out->len;
  bool folder = bytes_ends(path, BYTES("/"));
  while (rest.len) {
    struct bytes segment = bytes_cut(rest, '/', &rest);
    if (segment.len == 0 || bytes_eq(segment, BYTES("."))) continue;
    if (bytes_eq(segment, BYTES(".."))) {
      while (out->len > start && out->at[--out->len] != '/') {}
      continue;
    }
    buf_char(out, '/');
    encode(out, segment, "");
  }
  if (folder || out->len == start) buf_char(out, '/');
}

struct pair {
  struct bytes name, value; /* encoded */
};

static int compare_pairs(const void *a, const void *b) {
  const struct pair *left = a, *right = b;
  int order = bytes_cmp(left->name, right->name);
  return order ? order : bytes_cmp(left->value, right->value);
}

static struct bytes encode_again(struct arena *arena, struct bytes decoded) {
  struct buf buf;
  buf_init(&buf, 3 * HTTP_HEAD_BYTES_MAX);
  encode(&buf, decoded, "");
  struct bytes encoded = arena_copy(arena, buf_bytes(&buf));
  buf_fini(&buf);
  return encoded;
}

/* Pairs sorted by encoded name and value; the signature itself is left out. */
static bool query_write(struct buf *out, struct bytes query, struct err *err) {
  struct arena arena;
  size_t count = 0;
  struct bytes name, value;
  arena_init(&arena, 4 * SIGV4_CANONICAL_BYTES_MAX);
  struct pair *pairs = ARENA_ARRAY(&arena, struct pair, QUERY_PAIRS_MAX);
  while (count < QUERY_PAIRS_MAX && http_query_next(&arena, &query, &name, &value)) {
    if (bytes_eq(name, BYTES("X-Amz-Signature"))) continue;
    pairs[count++] = (struct pair){encode_again(&arena, name), encode_again(&arena, value)};
  }
  bool whole = arena_ok(&arena) && query.len == 0;
  if (whole) qsort(pairs, count, sizeof *pairs, compare_pairs);
  for (size_t i = 0; whole && i < count; i++) {
    if (i) buf_char(out, '&');
    buf_put(out, pairs[i].name);
    buf_char(out, '=');
    buf_put(out, pairs[i].value);
  }
  arena_fini(&arena);
  if (!whole) FAIL(ERR_LIMIT, "the query has more parameters than can be signed");
  return true;
}

/* Runs of blanks count as one. */
static void value_write(struct buf *out, struct bytes value) {
  for (size_t i = 0; i < value.len; i++)
    if (value.at[i] != ' ' || i == 0 || value.at[i - 1] != ' ') buf_char(out, value.at[i]);
}

static bool header_write(struct buf *out, const struct sigv4_subject *subject, struct bytes name,
                         struct err *err) {
  bool found = false;
  buf_put(out, name);
  buf_char(out, ':');
  for (size_t i = 0; i < subject->header_count; i++) {
    if (!bytes_eq_nocase(subject->headers[i].name, name)) continue;
    if (found) buf_char(out, ',');
    value_write(out, subject->headers[i].value);
    found = true;
  }
  buf_char(out, '\n');
  if (!found) FAIL(ERR_UNAUTHENTICATED, "a signed header is not in the request");
  return true;
}

static bool canonical_write(struct buf *out, const struct sigv4_subject *subject,
                            struct bytes service, struct bytes signed_headers, struct bytes payload,
                            struct err *err) {
  buf_put(out, subject->method);
  buf_char(out, '\n');
  (bytes_eq(service, BYTES("s3")) ? path_s3 : path_other)(out, subject->path);
  buf_char(out, '\n');
  TRY(query_write(out, subject->query, err));
  buf_char(out, '\n');
  for (struct bytes rest = signed_headers; rest.len;)
    TRY(header_write(out, subject, bytes_cut(rest, ';', &rest), err));
  buf_char(out, '\n');
  buf_put(out, signed_headers);
  buf_char(out, '\n');
  buf_put(out, payload);
  if (!buf_ok(out)) FAIL(ERR_LIMIT, "the request is longer than SIGV4_CANONICAL_BYTES_MAX");
  return true;
}

struct scope {
  struct bytes date, region, service;
};

static bool signature_make(const struct sigv4_subject *subject, const struct scope *scope,
                           struct bytes signed_headers, struct bytes payload,
                           const uint8_t key[SHA256_BYTES], char ret_hex[SIGV4_HEX_BYTES],
                           struct err *err) {
  struct buf text;
  uint8_t digest[SHA256_BYTES];
  char hex[SIGV4_HEX_BYTES];
  buf_init(&text, SIGV4_CANONICAL_BYTES_MAX);
  bool made = canonical_write(&text, subject, scope->service, signed_headers, payload, err);
  if (made) {
    sha256(buf_bytes(&text), digest);
    sigv4_hex(digest, hex);
    buf_reset(&text);
    buf_printf(&text, SIGV4_ALGORITHM "\n%.*s\n%.*s/%.*s/%.*s/aws4_request\n%s",
               BYTES_FMT(scope->date), BYTES_FMT(bytes_sub(scope->date, 0, DAY_BYTES)),
               BYTES_FMT(scope->region), BYTES_FMT(scope->service), hex);
    hmac_sha256(bytes_of(key, SHA256_BYTES), buf_bytes(&text), digest);
    sigv4_hex(digest, ret_hex);
  }
  buf_fini(&text);
  return made;
}

struct sigv4_subject sigv4_subject_of(const struct http_request *request) {
  return (struct sigv4_subject){request->method, request->path, request->query,
                                request->head.headers, request->head.header_count};
}

static bool date_check(const struct sigv4 *claim, int64_t now_ms, struct err *err) {
  int64_t age_ms = now_ms - claim->date_ms;
  if (age_ms < -SIGV4_SKEW_MS)
    FAIL(ERR_UNAUTHENTICATED, "the request is dated more than 15 minutes ahead");
  if (!claim->presigned && age_ms > SIGV4_SKEW_MS)
    FAIL(ERR_UNAUTHENTICATED, "the request is dated more than 15 minutes ago");
  if (claim->presigned && age_ms > claim->expires_s * 1000)
    FAIL(ERR_UNAUTHENTICATED, "the presigned request has expired");
  return true;
}

bool sigv4_verify(const struct sigv4 *claim, const struct sigv4_subject *subject,
                  struct bytes secret, const uint8_t body_sha256[SHA256_BYTES], int64_t now_ms,
                  uint8_t ret_key[SHA256_BYTES], struct err *err) {
  struct scope scope = {bytes_str(claim->date), claim->region, claim->service};
  struct bytes payload = claim->payload_text;
  uint8_t key[SHA256_BYTES];
  char hex[SIGV4_HEX_BYTES], body_hex[SIGV4_HEX_BYTES];
  TRY(date_check(claim, now_ms, err));
  if (claim->payload == SIGV4_BODY) {
    must(body_sha256);
    sigv4_hex(body_sha256, body_hex);
    payload = bytes_str(body_hex);
  }
  sigv4_key(secret, bytes_sub(scope.date, 0, DAY_BYTES), scope.region, scope.service, key);
  bool equal = signature_make(subject, &scope, claim->signed_headers, payload, key, hex, err);
  if (equal && !bytes_eq_secret(bytes_str(hex), claim->signature)) {
    err_set(err, ERR_UNAUTHENTICATED, ERR_PLACE, ERR_OFFSET_NONE, "the signature does not match");
    equal = false;
  }
  if (equal) memcpy(ret_key, key, sizeof key);
  bytes_wipe(key, sizeof key);
  bytes_wipe(hex, sizeof hex);
  return equal;
}

static int compare_names(const void *a, const void *b) {
  return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* "host;range;x-amz-date": lower case, sorted, each once. */
static struct bytes names_join(struct arena *arena, const struct sigv4_subject *subject) {
  struct bytes *names = ARENA_ARRAY(arena, struct bytes, subject->header_count + 1);
  struct bytes joined = BYTES_NONE;
  if (!names) return joined;
  for (size_t i = 0; i < subject->header_count; i++)
    names[i] = arena_lower(arena, subject->headers[i].name);
  qsort(names, subject->header_count, sizeof *names, compare_names);
  for (size_t i = 0; i < subject->header_count; i++) {
    if (i > 0 && bytes_eq(names[i], names[i - 1])) continue;
    joined =
        arena_printf(arena, "%.*s%s%.*s", BYTES_FMT(joined), i ? ";" : "", BYTES_FMT(names[i]));
  }
  return joined;
}

bool sigv4_sign(struct arena *arena, const struct sigv4_signer *signer,
                const struct sigv4_subject *subject, struct bytes *ret_authorization,
                struct err *err) {
  char date[SIGV4_DATE_BYTES], hex[SIGV4_HEX_BYTES];
  uint8_t key[SHA256_BYTES];
  sigv4_date_text(signer->now_ms, date);
  struct scope scope = {bytes_str(date), signer->region, signer->service};
  struct bytes day = bytes_sub(scope.date, 0, DAY_BYTES);
  struct bytes names = names_join(arena, subject);
  sigv4_key(signer->secret, day, signer->region, signer->service, key);
  bool made = signature_make(subject, &scope, names, signer->payload_text, key, hex, err);
  bytes_wipe(key, sizeof key);
  if (!made) return false;
  *ret_authorization =
      arena_printf(arena,
                   SIGV4_ALGORITHM
                   " Credential=%.*s/%.*s/%.*s/%.*s/aws4_request, SignedHeaders=%.*s, Signature=%s",
                   BYTES_FMT(signer->access_key), BYTES_FMT(day), BYTES_FMT(signer->region),
                   BYTES_FMT(signer->service), BYTES_FMT(names), hex);
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the arena is full");
  return true;
}

/* wire/sigv4_parse.c: what a request claims, from its Authorization header or its query. */
#include "wire/sigv4.h"

#include "base/civil.h"
#include "wire/codec.h"

#include <string.h>

static bool digits(struct bytes text, size_t at, size_t count, int *ret_value) {
  uint64_t value;
  if (!bytes_u64(bytes_sub(text, at, count), &value)) return false;
  *ret_value = (int)value;
  return true;
}

/* 20130524T000000Z */
static bool date_read(struct bytes text, struct sigv4 *claim, struct err *err) {
  int year, month, day, hour, minute, second;
  bool shaped = text.len == SIGV4_DATE_BYTES - 1 && text.at[8] == 'T' && text.at[15] == 'Z' &&
                digits(text, 0, 4, &year) && digits(text, 4, 2, &month) &&
                digits(text, 6, 2, &day) && digits(text, 9, 2, &hour) &&
                digits(text, 11, 2, &minute) && digits(text, 13, 2, &second);
  if (!shaped || month < 1 || month > 12 || day < 1 || day > civil_month_days(year, month) ||
      hour > 23 || minute > 59 || second > 60)
    FAIL(ERR_MALFORMED, "the signature's date is malformed");
  int64_t seconds = civil_days(year, month, day) * CIVIL_DAY_S + hour * 3600 + minute * 60 + second;
  claim->date_ms = seconds * 1000;
  bytes_text(text, claim->date, sizeof claim->date);
  return true;
}

/* KEY/20130524/us-east-1/s3/aws4_request, read from its end: keys may hold anything. */
static bool credential_read(struct bytes text, struct sigv4 *claim, struct err *err) {
  struct bytes parts[4];
  for (size_t i = 4; i-- > 0;) {
    size_t slash = text.len;
    while (slash > 0 && text.at[slash - 1] != '/') slash--;
    if (slash == 0) FAIL(ERR_MALFORMED, "the credential lacks date, region, service or end");
    parts[i] = bytes_from(text, slash);
    text = bytes_sub(text, 0, slash - 1);
  }
  if (!bytes_eq(parts[3], BYTES("aws4_request")) || text.len == 0 || parts[1].len == 0 ||
      parts[2].len == 0)
    FAIL(ERR_MALFORMED, "the credential's scope is malformed");
  if (!bytes_eq(parts[0], bytes_sub(bytes_str(claim->date), 0, 8)))
    FAIL(ERR_UNAUTHENTICATED, "the credential's day is not the request's");
  claim->access_key = text;
  claim->region = parts[1];
  claim->service = parts[2];
  return true;
}

static bool listed(struct bytes names, struct bytes wanted) {
  while (names.len)
    if (bytes_eq_nocase(bytes_cut(names, ';', &names), wanted)) return true;
  return false;
}

/* Sorted and lower case, with host; and of the headers AWS gives meaning to, none unsigned. */
static bool names_check(const struct http_request *request, const struct sigv4 *claim,
                        struct err *err) {
  struct bytes rest = claim->signed_headers, last = BYTES_NONE;
  while (rest.len) {
    struct bytes name = bytes_cut(rest, ';', &rest);
    if (!http_token_valid(name) || (last.len && bytes_cmp(last, name) >= 0))
      FAIL(ERR_MALFORMED, "the signed headers are not a sorted list of names");
    for (size_t i = 0; i < name.len; i++)
      if (name.at[i] >= 'A' && name.at[i] <= 'Z')
        FAIL(ERR_MALFORMED, "the signed headers are not in lower case");
    last = name;
  }
  if (!listed(claim->signed_headers, BYTES("host")))
    FAIL(ERR_UNAUTHENTICATED, "Host is not signed");
  for (size_t i = 0; !claim->presigned && i < request->head.header_count; i++) {
    struct bytes name = request->head.headers[i].name;
    bool matters = bytes_eq_nocase(bytes_sub(name, 0, 6), BYTES("x-amz-"));
    if (matters && !listed(claim->signed_headers, name))
      FAIL(ERR_UNAUTHENTICATED, "an x-amz header is not signed");
  }
  return true;
}

static bool signature_check(const struct sigv4 *claim, struct err *err) {
  bool shaped = claim->signature.len == 2 * SHA256_BYTES;
  for (size_t i = 0; shaped && i < claim->signature.len; i++) {
    uint8_t c = claim->signature.at[i];
    shaped = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  }
  if (!shaped) FAIL(ERR_MALFORMED, "the signature is not 64 hexadecimal digits");
  return true;
}

static bool payload_read(struct bytes text, struct sigv4 *claim, struct err *err) {
  static const struct {
    struct bytes text;
    enum sigv4_payload payload;
  } words[] = {
      {BYTES_INIT("UNSIGNED-PAYLOAD"), SIGV4_UNSIGNED},
      {BYTES_INIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), SIGV4_STREAM},
      {BYTES_INIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), SIGV4_STREAM_TRAILER},
      {BYTES_INIT("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), SIGV4_UNSIGNED_TRAILER},
  };
  claim->payload_text = text;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (bytes_eq(text, words[i].text)) {
      claim->payload = words[i].payload;
      return true;
    }
  struct buf decoded;
  buf_init(&decoded, SHA256_BYTES);
  bool valid = hex_decode(&decoded, text, NULL) && decoded.len == SHA256_BYTES;
  if (valid) memcpy(claim->payload_sha256, decoded.at, SHA256_BYTES);
  buf_fini(&decoded);
  if (!valid) FAIL(ERR_MALFORMED, "x-amz-content-sha256 is neither a SHA-256 nor a known word");
  claim->payload = SIGV4_HASH;
  return true;
}

/* Credential=..., SignedHeaders=..., Signature=... in any order, each once. */
static bool fields_read(struct bytes text, struct bytes ret_fields[3], struct err *err) {
  static const struct bytes names[3] = {BYTES_INIT("Credential"), BYTES_INIT("SignedHeaders"),
                                        BYTES_INIT("Signature")};
  while (text.len) {
    struct bytes value, field = bytes_trim(bytes_cut(text, ',', &text));
    struct bytes name = bytes_cut(field, '=', &value);
    size_t i = 0;
    while (i < 3 && !bytes_eq(name, names[i])) i++;
    if (i == 3 || ret_fields[i].at || value.len == 0)
      FAIL(ERR_MALFORMED, "the Authorization header has an unknown, empty or repeated field");
    ret_fields[i] = value;
  }
  if (!ret_fields[0].at || !ret_fields[1].at || !ret_fields[2].at)
    FAIL(ERR_MALFORMED, "Authorization lacks Credential, SignedHeaders or Signature");
  return true;
}

static bool header_date_read(const struct http_head *head, struct sigv4 *claim, struct err *err) {
  struct bytes date = http_header_get(head, "x-amz-date");
  int64_t date_ms;
  char text[SIGV4_DATE_BYTES];
  if (date.at) return date_read(date, claim, err);
  date = http_header_get(head, "date");
  if (!date.at || !http_date_parse(date, &date_ms, NULL))
    FAIL(ERR_MALFORMED, "a signed request needs x-amz-date");
  sigv4_date_text(date_ms, text);
  return date_read(bytes_str(text), claim, err);
}

static bool header_form(const struct http_request *request, struct sigv4 *claim, struct err *err) {
  const struct http_head *head = &request->head;
  static const char *const singles[] = {"authorization", "x-amz-date", "x-amz-content-sha256"};
  for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
    if (http_header_count(head, singles[i]) > 1) FAIL(ERR_MALFORMED, "%s is twice", singles[i]);
  struct bytes text = http_header_get(head, "authorization"), fields[3] = {{0}};
  TRY(fields_read(bytes_trim(bytes_from(text, sizeof SIGV4_ALGORITHM - 1)), fields, err));
  TRY(header_date_read(head, claim, err));
  TRY(credential_read(fields[0], claim, err));
  claim->signed_headers = fields[1];
  claim->signature = fields[2];
  struct bytes payload = http_header_get(head, "x-amz-content-sha256");
  claim->payload = SIGV4_BODY;
  return !payload.at || payload_read(payload, claim, err);
}

/* One parameter of the query, decoded; there at most once. */
static bool parameter(struct arena *arena, struct bytes query, const char *wanted,
                      struct bytes *ret_value, struct err *err) {
  struct bytes name, value, found = BYTES_NONE;
  while (http_query_next(arena, &query, &name, &value)) {
    if (!bytes_eq_nocase(name, bytes_str(wanted))) continue;
    if (found.at) FAIL(ERR_MALFORMED, "the query has %s twice", wanted);
    found = value;
  }
  *ret_value = found;
  return true;
}

static bool query_form(struct arena *arena, const struct http_request *request, struct sigv4 *claim,
                       struct err *err) {
  static const char *const names[] = {"X-Amz-Algorithm", "X-Amz-Date",          "X-Amz-Credential",
                                      "X-Amz-Expires",   "X-Amz-SignedHeaders", "X-Amz-Signature"};
  struct bytes values[6], payload;
  uint64_t expires_s;
  for (size_t i = 0; i < 6; i++) TRY(parameter(arena, request->query, names[i], &values[i], err));
  if (!bytes_eq(values[0], BYTES(SIGV4_ALGORITHM)))
    FAIL(ERR_MALFORMED, "the signature's algorithm is not " SIGV4_ALGORITHM);
  TRY(date_read(values[1], claim, err));
  TRY(credential_read(values[2], claim, err));
  if (!bytes_u64(values[3], &expires_s) || expires_s < 1 || expires_s > SIGV4_EXPIRES_S_MAX)
    FAIL(ERR_MALFORMED, "X-Amz-Expires is not between 1 and %d", SIGV4_EXPIRES_S_MAX);
  claim->expires_s = (int64_t)expires_s;
  claim->signed_headers = values[4];
  claim->signature = values[5];
  TRY(parameter(arena, request->query, "X-Amz-Content-Sha256", &payload, err));
  if (payload.at) return payload_read(payload, claim, err);
  if (bytes_eq(claim->service, BYTES("s3")))
    return payload_read(BYTES("UNSIGNED-PAYLOAD"), claim, err);
  claim->payload = SIGV4_BODY;
  return true;
}

static bool in_header(const struct http_request *request) {
  struct bytes text = http_header_get(&request->head, "authorization");
  return bytes_starts(text, BYTES(SIGV4_ALGORITHM " "));
}

bool sigv4_present(const struct http_request *request) {
  struct bytes query = request->query;
  return in_header(request) || bytes_find_bytes(query, BYTES("X-Amz-Signature=")) < query.len;
}

bool sigv4_parse(struct arena *arena, const struct http_request *request, struct sigv4 *ret_claim,
                 struct err *err) {
  struct sigv4 claim = {.presigned = !in_header(request)};
  if (claim.presigned)
    TRY(query_form(arena, request, &claim, err));
  else
    TRY(header_form(request, &claim, err));
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the query does not fit its arena");
  TRY(signature_check(&claim, err));
  TRY(names_check(request, &claim, err));
  *ret_claim = claim;
  return true;
}

/* wire/sigv4.h: AWS Signature Version 4, verified and made, for headers and presigned queries.
 * Owns:    nothing; results live in the caller's arena or point into the request.
 * Units:   bytes; UTC milliseconds.
 * Errors:  MALFORMED (the credential's form), UNAUTHENTICATED (date, scope, signature), LIMIT.
 * Threads: pure; any thread. Comparison takes the same time wherever signatures differ.
 * Limits:  SIGV4_SKEW_MS, SIGV4_EXPIRES_S_MAX, SIGV4_CANONICAL_BYTES_MAX.
 * Source:  AWS General Reference, Signature Version 4 signing process; Amazon S3 API Reference,
 *          authenticating requests. A session token is signed like any header and else ignored. */
#ifndef MEDULLA_WIRE_SIGV4_H
#define MEDULLA_WIRE_SIGV4_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "wire/http.h"

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define SIGV4_SKEW_MS (15 * 60 * 1000)
#define SIGV4_EXPIRES_S_MAX 604800
#define SIGV4_CANONICAL_BYTES_MAX (160u << 10)
#define SIGV4_DATE_BYTES 17 /* with NUL: 20130524T000000Z */
#define SIGV4_HEX_BYTES 65  /* with NUL */

/* What the signature says about the body. */
enum sigv4_payload {
  SIGV4_BODY,             /* the body's SHA-256, which sigv4_verify needs */
  SIGV4_HASH,             /* the SHA-256 in payload_sha256: compare when the body has come */
  SIGV4_UNSIGNED,         /* nothing */
  SIGV4_STREAM,           /* aws-chunked, each chunk signed */
  SIGV4_STREAM_TRAILER,   /* the same, and signed trailers */
  SIGV4_UNSIGNED_TRAILER, /* aws-chunked, unsigned, with trailers */
};

/* What a request claims; nothing in it is proved before sigv4_verify. */
struct sigv4 {
  bool presigned;
  struct bytes access_key, region, service; /* "s3", "lambda", ... */
  struct bytes signed_headers, signature;   /* "host;x-amz-date"; 64 hex digits */
  char date[SIGV4_DATE_BYTES];
  int64_t date_ms;
  int64_t expires_s; /* presigned */
  enum sigv4_payload payload;
  struct bytes payload_text; /* the canonical request's last line; empty with SIGV4_BODY */
  uint8_t payload_sha256[SHA256_BYTES];
};

/* What is signed. */
struct sigv4_subject {
  struct bytes method, path, query; /* as on the wire */
  const struct http_header *headers;
  size_t header_count;
};
struct sigv4_subject sigv4_subject_of(const struct http_request *request);

/* Does the request carry a Version 4 signature at all? */
bool sigv4_present(const struct http_request *request);
bool sigv4_parse(struct arena *arena, const struct http_request *request, struct sigv4 *ret_claim,
                 struct err *err) MUST_CHECK;
/* Date, then signature. body_sha256 may be NULL unless the payload is SIGV4_BODY. ret_key (the
 * signing key of the scope) and the claim's signature start the chunks of wire/awschunked.h. */
bool sigv4_verify(const struct sigv4 *claim, const struct sigv4_subject *subject,
                  struct bytes secret, const uint8_t body_sha256[SHA256_BYTES], int64_t now_ms,
                  uint8_t ret_key[SHA256_BYTES], struct err *err) MUST_CHECK;

/* For clients. headers must hold host and x-amz-date, and are all signed. */
struct sigv4_signer {
  struct bytes access_key, secret, region, service;
  int64_t now_ms;
  struct bytes payload_text; /* hex SHA-256 of the body, UNSIGNED-PAYLOAD, STREAMING-... */
};
/* The value of the Authorization header. */
bool sigv4_sign(struct arena *arena, const struct sigv4_signer *signer,
                const struct sigv4_subject *subject, struct bytes *ret_authorization,
                struct err *err) MUST_CHECK;

/* Shared with wire/awschunked.c. */
void sigv4_date_text(int64_t utc_ms, char ret_text[SIGV4_DATE_BYTES]);
void sigv4_hex(const uint8_t digest[SHA256_BYTES], char ret_text[SIGV4_HEX_BYTES]);
void sigv4_key(struct bytes secret, struct bytes day, struct bytes region, struct bytes service,
               uint8_t ret_key[SHA256_BYTES]);

#endif

/* source/api/door_aws.c: the second key to the door: an AWS Signature Version 4.
 * Source: AWS General Reference, Signature Version 4; Amazon S3 API Reference, payload options.
 *
 * What a signature says about a buffered body is checked here. A streamed body is its handler's to
 * check while it comes (api_call.aws), so only routes that do are opened to such a request.      */
#include "base/must.h"
#include "source/api/parts.h"

#include <string.h>

static bool is_streamed(const struct api_call *call) {
  const struct http_head *head = &exchange_request(call->x)->head;
  bool empty =
      head->body == HTTP_BODY_NONE || (head->body == HTTP_BODY_LENGTH && head->content_length == 0);
  return call->route->body_bytes_max == HTTP_BODY_STREAMED && !empty;
}

/* Which bodies can be held to their signature. */
static bool payload_allowed(const struct api_call *call, const struct sigv4 *claim, bool streamed,
                            struct err *err) {
  switch (claim->payload) {
  case SIGV4_HASH:
  case SIGV4_UNSIGNED:
    if (streamed && !call->route->checks_body)
      FAIL(ERR_UNSUPPORTED, "a signed request cannot be streamed to this path; use a bearer token");
    return true;
  case SIGV4_BODY:
    if (streamed) FAIL(ERR_UNAUTHENTICATED, "x-amz-content-sha256 is missing");
    return true;
  case SIGV4_STREAM:
  case SIGV4_STREAM_TRAILER:
  case SIGV4_UNSIGNED_TRAILER:
    if (!call->route->checks_body)
      FAIL(ERR_UNSUPPORTED, "aws-chunked bodies are for objects alone");
    return true;
  }
  return false;
}

static bool body_matches(const struct sigv4 *claim, const uint8_t sha[SHA256_BYTES],
                         struct err *err) {
  if (claim->payload == SIGV4_HASH && memcmp(sha, claim->payload_sha256, SHA256_BYTES) != 0)
    FAIL(ERR_UNAUTHENTICATED, "the body is not the one that was signed");
  return true;
}

bool door_aws(struct api_call *call, const struct principal **ret_principal, struct err *err) {
  const struct http_request *request = exchange_request(call->x);
  const struct api_options *options = &call->api->options;
  struct sigv4_subject subject = sigv4_subject_of(request);
  struct api_aws *aws = ARENA_NEW(api_arena(call), struct api_aws);
  uint8_t sha[SHA256_BYTES];
  bool streamed = is_streamed(call);
  must(aws != NULL);
  TRY(sigv4_parse(api_arena(call), request, &aws->claim, err));
  TRY(payload_allowed(call, &aws->claim, streamed, err));
  const struct principal *principal =
      principal_by_aws_key(options->principals, aws->claim.access_key);
  if (!principal) FAIL(ERR_UNAUTHENTICATED, "the access key is unknown, revoked or expired");
  sha256(streamed ? BYTES_NONE : exchange_body(call->x), sha);
  TRY(sigv4_verify(&aws->claim, &subject, bytes_str(principal->aws_secret), sha,
                   clock_wall_ms(options->clock), aws->key, err));
  if (!streamed) TRY(body_matches(&aws->claim, sha, err));
  call->aws = aws;
  *ret_principal = principal;
  return true;
}

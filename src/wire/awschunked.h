/* wire/awschunked.h: the aws-chunked content coding: chunks signed one after the other, trailers.
 * Owns:    running digests, until awschunked_fini.
 * Units:   bytes.
 * Errors:  MALFORMED, UNAUTHENTICATED (a chunk's signature), INVALID (checksum), UNSUPPORTED,
 *          LIMIT.
 * Threads: one at a time.
 * Limits:  AWSCHUNKED_LINE_BYTES_MAX; the length the request declared.
 * Source:  Amazon S3 API Reference, signature calculations for chunked uploads and for trailers.
 *
 * A chunk's data come out before its signature can be checked: keep them aside until HTTP_DONE. */
#ifndef MEDULLA_WIRE_AWSCHUNKED_H
#define MEDULLA_WIRE_AWSCHUNKED_H

#include "wire/checksum.h"
#include "wire/sigv4.h"

#define AWSCHUNKED_LINE_BYTES_MAX 512
#define AWSCHUNKED_SCOPE_BYTES 256

struct awschunked {
  uint8_t state;
  enum sigv4_payload payload;
  uint8_t key[SHA256_BYTES];
  char date[SIGV4_DATE_BYTES];
  char scope[AWSCHUNKED_SCOPE_BYTES];
  char last_signature[SIGV4_HEX_BYTES]; /* the chain: the seed, then each chunk's */
  char chunk_signature[SIGV4_HEX_BYTES];
  struct digest chunk;
  uint64_t left, total, declared; /* of this chunk; so far; in all */
  size_t line_bytes;
  uint8_t line[AWSCHUNKED_LINE_BYTES_MAX];
  struct checksum checksum;
  char checksum_value[CHECKSUM_TEXT_BYTES]; /* as sent; empty: not yet */
  bool trailer_signed;                      /* its signature came */
};

/* From a verified claim with one of the three streaming payloads, its key, and the request's
 * x-amz-decoded-content-length and x-amz-trailer. */
bool awschunked_init(struct awschunked *chunked, const struct sigv4 *claim,
                     const uint8_t key[SHA256_BYTES], const struct http_head *head,
                     struct err *err) MUST_CHECK;
/* Takes some of the input (never nothing, when there is any) and gives the data found in it. */
enum http_step awschunked_next(struct awschunked *chunked, struct bytes input, size_t *ret_consumed,
                               struct bytes *ret_data, struct err *err) MUST_CHECK;
void awschunked_fini(struct awschunked *chunked);

#endif

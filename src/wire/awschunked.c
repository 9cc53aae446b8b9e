/* wire/awschunked.c: size lines, data, trailers; each chunk's signature covers the one before.
 *
 *   SIZE ─► DATA ─► DATA_CR ─► DATA_LF ─► SIZE ... size 0 ─► TRAILER ─► ... empty line ─► END
 *
 *   line of a chunk:  10000;chunk-signature=<64 hex> CR LF   (unsigned: 10000 CR LF)
 *   string to sign:   AWS4-HMAC-SHA256-PAYLOAD, date, scope, signature before, SHA-256 of nothing,
 *                     SHA-256 of the chunk
 *   of the trailer:   AWS4-HMAC-SHA256-TRAILER, date, scope, signature before, SHA-256 of
 *                     "name:value" LF                                                          */
#include "wire/awschunked.h"

#include "wire/codec.h"

#include <stdio.h>
#include <string.h>

enum state { SIZE, DATA, DATA_CR, DATA_LF, TRAILER, END };

enum { SIZE_DIGITS_MAX = 15 };

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static bool is_signed(const struct awschunked *chunked) {
  return chunked->payload == SIGV4_STREAM || chunked->payload == SIGV4_STREAM_TRAILER;
}

static bool has_trailer(const struct awschunked *chunked) {
  return chunked->payload != SIGV4_STREAM;
}

static bool trailer_declare(struct awschunked *chunked, const struct http_head *head,
                            struct err *err) {
  struct bytes name = http_header_get(head, "x-amz-trailer");
  enum checksum_kind kind = checksum_of_header(name);
  if (has_trailer(chunked) && kind == CHECKSUM_NONE)
    FAIL(ERR_UNSUPPORTED, "x-amz-trailer is not one of crc32, crc32c, crc64nvme, sha256");
  checksum_init(&chunked->checksum, has_trailer(chunked) ? kind : CHECKSUM_NONE);
  return true;
}

bool awschunked_init(struct awschunked *chunked, const struct sigv4 *claim,
                     const uint8_t key[SHA256_BYTES], const struct http_head *head,
                     struct err *err) {
  *chunked = (struct awschunked){.payload = claim->payload};
  if (claim->payload < SIGV4_STREAM) FAIL(ERR_INVALID, "the payload is not aws-chunked");
  if (!bytes_u64(http_header_get(head, "x-amz-decoded-content-length"), &chunked->declared))
    FAIL(ERR_MALFORMED, "x-amz-decoded-content-length is missing or not a number");
  int len = snprintf(chunked->scope, sizeof chunked->scope, "%.8s/%.*s/%.*s/aws4_request",
                     claim->date, BYTES_FMT(claim->region), BYTES_FMT(claim->service));
  if (len < 0 || (size_t)len >= sizeof chunked->scope)
    FAIL(ERR_LIMIT, "the credential's scope is too long");
  memcpy(chunked->key, key, sizeof chunked->key);
  memcpy(chunked->date, claim->date, sizeof chunked->date);
  bytes_text(claim->signature, chunked->last_signature, sizeof chunked->last_signature);
  return trailer_declare(chunked, head, err);
}

void awschunked_fini(struct awschunked *chunked) {
  digest_fini(&chunked->chunk);
  checksum_fini(&chunked->checksum);
  bytes_wipe(chunked->key, sizeof chunked->key);
}

/* Checks one link of the chain and moves on to it. `what`: PAYLOAD or TRAILER. */
static bool link_check(struct awschunked *chunked, const char *what, const char *extra,
                       const uint8_t digest[SHA256_BYTES], struct err *err) {
  struct buf text;
  char hex[SIGV4_HEX_BYTES];
  uint8_t mac[SHA256_BYTES];
  sigv4_hex(digest, hex);
  buf_init(&text, 1024);
  buf_printf(&text, SIGV4_ALGORITHM "-%s\n%s\n%s\n%s\n%s%s", what, chunked->date, chunked->scope,
             chunked->last_signature, extra, hex);
  hmac_sha256(bytes_of(chunked->key, sizeof chunked->key), buf_bytes(&text), mac);
  buf_fini(&text);
  sigv4_hex(mac, hex);
  if (!bytes_eq_secret(bytes_str(hex), bytes_str(chunked->chunk_signature)))
    FAIL(ERR_UNAUTHENTICATED, "a chunk's signature does not match");
  memcpy(chunked->last_signature, hex, sizeof hex);
  return true;
}

static bool chunk_check(struct awschunked *chunked, struct err *err) {
  uint8_t digest[SHA256_BYTES];
  if (!is_signed(chunked)) return true;
  digest_final(&chunked->chunk, digest);
  return link_check(chunked, "PAYLOAD", EMPTY_SHA256 "\n", digest, err);
}

static bool signature_read(struct awschunked *chunked, struct bytes text, struct err *err) {
  if (text.len != SIGV4_HEX_BYTES - 1)
    FAIL(ERR_MALFORMED, "a chunk's signature is not 64 hexadecimal digits");
  bytes_text(text, chunked->chunk_signature, sizeof chunked->chunk_signature);
  return true;
}

static bool size_line(struct awschunked *chunked, struct bytes line, struct err *err) {
  struct bytes extension, size = bytes_cut(line, ';', &extension);
  uint64_t left = 0;
  for (size_t i = 0; i < size.len; i++) {
    int digit = hex_digit(size.at[i]);
    if (digit < 0 || size.len > SIZE_DIGITS_MAX) FAIL(ERR_MALFORMED, "a chunk size is malformed");
    left = left << 4 | (uint64_t)digit;
  }
  bool named = bytes_starts(extension, BYTES("chunk-signature="));
  if (size.len == 0 || (is_signed(chunked) ? !named : size.len < line.len))
    FAIL(ERR_MALFORMED, "a chunk line is malformed");
  if (is_signed(chunked)) {
    TRY(signature_read(chunked, bytes_from(extension, sizeof "chunk-signature=" - 1), err));
    digest_init(&chunked->chunk, DIGEST_SHA256);
  }
  if (left > chunked->declared - chunked->total)
    FAIL(ERR_INVALID, "more data than x-amz-decoded-content-length");
  chunked->left = left;
  chunked->state = left ? DATA : TRAILER;
  return left ? true : chunk_check(chunked, err);
}

static bool trailer_line(struct awschunked *chunked, struct bytes line, struct err *err) {
  struct bytes value, name = bytes_cut(line, ':', &value);
  value = bytes_trim(value);
  if (chunked->payload == SIGV4_STREAM_TRAILER && !chunked->trailer_signed &&
      bytes_eq_nocase(name, BYTES("x-amz-trailer-signature"))) {
    chunked->trailer_signed = true;
    return signature_read(chunked, value, err);
  }
  bool expected = has_trailer(chunked) && chunked->checksum_value[0] == 0 && value.len > 0 &&
                  value.len < sizeof chunked->checksum_value &&
                  checksum_of_header(name) == chunked->checksum.kind;
  if (!expected) FAIL(ERR_MALFORMED, "a trailer is unknown, empty or repeated");
  bytes_text(value, chunked->checksum_value, sizeof chunked->checksum_value);
  return true;
}

static bool trailer_check(struct awschunked *chunked, struct err *err) {
  char computed[CHECKSUM_TEXT_BYTES], text[128];
  uint8_t digest[SHA256_BYTES];
  struct bytes header = checksum_header(chunked->checksum.kind);
  if (chunked->checksum_value[0] == 0) FAIL(ERR_MALFORMED, "the declared trailer is missing");
  if (chunked->payload == SIGV4_STREAM_TRAILER) {
    if (!chunked->trailer_signed) FAIL(ERR_UNAUTHENTICATED, "the trailer is not signed");
    snprintf(text, sizeof text, "%.*s:%s\n", BYTES_FMT(header), chunked->checksum_value);
    sha256(bytes_str(text), digest);
    TRY(link_check(chunked, "TRAILER", "", digest, err));
  }
  checksum_text(&chunked->checksum, computed);
  if (strcmp(computed, chunked->checksum_value) != 0)
    FAIL(ERR_INVALID, "%.*s does not match the data", BYTES_FMT(header));
  return true;
}

static bool end_check(struct awschunked *chunked, struct err *err) {
  if (chunked->total != chunked->declared)
    FAIL(ERR_INVALID, "less data than x-amz-decoded-content-length");
  if (has_trailer(chunked)) TRY(trailer_check(chunked, err));
  chunked->state = END;
  return true;
}

static bool line_ended(struct awschunked *chunked, struct err *err) {
  if (chunked->line_bytes == 0 || chunked->line[chunked->line_bytes - 1] != '\r')
    FAIL(ERR_MALFORMED, "a line in an aws-chunked body does not end with CRLF");
  struct bytes line = bytes_of(chunked->line, chunked->line_bytes - 1);
  chunked->line_bytes = 0;
  if (chunked->state == SIZE) return size_line(chunked, line, err);
  return line.len ? trailer_line(chunked, line, err) : end_check(chunked, err);
}

static bool step_byte(struct awschunked *chunked, uint8_t c, struct err *err) {
  if (chunked->state == DATA_CR || chunked->state == DATA_LF) {
    if (c != (chunked->state == DATA_CR ? '\r' : '\n'))
      FAIL(ERR_MALFORMED, "a chunk's data are longer than its size");
    chunked->state = chunked->state == DATA_CR ? DATA_LF : SIZE;
    return true;
  }
  if (c == '\n') return line_ended(chunked, err);
  if (chunked->line_bytes == sizeof chunked->line)
    FAIL(ERR_LIMIT, "a line is longer than AWSCHUNKED_LINE_BYTES_MAX");
  chunked->line[chunked->line_bytes++] = c;
  return true;
}

enum http_step awschunked_next(struct awschunked *chunked, struct bytes input, size_t *ret_consumed,
                               struct bytes *ret_data, struct err *err) {
  size_t at = 0;
  *ret_data = BYTES_NONE;
  while (chunked->state != DATA && chunked->state != END && at < input.len)
    if (!step_byte(chunked, input.at[at++], err)) return HTTP_BAD;
  if (chunked->state == DATA && at < input.len) {
    size_t rest = input.len - at;
    size_t len = chunked->left < rest ? (size_t)chunked->left : rest;
    *ret_data = bytes_sub(input, at, len);
    if (is_signed(chunked)) digest_add(&chunked->chunk, *ret_data);
    checksum_add(&chunked->checksum, *ret_data);
    chunked->left -= len;
    chunked->total += len;
    at += len;
    if (chunked->left == 0) {
      if (!chunk_check(chunked, err)) return HTTP_BAD;
      chunked->state = DATA_CR;
    }
  }
  *ret_consumed = at;
  return chunked->state == END ? HTTP_DONE : HTTP_MORE;
}

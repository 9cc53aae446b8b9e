/* os/tls_certificate.h: certificates for development: an own authority, and what it issues.
 * Owns:    nothing; what is made is the caller's, in PEM, keys in wiped buffers.
 * Units:   UTC milliseconds.
 * Errors:  INVALID; no memory is a broken promise (must).
 * Threads: pure; any.
 * Limits:  TLS_PEM_BYTES_MAX.
 * Source:  RFC 5280.                                                                            */
#ifndef MEDULLA_OS_TLS_CERTIFICATE_H
#define MEDULLA_OS_TLS_CERTIFICATE_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

#define TLS_PEM_BYTES_MAX (64 << 10)

struct tls_subject {
  const char *name;         /* Required: the common name. */
  const char *hosts;        /* Server: "DNS:localhost,IP:127.0.0.1"; NULL: a client's. */
  int64_t begin_ms, end_ms; /* Required: valid from, to. */
};

/* A key on P-256 and its certificate, into buffers that are initialised. */
bool tls_authority_make(const struct tls_subject *subject, struct buf *cert, struct buf *key,
                        struct err *err) MUST_CHECK;
bool tls_certificate_issue(struct bytes ca_cert, struct bytes ca_key,
                           const struct tls_subject *subject, struct buf *cert, struct buf *key,
                           struct err *err) MUST_CHECK;
/* Of the first certificate in a PEM text. */
bool tls_certificate_digest(struct bytes pem, uint8_t ret_sha[SHA256_BYTES],
                            struct err *err) MUST_CHECK;

#endif

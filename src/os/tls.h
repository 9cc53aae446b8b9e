/* os/tls.h: TLS 1.2 and 1.3 as a stream over a stream, and the certificates it speaks with.
 * Owns:    a server or client its context; a TLS stream the stream below it.
 * Units:   milliseconds, bytes.
 * Errors:  opening: NOT_FOUND, DENIED, INVALID, IO, naming the file.
 * Threads: the loop's.
 * Limits:  TLS_HANDSHAKE_MS_MAX, TLS_REFUSAL_MS_MAX; a record carries 16 KiB.
 * Source:  RFC 8446, RFC 5246, RFC 7301 (ALPN), RFC 9325 (recommendations for its use).
 *
 * Only ciphers with forward secrecy and authenticated encryption; no compression, renegotiation or
 * early data. The handshake goes on by itself; until it is over, reading and writing come to
 * STREAM_AGAIN. After STREAM_AGAIN a write must begin with the same bytes again: their record has
 * been made.                                                                                    */
#ifndef MEDULLA_OS_TLS_H
#define MEDULLA_OS_TLS_H

#include "base/digest.h"
#include "os/net.h"

#define TLS_HANDSHAKE_MS_MAX 10000 /* from the connection to its first byte of data */
#define TLS_REFUSAL_MS_MAX 1000    /* for the other side to read why it was refused */
#define TLS_LOOK_MS 5000           /* how often the files are looked at for a change */
#define TLS_TICKET_MS 3600000      /* a session ticket's key lives this long */

struct tls_files {
  const char *cert; /* Server: required. PEM: the certificate and those between it and its CA */
  const char *key;  /* Required with cert. PEM; not readable by everybody */
  const char *client_ca; /* Optional: ask for client certificates, which must come from this CA */
};

struct tls_server;
/* The files are read again when they change; connections keep what they began with. */
bool tls_server_open(struct loop *loop, const struct tls_files *files,
                     struct tls_server **ret_server, struct err *err) MUST_CHECK;
/* Reads the files now. When that fails all stays as it was. */
bool tls_server_reload(struct tls_server *server, struct err *err) MUST_CHECK;
void tls_server_close(struct tls_server **server);
/* The server's side over a connected stream. Plain HTTP is answered in plain HTTP, with a hint. */
struct stream *tls_stream_accept(struct tls_server *server, struct stream **inner_take);

struct tls_client;
/* ca NULL: the system's authorities. files->cert and key are optional here. */
bool tls_client_open(const char *ca, const struct tls_files *files, struct tls_client **ret_client,
                     struct err *err) MUST_CHECK;
void tls_client_close(struct tls_client **client);
/* The client's side: the server's certificate must be valid for `name`, a host or an address. */
struct stream *tls_stream_connect(struct loop *loop, struct tls_client *client, const char *name,
                                  struct stream **inner_take);

/* The SHA-256 of the other side's certificate, which was verified; false: there is none. */
bool tls_stream_certificate(const struct stream *stream, uint8_t ret_sha[SHA256_BYTES]);
/* Why the handshake failed, or NULL. Any stream may be asked. */
const char *tls_stream_failure(const struct stream *stream);

#endif

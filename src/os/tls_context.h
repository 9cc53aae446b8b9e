/* os/tls_context.h: what the files of TLS share; nobody else includes it.
 * Owns:    as in tls.h.
 * Units:   none.
 * Errors:  see tls.h.
 * Threads: the loop's.
 * Limits:  none of its own.                                                                     */
#ifndef MEDULLA_OS_TLS_CONTEXT_H
#define MEDULLA_OS_TLS_CONTEXT_H

#include "os/tls.h"

#include <openssl/ssl.h>

/* The context for a connection that begins now. */
SSL_CTX *tls_server_context(struct tls_server *server, struct loop **ret_loop);
SSL_CTX *tls_client_context(struct tls_client *client);
/* What OpenSSL said last, as a static text. */
const char *tls_reason(void);

#endif

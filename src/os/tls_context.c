/* os/tls_context.c: certificates and keys from files, the strength of what is agreed, tickets. */
#include "os/tls_context.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "os/log.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 3, TICKET_KEY_BYTES = 80 };

/* RFC 9325 §4.2: forward secrecy and authenticated encryption, for TLS 1.2; 1.3 has no others. */
#define CIPHERS \
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

struct stamp {
  dev_t device;
  ino_t inode;
  off_t bytes;
  struct timespec changed;
};

struct tls_server {
  struct loop *loop;
  SSL_CTX *context;
  struct loop_timer timer;
  int64_t tickets_until_ns;
  char *paths[FILES_MAX]; /* certificate, key, client authority or NULL */
  struct stamp stamps[FILES_MAX];
};

struct tls_client {
  SSL_CTX *context;
};

const char *tls_reason(void) {
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason ? reason : "the connection broke off";
}

/* Nobody is there to be asked for a passphrase. */
static int no_passphrase(char *text, int room, int writing, void *arg) {
  return -1;
}

static SSL_CTX *context_new(const SSL_METHOD *method) {
  SSL_CTX *context = SSL_CTX_new(method);
  must(context != NULL);
  must(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
       SSL_CTX_set_cipher_list(context, CIPHERS) && SSL_CTX_set1_groups_list(context, GROUPS));
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  return context;
}

static bool look(const char *path, struct stamp *ret_stamp, mode_t *ret_mode, struct err *err) {
  struct stat facts;
  if (stat(path, &facts) != 0) {
    err_set_errno(err, errno, ERR_PLACE, path);
    return false;
  }
  if (ret_mode) *ret_mode = facts.st_mode;
  *ret_stamp = (struct stamp){facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim};
  return true;
}

static bool load_pair(SSL_CTX *context, const char *cert, const char *key, struct err *err) {
  struct stamp stamp;
  mode_t mode = 0;
  TRY(look(cert, &stamp, NULL, err));
  TRY(look(key, &stamp, &mode, err));
  if (mode & S_IROTH) FAIL(ERR_DENIED, "%s: everybody here can read this key; chmod 600 it", key);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, cert) != 1)
    FAIL(ERR_INVALID, "%s: no certificate can be read from it (%s)", cert, tls_reason());
  if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
    FAIL(ERR_INVALID, "%s: no key for %s can be read from it (%s)", key, cert, tls_reason());
  if (SSL_CTX_check_private_key(context) != 1)
    FAIL(ERR_INVALID, "%s is not the key of %s", key, cert);
  return true;
}

static bool load_authority(SSL_CTX *context, const char *path, struct err *err) {
  struct stamp stamp;
  TRY(look(path, &stamp, NULL, err));
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context, path) != 1)
    FAIL(ERR_INVALID, "%s: no authority's certificate can be read from it (%s)", path,
         tls_reason());
  return true;
}

/* ---- The server ---- */

/* RFC 7301: who offers protocols and none of ours is refused, so that no other service's bytes are
 * taken for HTTP. Who offers none gets HTTP/1.1. */
static int choose_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_bytes,
                           const unsigned char *offered, unsigned int offered_bytes, void *arg) {
  static const unsigned char ours[] = "\x08http/1.1";
  unsigned char *name;
  int found =
      SSL_select_next_proto(&name, ret_bytes, ours, sizeof ours - 1, offered, offered_bytes);
  *ret_name = name;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Each handshake checks the client's certificate anew: there is nothing to resume. */
static bool ask_for_certificates(SSL_CTX *context, const char *authority, struct err *err) {
  TRY(load_authority(context, authority, err));
  STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(authority);
  if (!names) FAIL(ERR_INVALID, "%s: %s", authority, tls_reason());
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  return true;
}

static bool context_load(const struct tls_server *server, SSL_CTX *context, struct err *err) {
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, TLS_TICKET_MS / 1000);
  must(SSL_CTX_set_num_tickets(context, 1));
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
  TRY(load_pair(context, server->paths[0], server->paths[1], err));
  return !server->paths[2] || ask_for_certificates(context, server->paths[2], err);
}

static void remember(struct tls_server *server) {
  struct err err;
  for (int i = 0; i < FILES_MAX; i++)
    if (server->paths[i] && !look(server->paths[i], &server->stamps[i], NULL, &err))
      memset(&server->stamps[i], 0, sizeof server->stamps[i]);
}

static bool has_changed(const struct tls_server *server) {
  struct stamp now;
  struct err err;
  for (int i = 0; i < FILES_MAX; i++) {
    const struct stamp *then = &server->stamps[i];
    if (!server->paths[i] || !look(server->paths[i], &now, NULL, &err)) continue;
    if (now.device != then->device || now.inode != then->inode || now.bytes != then->bytes ||
        now.changed.tv_sec != then->changed.tv_sec || now.changed.tv_nsec != then->changed.tv_nsec)
      return true;
  }
  return false;
}

bool tls_server_reload(struct tls_server *server, struct err *err) {
  SSL_CTX *context = context_new(TLS_server_method());
  remember(server);
  bool ok = context_load(server, context, err);
  ERR_clear_error();
  if (!ok) {
    SSL_CTX_free(context);
    return false;
  }
  SSL_CTX_free(server->context); /* connections hold it as long as they need it */
  server->context = context;
  return true;
}

/* A ticket opens what was said under it as long as its key exists: so the keys do not live long. */
static void renew_tickets(struct tls_server *server, int64_t now_ns) {
  uint8_t keys[TICKET_KEY_BYTES];
  random_fill(random_real(), keys, sizeof keys);
  must(SSL_CTX_set_tlsext_ticket_keys(server->context, keys, sizeof keys));
  bytes_wipe(keys, sizeof keys);
  server->tickets_until_ns = now_ns + TLS_TICKET_MS * INT64_C(1000000);
}

static void timer_fired(struct loop_timer *timer) {
  struct tls_server *server = LIST_OF(timer, struct tls_server, timer);
  int64_t now_ns = clock_mono_ns(loop_clock(server->loop));
  struct err err;
  if (has_changed(server)) {
    if (tls_server_reload(server, &err))
      LOG(TLS_RELOADED, NULL);
    else
      LOG(TLS_KEPT, NULL, log_err(&err));
  }
  if (now_ns >= server->tickets_until_ns) renew_tickets(server, now_ns);
  loop_timer_after(server->loop, timer, TLS_LOOK_MS);
}

bool tls_server_open(struct loop *loop, const struct tls_files *files,
                     struct tls_server **ret_server, struct err *err) {
  must(files->cert && files->key);
  const char *paths[FILES_MAX] = {files->cert, files->key, files->client_ca};
  struct tls_server *server = must_alloc(sizeof *server);
  server->loop = loop;
  server->timer.fire = timer_fired;
  for (int i = 0; i < FILES_MAX; i++)
    if (paths[i]) server->paths[i] = bytes_dup(bytes_str(paths[i]));
  if (!tls_server_reload(server, err)) {
    tls_server_close(&server);
    return false;
  }
  renew_tickets(server, clock_mono_ns(loop_clock(loop)));
  loop_timer_after(loop, &server->timer, TLS_LOOK_MS);
  *ret_server = server;
  return true;
}

void tls_server_close(struct tls_server **at) {
  struct tls_server *server = *at;
  *at = NULL;
  if (!server) return;
  loop_timer_drop(server->loop, &server->timer);
  SSL_CTX_free(server->context);
  for (int i = 0; i < FILES_MAX; i++) free(server->paths[i]);
  free(server);
}

SSL_CTX *tls_server_context(struct tls_server *server, struct loop **ret_loop) {
  *ret_loop = server->loop;
  return server->context;
}

/* ---- The client ---- */

static bool client_load(SSL_CTX *context, const char *ca, const struct tls_files *files,
                        struct err *err) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (ca)
    TRY(load_authority(context, ca, err));
  else if (SSL_CTX_set_default_verify_paths(context) != 1)
    FAIL(ERR_IO, "the system's authorities cannot be read");
  return !files || !files->cert || load_pair(context, files->cert, files->key, err);
}

bool tls_client_open(const char *ca, const struct tls_files *files, struct tls_client **ret_client,
                     struct err *err) {
  struct tls_client *client = must_alloc(sizeof *client);
  client->context = context_new(TLS_client_method());
  bool ok = client_load(client->context, ca, files, err);
  ERR_clear_error();
  if (!ok) {
    tls_client_close(&client);
    return false;
  }
  *ret_client = client;
  return true;
}

void tls_client_close(struct tls_client **at) {
  struct tls_client *client = *at;
  *at = NULL;
  if (!client) return;
  SSL_CTX_free(client->context);
  free(client);
}

SSL_CTX *tls_client_context(struct tls_client *client) {
  return client->context;
}

/* os/tls.c: a stream over a stream, with OpenSSL between them.
 *
 *   SHAKING --> OPEN         read and write go through
 *      '-----> REFUSING --> OVER   the alert is out; what still comes is dropped, for closing with
 *                                  bytes unread would take the alert back
 *
 * OpenSSL reads and writes the stream below through a BIO of ours, so nothing is kept twice and
 * bytes that were written have gone. It may want to write in order to read and the other way round:
 * the interest below is computed from both. What it has read ahead is offered by a timer, because
 * the stream below will not say so again; one that did not fill the room ends that. */
#include "os/tls.h"

#include "base/must.h"
#include "os/log.h"
#include "os/tls_context.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES_MAX = 16 << 10, DROP_BYTES = 4096, FAILURE_BYTES = 160 };

enum stage { SHAKING, OPEN, REFUSING, OVER };

struct tls_stream {
  struct stream port; /* first member */
  struct stream *inner;
  struct loop *loop;
  SSL *ssl;
  struct loop_timer timer;  /* the handshake's limit, the refusal's, or more to read */
  unsigned interest, asked; /* of the owner; of us, below */
  enum stage stage;
  bool server;
  bool begun;       /* a client speaks first, when the stream stands */
  bool more;        /* there may be something to read without an event */
  bool read_writes; /* reading waits for room to write */
  bool write_reads; /* writing waits for something to read */
  bool finishing;   /* the end is not out yet */
  bool finished, broken;
  bool ended;   /* below nothing more comes */
  bool greeted; /* `first` is set */
  uint8_t first;
  bool certified;
  uint8_t certificate[SHA256_BYTES];
  char failure[FAILURE_BYTES];
};

static struct tls_stream *tls_of(struct stream *stream) {
  return (struct tls_stream *)(void *)stream;
}

/* ---- The BIO ---- */

static int bio_read(BIO *bio, char *at, int room) {
  struct tls_stream *t = BIO_get_data(bio);
  size_t len = 0;
  BIO_clear_retry_flags(bio);
  if (room <= 0) return 0;
  switch (stream_read(t->inner, at, (size_t)room, &len)) {
  case STREAM_OK: break;
  case STREAM_AGAIN: BIO_set_retry_read(bio); return -1;
  case STREAM_END: t->ended = true; return 0;
  case STREAM_BROKEN: return -1;
  }
  if (!t->greeted) t->first = (uint8_t)at[0];
  t->greeted = true;
  return (int)len;
}

static int bio_write(BIO *bio, const char *at, int len) {
  struct tls_stream *t = BIO_get_data(bio);
  struct bytes part = bytes_of(at, (size_t)len);
  size_t put = 0;
  BIO_clear_retry_flags(bio);
  switch (stream_write(t->inner, &part, 1, &put)) {
  case STREAM_OK: return (int)put;
  case STREAM_AGAIN: BIO_set_retry_write(bio); return -1;
  case STREAM_END:
  case STREAM_BROKEN: break;
  }
  return -1;
}

static long bio_ctrl(BIO *bio, int what, long number, void *pointer) {
  const struct tls_stream *t = BIO_get_data(bio);
  if (what == BIO_CTRL_FLUSH) return 1;
  return what == BIO_CTRL_EOF && t->ended;
}

static BIO_METHOD *bio_method;

static void bio_method_make(void) {
  bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
  must(bio_method && BIO_meth_set_read(bio_method, bio_read) &&
       BIO_meth_set_write(bio_method, bio_write) && BIO_meth_set_ctrl(bio_method, bio_ctrl));
}

/* ---- Interest ---- */

static unsigned wanted_below(const struct tls_stream *t) {
  unsigned wanted = 0;
  switch (t->stage) {
  case SHAKING: return SSL_want_write(t->ssl) || !t->begun ? LOOP_READ | LOOP_WRITE : LOOP_READ;
  case REFUSING: return LOOP_READ;
  case OVER: return 0;
  case OPEN: break;
  }
  if (t->interest & LOOP_READ) wanted |= t->read_writes ? LOOP_WRITE : LOOP_READ;
  if (t->interest & LOOP_WRITE) wanted |= t->write_reads ? LOOP_READ : LOOP_WRITE;
  return t->finishing ? wanted | LOOP_WRITE : wanted;
}

static void update(struct tls_stream *t) {
  unsigned wanted = wanted_below(t);
  if (wanted != t->asked) stream_want(t->inner, wanted);
  t->asked = wanted;
  if (t->stage == OPEN && t->more && (t->interest & LOOP_READ) && !t->timer.node.at)
    loop_timer_after(t->loop, &t->timer, 0);
}

/* ---- The end ---- */

/* Told last: the owner may close us in the call. */
static void over(struct tls_stream *t) {
  t->stage = OVER;
  loop_timer_drop(t->loop, &t->timer);
  update(t);
  t->port.ready(&t->port, t->interest & LOOP_READ ? LOOP_READ : LOOP_HANGUP);
}

static void note_failure(struct tls_stream *t) {
  long verified = SSL_get_verify_result(t->ssl);
  const char *reason = tls_reason();
  if (t->failure[0]) return;
  if (verified != X509_V_OK) reason = X509_verify_cert_error_string(verified);
  snprintf(t->failure, sizeof t->failure, "%s", reason);
}

/* A method's first letter stands where a handshake record has 22. */
static bool is_plain_http(const struct tls_stream *t) {
  return t->server && t->greeted && t->first >= 'A' && t->first <= 'Z';
}

static void answer_plain(struct tls_stream *t) {
#define HINT "{\"error\":{\"code\":\"invalid\",\"message\":\"this port speaks TLS: use https://\"}}"
  char text[sizeof HINT + 160];
  int len = snprintf(text, sizeof text,
                     "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     sizeof HINT - 1, HINT);
#undef HINT
  struct bytes answer = bytes_of(text, (size_t)len);
  size_t put;
  (void)stream_write(t->inner, &answer, 1, &put); /* a fresh connection has room for it */
}

static void log_failure(const struct tls_stream *t, enum err_code code) {
  struct err err;
  if (!t->server) return;
  err_set(&err, code, ERR_PLACE, ERR_OFFSET_NONE, "%s", t->failure);
  LOG(TLS_REFUSED, NULL, log_err(&err));
}

static void refuse(struct tls_stream *t) {
  note_failure(t);
  if (is_plain_http(t)) {
    snprintf(t->failure, sizeof t->failure, "plain http");
    answer_plain(t);
  }
  log_failure(t, ERR_UNAUTHENTICATED);
  if (t->ended) {
    over(t);
    return;
  }
  t->stage = REFUSING;
  stream_finish(t->inner);
  loop_timer_after(t->loop, &t->timer, TLS_REFUSAL_MS_MAX);
  update(t);
}

static void drop_input(struct tls_stream *t) {
  uint8_t dropped[DROP_BYTES];
  size_t len;
  enum stream_result result = stream_read(t->inner, dropped, sizeof dropped, &len);
  bytes_wipe(dropped, sizeof dropped);
  if (result == STREAM_END || result == STREAM_BROKEN) over(t);
}

/* ---- The handshake ---- */

static void note_certificate(struct tls_stream *t) {
  X509 *peer = SSL_get0_peer_certificate(t->ssl);
  t->certified = peer && SSL_get_verify_result(t->ssl) == X509_V_OK &&
                 X509_digest(peer, EVP_sha256(), t->certificate, NULL) == 1;
}

static void shake(struct tls_stream *t) {
  ERR_clear_error();
  t->begun = true;
  int done = SSL_do_handshake(t->ssl);
  int why = SSL_get_error(t->ssl, done);
  if (done == 1) {
    t->stage = OPEN;
    t->more = true; /* the first data often come with the end of the handshake */
    note_certificate(t);
    loop_timer_drop(t->loop, &t->timer);
    update(t);
  } else if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    update(t);
  } else {
    refuse(t);
  }
}

static void timer_fired(struct loop_timer *timer) {
  struct tls_stream *t = LIST_OF(timer, struct tls_stream, timer);
  if (t->stage == SHAKING) {
    snprintf(t->failure, sizeof t->failure, "the handshake took too long");
    log_failure(t, ERR_TIMEOUT);
    over(t);
  } else if (t->stage == REFUSING) {
    over(t);
  } else if (t->stage == OPEN && t->more && (t->interest & LOOP_READ)) {
    t->port.ready(&t->port, LOOP_READ);
  }
}

/* ---- The port ---- */

static bool is_again(int why) {
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

/* What a call that moved nothing comes to. */
static enum stream_result result_of(struct tls_stream *t, int why) {
  if (is_again(why)) return STREAM_AGAIN;
  if (why == SSL_ERROR_ZERO_RETURN) return STREAM_END;
  /* An end without the other side's closing alert may have been made by somebody between. */
  note_failure(t);
  t->broken = true;
  return STREAM_BROKEN;
}

static enum stream_result tls_read(struct stream *stream, void *at, size_t room, size_t *ret_len) {
  struct tls_stream *t = tls_of(stream);
  size_t got = 0, len = 0;
  int why = SSL_ERROR_NONE;
  if (t->stage == OVER) return STREAM_END;
  if (t->stage != OPEN) return STREAM_AGAIN;
  while (got < room && why == SSL_ERROR_NONE) {
    ERR_clear_error();
    int read = SSL_read_ex(t->ssl, (uint8_t *)at + got, room - got, &len);
    if (read == 1)
      got += len;
    else
      why = SSL_get_error(t->ssl, read);
  }
  t->more = got > 0 && !is_again(why);
  t->read_writes = why == SSL_ERROR_WANT_WRITE;
  update(t);
  if (got == 0) return result_of(t, why);
  *ret_len = got;
  return STREAM_OK;
}

/* The next record's plain text from `skip` on: where it lies, or gathered from several parts. */
static struct bytes next_record(const struct bytes *parts, size_t count, size_t skip,
                                uint8_t gather[RECORD_BYTES_MAX]) {
  size_t gathered = 0;
  for (size_t i = 0; i < count && gathered < RECORD_BYTES_MAX; i++) {
    struct bytes part = bytes_from(parts[i], skip);
    skip -= skip < parts[i].len ? skip : parts[i].len;
    part = bytes_sub(part, 0, RECORD_BYTES_MAX - gathered);
    if (gathered == 0 && (part.len == RECORD_BYTES_MAX || i + 1 == count)) return part;
    if (part.len) memcpy(gather + gathered, part.at, part.len);
    gathered += part.len;
  }
  return bytes_of(gather, gathered);
}

static enum stream_result tls_write(struct stream *stream, const struct bytes *parts, size_t count,
                                    size_t *ret_len) {
  struct tls_stream *t = tls_of(stream);
  uint8_t gather[RECORD_BYTES_MAX];
  size_t total = 0, put = 0, gathered_max = 0;
  int why = SSL_ERROR_NONE;
  if (t->stage == OVER || t->finishing || t->finished || t->broken) return STREAM_BROKEN;
  if (t->stage != OPEN) return STREAM_AGAIN;
  for (size_t i = 0; i < count; i++) total += parts[i].len;
  while (put < total && why == SSL_ERROR_NONE) {
    struct bytes record = next_record(parts, count, put, gather);
    size_t len = 0;
    if (record.at == gather && record.len > gathered_max) gathered_max = record.len;
    ERR_clear_error();
    int written = SSL_write_ex(t->ssl, record.at, record.len, &len);
    if (written == 1)
      put += len;
    else
      why = SSL_get_error(t->ssl, written);
  }
  bytes_wipe(gather, gathered_max);
  t->write_reads = why == SSL_ERROR_WANT_READ;
  update(t);
  if (put == 0 && total > 0) return result_of(t, why);
  *ret_len = put;
  return STREAM_OK;
}

static void tls_want(struct stream *stream, unsigned interest) {
  struct tls_stream *t = tls_of(stream);
  t->interest = interest;
  update(t);
}

/* RFC 8446 §6.1: closing says so, then the stream below ends, too. */
static void try_finish(struct tls_stream *t) {
  ERR_clear_error();
  int done = t->broken ? 0 : SSL_shutdown(t->ssl);
  t->finishing = done < 0 && SSL_get_error(t->ssl, done) == SSL_ERROR_WANT_WRITE;
  if (!t->finishing && !t->finished) {
    t->finished = true;
    stream_finish(t->inner);
  }
  update(t);
}

static void tls_finish(struct stream *stream) {
  struct tls_stream *t = tls_of(stream);
  if (t->stage == OPEN)
    try_finish(t);
  else if (t->stage == SHAKING)
    stream_finish(t->inner);
}

static void tls_close(struct stream *stream, bool reset) {
  struct tls_stream *t = tls_of(stream);
  loop_timer_drop(t->loop, &t->timer);
  ERR_clear_error();
  if (!reset && t->stage == OPEN && !t->broken && !t->finished) (void)SSL_shutdown(t->ssl);
  SSL_free(t->ssl);
  ERR_clear_error();
  if (reset)
    stream_reset(&t->inner);
  else
    stream_close(&t->inner);
  free(t);
}

static const struct stream_ops tls_ops = {tls_read, tls_write, tls_want, tls_finish, tls_close};

static void inner_ready(struct stream *inner, unsigned events) {
  struct tls_stream *t = inner->owner;
  unsigned up = events & LOOP_HANGUP;
  if (t->stage == SHAKING && !(events & (LOOP_READ | LOOP_WRITE))) {
    over(t);
    return;
  }
  if (t->stage == SHAKING) {
    shake(t);
    return;
  }
  if (t->stage == REFUSING) {
    drop_input(t);
    return;
  }
  if (t->finishing && (events & LOOP_WRITE)) try_finish(t);
  if (events & LOOP_READ) up |= t->write_reads ? LOOP_READ | LOOP_WRITE : LOOP_READ;
  if (events & LOOP_WRITE) up |= t->read_writes ? LOOP_READ | LOOP_WRITE : LOOP_WRITE;
  up &= t->interest | LOOP_HANGUP;
  if (up) t->port.ready(&t->port, up);
}

static struct tls_stream *open_over(struct loop *loop, SSL_CTX *context, struct stream **inner) {
  static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
  struct tls_stream *t = must_alloc(sizeof *t);
  must(CRYPTO_THREAD_run_once(&once, bio_method_make));
  BIO *bio = BIO_new(bio_method);
  t->ssl = SSL_new(context);
  must(bio && t->ssl);
  BIO_set_data(bio, t);
  BIO_set_init(bio, 1);
  SSL_set_bio(t->ssl, bio, bio);
  t->port.ops = &tls_ops;
  t->inner = *inner;
  *inner = NULL;
  t->inner->owner = t;
  t->inner->ready = inner_ready;
  t->loop = loop;
  t->timer.fire = timer_fired;
  loop_timer_after(loop, &t->timer, TLS_HANDSHAKE_MS_MAX);
  return t;
}

struct stream *tls_stream_accept(struct tls_server *server, struct stream **inner_take) {
  struct loop *loop;
  SSL_CTX *context = tls_server_context(server, &loop);
  struct tls_stream *t = open_over(loop, context, inner_take);
  t->server = t->begun = true;
  SSL_set_accept_state(t->ssl);
  update(t);
  return &t->port;
}

struct stream *tls_stream_connect(struct loop *loop, struct tls_client *client, const char *name,
                                  struct stream **inner_take) {
  struct in6_addr address;
  struct tls_stream *t = open_over(loop, tls_client_context(client), inner_take);
  bool numeric =
      inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
  SSL_set_connect_state(t->ssl);
  if (numeric)
    must(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), name));
  else
    must(SSL_set1_host(t->ssl, name) && SSL_set_tlsext_host_name(t->ssl, name));
  update(t);
  return &t->port;
}

bool tls_stream_certificate(const struct stream *stream, uint8_t ret_sha[SHA256_BYTES]) {
  const struct tls_stream *t = (const struct tls_stream *)(const void *)stream;
  if (stream->ops != &tls_ops || !t->certified) return false;
  memcpy(ret_sha, t->certificate, SHA256_BYTES);
  return true;
}

const char *tls_stream_failure(const struct stream *stream) {
  const struct tls_stream *t = (const struct tls_stream *)(const void *)stream;
  return stream->ops == &tls_ops && t->failure[0] ? t->failure : NULL;
}

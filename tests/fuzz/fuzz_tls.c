/* Any bytes into tls_stream_accept (os/tls.c) over a stream that splits them: no data comes out of
 * what was no handshake, and all ends. The first byte is the size of the pieces. */
#include "os/sim_clock.h"
#include "os/sim_stream.h"
#include "os/tls.h"
#include "os/tls_certificate.h"

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURNS_MAX = 100000 };

static struct sim_clock sim;
static struct loop *loop;
static struct tls_server *server;

static void save(const char *path, const struct buf *text) {
  FILE *file = fopen(path, "w");
  must(file && fwrite(text->at, 1, text->len, file) == text->len && fclose(file) == 0);
}

static void open_server(void) {
  char cert[] = "/tmp/medulla-fuzz-cert-XXXXXX", key[] = "/tmp/medulla-fuzz-key-XXXXXX";
  struct tls_subject subject = {"fuzz", NULL, 0, INT64_C(4000000000000)};
  struct tls_files files = {cert, key, cert};
  struct buf cert_text, key_text;
  struct err err;
  buf_init(&cert_text, TLS_PEM_BYTES_MAX);
  buf_init(&key_text, TLS_PEM_BYTES_MAX);
  must(tls_authority_make(&subject, &cert_text, &key_text, &err));
  close(mkstemp(cert));
  close(mkstemp(key));
  save(cert, &cert_text);
  save(key, &key_text);
  sim_clock_init(&sim, 0);
  loop = loop_new_simulated(&sim.port);
  must(tls_server_open(loop, &files, &server, &err));
  unlink(cert);
  unlink(key);
  buf_fini(&cert_text);
  buf_fini(&key_text);
}

struct end {
  struct stream *stream;
  bool over;
};

static void on_ready(struct stream *stream, unsigned events) {
  struct end *end = stream->owner;
  uint8_t room[256];
  size_t len;
  enum stream_result result = stream_read(stream, room, sizeof room, &len);
  must(result != STREAM_OK); /* nobody has a key */
  if (result == STREAM_AGAIN && (events & (LOOP_READ | LOOP_WRITE))) return;
  end->over = true;
  stream_close(&end->stream);
}

/* What the server says is read and dropped. */
static void drop(struct stream *stream, unsigned events) {
  uint8_t room[256];
  size_t len;
  if (stream_read(stream, room, sizeof room, &len) != STREAM_OK) stream_want(stream, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (!server) open_server();
  struct sim_stream_options options = {.loop = loop, .step_bytes_max = data[0]};
  struct stream *wire, *below;
  struct bytes input = bytes_of(data + 1, size - 1);
  sim_stream_pair(&options, &wire, &below);
  struct end end = {.stream = tls_stream_accept(server, &below)};
  wire->ready = drop;
  stream_want(wire, LOOP_READ);
  end.stream->owner = &end;
  end.stream->ready = on_ready;
  stream_want(end.stream, LOOP_READ);
  int turns = 0;
  for (size_t put = 0; input.len && turns < TURNS_MAX; turns++) {
    enum stream_result result = stream_write(wire, &input, 1, &put);
    if (result == STREAM_BROKEN) break;
    if (result == STREAM_OK) input = bytes_from(input, put);
    (void)loop_step(loop, 0);
  }
  stream_finish(wire);
  for (int i = 0; i < TURNS_MAX && loop_step(loop, 0); i++) continue;
  sim_clock_advance_ms(&sim, TLS_HANDSHAKE_MS_MAX + TLS_REFUSAL_MS_MAX);
  for (int i = 0; i < TURNS_MAX && loop_step(loop, 0); i++) continue;
  must(end.over);
  stream_close(&wire);
  for (int i = 0; i < TURNS_MAX && loop_step(loop, 0); i++) continue;
  return 0;
}

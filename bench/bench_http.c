/* bench/bench_http.c: a server with nothing behind it, to be measured from outside:
 *
 *   build/bench/bench-http 127.0.0.1:8091 &
 *   wrk -t1 -c32 -d5s http://127.0.0.1:8091/
 *   wrk -t1 -c1 -d5s --latency http://127.0.0.1:8091/
 *   build/bench/bench-http --tls pki/server.pem pki/server.key 127.0.0.1:8093 &   (https)
 *   build/bench/bench-http --echo 127.0.0.1:8092 &     (the floor: epoll, read, write, no HTTP)
 */
#include "os/process.h"
#include "source/http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;
static const char floor_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void answer(void *arg, struct http_exchange *x) {
  static const struct http_answer ok = {.status = 200, .content_type = BYTES_INIT("text/plain")};
  exchange_reply(x, &ok, BYTES("ok"));
}

static void stop(struct signals *signals, int signal) {
  loop_stop(loop);
}

static void echo(struct loop_watch *watch, unsigned events) {
  char at[4096];
  if (read(watch->fd, at, sizeof at) > 0 &&
      write(watch->fd, floor_answer, sizeof floor_answer - 1) > 0)
    return;
  loop_drop(loop, watch);
  close(watch->fd);
  free(watch);
}

static void accept_echo(struct loop_watch *listener, unsigned events) {
  char peer[NET_ADDRESS_BYTES];
  int fd;
  if (net_accept(listener->fd, &fd, peer, NULL) != NET_ACCEPTED) return;
  struct loop_watch *watch = calloc(1, sizeof *watch);
  if (!watch) return;
  *watch = (struct loop_watch){fd, LOOP_READ, echo};
  if (!loop_add(loop, watch, NULL)) abort();
}

int main(int argc, char **argv) {
  struct signals signals = {.got = stop};
  struct loop_watch listener = {.interest = LOOP_READ, .ready = accept_echo};
  struct http_server *server = NULL;
  struct err err;
  bool secure = argc > 4 && strcmp(argv[1], "--tls") == 0;
  bool floor = argc > 2 && strcmp(argv[1], "--echo") == 0;
  const char *address = argc > 1 ? argv[argc - 1] : "127.0.0.1:8091";
  bool opened = loop_new(clock_real(), &loop, &err) && signals_open(loop, &signals, &err);
  (void)process_files_raise(65536);
  struct http_server_options options = {.loop = loop, .address = address, .request = answer};
  const struct tls_files files = {secure ? argv[2] : NULL, secure ? argv[3] : NULL, NULL};
  if (opened && secure) opened = tls_server_open(loop, &files, &options.tls, &err);
  if (opened && floor)
    opened = net_listen(address, &listener.fd, &err) && loop_add(loop, &listener, &err);
  else if (opened)
    opened = http_server_open(&options, &server, &err);
  if (!opened) {
    fprintf(stderr, "bench-http: %s\n", err.detail);
    return 1;
  }
  loop_run(loop, 0);
  http_server_close(&server);
  tls_server_close(&options.tls);
  signals_close(&signals);
  loop_free(&loop);
  return 0;
}

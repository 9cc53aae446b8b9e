/* app/server.h: everything wired: disk, store, workers, flow, principals, HTTP.
 * Owns:    all of it, in the order of the stairs; closing goes the other way.
 * Units:   as named.
 * Errors:  server_open: what each part says, naming the part.
 * Threads: one loop thread; the store has its own.
 * Limits:  flow_limits_default, struct server_options.                      */
#ifndef MEDULLA_APP_SERVER_H
#define MEDULLA_APP_SERVER_H

#include "base/err.h"
#include "os/tls.h"

#include <stdbool.h>
#include <stdint.h>

struct server_options {
  const char *data;       /* Required: the folder */
  const char *address;    /* Required: "127.0.0.1:8080" */
  const char *key;        /* Optional: file of the root key; see unlock.h */
  const char *passphrase; /* Optional: file of a passphrase instead */
  bool dev;               /* anonymous loopback is admin */
  bool insecure;          /* listen beyond loopback although there is no TLS */
  struct tls_files tls;   /* cert NULL: plain HTTP */
  uint32_t workers_max;   /* 0: chosen by memory and cores */
  int64_t fork_wait_us;
  bool namespaces_off;
  int64_t keep_ms; /* events, runs and recordings older than this are removed */
  int64_t spin_us; /* of the loop; -1: chosen by cores */
};

struct server;
bool server_open(const struct server_options *options, struct server **ret_server, struct err *err);
/* Where the root key is; *ret_made: it was made by this start. */
const char *server_key_place(const struct server *server, bool *ret_made);
const char *server_address(const struct server *server);
/* Until SIGTERM or SIGINT; drains. A second signal cuts. */
void server_run(struct server *server);
void server_close(struct server **server);

#endif
